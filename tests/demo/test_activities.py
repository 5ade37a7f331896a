"""Meetings, calls and tasks: forms, times, lists, deletion."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from demo_crm.crm import times
from demo_crm.crm.models import Activity, OwnTaskList
from demo_crm.crm.task_lists import TaskListChoice, grouped, name_of, task_lists
from opencrm_ms365.models import Meeting
from tests.rules import rule

LONDON, BERLIN, TOKYO = (ZoneInfo(name) for name in ("Europe/London", "Europe/Berlin", "Asia/Tokyo"))
UTC = datetime.UTC
NEW, LIST, TASKS, BOARD = "/activities/new/", "/activities/", "/tasks/", "/tasks/board/"


def filled(people, **values):
    """A form that is all right."""
    return {"kind": "meeting", "subject": "Staircase", "start_day": "2026-11-23", "start_time": "09:00",
            "end_day": "2026-11-23", "end_time": "10:00", "time_zone": "Europe/London", "status": "not_started",
            "assigned_to": people["ada"].pk, **values}


def made(people, owner="ada", users=(), **values):
    soon = timezone.now() + datetime.timedelta(hours=2)
    values = {"kind": "meeting", "subject": "Staircase", "start": soon, **values}
    activity = Activity.objects.create(assigned_to=people[owner], **values)
    activity.users.set([people[name] for name in users])
    return activity


def errors(answer):
    return {name: list(messages) for name, messages in answer.context["form"].errors.items()}


# -- meetings


@pytest.mark.parametrize(("zone", "day", "hour_in_utc"), [
    ("Europe/London", "2026-11-23", 9), ("Europe/London", "2026-07-01", 8), ("Asia/Tokyo", "2026-11-23", 0),
    ("America/New_York", "2026-03-09", 13), ("UTC", "2026-11-23", 9)])
def test_times_are_those_of_the_meetings_own_zone(zone, day, hour_in_utc, signed_in, people):
    signed_in("ada").post(NEW, filled(people, time_zone=zone, start_day=day, end_day=day))
    meeting = Activity.objects.get()
    first = datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time(hour_in_utc), UTC)
    assert (meeting.start, meeting.end) == (first, first + datetime.timedelta(hours=1))
    assert meeting.time_zone == zone


def test_an_all_day_meeting_keeps_midnights_of_its_zone(signed_in, people):
    signed_in("ada").post(NEW, filled(people, all_day="on", end_day="2026-11-25", time_zone="Europe/Berlin"))
    meeting = Activity.objects.get()
    assert meeting.start == datetime.datetime(2026, 11, 23, tzinfo=BERLIN)
    assert meeting.end == datetime.datetime(2026, 11, 25, tzinfo=BERLIN)
    assert meeting.days == (datetime.date(2026, 11, 23), datetime.date(2026, 11, 25))
    form = signed_in("ada").get(reverse("crm:activity-edit", args=[meeting.pk])).context["form"]
    assert form.initial["end_day"] == datetime.date(2026, 11, 25)


def test_one_day_has_both_the_same(signed_in, people):
    signed_in("ada").post(NEW, filled(people, all_day="on", end_day="", start_time="", end_time=""))
    meeting = Activity.objects.get()
    assert meeting.start == meeting.end == datetime.datetime(2026, 11, 23, tzinfo=LONDON)


def test_a_call_may_have_no_end(signed_in, people):
    signed_in("ada").post(NEW, filled(people, kind="call", end_day="", end_time=""))
    call = Activity.objects.get()
    assert (call.kind, call.end) == ("call", None)


@pytest.mark.parametrize(("values", "at_field"), [
    ({"subject": ""}, "subject"), ({"start_day": ""}, "start_day"), ({"start_time": ""}, "start_time"),
    ({"end_time": "08:00"}, "end_time"), ({"end_day": "2026-11-22"}, "end_time"), ({"kind": "task"}, "kind"),
    ({"end_day": "2026-11-24", "end_time": ""}, "end_time"), ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"start_day": "2026-11-31"}, "start_day"), ({"all_day": "on", "end_day": "2026-11-20"}, "end_day"),
    ({"start_day": "2026-03-29", "end_day": "2026-03-29", "start_time": "01:30", "end_time": "03:00"}, "start_time"),
    ({"users": ["999999"]}, "users"), ({"assigned_to": ""}, "assigned_to"), ({"subject": "x" * 256}, "subject"),
])
def test_what_makes_no_sense_is_said_at_the_field(values, at_field, signed_in, people):
    answer = signed_in("ada").post(NEW, filled(people, **values))
    assert list(errors(answer)) == [at_field]
    assert not Activity.objects.exists()


def test_an_hour_that_comes_twice_is_the_first_one():
    assert times.at(datetime.date(2026, 10, 25), datetime.time(1, 30), LONDON) == datetime.datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC)
    assert times.exists(datetime.datetime(2026, 10, 25, 1, 30, tzinfo=LONDON))
    assert not times.exists(datetime.datetime(2026, 3, 29, 1, 30, tzinfo=LONDON))


def test_saving_again_changes_nothing(signed_in, people):
    meeting = made(people, users=("ben",), start=datetime.datetime(2026, 11, 23, 0, tzinfo=UTC), time_zone="Asia/Tokyo",
                   end=datetime.datetime(2026, 11, 23, 1, 30, tzinfo=UTC), location="Kyoto", notes="a\nb")
    before = Activity.objects.filter(pk=meeting.pk).values().get()
    address = reverse("crm:activity-edit", args=[meeting.pk])
    browser = signed_in("ada")
    form = browser.get(address).context["form"]
    data = {bound.html_name: bound.value() for bound in form if bound.value() not in (None, False)}
    assert data["start_time"] == datetime.time(9)
    browser.post(address, data)
    after = Activity.objects.filter(pk=meeting.pk).values().get()
    assert {name: value for name, value in after.items() if name != "updated_at"} == {
        name: value for name, value in before.items() if name != "updated_at"}
    assert list(meeting.users.all()) == [people["ben"]]


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "CET"])
def test_saving_does_not_shift_what_has_an_odd_zone(zone, signed_in, people):
    meeting = made(people, time_zone=zone, start=datetime.datetime(2026, 7, 1, 9, tzinfo=UTC))
    address, browser = reverse("crm:activity-edit", args=[meeting.pk]), signed_in("ada")
    form = browser.get(address).context["form"]
    browser.post(address, {bound.html_name: bound.value() for bound in form if bound.value() not in (None, False)})
    after = Activity.objects.get()
    assert after.start == meeting.start and after.time_zone == (zone if zone == "CET" else "Europe/London")


def test_nobody_overwrites_what_they_never_saw(signed_in, people):
    meeting = made(people)
    browser, address = signed_in("ada"), reverse("crm:activity-edit", args=[meeting.pk])
    version = browser.get(address).context["form"].initial["version"]
    meeting.subject = "Changed by the sync"
    meeting.save()
    answer = browser.post(address, filled(people, subject="Mine", version=version))
    assert "This activity was changed while you were editing it" in answer.content.decode()
    again = browser.post(address, filled(people, subject="Mine", version=answer.context["form"]["version"].value()))
    assert again.status_code == 302 and Activity.objects.get().subject == "Mine"


@pytest.mark.parametrize(("query", "expected"), [
    ({"start": "2026-11-24T10:15", "end": "2026-11-24T11:00"}, ("2026-11-24", "10:15", "2026-11-24", "11:00")),
    ({"start": "2026-11-24T23:30"}, ("2026-11-24", "23:30", "2026-11-25", "00:30")),
    ({"start": "2026-11-24T10:15", "end": "nonsense"}, ("2026-11-24", "10:15", "2026-11-24", "11:15")),
    ({"start": "2026-11-24T10:15+05:00"}, ("2026-11-24", "10:15", "2026-11-24", "11:15")),
])
def test_what_was_clicked_in_the_calendar_is_filled_in(query, expected, signed_in, people):
    initial = signed_in("ada").get(NEW, query).context["form"].initial
    assert tuple(str(initial[name])[:10 if "day" in name else 5]
                 for name in ("start_day", "start_time", "end_day", "end_time")) == expected


def test_days_that_were_clicked_make_it_all_day(signed_in, people):
    initial = signed_in("ada").get(NEW, {"start": "2026-11-24", "end": "2026-11-26"}).context["form"].initial
    assert initial["all_day"] and (initial["start_day"], initial["end_day"]) == (
        datetime.date(2026, 11, 24), datetime.date(2026, 11, 26))


@pytest.mark.parametrize("query", [{"start": "x"}, {"start": "9999999-01-01"}, {"kind": "task"}, {"end": "2026-01-01"}])
def test_an_address_that_makes_no_sense_opens_an_ordinary_form(query, signed_in, people):
    answer = signed_in("ada").get(NEW, query)
    assert answer.status_code == 200 and answer.context["form"].initial["kind"] == "meeting"


def test_pages_show_times_in_the_zone_of_the_browser(signed_in, people):
    meeting = made(people, start=datetime.datetime(2026, 11, 23, 9, tzinfo=UTC), time_zone="Europe/London")
    browser = signed_in("ada")
    assert "Mon 23 Nov 2026, 09:00" in browser.get(meeting.get_absolute_url()).content.decode()
    browser.cookies["time_zone"] = "Asia/Tokyo"
    page = browser.get(meeting.get_absolute_url()).content.decode()
    assert "Mon 23 Nov 2026, 18:00" in page and "09:00 (Europe/London)" in page
    for nonsense in ("Mars/Olympus", "../../etc/passwd", "x" * 300, "Europe"):
        browser.cookies["time_zone"] = nonsense
        assert "09:00" in browser.get(meeting.get_absolute_url()).content.decode()


def test_who_cannot_be_invited_is_said(signed_in, people):
    people["cleo"].email = ""
    people["cleo"].save()
    meeting = made(people, users=("ben", "cleo"))
    assert "no e-mail address: cannot be invited" in signed_in("ada").get(meeting.get_absolute_url()).content.decode()


@rule("ATT-09", "ATT-10")
def test_ATT_10_the_page_shows_who_is_invited_and_what_they_answered(signed_in, people):
    meeting = made(people, users=("ben",))
    row = Meeting(adapter="meetings", object_id=str(meeting.pk))
    row.close({"users": None, "organiser": ["ada@brightwell.example", "Ada"], "attendees": [
        ["ben@brightwell.example", "Ben", "required", "declined"],
        ["h.vane@vane.example", "Henrietta Vane", "required", "accepted"]]})
    row.save()
    page = " ".join(signed_in("ada").get(meeting.get_absolute_url()).content.decode().split())
    assert "Henrietta Vane" in page and "h.vane@vane.example" in page and 'data-answer="declined"' in page


def test_what_people_write_is_shown_as_text(signed_in, people):
    evil = "<script>alert(1)</script>"
    meeting = made(people, subject=evil, location=evil, notes=f"{evil} javascript:alert(1)")
    task = made(people, kind="task", subject=evil, task_list=evil)
    for address in ("/", "/calendar/", LIST, TASKS, BOARD, meeting.get_absolute_url(), task.get_absolute_url(),
                    reverse("crm:activity-edit", args=[task.pk])):
        page = signed_in("ada").get(address).content.decode()
        assert "<script>alert" not in page and 'href="javascript' not in page


# -- tasks and their lists


@pytest.fixture
def lists(db):
    return [OwnTaskList.objects.create(key=key, name=name, position=position)
            for position, (key, name) in enumerate([("workshop", "Workshop"), ("office", "Office")])]


def task_form(people, **values):
    return {"subject": "Sharpen blades", "status": "not_started", "priority": "medium", "task_list": "workshop",
            "start_day": "2026-11-24", "assigned_to": people["ada"].pk, **values}


def test_a_task_starts_at_nine_unless_told_otherwise(signed_in, people, lists):
    browser = signed_in("ada")
    browser.post("/tasks/new/", task_form(people, users=[people["ben"].pk]))
    task = Activity.objects.get()
    assert (task.kind, task.task_list, task.end) == ("task", "workshop", None)
    assert task.start == datetime.datetime(2026, 11, 24, 9, tzinfo=LONDON) and list(task.users.all()) == [people["ben"]]


def test_a_task_needs_no_day_but_no_time_without_one(signed_in, people, lists):
    browser = signed_in("ada")
    answer = browser.post("/tasks/new/", task_form(people, start_day="", start_time="10:00"))
    assert list(errors(answer)) == ["start_day"]
    browser.post("/tasks/new/", task_form(people, start_day="", task_list=""))
    assert Activity.objects.get().start is None


def test_lists_that_are_not_offered_are_not_taken_but_the_current_one_stays(signed_in, people, lists):
    browser = signed_in("ada")
    assert list(errors(browser.post("/tasks/new/", task_form(people, task_list="planner:p/b")))) == ["task_list"]
    task = made(people, kind="task", task_list="planner:p/b")
    answer = browser.post(reverse("crm:activity-edit", args=[task.pk]), task_form(people, task_list="planner:p/b"))
    assert answer.status_code == 302 and Activity.objects.get().task_list == "planner:p/b"


def test_the_offered_lists_and_their_names(people, lists):
    offered = task_lists(people["ada"])
    assert [(item.key, item.name) for item in offered] == [("workshop", "Workshop"), ("office", "Office")]
    offered.append(TaskListChoice("planner:p/b", "Sales / Next", "Planner"))
    assert [name_of(key, offered) for key in ("", "office", "planner:p/b", "planner:x/y", "gone")] == [
        "No list", "Office", "Sales / Next", "A Planner list of others", "A list that is gone"]
    assert [group for group, _ in grouped(offered, "planner:x/y")] == ["", "planner:x/y", "The CRM's own", "Planner"]


def test_the_board_has_a_column_for_each_status(signed_in, people, lists):
    for status in Activity.Status.values:
        made(people, kind="task", subject=f"In {status}", status=status)
    columns = signed_in("ada").get(BOARD).context["columns"]
    assert {column["status"]: [task.subject for task in column["tasks"]] for column in columns} == {
        status: [f"In {status}"] for status in Activity.Status.values}


def test_a_card_is_moved_by_its_button_or_by_dragging(signed_in, people):
    task = made(people, kind="task")
    browser, address = signed_in("ben"), reverse("crm:task-status", args=[task.pk])
    assert browser.post(address, {"status": "waiting"}).headers["Location"] == BOARD
    assert Activity.objects.get().status == "waiting"
    before = Activity.objects.get().updated_at
    answer = browser.post(address, {"status": "done"}, headers={"accept": "application/json"})
    assert answer.json() == {"status": "done", "label": "Done"} and Activity.objects.get().updated_at > before
    assert browser.post(address, {"status": "x"}, headers={"accept": "application/json"}).status_code == 400
    assert browser.post(address, {"status": "x"}).status_code == 302
    assert Activity.objects.get().status == "done"


def test_cards_of_others_and_meetings_are_not_moved(signed_in, people):
    others, meeting = made(people, owner="cleo", kind="task"), made(people)
    for activity in (others, meeting):
        answer = signed_in("ada").post(reverse("crm:task-status", args=[activity.pk]), {"status": "done"})
        assert answer.status_code == 404
    assert not Activity.objects.filter(status="done").exists()


# -- lists


@pytest.fixture
def many(people, lists):
    now = timezone.now()
    hour, day = datetime.timedelta(hours=1), datetime.timedelta(days=1)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "running": made(people, subject="Running", start=now - hour, end=now + hour),
        "past": made(people, subject="Past", start=now - 3 * day, end=now - 3 * day + hour),
        "open end": made(people, subject="Open end", kind="call", start=now - 2 * day, location="Telephone"),
        "fair": made(people, subject="Fair", start=midnight - day, end=midnight, all_day=True, users=("ben",)),
        "month": made(people, owner="ben", subject="Month", start=now + 30 * day, status="cancelled"),
        "dateless": made(people, owner="ben", subject="Dateless", start=None),
        "task": made(people, kind="task", subject="Task", start=now - 2 * day, task_list="office", priority="urgent"),
        "done": made(people, kind="task", subject="Done", start=now - 2 * day, status="done", task_list="workshop"),
        "some day": made(people, owner="ben", kind="task", subject="Some day", start=None),
    }


def shown(answer):
    return {activity.title for activity in answer.context["activities"]}


@pytest.mark.parametrize(("query", "titles"), [
    ({}, {"Running", "Past", "Open end", "Fair", "Month", "Dateless"}),
    ({"when": "upcoming"}, {"Running", "Fair", "Month"}),
    ({"when": "past"}, {"Past", "Open end"}),
    ({"when": "week"}, {"Running", "Fair"}),
    ({"when": "none"}, {"Dateless"}),
    ({"kind": "call"}, {"Open end"}),
    ({"status": "cancelled"}, {"Month"}),
    ({"q": "teleph"}, {"Open end"}),
    ({"q": "\x00"}, {"Running", "Past", "Open end", "Fair", "Month", "Dateless"}),
    ({"who": "mine"}, {"Running", "Past", "Open end", "Fair"}),
    ({"who": "x"}, set()), ({"who": "9" * 40}, set()),
])
def test_the_filters_of_meetings_and_calls(query, titles, signed_in, many):
    assert shown(signed_in("ada").get(LIST, query)) == titles


def test_whose_includes_those_in_which_they_take_part(signed_in, many, people):
    assert shown(signed_in("ada").get(LIST, {"who": people["ben"].pk})) == {"Month", "Dateless", "Fair"}


@pytest.mark.parametrize(("query", "titles"), [
    ({}, {"Task", "Done", "Some day"}), ({"status": "open"}, {"Task", "Some day"}), ({"status": "done"}, {"Done"}),
    ({"due": "overdue"}, {"Task"}), ({"due": "none"}, {"Some day"}), ({"list": "office"}, {"Task"}),
    ({"list": "none"}, {"Some day"}), ({"priority": "urgent"}, {"Task"}), ({"q": "some"}, {"Some day"}),
    ({"due": "today"}, set()), ({"due": "week"}, set()),
])
def test_the_filters_of_tasks(query, titles, signed_in, many):
    assert shown(signed_in("ada").get(TASKS, query)) == titles


@pytest.mark.parametrize(("order", "first"), [("start", "Past"), ("-start", "Month"), ("subject", "Dateless"),
                                               ("-changed", "Dateless"), ("password", "Past")])
def test_sorting_keeps_what_has_no_date_at_the_end(order, first, signed_in, many):
    titles = [activity.title for activity in signed_in("ada").get(LIST, {"sort": order}).context["activities"]]
    assert titles[0] == first
    assert "start" not in order or titles[-1] == "Dateless"


@pytest.mark.parametrize("address", [LIST, TASKS, BOARD, "/calendar/", "/activities/deleted/"])
def test_lists_are_empty_in_words_and_cost_the_same_however_long(address, signed_in, people, lists,
                                                                  django_assert_max_num_queries):
    browser = signed_in("ada")
    browser.get(address)
    assert browser.get(address).status_code == 200
    for number in range(30):
        for kind in ("meeting", "task"):
            made(people, kind=kind, subject=f"N{number}", users=("ben", "cleo"), task_list="office")
    with django_assert_max_num_queries(24 if address == BOARD else 13):
        assert browser.get(address).status_code == 200


# -- deletion


def test_deleting_asks_first_is_soft_and_can_be_undone(signed_in, people):
    meeting, other = made(people, users=("ben",)), made(people, subject="Other")
    browser = signed_in("ada")
    chosen = {"ids": [meeting.pk, other.pk]}
    asked = browser.post("/activities/delete/", chosen).content.decode()
    assert "Delete these 2?" in asked and "Ben" in asked and Activity.objects.alive().count() == 2
    answer = browser.post("/activities/delete/", {**chosen, "confirmed": "yes", "next": "/calendar/"})
    assert answer.headers["Location"] == "/calendar/" and not Activity.objects.alive().exists()
    assert str(next(iter(get_messages(answer.wsgi_request)))).startswith("2 deleted")
    assert browser.get(meeting.get_absolute_url()).status_code == 404
    assert shown(browser.get("/activities/deleted/")) == {"Staircase", "Other"}
    browser.post("/activities/deleted/", {"ids": [meeting.pk]})
    assert list(Activity.objects.alive()) == [meeting]
    assert list(meeting.users.all()) == [people["ben"]]


@pytest.mark.parametrize("ids", [[], ["x"], ["-1"], ["9" * 40]])
def test_nonsense_deletes_nothing(ids, signed_in, people):
    made(people)
    signed_in("root").post("/activities/delete/", {"ids": ids, "confirmed": "yes"})
    assert Activity.objects.alive().count() == 1


@pytest.mark.parametrize("page", [
    "crm:calendar", "crm:calendar-feed", "crm:activities", "crm:activity-new", "crm:deleted-activities", "crm:tasks",
    "crm:task-board", "crm:task-new"])
def test_every_page_wants_a_sign_in(page, client, db):
    address = reverse(page)
    assert client.get(address).headers["Location"] == f"{reverse('login')}?next={address}"


def test_the_home_page_says_what_comes_up(signed_in, many):
    assert [item.title for item in signed_in("ada").get("/").context["coming_up"]] == ["Fair", "Running"]
