"""Planner as its users have it: the Python API, the control API, the demo's plans, and what a restart keeps."""

import pytest
import requests

from opencrm_ms365.sandbox import Sandbox, seed
from opencrm_ms365.sandbox.planner_store import Planner
from opencrm_ms365.sandbox.refusal import Refusal
from opencrm_ms365.sandbox.state_file import load, save

from .test_planner import team

__all__ = ["team"]

ADA, BEN, CLEO = (f"{name}@{seed.DOMAIN}" for name in ("ada.lindqvist", "ben.okafor", "cleo.martin"))


@pytest.fixture
def demo():
    sandbox = Sandbox()
    seed.demo(sandbox)
    return sandbox


def test_who_acts_is_told_by_the_task(team):
    ben = team.sandbox.planner("ben@brightwell.example")
    made = ben.add_task("Spring fair", "Next", ["ada@brightwell.example"], title="Order oak",
                        dueDateTime="2026-12-01", description="Two metres")
    assert made["createdBy"]["user"]["id"] == ben.account.id
    assert made["dueDateTime"] == "2026-12-01T10:00:00Z"          # the time of day that Planner's page writes
    assert list(made["assignments"]) == [team.ada.account.id]
    done = team.user.edit_task(made["id"], percentComplete=100)
    assert done["completedBy"]["user"]["id"] == team.ada.account.id
    assert ben.details(made["id"])["description"] == "Two metres"
    assert ben.find_tasks(title="Order oak") == [ben.task(made["id"])] == ben.tasks("Spring fair")


def test_tasks_are_moved_assigned_and_deleted(team):
    user, task = team.user, team.user.add_task(team.plan, team.next, title="Order oak")
    elsewhere = user.add_plan("Workshop", "Autumn fair")
    user.add_bucket(elsewhere, "Ideas")
    assert user.move_task(task["id"], "Later")["bucketId"] == team.later["id"]
    team.sandbox.options.planner_patch_plan = "refused"         # which holds for the API, not for Planner's own page
    moved = user.move_task(task["id"], "Ideas", "Autumn fair")
    assert moved["planId"] == elsewhere["id"]
    user.assign(task["id"], "ben@brightwell.example", "cleo@brightwell.example")
    assert user.unassign(task["id"], "ben@brightwell.example")["assignments"].keys() == {team.cleo.account.id}
    assert team.cleo.account.id in user.groups()[0]["members"]  # Planner's page lets in whom it assigns
    user.delete_task(task["id"])
    assert user.tasks() == []
    user.delete_plan("Autumn fair")
    assert [plan["title"] for plan in user.plans("Workshop")] == ["Spring fair"]


def test_the_checklist_keeps_its_order(team):
    task = team.user.add_task(team.plan, title="Order oak")
    keys = [team.user.add_checklist_item(task["id"], title) for title in ("Measure", "Ring", "Pay")]
    team.user.tick(task["id"], keys[1])
    lines = team.user.details(task["id"])["checklist"]
    assert sorted(lines, key=lambda key: lines[key]["orderHint"]) == keys
    assert [lines[key]["isChecked"] for key in keys] == [False, True, False]
    assert team.user.task(task["id"])["activeChecklistItemCount"] == 2
    team.user.remove_checklist_item(task["id"], keys[0])
    with pytest.raises(Refusal, match="not found"):
        team.user.tick(task["id"], keys[0])


def test_plans_of_others_cannot_be_reached(team):
    cleo = team.sandbox.planner("cleo@brightwell.example")
    with pytest.raises(Refusal, match="permissions"):
        cleo.tasks(team.plan)
    assert cleo.plans() == [] and cleo.tasks() == []
    team.user.share_plan(team.plan, "ben@brightwell.example")
    assert len(team.ben.get("/me/planner/plans").json()["value"]) == 1


def test_the_demo_has_two_groups_three_plans_and_tasks_of_all_sorts(demo):
    ben = demo.planner(BEN)
    assert {group["displayName"] for group in ben.groups()} == {"Sales", "Workshop"}
    assert [plan["title"] for plan in ben.plans()] == ["Trade fair Newcastle", "Follow-ups", "Orders"]
    assert [plan["title"] for plan in demo.planner(CLEO).plans()] == ["Orders"]
    tasks = ben.tasks()
    assert {task["percentComplete"] for task in tasks} == {0, 50, 100}
    assert {bool(task["dueDateTime"]) for task in tasks} == {True, False}
    assert {len(task["assignments"]) for task in tasks} == {0, 1, 2}
    assert any(task["hasDescription"] and task["checklistItemCount"] for task in tasks)
    for plan in ben.plans():
        assert len(ben.buckets(plan)) in (3, 4)


def test_a_restart_keeps_groups_plans_and_versions(demo, tmp_path):
    ben = demo.planner(BEN)
    task = ben.tasks("Orders")[0]
    stale = task["@odata.etag"]
    ben.edit_task(task["id"], title="Changed")
    save(demo, tmp_path / "state.json")

    second = Sandbox()
    load(second, tmp_path / "state.json")

    again = second.planner(BEN)
    assert again.tasks() == ben.tasks() and again.groups() == ben.groups()
    assert again.details(task["id"]) == ben.details(task["id"])
    found = second.world.part(Planner).items["Task"][task["id"]]
    assert found.changed_since(stale, second.options) == {"title"}
    newer = again.edit_task(task["id"], title="Changed again")
    assert newer["@odata.etag"] > ben.task(task["id"])["@odata.etag"]


@pytest.mark.facts("15.40")
def test_15_40_planner_over_the_control_api(team):
    def control(action, **body):
        body = {"account": "ben@brightwell.example", **body}
        answer = requests.post(f"{team.ada.base_url}/control/planner/{action}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    made = control("add_task", plan="Spring fair", bucket="Next", values={"title": "Order oak", "priority": 1})
    assert team.task(made)["priority"] == 1
    assert control("edit_task", task_id=made["id"], values={"percentComplete": 50})["percentComplete"] == 50
    assert [task["title"] for task in control("tasks", plan="Spring fair")] == ["Order oak"]
    listed = requests.get(f"{team.ada.base_url}/control/", timeout=10).json()["result"]
    assert listed["planner/move_task"]["arguments"] == ["account", "task_id", "bucket", "plan"]
    refused = requests.post(f"{team.ada.base_url}/control/planner/tasks", timeout=10, json={
        "account": "cleo@brightwell.example", "plan": team.plan["id"]})
    assert refused.status_code == 400 and "permissions" in refused.json()["error"]
