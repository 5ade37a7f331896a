"""Builders for stories with both sides: people, their mailboxes in the sandbox, the CRM's records, and the sync itself.

    def test_a_new_contact_arrives(world):
        world.connect("ada")
        world.mailbox("ada").add_contact(givenName="Grace", surname="Hopper")
        world.sync()
        assert world.crm.contacts().get().first_name == "Grace"
        assert world.sync().writes == []

A person has one short name on both sides: the CRM's user `ada` and the account `ada@brightwell.example`. What a story
does not say has a valid default. Everything goes the real way: over HTTP to the sandbox, with real sign-ins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

DOMAIN = "brightwell.example"
REDIRECT_URI = "http://127.0.0.1:8000/microsoft/sign-in/callback/"
READING = ("GET", "HEAD")
PEOPLE = {"ada": "Ada Lindqvist", "ben": "Ben Okafor", "cleo": "Cléo Martin", "admin": "Grace Admin"}


def tomorrow(hour: int = 10, days: int = 1) -> datetime:
    """A full hour of a day to come, in UTC."""
    now = datetime.now(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    return now + timedelta(days=days)


@dataclass
class Ran:
    """What one sync did. `writes` are the requests that change a mailbox, as "METHOD /path"; `requests` all of them,
    a batch counted as one; `outcomes` what the engine said, by person."""

    log: list[Any]
    outcomes: dict[str, Any] = field(default_factory=dict)

    @property
    def requests(self) -> list[str]:
        return [f"{entry.method} {entry.path}" for entry in self.log if entry.batch is None]

    @property
    def writes(self) -> list[str]:
        return [f"{entry.method} {entry.path}" for entry in self.log
                if entry.method not in READING and not entry.path.endswith("/$batch")]

    def counts(self, person: str = "", kind: str = "contacts") -> dict[str, Any]:
        """The numbers of a person's run; without a name, of the only one."""
        [outcome] = [self.outcomes[person]] if person else self.outcomes.values()
        outcome.run.refresh_from_db()
        return outcome.run.counts.get(kind, {})


class Crm:
    """The demo CRM's own records."""

    def __init__(self, world: World) -> None:
        self.world = world

    def contact(self, *, owner: str | None = "ada", folders: tuple[str, ...] | list[str] = (), **values: Any) -> Any:
        """A contact called Grace Hopper unless told otherwise; `owner` is a person's short name, None for nobody."""
        from demo_crm.crm.models import Contact

        if not values.keys() & {"first_name", "last_name", "company", "email"}:
            values |= {"first_name": "Grace", "last_name": "Hopper", "email": "grace.hopper@navy.example"}
        if owner is not None:
            values.setdefault("assigned_to", self.world.user(owner))
        made = Contact.objects.create(**values)
        made.folders.set([self.folder(name) for name in folders])
        return made

    def folder(self, name: str, position: int = 0) -> Any:
        from demo_crm.crm.models import ContactFolder

        return ContactFolder.objects.get_or_create(name=name, defaults={"position": position})[0]

    def team(self, name: str, *members: str) -> Any:
        from demo_crm.crm.models import Team

        team = Team.objects.get_or_create(name=name)[0]
        team.members.add(*[self.world.user(member) for member in members])
        return team

    def meeting(self, *, owner: str | None = "ada", users: tuple[str, ...] | list[str] = (), **values: Any) -> Any:
        """A meeting tomorrow at ten for an hour unless told otherwise; `owner` and `users` are short names."""
        from demo_crm.crm.models import Activity

        values = {"kind": "meeting", "subject": "Kick-off", **values}
        if "start" not in values:
            values["start"] = tomorrow()
        values.setdefault("end", values["start"] + timedelta(hours=1))
        if owner is not None:
            values.setdefault("assigned_to", self.world.user(owner))
        made = Activity.objects.create(**values)
        made.users.set([self.world.user(name) for name in users])
        return made

    def meetings(self) -> Any:
        """The meetings and calls that are not deleted."""
        from demo_crm.crm.models import Activity

        return Activity.objects.filter(deleted_at=None, kind__in=["meeting", "call"]).order_by("pk")

    def contacts(self) -> Any:
        """The contacts that are not deleted."""
        from demo_crm.crm.models import Contact

        return Contact.objects.filter(deleted_at=None).order_by("pk")


