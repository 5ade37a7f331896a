"""Activation keys: a vendor's signed statement, checked offline (ORG-03)."""

import base64
import datetime
import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from opencrm_ms365.access import activation
from opencrm_ms365.access.activation import Activation
from opencrm_ms365.access.refused import Refused
from opencrm_ms365.models import LinkStatus, RecordMapping, SyncSettings, UserLink
from opencrm_ms365.sync import schedule
from opencrm_ms365.sync.eligible import eligible_links, why_not
from tests.behaviour.test_org_authorise import form_values
from tests.browsing import Browser, text_of

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = datetime.date.today


@pytest.fixture
def vendor(settings):
    """The vendor's private key; its public key is in the settings."""
    private, public = activation.generate_keys()
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "ACTIVATION_PUBLIC_KEY": public}
    return private


def key_of(vendor, *, days=30, users=10, tenant_id="", organisation="Brightwell & Sons"):
    return activation.issue(
        vendor, Activation(organisation, timezone.localdate() + datetime.timedelta(days), users, tenant_id))


def run(*arguments):
    out = io.StringIO()
    call_command("ms365_activation_key", *arguments, stdout=out)
    return out.getvalue()


# The command


def test_ORG_03_the_command_makes_keys_and_issues_what_they_check(settings, tmp_path):
    private, public = run("generate-keys").splitlines()
    assert private.startswith("private: ") and public.startswith("public: ")
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "ACTIVATION_PUBLIC_KEY": public.removeprefix("public: ")}
    tenant_id = "b7149e11-5a1e-4d0c-9c5e-2f1d0b9a7c10"
    for content in (private.removeprefix("private: "), f"{private}\n{public}\n"):
        (tmp_path / "key").write_text(content)
        issued = run("issue", "--private-key", str(tmp_path / "key"), "--organisation", "Brightwell & Søns",
                     "--expires", "2030-12-31", "--users", "25", "--tenant-id", tenant_id.upper())
        assert issued.count("\n") == 1
        assert activation.read(issued) == Activation(
            "Brightwell & Søns", datetime.date(2030, 12, 31), 25, tenant_id)


@pytest.mark.parametrize(("changes", "words"), [
    ({"--expires": "31.12.2030"}, "not a day"), ({"--users": "0"}, "at least one user"),
    ({"--organisation": " "}, "names an organisation"), ({"--tenant-id": "x"}, "not a Microsoft tenant id"),
    ({"--private-key": "/nowhere"}, "cannot be read"), ({"--private-key": "/dev/null"}, "not a private key"),
])
def test_ORG_03_the_command_says_what_is_wrong(tmp_path, changes, words):
    (tmp_path / "key").write_text(activation.generate_keys()[0])
    given = {"--private-key": str(tmp_path / "key"), "--organisation": "A", "--expires": "2030-01-01", "--users": "1",
             **changes}
    with pytest.raises(CommandError, match=words) as raised:
        run("issue", *[part for pair in given.items() for part in pair])
    assert raised.value.returncode == 2


# The signature


def test_ORG_03_nothing_of_a_key_can_be_changed(vendor):
    key = key_of(vendor, users=1)
    prefix, statement, signature = key.split(".")
    says = json.loads(base64.urlsafe_b64decode(statement + "=="))
    richer = base64.urlsafe_b64encode(json.dumps(says | {"users": 1000}).encode()).rstrip(b"=").decode()
    forgeries = [f"{prefix}.{richer}.{signature}", f"OCM2.{statement}.{signature}", f"{statement}.{signature}",
                 f"{prefix}.{statement}.{signature[:-4]}AAAA", f"{prefix}.{statement}.", key[:-1], "", "...",
                 "x" * 9999, "OCM1.\xe9.\xe9", key_of(activation.generate_keys()[0])]
    assert activation.read(f" {key[:40]}\n{key[40:]} ").users == 1, "copied with line breaks"
    for forged in forgeries:
        with pytest.raises(Refused):
            activation.read(forged)


def test_ORG_03_a_signed_statement_that_makes_no_sense_is_no_key(vendor):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    signer = Ed25519PrivateKey.from_private_bytes(activation._bytes(vendor))
    for says in ("[]", '{"users": 1}', '{"organisation": "x", "expires": "never", "users": 1}', "nonsense"):
        statement = f"OCM1.{activation._text(says.encode())}"
        with pytest.raises(Refused):
            activation.read(f"{statement}.{activation._text(signer.sign(statement.encode()))}")


