"""Reading and writing Planner against answers that a documented service may give, and some that it may not."""

from datetime import UTC, datetime

import pytest

from opencrm_ms365.errors import (
    AccessLost,
    ConsentRequired,
    NotFound,
    OutcomeUnknown,
    ProtocolError,
    Rejected,
    SignInRequired,
    Stale,
    Throttled,
    Unavailable,
)
from opencrm_ms365.graph.planner import Partial, Planner, TaskItem, TaskWrite
from opencrm_ms365.graph.planner_items import read_task, with_details
from opencrm_ms365.records import UNSET
from tests.client.scripted import CUT, error, ok
from tests.client.test_batch import answering, inner_error
from tests.rules import rule

ETAG = 'W/"JzEtVGFzayAgQEBAQEBAQEBAQEBAQEBAWCc="'


@pytest.fixture
def planner(client):
    return Planner(client)


def task(number=1, plan="P1", bucket="B1", version=1, **members):
    return {"@odata.etag": f'W/"{version}"', "id": f"T{number}", "planId": plan, "bucketId": bucket,
            "title": f"Task {number}", "percentComplete": 0, "priority": 5, **members}


def details(version=1, **members):
    return {"@odata.etag": f'W/"d{version}"', "description": "", "checklist": {}, **members}


def item(number=1, with_its_details=None, **members):
    found = read_task(task(number, **members))
    return with_details(found, with_its_details) if with_its_details else found


class Service:
    """Answers inner requests by method and address; `asked` is what it was asked, `tasks` what it holds."""

    def __init__(self, server):
        self.asked = []
        self.answers = {}
        server.otherwise = answering(self.answer)

    def on(self, method, url, *replies):
        self.answers[method, url] = list(replies)

    def answer(self, request):
        self.asked.append(request)
        replies = self.answers.get((request["method"], request["url"]), [])
        reply = (replies.pop(0) if len(replies) > 1 else replies[0]) if replies else inner_error(404, "")
        if isinstance(reply, dict) and "status" in reply:
            return reply
        return {"status": 204 if reply is None else 201 if request["method"] == "POST" else 200, "headers": {},
                "body": reply}

    @property
    def steps(self):
        return [f"{request['method']} {request['url']}" for request in self.asked]


@pytest.fixture
def service(server):
    return Service(server)


def listing(*entries, **members):
    return {"value": list(entries), **members}


# Plans and buckets

GROUPS = "/me/memberOf/microsoft.graph.group?$select=id,displayName,groupTypes"


def group(name, *types):
    return {"id": name, "displayName": f"Group {name}", "groupTypes": list(types)}


@rule("TASK-01")
def test_the_plans_of_ones_groups_and_the_shared_ones_are_found_once_each(service, planner):
    service.on("GET", GROUPS, listing(group("g1", "Unified"), group("g2", "Unified"), group("mail")))
    service.on("GET", "/me/planner/plans", listing({"id": "P1", "title": "Sales"}, {"id": "P9", "title": "Roster"}))
    service.on("GET", "/groups/g1/planner/plans", listing(
        {"id": "P2", "title": "alpha", "container": {"containerId": "g1"}, "owner": "old"},
        {"id": "P1", "title": "Sales", "owner": "g1"}, {"title": "without an id"}))
    service.on("GET", "/groups/g2/planner/plans", inner_error(403, "Forbidden"))
    reach = planner.plans()
    assert [(plan.id, plan.title, plan.container_id, plan.group_name) for plan in reach.plans] == [
        ("P2", "alpha", "g1", "Group g1"), ("P9", "Roster", "", ""), ("P1", "Sales", "g1", "Group g1")]
    assert [skipped.what for skipped in reach.skipped] == ["g2"]
    assert reach.skipped[0].reason.startswith("The plans of a group cannot be read.")
    assert len(service.asked) == 4                                  # in two batches; the mail group was not asked


