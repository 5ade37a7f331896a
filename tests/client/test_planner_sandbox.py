"""Planner through real HTTP against the sandbox, with every behaviour that Microsoft's documentation leaves open."""

from datetime import UTC, datetime

import pytest

from opencrm_ms365.errors import AccessLost, NotFound, OutcomeUnknown, Rejected, SignInRequired, Stale
from opencrm_ms365.graph.client import GraphClient
from opencrm_ms365.graph.planner import Partial, Planner, TaskItem, TaskWrite
from opencrm_ms365.records.task import Priority, planner_list
from opencrm_ms365.sandbox import Sandbox
from opencrm_ms365.sandbox.server import running
from tests.rules import rule

SCOPES = "User.Read Tasks.ReadWrite GroupMember.Read.All"
DUE = datetime(2026, 12, 1, 10, tzinfo=UTC)


class Place:
    """A sandbox with a group of Ada and Ben, a plan of two buckets, Cleo outside, and Ada's view of it."""

    def __init__(self, sandbox, url, **options):
        sandbox.options.set(**options)
        self.sandbox, self.url, self.slept, self.scopes = sandbox, url, [], SCOPES
        tenant = sandbox.add_tenant("brightwell.example")
        self.ada, self.ben, self.cleo = (
            sandbox.add_user(tenant, f"{name}@brightwell.example") for name in ("ada", "ben", "cleo"))
        self.user, self.ben_user = sandbox.planner(self.ada), sandbox.planner(self.ben)
        self.group = self.user.add_group("Workshop", ["ben@brightwell.example"])
        self.plan = self.user.add_plan(self.group, "Spring fair")
        self.next, self.later = (self.user.add_bucket(self.plan, name) for name in ("Next", "Later"))
        self.client = GraphClient(url, self, timeout_s=5, sleep=self.slept.append)
        self.planner = Planner(self.client)

    def token(self, *, refused="", claims=""):
        if refused:
            raise SignInRequired
        return self.sandbox.token_for(self.ada, self.scopes)

    def key(self, bucket):
        return planner_list(self.plan["id"], bucket["id"])

    def add(self, title="Order oak", bucket="Next", **values):
        return self.user.add_task(self.plan, bucket, title=title, **values)["id"]

    def item(self, task_id, *, with_details=True):
        return self.planner.get([task_id], with_details=with_details)[task_id]

    def write(self, action="update", task_id="", **write):
        return self.planner.write([TaskWrite("k", action, graph_id=task_id, **write)])["k"]

    def update(self, task_id, *, current=None, assign=(), unassign=(), **values):
        return self.write(task_id=task_id, current=current or self.item(task_id), assign=assign, unassign=unassign,
                          values=values)

    def create(self, *, bucket=None, assign=(), **values):
        values = {"subject": "Order oak", "task_list": self.key(bucket or self.next), **values}
        return self.write("create", values=values, assign=assign)


@pytest.fixture
def place(request):
    sandbox = Sandbox(seed=1)
    with running(sandbox) as url:
        yield Place(sandbox, url, **getattr(request, "param", {}))


def switched(*switches):
    names = [",".join(f"{name}={value}" for name, value in switch.items()) or "as usual" for switch in switches]
    return pytest.mark.parametrize("place", switches, indirect=True, ids=names)


# Reading

@rule("TASK-01")
def test_the_plans_of_ones_groups_are_found_and_those_of_others_are_not(place):
    place.sandbox.planner(place.cleo).add_plan(place.sandbox.planner(place.cleo).add_group("Elsewhere"), "Secret")
    place.user.add_group("Letters", is_unified=False)
    reach = place.planner.plans()
    assert [(plan.id, plan.title, plan.container_id, plan.group_name) for plan in reach.plans] == [
        (place.plan["id"], "Spring fair", place.group["id"], "Workshop")]
    assert reach.skipped == ()
    buckets = place.planner.buckets([plan.id for plan in reach.plans])[place.plan["id"]]
    assert [(bucket.name, bucket.id) for bucket in buckets] == [
        ("Next", place.next["id"]), ("Later", place.later["id"])]


@rule("TASK-01")
def test_without_the_right_to_read_groups_plans_are_found_by_the_ids_of_the_groups(place):
    place.scopes = "User.Read Tasks.ReadWrite"
    place.user.add_group("Letters", is_unified=False)
    reach = place.planner.plans()
    assert [(plan.id, plan.group_name) for plan in reach.plans] == [(place.plan["id"], "")]


