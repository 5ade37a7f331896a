"""Private activities on the CRM's side: which they are, who takes part, and what others see of them (PRIV-02)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from ..reconcile.privacy import PrivateDisplay, Sight, sight
from .context import SyncContext
from .record import RecordAdapter


class PrivateRecords(RecordAdapter):
    """The part of an adapter of activities that keeps private ones to those who take part.

    It narrows what `visible_to` allows and never widens it. Where an adapter declares neither `owner` nor `users`,
    nobody is known to take part: its private activities are then shown in full to nobody.
    """

    def is_private(self, obj: Any, ctx: SyncContext) -> bool:
        """Whether an activity is marked as private; never, where the CRM maps no such thing."""
        spec = self._private_spec
        return spec is not None and bool(spec.read(obj, ctx))

    def participant_ids(self, obj: Any, ctx: SyncContext) -> frozenset[str]:
        """Primary keys, as text, of the users who take part: to whom it is assigned, and its users."""
        people = [user for spec in self._people_specs for user in spec.users(obj)]
        return frozenset(str(user.pk) for user in people)

    def users_of(self, obj: Any, ctx: SyncContext) -> list[Any]:
        """The users of an activity besides those whom it is assigned to."""
        spec: Any = self.role_specs.get("users")
        owners = set(self.owner_ids(obj, ctx))
        return [] if spec is None else [user for user in spec.users(obj) if str(user.pk) not in owners]

    def owner_of(self, obj: Any, ctx: SyncContext) -> Any | None:
        """The user whom an activity is assigned to; None: nobody."""
        spec: Any = self.role_specs.get("owner")
        found = spec.owners(obj) if spec is not None else []
        return found[0] if found else None

    def seen_by(self, obj: Any, ctx: SyncContext, display: PrivateDisplay | str) -> Sight:
        """How much the user of the context sees of one activity. `display` is the organisation's `private_display`."""
        if not self.is_private(obj, ctx):
            return Sight.FULL
        return sight(str(ctx.user.pk), is_private=True, participants=self.participant_ids(obj, ctx),
                     display=PrivateDisplay(display))

    def in_full(self, queryset: QuerySet, ctx: SyncContext) -> QuerySet:
        """Those of the activities that the user sees in full. One query, where the database can tell what is private;
        else one more that reads those in which the user does not take part."""
        spec = self._private_spec
        if spec is None:
            return queryset
        takes_part = self._takes_part(ctx)
        is_private = spec.is_true(ctx)
        if is_private is not None:
            return queryset.filter(takes_part | ~is_private)
        others = self.with_deleted(ctx).filter(pk__in=queryset.exclude(takes_part).order_by().values("pk"))
        private = [obj.pk for chunk in self.chunks(others, ctx) for obj in chunk if spec.read(obj, ctx)]
        return queryset.exclude(pk__in=private)

    def for_viewer(self, queryset: QuerySet, ctx: SyncContext, display: PrivateDisplay | str) -> QuerySet:
        """Those of the activities of which the user sees anything. Ask `seen_by` of each one before showing it."""
        return queryset if PrivateDisplay(display) is PrivateDisplay.BUSY else self.in_full(queryset, ctx)

    @property
    def _private_spec(self) -> Any:
        return self.specs.get("private") or self.role_specs.get("private")

    @property
    def _people_specs(self) -> list[Any]:
        return [self.role_specs[name] for name in ("owner", "users") if name in self.role_specs]

    def _takes_part(self, ctx: SyncContext) -> Q:
        found = Q(pk__in=[])
        for spec in self._people_specs:
            found |= spec.holding(ctx)
        return found
