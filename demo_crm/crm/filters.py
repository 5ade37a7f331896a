"""Which contacts the list shows, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django_filters
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Lower, NullIf

from .models import Contact, ContactFolder

SEARCHED = ("first_name", "last_name", "company", "job_title", "email", "email2", "email3", "phone", "home_phone",
            "mobile", "city", "notes")
SORTS = {
    "name": ("sort_name", "first_name"),
    "company": ("company", "sort_name"),
    "email": ("email", "sort_name"),
    "assigned": ("assigned_to__first_name", "assigned_to__username", "sort_name"),
    "changed": ("updated_at",),
}
DEFAULT_SORT = "name"


def search_in(rows: QuerySet[Any], columns: Iterable[str], text: str) -> QuerySet[Any]:
    """Those in which each word of `text` occurs in one of the columns."""
    for word in text.split():
        anywhere = Q()
        for spelling in spellings(word):
            for column in columns:
                anywhere |= Q(**{f"{column}__icontains": spelling})
        rows = rows.filter(anywhere)
    return rows


def spellings(word: str) -> set[str]:
    """`word` itself; and for accented letters, in which SQLite tells capitals from small ones, its other cases."""
    return {word} if word.isascii() else {word, word.lower(), word.capitalize(), word.upper()}


def sort(contacts: QuerySet[Any], order: str) -> QuerySet[Any]:
    """Sorted by a key of `SORTS`, backwards with a minus in front. What is not known sorts by name."""
    key = order.removeprefix("-")
    columns = SORTS.get(key, SORTS[DEFAULT_SORT])
    backwards = order.startswith("-") and key in SORTS
    first_of = [NullIf(F(column), Value("")) for column in ("last_name", "first_name", "company")]
    contacts = contacts.annotate(sort_name=Lower(Coalesce(*first_of, "email", output_field=CharField())))
    return contacts.order_by(*(f"-{column}" if backwards else column for column in columns), "pk")


class ContactFilter(django_filters.FilterSet):
    """The filters above the list: words, a folder, mine or all."""

    NO_FOLDER = "none"

    q = django_filters.CharFilter(method="by_words")
    folder = django_filters.CharFilter(method="by_folder")
    owner = django_filters.ChoiceFilter(choices=[("mine", "Mine")], method="by_owner")

    class Meta:
        model = Contact
        fields: list[str] = []

    def by_words(self, contacts: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return search_in(contacts, SEARCHED, value.replace("\x00", ""))

    def by_folder(self, contacts: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if value == self.NO_FOLDER:
            return contacts.filter(folders__isnull=True)
        if not value.isascii() or not value.isdecimal():
            return contacts.none()
        folder = ContactFolder.objects.filter(pk=int(value) if len(value) < 18 else -1).first()
        return contacts.filter(folders=folder) if folder else contacts.none()

    def by_owner(self, contacts: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return contacts.filter(assigned_to=self.request.user)
