"""Private activities on every page of the demo: in full for those who take part, else as the organisation says."""

import datetime
import json
import logging

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from demo_crm.crm.models import Activity
from opencrm_ms365.models import SyncSettings
from tests.rules import rule

SECRET = "Salary review"
PLACE, NOTES, LIST = "Behind the sawmill", "Not a word", "planner:secret/bucket"
IN_FULL = {"ada": True, "ben": True, "cleo": False, "root": False}     # Ada's, with Ben; Cleo is in Ben's team
PAGES = ["/", "/calendar/", "/activities/", "/activities/?when=upcoming", "/tasks/", "/tasks/board/", "/profile/",
         "/activities/deleted/", "/activities/deleted/?kind=task"]


@pytest.fixture(params=["meeting", "task"])
def private(request, people):
    now = timezone.localtime()
    soon = now + datetime.timedelta(minutes=20)
    if soon.date() != now.date():       # shortly before midnight: this evening, so that it is in this week
        soon = now - datetime.timedelta(minutes=20)
    made = Activity.objects.create(
        kind=request.param, subject=SECRET, location=PLACE, notes=NOTES, task_list=LIST, private=True, start=soon,
        end=soon + datetime.timedelta(hours=1), assigned_to=people["ada"], status="waiting", priority="urgent")
    made.users.set([people["ben"]])
    return made


@pytest.fixture(params=["hidden", "busy"])
def display(request, db):
    SyncSettings.objects.create(private_display=request.param)
    return request.param


def feed(browser):
    now = timezone.localtime()
    span = {"start": f"{now - datetime.timedelta(days=3):%Y-%m-%dT%H:%M}",
            "end": f"{now + datetime.timedelta(days=3):%Y-%m-%dT%H:%M}"}
    return browser.get("/calendar/feed/", span).json()


def leaks(text):
    return [secret for secret in (SECRET, PLACE, NOTES, LIST, "secret/bucket") if secret in text]


@rule("PRIV-02", "ORG-11")
@pytest.mark.parametrize("who", ["cleo", "root"])
def test_PRIV_02_no_page_says_what_it_is_about(who, display, private, people, signed_in):
    people["cleo"].teams.add(*people["ada"].teams.all())             # she sees whatever else Ada has
    browser = signed_in(who)
    for page in PAGES:
        assert leaks(browser.get(page).content.decode()) == []
    for page in ("crm:activity", "crm:activity-edit"):
        assert browser.get(reverse(page, args=[private.pk])).status_code == 404
    assert leaks(json.dumps(feed(browser))) == []


@rule("PRIV-02")
@pytest.mark.parametrize("who", ["ada", "ben"])
def test_PRIV_02_those_who_take_part_see_everything(who, display, private, signed_in):
    browser = signed_in(who)
    page = "/tasks/" if private.is_task else "/activities/"
    assert SECRET in browser.get(page).content.decode()
    assert NOTES in browser.get(private.get_absolute_url()).content.decode()
    assert browser.get(reverse("crm:activity-edit", args=[private.pk])).status_code == 200
    assert [entry["title"] for entry in feed(browser)] == [SECRET]


@rule("ORG-11")
def test_ORG_11_a_block_says_when_and_whose_and_nothing_else(display, private, signed_in):
    browser = signed_in("root")
    page = "/tasks/" if private.is_task else "/activities/"
    shown, listed = feed(browser), browser.get(page).context["activities"]
    if display == "hidden":
        assert shown == [] and listed == []
        return
    (entry,), (row,) = shown, listed
    assert entry["title"] == row.title == "Private" and not entry["editable"]
    assert entry["classNames"] == ["kind-block"] and set(entry["extendedProps"]) == {"owner", "isBlock"}
    assert row.start == private.start and not isinstance(row, Activity)
    week = [item.title for _, items in browser.get("/calendar/").context["week"] for item in items]
    assert set(week) == {"Private"}
    assert [task for column in browser.get("/tasks/board/").context["columns"] for task in column["tasks"]] == []


@rule("PRIV-02")
def test_PRIV_02_searching_filtering_and_sorting_do_not_probe_a_block(private, signed_in):
    SyncSettings.objects.create(private_display="busy")
    page, browser = "/tasks/" if private.is_task else "/activities/", signed_in("root")
    assert len(browser.get(page).context["activities"]) == 1
    for query in ({"q": "Salary"}, {"q": "sawmill"}, {"q": "word"}, {"status": "waiting"}, {"priority": "urgent"},
                  {"list": LIST}, {"kind": "meeting"}, {"kind": "call"}, {"sort": "subject"}, {"sort": "-status"}):
        assert browser.get(page, query).context["activities"] == [], query