def test_without_the_right_to_list_groups_the_shared_plans_remain(service, planner):
    service.on("GET", GROUPS, inner_error(403, "Authorization_RequestDenied"))
    service.on("GET", "/me/planner/plans", listing({"id": "P1", "title": "Sales"}))
    reach = planner.plans()
    assert [plan.id for plan in reach.plans] == ["P1"] and [skipped.what for skipped in reach.skipped] == ["groups"]


def test_without_any_right_the_administrator_is_asked(service, planner):
    service.on("GET", GROUPS, inner_error(403, "ErrorAccessDenied"))
    service.on("GET", "/me/planner/plans", inner_error(403, "ErrorAccessDenied"))
    with pytest.raises(ConsentRequired):
        planner.plans()


def test_what_may_pass_does_not_look_like_plans_that_went_away(service, planner):
    service.on("GET", GROUPS, listing(group("g1", "Unified")))
    service.on("GET", "/me/planner/plans", listing())
    service.on("GET", "/groups/g1/planner/plans", inner_error(429, "TooManyRequests", Retry_After="300"))
    with pytest.raises(Throttled):
        planner.plans()


@rule("TASK-01")
def test_buckets_come_in_planners_order(service, planner):
    service.on("GET", "/planner/plans/P1/buckets", listing(
        {"id": "B1", "name": "Next", "orderHint": "b"}, {"id": "B2", "name": "Now", "orderHint": "a"}, {"name": "x"}))
    service.on("GET", "/planner/plans/P2/buckets", inner_error(403, ""))
    found = planner.buckets(["P1", "P2"])
    assert [(bucket.id, bucket.plan_id, bucket.name) for bucket in found["P1"]] == [
        ("B2", "P1", "Now"), ("B1", "P1", "Next")]
    assert isinstance(found["P2"], AccessLost)


@rule("TASK-01")
def test_a_list_that_cannot_be_read_is_passed_over_and_one_that_may_be_read_later_is_not(service, planner):
    service.on("GET", GROUPS, listing())
    service.on("GET", "/me/planner/plans", listing({"id": "P1", "title": "Sales"}, {"id": "P2", "title": "Shut"}))
    service.on("GET", "/planner/plans/P1/buckets", listing({"id": "B1", "name": "Next"}))
    service.on("GET", "/planner/plans/P2/buckets", inner_error(403, ""))
    lists = planner.lists()
    assert lists.names == {"planner:P1/B1": "Sales / Next"} and [item.what for item in lists.skipped] == ["P2"]
    assert "Sales" not in repr(lists)
    service.on("GET", "/planner/plans/P2/buckets", inner_error(429, "", Retry_After="300"))
    with pytest.raises(Throttled):
        planner.lists()


# Listings

@rule("TASK-11")
def test_a_plan_of_400_tasks_costs_one_request(server, service, planner):
    service.on("GET", "/planner/plans/P1/tasks", listing(*(task(number) for number in range(400))))
    found = planner.tasks("P1")
    assert len(found.items) == 400 and len(server.seen) == 1
    first = found.by_id()["T0"]
    assert (first.etag, first.plan_id, first.bucket_id, first.data.task_list) == ('W/"1"', "P1", "B1", "planner:P1/B1")
    assert first.data.body is UNSET and not first.has_details


def test_many_plans_share_one_request(server, service, planner):
    for number in range(20):
        service.on("GET", f"/planner/plans/P{number}/tasks", listing(task(number, plan=f"P{number}")))
    assert len(planner.listings([f"P{number}" for number in range(20)])) == 20 and len(server.seen) == 1


