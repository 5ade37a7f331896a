"""Tasks between the CRM and Planner (TASK)."""

import pytest

from tests import tasks
from tests.rules import rule
from tests.tasks import Board, crm_task, crm_tasks
from tests.world import tomorrow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def adapter():
    with tasks.adapter():
        yield


@rule("TASK-02", "TASK-07", "SYNC-05")
def test_a_task_comes_in_with_its_list(world):
    board = Board(world, "ada")
    world.connect("ada")
    due = tomorrow().date().isoformat()
    board.add("Order oak", dueDateTime=due, description="From the usual place")
    world.sync()
    [task] = crm_tasks()
    assert (task.subject, task.task_list, task.notes) == ("Order oak", board.key(), "From the usual place")
    assert (task.start.date().isoformat(), task.assigned_to) == (due, world.user("ada"))
    assert world.settle().writes == []
    assert crm_tasks().count() == 1


@rule("TASK-03", "TASK-04", "TASK-05")
def test_changes_go_both_ways(world):
    board = Board(world, "ada")
    world.connect("ada")
    made = board.add("Order oak", dueDateTime=tomorrow().date().isoformat())
    world.sync()
    [task] = crm_tasks()
    board.planner.edit_task(made["id"], percentComplete=100)
    world.sync()
    task.refresh_from_db()
    assert task.status == "done"
    task.status, task.subject = "waiting", "Order ash"
    task.save()
    world.sync()
    [shown] = board.tasks()
    assert (shown["title"], shown["percentComplete"]) == ("Order ash", 50)
    assert world.settle().writes == []
    task.refresh_from_db()
    assert task.status == "waiting"


@rule("TASK-02", "TASK-10", "SYNC-05")
def test_a_task_goes_out_to_its_list(world):
    board = Board(world, "ada", "ben")
    world.connect("ada")
    world.connect("ben")
    crm_task(world, users=("ben",), task_list=board.key(), start=tomorrow(), notes="Two metres")
    ran = world.sync()
    [shown] = board.tasks()
    assert (shown["title"], shown["bucketId"]) == ("Order oak", board.todo["id"])
    assert set(shown["assignments"]) == {world.account("ada").id, world.account("ben").id}
    assert board.planner.details(shown["id"])["description"] == "Two metres"
    assert ran.counts("ada", kind="tasks")["microsoft"] == {"created": 1, "updated": 0, "deleted": 0}
    assert world.settle().writes == []
    assert crm_tasks().count() == 1


@rule("TASK-11")
def test_a_shared_plan_is_read_once_and_handed_over(world):
    board = Board(world, "ada", "ben")
    world.connect("ada")
    world.connect("ben")
    board.add("Order oak")
    world.sync()
    assert crm_tasks().count() == 1
    world.settle()
    ran = world.sync(kinds=["tasks"])
    assert len(ran.requests) == 1, ran.requests
    from opencrm_ms365.access import links

    links.disconnect(world.link("ada"))
    board.add("Order ash")
    world.sync()
    assert sorted(crm_tasks().values_list("subject", flat=True)) == ["Order ash", "Order oak"]
    assert world.settle().writes == []


@rule("TASK-12", "DEL-01")
def test_a_deleted_task_goes(world):
    board = Board(world, "ada")
    world.connect("ada")
    task = crm_task(world, task_list=board.key())
    world.sync()
    task.delete()
    world.sync()
    assert board.tasks() == []


@rule("TASK-12", "ORG-12")
def test_a_task_deleted_in_planner_is_restored_without_its_notes(world):
    board = Board(world, "ada")
    world.connect("ada")
    crm_task(world, task_list=board.key(), notes="Internal", start=tomorrow())
    world.settle()
    board.planner.delete_task(board.tasks()[0]["id"])
    world.sync()
    [shown] = board.tasks()
    assert (shown["title"], board.planner.details(shown["id"]).get("description") or "") == ("Order oak", "")
    assert world.settle().writes == []