# Switching on


@pytest.fixture
def page(world, vendor):
    """The settings page of an administrator; the sync is off."""
    world.organisation(enabled=False)
    admin = Browser(world, "admin")
    address = reverse("admin:opencrm_ms365_syncsettings_change", args=[SyncSettings.of("").pk])

    def save(**changes):
        values = {**form_values(admin.client.get(address)), **changes}
        return admin.client.post(address, {name: value for name, value in values.items() if value is not None})

    return save


def test_ORG_03_the_sync_is_switched_on_with_a_good_key(page, vendor):
    answer = page(enabled="on", activation_key=f" {key_of(vendor)}\n")
    assert answer.status_code == 302
    row = SyncSettings.of("")
    assert row.enabled and row.activation_key == key_of(vendor)


@pytest.mark.parametrize(("made", "words"), [
    ({}, "There is no activation key"),
    ({"wrong": True}, "not a valid activation key"),
    ({"days": -1}, "expired on"),
    ({"users": 1}, "allows 1 users, and 2 are connected"),
    ({"tenant_id": "00000000-1111-2222-3333-444444444444"}, "another Microsoft tenant"),
])
def test_ORG_03_a_key_that_is_not_good_gets_a_message_that_says_which(world, page, vendor, made, words):
    for person in ("ada", "ben"):
        UserLink.objects.create(user=world.user(person), status="connected", microsoft_user_id=person)
    key = "" if not made else key_of(activation.generate_keys()[0]) if made.get("wrong") else key_of(vendor, **made)

    answer = page(enabled="on", activation_key=key)

    assert answer.status_code == 200 and words in text_of(answer)
    assert not SyncSettings.of("").enabled


def test_ORG_03_the_last_day_counts(page, vendor):
    assert page(enabled="on", activation_key=key_of(vendor, days=0)).status_code == 302


def test_ORG_03_a_key_for_this_tenant_and_exactly_as_many_users_is_good(world, page, vendor):
    UserLink.objects.create(user=world.user("ada"), status="connected", microsoft_user_id="a")
    UserLink.objects.create(user=world.user("ben"), status="disconnected", microsoft_user_id="b")
    UserLink.objects.create(user=world.user("cleo"), status="connected", enabled=False, microsoft_user_id="c")
    key = key_of(vendor, users=1, tenant_id=world.tenant.id.upper())
    assert page(enabled="on", activation_key=key).status_code == 302
    shown = text_of(Browser(world, "admin").client.get(
        reverse("admin:opencrm_ms365_syncsettings_change", args=[SyncSettings.of("").pk])))
    assert "Brightwell & Sons, 1 users, until" in shown and "(1 connected)" in shown


def test_ORG_03_other_settings_can_still_be_saved_after_the_key_expired(page, vendor):
    SyncSettings.objects.update(enabled=True, activation_key=key_of(vendor, days=-1))
    assert page(conflict_rule="latest").status_code == 302
    assert SyncSettings.of("").conflict_rule == "latest"


# At work


def stands_still(world, link, words):
    """The sync of this organisation does nothing, and everybody can read why."""
    UserLink.objects.update(due_at=timezone.now())
    before = len(world.sandbox.requests)
    assert not eligible_links().exists() and schedule.draw() is None and schedule.mark_due() == 0
    assert schedule.work(60) == 0 and len(world.sandbox.requests) == before
    assert words in why_not(link)
    for browser, name in ((Browser(world, "ada"), "profile"), (Browser(world, "admin"), "people")):
        assert words in text_of(browser.get(name))
    assert words in Browser(world, "ada").get("api-link").json()["status_text"]
    return True


def test_ORG_03_expiry_stops_the_sync_with_a_visible_reason_and_deletes_nothing(world, vendor):
    world.organisation(activation_key=key_of(vendor))
    link = world.connect("ada")
    world.crm.contact()
    world.settle()
    assert RecordMapping.objects.count() == 1

    world.organisation(activation_key=key_of(vendor, days=-1))

    assert stands_still(world, link, "expired on")
    assert RecordMapping.objects.count() == 1 and len(world.mailbox("ada").contacts()) == 1
    assert world.link("ada").token_cache and world.link("ada").status == LinkStatus.CONNECTED
    world.organisation(activation_key=key_of(vendor))
    assert eligible_links().exists() and schedule.work(60) == 1