def test_every_member_beside_the_record_is_read(service, planner):
    user = {"user": {"id": "ada"}}
    service.on("GET", "/planner/plans/P1/tasks", listing(task(
        bucket=None, createdBy=user, createdDateTime="2026-11-01T08:00:00Z", hasDescription=True,
        completedDateTime="2026-11-02T08:00:00Z", checklistItemCount=3, activeChecklistItemCount=2,
        assignments={"bob": {"assignedDateTime": "2026-11-01T09:00:00Z"}})))
    [found] = planner.tasks("P1").items
    assert found.bucket_id == "" and found.data.task_list == "planner:P1/"
    assert found.created_by == "ada" and found.created_at == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert found.completed_at == datetime(2026, 11, 2, 8, tzinfo=UTC) and found.assignees == ("bob",)
    assert found.has_description is True and (found.checklist_count, found.unchecked_count) == (3, 2)
    assert "Task 1" not in repr(found)


def test_a_listing_goes_on_over_its_pages(server, service, planner):
    second = f"{server.url}/v1.0/planner/plans/P1/tasks?$skiptoken=2"
    service.on("GET", "/planner/plans/P1/tasks", listing(task(1), task(2), **{"@odata.nextLink": second}))
    server.say(answering(service.answer), ok(listing(task(2, version=2), task(3))))
    found = planner.tasks("P1")
    assert [(one.graph_id, one.etag) for one in found.items] == [
        ("T1", 'W/"1"'), ("T2", 'W/"2"'), ("T3", 'W/"1"')]
    assert server.seen[1].path.endswith("?$skiptoken=2")


@rule("SYNC-08")
def test_a_listing_that_breaks_off_is_no_listing(server, service, planner, slept):
    second = f"{server.url}/v1.0/planner/plans/P1/tasks?$skiptoken=2"
    service.on("GET", "/planner/plans/P1/tasks", listing(task(1), **{"@odata.nextLink": second}))
    service.on("GET", "/planner/plans/P2/tasks", listing(task(2, plan="P2")))
    server.say(answering(service.answer))
    server.otherwise = error(503)
    found = planner.listings(["P1", "P2"])
    assert isinstance(found["P1"], Unavailable) and len(found["P2"].items) == 1


@rule("SYNC-08")
@pytest.mark.parametrize(("answer", "kind"), [
    (inner_error(403, ""), AccessLost), (inner_error(404, ""), AccessLost), (inner_error(400, ""), Rejected),
    ({"status": 200, "body": {}}, ProtocolError), ({"status": 200, "body": None}, ProtocolError),
    (listing(**{"@odata.nextLink": "https://evil.example/v1.0/x"}), ProtocolError)])
def test_a_plan_that_cannot_be_read_is_not_empty(service, planner, answer, kind):
    service.on("GET", "/planner/plans/P1/tasks", answer)
    with pytest.raises(kind) as caught:
        planner.tasks("P1")
    assert "ada@brightwell.example" not in str(caught.value)


def test_what_concerns_the_account_is_raised(service, planner, tokens):
    tokens.error = SignInRequired()
    service.on("GET", "/planner/plans/P1/tasks", inner_error(401, "InvalidAuthenticationToken"))
    with pytest.raises(SignInRequired):
        planner.listings(["P1", "P2"])


def test_a_task_that_cannot_be_read_does_not_stop_the_others(service, planner):
    service.on("GET", "/planner/plans/P1/tasks", listing(task(1, title=7), task(2), None, {"id": "T4"}))
    found = planner.tasks("P1")
    assert [one.graph_id for one in found.items] == ["T2"]
    assert [one.graph_id for one in found.broken] == ["T1", "", "T4"]


# Single tasks

def test_details_of_many_tasks_cost_one_request_for_twenty(server, service, planner):
    for number in range(25):
        service.on("GET", f"/planner/tasks/T{number}/details", details(description=f"text {number}"))
    found = planner.details(item(number) for number in range(25))
    assert len(server.seen) == 2 and found["T7"].data.body == "text 7" and found["T7"].details_etag == 'W/"d1"'
    assert found["T7"].data.checklist == () and found["T7"].etag == 'W/"1"'


