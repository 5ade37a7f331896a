"""Somebody with an access token who talks to the simulated Graph over HTTP, and the mailbox behind it."""

from __future__ import annotations

import requests

SCOPES = "User.Read User.ReadBasic.All Contacts.ReadWrite MailboxSettings.Read"
IMMUTABLE = 'IdType="ImmutableId"'


class Person:
    """One account. `get("/me/contacts")` and so on send its bearer; whole links are followed as they are."""

    def __init__(self, sandbox, base_url, account, scopes=SCOPES):
        self.sandbox, self.base_url, self.account = sandbox, base_url, account
        self.bearer = sandbox.token_for(account, scopes)
        self.outlook = sandbox.mailbox(account)

    def send(self, method, path, *, prefer=IMMUTABLE, headers=None, **how):
        url = path if path.startswith("http") else f"{self.base_url}/v1.0{path}"
        given = {"Authorization": f"Bearer {self.bearer}", **({"Prefer": prefer} if prefer else {}), **(headers or {})}
        return requests.request(method, url, headers=given, timeout=20, **how)

    def get(self, path, **how):
        return self.send("GET", path, **how)

    def post(self, path, json=None, **how):
        return self.send("POST", path, json=json, **how)

    def patch(self, path, json=None, **how):
        return self.send("PATCH", path, json=json, **how)

    def put(self, path, **how):
        return self.send("PUT", path, **how)

    def delete(self, path, **how):
        return self.send("DELETE", path, **how)

    def batch(self, *inner, **how):
        """Send these requests as one batch; the answers by id. Ids are given where they are missing."""
        requests_ = [{"id": str(number), "method": "GET", **request} for number, request in enumerate(inner, 1)]
        answer = self.post("/$batch", {"requests": requests_}, **how)
        assert answer.status_code == 200, answer.text
        return {part["id"]: part for part in answer.json()["responses"]}

    def follow(self, link, size=None, prefer=IMMUTABLE):
        """A whole delta round: all items, the delta link, and the pages as they came."""
        wish = ", ".join(part for part in (prefer, f"odata.maxpagesize={size}" if size else "") if part)
        items, pages = [], []
        while True:
            answer = self.get(link, prefer=wish)
            assert answer.status_code == 200, answer.text
            body = answer.json()
            pages.append(body["value"])
            items += body["value"]
            if "@odata.deltaLink" in body:
                assert "@odata.nextLink" not in body
                return items, body["@odata.deltaLink"], pages
            link = body["@odata.nextLink"]

    def delta(self, folder="contacts", select=""):
        """The path of a folder's initial delta request."""
        return f"/me/contactFolders/{folder}/contacts/delta" + (f"?$select={select}" if select else "")

    def add(self, count, folder=None):
        """So many contacts, named by number."""
        return [self.outlook.add_contact(folder, givenName=f"Number {n}", surname="Contact") for n in range(count)]


def names(items):
    """The given names of what is there, and the ids of what was removed, told apart."""
    return ({item["givenName"] for item in items if "@removed" not in item},
            {item["id"] for item in items if "@removed" in item})


def code(answer):
    """Status and Microsoft's code of an error answer."""
    return answer.status_code, answer.json()["error"]["code"]
