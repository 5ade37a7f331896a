"""Planner over HTTP: open types, lists, access, limits, plans and groups (facts 9, 15.33 to 15.36)."""

import itertools
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencrm_ms365.sandbox import planner_hints
from opencrm_ms365.sandbox.refusal import Refusal

from .person import Person, code
from .test_planner import item, person_entry, team

__all__ = ["team"]


# Open types and order hints

@pytest.mark.facts("15.33")
def test_15_33_assignments_merge_person_by_person(team):
    ada, ben = team.ada.account.id, team.ben.account.id
    task = team.add(assignments={ada: person_entry()})
    assert task["assignments"][ada]["assignedBy"]["user"]["id"] == ada
    both = team.patch(task, {"assignments": {ben: person_entry()}}).json()
    assert set(both["assignments"]) == {ada, ben}
    one = team.patch(both, {"assignments": {ada: None}}).json()
    assert set(one["assignments"]) == {ben}
    assert one["assignments"][ben]["@odata.type"] == "#microsoft.graph.plannerAssignment"


@pytest.mark.facts("15.33")
@pytest.mark.parametrize("value", [
    {}, {"orderHint": " !"}, {"@odata.type": "microsoft.graph.plannerAssignment"},
    {"@odata.type": "microsoft.graph.plannerTask", "orderHint": " !"}, person_entry("8585P"), person_entry(7), True,
    person_entry(" ü!"),
])
def test_15_33_a_value_needs_its_type_and_an_order_hint(team, value):
    assert team.patch(team.add(), {"assignments": {team.ben.account.id: value}}).status_code == 400


@pytest.mark.facts("15.33")
def test_15_33_a_returned_order_hint_may_not_be_sent_back(team):
    task = team.add(assignments={team.ada.account.id: person_entry()})
    returned = task["assignments"][team.ada.account.id]["orderHint"]
    assert returned != " !" and " " not in returned
    assert team.patch(task, {"assignments": {team.ben.account.id: person_entry(returned)}}).status_code == 400
    assert team.patch(task, {"assignments": {team.ben.account.id: person_entry(f"{returned} !")}}).status_code == 200
    hints = team.task(task)["assignments"]
    assert hints[team.ben.account.id]["orderHint"] > returned


@pytest.mark.facts("15.33")
def test_15_33_checklists_labels_and_links(team):
    task, key = team.add(), str(uuid.uuid4())
    team.patch_details(task, {"checklist": {key: item("Measure")}})
    checked = team.patch_details(task, {"checklist": {key: {
        "@odata.type": "microsoft.graph.plannerChecklistItem", "isChecked": True}}}).json()
    assert (checked["checklist"][key]["title"], checked["checklist"][key]["isChecked"]) == ("Measure", True)
    for bad in ({key: {"title": "no type"}}, {"not a guid": item("x")}, {key: item("")}, {}, None):
        assert team.patch_details(task, {"checklist": bad}).status_code == 400
    assert team.patch_details(task, {"checklist": {key: None}}).json()["checklist"] == {}

    link = {"@odata.type": "microsoft.graph.plannerExternalReference", "alias": "CRM", "previewPriority": " !"}
    assert team.patch_details(task, {"references": {"https://crm.example": link}}).status_code == 400
    encoded = team.patch_details(task, {"references": {"https%3A//crm%2Eexample": link}}).json()
    assert list(encoded["references"]) == ["https%3A//crm%2Eexample"]

    labels = team.patch(team.task(task), {"appliedCategories": {"category3": True, "category25": True}}).json()
    assert labels["appliedCategories"] == {"category3": True, "category25": True}
    labels = team.patch(labels, {"appliedCategories": {"category3": False, "category25": None, "category1": True}})
    assert labels.json()["appliedCategories"] == {"category1": True}
    for bad in ({"category26": True}, {"category1": "yes"}, {"category1": 1}):
        assert team.patch(team.task(task), {"appliedCategories": bad}).status_code == 400


@pytest.mark.facts("15.33")
def test_15_33_things_stand_where_a_client_puts_them(team):
    first, second = team.add("First"), team.add("Second")
    assert second["orderHint"] < first["orderHint"]                 # without a hint: on top
    between = team.add("Between", orderHint=f"{second['orderHint']} {first['orderHint']}!")
    last = team.patch(second, {"orderHint": f"{first['orderHint']} !"}).json()
    assert between["orderHint"] < first["orderHint"] < last["orderHint"]
    bucket = team.ada.post("/planner/buckets", {"name": "Middle", "planId": team.plan["id"],
                                                "orderHint": f"{team.next['orderHint']} {team.later['orderHint']}!"})
    assert team.next["orderHint"] < bucket.json()["orderHint"] < team.later["orderHint"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.booleans()), max_size=60))