def test_single_tasks_are_read_with_their_details_and_each_has_its_own_trouble(service, planner):
    service.on("GET", "/planner/tasks/T1", task(1))
    service.on("GET", "/planner/tasks/T1/details", details(description="x"))
    service.on("GET", "/planner/tasks/T2", inner_error(404, ""))
    service.on("GET", "/planner/tasks/T3", task(3, priority="high"))
    service.on("GET", "/planner/tasks/T4", task(4))
    service.on("GET", "/planner/tasks/T4/details", inner_error(403, ""))
    found = planner.get(["T1", "T2", "T3", "T4", "T1"], with_details=True)
    assert found["T1"].data.body == "x" and isinstance(found["T2"], NotFound)
    assert isinstance(found["T3"], ProtocolError) and isinstance(found["T4"], Rejected)


# Creating

@rule("TASK-02")
def test_a_task_is_created_in_its_list(service, planner):
    service.on("POST", "/planner/tasks", task(1, version=7))
    done = planner.write([TaskWrite("k", "create", assign=("ada",), values={
        "task_list": "planner:P1/B1", "subject": "Task 1", "percent": 0, "due": None, "body": None, "checklist": ()})])
    assert service.steps == ["POST /planner/tasks"]
    assert service.asked[0]["body"] == {
        "planId": "P1", "bucketId": "B1", "title": "Task 1", "percentComplete": 0,
        "assignments": {"ada": {"@odata.type": "#microsoft.graph.plannerAssignment", "orderHint": " !"}}}
    assert done["k"].etag == 'W/"7"' and done["k"].data.body is None and done["k"].data.checklist == ()


def test_a_description_follows_in_requests_of_its_own(service, planner):
    service.on("POST", "/planner/tasks", task(1))
    service.on("GET", "/planner/tasks/T1/details", details(4))
    service.on("PATCH", "/planner/tasks/T1/details", details(5, description="text"))
    service.on("GET", "/planner/tasks/T1", task(1, version=9, hasDescription=True))
    done = planner.write([TaskWrite("k", "create", plan_id="P1", bucket_id="B1",
                                    values={"subject": "Task 1", "body": "text"})])["k"]
    assert service.steps == ["POST /planner/tasks", "GET /planner/tasks/T1/details",
                             "PATCH /planner/tasks/T1/details", "GET /planner/tasks/T1"]
    patch = service.asked[2]
    assert patch["headers"]["If-Match"] == 'W/"d4"' and patch["body"] == {"description": "text"}
    assert "return=representation" in patch["headers"]["Prefer"]
    assert (done.etag, done.details_etag, done.data.body) == ('W/"9"', 'W/"d5"', "text")


def test_details_that_are_not_there_yet_are_waited_for(service, planner, slept):
    service.on("POST", "/planner/tasks", task(1))
    service.on("GET", "/planner/tasks/T1/details", inner_error(404, ""), inner_error(404, ""), details(1))
    service.on("PATCH", "/planner/tasks/T1/details", details(2, description="text"))
    service.on("GET", "/planner/tasks/T1", task(1))
    done = planner.write([TaskWrite("k", "create", plan_id="P1", values={"subject": "x", "body": "text"})])["k"]
    assert done.data.body == "text" and slept[:2] == [0.5, 1.0]


def test_a_task_without_its_description_is_a_part_of_what_was_asked(service, planner):
    service.on("POST", "/planner/tasks", task(1))
    done = planner.write([TaskWrite("k", "create", plan_id="P1", values={"subject": "x", "body": "text"})])["k"]
    assert isinstance(done, Partial) and done.item.graph_id == "T1" and isinstance(done.refused["body"], NotFound)


def test_a_creation_whose_answer_was_lost_is_not_repeated(server, planner):
    server.otherwise = CUT
    done = planner.write([TaskWrite("k", "create", plan_id="P1", values={"subject": "x"})])["k"]
    assert isinstance(done, OutcomeUnknown) and len(server.seen) == 1