@rule("TASK-02")
def test_moves_between_buckets_go_both_ways(world):
    board = Board(world, "ada")
    world.connect("ada")
    task = crm_task(world, task_list=board.key())
    world.sync()
    [shown] = board.tasks()
    board.planner.move_task(shown["id"], board.later)
    world.sync()
    task.refresh_from_db()
    assert task.task_list == board.key(board.later)
    task.task_list = board.key()
    task.save()
    world.sync()
    assert board.tasks()[0]["bucketId"] == board.todo["id"]
    assert world.settle().writes == []


@rule("TASK-02")
def test_without_a_list_a_task_goes_to_the_default_one(world):
    board = Board(world, "ada")
    link = world.connect("ada")
    type(link).objects.filter(pk=link.pk).update(default_task_list=f"{board.plan['id']}/{board.later['id']}")
    task = crm_task(world)
    world.sync()
    task.refresh_from_db()
    assert task.task_list == board.key(board.later)
    assert board.tasks()[0]["bucketId"] == board.later["id"]
    assert world.settle().writes == []


@rule("TASK-10")
def test_people_follow_both_ways_and_strangers_stay(world):
    board = Board(world, "ada", "ben", "cleo")
    world.connect("ada")
    world.connect("ben")
    made = board.add("Order oak", assignees=[world.account("ben").upn, world.account("cleo").upn])
    world.sync()
    [task] = crm_tasks()
    assert (task.assigned_to, list(task.users.all())) == (world.user("ben"), [])
    board.planner.assign(made["id"], world.account("ada").upn)
    world.sync()
    assert list(task.users.all()) == [world.user("ada")]
    task.users.clear()
    task.save()
    world.sync()
    assert set(board.tasks()[0]["assignments"]) == {world.account("ben").id, world.account("cleo").id}
    assert world.settle().writes == []
    assert list(task.users.all()) == []


@rule("TASK-10")
def test_a_task_of_strangers_only_stays_in_planner(world):
    board = Board(world, "ada", "cleo")
    world.connect("ada")
    board.add("Order oak", assignees=[world.account("cleo").upn])
    world.sync()
    assert not crm_tasks().exists()


@rule("TASK-04")
def test_on_hold_is_kept_until_planner_says_done(world):
    board = Board(world, "ada")
    world.connect("ada")
    task = crm_task(world, task_list=board.key(), status="on_hold")
    world.settle()
    [shown] = board.tasks()
    board.planner.edit_task(shown["id"], percentComplete=75)
    world.settle()
    task.refresh_from_db()
    assert task.status == "on_hold"
    board.planner.edit_task(shown["id"], percentComplete=100)
    world.settle()
    task.refresh_from_db()
    assert task.status == "done"


@rule("TASK-06", "ORG-09")
def test_the_crm_wins_as_a_whole_record(world):
    board = Board(world, "ada")
    world.organisation(conflict_rule="microsoft")
    world.connect("ada")
    task = crm_task(world, task_list=board.key())
    world.settle()
    board.planner.edit_task(board.tasks()[0]["id"], title="Order ash", priority=1)
    task.notes = "Edited"
    task.save()
    ran = world.sync()
    [shown] = board.tasks()
    task.refresh_from_db()
    assert (shown["title"], task.subject, task.priority) == ("Order oak", "Order oak", "medium")
    assert shown["priority"] == 5
    assert ran.counts(kind="tasks")["conflicts"] == 2
    assert world.settle().writes == []


@rule("TASK-12", "SYNC-08")
def test_a_plan_that_is_closed_loses_no_task(world):
    board = Board(world, "ben", "ada")
    world.connect("ada")
    board.add("Order oak")
    world.settle()
    board.planner.remove_member(board.group, world.account("ada").upn)
    world.sync()
    world.sync(full=True)
    assert crm_tasks().count() == 1
    assert len(board.tasks()) == 1
    assert [row.code for row in world.link("ada").problems.all()] == ["plan_lost"]