def test_hints_keep_the_order_that_was_asked_for(moves):
    """Put each new thing somewhere into the list, as a client would ask for it; the values must sort like the list."""
    hints = []
    for where, at_end in moves:
        place = len(hints) if at_end else int(where * (len(hints) + 1))
        before = hints[place - 1] if place else ""
        after = hints[place] if place < len(hints) else ""
        hints.insert(place, planner_hints.computed(planner_hints.checked("orderHint", f"{before} {after}!"), hints))
        assert hints == sorted(hints) and len(set(hints)) == len(hints)
    for hint in hints:
        with pytest.raises(Refusal):
            planner_hints.checked("orderHint", hint)


def test_hints_composed_on_the_client_are_understood():
    """The worked example of "Using order hints in Planner"."""
    stored = {"1": "5637", "2": "adhg"}
    sent = {"3": " 5637!", "4": "5637 adhg!", "5": " 5637! 5637 adhg!!", "1": "adhg ! !"}
    for name, hint in sent.items():
        others = [value for key, value in stored.items() if key != name]
        stored[name] = planner_hints.computed(planner_hints.checked("orderHint", hint), others)
    assert sorted(stored, key=lambda name: stored[name]) == ["3", "5", "4", "2", "1"]


# Lists

@pytest.mark.facts("15.34")
def test_15_34_query_options_are_ignored(team):
    for number in range(3):
        team.add(f"Task {number}")
    tasks = f"/planner/plans/{team.plan['id']}/tasks"
    for option in ("$filter=title eq 'Task 1'", "$top=1", "$skip=2", "$orderby=title desc", "$search=x", "$count=true",
                   "$filter=nonsense((", "$select=nothing,title"):
        answer = team.ada.get(f"{tasks}?{option}")
        assert answer.status_code == 200
        assert [task["title"] for task in answer.json()["value"]] == ["Task 0", "Task 1", "Task 2"]


@pytest.mark.facts("15.34")
def test_15_34_the_service_chooses_the_page_size(team):
    team.sandbox.options.planner_page_size = 2
    made = [team.add(f"Task {number}") for number in range(5)]
    link, sizes, ids = f"/planner/plans/{team.plan['id']}/tasks?$top=100", [], []
    while link:
        body = team.ada.get(link, prefer="odata.maxpagesize=50").json()
        sizes.append(len(body["value"]))
        ids += [task["id"] for task in body["value"]]
        link = body.get("@odata.nextLink")
        if len(sizes) == 1:
            team.user.delete_task(made[0]["id"])        # the pages that follow lose nothing by it
    assert sizes == [2, 2, 1] and ids == [task["id"] for task in made]
    assert team.sandbox.options.__class__().planner_page_size == 400
    bad = team.ada.get(f"/planner/plans/{team.plan['id']}/tasks?$skiptoken=abc")
    assert bad.status_code == 400


def test_select_and_expand_are_a_switch(team):
    task = team.add()
    tasks = f"/planner/plans/{team.plan['id']}/tasks?$select=title&$expand=details"
    [shown] = team.ada.get(tasks).json()["value"]
    assert set(shown) == {"@odata.etag", "id", "title", "details"}
    assert shown["details"]["@odata.etag"] == team.details(task)["@odata.etag"]
    team.sandbox.options.planner_select = "ignored"
    [shown] = team.ada.get(tasks).json()["value"]
    assert "details" not in shown and "percentComplete" in shown


def test_own_tasks_are_those_assigned_not_those_created(team):
    assigned = team.add("Assigned", team.ben, assignments={team.ada.account.id: person_entry()})
    team.add("Created only")
    assert [task["id"] for task in team.ada.get("/me/planner/tasks").json()["value"]] == [assigned["id"]]
    in_bucket = team.add("In a bucket", bucketId=team.next["id"])
    assert [task["id"] for task in team.ada.get(f"/planner/buckets/{team.next['id']}/tasks").json()["value"]] \
        == [in_bucket["id"]]