@rule("TASK-01")
def test_the_lists_are_plans_and_buckets_in_three_requests(place):
    other = place.user.add_plan(place.group, "Autumn fair")
    bucket = place.user.add_bucket(other, "Next")
    before = place.client.requests
    lists = place.planner.lists()
    assert place.client.requests == before + 3
    assert list(lists.names.values()) == ["Autumn fair / Next", "Spring fair / Next", "Spring fair / Later"]
    assert set(lists.names) == {planner_list(other["id"], bucket["id"]), place.key(place.next), place.key(place.later)}
    assert lists.keys == set(lists.names) | {planner_list(plan["id"], "") for plan in (place.plan, other)}


@rule("TASK-11")
def test_a_listing_is_one_request_and_has_everything_but_the_details(place):
    for number in range(30):
        place.add(f"Task {number}")
    one = place.add("Order oak", assignees=[place.ben.upn], dueDateTime="2026-12-01", percentComplete=50, priority=1,
                    description="for the stalls")
    place.user.add_checklist_item(one, "Measure")
    before = place.client.requests
    found = place.planner.tasks(place.plan["id"]).by_id()
    assert place.client.requests == before + 1 and len(found) == 31
    task = found[one]
    assert (task.plan_id, task.bucket_id, task.created_by) == (place.plan["id"], place.next["id"], place.ada.id)
    assert (task.data.subject, task.data.due, task.data.percent, task.data.priority) == (
        "Order oak", DUE, 50, Priority.URGENT)
    assert task.data.task_list == place.key(place.next) and task.assignees == (place.ben.id,)
    assert task.has_description is True and (task.checklist_count, task.unchecked_count) == (1, 1)
    detailed = place.planner.details([task])[one]
    assert (detailed.data.body, detailed.data.checklist) == ("for the stalls", ("Measure",))
    assert detailed.details_etag != detailed.etag


@switched({"planner_page_size": 3})
def test_a_listing_goes_on_over_its_pages(place):
    ids = {place.add(f"Task {number}") for number in range(8)}
    assert set(place.planner.tasks(place.plan["id"]).by_id()) == ids


@rule("TASK-05")
def test_an_etag_moves_when_the_task_does_and_only_then(place):
    one, other = place.add("One"), place.add("Other")
    before = place.planner.tasks(place.plan["id"]).by_id()
    assert place.planner.tasks(place.plan["id"]).by_id() == before
    place.user.edit_task(one, title="Changed")
    after = place.planner.tasks(place.plan["id"]).by_id()
    assert after[one].etag != before[one].etag and after[other].etag == before[other].etag


@rule("SYNC-08", "TASK-11")
@switched({"planner_no_access": 403}, {"planner_no_access": 404})
def test_who_left_the_group_has_lost_access_and_nothing_was_deleted(place):
    task_id = place.add()
    place.user.remove_member(place.group, place.ada.upn)
    with pytest.raises(AccessLost):
        place.planner.tasks(place.plan["id"])
    assert isinstance(place.planner.buckets([place.plan["id"]])[place.plan["id"]], AccessLost)
    assert isinstance(place.item(task_id, with_details=False), (NotFound, Rejected))
    assert place.planner.plans().plans == ()


@rule("SYNC-08")
def test_a_deleted_task_is_not_there_and_a_moved_one_is_found_by_its_id(place):
    gone, moved = place.add("Gone"), place.add("Moved")
    other = place.user.add_plan(place.group, "Other")
    place.user.delete_task(gone)
    place.user.move_task(moved, plan=other)
    assert place.planner.tasks(place.plan["id"]).items == ()
    found = place.planner.get([gone, moved])
    assert isinstance(found[gone], NotFound) and found[moved].plan_id == other["id"] and found[moved].bucket_id == ""


# Creating

