"""Who the CRM's users are: which organisations they belong to, their e-mail addresses, what stands for them."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.db.models.functions import Lower, Trim
from django.utils import timezone

from .context import StoredPort, SyncContext
from .paths import value_at


class DirectoryAdapter:
    """The defaults suit Django's own users and a CRM of one organisation. Override what differs.

    `person_model`: the model that owner columns point to where that is not the user, such as a profile (a class or
    `"app.Model"`); `person_user_path`: the path from it to the user.
    """

    #: The model that owner columns point to; None: the user model.
    person_model: Any = None
    #: The path from that model to the user.
    person_user_path: str | None = None

    # -- organisations

    def tenants(self) -> Iterable[str]:
        """The keys of all organisations; `[""]` where there is only one."""
        return [""]

    def tenants_of(self, user: Any) -> Iterable[str]:
        """The organisations that a user belongs to."""
        return [""]

    def tenant_of_request(self, request: Any) -> str | None:
        """The organisation that a page is about; None: the user has to choose."""
        tenants = list(self.tenants_of(request.user))
        return tenants[0] if len(tenants) == 1 else None

    def activate(self, ctx: SyncContext) -> contextlib.AbstractContextManager[Any]:
        """Entered around every query of the sync and its pages: row-level security, thread-locals, impersonation."""
        return contextlib.nullcontext()

    # -- people

    def person(self, user: Any, tenant: str) -> Any | None:
        """What owner columns hold for a user in an organisation; None if there is none."""
        if self.person_model is None or not self.person_user_path:
            return user
        return self._person_model()._default_manager.filter(**{self.person_user_path: user.pk}).first()

    def user_of(self, person: Any) -> Any | None:
        """The user behind a person; None if there is none."""
        if isinstance(person, get_user_model()) or not self.person_user_path:
            return person
        return value_at(person, self.person_user_path)

    def _person_model(self) -> Any:
        from django.apps import apps

        return apps.get_model(self.person_model) if isinstance(self.person_model, str) else self.person_model

    def emails(self, user: Any) -> list[str]:
        """A user's e-mail addresses, the primary one first, without blanks."""
        field = getattr(user, "get_email_field_name", None)
        value = getattr(user, field(), "") if field else ""
        return [value.strip()] if value and value.strip() else []

    def users(self, tenant: str) -> Any:
        """The active users of an organisation, as a queryset."""
        found = get_user_model()._default_manager.all()
        return found.filter(is_active=True) if _has_column(get_user_model(), "is_active") else found

    def find_user(self, email: str, tenant: str) -> Any | None:
        """The one active user of the organisation with this address; None if there is none, or more than one."""
        email = email.strip().casefold()
        field = get_user_model().get_email_field_name()
        if not email or not _has_column(get_user_model(), field):
            return None
        likely = self.users(tenant).filter(Q(**{f"{field}__iexact": email}) | Q(**{f"{field}__icontains": email}))
        found = [user for user in likely if self.is_active(user, tenant) and tenant in self.tenants_of(user)
                 and email in (item.casefold() for item in self.emails(user))]
        return found[0] if len(found) == 1 else None

    def find_users(self, emails: Iterable[str], tenant: str) -> dict[str, Any]:
        """As `find_user` for many addresses, in lower case; those that are nobody's are missing.

        One query where `find_user` and `emails` are as they are here, else one call of `find_user` for each.
        """
        wanted = {email.strip().casefold() for email in emails} - {""}
        own = type(self)
        if own.find_user is not DirectoryAdapter.find_user or own.emails is not DirectoryAdapter.emails:
            return {email: user for email in wanted if (user := self.find_user(email, tenant)) is not None}
        field = get_user_model().get_email_field_name()
        if not wanted or not _has_column(get_user_model(), field):
            return {}
        found: dict[str, list[Any]] = {}
        for user in self.users(tenant).alias(ms365_email=Lower(Trim(field))).filter(ms365_email__in=wanted):
            if self.is_active(user, tenant) and tenant in self.tenants_of(user):
                found.setdefault(self.emails(user)[0].casefold(), []).append(user)
        return {email: users[0] for email, users in found.items() if len(users) == 1}

    def display_name(self, user: Any) -> str:
        """A user's name as other people read it. Never empty."""
        full = getattr(user, "get_full_name", None)
        return (str(full() or "").strip() if full else "") or str(user.get_username()) or str(user.pk)

    def is_active(self, user: Any, tenant: str) -> bool:
        """False: the user's sync stops and their tokens go (USER-06)."""
        return bool(getattr(user, "is_active", True))

    def is_org_admin(self, user: Any, tenant: str) -> bool:
        """Whether the user administers the organisation's sync."""
        return bool(getattr(user, "is_superuser", False))

    def can_edit_own_settings(self, user: Any, tenant: str) -> bool | None:
        """Whether the user edits their own settings; None: as the organisation's settings say (ORG-07)."""
        return None

    def timezone(self, user: Any) -> str | datetime.tzinfo | None:
        """The user's time zone; None: that of the project."""
        return None

    # -- for the sync

    def context(self, user: Any, tenant: str = "", *, now: datetime.datetime | None = None,
                settings: Mapping[str, Any] | None = None, stored: StoredPort | None = None,
                tz: str | datetime.tzinfo | None = None) -> SyncContext:
        """The context for a user in an organisation. `tz` is the zone of the user's settings, where they chose one."""
        zone = tz or self.timezone(user) or timezone.get_default_timezone()
        return SyncContext(
            user=user, tenant=tenant, person=self.person(user, tenant),
            tz=ZoneInfo(zone) if isinstance(zone, str) else zone,
            is_org_admin=self.is_org_admin(user, tenant), settings=dict(settings or {}),
            now=now or timezone.now(), stored=stored,
        )


def _has_column(model: Any, name: str) -> bool:
    return any(field.name == name for field in model._meta.concrete_fields)
