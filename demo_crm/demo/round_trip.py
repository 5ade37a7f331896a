"""What `demo --check` does once everything is up: it goes the way that a person goes, and looks at both sides.

All requests are ordinary HTTP, as a browser sends them. Verified are the CRM's database and the mailbox.
"""

from __future__ import annotations

import html
import re
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import requests

from ..crm.company import COLLEAGUES
from .children import Children
from .stage import Stage

PATIENCE_S = 120.0
TIMEOUT_S = 30.0


class CheckFailed(Exception):
    """Something is not as it should be; the message says what."""


class RoundTrip:
    """One user's way from the sign-in page to a contact that was synced in each direction."""

    def __init__(self, stage: Stage, children: Children, say: Callable[[str], None]) -> None:
        self.stage, self.children, self.say = stage, children, say
        self.person = COLLEAGUES[0]
        self.session = requests.Session()
        self.session.trust_env = False
        mark = secrets.token_hex(4)                 # so that nobody of the demo's data is mistaken for these two
        self.from_crm = f"from.crm.{mark}@check.example"
        self.from_outlook = f"from.outlook.{mark}@check.example"

    def run(self) -> None:
        """Raises `CheckFailed`, or `ChildEnded` when a process ends meanwhile."""
        self.sign_in_to_the_crm()
        self.add_one_contact_on_each_side()
        self.connect()
        before = time.monotonic()
        self.save_settings()
        self.until("a contact of the CRM is in the mailbox", self.is_in_the_mailbox)
        self.until("a contact of the mailbox is in the CRM", self.is_in_the_crm)
        run = self.until("the first sync is finished", self.finished_run)
        self.say(f"The background worker synced both ways in {time.monotonic() - before:.1f} seconds:")
        self.say(f"  {self.from_crm} went from the CRM to Outlook,")
        self.say(f"  {self.from_outlook} went from Outlook to the CRM.")
        if run.get("state") != "done":
            raise CheckFailed(f"The first sync ended in the state {run.get('state')!r}: {run.get('message')}")
        if counts := in_words(run.get("counts")):
            self.say(f"  In all: {counts}.")
        self.change_one_field_on_each_side()

    # The way

    def sign_in_to_the_crm(self) -> None:
        page = self.get("/accounts/login/")
        answer = self.post("/accounts/login/", page, username=self.person.username, password=self.person.password)
        if "/accounts/login/" in answer.url:
            raise CheckFailed(f"The CRM does not let {self.person.username} in.")
        if "/microsoft/" not in self.get("/profile/").text:
            raise CheckFailed("There is no Microsoft Sync button on the profile page.")
        self.say(f"{self.person.first_name} signed in to the CRM.")

    def add_one_contact_on_each_side(self) -> None:
        page = self.get("/contacts/new/")
        owner = re.search(r'<option value="(\d+)" selected', page.text)
        self.post("/contacts/new/", page, first_name="Crispin", last_name="Checkley", company="Check & Co",
                  email=self.from_crm, sync_to_microsoft="on", assigned_to=owner[1] if owner else "")
        if not self.crm("SELECT 1 FROM crm_contact WHERE email = ?", self.from_crm):
            raise CheckFailed("The CRM did not save a new contact.")
        self.mailbox("add_contact", givenName="Olga", surname="Outward", companyName="Check & Co",
                     emailAddresses=[{"address": self.from_outlook, "name": "Olga Outward"}])

    def connect(self) -> None:
        """The pop-up: to Microsoft, back with an access key, which is pasted on the main page."""
        to_microsoft = self.get("/microsoft/sign-in/", follow=False)
        address = to_microsoft.headers.get("Location", "")
        if not address.startswith(f"{self.stage.microsoft_url}/"):
            raise CheckFailed("The sign-in does not lead to the local Microsoft 365.")
        popup = self.agree(address)
        key = re.search(r'id="access-key"[^>]*>([^<]+)<', popup.text)
        if key is None:
            raise CheckFailed("The pop-up shows no access key.")
        main = self.get("/microsoft/")
        connected = self.post("/microsoft/connect/", main, access_key=html.unescape(key[1]).strip())
        link = self.api("GET", "link/")
        if link["account"].casefold() != self.person.email or link["status"] == "disconnected":
            raise CheckFailed(f"The account is not connected; the page answered {connected.status_code}.")
        self.say(f"{self.person.first_name} signed in with Microsoft and connected {link['account']}.")

    def agree(self, address: str) -> requests.Response:
        """Go through Microsoft's pages as Ada does: pick the account, accept what is asked for."""
        self.ok(self.session.get(address, timeout=TIMEOUT_S))
        answer = self.ok(self.session.post(address, {"account": self.person.email}, timeout=TIMEOUT_S))
        if answer.url.startswith(self.stage.microsoft_url):
            answer = self.ok(self.session.post(
                address, {"account": self.person.email, "step": "accept"}, timeout=TIMEOUT_S))
        if not answer.url.startswith(self.stage.crm_url):
            raise CheckFailed("Microsoft's sign-in pages do not lead back to the CRM.")
        return answer

    def save_settings(self) -> None:
        """The first saving starts the sync."""
        self.api("PATCH", "link/", {"sync_contacts": True, "only_my_items": True})

    def change_one_field_on_each_side(self) -> None:
        """Then a change here and a change there meet in the same two records, and everything is quiet again."""
        phone, title = "01632 960999", "Head of checks"
        found = self.crm("SELECT id FROM crm_contact WHERE email = ?", self.from_outlook)
        page = self.get(f"/contacts/{found[0][0]}/edit/")
        self.post(f"/contacts/{found[0][0]}/edit/", page, **{**form_values(page.text), "phone": phone})
        item = self.item(self.from_crm)
        self.mailbox("edit_contact", contact_id=item["id"], jobTitle=title)
        self.api("POST", "sync/")
        self.until("a telephone number changed in the CRM is in the mailbox", lambda: phone in
                   self.item(self.from_outlook).get("businessPhones", []))
        self.until("a job title changed in Outlook is in the CRM", lambda: self.crm(
            "SELECT 1 FROM crm_contact WHERE email = ? AND job_title = ?", self.from_crm, title))
        self.say("A change on each side reached the other.")

    # What is there

    def is_in_the_mailbox(self) -> bool:
        return bool(self.item(self.from_crm))

    def is_in_the_crm(self) -> bool:
        return bool(self.crm("SELECT 1 FROM crm_contact WHERE email = ? AND deleted_at IS NULL", self.from_outlook))

    def finished_run(self) -> dict[str, Any] | None:
        runs = [run for run in self.api("GET", "runs/")["results"] if not run["is_preview"]]
        return runs[-1] if runs and runs[-1]["is_finished"] else None

    def crm(self, query: str, *values: str) -> list[Any]:
        """Rows of the CRM's database, which is only read."""
        with closing(sqlite3.connect(f"file:{self.stage.folder / 'demo.sqlite3'}?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()

    def item(self, email: str) -> dict[str, Any]:
        """The mailbox's contact with this address; empty if there is none."""
        for item in self.mailbox("contacts"):
            if any(entry.get("address") == email for entry in item.get("emailAddresses", [])):
                return dict(item)
        return {}

    def mailbox(self, action: str, **values: Any) -> Any:
        """As the Outlook user of the mailbox, through the local Microsoft 365's control API."""
        body = {"account": self.person.email, **({"values": values} if action.startswith("add") else values)}
        if action == "edit_contact":
            body = {"account": self.person.email, "contact_id": values.pop("contact_id"), "values": values}
        address = f"{self.stage.microsoft_url}/control/mailbox/{action}"
        return self.ok(self.session.post(address, json=body, timeout=TIMEOUT_S)).json()["result"]

    # HTTP

    def get(self, path: str, *, follow: bool = True) -> requests.Response:
        return self.ok(self.session.get(self.stage.crm_url + path, timeout=TIMEOUT_S, allow_redirects=follow))

    def post(self, path: str, page: requests.Response, **values: Any) -> requests.Response:
        """Send a form of `page`, with its token against forged requests."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        values["csrfmiddlewaretoken"] = token[1] if token else ""
        return self.ok(self.session.post(self.stage.crm_url + path, values, timeout=TIMEOUT_S))

    def api(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"X-CSRFToken": self.session.cookies.get("csrftoken", ""), "Accept": "application/json"}
        address = f"{self.stage.crm_url}/microsoft/api/{path}"
        return self.ok(self.session.request(method, address, json=body, headers=headers, timeout=TIMEOUT_S)).json()

    def ok(self, answer: requests.Response) -> requests.Response:
        if answer.status_code >= 400:
            address = answer.url.split("?")[0]
            raise CheckFailed(f"{answer.request.method} {address} answered {answer.status_code}.")
        return answer

    def until(self, what: str, holds: Callable[[], Any]) -> Any:
        """Wait for the background worker. Raises `CheckFailed` after `PATIENCE_S`."""
        end = time.monotonic() + PATIENCE_S
        while not (found := holds()):
            self.children.check()
            if time.monotonic() > end:
                link = self.api("GET", "link/")
                raise CheckFailed(
                    f"After {PATIENCE_S:.0f} seconds it is still not so that {what}. "
                    f"The link says: {link.get('status_text') or link.get('status')}")
            time.sleep(0.5)
        return found


def form_values(page: str) -> dict[str, Any]:
    """What a contact's form is filled with, as a browser would send it back."""
    values: dict[str, Any] = {}
    for tag in re.findall(r"<input\b[^>]*>", page):
        given = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if given.get("type") in ("checkbox", "radio") and not re.search(r"\schecked\b", tag):
            continue
        if "name" in given:
            values.setdefault(given["name"], []).append(given.get("value", "on" if "checked" in tag else ""))
    for name, options in re.findall(r'<select name="(\w+)".*?>(.*?)</select>', page, re.S):
        values[name] = re.findall(r'<option value="([^"]*)" selected', options)
    for name, text in re.findall(r'<textarea name="(\w+)"[^>]*>\n?(.*?)</textarea>', page, re.S):
        values[name] = html.unescape(text)
    return values


def in_words(counts: Any) -> str:
    """`188 created in Microsoft, ...` from a run's counts, whatever kinds there are; empty if nothing was done."""
    if not isinstance(counts, dict):
        return ""
    parts = []
    for by_side in counts.values():
        for side, title in (("crm", "the CRM"), ("microsoft", "Outlook")):
            done = by_side.get(side) if isinstance(by_side, dict) else None
            parts += [f"{number} {action} in {title}" for action, number in (done or {}).items() if number]
    return ", ".join(parts)