def test_own_plans_are_those_shared_not_those_of_ones_groups(team):
    def plans(person):
        return [plan["title"] for plan in person.get("/me/planner/plans").json()["value"]]

    assert plans(team.ada) == ["Spring fair"] and plans(team.ben) == []
    path = f"/planner/plans/{team.plan['id']}/details"
    etag = team.ada.get(path).json()["@odata.etag"]
    answer = team.ada.patch(path, {"sharedWith": {team.ben.account.id: True},
                                   "categoryDescriptions": {"category1": "Urgent"}}, headers={"If-Match": etag})
    assert answer.status_code == 204
    assert plans(team.ben) == ["Spring fair"]
    details = team.ada.get(path).json()
    assert details["categoryDescriptions"]["category1"] == "Urgent"
    assert details["categoryDescriptions"]["category2"] is None


# Who may

@pytest.mark.facts("15.35")
@pytest.mark.parametrize("status", [403, 404])
def test_15_35_membership_decides(team, status):
    team.sandbox.options.planner_no_access = status
    task = team.add()
    task_path, plan_path = f"/planner/tasks/{task['id']}", f"/planner/plans/{team.plan['id']}"
    paths = (task_path, f"{task_path}/details", plan_path, f"{plan_path}/tasks", f"{plan_path}/buckets",
             f"/planner/buckets/{team.next['id']}", f"/groups/{team.group['id']}/planner/plans")
    assert {team.cleo.get(path).status_code for path in paths} == {status}
    assert {team.ben.get(path).status_code for path in paths} == {200}
    assert team.patch(task, {"title": "x"}, person=team.cleo).status_code == status
    assert team.cleo.post("/planner/tasks", {"planId": team.plan["id"], "title": "x"}).status_code == status

    team.user.add_member(team.group["id"], team.cleo.account.upn)
    team.user.remove_member(team.group["id"], team.ben.account.upn)
    assert {team.cleo.get(path).status_code for path in paths} == {200}
    assert {team.ben.get(path).status_code for path in paths} == {status}


def test_an_owner_who_is_no_member_has_no_access(team):
    group = team.user.add_group("Board", owners=[team.cleo.account.upn])
    plan = team.user.add_plan(group["id"], "Secrets")
    assert team.cleo.get(f"/planner/plans/{plan['id']}").status_code == 403
    owners = team.ada.get(f"/groups/{group['id']}/owners").json()["value"]
    assert {owner["displayName"] for owner in owners} == {"Ada", "Cleo"}


def test_a_deleted_group_takes_its_plans_along_and_brings_them_back(team):
    task = team.add()
    team.user.delete_group(team.group["id"])
    assert team.ada.get(f"/planner/tasks/{task['id']}").status_code == 404
    assert team.ada.get(f"/groups/{team.group['id']}/planner/plans").status_code == 404
    assert team.ada.get("/me/memberOf").json()["value"] == []
    team.user.restore_group(team.group["id"])
    assert team.ada.get(f"/planner/tasks/{task['id']}").status_code == 200