@pytest.mark.parametrize("key", ["", "nonsense"])
def test_ORG_03_without_a_good_key_nothing_syncs_even_if_the_row_says_enabled(world, vendor, key):
    world.organisation(activation_key=key)
    assert stands_still(world, world.connect("ada"), "activation key")


def test_ORG_03_a_key_cut_down_below_the_users_stops_the_sync(world, vendor):
    world.organisation(activation_key=key_of(vendor, users=2))
    link = world.connect("ada")
    world.connect("ben")
    world.organisation(activation_key=key_of(vendor, users=1))
    assert stands_still(world, link, "allows 1 users, and 2 are connected")

    Browser(world, "admin").post("switch", world.link("ben").pk)
    assert why_not(world.link("ada")) == "" and eligible_links().count() == 1


def test_ORG_03_a_user_too_many_is_not_connected_and_disturbs_nobody(world, vendor):
    world.organisation(activation_key=key_of(vendor, users=1))
    ada, ben = Browser(world, "ada"), Browser(world, "ben")
    ada.connect(ada.access_key())

    answer = ben.connect(ben.access_key(person="ben"))

    assert answer.status_code == 400 and "allows 1 users" in text_of(answer)
    assert UserLink.objects.filter(status__in=activation.HOLDS_ACCOUNT).count() == 1
    assert why_not(world.link("ada")).startswith("The settings have not been saved")
    assert ada.connect(ada.access_key()).status_code == 302, "who is connected takes no more room"


def test_ORG_03_one_key_in_two_organisations_counts_the_users_of_both(world, vendor):
    key = key_of(vendor, users=1)
    row = world.organisation(activation_key=key)
    SyncSettings.objects.create(tenant="elsewhere", enabled=True, activation_key=key)
    UserLink.objects.create(user=world.user("ada"), status="connected", microsoft_user_id="a")
    assert activation.why_invalid(row) == ""
    UserLink.objects.create(user=world.user("ada"), status="connected", microsoft_user_id="a", tenant="elsewhere")
    assert "2 are connected" in activation.why_invalid(row)
    assert len(activation.without_good_key()) == 2


def test_ORG_03_a_preview_never_blocks(world, vendor):
    world.organisation(activation_key="")
    world.connect("ada")
    assert Browser(world, "ada").post("api-preview").status_code == 202


def test_ORG_03_without_a_vendor_no_key_is_asked_for(world):
    row = world.organisation(activation_key="")
    world.connect("ada")
    assert activation.why_invalid(row) == "" and eligible_links().exists()


def test_ORG_03_keys_of_many_organisations_cost_three_queries(world, vendor, django_assert_num_queries):
    for number in range(20):
        SyncSettings.objects.create(tenant=str(number), enabled=True, activation_key=key_of(vendor, users=5))
    with django_assert_num_queries(3):
        assert activation.without_good_key() == []


# Before the end


def seen_by_administrators(world):
    """The settings in Django's admin, the page of all users, and the command for monitoring."""
    admin = Browser(world, "admin")
    address = reverse("admin:opencrm_ms365_syncsettings_change", args=[SyncSettings.of("").pk])
    out = io.StringIO()
    try:
        call_command("ms365_status", stdout=out)
    except SystemExit:
        pass
    return [text_of(admin.client.get(address)), text_of(admin.get("people")), out.getvalue()]


@pytest.mark.parametrize(("days", "words"), [(30, "30 more days"), (1, "1 more day"), (0, "0 more days")])
def test_ORG_03_administrators_are_told_a_month_before_a_key_expires(world, vendor, days, words):
    world.organisation(activation_key=key_of(vendor, days=days))
    link = world.connect("ada")
    for text in seen_by_administrators(world):
        assert f"{words}. Ask your vendor" in text
    assert "vendor" not in text_of(Browser(world, "ada").get("profile")), "it is not a user's matter"
    assert why_not(link) == ""


@pytest.mark.parametrize(("days", "words"), [(31, ""), (-1, "expired on")])
def test_ORG_03_before_that_nobody_is_told_and_afterwards_that_it_has_expired(world, vendor, days, words):
    world.organisation(activation_key=key_of(vendor, days=days))
    world.connect("ada")
    for text in seen_by_administrators(world):
        assert "more day" not in text and (words in text or not words)


def test_ORG_03_without_a_readable_key_there_is_no_end_to_tell(world, vendor):
    assert activation.warning(world.organisation(activation_key="nonsense")) == ""
    assert activation.warning(world.organisation(activation_key="")) == ""
