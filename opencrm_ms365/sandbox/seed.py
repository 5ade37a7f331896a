"""Demo data: Brightwell & Sons, four colleagues with contacts and Planner's plans, and one personal account.

About a third of each mailbox's contacts are also in the demo CRM, so that a first sync finds people to match; the
rest are in Outlook only. Everything is made up: `.example` addresses, telephone numbers set aside for fiction.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import seed_planner
from .seed_events import fill_calendars
from .seed_people import AWKWARD, COMPANIES, FIRST_NAMES, JOB_TITLES, LAST_NAMES, SHARED_PEOPLE, TOWNS
from .simulator import Sandbox
from .world import Account

TENANT_ID = "b7149e11-5a1e-4d0c-9c5e-2f1d0b9a7c10"
TENANT_NAME = "Brightwell & Sons"
DOMAIN = "brightwell.example"
CLIENT_ID = "11111111-2222-3333-4444-555555555555"
CLIENT_SECRET = "demo-secret"
FOLDERS = ("Customers", "Suppliers")


@dataclass(frozen=True, slots=True)
class _Person:
    id: str
    upn: str
    given_name: str
    surname: str
    invented: int           # how many contacts of nobody else's, besides shared and awkward ones
    is_admin: bool = False


_PEOPLE = (
    _Person("5e0a4c52-6f4e-4b8f-8a53-0d6a1e4b7a01", f"ada.lindqvist@{DOMAIN}", "Ada", "Lindqvist", 24),
    _Person("5e0a4c52-6f4e-4b8f-8a53-0d6a1e4b7a02", f"ben.okafor@{DOMAIN}", "Ben", "Okafor", 30),
    _Person("5e0a4c52-6f4e-4b8f-8a53-0d6a1e4b7a03", f"cleo.martin@{DOMAIN}", "Cléo", "Martin", 28),
    _Person("5e0a4c52-6f4e-4b8f-8a53-0d6a1e4b7a04", f"admin@{DOMAIN}", "Grace", "Admin", 30, is_admin=True),
)
_PERSONAL = ("0f6c1d9e-0000-4c1f-9d6b-7a2e5b3c8d05", "someone@outlook.example", "Someone Else")


def demo(sandbox: Sandbox) -> None:
    """Fill an empty sandbox with the demo's tenant, accounts, client, mailboxes and plans. Always the same contacts."""
    tenant = sandbox.add_tenant(DOMAIN, TENANT_NAME, id=TENANT_ID)
    sandbox.register_client(CLIENT_ID, CLIENT_SECRET, "*loopback", name="Brightwell CRM")
    third = len(SHARED_PEOPLE) // 3
    for number, person in enumerate(_PEOPLE):
        account = sandbox.add_user(
            tenant, person.upn, f"{person.given_name} {person.surname}", id=person.id, is_admin=person.is_admin,
            given_name=person.given_name, surname=person.surname,
        )
        shared = SHARED_PEOPLE[number * third : (number + 1) * third] if number < 3 else ()
        _fill(sandbox, account, shared, person.invented)
    seed_planner.fill(sandbox, {person.upn.partition("@")[0].partition(".")[0]: person.upn for person in _PEOPLE})
    someone_id, upn, name = _PERSONAL
    someone = sandbox.add_user(sandbox.personal_tenant(), upn, name, id=someone_id)
    _fill(sandbox, someone, (), 3, awkward=False)
    fill_calendars(sandbox, DOMAIN)


def _fill(sandbox: Sandbox, account: Account, shared: tuple[tuple[str, str, str, str], ...], invented: int, *,
          awkward: bool = True) -> None:
    dice = random.Random(account.upn)
    mailbox = sandbox.mailbox(account)
    for name in FOLDERS:
        mailbox.add_folder(name)
    everyone = [*(_known(dice, *person) for person in shared), *_strangers(dice, invented)]
    if awkward:
        everyone += [dict(person) for person in AWKWARD]
    dice.shuffle(everyone)
    for person in everyone:
        mailbox.add_contact(dice.choices((None, *FOLDERS), weights=(6, 2, 2))[0], **person)


def _known(dice: random.Random, given_name: str, surname: str, company: str, email: str) -> dict[str, Any]:
    """Somebody whom the CRM knows, too; Outlook knows a little less, or something else."""
    person: dict[str, Any] = {"givenName": given_name, "surname": surname}
    forms = (email, email, email.title(), "")       # a stranger case of letters, or no address at all
    address = dice.choice(forms)
    if address:
        person["emailAddresses"] = [{"address": address, "name": f"{given_name} {surname}"}]
    if not address or dice.random() < 0.8:
        person["companyName"] = company
    if dice.random() < 0.6:
        person["mobilePhone"] = _mobile(dice)
    if dice.random() < 0.3:
        person["jobTitle"] = dice.choice(JOB_TITLES)
    if dice.random() < 0.2:
        person["personalNotes"] = dice.choice(("Met at the trade fair.", "Prefers the telephone.\nNot on Fridays."))
    return person


def _strangers(dice: random.Random, count: int) -> Iterator[dict[str, Any]]:
    """People of Outlook's own, no two of the same name."""
    pairs = dice.sample([(first, last) for first in FIRST_NAMES for last in LAST_NAMES], count)
    for given_name, surname in pairs:
        company, domain = dice.choice(COMPANIES)
        person: dict[str, Any] = {
            "givenName": given_name,
            "surname": surname,
            "companyName": company,
            "jobTitle": dice.choice(JOB_TITLES),
            "emailAddresses": [{"address": f"{_plain(given_name)}.{_plain(surname)}@{domain}"}],
        }
        if dice.random() < 0.5:
            person["mobilePhone"] = _mobile(dice)
        if dice.random() < 0.5:
            person["businessPhones"] = [f"01632 960{dice.randrange(1000):03}"]
        if dice.random() < 0.4:
            street, town, postcode, country = dice.choice(TOWNS)
            person["businessAddress"] = {
                "street": f"{dice.randint(1, 140)} {street}", "city": town, "postalCode": postcode,
                "countryOrRegion": country,
            }
        if dice.random() < 0.25:
            month, day = dice.randint(1, 12), dice.randint(1, 28)
            person["birthday"] = f"{dice.randint(1955, 2000)}-{month:02}-{day:02}T12:00:00Z"
        if dice.random() < 0.2:
            person["categories"] = [dice.choice(("Christmas card", "Trade fair", "VIP"))]
        yield person


def _mobile(dice: random.Random) -> str:
    return f"07700 900{dice.randrange(1000):03}"


def _plain(name: str) -> str:
    """A name as it is written in an address: without accents, apostrophes and spaces."""
    special = str.maketrans({"ø": "o", "ł": "l", "ß": "ss", "æ": "ae", "đ": "d", "ı": "i"})
    letters = unicodedata.normalize("NFKD", name.casefold().translate(special))
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())