def test_a_creation_that_does_not_say_what_it_made_has_an_unknown_outcome(service, planner):
    service.on("POST", "/planner/tasks", None)
    done = planner.write([TaskWrite("k", "create", plan_id="P1", values={"subject": "x"})])["k"]
    assert isinstance(done, OutcomeUnknown)


SENT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@rule("SYNC-04")
def test_a_lost_creation_is_found_by_creator_title_bucket_and_time(service, planner):
    ours = {"title": "Call", "createdBy": {"user": {"id": "me"}}, "createdDateTime": "2026-11-22T12:00:01Z"}
    service.on("GET", "/planner/plans/P1/tasks", listing(
        task(1, **ours), task(2, **{**ours, "createdDateTime": "2026-11-22T11:58:00Z"}),        # our clock is fast
        task(3, **{**ours, "createdDateTime": "2026-11-22T11:00:00Z"}), task(4, bucket="B2", **ours),
        task(5, **{**ours, "createdBy": {"user": {"id": "eve"}}}), task(6, **ours),
        task(7, **{**ours, "createdDateTime": None}), task(8, **{**ours, "title": "Ring"})))
    write = TaskWrite("k", "create", values={"task_list": "planner:P1/B1", "subject": " Call "})
    found = planner.find_created(write, creator="me", sent_at=SENT, known={"T6"})
    assert [one.graph_id for one in found] == ["T2", "T1"]


# Changing

@rule("TASK-05")
def test_a_change_sends_what_changed_with_the_etag_and_wants_the_task_back(service, planner):
    service.on("PATCH", "/planner/tasks/T1", task(1, version=2, percentComplete=100))
    before = item(with_its_details=details(description="kept"))
    done = planner.write([TaskWrite("k", "update", graph_id="T1", current=before, values={"percent": 100})])["k"]
    assert service.steps == ["PATCH /planner/tasks/T1"]
    asked = service.asked[0]
    assert asked["body"] == {"percentComplete": 100} and asked["headers"]["If-Match"] == 'W/"1"'
    assert "return=representation" in asked["headers"]["Prefer"]
    assert (done.etag, done.data.percent, done.data.body) == ('W/"2"', 100, "kept")


def test_an_etag_is_sent_as_it_was_received(service, planner):
    service.on("PATCH", "/planner/tasks/T1", task(1))
    current = read_task({**task(1), "@odata.etag": ETAG})
    planner.write([TaskWrite("k", "update", graph_id="T1", current=current, values={"percent": 50})])
    assert service.asked[0]["headers"]["If-Match"] == ETAG


def test_a_change_that_says_nothing_back_is_read(service, planner):
    service.on("PATCH", "/planner/tasks/T1", None)
    service.on("GET", "/planner/tasks/T1", task(1, version=2))
    done = planner.write([TaskWrite("k", "update", graph_id="T1", current=item(), values={"percent": 50})])["k"]
    assert done.etag == 'W/"2"' and service.steps[-1] == "GET /planner/tasks/T1"
    service.on("GET", "/planner/tasks/T1", inner_error(500, ""))
    lost = planner.write([TaskWrite("k", "update", graph_id="T1", current=item(), values={"percent": 50})])["k"]
    assert isinstance(lost, OutcomeUnknown)


def test_without_an_etag_the_task_is_read_first(service, planner):
    service.on("GET", "/planner/tasks/T1", task(1, version=3))
    service.on("PATCH", "/planner/tasks/T1", task(1, version=4))
    planner.write([TaskWrite("k", "update", graph_id="T1", values={"percent": 50})])
    assert service.asked[1]["headers"]["If-Match"] == 'W/"3"'


