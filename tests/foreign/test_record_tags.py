"""What a foreign CRM's pages show beside a record, and the form for what the CRM has no columns for."""

import pytest
from django.template import RequestContext, Template
from django.test import Client, RequestFactory
from django.urls import reverse

from opencrm_ms365.sync.stored import StoredValues
from tests.adapters.awkward.models import Label, Person
from tests.browsing import text_of
from tests.rules import rule

from .test_people import ada

pytestmark = pytest.mark.django_db(transaction=True)


def draw(world, obj, viewer="ada", tag="ms365_record"):
    request = RequestFactory().get("/people/1/?tab=2")
    request.user, request.session = world.user(viewer), {}
    page = Template("{% load ms365 %}{% " + tag + " thing %}")
    return page.render(RequestContext(request, {"thing": obj})).strip()


def post(world, obj, viewer="ada", **values):
    client = Client()
    client.force_login(world.user(viewer))
    data = {f"ms365-{name}": value for name, value in values.items()}
    return client.post(reverse("ms365:record"), {"record": f"awkward.person:{obj.pk}", **data}, follow=False)


def kept(world, obj):
    return StoredValues(world.key).get_many("awkward.person", [str(obj.pk)]).get(str(obj.pk), {})


@rule("USER-08")
def test_a_record_tells_its_state_and_what_is_kept_for_it(acme):
    acme.connect("ada")
    made = ada(acme)
    StoredValues(acme.key).set("awkward.person", str(made.pk), "categories", ["Navy", "VIP"])
    html = draw(acme, made)
    assert "will be synced with the next run" in html and f"awkward.person%3A{made.pk}" in html
    assert "Sync with Microsoft" in html and "<dd>yes</dd>" in html and "Navy<br>VIP" in html
    acme.sync()
    assert 'data-verdict="synced"' in draw(acme, made)


@rule("PRIV-03")
def test_who_may_not_see_the_record_sees_nothing_and_who_may_not_change_it_no_form(acme):
    made = ada(acme)
    assert "<dd>" in draw(acme, made, "ben") and draw(acme, made, "ben", "ms365_record_form") == ""
    secret = ada(acme, kind="press")
    assert draw(acme, secret, "ben") == draw(acme, secret, "ben", "ms365_record_form") == ""
    assert draw(acme, Label.objects.create(organisation=acme.org, name="x")) == ""
    assert post(acme, made, "ben", nickname="Hacked").status_code == 403
    assert post(acme, secret, "ben", nickname="Hacked").status_code == 403
    assert kept(acme, made) == kept(acme, secret) == {}


def test_another_organisations_records_are_out_of_reach(acme, zenith):
    made = ada(acme)
    zoe = zenith.user("zoe")
    assert zoe and draw(zenith, made, "zoe") == ""
    assert post(zenith, made, "zoe", nickname="Hacked").status_code == 403
    assert kept(acme, made) == {}


@rule("CON-02", "CON-03", "CON-09")
def test_the_form_changes_tick_box_folder_and_other_values_and_the_sync_carries_them_on(acme):
    acme.connect("ada")
    made = ada(acme)
    acme.mailbox("ada").add_folder("Poets")
    acme.sync()
    html = draw(acme, made, tag="ms365_record_form")
    assert 'name="csrfmiddlewaretoken" value="' in html
    assert '<option value="Poets">' in html and 'name="next" value="/people/1/?tab=2"' in html

    answer = post(acme, made, sync_flag="on", folders="Poets", nickname=" Countess ", categories="Navy\r\n\r\nVIP",
                  next="ignored")
    assert answer.status_code == 302
    assert kept(acme, made) == {"folders": "Poets", "nickname": "Countess", "categories": ["Navy", "VIP"]}
    acme.sync()
    [item] = acme.mailbox("ada").contacts("Poets")
    assert (item["nickName"], sorted(item["categories"])) == ("Countess", ["Navy", "VIP"])

    post(acme, made, folders="Poets", nickname="Countess", categories="Navy")
    assert kept(acme, made)["sync_flag"] is False
    acme.sync()
    assert acme.mailbox("ada").contacts() == []


def test_the_form_goes_back_to_pages_of_this_site_only(acme):
    made = ada(acme)
    client = Client()
    client.force_login(acme.user("ada"))
    for wanted, got in (("/people/1/?tab=2", "/people/1/?tab=2"), ("https://evil.example/", "/microsoft/")):
        answer = client.post(reverse("ms365:record"), {"record": f"awkward.person:{made.pk}", "next": wanted})
        assert answer.headers["Location"] == got


@rule("CON-02")
def test_the_crms_admin_switches_many_records_at_once(acme, rf):
    from django.contrib import admin
    from django.contrib.messages.storage.fallback import FallbackStorage

    from opencrm_ms365.admin.switching import stop_syncing, sync_with_microsoft

    mine, theirs = ada(acme), ada(acme, owner="ben")
    request = rf.post("/")
    request.user, request.session = acme.user("ada"), {}
    request._messages = FallbackStorage(request)
    model_admin = admin.ModelAdmin(Person, admin.site)
    stop_syncing(model_admin, request, Person.objects.all())
    assert kept(acme, mine) == {"sync_flag": False} and kept(acme, theirs) == {}
    sync_with_microsoft(model_admin, request, Person.objects.filter(pk=mine.pk))
    assert kept(acme, mine) == {"sync_flag": True}
    assert [str(message) for message in request._messages] == ["1 record was changed."] * 2


def test_nonsense_is_refused_and_nobody_signed_in_is_sent_to_sign_in(acme):
    made = ada(acme)
    client = Client()
    assert client.post(reverse("ms365:record"), {"record": "x"}).status_code == 302
    client.force_login(acme.user("ada"))
    for reference in ("", "awkward.person", "awkward.person:nonsense", "nobody:1"):
        assert client.post(reverse("ms365:record"), {"record": reference}).status_code == 403
    assert client.get(reverse("ms365:record")).status_code == 405
    post(acme, made, folders="No such folder", sync_flag="on")
    assert kept(acme, made) == {}
    assert text_of(client.get(reverse("ms365:profile")))
