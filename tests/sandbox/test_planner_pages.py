"""The board of a plan, over HTTP: what a person at Planner sees and does."""

import html
import re

import pytest
import requests

from opencrm_ms365.sandbox import Sandbox, seed
from opencrm_ms365.sandbox.server import running

ADA, BEN, CLEO = (f"{name}@{seed.DOMAIN}" for name in ("ada.lindqvist", "ben.okafor", "cleo.martin"))


class Browser:
    """Follows links and fills in forms of one person's boards."""

    def __init__(self, sandbox, base_url, upn=ADA):
        self.sandbox, self.upn = sandbox, upn
        self.user = sandbox.planner(upn)
        self.base_url = f"{base_url}/outlook/{upn}/planner"
        self.session = requests.Session()
        self.session.trust_env = False
        self.plan = self.user.plans()[0]

    def open(self, rest="", **query):
        return self._show(self.session.get(f"{self.base_url}/{rest}", params=query, timeout=10))

    def board(self, **query):
        return self.open(self.plan["id"], **query)

    def post(self, rest, headers=None, **form):
        return self._show(self.session.post(f"{self.base_url}/{rest}", data=form, headers=headers, timeout=10))

    def act(self, rest, **form):
        return self.post(f"{self.plan['id']}/{rest}", **form)

    def _show(self, response):
        self.status, self.url, self.raw = response.status_code, response.url, response.text
        self.text = html.unescape(response.text)
        return self

    def form(self):
        """The fields of the task that is open, as a browser would send them."""
        panel = self.text.split('<aside class="panel">')[1]
        fields = dict(re.findall(r'<input type="(?:hidden|date)" name="([^"]+)" value="(.*?)">', panel))
        fields |= dict(re.findall(r'<textarea name="([^"]+)"[^>]*>([^<]*)<', panel))
        for name, options in re.findall(r'<select name="([^"]+)">(.*?)</select>', panel, re.S):
            fields[name] = re.search(r'value="([^"]*)" selected', options)[1]
        fields |= {"assignee": [], "ticked": [], "label": []}
        for name, value in re.findall(r'<input type="checkbox" name="([^"]+)" value="([^"]+)" checked', panel):
            fields[name].append(value)
        return fields

    def column(self, name):
        """The titles in one column, from top to bottom."""
        part = self.text.split(f'<section class="column" aria-label="{name}">')[1].split("</section>")[0]
        return re.findall(r"<b>([^<]*)</b>", part)

    def task(self, title):
        [found] = self.user.find_tasks(title=title)
        return found


@pytest.fixture
def browser():
    sandbox = Sandbox()
    seed.demo(sandbox)
    with running(sandbox) as base_url:
        yield Browser(sandbox, base_url)


def test_a_board_shows_buckets_and_tasks(browser):
    browser.open()
    assert browser.status == 200 and "Trade fair Newcastle" in browser.text and "Follow-ups" in browser.text
    assert browser.column("To do")[:2] == ["Order the carpet for the stand", "Invite the twenty best customers"]
    assert browser.column("Done") == ["Book the stand", "Insurance for the exhibits"]
    for words in ("Urgent", "50 %", "Choose the twenty", "1/4", "At the fair", "9 tasks, 2 completed"):
        assert words in browser.text
    assert "Orders" not in browser.text                         # a plan of a group that Ada is not in


def test_late_tasks_are_marked_and_days_are_said_as_people_do(browser):
    browser.user.edit_task(browser.task("Price list for the new chairs")["id"], dueDateTime="2001-02-03")
    assert '<span class="due late">3 Feb 2001</span>' in browser.board().text
    assert "Tomorrow" in browser.open(browser.user.plans()[1]["id"]).text


def test_a_task_is_added_to_its_bucket(browser):
    bucket = browser.user.buckets(browser.plan)[1]
    browser.act("tasks", bucket=bucket["id"], title="Hire a van", due="2026-12-24")
    assert "The task is there." in browser.text and browser.column("Under way")[0] == "Hire a van"
    made = browser.task("Hire a van")
    assert made["dueDateTime"] == "2026-12-24T10:00:00Z" and made["bucketId"] == bucket["id"]
    assert made["createdBy"]["user"]["id"] == browser.user.account.id
    assert browser.act("tasks", title=" ").status == 400


def test_saving_writes_only_what_was_changed(browser):
    task = browser.task("New brochure")
    form = browser.board(task=task["id"]).form()
    assert "unchanged" in browser.act(f"tasks/{task['id']}", **form).url
    assert browser.task("New brochure") == task

    ben = browser.sandbox.account(BEN).id
    ticked = [*form["ticked"], next(key for key in browser.user.details(task["id"])["checklist"]
                                    if key not in form["ticked"])]
    browser.act(f"tasks/{task['id']}", **form | {
        "title": "New catalogue", "percent": "100", "due": "", "assignee": [ben], "ticked": ticked, "line": "Translate",
        "label": ["category1"], "description": "Twenty pages."})
    now, details = browser.task("New catalogue"), browser.user.details(task["id"])
    assert (now["percentComplete"], now["dueDateTime"], list(now["assignments"])) == (100, None, [ben])
    assert (now["checklistItemCount"], now["activeChecklistItemCount"]) == (4, 2)
    assert details["description"] == "Twenty pages." and now["appliedCategories"] == {"category1": True}
    assert now["priority"] == task["priority"] and now["completedBy"]["user"]["id"] == browser.user.account.id


def test_lines_of_a_checklist_are_removed(browser):
    task = browser.task("Samples: oak, ash, walnut")
    form = browser.board(task=task["id"]).form()
    browser.act(f"tasks/{task['id']}", **form, dropped=next(iter(browser.user.details(task["id"])["checklist"])))
    assert browser.user.task(task["id"])["checklistItemCount"] == 3