def test_task_and_details_are_written_one_after_the_other(service, planner):
    service.on("PATCH", "/planner/tasks/T1", task(1, version=2))
    service.on("PATCH", "/planner/tasks/T1/details", details(2, description="new"))
    service.on("GET", "/planner/tasks/T1", task(1, version=3))
    before = item(with_its_details=details(1, description="old"))
    done = planner.write([TaskWrite("k", "update", graph_id="T1", current=before,
                                    values={"subject": "Task 1", "body": "new"})])["k"]
    assert service.steps == ["PATCH /planner/tasks/T1", "PATCH /planner/tasks/T1/details", "GET /planner/tasks/T1"]
    assert (done.etag, done.details_etag, done.data.body) == ('W/"3"', 'W/"d2"', "new")


@pytest.mark.parametrize("answer", [inner_error(409, ""), inner_error(412, "")])
@rule("TASK-05")
def test_a_stale_task_is_not_written_at_all(service, planner, answer):
    service.on("PATCH", "/planner/tasks/T1", answer)
    before = item(with_its_details=details())
    done = planner.write([TaskWrite("k", "update", graph_id="T1", current=before,
                                    values={"subject": "x", "body": "y"})])["k"]
    assert isinstance(done, Stale) and service.steps == ["PATCH /planner/tasks/T1"]


def test_stale_details_are_a_part_that_is_missing(service, planner):
    service.on("PATCH", "/planner/tasks/T1", task(1, version=2))
    service.on("PATCH", "/planner/tasks/T1/details", inner_error(409, ""))
    service.on("GET", "/planner/tasks/T1", task(1, version=3))
    before = item(with_its_details=details())
    done = planner.write([TaskWrite("k", "update", graph_id="T1", current=before,
                                    values={"subject": "x", "body": "y"})])["k"]
    assert isinstance(done, Partial) and isinstance(done.refused["body"], Stale) and done.item.etag == 'W/"3"'
    alone = planner.write([TaskWrite("k", "update", graph_id="T1", current=before, values={"body": "y"})])["k"]
    assert isinstance(alone, Stale)                                 # nothing of it was written


def test_what_is_already_so_is_not_sent(server, planner):
    before = item(with_its_details=details(checklist={"i": {"title": "A", "orderHint": "a"}}))
    done = planner.write([TaskWrite("k", "update", graph_id="T1", current=before, values={"checklist": ("A",)})])["k"]
    assert done == before and server.seen == []


@rule("TASK-07")
@pytest.mark.parametrize(("start", "due", "sent"), [
    ("2026-11-30T10:00:00Z", datetime(2026, 12, 1, 10, tzinfo=UTC), "2026-12-01T10:00:00Z"),
    ("2026-12-01T12:00:00Z", datetime(2026, 12, 1, 10, tzinfo=UTC), "2026-12-01T12:00:00Z"),   # the same day
    ("2026-12-02T10:00:00Z", datetime(2026, 12, 1, 10, tzinfo=UTC), None)])
def test_a_due_date_before_planners_start_is_refused_without_asking(service, planner, start, due, sent):
    service.on("PATCH", "/planner/tasks/T1", task(1))
    done = planner.write([TaskWrite("k", "update", graph_id="T1", current=item(startDateTime=start),
                                    values={"due": due, "subject": "x"})])["k"]
    assert service.asked[0]["body"].get("dueDateTime") == sent
    assert "startDateTime" not in service.asked[0]["body"]
    assert isinstance(done, TaskItem) if sent else "start date" in str(done.refused["due"])


@rule("TASK-10")
@pytest.mark.parametrize("status", [400, 403])
def test_people_that_planner_refuses_do_not_hold_the_task_up(service, planner, status):
    service.on("PATCH", "/planner/tasks/T1", inner_error(status, ""), task(1, version=2))
    done = planner.write([TaskWrite("k", "update", graph_id="T1", current=item(), values={"subject": "x"},
                                    assign=("ada",), unassign=("bob",))])["k"]
    assert [request["body"] for request in service.asked] == [
        {"title": "x", "assignments": {
            "bob": None, "ada": {"@odata.type": "#microsoft.graph.plannerAssignment", "orderHint": " !"}}},
        {"title": "x"}]
    assert isinstance(done, Partial) and done.item.etag == 'W/"2"'
    assert "member of the plan's group" in str(done.refused["assignees"])


