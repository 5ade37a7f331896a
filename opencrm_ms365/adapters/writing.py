"""Writing a record into the CRM: only what differs, by the CRM's own rules, with a note about whatever is left out.

    new_instance -> write -> clean -> before_save -> save -> save_related -> after_save -> read again

The caller holds the transaction and has locked the row; an `IntegrityError` is for its savepoint.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from ..errors import RecordError
from ..records.contact import canonical
from .body import text_to_html
from .context import SyncContext, syncing
from .fields import FieldSpec, Method
from .outcome import Note, RejectChange, Written
from .scoping import Scoping
from .validation import masked

FOLDER = "folder"


@dataclass(slots=True)
class WriteLog:
    """What one write has done to an object so far."""

    is_new: bool
    before: dict[str, Any]
    notes: list[Note] = field(default_factory=list)
    deferred: list[tuple[str, Callable[[], str]]] = field(default_factory=list)
    #: Columns whose own faults are not ours: they were there before and are left as they are.
    not_ours: set[str] = field(default_factory=set)
    must_save: bool = False


class Writing(Scoping):
    """The part of an adapter that writes."""

    # -- for the sync ------------------------------------------------------------------------------

    def create(self, data: Any, ctx: SyncContext, *, folder: str | None = None, owner: Any = None,
               users: Iterable[Any] | None = None) -> Written:
        """Make a record, assigned to `owner` (None: the user), in the folder with this name, for these users.

        Raises `RecordError`: it must be skipped.
        """
        with syncing(ctx):
            obj = self.new_instance(data, ctx)
            related = obj.__dict__.pop("_ms365_related", {})
            log = obj._ms365_log = WriteLog(is_new=True, before=self._columns_of(obj), must_save=True)
            log.deferred += [(name, _setter(obj, name, value)) for name, value in related.items()]
            spec: Any = self.role_specs.get("owner")
            if spec is not None and not spec.is_read_only:
                if spec.is_deferred:
                    log.deferred.append(("owner", lambda: spec.save(obj, (owner or ctx.user,), ctx)))
                elif owner is not None and owner != ctx.user:
                    spec.write(obj, (owner,), ctx)
            if users is not None:
                self._set_users(obj, users, ctx)
            changed = frozenset(data.set_fields()) & self.writable
            return self._store(obj, data, changed, ctx, log, None, folder)

    def update(self, obj: Any, values: Mapping[str, Any], ctx: SyncContext, *, folder_from: str | None = None,
               folder_to: str | None = None, users: Iterable[Any] | None = None) -> Written:
        """Change only `values` of a record, and its users where they are given. Raises `RecordError`: it must be
        skipped.

        `folder_to` is a folder's name, `""` for *no folder*, None to leave the folders alone; the record leaves
        `folder_from` and keeps its other folders.
        """
        with syncing(ctx):
            current = self.read(obj, ctx)
            data = dataclasses.replace(current, **values) if current else self.record_type(**values)
            log = obj._ms365_log = WriteLog(is_new=False, before=self._columns_of(obj))
            for name in set(values) - self.writable:
                self.note(obj, name, "is not changed from Microsoft.")
            if users is not None:
                self._set_users(obj, users, ctx)
            return self._store(obj, data, frozenset(values) & self.writable, ctx, log, folder_from, folder_to)

    def _set_users(self, obj: Any, users: Iterable[Any], ctx: SyncContext) -> None:
        """Make these the users of a record. Where one column holds owner and users, the owner stays its first; an owner
        who is among the users besides stays there."""
        spec: Any = self.role_specs.get("users")
        if spec is None or spec.is_read_only:
            return
        owner: Any = self.role_specs.get("owner")
        wanted = list(users)
        if owner is not None and owner.path == spec.path:
            wanted = [*(owner.owners(obj) if obj.pk is not None else [ctx.user]), *wanted]
        elif owner is not None and obj.pk is not None:
            held = {user.pk for user in owner.owners(obj)} - {user.pk for user in wanted}
            wanted = [*(user for user in spec.users(obj) if user.pk in held), *wanted]
        if spec.is_deferred:
            obj._ms365_log.deferred.append(("users", lambda: spec.save(obj, wanted, ctx)))
        else:
            spec.write(obj, wanted, ctx)

    # -- for integrators ---------------------------------------------------------------------------

    def new_instance(self, data: Any, ctx: SyncContext) -> Any:
        """A new, unsaved object with the defaults, the organisation and the owner set."""
        defaults = dict(self.create_defaults(data, ctx))
        many = {field.name for field in self.model._meta.many_to_many}
        related = {name: defaults.pop(name) for name in list(defaults) if name in many}
        obj = self.model(**defaults)
        obj._ms365_related = related
        if self.tenant_field and (column := self.column(self.tenant_field)) is not None:
            setattr(obj, column.attname, _key_of(column, ctx.tenant))
        owner: Any = self.role_specs.get("owner")
        if owner is not None and not owner.is_deferred and not owner.is_read_only:
            reason = owner.write(obj, (ctx.user,), ctx)
            column = self.column(owner.path)
            if reason and column is not None and not column.null:
                raise RecordError(f"The new record cannot be assigned: the owner {reason}.")
        return obj

    def create_defaults(self, data: Any, ctx: SyncContext) -> Mapping[str, Any]:
        """Columns of a new object that no field of the record fills."""
        return {}

    def write(self, obj: Any, data: Any, changed: frozenset[str], ctx: SyncContext) -> None:
        """Put the `changed` fields of a record into the unsaved object. May raise `SkipRecord` or `RejectChange`."""
        for name, spec in self.specs.items():
            if name in changed:
                self._write_field(obj, name, spec, self.column_value(name, data, ctx), ctx)
        self._apply_fallbacks(obj, data, ctx)

    def column_value(self, name: str, data: Any, ctx: SyncContext) -> Any:
        """A record's value in the form in which the specs read and write it."""
        return getattr(data, name)

    def clean(self, obj: Any, ctx: SyncContext, changed: frozenset[str]) -> None:
        """Validate the object; raises Django's `ValidationError`. An optional column at fault keeps its old value."""
        if self.full_clean:
            log: WriteLog | None = obj.__dict__.get("_ms365_log")
            obj.full_clean(exclude=set(self.clean_exclude) | (log.not_ours if log else set()))

    def before_save(self, obj: Any, ctx: SyncContext, created: bool, changed: frozenset[str]) -> None:
        """Called with the valid, unsaved object."""

    def save(self, obj: Any, ctx: SyncContext, created: bool, changed: frozenset[str]) -> None:
        """Save the object. Never with `update_fields` that leave out `modified_field`."""
        obj.save()

    def save_related(self, obj: Any, ctx: SyncContext, created: bool, changed: frozenset[str]) -> None:
        """Write what needs the primary key: many-to-many fields, child rows, values in the app's own table."""
        log: WriteLog = obj._ms365_log
        for name, write in log.deferred:
            try:
                reason = write()
            except RejectChange as rejected:
                self.note(obj, rejected.field, rejected.reason)
                continue
            if reason:
                self.note(obj, name, reason)

    def after_save(self, obj: Any, ctx: SyncContext, created: bool, changed: frozenset[str]) -> None:
        """Called when everything of the record is in the database, still in the same transaction."""

    def note(self, obj: Any, name: str, reason: str) -> None:
        """Report, from any hook, that something of a record was not taken over. `reason` may follow `The field ...`."""
        if reason[:1].islower():
            reason = f"The field {name.replace('_', ' ')} {reason.rstrip('.')}."
        obj._ms365_log.notes.append(Note(name, reason))

    # -- the sequence ------------------------------------------------------------------------------

    def _store(self, obj: Any, data: Any, changed: frozenset[str], ctx: SyncContext, log: WriteLog,
               folder_from: str | None, folder_to: str | None) -> Written:
        created = log.is_new
        self._insist(obj, lambda: self.write(obj, data, changed, ctx))
        if folder_to is not None and not (created and not folder_to):
            self._write_folder(obj, folder_from, folder_to, ctx)
        if log.must_save or log.deferred or self._changed_columns(obj):
            self._insist(obj, lambda: self.clean(obj, ctx, changed))
            self._insist(obj, lambda: self.before_save(obj, ctx, created, changed))
            self.save(obj, ctx, created, changed)
            self.save_related(obj, ctx, created, changed)
            self.after_save(obj, ctx, created, changed)
        notes = tuple(dict.fromkeys(log.notes))
        del obj._ms365_log
        return self._read_again(obj, ctx, created, notes)

    def _read_again(self, obj: Any, ctx: SyncContext, created: bool, notes: tuple[Note, ...]) -> Written:
        object_id = self.object_id(obj)
        fresh = self.by_ids([object_id], ctx).get(object_id)
        if fresh is None and not created:
            fresh = next(iter(self.prepared(self.with_deleted(ctx).filter(pk=obj.pk), ctx)), None)
        if fresh is None:
            raise RecordError("The CRM does not list the record that was just written; it is not synced. "
                              "Does the adapter set what its base_filter asks for?")
        data = self.read(fresh, ctx)
        if data is None:
            raise RecordError(self.skip_reason(fresh, ctx) or "The CRM does not sync this record.")
        return Written(fresh, data, notes)

    def _write_field(self, obj: Any, name: str, spec: FieldSpec, value: Any, ctx: SyncContext) -> None:
        log: WriteLog = obj._ms365_log
        if self._means(name, self.read_field(name, obj, ctx)) == self._means(name, value):
            return
        if name == self.body_field and self.body_format == "html":
            value = text_to_html(value)
        if spec.is_deferred:
            log.deferred.append((name, lambda: spec.save(obj, value, ctx)))
            return
        earlier = self._columns_of(obj)
        log.must_save |= isinstance(spec, Method)
        try:
            reason = spec.write(obj, value, ctx)
        except RejectChange as rejected:
            self._put_back(obj, self._changed_columns(obj, earlier), earlier)
            self.note(obj, rejected.field, rejected.reason)
            return
        if reason:
            self.note(obj, name, reason)

    def _means(self, name: str, value: Any) -> Any:
        """What a value of a field says, in the form in which two of them are compared."""
        return canonical(name, getattr(self.record_type(**{name: value}), name))

    def _write_folder(self, obj: Any, leave: str | None, enter: str, ctx: SyncContext) -> None:
        folders = self.role_specs.get("folders")
        if folders is None:
            return
        if folders.is_read_only:
            self.note(obj, FOLDER, "is not changed from Microsoft")
        elif folders.is_deferred:
            obj._ms365_log.deferred.append((FOLDER, lambda: folders.change_folder(obj, leave, enter, ctx)))
        elif reason := folders.change_folder(obj, leave, enter, ctx):
            self.note(obj, FOLDER, reason)

    def _apply_fallbacks(self, obj: Any, data: Any, ctx: SyncContext) -> None:
        for name, fallback in self.fallbacks.items():
            column = self.column(name)
            if column is not None and getattr(obj, column.attname) in (None, ""):
                value = fallback(data, ctx) if callable(fallback) else fallback
                longest = column.max_length
                setattr(obj, name, value[:longest] if isinstance(value, str) and longest else value)

    # -- what the CRM refuses ----------------------------------------------------------------------

    def _insist(self, obj: Any, step: Callable[[], None]) -> None:
        """Do a step; where the CRM refuses one optional column, give way in that column and do the step again."""
        for _ in range(len(self.model._meta.concrete_fields) + 1):
            try:
                step()
                return
            except ValidationError as error:
                self._give_way(obj, error)
            except RejectChange as rejected:
                columns = self._changed_columns(obj) & self._columns_behind(rejected.field)
                if not columns:
                    raise RecordError(rejected.reason) from None
                self._put_back(obj, columns, obj._ms365_log.before)
                self.note(obj, rejected.field, rejected.reason)
        raise RecordError("The CRM refuses this record.")

    def _columns_behind(self, name: str) -> set[str]:
        spec = self.specs.get(self.spellings.get(name, name))
        return set(spec.columns) if spec is not None else set()

    def _give_way(self, obj: Any, error: ValidationError) -> None:
        """Put back the columns at fault. Raises `RecordError` where that is not possible."""
        log: WriteLog = obj._ms365_log
        ours = self._changed_columns(obj)
        errors = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
        for name, faults in errors.items():
            column = self.column(name)
            if column is None or name == NON_FIELD_ERRORS:
                raise RecordError(f"The CRM refuses this record: {masked(faults, obj)}")
            if column.name not in ours:
                if log.is_new or column.name in log.not_ours:
                    raise RecordError(f"The CRM needs {column.verbose_name}: {masked(faults, obj)}")
                log.not_ours.add(column.name)
                continue
            if not column.blank:
                raise RecordError(f"The CRM does not accept {column.verbose_name}: {masked(faults, obj)}")
            reason = f"The CRM does not accept {column.verbose_name} and keeps its own: {masked(faults, obj)}"
            for field_name in self.fields_of_column(column.name) or [column.name]:
                self.note(obj, field_name, reason)
            self._put_back(obj, {column.name}, log.before)

    # -- columns -----------------------------------------------------------------------------------

    def _columns_of(self, obj: Any) -> dict[str, Any]:
        """The loaded columns of an object, by name."""
        return {column.name: copy.copy(obj.__dict__[column.attname]) for column in self.model._meta.concrete_fields
                if column.attname in obj.__dict__}

    def _changed_columns(self, obj: Any, earlier: Mapping[str, Any] | None = None) -> set[str]:
        earlier = obj._ms365_log.before if earlier is None else earlier
        now = self._columns_of(obj)
        return {name for name in now if name not in earlier or now[name] != earlier[name]}

    def _put_back(self, obj: Any, columns: set[str], earlier: Mapping[str, Any]) -> None:
        for column in self.model._meta.concrete_fields:
            if column.name in columns and column.name in earlier:
                setattr(obj, column.attname, earlier[column.name])


def _setter(obj: Any, name: str, value: Any) -> Callable[[], str]:
    def write() -> str:
        getattr(obj, name).set(value)
        return ""

    return write


def _key_of(column: Any, text: str) -> Any:
    while column.is_relation:
        column = column.target_field
    return column.to_python(text)