class World:
    """One organisation with its people. `sandbox` is its Microsoft 365, `crm` its CRM, `key` the CRM's key of it."""

    def __init__(self, sandbox: Any, tenant: Any, key: str = "") -> None:
        self.sandbox = sandbox
        self.tenant = tenant
        self.key = key
        self.crm = Crm(self)

    # People

    def user(self, person: str) -> Any:
        """The CRM's user of that name, made when asked for the first time. `admin` is a superuser."""
        from django.contrib.auth import get_user_model

        first_name, _, last_name = PEOPLE.get(person, person.title()).partition(" ")
        return get_user_model().objects.get_or_create(
            username=person,
            defaults={"email": f"{person}@{DOMAIN}", "first_name": first_name, "last_name": last_name,
                      "is_staff": person == "admin", "is_superuser": person == "admin"})[0]

    def account(self, person: str) -> Any:
        """The Microsoft account of that person, made when asked for the first time."""
        upn = f"{person}@{self.tenant.domain}"
        return self.sandbox.world.account(upn) or self.sandbox.add_user(
            self.tenant, upn, PEOPLE.get(person, person.title()), is_admin=person == "admin")

    def mailbox(self, person: str) -> Any:
        """The person's Outlook."""
        return self.sandbox.mailbox(self.account(person))

    def planner(self, person: str) -> Any:
        """Planner as that person uses it."""
        return self.sandbox.planner(self.account(person))

    # Settings and links

    def organisation(self, **changes: Any) -> Any:
        """The organisation's settings: authorised, activated and switched on, with `changes`."""
        from opencrm_ms365.models import SyncSettings

        row = SyncSettings.of(self.key)
        values = {"enabled": True, "tenant_id": self.tenant.id, "tenant_name": self.tenant.name, **changes}
        for name, value in values.items():
            setattr(row, name, value)
        row.save()
        return row

    def connect(self, person: str, *, save: bool = True, **settings: Any) -> Any:
        """Sign the person in, connect the account and save the settings (USER-02, USER-03).

        Without `only_my_items` and the like the defaults of USER-05 hold. `save=False` stops before the settings.
        """
        from opencrm_ms365.access import links, signin, user_settings

        if not self._is_set_up():
            self.organisation()
        user, session = self.user(person), {}
        address = signin.begin(user, session, self.key, REDIRECT_URI)
        query = self._agree(address, self.account(person))
        key = signin.complete(user, session, query)
        link = links.connect(user, session, self.key, key)
        if save:
            link = user_settings.save_settings(link, settings, self.user("admin"))
        return link

    def _is_set_up(self) -> bool:
        from opencrm_ms365.models import SyncSettings

        return SyncSettings.objects.filter(tenant=self.key, tenant_id=self.tenant.id).exists()

    def _agree(self, address: str, account: Any) -> dict[str, str]:
        """Do what the person does on Microsoft's pages; returns the query that the browser comes back with."""
        scopes = dict(parse_qsl(urlsplit(address).query))["scope"].split()
        self.sandbox.login.grant_consent(self.client_id, scopes, account=account)
        before = self.sandbox.options.auto_approve
        self.sandbox.options.auto_approve = True
        try:
            answer = requests.get(f"{address}&login_hint={account.upn}", allow_redirects=False, timeout=10)
        finally:
            self.sandbox.options.auto_approve = before
        assert answer.is_redirect, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    @property
    def client_id(self) -> str:
        return next(iter(self.sandbox.world.clients))

    def link(self, person: str) -> Any:
        """The person's link as it stands in the database."""
        from opencrm_ms365.models import UserLink

        return UserLink.objects.get(tenant=self.key, user=self.user(person))

    # Syncing

    def sync(self, *people: str, **options: Any) -> Ran:
        """One cycle for each of these people, or for everybody who is connected, in the order of connecting.

        A record that asked to wait is not waited for. `options` go to `run_link` (`full=True`, for example).
        """
        from opencrm_ms365.models import UserLink
        from opencrm_ms365.sync import cycle, lease

        links = UserLink.objects.running().filter(tenant=self.key).select_related("user").order_by("pk")
        if people:
            links = [self.link(person) for person in people]
        before = max((entry.number for entry in self.sandbox.requests), default=0)
        ran = Ran([])
        for link in links:
            held = lease.acquire(link.pk)
            assert held is not None, "somebody else holds the lease of this link"
            try:
                ran.outcomes[link.user.username] = cycle.run_link(
                    link.pk, **{"trigger": "manual", "deadline": None, "lease": held, "run": None, **options})
            finally:
                held.release()
        ran.log = self.sandbox.requests.find(path=r"^/v1\.0(/|$)", since=before)
        return ran

    def settle(self, *people: str, cycles: int = 6) -> Ran:
        """Sync until a cycle writes nothing to Microsoft, and return that one; fails after so many `cycles`."""
        for _ in range(cycles):
            if not (ran := self.sync(*people)).writes:
                return ran
        raise AssertionError(f"still writing after {cycles} cycles")
