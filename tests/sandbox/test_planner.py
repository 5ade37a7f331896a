"""Planner over HTTP: plans, buckets and tasks, their versions, and who may reach them (facts 9, 15.30 to 15.35)."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.sandbox.planner_items import Kind, etag_text, version_number

from .person import Person, code

SCOPES = "User.Read Tasks.ReadWrite GroupMember.Read.All"
AS_NEW = {"Prefer": "return=representation"}


@pytest.fixture
def team(sandbox, base_url, tenant):
    """Ada and Ben in one group, Cleo outside, with a plan of two buckets."""
    return Team(sandbox, base_url, tenant)


class Team:
    def __init__(self, sandbox, base_url, tenant):
        self.sandbox = sandbox
        accounts = [sandbox.add_user(tenant, f"{name}@brightwell.example") for name in ("ada", "ben", "cleo")]
        self.ada, self.ben, self.cleo = (Person(sandbox, base_url, account, SCOPES) for account in accounts)
        user = sandbox.planner(accounts[0])
        self.group = user.add_group("Workshop", ["ben@brightwell.example"])
        self.plan = user.add_plan(self.group["id"], "Spring fair")
        self.next, self.later = (user.add_bucket(self.plan["id"], name) for name in ("Next", "Later"))
        self.user = user

    def add(self, title="Order oak", person=None, **json):
        answer = (person or self.ada).post("/planner/tasks", {"planId": self.plan["id"], "title": title, **json})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def task(self, task, person=None):
        return (person or self.ada).get(f"/planner/tasks/{task['id']}").json()

    def details(self, task):
        answer = self.ada.get(f"/planner/tasks/{task['id']}/details")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def patch(self, task, json, *, etag=None, person=None, headers=None, path=""):
        given = {"If-Match": etag or task["@odata.etag"], **(headers or AS_NEW)}
        return (person or self.ada).patch(f"/planner/tasks/{task['id']}{path}", json, headers=given, prefer=None)

    def patch_details(self, task, json, etag=None):
        return self.patch(task, json, etag=etag or self.details(task)["@odata.etag"], path="/details")


def person_entry(hint=" !"):
    return {"@odata.type": "#microsoft.graph.plannerAssignment", "orderHint": hint}


def item(title, **more):
    return {"@odata.type": "microsoft.graph.plannerChecklistItem", "title": title, **more}


# Identifiers and versions

@pytest.mark.facts("15.30")
def test_15_30_ids_have_28_characters_and_their_case_matters(team):
    task = team.add()
    for made in (team.plan, team.next, task):
        assert len(made["id"]) == 28
    assert team.ada.get(f"/planner/tasks/{task['id'].swapcase()}").status_code == 404
    for path in ("tasks/abc", f"tasks/{task['id']}x", "plans/1", "buckets/1", "tasks/1/details", "plans/1/tasks"):
        assert code(team.ada.get(f"/planner/{path}")) == (400, "")
    assert code(team.ada.post("/planner/tasks", {"planId": "short", "title": "x"})) == (400, "")


@pytest.mark.facts("15.30")
def test_15_30_each_resource_has_etags_of_its_own_that_grow(team):
    task = team.add()
    details = team.details(task)
    plan = team.ada.get(f"/planner/plans/{team.plan['id']}").json()
    plan_details = team.ada.get(f"/planner/plans/{team.plan['id']}/details").json()
    bucket = team.ada.get(f"/planner/buckets/{team.next['id']}").json()
    etags = [part["@odata.etag"] for part in (task, details, plan, plan_details, bucket)]
    assert len(set(etags)) == 5 and all(etag.startswith('W/"JzEt') for etag in etags)
    seen = [task["@odata.etag"]]
    for percent in (50, 100, 0):
        seen.append(team.patch(team.task(task), {"percentComplete": percent}).json()["@odata.etag"])
    assert seen == sorted(seen) and len(set(seen)) == 4
    assert team.details(task)["@odata.etag"] == details["@odata.etag"]      # a task's change is none of its details


@given(st.sampled_from(list(Kind)), st.integers(0, 10**16 - 2), st.integers(1, 10**9))
def test_a_newer_etag_is_greater_in_ordinal_order(kind, number, more):
    later = min(number + more, 10**16 - 1)
    assert etag_text(kind, number) < etag_text(kind, later)
    assert version_number(kind, etag_text(kind, number)) == number
    assert all(version_number(other, etag_text(kind, number)) is None for other in Kind if other is not kind)


@pytest.mark.facts("15.31")
def test_15_31_writes_need_if_match(team):
    task = team.add()
    paths = (f"tasks/{task['id']}", f"tasks/{task['id']}/details", f"buckets/{team.next['id']}",
             f"plans/{team.plan['id']}", f"plans/{team.plan['id']}/details")
    for path in paths:
        answer = team.ada.patch(f"/planner/{path}", {})
        assert code(answer) == (412, "")
        assert answer.json()["error"]["message"] == "The If-Match header must be specified for this kind of request."
        assert team.ada.patch(f"/planner/{path}", {}, headers={"If-Match": "*"}).status_code == 412
    assert code(team.ada.delete(f"/planner/tasks/{task['id']}")) == (412, "")


@pytest.mark.facts("15.31")
def test_15_31_an_etag_of_something_else_is_refused(team):
    task, other = team.add(), team.add("Another")
    wrong = [(task["@odata.etag"], "/details"), (team.details(task)["@odata.etag"], ""), (other["@odata.etag"], ""),
             ('W/"nonsense"', ""), (task["@odata.etag"].strip('W/"'), ""),
             (task["@odata.etag"].replace('"', '\\"'), "")]
    for etag, path in wrong:
        answer = team.patch(task, {}, etag=etag, path=path)
        assert code(answer) == (412, "")
        assert answer.json()["error"]["message"] == "The If-Match header contains an invalid value."
    answer = team.ada.delete(f"/planner/tasks/{task['id']}", headers={"If-Match": other["@odata.etag"]})
    assert answer.status_code == 412


@pytest.mark.facts("15.31")
def test_15_31_a_stale_version_is_merged_or_conflicts(team):
    task = team.add(assignments={team.ada.account.id: person_entry()})
    assert team.patch(task, {"title": "Order ash"}, person=team.ben).status_code == 200

    conflict = team.patch(task, {"title": "Order elm"})
    merged = team.patch(task, {"percentComplete": 50, "assignments": {team.ben.account.id: person_entry()}})
    same = team.patch(task, {"title": "Order ash"})

    assert code(conflict) == (409, "")
    assert conflict.json()["error"]["message"].startswith("The attempted changes conflicted with already accepted")
    assert merged.json()["title"] == "Order ash" and merged.json()["percentComplete"] == 50
    assert len(merged.json()["assignments"]) == 2
    assert same.status_code == 200


@pytest.mark.facts("15.31")
def test_15_31_keys_of_open_types_conflict_one_by_one(team):
    task = team.add()
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    etag = team.details(task)["@odata.etag"]
    assert team.patch_details(task, {"checklist": {first: item("Measure")}}, etag).status_code == 200
    assert team.patch_details(task, {"checklist": {second: item("Saw")}}, etag).status_code == 200
    assert code(team.patch_details(task, {"checklist": {first: item("Measure twice")}}, etag)) == (409, "")
    assert len(team.details(task)["checklist"]) == 2


@pytest.mark.facts("15.31")
def test_15_31_versions_that_are_no_longer_known_are_refused(team):
    task = team.add()
    team.sandbox.options.planner_versions_kept = 2
    for percent in (10, 20, 30):
        team.user.edit_task(task["id"], percentComplete=percent)
    assert code(team.patch(task, {"title": "Late"})) == (412, "")


def test_a_deletion_conflicts_with_any_newer_version(team):
    task = team.add()
    team.patch_details(task, {"description": "Two metres"})
    stale = team.ada.delete(f"/planner/tasks/{task['id']}", headers={"If-Match": task["@odata.etag"]})
    gone = team.ada.delete(f"/planner/tasks/{task['id']}", headers={"If-Match": team.task(task)["@odata.etag"]})
    assert code(stale) == (409, "") and gone.status_code == 204 and gone.content == b""
    assert code(team.ada.get(f"/planner/tasks/{task['id']}")) == (404, "")
    assert team.ada.get(f"/planner/tasks/{task['id']}/details").status_code == 404


# Writing tasks

@pytest.mark.facts("15.32")
def test_15_32_a_patch_answers_nothing_unless_asked(team):
    task = team.add()
    plain = team.patch(task, {"priority": 1}, headers={"Prefer": "odata.maxpagesize=5"})
    full = team.patch(task, {"percentComplete": 50})
    assert plain.status_code == 204 and plain.content == b""
    assert full.status_code == 200 and full.headers["Preference-Applied"] == "return=representation"
    assert full.json()["priority"] == 1 and full.json()["@odata.etag"] > task["@odata.etag"]


@pytest.mark.facts("15.32")
def test_15_32_completion_follows_the_percentage(team):
    team.sandbox.clock.freeze()
    task = team.add()
    assert task["completedBy"] is None and task["createdBy"]["user"]["id"] == team.ada.account.id
    done = team.patch(task, {"percentComplete": 100}, person=team.ben).json()
    assert done["completedBy"]["user"]["id"] == team.ben.account.id
    assert done["completedDateTime"].startswith(f"{team.sandbox.clock.now():%Y-%m-%dT%H:%M:%S}")
    again = team.patch(done, {"percentComplete": 99}).json()
    assert again["completedBy"] is None and again["completedDateTime"] is None
    assert team.add(percentComplete=100)["completedBy"]["user"]["id"] == team.ada.account.id


@pytest.mark.facts("15.32")
def test_15_32_details_move_the_task(team):
    task = team.add()
    key, link = str(uuid.uuid4()), "https%3A//crm%2Eexample/tasks/7"
    details = team.patch_details(task, {
        "description": "Two metres", "previewType": "checklist",
        "checklist": {key: item("Measure", isChecked=True), str(uuid.uuid4()): item("Saw")},
        "references": {link: {"@odata.type": "microsoft.graph.plannerExternalReference", "alias": "CRM"}},
    }).json()
    assert details["checklist"][key]["lastModifiedBy"]["user"]["id"] == team.ada.account.id
    assert details["references"][link]["alias"] == "CRM"
    now = team.task(task)
    assert now["@odata.etag"] > task["@odata.etag"]
    assert (now["hasDescription"], now["previewType"], now["checklistItemCount"], now["activeChecklistItemCount"],
            now["referenceCount"]) == (True, "checklist", 2, 1, 1)


@pytest.mark.parametrize(("switch", "moves"), [("moves", True), ("quiet", False)])
def test_an_edit_of_the_description_alone_is_a_switch(team, switch, moves):
    task = team.add()
    team.patch_details(task, {"description": "One"})
    before = team.task(task)["@odata.etag"]
    team.sandbox.options.planner_description_edit = switch
    team.patch_details(task, {"description": "Two"})
    assert (team.task(task)["@odata.etag"] != before) is moves


def test_a_write_without_change_is_a_switch(team):
    task = team.add()
    assert team.patch(task, {"title": task["title"]}).json()["@odata.etag"] == task["@odata.etag"]
    team.sandbox.options.planner_patch_without_change = "touches"
    assert team.patch(task, {"title": task["title"]}).json()["@odata.etag"] > task["@odata.etag"]


def test_an_etag_may_move_by_itself(team):
    task = team.add()
    touched = team.user.touch_task(task["id"])
    assert touched["@odata.etag"] > task["@odata.etag"]
    assert team.patch(task, {"title": "No conflict"}).status_code == 200
    assert team.ada.get(f"/planner/tasks/{task['id']}/bucketTaskBoardFormat").status_code == 501


def test_details_come_a_moment_later_on_request(team):
    team.sandbox.clock.freeze()
    team.sandbox.options.set(planner_details_delay_s=2.0, planner_list_delay_s=2.0)
    task = team.add()
    tasks = f"/planner/plans/{team.plan['id']}/tasks"
    assert team.ada.get(f"/planner/tasks/{task['id']}/details").status_code == 404
    assert team.ada.get(tasks).json()["value"] == []
    assert team.ada.get(f"/planner/tasks/{task['id']}").status_code == 200
    team.sandbox.clock.advance(2)
    assert team.details(task)["description"] == ""
    assert len(team.ada.get(tasks).json()["value"]) == 1


@pytest.mark.parametrize("json", [
    {"title": ""}, {"title": None}, {"title": "x" * 256}, {"percentComplete": 101}, {"percentComplete": -1},
    {"percentComplete": "50"}, {"priority": 11}, {"priority": None}, {"favouriteColour": "red"},
    {"startDateTime": "2026-12-02T10:00:00Z", "dueDateTime": "2026-12-01T10:00:00Z"}, {"dueDateTime": "soon"},
    {"bucketId": "short"}, {"orderHint": "abc"}, {"orderHint": "8585P"}, {"details": {"description": "no"}},
])
def test_what_makes_no_sense_is_refused(team, json):
    task = team.add()
    assert team.patch(task, json).status_code == 400
    assert team.task(task) == {**task, "@odata.context": team.task(task)["@odata.context"]}
    assert team.ada.post("/planner/tasks", {"planId": team.plan["id"], "title": "x", **json}).status_code == 400


def test_a_task_needs_a_title_and_a_plan(team):
    assert team.ada.post("/planner/tasks", {"title": "x"}).status_code == 400
    assert team.ada.post("/planner/tasks", {"planId": team.plan["id"]}).status_code == 400
    read_only = team.add(completedBy=None, hasDescription=True, id="A" * 28)
    assert read_only["hasDescription"] is False and read_only["id"] != "A" * 28
    team.sandbox.options.read_only_properties = "refused"
    assert team.ada.post("/planner/tasks", {"planId": team.plan["id"], "title": "x", "hasDescription": True}
                         ).status_code == 400


def test_dates_are_instants_and_null_clears_them(team):
    task = team.add(dueDateTime="2026-12-01T12:30:00+02:00")
    assert task["dueDateTime"] == "2026-12-01T10:30:00Z"
    assert team.patch(task, {"dueDateTime": None}).json()["dueDateTime"] is None


def test_a_bucket_must_be_in_the_plan(team):
    other = team.user.add_bucket(team.user.add_plan(team.group["id"], "Autumn fair")["id"], "Elsewhere")
    task = team.add(bucketId=team.next["id"])
    assert team.patch(task, {"bucketId": team.later["id"]}).json()["bucketId"] == team.later["id"]
    assert team.patch(team.task(task), {"bucketId": other["id"]}).status_code == 400
    assert team.patch(team.task(task), {"bucketId": None}).json()["bucketId"] is None


def test_another_plan_by_patch_is_a_switch(team):
    plan = team.user.add_plan(team.group["id"], "Autumn fair")
    bucket = team.user.add_bucket(plan["id"], "Ideas")
    task = team.add(bucketId=team.next["id"])
    moved = team.patch(task, {"planId": plan["id"], "bucketId": bucket["id"]}).json()
    assert (moved["planId"], moved["bucketId"], moved["id"]) == (plan["id"], bucket["id"], task["id"])
    assert team.patch(moved, {"planId": team.plan["id"]}).json()["bucketId"] is None
    team.sandbox.options.planner_patch_plan = "refused"
    assert team.patch(team.task(task), {"planId": plan["id"]}).status_code == 400
    team.sandbox.options.planner_patch_plan = "ignored"
    still = team.patch(team.task(task), {"planId": plan["id"], "bucketId": bucket["id"], "title": "Moved?"}).json()
    assert (still["planId"], still["bucketId"], still["title"]) == (team.plan["id"], None, "Moved?")


def test_line_ends_of_a_description_are_a_switch(team):
    task = team.add()
    for switch, stored in (("as_sent", "a\nb\r\nc"), ("crlf", "a\r\nb\r\nc"), ("lf", "a\nb\nc")):
        team.sandbox.options.planner_line_ends = switch
        assert team.patch_details(task, {"description": "a\nb\r\nc"}).json()["description"] == stored


def test_the_bucket_of_a_deleted_one_takes_its_tasks_along(team):
    task = team.add(bucketId=team.next["id"])
    bucket = team.ada.get(f"/planner/buckets/{team.next['id']}").json()
    answer = team.ada.delete(f"/planner/buckets/{bucket['id']}", headers={"If-Match": bucket["@odata.etag"]})
    assert answer.status_code == 204
    assert team.ada.get(f"/planner/tasks/{task['id']}").status_code == 404