@rule("ORG-06", "TASK-12")
def test_one_way_to_the_crm_writes_nothing_to_planner(world):
    board = Board(world, "ada")
    world.organisation(activity_direction="to_crm")
    world.connect("ada")
    board.add("Order oak")
    crm_task(world, subject="Inside", task_list=board.key())
    world.sync()
    task = crm_tasks().get(subject="Order oak")
    task.delete()
    world.sync()
    assert world.settle().writes == []
    assert [shown["title"] for shown in board.tasks()] == ["Order oak"]
    assert not crm_tasks().filter(subject="Order oak").exists()


@rule("TASK-11", "SYNC-04")
@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_lost_answer_doubles_no_task(world, cut):
    board = Board(world, "ada")
    world.connect("ada")
    world.settle()
    crm_task(world, task_list=board.key(), notes="Two metres", start=tomorrow())
    world.sandbox.faults.add(method="POST", path=r"\$batch", inner=False, cut=cut, times=1, skip=1)
    world.sync(kinds=["tasks"])
    world.settle()
    [shown] = board.tasks()
    assert board.planner.details(shown["id"])["description"] == "Two metres"
    assert crm_tasks().count() == 1


@rule("USER-07")
def test_the_preview_shows_tasks_and_writes_nothing(world):
    from django.utils import timezone

    from opencrm_ms365.models import RecordMapping, SyncRun
    from opencrm_ms365.sync.preview import run_preview

    board = Board(world, "ada")
    link = world.connect("ada")
    board.add("Order oak")
    crm_task(world, subject="Order ash", task_list=board.key())
    run = SyncRun.objects.create(link=link, trigger="preview", queued_at=timezone.now())
    run = run_preview(run.pk)
    assert (run.counts["tasks"]["crm"]["created"], run.counts["tasks"]["microsoft"]["created"]) == (1, 1)
    assert (crm_tasks().count(), len(board.tasks()), RecordMapping.objects.count()) == (1, 1, 0)
    assert world.sync().counts(kind="tasks")["crm"] == {"created": 1, "updated": 0, "deleted": 0}


@rule("TASK-11", "SYNC-05")
def test_an_idle_plan_of_400_tasks_costs_one_request_for_the_organisation(world):
    board = Board(world, "ada", "ben")
    world.connect("ada")
    world.connect("ben")
    for number in range(400):
        board.add(f"Number {number}")
    world.sync("ada")
    assert crm_tasks().count() == 400
    world.sync()
    ran = world.sync(kinds=["tasks"])
    assert (len(ran.requests), ran.writes) == (1, [])


@rule("TASK-02")
def test_moves_between_plans_go_both_ways(world):
    board = Board(world, "ada")
    other = board.planner.add_plan(board.group, "Office")
    bucket = board.planner.add_bucket(other, "Desk")
    away = f"planner:{other['id']}/{bucket['id']}"
    world.connect("ada")
    task = crm_task(world, task_list=board.key())
    world.settle()
    [shown] = board.tasks()
    board.planner.move_task(shown["id"], bucket, other)
    world.sync()
    task.refresh_from_db()
    assert task.task_list == away
    task.task_list = board.key()
    task.save()
    world.settle()
    task.refresh_from_db()
    assert ([shown["title"] for shown in board.tasks()], board.planner.tasks(other)) == (["Order oak"], [])
    assert (task.task_list, crm_tasks().count()) == (board.key(), 1)


@rule("ORG-13", "TASK-12")
def test_many_deletions_in_planner_wait_for_an_administrator(world):
    world.organisation(microsoft_deletion="delete")
    board = Board(world, "ada")
    world.connect("ada")
    for number in range(12):
        board.add(f"Number {number}")
    world.settle()
    for shown in board.tasks():
        board.planner.delete_task(shown["id"])
    world.sync()
    assert crm_tasks().count() == 12
    assert [row.reason for row in world.link("ada").held.all()] == ["deletion_guard"]
