"""The admin: guidance beside the settings, read-only views of what the sync does, nothing secret (ORG-18, PRIV-03)."""

import pytest
from django.urls import reverse
from django.utils import timezone

from opencrm_ms365.admin.organisation import GUIDANCE
from opencrm_ms365.models import (
    Conflict,
    DeletedRecord,
    HeldDecision,
    RunState,
    SyncProblem,
    SyncRun,
    SyncSettings,
    UserLink,
    decrypt,
    encrypt,
)
from tests.browsing import Browser, text_of
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = ("userlink", "syncrun", "syncproblem", "conflict", "helddecision", "deletedrecord")


@pytest.fixture
def link(world):
    return world.connect("ada")


@pytest.fixture
def admin(world, link):
    world.user("admin")
    return Browser(world, "admin").client


def url(model, page="changelist", *args):
    return reverse(f"admin:opencrm_ms365_{model}_{page}", args=args)


@rule("ORG-18")
def test_ORG_18_every_setting_has_its_guidance_beside_it(admin):
    there = admin.get(url("syncsettings"), follow=True)

    assert there.redirect_chain, "with one organisation its page opens at once"
    page = text_of(there)
    for name in ("enabled", "paused", "users_may_edit", "contact_direction", "match_by", "conflict_rule",
                 "microsoft_deletion", "deletion_guard_percent", "tenant_id"):
        assert str(GUIDANCE[name])[:60] in page, name
    assert "organisation" not in [field for row in there.context["adminform"] for line in row for field in line.fields]


def test_ORG_18_the_settings_are_saved_and_never_deleted_or_doubled(admin):
    row = SyncSettings.of("")
    page = url("syncsettings", "change", row.pk)
    form = {"enabled": "on", "tenant_id": row.tenant_id, "users_may_edit": "on", "sync_contacts": "on",
            "contact_direction": "to_crm", "match_by": ["phone", "email"], "conflict_rule": "latest",
            "microsoft_deletion": "unlink", "deletion_guard_percent": "35", "sync_activities": "on",
            "activity_direction": "both", "private_display": "busy",
            "left_out_domains": "@Rival.example\nother.example"}
    answer = admin.post(page, form)

    assert answer.status_code == 302, text_of(answer)
    row.refresh_from_db()
    assert (row.contact_direction, row.conflict_rule, row.deletion_guard_percent) == ("to_crm", "latest", 35)
    assert set(row.match_by) == {"phone", "email"}
    assert row.left_out_domains == ["rival.example", "other.example"]
    assert admin.post(page, {**form, "deletion_guard_percent": "0"}).status_code == 200
    assert "is not a mail domain" in text_of(admin.post(page, {**form, "left_out_domains": "not a domain"}))
    assert admin.get(url("syncsettings", "add")).status_code == 403
    assert admin.post(url("syncsettings", "delete", row.pk)).status_code == 403


@pytest.mark.parametrize("model", ROWS)
def test_what_the_sync_writes_can_only_be_looked_at(admin, link, model):
    rows = make_rows(link)
    assert admin.get(url(model)).status_code == 200
    page = url(model, "change", rows[model].pk)
    assert admin.get(page).status_code == 200
    assert admin.post(page, {}).status_code == 403
    assert admin.get(url(model, "add")).status_code == 403
    assert admin.post(url(model, "delete", rows[model].pk)).status_code == 403


@rule("PRIV-03")
def test_PRIV_03_no_secret_is_on_any_page(admin, link):
    rows = make_rows(link)
    cache = decrypt(link.token_cache)["cache"]
    secrets = [bytes(link.token_cache).decode()[:60], cache[:60], "Hidden Person", "secret-claims"]
    UserLink.objects.update(sign_in_claims="secret-claims")
    for model in ROWS:
        for page in (url(model), url(model, "change", rows[model].pk)):
            shown = admin.get(page).content.decode()
            assert not [secret for secret in secrets if secret in shown], page


def make_rows(link):
    now = timezone.now()
    common = {"link": link, "kind": "contacts"}
    return {
        "userlink": link,
        "syncrun": SyncRun.objects.create(link=link, queued_at=now, operations=encrypt([{"label": "Hidden Person"}])),
        "syncproblem": SyncProblem.objects.create(
            **common, adapter="crm.contact", object_id="1", code="x", key="k", reason="It does not fit.", first_at=now,
            last_at=now),
        "conflict": Conflict.objects.create(
            **common, adapter="crm.contact", object_id="1", field="surname", winner="crm", at=now,
            values=encrypt({"crm": "Hidden Person", "microsoft": ""})),
        "helddecision": HeldDecision.objects.create(
            **common, reason="ambiguous", key="k", at=now, details=encrypt({"label": "Hidden Person"})),
        "deletedrecord": DeletedRecord.objects.create(
            **common, adapter="crm.contact", object_id="1", at=now, contents=encrypt({"label": "Hidden Person"})),
    }


@rule("ORG-14")
def test_ORG_14_links_are_paused_resumed_and_synced_from_the_list(admin, link):
    def do(action):
        return admin.post(url("userlink"), {"action": action, "_selected_action": [link.pk]}, follow=True)

    assert "1 link is paused" in text_of(do("pause"))
    link.refresh_from_db()
    assert link.paused
    assert "The sync is paused" in text_of(do("sync_now"))
    do("resume")
    do("sync_now")
    assert SyncRun.objects.get().state == RunState.QUEUED


def test_the_lists_show_states_in_words(admin, link):
    page = text_of(admin.get(url("userlink")))
    assert "Ada Lindqvist" in page and "ada@brightwell.example" in page


def test_staff_without_permission_see_nothing(world, link):
    ben = world.user("ben")
    ben.is_staff = True
    ben.save()
    client = Browser(world, "ben").client
    for model in (*ROWS, "syncsettings"):
        assert client.get(url(model)).status_code == 403, model
