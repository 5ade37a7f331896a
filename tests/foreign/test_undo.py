"""Undoing a deletion in a foreign CRM: the CRM's own rules stand (ORG-12)."""

import pytest

from opencrm_ms365.access.refused import Refused
from opencrm_ms365.adapters import site
from opencrm_ms365.models import DeletedRecord
from opencrm_ms365.views.seen import context_for
from opencrm_ms365.views.undoing import described_deletions, undo_deletion
from tests.adapters.awkward.models import Supplier
from tests.rules import rule

from .awkward import SuppliersAdapter
from .test_suppliers import mill

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gone(acme):
    """A supplier with an address that must be unique, deleted by way of Outlook."""
    acme.organisation(microsoft_deletion="delete")
    acme.connect("ada")
    made = mill(acme, main_email="mill@x.example", folder="Gold")
    acme.sync()
    box = acme.mailbox("ada")
    box.delete_contact(box.contacts()[0]["id"])
    acme.sync()
    assert Supplier.objects.get(pk=made.pk).deleted_at is not None
    return DeletedRecord.objects.get()


def undo(world, row, person="ada"):
    user = world.user(person)
    with site.directory.activate(context_for(user, world.key)):
        undo_deletion(row, user)


@rule("ORG-12")
def test_it_comes_back_under_the_same_key_and_into_its_folder(acme, gone):
    undo(acme, gone)
    made = Supplier.objects.get()
    assert (made.deleted_at, made.folder, str(made.pk)) == (None, "Gold", gone.object_id)
    acme.sync()
    assert [item["companyName"] for item in acme.mailbox("ada").contacts("Gold")] == ["Mill & Sons"]
    assert acme.sync().writes == []


@rule("ORG-12")
def test_a_rule_of_the_database_keeps_it_away_with_a_sentence(acme, gone, monkeypatch):
    Supplier.objects.filter(pk=gone.object_id).update(main_email=None)
    second = mill(acme, main_email="mill@x.example")
    monkeypatch.setattr(SuppliersAdapter, "restore_set", {"deleted_at": None, "main_email": "mill@x.example"})
    with pytest.raises(Refused, match="stands in its way"):
        undo(acme, gone)
    gone.refresh_from_db()
    assert gone.undone_at is None and Supplier.objects.get(deleted_at=None) == second


@rule("ORG-12")
def test_a_row_that_was_purged_since_is_gone_for_good(acme, gone):
    Supplier.objects.all().delete()
    with pytest.raises(Refused, match="gone for good"):
        undo(acme, gone)
    with site.directory.activate(context_for(acme.user("ada"), acme.key)):
        [told] = described_deletions(acme.user("ada"), acme.key, [gone])
    assert (told["is_seen"], told["label"], told["may_undo"]) == (False, "", False)


def test_an_adapter_that_is_no_longer_registered_undoes_nothing(acme, gone):
    site.unregister("awkward.supplier")
    with pytest.raises(Refused, match="gone for good"):
        undo(acme, gone)