@pytest.mark.parametrize(("code", "words"), [
    ("MaximumTasksInProject", "holds as many tasks"), ("maximumactivetasksinproject", "unfinished tasks"),
    ("MaximumTasksCreatedByUser", "has created as many tasks")])
def test_a_limit_is_said_in_plain_words(service, planner, code, words):
    service.on("POST", "/planner/tasks", inner_error(403, code))
    done = planner.write([TaskWrite("k", "create", plan_id="P1", values={"subject": "x"}, assign=("ada",))])["k"]
    assert isinstance(done, Rejected) and words in str(done) and done.code == code


def test_a_checklist_that_is_too_long_is_said_in_plain_words(service, planner):
    service.on("PATCH", "/planner/tasks/T1/details", inner_error(403, "MaximumChecklistItemsOnTask"))
    done = planner.write([TaskWrite("k", "update", graph_id="T1", current=item(with_its_details=details()),
                                    values={"checklist": ("A",)})])["k"]
    assert isinstance(done, Rejected) and "checklist is longer" in str(done)


# Moving

@rule("TASK-02")
def test_a_move_within_a_plan_is_a_change_of_the_bucket(service, planner):
    service.on("PATCH", "/planner/tasks/T1", task(1, bucket="B2"))
    assert planner.move(item(), "planner:P1/B2").bucket_id == "B2"
    assert service.asked[0]["body"] == {"bucketId": "B2"}


@rule("TASK-02")
def test_a_move_to_another_plan_comes_first_and_goes_on_with_the_new_etag(service, planner):
    service.on("PATCH", "/planner/tasks/T1", task(1, plan="P2", bucket="B2", version=2),
               task(1, plan="P2", bucket="B2", version=3))
    done = planner.write([TaskWrite("k", "update", graph_id="T1", current=item(),
                                    values={"task_list": "planner:P2/B2", "subject": "x"})])["k"]
    assert [request["body"] for request in service.asked] == [{"planId": "P2", "bucketId": "B2"}, {"title": "x"}]
    assert service.asked[1]["headers"]["If-Match"] == 'W/"2"' and done.plan_id == "P2"


@rule("TASK-02")
@pytest.mark.parametrize("answer", [inner_error(400, ""), inner_error(403, ""), task(1, version=2)])
def test_a_move_that_planner_refuses_or_ignores_is_told_and_the_rest_is_written(service, planner, answer):
    service.on("PATCH", "/planner/tasks/T1", answer, task(1, version=3))
    done = planner.write([TaskWrite("k", "update", graph_id="T1", current=item(),
                                    values={"task_list": "planner:P2/B2", "subject": "x"})])["k"]
    assert isinstance(done, Partial) and done.item.plan_id == "P1" and done.item.etag == 'W/"3"'
    assert "another plan" in str(done.refused["task_list"]) and service.asked[1]["body"] == {"title": "x"}
    service.on("PATCH", "/planner/tasks/T1", answer)
    with pytest.raises(Rejected, match="another plan"):
        planner.move(item(), "planner:P2/B2")


def test_a_move_stands_when_the_rest_is_refused(service, planner):
    service.on("PATCH", "/planner/tasks/T1", task(1, plan="P2", version=2), inner_error(400, ""))
    done = planner.write([TaskWrite("k", "update", graph_id="T1", current=item(),
                                    values={"task_list": "planner:P2/B1", "subject": ""})])["k"]
    assert isinstance(done, Partial) and done.item.plan_id == "P2" and set(done.refused) == {"subject"}