@pytest.mark.facts("15.35")
@pytest.mark.parametrize(("switch", "code_", "act"), [
    ("planner_max_tasks", "MaximumTasksInProject", "task"),
    ("planner_max_active_tasks", "MaximumActiveTasksInProject", "task"),
    ("planner_max_created_tasks", "MaximumTasksCreatedByUser", "task"),
    ("planner_max_assigned_tasks", "MaximumTasksAssignedToUser", "assign"),
    ("planner_max_assignees", "MaximumAssigneesInTasks", "assign"),
    ("planner_max_checklist", "MaximumChecklistItemsOnTask", "checklist"),
    ("planner_max_references", "MaximumReferencesOnTask", "reference"),
    ("planner_max_buckets", "MaximumBucketsInProject", "bucket"),
    ("planner_max_plans", "MaximumProjectsOwnedByUser", "plan"),
    ("planner_max_shared_plans", "MaximumProjectsSharedWithUser", "plan"),
    ("planner_max_shared_with", "MaximumUsersSharedWithProject", "share"),
])
def test_15_35_each_limit_has_its_code(team, switch, code_, act):
    task = team.add()
    plan = team.plan["id"]
    people = {team.ada.account.id: person_entry(), team.ben.account.id: person_entry()}
    reference = {"https%3A//crm%2Eexample": {"@odata.type": "microsoft.graph.plannerExternalReference", "alias": "x"}}

    def share():
        path = f"/planner/plans/{plan}/details"
        return team.ada.patch(path, {"sharedWith": {team.ben.account.id: True}},
                              headers={"If-Match": team.ada.get(path).json()["@odata.etag"]})

    acts = {
        "task": lambda: team.ada.post("/planner/tasks", {"planId": plan, "title": "One more"}),
        "assign": lambda: team.patch(task, {"assignments": people}),
        "checklist": lambda: team.patch_details(task, {"checklist": {str(uuid.uuid4()): item("x")}}),
        "reference": lambda: team.patch_details(task, {"references": reference}),
        "bucket": lambda: team.ada.post("/planner/buckets", {"planId": plan, "name": "One more"}),
        "plan": lambda: team.ada.post("/planner/plans", {"owner": team.group["id"], "title": "One more"}),
        "share": share,
    }
    team.sandbox.options.set(**{switch: 0 if act in ("checklist", "reference", "assign") else 1})
    if act == "bucket":
        team.sandbox.options.planner_max_buckets = 2
    assert code(acts[act]()) == (403, code_)
    if act == "plan" and code_ == "MaximumProjectsOwnedByUser":
        team.sandbox.options.planner_max_plans_code = "MaximumPlannerPlans"
        assert code(acts[act]()) == (403, "MaximumPlannerPlans")
    team.sandbox.options.reset()
    assert acts[act]().status_code < 300


def test_a_completed_task_counts_no_longer_as_active(team):
    team.sandbox.options.planner_max_active_tasks = 1
    done = team.add(percentComplete=100)
    team.add()
    assert code(team.patch(done, {"percentComplete": 50})) == (403, "MaximumActiveTasksInProject")


@pytest.mark.facts("15.35")
def test_15_35_there_is_no_delta(team):
    for path in ("/planner/tasks/delta", "/me/planner/tasks/delta", "/me/planner/all/delta", "/planner/plans/delta",
                 f"/planner/plans/{team.plan['id']}/tasks/delta", f"/planner/buckets/{team.next['id']}/tasks/delta"):
        answer = team.ada.get(path)
        assert answer.status_code == 400
        assert "Change tracking is not supported" in answer.json()["error"]["message"]


@pytest.mark.facts("15.35")
def test_15_35_there_are_no_subscriptions(team):
    wanted = {"changeType": "updated", "notificationUrl": "https://crm.example/hook", "clientState": "x",
              "expirationDateTime": "2026-12-01T00:00:00Z"}
    for resource in ("/planner/tasks", f"planner/plans/{team.plan['id']}/tasks", "/me/planner/tasks"):
        answer = team.ada.post("/subscriptions", {**wanted, "resource": resource})
        assert code(answer) == (400, "InvalidRequest")


@pytest.mark.parametrize(("switch", "status"), [
    ("accepted", 200), ("added", 200), ("refused_400", 400), ("refused_403", 403)])
def test_somebody_outside_the_group_is_a_switch(team, switch, status):
    team.sandbox.options.planner_outside_assignee = switch
    task = team.add()
    assert team.patch(task, {"assignments": {team.cleo.account.id: person_entry()}}).status_code == status
    assert (team.cleo.get(f"/planner/tasks/{task['id']}").status_code == 200) is (switch == "added")
    assert team.patch(team.task(task), {"assignments": {str(uuid.uuid4()): person_entry()}}).status_code == 400


def test_scopes_and_personal_accounts(team, sandbox, base_url):
    reader = Person(sandbox, base_url, team.ada.account, "Tasks.Read")
    assert reader.get(f"/planner/plans/{team.plan['id']}").status_code == 200
    assert code(reader.post("/planner/tasks", {"planId": team.plan["id"], "title": "x"})) == (403, "ErrorAccessDenied")
    nobody = Person(sandbox, base_url, team.ada.account, "User.Read")
    assert nobody.get("/me/planner/tasks").status_code == 403
    someone = sandbox.add_user(sandbox.personal_tenant(), "someone@outlook.example")
    assert Person(sandbox, base_url, someone, "Tasks.ReadWrite").get("/me/planner/tasks").status_code == 403


# Plans and groups

