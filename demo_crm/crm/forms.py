"""The forms of the CRM."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils import timezone

from .models import Contact, ContactFolder, Team


def people_for(user: Any, current: int | None = None) -> Any:
    """Who `user` may assign a record to: themselves and the members of their teams; superusers anybody.

    `current` is whom it is assigned to already (a primary key), who stays possible even without an account in use.
    """
    people = get_user_model()._default_manager.order_by("first_name", "username")
    possible = Q(is_active=True)
    if not user.is_superuser:
        possible &= Q(pk=user.pk) | Q(pk__in=Team.members.through.objects.filter(team__members=user).values("user_id"))
    return people.filter(possible | Q(pk=current))


class Versioned(forms.ModelForm):
    """`version` says which state the form was filled from, so that nobody overwrites what they never saw."""

    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["version"] = self.stored_version()

    def stored_version(self) -> str:
        """Of the row as it is now in the database."""
        rows = type(self.instance)._default_manager.filter(pk=self.instance.pk)
        changed_at = rows.values_list("updated_at", flat=True).first()
        return changed_at.isoformat() if changed_at else ""

    def check_version(self, cleaned: dict[str, Any]) -> None:
        """Refuses once what was filled from an older state; sent again, it is meant."""
        given, stored = cleaned.get("version"), self.stored_version() if self.instance.pk else ""
        if given and given != stored:
            data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict when bound
            data[self.add_prefix("version")] = stored
            self.data = data
            what = self.instance._meta.verbose_name
            raise forms.ValidationError(
                f"This {what} was changed while you were editing it, by a colleague or by the sync. Nothing is saved "
                "yet: look at it in another window, or save again to keep what stands here.")


def full_name(person: Any) -> str:
    return person.get_full_name() or person.get_username()


class ContactForm(Versioned):
    class Meta:
        model = Contact
        fields = [
            "first_name", "last_name", "company", "job_title", "department", "email", "email2", "email3", "phone",
            "mobile", "home_phone", "website", "street", "city", "state", "postcode", "country", "birthday", "notes",
            "assigned_to", "folders", "sync_to_microsoft",
        ]
        widgets = {
            "folders": forms.CheckboxSelectMultiple,
            "birthday": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "notes": forms.Textarea(attrs={"rows": 5}),
            "first_name": forms.TextInput(attrs={"autocomplete": "off"}),
        }

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assigned_to: Any = self.fields["assigned_to"]
        assigned_to.queryset = people_for(user, self.instance.assigned_to_id)
        assigned_to.label_from_instance = full_name
        assigned_to.required = not user.is_superuser        # what belongs to nobody is seen by superusers only
        assigned_to.empty_label = "Nobody" if user.is_superuser else None
        if not self.instance.pk:
            self.initial.setdefault("assigned_to", user.pk)
            self.fields["first_name"].widget.attrs["autofocus"] = True

    def clean_birthday(self) -> Any:
        birthday = self.cleaned_data["birthday"]
        if birthday and birthday > timezone.localdate():
            raise forms.ValidationError("A birthday cannot be in the future.")
        return birthday

    def clean_website(self) -> str:
        website = self.cleaned_data["website"].strip()
        if website and not Contact(website=website).website_url:
            raise forms.ValidationError("Enter a web address, such as www.company.example.")
        return website

    def clean_notes(self) -> str:
        return self.cleaned_data["notes"].replace("\r\n", "\n")      # as browsers send it, and nobody else keeps it

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._check_phones(cleaned)
        self._check_emails(cleaned)
        if not any(cleaned.get(name) for name in ("first_name", "last_name", "company", "email")) and not self.errors:
            raise forms.ValidationError("Enter a name, a company or an e-mail address: otherwise nobody will find it.")
        self.check_version(cleaned)
        return cleaned

    def _check_phones(self, cleaned: dict[str, Any]) -> None:
        for name in ("phone", "mobile", "home_phone"):
            value = cleaned.get(name)
            if value and not any(letter.isdigit() for letter in value):
                self.add_error(name, "A telephone number has at least one digit.")

    def _check_emails(self, cleaned: dict[str, Any]) -> None:
        seen = set()
        for name in ("email", "email2", "email3"):
            address = (cleaned.get(name) or "").casefold()
            if address and address in seen:
                self.add_error(name, "This address is already there.")
            seen.add(address)


class FolderForm(forms.ModelForm):
    """A folder. Names are compared without regard to capitals, as Outlook does."""

    class Meta:
        model = ContactFolder
        fields = ["name", "position"]

    def clean_name(self) -> str:
        name = self.cleaned_data["name"].strip()
        if ContactFolder.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is a folder of this name already.")
        return name