@rule("TASK-02", "TASK-10", "TASK-13")
@switched({}, {"planner_patch_without_change": "touches"})
def test_a_created_task_is_in_planner_as_it_was_meant(place):
    done = place.create(due=DUE, percent=50, priority=Priority.IMPORTANT, body="for the stalls\nof oak",
                        checklist=("Measure", "Saw"), assign=(place.ada.id, place.ben.id))
    assert isinstance(done, TaskItem)
    task, details = place.user.task(done.graph_id), place.user.details(done.graph_id)
    assert (task["title"], task["percentComplete"], task["priority"], task["dueDateTime"]) == (
        "Order oak", 50, 3, "2026-12-01T10:00:00Z")
    assert set(task["assignments"]) == {place.ada.id, place.ben.id} and task["bucketId"] == place.next["id"]
    lines = sorted(details["checklist"].values(), key=lambda line: line["orderHint"])
    assert [line["title"] for line in lines] == ["Measure", "Saw"]
    assert details["description"] == "for the stalls\nof oak"
    assert done == place.item(done.graph_id)                         # what is given back is what is there, etags too


@rule("SYNC-05")
def test_what_a_write_gives_back_is_what_the_next_listing_shows(place):
    done = place.create(body="text", checklist=("A",))
    listed = place.planner.tasks(place.plan["id"]).by_id()[done.graph_id]
    assert listed.etag == done.etag and place.planner.details([listed])[done.graph_id] == done
    changed = place.update(done.graph_id, current=done, subject="x", body="other", checklist=("B", "A"))
    listed = place.planner.tasks(place.plan["id"]).by_id()[done.graph_id]
    assert listed.etag == changed.etag and place.planner.details([listed])[done.graph_id] == changed


@switched({"planner_details_delay_s": 1.2})
def test_details_that_come_late_are_waited_for(place):
    place.client.pause = lambda seconds: (place.slept.append(seconds), place.sandbox.clock.advance(seconds))
    assert place.create(body="text").data.body == "text"
    assert place.slept


@rule("SYNC-04")
@pytest.mark.parametrize("fault", [{"path": r"\$batch", "cut": "after"}, {"path": r"\$batch", "truncate": "json"},
                                   {"path": "planner/tasks", "method": "POST", "status": 504, "after_effect": True}])
def test_a_lost_creation_is_found_again(place, fault):
    sent_at = place.sandbox.clock.now()
    mapped = place.create().graph_id
    place.user.add_task(place.plan, "Later", title="Order oak")
    place.ben_user.add_task(place.plan, "Next", title="Order oak")
    place.sandbox.faults.add(**fault)
    write = TaskWrite("k", "create", values={"subject": "Order oak", "task_list": place.key(place.next)})
    assert isinstance(place.planner.write([write])["k"], OutcomeUnknown)
    [found] = place.planner.find_created(write, creator=place.ada.id, sent_at=sent_at, known={mapped})
    assert len(place.user.find_tasks(title="Order oak")) == 4 and found.graph_id != mapped


@rule("SYNC-04")
def test_a_creation_that_never_arrived_is_not_found(place):
    sent_at = place.sandbox.clock.now()
    place.sandbox.faults.add(path=r"\$batch", cut="before")
    write = TaskWrite("k", "create", values={"subject": "Order oak", "task_list": place.key(place.next)})
    assert isinstance(place.planner.write([write])["k"], OutcomeUnknown)
    assert place.planner.find_created(write, creator=place.ada.id, sent_at=sent_at) == ()


# Changing

@rule("TASK-05", "TASK-07", "TASK-13")
def test_a_change_touches_nothing_else(place):
    task_id = place.add(startDateTime="2026-11-20", dueDateTime="2026-11-30", description="text",
                        appliedCategories={"category3": True})
    key = place.user.add_checklist_item(task_id, "Measure", is_checked=True)
    before = place.user.task(task_id)
    done = place.update(task_id, due=DUE, percent=100, checklist=("Saw", "Measure"))
    after, details = place.user.task(task_id), place.user.details(task_id)
    assert after["dueDateTime"] == "2026-12-01T10:00:00Z" and after["percentComplete"] == 100
    assert after["completedDateTime"] and done.completed_at is not None
    for name in ("title", "startDateTime", "appliedCategories", "priority", "bucketId", "assignments"):
        assert after[name] == before[name]
    lines = sorted(details["checklist"].values(), key=lambda line: line["orderHint"])
    assert [line["title"] for line in lines] == ["Saw", "Measure"]
    assert details["checklist"][key]["isChecked"] is True and details["description"] == "text"
    assert done.data.checklist == ("Saw", "Measure")


@rule("TASK-13")
def test_a_checklist_can_be_turned_round_emptied_and_made_anew(place):
    task_id = place.add()
    for lines in (("A", "B", "C"), ("C", "B", "A"), ("B",), (), ("D", "B")):
        done = place.update(task_id, checklist=lines)
        assert done.data.checklist == lines and place.item(task_id).data.checklist == lines


