"""A user's own settings, and who may change them (USER-03, USER-05, ORG-06, ORG-07)."""

import pytest
from django.urls import reverse

from opencrm_ms365.access.user_settings import effective_settings
from opencrm_ms365.models import LinkStatus, RunState, SyncRun
from tests.browsing import Browser, text_of
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world):
    world.connect("ada", save=False)
    return Browser(world, "ada")


def form(**changes):
    """What the settings page sends when everything is left as it stands at first."""
    values = {"sync_contacts": "on", "only_my_items": "on", "contact_direction": "", "crm_folders_which": "all",
              "microsoft_folders_which": "all", **changes}
    return {name: value for name, value in values.items() if value is not None}


def test_USER_05_the_first_settings(world, ada):
    answer = ada.get("api-link").json()

    assert answer["status"] == "awaiting_settings" and answer["account"] == "ada@brightwell.example"
    assert answer["sync_contacts"] is answer["sync_calendar"] is answer["sync_tasks"] is True
    assert answer["only_my_items"] is True
    for name in ("contact_direction", "activity_direction", "crm_folders", "microsoft_folders", "calendar",
                 "task_lists", "default_task_list", "last_sync", "next_sync"):
        assert answer[name] is None, name
    assert answer["task_start_time"] == "09:00"


@rule("USER-03")
def test_USER_03_the_first_save_starts_the_sync(world, ada):
    answer = ada.post("settings", data=form())

    assert answer.status_code == 302 and answer.url == reverse("ms365:profile")
    link = world.link("ada")
    assert link.status == LinkStatus.CONNECTED and link.settings_saved_at and link.due_at
    assert SyncRun.objects.get().state == RunState.QUEUED


@rule("USER-03")
def test_USER_03_the_first_patch_starts_the_sync(world, ada):
    answer = ada.patch("api-link", data={"only_my_items": False, "contact_direction": "to_crm"})

    assert answer.status_code == 200 and answer.json()["status"] == "connected"
    link = world.link("ada")
    assert (link.only_my_items, link.contact_direction) == (False, "to_crm")
    assert SyncRun.objects.get().state == RunState.QUEUED


def test_USER_05_the_page_lists_the_folders_of_both_sides_as_they_are_now(world, ada):
    mailbox = world.mailbox("ada")
    customers = mailbox.add_folder("Customers")
    mailbox.add_folder("Old", parent=customers["id"])
    world.crm.folder("Key accounts")

    page = text_of(ada.get("settings"))

    assert "Customers" in page and "Customers / Old" in page and "Key accounts" in page
    assert "Only these folders of your Outlook" in page


def test_USER_05_chosen_folders_are_kept(world, ada):
    mailbox = world.mailbox("ada")
    mailbox.add_folder("Customers")
    wanted = world.crm.folder("Key accounts")
    ada.get("settings")
    folder_id = _folder_id(ada, "Customers")

    ada.post("settings", data=form(
        crm_folders_which="chosen", crm_folders=[str(wanted.pk)], microsoft_folders_which="chosen",
        microsoft_folders=[folder_id]))

    link = world.link("ada")
    assert link.crm_folders == [str(wanted.pk)] and link.microsoft_folders == [folder_id]


def _folder_id(browser, name):
    import html
    import re

    page = browser.get("settings").content.decode()
    [found] = re.findall(r'name="microsoft_folders" value="([^"]+)"[^>]*><span>' + name, page)
    return html.unescape(found)


def test_USER_05_choosing_no_folder_at_all_is_questioned(world, ada):
    world.crm.folder("Key accounts")

    answer = ada.post("settings", data=form(crm_folders_which="chosen"))

    assert answer.status_code == 400 and "Choose at least one folder" in text_of(answer)
    assert world.link("ada").settings_saved_at is None


@rule("SYNC-07", "USER-05")
def test_SYNC_07_without_microsoft_the_page_still_works_and_keeps_the_choice(world, ada, settings):
    ada.patch("api-link", data={"microsoft_folders": ["folder-1", "folder-2"]})
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "GRAPH_URL": "http://127.0.0.1:9"}

    page = ada.get("settings")

    assert page.status_code == 200
    assert "did not tell us your folders" in text_of(page) and "Chosen: 2 folders" in text_of(page)
    assert ada.post("settings", data=form(microsoft_folders_which=None, only_my_items=None)).status_code == 302
    link = world.link("ada")
    assert link.microsoft_folders == ["folder-1", "folder-2"] and link.only_my_items is False


@rule("SYNC-07")
def test_SYNC_07_no_other_page_asks_microsoft(world):
    link = world.connect("ada")
    ada = Browser(world, "ada")
    before = len(world.sandbox.requests)

    for name in ("profile", "preview", "runs", "problems", "conflicts", "held", "why", "api-link", "api-runs-list"):
        assert ada.get(name).status_code == 200, name
    ada.post("sync-now")
    ada.post("preview")
    ada.patch("api-link", data={"only_my_items": False})
    assert Browser(world, "admin").get("profile", link.pk).status_code == 200

    assert len(world.sandbox.requests) == before


@rule("ORG-06", "USER-05")
@pytest.mark.parametrize(("organisation", "wanted", "allowed"), [
    ("both", None, True), ("both", "both", True), ("both", "to_crm", True), ("both", "to_microsoft", True),
    ("to_crm", None, True), ("to_crm", "to_crm", True), ("to_crm", "both", False), ("to_crm", "to_microsoft", False),
    ("to_microsoft", "to_crm", False), ("to_microsoft", "both", False), ("both", "sideways", False),
])
def test_USER_05_a_direction_can_be_narrowed_never_widened(world, ada, organisation, wanted, allowed):
    world.organisation(contact_direction=organisation)

    answer = ada.patch("api-link", data={"contact_direction": wanted})

    assert answer.status_code == (200 if allowed else 400), answer.content
    assert world.link("ada").contact_direction == (wanted if allowed else None)