def test_a_task_is_moved_within_its_plan_and_to_another(browser):
    task, other = browser.task("New brochure"), browser.user.plans()[1]
    target = browser.user.buckets(other)[2]
    form = browser.board(task=task["id"]).form()
    browser.act(f"tasks/{task['id']}", **form | {"bucket": browser.user.buckets(browser.plan)[2]["id"]})
    assert "New brochure" in browser.column("Done")
    browser.act(f"tasks/{task['id']}", **browser.form() | {"bucket": target["id"]})
    assert other["id"] in browser.url and "New brochure" in browser.column("Some day")
    assert browser.user.task(task["id"])["planId"] == other["id"]


def test_a_task_is_completed_reopened_and_deleted(browser):
    task = browser.task("New brochure")
    assert "Completed." in browser.act(f"tasks/{task['id']}/complete").text
    assert browser.task("New brochure")["percentComplete"] == 100
    assert "done again" in browser.act(f"tasks/{task['id']}/complete").text
    assert "gone for good" in browser.act(f"tasks/{task['id']}/delete").text
    assert browser.user.find_tasks(title="New brochure") == []
    assert browser.act(f"tasks/{task['id']}/complete").status == 400 and "not there any more" in browser.text
    assert "not here any more" in browser.board(task=task["id"]).text


def test_a_change_by_the_crm_meanwhile_is_noticed(browser):
    task = browser.task("New brochure")
    form = browser.board(task=task["id"]).form()
    browser.user.edit_details(task["id"], description="The CRM was here.")
    browser.act(f"tasks/{task['id']}", **form | {"title": "Typed by hand"})
    assert "changed while you were writing" in browser.text and "Typed by hand" in browser.text
    browser.act(f"tasks/{task['id']}", **browser.form())
    assert browser.user.task(task["id"])["title"] == "Typed by hand"


def test_what_planner_refuses_is_shown_with_what_was_typed(browser):
    task = browser.task("New brochure")
    form = browser.board(task=task["id"]).form()
    browser.act(f"tasks/{task['id']}", **form | {"start": "2030-01-01", "description": "Kept"})
    assert "start date of a task cannot be later" in browser.text and ">Kept</textarea>" in browser.text


def test_buckets_and_plans_are_added_renamed_and_deleted(browser):
    browser.act("buckets", name="Ideas")
    made = browser.user.buckets(browser.plan)[-1]
    browser.act(f"buckets/{made['id']}/rename", name="Good ideas")
    assert browser.column("Good ideas") == []
    browser.act(f"buckets/{made['id']}/delete")
    assert "Good ideas" not in browser.text
    browser.post("plans", title="Autumn fair", group=browser.plan["owner"])
    assert "Autumn fair" in browser.text and len(browser.user.plans()) == 3
    assert browser.post("plans", title=" ", group=browser.plan["owner"]).status == 400


@pytest.mark.parametrize("rest", ["A" * 28, "nothing/at/all", "x"])
def test_wrong_addresses_get_a_friendly_404(browser, rest):
    assert browser.open(rest).status == 404 and "There is nothing here" in browser.text


def test_boards_of_other_groups_and_of_other_sites_are_closed(browser):
    orders = browser.sandbox.planner(CLEO).plans()[0]
    assert browser.open(orders["id"]).status == 404
    assert browser.post(f"{orders['id']}/tasks", title="x").status == 404
    assert browser.post(f"{browser.plan['id']}/tasks", {"Origin": "https://elsewhere.example"}, title="x").status == 403


def test_who_is_in_no_group_reads_so(browser):
    browser.upn = f"admin@{seed.DOMAIN}"
    browser.base_url = browser.base_url.replace(ADA, browser.upn)
    assert "No plans" in browser.open().text


def test_what_people_typed_is_escaped(browser):
    made = browser.user.add_task(browser.plan, "To do", title="<script>alert(1)</script>",
                                 description='</textarea><img src=x>', previewType="description")
    raw = browser.board(task=made["id"]).raw
    assert "<script>" not in raw and "<img src=x" not in raw


def test_the_activity_page_tells_of_tasks_in_plain_words(browser):
    token = browser.sandbox.token_for(ADA, "User.Read Tasks.ReadWrite GroupMember.Read.All")
    graph = browser.base_url.split("/outlook")[0] + "/v1.0"
    task = browser.task("New brochure")

    def send(method, path, json=None, **headers):
        return requests.request(method, graph + path, json=json, timeout=10,
                                headers={"Authorization": f"Bearer {token}", **headers})

    send("GET", "/me/memberOf/microsoft.graph.group")
    send("GET", f"/groups/{browser.plan['owner']}/planner/plans")
    send("GET", f"/planner/plans/{browser.plan['id']}/tasks")
    send("POST", "/planner/tasks", {"planId": browser.plan["id"], "title": "From the CRM"})
    send("PATCH", f"/planner/tasks/{task['id']}", {"percentComplete": 100}, **{"If-Match": task["@odata.etag"]})
    send("PATCH", f"/planner/tasks/{task['id']}", {"title": "x", "priority": 1}, **{"If-Match": "wrong"})
    send("DELETE", f"/planner/tasks/{task['id']}")
    log = browser._show(browser.session.get(browser.base_url.split(ADA)[0] + "activity", timeout=10)).text
    for words in ("Asked which groups somebody is in", "Listed the plans of the group “Sales”", "Deleted a task",
                  "Listed the tasks of “Trade fair Newcastle”", "Completed “New brochure”",
                  "Added the task “From the CRM” to “Trade fair Newcastle”", "Changed title and priority of"):
        assert words in log