def test_a_due_date_can_be_taken_away_and_a_description_too(place):
    task_id = place.add(dueDateTime="2026-12-01", description="text")
    done = place.update(task_id, due=None, body=None)
    assert done.data.due is None and done.data.body is None and place.user.task(task_id)["dueDateTime"] is None


@rule("TASK-07")
def test_a_due_date_before_planners_start_is_told_and_the_rest_is_written(place):
    task_id = place.add(startDateTime="2026-12-05", dueDateTime="2026-12-06")
    done = place.update(task_id, due=DUE, subject="Order elm")
    assert isinstance(done, Partial) and set(done.refused) == {"due"} and done.item.data.subject == "Order elm"


def test_a_stale_etag_is_merged_where_it_can_be_and_refused_where_not(place):
    task_id = place.add()
    old = place.item(task_id)
    place.user.edit_task(task_id, priority=1)
    assert place.update(task_id, current=old, subject="Order elm").data.priority is Priority.URGENT
    assert isinstance(place.update(task_id, current=old, subject="Order ash", body="x"), Stale)
    assert place.item(task_id).data.body is None


@switched({"planner_versions_kept": 1})
def test_an_etag_that_is_forgotten_is_stale(place):
    task_id = place.add()
    old = place.item(task_id)
    for title in ("a", "b", "c"):
        place.user.edit_task(task_id, title=title)
    assert isinstance(place.update(task_id, current=old, priority=Priority.LOW), Stale)


@rule("TASK-05")
@switched({"planner_description_edit": "moves"}, {"planner_description_edit": "quiet"})
def test_an_edited_description_is_found_by_a_second_reading(place):
    task_id = place.add(description="old")
    before = place.item(task_id)
    place.user.edit_details(task_id, description="new")
    listed = place.planner.tasks(place.plan["id"]).by_id()[task_id]
    moves = place.sandbox.options.planner_description_edit == "moves"
    assert (listed.etag != before.etag) is moves
    assert place.planner.details([listed])[task_id].data.body == "new"
    assert place.update(task_id, current=place.item(task_id), body="newer", subject="x").data.body == "newer"


@rule("TASK-10")
def test_people_are_assigned_and_released_and_nobody_else(place):
    task_id = place.add(assignees=[place.ben.upn])
    assert set(place.update(task_id, assign=(place.ada.id,)).assignees) == {place.ben.id, place.ada.id}
    assert place.update(task_id, unassign=(place.ada.id,)).assignees == (place.ben.id,)


@rule("TASK-10")
@switched({"planner_outside_assignee": "accepted"}, {"planner_outside_assignee": "added"},
          {"planner_outside_assignee": "refused_400"}, {"planner_outside_assignee": "refused_403"})
def test_somebody_outside_the_group_does_not_hold_the_task_up(place):
    refuses = place.sandbox.options.planner_outside_assignee.startswith("refused")
    for done in (place.create(assign=(place.cleo.id,)), place.update(place.add(), assign=(place.cleo.id,), percent=50)):
        item = done.item if refuses else done
        assert isinstance(done, Partial) is refuses and item.assignees == (() if refuses else (place.cleo.id,))
        assert not refuses or "member of the plan's group" in str(done.refused["assignees"])


@rule("TASK-02")
@switched({"planner_patch_plan": "moves"}, {"planner_patch_plan": "refused"})
def test_a_move_to_another_plan_is_made_or_told(place):
    other = place.user.add_plan(place.group, "Other")
    target = planner_list(other["id"], place.user.add_bucket(other, "New")["id"])
    task_id = place.add(description="kept")
    done = place.update(task_id, task_list=target, subject="Order elm")
    if place.sandbox.options.planner_patch_plan == "moves":
        assert done.data.task_list == target and done.data.subject == "Order elm" and done.data.body == "kept"
    else:
        assert isinstance(done, Partial) and done.item.data.task_list == place.key(place.next)
        assert done.item.data.subject == "Order elm" and "another plan" in str(done.refused["task_list"])


@rule("TASK-02")
def test_a_move_within_the_plan(place):
    task_id = place.add()
    assert place.planner.move(place.item(task_id), place.key(place.later)).bucket_id == place.later["id"]