def test_a_move_can_be_stale_or_impossible(service, planner):
    service.on("PATCH", "/planner/tasks/T1", inner_error(409, ""))
    with pytest.raises(Stale):
        planner.move(item(), "planner:P2/B2")
    with pytest.raises(ValueError):
        planner.move(item(), "Sales")


@pytest.mark.parametrize("body", [None, [], {"checklist": 7}])
def test_what_cannot_be_read_is_not_copied(server, service, planner, body):
    server.say(ok(task(1)), ok(body))
    with pytest.raises(ProtocolError):
        planner.copy(item(), "planner:P2/B2")
    assert service.asked == []


# Deleting

@rule("TASK-12")
@pytest.mark.parametrize(("answer", "kind"), [
    (None, None), (inner_error(404, ""), None), (inner_error(410, ""), None), (inner_error(409, ""), Stale),
    (inner_error(412, ""), Stale), (inner_error(403, ""), Rejected)])
def test_deleting_needs_the_newest_etag(service, planner, answer, kind):
    service.on("DELETE", "/planner/tasks/T1", answer)
    done = planner.write([TaskWrite("k", "delete", graph_id="T1", etag='W/"5"')])["k"]
    assert service.asked[0]["headers"]["If-Match"] == 'W/"5"'
    assert done is None if kind is None else isinstance(done, kind)


@rule("TASK-12")
def test_deleting_without_an_etag_reads_it_first(service, planner):
    service.on("GET", "/planner/tasks/T1", task(1, version=4))
    service.on("DELETE", "/planner/tasks/T1", None)
    assert planner.write([TaskWrite("a", "delete", graph_id="T1"), TaskWrite("b", "delete", graph_id="T2")]) == {
        "a": None, "b": None}
    assert service.asked[-1]["headers"]["If-Match"] == 'W/"4"'


# Many at once

def test_many_writes_share_their_requests(server, service, planner):
    for number in range(1, 11):
        service.on("PATCH", f"/planner/tasks/T{number}", task(number, version=2))
    service.on("PATCH", "/planner/tasks/T1/details", details(2, description="x"))
    service.on("GET", "/planner/tasks/T1", task(1, version=3))
    writes = [TaskWrite(str(number), "update", graph_id=f"T{number}", current=item(number, details()),
                        values={"subject": "x", **({"body": "x"} if number == 1 else {})}) for number in range(1, 11)]
    done = planner.write(writes)
    assert list(done) == [str(number) for number in range(1, 11)]
    assert all(isinstance(one, TaskItem) for one in done.values()) and len(server.seen) == 3


def test_what_was_written_before_everything_stopped_is_not_forgotten(server, service, planner):
    service.on("POST", "/planner/tasks", task(1))
    server.say(answering(service.answer), error(429, "TooManyRequests", Retry_After="600"))
    done = planner.write([TaskWrite("k", "create", plan_id="P1", values={"subject": "x", "body": "y"})])["k"]
    assert isinstance(done, Partial) and done.item.graph_id == "T1" and isinstance(done.refused["body"], Throttled)


def test_what_stops_everything_before_anything_was_sent_is_raised(server, planner):
    server.otherwise = error(429, "TooManyRequests", Retry_After="600")
    with pytest.raises(Throttled):
        planner.write([TaskWrite("k", "create", plan_id="P1", values={"subject": "x"})])


def test_nothing_to_write_asks_nothing(server, planner):
    assert planner.write([]) == {} and planner.listings([]) == {} and planner.get([]) == {} and server.seen == []


def test_no_value_shows_contents_when_it_is_printed():
    secret = item(title="secret", with_its_details=details(description="secret", checklist={
        "i": {"title": "secret", "orderHint": "a"}}))
    write = TaskWrite("k", "update", graph_id="T1", current=secret, values={"subject": "secret"})
    assert "secret" not in repr(secret) + repr(write) + repr(Partial(secret, {}))
