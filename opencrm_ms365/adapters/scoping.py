"""Which records a user syncs (CON-02), as one query, and for a single record the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Q, QuerySet

from .context import Scope, SyncContext
from .reading import Reading

#: In the order in which they are asked; the first that applies is the reason.
DELETED, NOT_VISIBLE, NOT_MINE = "deleted", "not_visible", "not_mine"
FLAG_OFF, OTHER_FOLDER = "flag_off", "other_folder"


class Scoping(Reading):
    """The part of an adapter that says who sees and who owns what."""

    # -- for integrators ---------------------------------------------------------------------------

    def visible_to(self, queryset: QuerySet, ctx: SyncContext) -> QuerySet:
        """Those of the records that the user may see in the CRM."""
        return queryset

    def in_full(self, queryset: QuerySet, ctx: SyncContext) -> QuerySet:
        """Those of the records whose contents the user may see: all, but for others' private activities (PRIV-02)."""
        return queryset

    def assigned_to(self, queryset: QuerySet, ctx: SyncContext) -> QuerySet:
        """Those of the records that are the user's own; all where the adapter declares no owner."""
        owner: Any = self.role_specs.get("owner")
        return queryset if owner is None else queryset.filter(owner.holding(ctx))

    def in_sight(self, queryset: QuerySet, ctx: SyncContext) -> QuerySet:
        """What of the queryset the sync may show to the user."""
        return self.visible_to(queryset, ctx)

    def can_change(self, obj: Any, ctx: SyncContext) -> bool:
        """Whether the user may change this record in the CRM; if not, Microsoft's changes are sent back."""
        return True

    def can_create(self, ctx: SyncContext) -> bool:
        """Whether the user may make new records in the CRM."""
        return True

    def can_delete(self, obj: Any, ctx: SyncContext) -> bool:
        """Whether the user may delete this record in the CRM; as `can_change` by default."""
        return self.can_change(obj, ctx)

    # -- owners ------------------------------------------------------------------------------------

    def owner_ids(self, obj: Any, ctx: SyncContext) -> tuple[str, ...]:
        """Primary keys, as text, of the users to whom a record is assigned; the first one is the owner."""
        owner: Any = self.role_specs.get("owner")
        return () if owner is None else tuple(str(user.pk) for user in owner.users(obj))

    def is_mine(self, obj: Any, ctx: SyncContext) -> bool:
        """Whether a record is assigned to the user; always, where the adapter declares no owner."""
        return "owner" not in self.role_specs or str(ctx.user.pk) in self.owner_ids(obj, ctx)

    @property
    def has_owner(self) -> bool:
        """Whether *only my items* means anything."""
        return "owner" in self.role_specs

    # -- scope -------------------------------------------------------------------------------------

    def in_scope(self, ctx: SyncContext, scope: Scope, among: Iterable[str] | None = None) -> QuerySet:
        """The records that go out to the user's account, each once; only those of the ids in `among` if it is given.

        A tick box or folder that only Python can read costs a reading of the records that meet all other conditions.
        """
        present = self.existing(ctx) if among is None else self.existing(ctx).filter(pk__in=self.keys(among))
        found = self.visible_to(present, ctx)
        if scope.only_my_items:
            found = self.assigned_to(found, ctx)
        for _, condition, _ in self._marks(ctx, scope):
            if condition is not None:
                found = found.filter(condition)
        for _, condition, test in self._marks(ctx, scope):
            if condition is None:
                found = found.filter(pk__in=self._passing(found, test, ctx))
        return self.existing(ctx).filter(pk__in=found.order_by().values("pk"))

    def _marks(self, ctx: SyncContext, scope: Scope) -> list[tuple[str, Q | None, Callable[[Any], bool]]]:
        """(reason, condition for the database or None, the same in Python) of tick box and folders."""
        marks: list[tuple[str, Q | None, Callable[[Any], bool]]] = []
        flag, folders = self.role_specs.get("sync_flag"), self.role_specs.get("folders")
        if flag is not None:
            marks.append((FLAG_OFF, flag.is_true(ctx), lambda obj: bool(flag.read(obj, ctx))))
        if folders is not None and scope.folders is not None:
            wanted = set(scope.folders)
            marks.append((OTHER_FOLDER, folders.in_folders(scope.folders, ctx),
                          lambda obj: not wanted.isdisjoint(folders.folder_names(obj, ctx) or ("",))))
        return marks

    def _passing(self, queryset: QuerySet, test: Callable[[Any], bool], ctx: SyncContext) -> list[Any]:
        once = self.existing(ctx).filter(pk__in=queryset.order_by().values("pk"))
        return [obj.pk for chunk in self.chunks(once, ctx) for obj in chunk if test(obj)]

    def explain_scope(self, obj: Any, ctx: SyncContext, scope: Scope) -> str:
        """Why a record is out of scope: the first reason, `""` if it is in scope."""
        object_id = self.object_id(obj)
        return self.explain_scopes([object_id], ctx, scope)[object_id]

    def explain_scopes(self, ids: Iterable[str], ctx: SyncContext, scope: Scope) -> dict[str, str]:
        """As `explain_scope`, for many records with a constant number of queries."""
        ids = list(dict.fromkeys(ids))
        keys = self.keys(ids)
        present = self.existing(ctx).filter(pk__in=keys)
        steps: list[tuple[str, QuerySet]] = [
            (DELETED, present),
            (NOT_VISIBLE, self.visible_to(present, ctx)),
        ]
        if scope.only_my_items:
            steps.append((NOT_MINE, self.assigned_to(present, ctx)))
        for reason, condition, test in self._marks(ctx, scope):
            held = present.filter(condition) if condition is not None else present.filter(
                pk__in=self._passing(present, test, ctx))
            steps.append((reason, held))
        reasons = dict.fromkeys(ids, "")
        for reason, held in reversed(steps):
            passing = {str(key) for key in held.order_by().values_list("pk", flat=True)}
            reasons.update({object_id: reason for object_id in ids if object_id not in passing})
        return reasons

    # -- folders -----------------------------------------------------------------------------------

    def folder_names(self, obj: Any, ctx: SyncContext) -> tuple[str, ...] | None:
        """The names of a record's folders in the CRM's order; None: the adapter declares no folders."""
        folders = self.role_specs.get("folders")
        return None if folders is None else folders.folder_names(obj, ctx)

    def folder_choices(self, ctx: SyncContext) -> list[tuple[str, str]]:
        """(id, name) of the folders that exist, in the CRM's order. The id `""` (not listed) means *no folder*."""
        folders = self.role_specs.get("folders")
        return [] if folders is None else folders.folder_choices(ctx)