@pytest.mark.parametrize(("organisation", "user", "effective", "syncs"), [
    ("both", None, "both", True), ("both", "to_crm", "to_crm", True), ("to_crm", "both", "to_crm", True),
    ("to_crm", "to_crm", "to_crm", True), ("to_crm", "to_microsoft", "to_crm", False),
])
def test_USER_05_what_holds_when_the_organisation_changes_its_mind_later(world, organisation, user, effective, syncs):
    link = world.connect("ada", contact_direction=user)
    row = world.organisation(contact_direction=organisation)

    found = effective_settings(link, row)

    assert found.contact_direction == effective and found.sync_contacts is syncs


@pytest.mark.parametrize("values", [
    {"only_my_items": "perhaps"}, {"crm_folders": "all"}, {"crm_folders": [1.5, {}]},
    {"microsoft_folders": ["x" * 600]}, {"task_start_time": "25:00"}, {"time_zone": "Middle/Earth"},
    {"time_zone": "../../etc/passwd"},
    {"calendar": ""}, {"status": "connected"}, {"account": "me@example.org"},
    {"token_cache": "x"}, {"enabled": True}, {"user": 1}, {"made_up": 1}, {"crm_folders": ["a"] * 1001},
])
def test_USER_05_what_is_no_setting_is_refused_and_changes_nothing(world, ada, values):
    answer = ada.patch("api-link", data=values)

    assert answer.status_code == 400 and list(answer.json()) == list(values)
    assert world.link("ada").settings_saved_at is None


def test_USER_05_everything_can_be_set_over_the_api(world, ada):
    wanted = {
        "sync_contacts": False, "sync_calendar": False, "sync_tasks": False, "contact_direction": "to_microsoft",
        "activity_direction": "to_crm", "only_my_items": False, "crm_folders": ["1", ""], "microsoft_folders": ["a"],
        "calendar": "cal", "task_lists": ["plan/bucket"], "default_task_list": "plan/bucket",
        "task_start_time": "08:30", "time_zone": "Europe/Berlin",
    }
    answer = ada.patch("api-link", data=wanted).json()

    assert {name: answer[name] for name in wanted} == wanted
    assert {name: ada.get("api-link").json()[name] for name in wanted} == wanted


def test_USER_05_the_controls_of_kinds_that_the_crm_lacks_are_absent(world, ada):
    page = ada.get("settings").content.decode()
    from opencrm_ms365.adapters import site

    for kind, name in (("events", "sync_calendar"), ("tasks", "sync_tasks"), ("tasks", "task_start_time")):
        assert (f'name="{name}"' in page) is bool(site.adapters(kind)), name


def test_USER_05_what_the_organisation_switched_off_is_not_offered(world, ada):
    world.organisation(sync_contacts=False)
    page = ada.get("settings")
    assert 'name="sync_contacts"' not in page.content.decode()
    assert 'name="sync_calendar"' in page.content.decode()

    world.organisation(sync_contacts=False, sync_activities=False)
    page = ada.get("settings")
    assert 'name="sync_calendar"' not in page.content.decode()
    assert "has not switched anything on" in text_of(page)


# Who may edit


@rule("ORG-07")
def test_ORG_07_where_only_administrators_edit_a_user_reads(world, ada):
    world.organisation(users_may_edit=False)

    page = ada.get("settings")
    assert page.status_code == 200 and "lets administrators decide" in text_of(page)
    assert "disabled" in page.content.decode() and ">Save<" not in page.content.decode()
    assert ada.post("settings", data=form()).status_code == 403
    assert ada.patch("api-link", data={"only_my_items": False}).status_code == 403
    assert world.link("ada").settings_saved_at is None


@rule("ORG-07")
def test_ORG_07_and_still_connects_and_disconnects(world):
    world.organisation(users_may_edit=False)
    ada = Browser(world, "ada")

    assert ada.connect(ada.access_key()).status_code == 302
    assert ada.post("disconnect").status_code == 302
    assert world.link("ada").status == LinkStatus.DISCONNECTED


@rule("ORG-07")
def test_ORG_07_an_administrator_edits_everybodys_settings(world, ada):
    world.organisation(users_may_edit=False)
    link = world.link("ada")
    admin = Browser(world, "admin")

    assert admin.get("settings", link.pk).status_code == 200
    assert admin.post("settings", link.pk, data=form(only_my_items=None)).status_code == 302
    assert world.link("ada").only_my_items is False
    assert admin.patch("api-links-detail", link.pk, data={"only_my_items": True}).status_code == 200
    assert world.link("ada").only_my_items is True
    assert "Ada Lindqvist" in text_of(admin.get("people"))


@rule("ORG-07")
def test_ORG_07_an_administrator_switches_the_sync_of_a_user_off_and_on(world):
    link = world.connect("ada")
    admin = Browser(world, "admin")

    admin.post("switch", link.pk)

    assert world.link("ada").enabled is False
    assert "switched the sync off for this user" in text_of(Browser(world, "ada").get("profile"))
    assert Browser(world, "ada").post("api-sync").status_code == 409
    admin.post("switch", link.pk)
    assert world.link("ada").enabled is True


def test_USER_03_saving_does_not_revive_a_sign_in_that_broke_meanwhile(world, ada):
    from opencrm_ms365.access.links import mark_broken

    mark_broken(world.link("ada"), LinkStatus.SIGN_IN_AGAIN, "Sign in again.")

    ada.post("settings", data=form())

    assert world.link("ada").status == LinkStatus.SIGN_IN_AGAIN
