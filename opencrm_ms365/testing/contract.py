"""The contract that every contact adapter has to keep, as a test class for the integrator's own tests.

    from opencrm_ms365.testing import ContactAdapterContract

    class TestContactAdapter(ContactAdapterContract):
        adapter_name = "crm.contact"

        def make_user(self):
            return User.objects.create_user("ada", "ada@example.org")

        def make_record(self, user):
            return Contact.objects.create(last_name="Hopper", assigned_to=user)

Each test says in its name what the sync relies on. Nothing here talks to Microsoft. Needs pytest-django.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ..adapters import RecordAdapter, Scope, SyncContext, is_syncing, site
from ..errors import RecordError
from ..records import UNSET, ContactData, PostalAddress, digest
from ..records.contact import canonical
from .samples import another_contact, full_contact

MANY = 6


@pytest.mark.django_db
class ContactAdapterContract:
    """Subclass it with a name that starts with `Test`, and say how to make a user and a record of theirs."""

    #: The name of the adapter that is tested; `adapter` may be overridden instead.
    adapter_name: str = ""
    #: The organisation in which the users of `make_user` are.
    tenant: str = ""

    # -- to be written by the integrator -----------------------------------------------------------

    def make_user(self) -> Any:
        """A saved user who may see, change and make records."""
        raise NotImplementedError("Say how to make a user.")

    def make_record(self, user: Any) -> Any:
        """A saved, valid record, assigned to the user, that is synced. Each call makes another one."""
        raise NotImplementedError("Say how to make a record.")

    @property
    def adapter(self) -> RecordAdapter:
        return site.get(self.adapter_name)

    # -- what the tests use ------------------------------------------------------------------------

    @pytest.fixture
    def ctx(self) -> Iterator[SyncContext]:
        from ..sync.stored import StoredValues

        user = self.make_user()
        directory = self.adapter.directory
        tenant = self.tenant or str(next(iter(directory.tenants_of(user)), ""))
        ctx = directory.context(user, tenant, stored=StoredValues(tenant))
        with directory.activate(ctx):
            yield ctx

    @pytest.fixture
    def record(self, ctx: SyncContext) -> Any:
        return self.fresh(self.make_record(ctx.user), ctx)

    def fresh(self, obj: Any, ctx: SyncContext) -> Any:
        object_id = self.adapter.object_id(obj)
        found = self.adapter.by_ids([object_id], ctx)
        assert object_id in found, "existing() does not contain a record that was just made"
        return found[object_id]

    def update(self, obj: Any, values: dict[str, Any], ctx: SyncContext) -> Any:
        with transaction.atomic():
            return self.adapter.update(obj, values, ctx)

    # -- the contract ------------------------------------------------------------------------------

    def test_the_declaration_has_no_faults(self) -> None:
        from ..checks_adapters import faults_of

        assert [item for item in faults_of(self.adapter) if item.is_serious()] == []

    def test_a_record_is_found_by_its_id_and_nonsense_finds_nothing(self, ctx: SyncContext, record: Any) -> None:
        ids = [self.adapter.object_id(record), "", "nonsense", str(uuid.uuid4()), "-1"]
        assert self.adapter.by_ids(ids, ctx) == {self.adapter.object_id(record): record}

    def test_the_database_gives_the_id_as_the_same_text(self, ctx: SyncContext, record: Any) -> None:
        rows = self.adapter.existing(ctx).annotate(ms365_id=self.adapter.id_text())
        assert rows.get(ms365_id=self.adapter.object_id(record)).pk == record.pk

    def test_reading_twice_gives_the_same(self, ctx: SyncContext, record: Any) -> None:
        first, second = self.adapter.read(record, ctx), self.adapter.read(self.fresh(record, ctx), ctx)
        assert first is not None, self.adapter.skip_reason(record, ctx)
        assert digest(first, b"key") == digest(second, b"key")
        assert set(first.set_fields()) <= self.adapter.mapped

    def test_reading_many_records_costs_no_more_queries_than_reading_one(self, ctx: SyncContext, record: Any) -> None:
        ids = [self.adapter.object_id(record)]
        ids += [self.adapter.object_id(self.make_record(ctx.user)) for _ in range(MANY)]
        assert self.queries_for(ids, ctx) <= self.queries_for(ids[:2], ctx)

    def queries_for(self, ids: list[str], ctx: SyncContext) -> int:
        with CaptureQueriesContext(connection) as queries:
            for obj in self.adapter.by_ids(ids, ctx).values():
                self.adapter.read(obj, ctx)
                self.adapter.folder_names(obj, ctx)
                self.adapter.owner_ids(obj, ctx)
        return len(queries)

    def test_a_users_own_record_is_in_scope(self, ctx: SyncContext, record: Any) -> None:
        scope = Scope(only_my_items=self.adapter.has_owner)
        assert self.adapter.explain_scope(record, ctx, scope) == ""
        assert list(self.adapter.in_scope(ctx, scope).filter(pk=record.pk)) == [record]
        assert self.adapter.is_mine(record, ctx)

    def test_nobody_elses_record_is_in_the_scope_of_only_my_items(self, ctx: SyncContext) -> None:
        if not self.adapter.has_owner:
            pytest.skip("The adapter declares no owner.")
        obj = self.make_record(self.make_user())
        assert self.adapter.explain_scope(obj, ctx, Scope(only_my_items=True)) in ("not_mine", "not_visible", "deleted")

    def test_writing_what_was_read_changes_nothing(self, ctx: SyncContext, record: Any) -> None:
        before: Any = self.adapter.read(record, ctx)
        stamp = self.adapter.modified_at(record)
        values = {name: value for name, value in before.values().items() if name in self.adapter.writable}
        written = self.update(record, values, ctx)
        assert (written.data, written.notes) == (before, ())
        assert self.adapter.modified_at(written.obj) == stamp

    @pytest.mark.parametrize("sample", [full_contact, another_contact])
    def test_what_is_written_is_read_again_or_reported(self, sample: Any, ctx: SyncContext, record: Any) -> None:
        wanted = sample()
        for name in sorted(self.adapter.writable):
            value = getattr(wanted, name)
            try:
                written = self.update(self.fresh(record, ctx), {name: value}, ctx)
            except RecordError as refused:
                assert refused.reason
                continue
            self.same_or_reported(name, value, written)

    def same_or_reported(self, name: str, value: Any, written: Any) -> None:
        held = getattr(written.data, name)
        if isinstance(value, PostalAddress) and isinstance(held, PostalAddress):
            unmapped = {part.name for part in dataclasses.fields(held)} - set(held.set_fields())
            value = dataclasses.replace(value, **dict.fromkeys(unmapped, UNSET))
        reported = {note.field for note in written.notes}
        assert canonical(name, held) == canonical(name, value) or name in reported, (
            f"{name} was written, is read differently, and nothing was reported")

    def test_emptying_a_field_empties_it_or_is_refused_with_a_reason(self, ctx: SyncContext, record: Any) -> None:
        empty = {"emails": (), "business_phones": (), "home_phones": (), "categories": ()}
        for name in sorted(self.adapter.writable):
            try:
                written = self.update(self.fresh(record, ctx), {name: empty.get(name)}, ctx)
            except RecordError as refused:
                assert refused.reason
                continue
            reported = {note.field for note in written.notes}
            assert not getattr(written.data, name) or name in reported or self.adapter.fallbacks

    def test_text_that_is_much_too_long_is_shortened_or_refused_but_never_breaks(
            self, ctx: SyncContext, record: Any) -> None:
        long = "x" * 5000
        for name in sorted(self.adapter.writable):
            if isinstance(getattr(full_contact(), name), str):
                try:
                    self.update(self.fresh(record, ctx), {name: long}, ctx)
                except RecordError as refused:
                    assert long not in refused.reason

    def test_changing_one_field_leaves_the_others(self, ctx: SyncContext, record: Any) -> None:
        before: Any = self.adapter.read(record, ctx)
        for name in sorted(self.adapter.writable):
            try:
                written = self.update(self.fresh(record, ctx), {name: getattr(another_contact(), name)}, ctx)
            except RecordError:
                continue
            others = {other for other in before.set_fields() if other != name}
            now = self.adapter.read(written.obj, ctx)
            changed = {other for other in others if getattr(now, other) != getattr(before, other)}
            assert not changed, f"writing {name} changed {', '.join(sorted(changed))} too"
            self.update(written.obj, {name: getattr(before, name)}, ctx)

    def test_a_new_record_belongs_to_the_user_and_is_found(self, ctx: SyncContext) -> None:
        if self.adapter.site.creator(self.adapter.kind) is not self.adapter:
            pytest.skip("The adapter takes in no new records.")
        if not self.adapter.can_create(ctx):
            pytest.skip("The user of make_user() may not make records.")
        with transaction.atomic():
            written = self.adapter.create(full_contact().only(self.adapter.mapped), ctx)
        object_id = self.adapter.object_id(written.obj)
        assert object_id in self.adapter.by_ids([object_id], ctx)
        assert self.adapter.is_mine(written.obj, ctx)
        assert self.adapter.explain_scope(written.obj, ctx, Scope(only_my_items=self.adapter.has_owner)) == ""
        for name in sorted(self.adapter.writable):
            self.same_or_reported(name, getattr(full_contact(), name), written)

    def test_a_new_record_with_next_to_nothing_is_made_or_skipped_with_a_reason(self, ctx: SyncContext) -> None:
        if self.adapter.site.creator(self.adapter.kind) is not self.adapter:
            pytest.skip("The adapter takes in no new records.")
        try:
            with transaction.atomic():
                self.adapter.create(ContactData(emails=("someone@example.org",)).only(self.adapter.mapped), ctx)
        except RecordError as refused:
            assert refused.reason

    def test_the_crm_can_tell_the_syncs_own_writes(self, ctx: SyncContext, record: Any,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[bool] = []
        monkeypatch.setattr(self.adapter, "after_save", lambda *_: seen.append(is_syncing()), raising=False)
        wanted = another_contact()
        for name in sorted(self.adapter.writable):
            self.update(self.fresh(record, ctx), {name: getattr(wanted, name)}, ctx)
            if seen:
                break
        assert all(seen) and not is_syncing()

    def test_folders_are_named_and_a_move_is_kept(self, ctx: SyncContext, record: Any) -> None:
        names = self.adapter.folder_names(record, ctx)
        if names is None:
            pytest.skip("The adapter declares no folders.")
        assert all(isinstance(name, str) and name for name in names)
        choices = self.adapter.folder_choices(ctx)
        assert set(names) <= {name for _, name in choices}
        for _, name in choices[:2]:
            with transaction.atomic():
                written = self.adapter.update(self.fresh(record, ctx), {}, ctx, folder_from=names[0] if names else "",
                                              folder_to=name)
            names = self.adapter.folder_names(written.obj, ctx) or ()
            assert name in names or written.notes

    def test_a_deleted_record_is_gone_and_comes_back_where_it_is_recoverable(
            self, ctx: SyncContext, record: Any) -> None:
        object_id = self.adapter.object_id(record)
        with transaction.atomic():
            self.adapter.delete(record, ctx)
        assert self.adapter.by_ids([object_id], ctx) == {}
        assert self.adapter.explain_scopes([object_id], ctx, Scope()) == {object_id: "deleted"}
        if self.adapter.recoverable:
            self.adapter.restore(object_id, ctx)
            assert object_id in self.adapter.by_ids([object_id], ctx)

    @pytest.mark.parametrize("rule", ["email", "name_company", "phone"])
    def test_a_record_is_among_the_candidates_for_its_own_values(
            self, rule: str, ctx: SyncContext, record: Any) -> None:
        from ..reconcile.matching import keys

        adapter: Any = self.adapter
        written = None
        for name in sorted(adapter.writable & {"given_name", "surname", "emails", "business_phones", "mobile_phone"}):
            written = self.update(self.fresh(record, ctx), {name: getattr(full_contact(), name)}, ctx)
        data = written.data if written else adapter.read(record, ctx)
        if not keys(data, rule):
            pytest.skip("The adapter does not map what this rule needs.")
        assert record in list(adapter.candidates(rule, [data, full_contact()], ctx))
