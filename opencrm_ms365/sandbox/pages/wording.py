"""What a request of the log means, in plain words: "Changed the e-mail addresses of Ada Lovelace"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from ..refusal import Refusal
from ..requestlog import LoggedRequest
from . import calendar_wording, planner_wording
from .search import name_of

if TYPE_CHECKING:
    from ..simulator import Sandbox

#: Properties as people call them; what is not in it is called by its own name.
PROPERTIES = {
    "givenName": "first name", "surname": "last name", "displayName": "display name", "fileAs": "filing name",
    "companyName": "company", "jobTitle": "job title", "emailAddresses": "e-mail addresses",
    "mobilePhone": "mobile number", "businessPhones": "work numbers", "homePhones": "home numbers",
    "businessAddress": "work address", "homeAddress": "home address", "otherAddress": "other address",
    "personalNotes": "notes", "businessHomePage": "web page", "birthday": "birthday", "categories": "categories",
    "department": "department", "middleName": "middle name", "title": "title", "parentFolderId": "folder",
    "singleValueExtendedProperties": "the CRM’s own mark",
}
STATUSES = {
    0: "connection cut", 200: "done", 201: "done", 202: "accepted", 204: "done", 302: "sent on",
    400: "refused", 401: "sign-in needed", 403: "not allowed", 404: "not there", 409: "in conflict",
    410: "must read all again", 412: "changed meanwhile", 424: "not tried", 429: "told to wait",
}
_GRANTS = {"authorization_code": "Finished a sign-in", "refresh_token": "Renewed its access"}
#: Method and path, and the method of `Wording` that finds the words.
_RULES: tuple[tuple[str, str, str], ...] = (
    ("POST", r".*/oauth2/v2\.0/token", "token"),
    ("", r".*/oauth2/v2\.0/authorize", "Somebody is at the sign-in page"),
    ("", r".*/adminconsent", "Somebody is at the page for administrators’ consent"),
    ("", r".*/oauth2/v2\.0/logout", "Somebody signs out"),
    ("GET", r".*(openid-configuration|/discovery/.*)", "Asked where and how to sign in"),
    ("POST", r"/\$batch", "batch"),
    ("GET", r"/contactFolders/delta", "Asked which folders have changed"),
    ("GET", r"(/contactFolders/(?P<folder>[^/]+))?/contacts/delta", "delta"),
    ("GET", r"/contactFolders(/[^/]+/childFolders)?", "Listed the folders"),
    ("POST", r"/contactFolders(/[^/]+/childFolders)?", "folder_added"),
    ("GET", r"/contactFolders/(?P<folder>[^/]+)", "folder_read"),
    ("PATCH", r"/contactFolders/(?P<folder>[^/]+)", "folder_renamed"),
    ("DELETE", r"/contactFolders/(?P<folder>[^/]+)", "Deleted a folder"),
    ("GET", r"(/contactFolders/(?P<folder>[^/]+))?/contacts", "listed"),
    ("POST", r"(/contactFolders/(?P<folder>[^/]+))?/contacts", "added"),
    ("GET", r"(/contactFolders/[^/]+)?/contacts/(?P<contact>[^/]+)", "read"),
    ("PATCH", r"(/contactFolders/[^/]+)?/contacts/(?P<contact>[^/]+)", "changed"),
    ("DELETE", r"(/contactFolders/[^/]+)?/contacts/(?P<contact>[^/]+)", "deleted"),
    ("POST", r"(/contactFolders/[^/]+)?/contacts/(?P<contact>[^/]+)/permanentDelete", "deleted"),
    ("", r"(/contactFolders/[^/]+)?/contacts/(?P<contact>[^/]+)/photo.*", "photo"),
    ("GET", r"/me/mailboxSettings.*", "Read the mailbox’s settings"),
    ("GET", r"/(me|users/[^/]+)", "Looked up who is signed in"),
    ("GET", r"/users", "Looked for a colleague"),
)


def status_words(status: int) -> str:
    """The status as people say it."""
    return STATUSES.get(status, "failed" if status >= 500 else "refused" if status >= 400 else str(status))


def is_write(entry: LoggedRequest) -> bool:
    """Whether the request meant to change something in a mailbox."""
    return entry.method in ("POST", "PATCH", "PUT", "DELETE") and entry.path.startswith("/v1.0/") \
        and not entry.path.lower().endswith("/$batch")


class Wording:
    """Finds the words for entries of the log; knows the names of contacts and folders as they are now."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._folders: dict[str, dict[str, str]] = {}

    def of(self, entry: LoggedRequest) -> str:
        """One sentence without a full stop."""
        path = re.sub(r"^/v1\.0(/(me|users/[^/]+)(?=/contact))?", "", entry.path, flags=re.IGNORECASE)
        for method, pattern, words in _RULES:
            found = re.fullmatch(pattern, path, re.IGNORECASE) if method in ("", entry.method) else None
            if found is not None:
                with_names = getattr(self, f"_{words}", None)
                return str(with_names(entry, found.groupdict())) if with_names is not None else words
        return (calendar_wording.words_for(self._sandbox, entry) or planner_wording.words_for(self._sandbox, entry)
                or f"{entry.method} {entry.path}")

    # Rules with names in them

    def _token(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        form = parse_qs(entry.body) if isinstance(entry.body, str) else {}
        return _GRANTS.get(form.get("grant_type", [""])[0], "Asked for access")

    def _batch(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        requests = entry.body.get("requests") if isinstance(entry.body, dict) else None
        count = len(requests) if isinstance(requests, list) else 0
        return f"Sent {count} requests in one" if count != 1 else "Sent one request, wrapped up"

    def _delta(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        query = unquote(entry.query).lower()
        folder = self._folder(entry, found)
        if "$deltatoken" in query:
            return f"Asked what has changed in {folder}"
        return f"Read on in {folder}" if "$skiptoken" in query else f"Read everything in {folder}"

    def _listed(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        return f"Listed who is in {self._folder(entry, found)}"

    def _added(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        body = entry.body if isinstance(entry.body, dict) else {}
        full_name = " ".join(str(body[part]) for part in ("givenName", "surname") if body.get(part))
        name = body.get("displayName") or full_name or body.get("companyName") or "a contact"
        return f"Added {name} to {self._folder(entry, found)}"

    def _read(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        return f"Read {self._contact(entry, found)}"

    def _changed(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        sent: dict[str, Any] = entry.body if isinstance(entry.body, dict) else {}
        names: list[str] = [PROPERTIES.get(name, name) for name in sent]
        if not names:
            return f"Changed {self._contact(entry, found)}"
        told = " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
        return f"Changed {told if len(names) < 5 else f'{len(names)} fields'} of {self._contact(entry, found)}"

    def _deleted(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        return f"Deleted {self._contact(entry, found)}"

    def _photo(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        did = "Read" if entry.method == "GET" else "Changed"
        return f"{did} the picture of {self._contact(entry, found)}"

    def _folder_added(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        name = entry.body.get("displayName", "") if isinstance(entry.body, dict) else ""
        return f"Added the folder “{name}”"

    def _folder_read(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        return f"Looked at {self._folder(entry, found)}"

    def _folder_renamed(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        name = entry.body.get("displayName", "") if isinstance(entry.body, dict) else ""
        return f"Renamed a folder to “{name}”"

    # Names

    def _contact(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        account = self._sandbox.world.account(entry.account) if entry.account else None
        if account is None:
            return "a contact"
        try:
            contact: dict[str, Any] = self._sandbox.mailbox(account).contact(found["contact"] or "")
        except Refusal:
            return "a contact that is gone"
        return name_of(contact)

    def _folder(self, entry: LoggedRequest, found: dict[str, str | None]) -> str:
        account = self._sandbox.world.account(entry.account) if entry.account else None
        if account is None or not found.get("folder"):
            return "Contacts"
        if account.id not in self._folders:
            folders = self._sandbox.mailbox(account).folders()
            self._folders[account.id] = {folder["id"]: folder["displayName"] for folder in folders}
        return self._folders[account.id].get(found["folder"] or "", "a folder that is gone")