@rule("PRIV-02")
def test_PRIV_02_a_block_is_not_found_by_who_else_takes_part(people, private, signed_in):
    SyncSettings.objects.create(private_display="busy")
    page = "/tasks/" if private.is_task else "/activities/"
    browser = signed_in("root")
    assert browser.get(page, {"who": people["ben"].pk}).context["activities"] == []
    assert len(browser.get(page, {"who": people["ada"].pk}).context["activities"]) == 1


@rule("PRIV-02")
def test_PRIV_02_nobody_else_changes_moves_or_deletes_it(display, private, signed_in):
    before = Activity.objects.filter(pk=private.pk).values().get()
    browser = signed_in("root")
    move = reverse("crm:activity-move", args=[private.pk])
    asked = json.dumps({"start": "2026-11-25T10:00", "all_day": False})
    assert browser.post(move, asked, content_type="application/json").status_code == 404
    assert browser.post(reverse("crm:activity-edit", args=[private.pk]), {"subject": "x"}).status_code == 404
    assert browser.post(reverse("crm:task-status", args=[private.pk]), {"status": "done"}).status_code == 404
    browser.post("/activities/delete/", {"ids": [private.pk], "confirmed": "yes"})
    assert Activity.objects.filter(pk=private.pk).values().get() == before


@rule("PRIV-02")
def test_PRIV_02_a_deleted_one_is_restored_by_those_only_who_took_part(private, signed_in):
    Activity.objects.soft_delete(timezone.now())
    page = f"/activities/deleted/?kind={private.kind}"
    browser = signed_in("root")
    assert not browser.get(page).context["activities"]
    browser.post(page, {"ids": [private.pk]})
    assert not Activity.objects.alive().exists()
    browser = signed_in("ben")
    assert [item.title for item in browser.get(page).context["activities"]] == [SECRET]
    browser.post(page, {"ids": [private.pk]})
    assert Activity.objects.alive().exists()


@rule("PRIV-02")
def test_PRIV_02_the_admin_knows_nothing_of_it(display, private, signed_in):
    browser = signed_in("root")
    base = "/admin/crm/activity/"
    for address in (base, f"{base}?q=Salary", f"{base}?private__exact=1", f"{base}?status__exact=waiting", "/admin/"):
        assert leaks(browser.get(address).content.decode()) == []
    for page in ("change", "delete", "history"):
        answer = browser.get(f"{base}{private.pk}/{page}/", follow=True)
        assert leaks(answer.content.decode()) == [] and answer.redirect_chain
    browser.post(base, {"action": "delete_selected", "_selected_action": [private.pk], "post": "yes"})
    assert Activity.objects.filter(pk=private.pk).exists()


@rule("PRIV-02", "PRIV-03")
def test_PRIV_02_histories_and_logs_do_not_name_it(private, people, signed_in, caplog):
    people["ada"].is_staff = people["ada"].is_superuser = True
    people["ada"].save()
    with caplog.at_level(logging.DEBUG):
        signed_in("ada").post(f"/admin/crm/activity/{private.pk}/delete/", {"post": "yes"})
    (entry,) = LogEntry.objects.all()
    assert entry.object_repr == f"Private {private.get_kind_display().lower()}"
    assert leaks(entry.get_change_message()) == []
    assert leaks(caplog.text) == []


@rule("PRIV-02")
def test_PRIV_02_whoever_makes_it_for_others_does_not_see_it_afterwards(people, signed_in):
    day = timezone.localdate().isoformat()
    answer = signed_in("root").post("/activities/new/", {
        "kind": "meeting", "subject": SECRET, "start_day": day, "start_time": "09:00", "time_zone": "Europe/London",
        "status": "not_started", "assigned_to": people["ada"].pk, "private": "on"}, follow=True)
    assert answer.redirect_chain == [("/calendar/", 302)]
    assert "you do not see it" in answer.content.decode() and leaks(answer.content.decode()) == []
    assert Activity.objects.get().private


@rule("PRIV-02")
def test_PRIV_02_taking_part_opens_what_another_team_arranges(people, signed_in):
    """Cleo is in no team of Ada's: she sees what she takes part in, and nothing else."""
    shared = Activity.objects.create(subject="Shared", assigned_to=people["ada"], start=timezone.now())
    Activity.objects.create(subject="Ada's own", assigned_to=people["ada"], start=timezone.now())
    shared.users.set([people["cleo"]])
    assert [item.title for item in signed_in("cleo").get("/activities/").context["activities"]] == ["Shared"]
    assert signed_in("cleo").get(shared.get_absolute_url()).status_code == 200
