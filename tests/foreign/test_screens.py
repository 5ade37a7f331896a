"""What the screens say of a foreign CRM's records, values of our own table included (USER-08, ORG-09, PRIV-03)."""

import pytest

from opencrm_ms365.models import Conflict
from opencrm_ms365.sync.stored import StoredValues
from opencrm_ms365.views.explaining import explain
from tests.adapters.awkward.models import Person
from tests.rules import rule

from .test_people import ada

pytestmark = pytest.mark.django_db(transaction=True)


def why(world, record, viewer="ada"):
    user = world.user(viewer)
    from opencrm_ms365.adapters import site
    from opencrm_ms365.views.seen import context_for

    with site.directory.activate(context_for(user, world.key)):
        return explain(world.link("ada"), user, world.key, f"awkward.person:{record.pk}")


@rule("USER-08")
def test_a_tick_box_in_our_own_table_explains_why_a_record_is_not_synced(acme):
    acme.connect("ada")
    made = ada(acme)
    StoredValues(acme.key).set("awkward.person", str(made.pk), "sync_flag", False)
    answer = why(acme, made)
    assert (answer.verdict, answer.rules) == ("not_synced", ("CON-09",))


@rule("USER-08")
def test_a_record_that_the_adapter_skips_is_explained_in_the_adapters_words(acme):
    acme.connect("ada")
    answer = why(acme, ada(acme, vat="secret"))
    assert "its VAT number is secret" in answer.sentences


@rule("PRIV-03", "USER-08")
def test_a_record_that_one_may_not_see_is_as_unknown_as_none(acme):
    acme.connect("ada")
    assert why(acme, ada(acme, kind="press"), viewer="ben").verdict == "unknown"


@rule("ORG-09")
def test_the_other_value_of_a_field_in_our_own_table_can_be_taken(acme):
    from opencrm_ms365.sync.conflicts import take_other

    acme.connect("ada")
    made = ada(acme)
    stored = StoredValues(acme.key)
    stored.set("awkward.person", str(made.pk), "nickname", "Countess")
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts()
    stored.set("awkward.person", str(made.pk), "nickname", "Augusta")
    box.edit_contact(item["id"], nickName="Addie")
    acme.sync()
    take_other(Conflict.objects.get(), acme.user("ada"))
    assert stored.get_many("awkward.person", [str(made.pk)])[str(made.pk)]["nickname"] == "Addie"
    acme.sync()
    assert box.contact(item["id"])["nickName"] == "Addie"
    assert Person.objects.count() == 1