def test_plans_are_made_in_a_group_and_stay_there(team):
    group = team.group["id"]
    ways = ({"container": {"url": f"https://graph.microsoft.com/v1.0/groups/{group}"}},
            {"container": {"containerId": group, "type": "group"}}, {"owner": group})
    for number, way in enumerate(ways):
        made = team.ben.post("/planner/plans", {"title": f"Plan {number}", **way}).json()
        assert made["container"]["containerId"] == made["owner"] == group
        assert made["container"]["url"].endswith(f"/groups/{group}")
    listed = team.ada.get(f"/groups/{group}/planner/plans").json()["value"]
    assert [plan["title"] for plan in listed] == ["Spring fair", "Plan 0", "Plan 1", "Plan 2"]
    path, etag = f"/planner/plans/{made['id']}", {"If-Match": made["@odata.etag"]}
    for way, absent in (("container", "owner"), ("owner", "container")):
        team.sandbox.options.planner_plan_names_group = way
        assert way in team.ada.get(path).json() and absent not in team.ada.get(path).json()
    team.sandbox.options.reset()
    assert team.ada.patch(path, {"owner": str(uuid.uuid4())}, headers=etag).status_code == 400
    assert team.ada.patch(path, {"title": "Renamed"}, headers=etag).status_code == 204
    assert team.ada.post("/planner/plans", {"title": "Nowhere"}).status_code == 400
    assert team.cleo.post("/planner/plans", {"title": "x", "owner": group}).status_code == 403
    etag = {"If-Match": team.ada.get(path).json()["@odata.etag"]}
    assert team.ada.delete(path, headers=etag).status_code == 204
    assert team.ada.get(path).status_code == 404


def test_a_premium_plan_is_out_of_the_apis_reach(team):
    task = team.add()
    team.user.upgrade_plan(team.plan)
    assert team.ada.get(f"/planner/plans/{team.plan['id']}/tasks").status_code == 403
    assert team.patch(task, {"title": "x"}).status_code == 403
    assert team.ada.get(f"/groups/{team.group['id']}/planner/plans").json()["value"] == []
    assert team.ada.get("/me/planner/plans").json()["value"] == []
    assert team.user.edit_task(task["id"], title="Still at work")["title"] == "Still at work"


def test_groups_tell_their_names_to_those_who_may_read_them(team, sandbox, base_url):
    team.user.add_group("Everybody", is_unified=False)
    found = team.ada.get("/me/memberOf/microsoft.graph.group").json()["value"]
    assert [group["displayName"] for group in found] == ["Workshop", "Everybody"]
    unified = team.ada.get("/me/memberOf/microsoft.graph.group?$count=true"
                           "&$filter=groupTypes/any(t:t eq 'Unified')").json()
    assert [group["displayName"] for group in unified["value"]] == ["Workshop"] and unified["@odata.count"] == 1
    without = Person(sandbox, base_url, team.ada.account, "User.Read")
    assert [(group["id"] != "", group["displayName"]) for group in without.get("/me/memberOf").json()["value"]] \
        == [(True, None), (True, None)]
    assert without.get(f"/groups/{team.group['id']}").status_code == 403
    assert team.ada.get(f"/groups/{team.group['id']}").json()["displayName"] == "Workshop"
    members = team.ada.get(f"/groups/{team.group['id']}/members?$select=id,mail").json()["value"]
    assert [member["mail"] for member in members] == ["ada@brightwell.example", "ben@brightwell.example"]
    assert code(team.ada.get("/groups/workshop")) == (400, "Request_BadRequest")
    assert code(team.ada.get(f"/groups/{uuid.uuid4()}")) == (404, "Request_ResourceNotFound")


@pytest.mark.facts("15.36")
def test_15_36_a_batch_carries_planner_requests_with_their_own_headers(team):
    tasks = [team.add(f"Task {number}") for number in range(6)]
    answers = team.ada.batch(*[
        {"method": "PATCH", "url": f"/planner/tasks/{task['id']}", "body": {"percentComplete": 100}, "headers": {
            "Content-Type": "application/json", "If-Match": task["@odata.etag"], "Prefer": "return=representation"}}
        for task in tasks], {"method": "DELETE", "url": f"/planner/tasks/{tasks[0]['id']}"})
    statuses = [answers[str(number)]["status"] for number in itertools.chain(range(1, 8))]
    assert statuses == [200] * 6 + [412]
    assert all(answers[str(number)]["body"]["percentComplete"] == 100 for number in range(1, 7))
