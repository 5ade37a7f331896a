"""A Planner task's JSON and its record: tables of pairs."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.graph.wire import task as wire
from opencrm_ms365.graph.wire.task import CheckItem, assignees, assignments_json, details_json, to_json, to_record
from opencrm_ms365.graph.wire.values import Unreadable
from opencrm_ms365.records import UNSET
from opencrm_ms365.records.task import Priority, TaskData, planner_ids, planner_list
from tests.rules import rule

TASK = {
    "@odata.etag": 'W/"JzEtVGFzayAgQEBAQEBAQEBAQEBAQEBAWCc="', "id": "T1", "planId": "P1", "bucketId": "B1",
    "title": " Call Ada\r\n", "percentComplete": 50, "priority": 1, "startDateTime": "2026-11-30T10:00:00Z",
    "dueDateTime": "2026-12-01T10:00:00.0000000Z", "completedDateTime": None, "hasDescription": True,
    "appliedCategories": {"category1": True}, "orderHint": "85P", "assigneePriority": "",
    "assignments": {
        "bob": {"@odata.type": "#microsoft.graph.plannerAssignment", "assignedDateTime": "2026-11-03T08:00:00Z",
                "assignedBy": {"user": {"id": "ada"}}, "orderHint": "85P"},
        "ada": {"@odata.type": "#microsoft.graph.plannerAssignment", "assignedDateTime": "2026-11-04T08:00:00Z"},
        "eve": None},
}
DETAILS = {
    "description": "one\r\ntwo", "previewType": "automatic",
    "checklist": {
        "@odata.type": "#microsoft.graph.plannerChecklistItems",
        "i2": {"@odata.type": "#microsoft.graph.plannerChecklistItem", "title": "Second", "isChecked": True,
               "orderHint": "b"},
        "i1": {"title": "First", "isChecked": False, "orderHint": "a"},
        "i3": {"title": " ", "orderHint": "c"}},
}


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_every_member_that_both_sides_know_is_read():
    assert to_record(TASK, DETAILS) == TaskData(
        subject="Call Ada", body="one\ntwo", start=utc(2026, 11, 30, 10), due=utc(2026, 12, 1, 10), percent=50,
        priority=Priority.URGENT, task_list="planner:P1/B1", completed_at=None, checklist=("First", "Second"))


@rule("TASK-09")
def test_details_that_were_not_read_are_not_empty():
    record = to_record(TASK)
    assert record.body is UNSET and record.checklist is UNSET
    assert to_record(TASK, {}).body is None and to_record(TASK, {}).checklist == ()


def test_what_is_missing_is_empty():
    assert to_record({}) == TaskData(subject=None, start=None, due=None, completed_at=None, percent=0,
                                     priority=Priority.MEDIUM, task_list="planner:/")


@rule("TASK-04")
@pytest.mark.parametrize(("percent", "expected"), [
    (None, 0), (0, 0), (-1, 0), (1, 50), (25, 50), (50, 50), (99, 50), (100, 100), (101, 100)])
def test_a_percentage_is_one_of_three(percent, expected):
    assert to_record({"percentComplete": percent}).percent == expected


@rule("TASK-13")
@pytest.mark.parametrize(("number", "expected"), [
    (0, Priority.URGENT), (1, Priority.URGENT), (2, Priority.IMPORTANT), (4, Priority.IMPORTANT),
    (5, Priority.MEDIUM), (7, Priority.MEDIUM), (8, Priority.LOW), (10, Priority.LOW), (None, Priority.MEDIUM)])
def test_a_priority_is_one_of_four_bands(number, expected):
    assert to_record({"priority": number}).priority is expected


@rule("TASK-13")
@pytest.mark.parametrize("priority", Priority)
def test_a_priority_that_is_written_is_read_again(priority):
    assert to_record(to_json({"priority": priority})).priority is priority


@pytest.mark.parametrize(("item", "member"), [
    ({"title": 7}, "title"), ({"percentComplete": "50"}, "percentComplete"), ({"priority": True}, "priority"),
    ({"dueDateTime": "tomorrow"}, "dueDateTime"), ({"dueDateTime": 7}, "dueDateTime"), ({"bucketId": []}, "bucketId")])
def test_a_member_of_the_wrong_kind_spoils_the_task_and_is_named_without_its_contents(item, member):
    with pytest.raises(Unreadable, match=member) as caught:
        to_record(item)
    assert "tomorrow" not in str(caught.value)


@pytest.mark.parametrize("details", [{"description": 1}, {"checklist": []}, {"checklist": {"a": "x"}}])
def test_details_of_the_wrong_kind_spoil_the_task(details):
    with pytest.raises(Unreadable):
        to_record(TASK, details)


@rule("TASK-10")
def test_assignees_come_in_the_order_in_which_they_were_assigned():
    assert assignees(TASK) == ("bob", "ada")
    assert assignees({"assignments": {"b": {}, "a": {}}}) == ("a", "b")
    assert assignees({}) == ()
    with pytest.raises(Unreadable):
        assignees({"assignments": ["ada"]})


@pytest.mark.parametrize(("created_by", "expected"), [
    ({"user": {"id": "ada", "displayName": None}}, "ada"), ({"application": {"id": "x"}}, ""), (None, ""),
    ({"user": {"id": None}}, "")])
def test_the_creator_is_a_user_or_nobody(created_by, expected):
    assert wire.user_id({"createdBy": created_by}, "createdBy") == expected


# Writing

@pytest.mark.parametrize(("values", "expected"), [
    ({}, {}),
    ({"subject": "Call"}, {"title": "Call"}),
    ({"due": utc(2026, 12, 1, 10)}, {"dueDateTime": "2026-12-01T10:00:00Z"}),
    ({"due": None}, {"dueDateTime": None}),
    ({"percent": 100}, {"percentComplete": 100}),
    ({"priority": Priority.LOW}, {"priority": 9}),
    ({"task_list": "planner:P1/B2"}, {"bucketId": "B2"}),
    ({"task_list": "planner:P1/"}, {}),
    ({"subject": UNSET, "due": UNSET}, {}),
    ({"body": "x", "checklist": ("y",)}, {}),                        # they belong to the details
])
def test_only_what_changed_is_written(values, expected):
    assert to_json(values) == expected


def test_a_field_that_planner_does_not_take_is_a_mistake_of_ours():
    for field in ("start", "status", "completed_at", "categories"):
        with pytest.raises(KeyError):
            to_json({field: None})


@rule("TASK-10")
def test_assignments_mention_nobody_else():
    assert assignments_json(["ada"], ["bob"]) == {
        "bob": None, "ada": {"@odata.type": "#microsoft.graph.plannerAssignment", "orderHint": " !"}}


def lines(*titles, hints="bdfhjl"):
    return tuple(CheckItem(f"id-{title}", title, title == "B", hint)
                 for title, hint in zip(titles, hints, strict=False))


def written(titles, current):
    """The PATCH of the checklist, with numbers for new ids."""
    numbers = iter(range(9))
    return details_json({"checklist": titles}, current, new_id=lambda: f"new-{next(numbers)}").get("checklist", {})


def applied(patch, current):
    """What a service makes of the PATCH: titles in the order of their hints, and which are ticked."""
    held = {item.id: {"title": item.title, "isChecked": item.is_checked, "orderHint": item.hint} for item in current}
    for key, value in patch.items():
        if value is None:
            del held[key]
        else:
            held[key] = {**held.get(key, {}), **value}
    rows = sorted(held.values(), key=lambda row: row["orderHint"])
    return [row["title"] for row in rows], {row["title"] for row in rows if row["isChecked"]}


@rule("TASK-13")
@pytest.mark.parametrize(("titles", "current", "expected"), [
    (("A", "B"), lines("A", "B"), {}),                                               # nothing changed
    (("A", "B", "C"), lines("A", "B"), {"new-0": ("C", False, "d !")}),              # one more at the end
    (("A",), (), {"new-0": ("A", False, " !")}),                                     # the first one ever
    (("C", "A"), lines("A"), {"new-0": ("C", False, " b!")}),                        # one more at the beginning
    (("A", "C", "B"), lines("A", "B"), {"new-0": ("C", False, "b d!")}),             # one more between two
    (("A",), lines("A", "B"), {"id-B": None}),                                       # one less
    ((), lines("A"), {"id-A": None}),
    (("A", "Bee"), lines("A", "B"), {"id-B": ("Bee", True, None)}),                  # renamed: the tick stays
    (("B", "A"), lines("A", "B"), {"id-A": ("A", False, "d !")}),                    # moved
    (("A", "b"), lines("A", "B"), {"id-B": ("b", True, None)}),                      # compared without case
])
def test_a_checklist_is_changed_line_by_line(titles, current, expected):
    patch = written(titles, current)
    assert {key: value and (value["title"], value["isChecked"], value.get("orderHint"))
            for key, value in patch.items()} == expected
    assert all(value is None or value["@odata.type"] == "microsoft.graph.plannerChecklistItem"
               for value in patch.values())


def test_lines_that_the_record_cannot_know_stay():
    current = (CheckItem("1", "A", False, "a"), CheckItem("2", "a ", True, "b"), CheckItem("3", "", False, "c"))
    assert written(("A",), current) == {}
    assert written((), current) == {"1": None, "2": None}


titles = st.lists(st.sampled_from("ABCDEF"), unique=True, max_size=6).map(tuple)


@rule("TASK-13", "SYNC-05")
@given(titles, titles)
def test_a_written_checklist_reads_as_it_was_meant_and_keeps_its_ticks(before, after):
    current = lines(*before)
    patch = written(after, current)
    found, ticked = applied(patch, current)
    assert tuple(found) == after
    assert ticked >= {"B"} & set(before) & set(after)
    assert all(" " in value["orderHint"] for value in patch.values() if value and "orderHint" in value)


@pytest.mark.parametrize(("values", "expected"), [
    ({}, {}), ({"body": None}, {"description": ""}), ({"body": "x"}, {"description": "x"}),
    ({"checklist": ()}, {}), ({"body": UNSET, "checklist": UNSET}, {}), ({"subject": "x"}, {})])
def test_only_changed_details_are_written(values, expected):
    assert details_json(values) == expected


# Lists

@pytest.mark.parametrize(("key", "expected"), [
    ("planner:P/B", ("P", "B")), ("planner:P/", ("P", "")), ("planner:P", None), ("planner:/B", None),
    ("planner:P/B/C", None), ("Sales", None), ("", None), (None, None), (UNSET, None)])
@rule("TASK-02")
def test_a_lists_key_says_whether_it_is_one_of_planners(key, expected):
    assert planner_ids(key) == expected
    if expected:
        assert planner_list(*expected) == key