@rule("TASK-02")
def test_where_a_move_is_refused_a_copy_has_everything_that_can_be_written(place):
    group = place.user.add_group("Office")
    other = place.user.add_plan(group, "Other")
    target = planner_list(other["id"], place.user.add_bucket(other, "New")["id"])
    task_id = place.add(assignees=[place.ada.upn], startDateTime="2026-11-20", dueDateTime="2026-12-01", priority=1,
                        percentComplete=100, description="text", references={"https%3A//brightwell%2Eexample": {
                            "@odata.type": "microsoft.graph.plannerExternalReference", "alias": "Shop", "type": "Other",
                            "previewPriority": " !"}})
    for title, is_checked in (("Measure", True), ("Saw", False), ("Paint", True)):
        place.user.add_checklist_item(task_id, title, is_checked=is_checked)
    before = place.item(task_id)
    done = place.planner.copy(before, target)
    assert isinstance(done, TaskItem) and done.graph_id != task_id and done.assignees == (place.ada.id,)
    assert done.data.values() == {**before.data.values(), "task_list": target, "completed_at": done.data.completed_at}
    assert [(line.title, line.is_checked) for line in done.lines] == [
        ("Measure", True), ("Saw", False), ("Paint", True)]
    assert place.user.details(done.graph_id)["references"]["https%3A//brightwell%2Eexample"]["alias"] == "Shop"
    assert place.user.task(task_id)["title"] == "Order oak"          # it stays until the copy is mapped


@rule("TASK-02")
@switched({"planner_max_checklist": 1, "planner_outside_assignee": "refused_403"})
def test_a_copy_tells_what_it_lacks(place):
    other = place.user.add_plan(place.user.add_group("Office"), "Other")
    target = planner_list(other["id"], place.user.add_bucket(other, "New")["id"])
    task_id = place.add(assignees=[place.ben.upn])
    place.user.add_checklist_item(task_id, "Measure")
    item = place.item(task_id)
    assert set(place.planner.copy(item, target).refused) == {"assignees"}
    place.sandbox.options.set(planner_max_checklist=0)
    assert set(place.planner.copy(item, target).refused) == {"assignees", "details"}


# Limits

@switched({"planner_max_tasks": 1}, {"planner_max_active_tasks": 1}, {"planner_max_created_tasks": 1})
def test_a_limit_is_said_in_plain_words(place):
    place.add()
    done = place.create(assign=(place.ada.id,))
    assert isinstance(done, Rejected) and "as Planner allows" in str(done) and done.code.startswith("Maximum")


@switched({"planner_max_checklist": 2, "planner_max_assignees": 1})
def test_limits_of_a_task_leave_the_rest_of_it(place):
    done = place.create(checklist=("A", "B", "C"), assign=(place.ada.id, place.ben.id))
    assert isinstance(done, Partial) and set(done.refused) == {"checklist", "assignees"}
    assert "checklist is longer" in str(done.refused["checklist"])
    assert "More people are assigned" in str(done.refused["assignees"])
    assert place.user.task(done.item.graph_id)["title"] == "Order oak"


# Deleting

@rule("TASK-12")
def test_deleting_needs_the_newest_etag_or_none(place):
    task_id = place.add()
    old = place.item(task_id)
    place.user.edit_task(task_id, title="changed")
    assert isinstance(place.write("delete", task_id, current=old), Stale)
    assert place.write("delete", task_id) is None and place.user.tasks(place.plan) == []
    assert place.write("delete", task_id, etag=old.etag) is None      # it is gone already


@rule("SYNC-04")
def test_a_deletion_whose_answer_was_lost_can_be_repeated(place):
    task_id = place.add()
    place.sandbox.faults.add(path=r"\$batch", cut="after")
    write = [TaskWrite("k", "delete", graph_id=task_id, etag=place.user.task(task_id)["@odata.etag"])]
    assert isinstance(place.planner.write(write)["k"], OutcomeUnknown)
    assert place.planner.write(write)["k"] is None


def test_many_writes_and_throttling_in_between(place):
    place.sandbox.faults.add(path="planner/tasks", method="POST", status=429, retry_after=2, inner=True, times=3)
    writes = [TaskWrite(str(number), "create", values={"subject": f"Task {number}",
                                                       "task_list": place.key(place.next)}) for number in range(25)]
    done = place.planner.write(writes)
    assert all(isinstance(one, TaskItem) for one in done.values()) and len(place.user.tasks(place.plan)) == 25
    assert place.slept == [2.0]
