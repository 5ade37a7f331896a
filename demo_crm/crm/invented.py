"""Invents contacts that could be a joiner's: the same ones each time, since the same seed stands at the start."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from typing import Any

SEED = 1887                                 # the year Brightwell & Sons was founded


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = words(
    "Abigail Adam Agnes Aisha Alan Albert Alice Amina Amy Andrew Anja Anna Anthony Antoine Arthur Astrid Barbara "
    "Beth Brendan Bridget Carlos Caroline Catherine Charles Chloe Christina Clement Colin Daniel Daphne Deborah "
    "Denise Derek Diana Dominic Dorothy Douglas Edward Eileen Elena Elliot Emily Emma Eric Fatima Felix Fiona "
    "Florence Freya Gareth Gemma Gerald Giulia Graham Greta Hamish Harriet Helen Henry Hilda Ian Irene Isaac Jack "
    "Jacob James Jane Jessica Joan Joseph Julia Karim Kate Keith Laura Lars Leila Liam Linda Louise Lydia Malcolm "
    "Marcus Martha Matthew Megan Michael Miriam Mohammed Monika Neil Nicola Noah Nora Oliver Patrick Paula "
    "Penelope Pierre Rachel Ralph Rebecca Renée Richard Robert Rosa Ruth Sabine Sally Sean Simon Sofia Sophie "
    "Stefan Stella Susan Sven Thomas Tessa Ursula Valerie Victor Vincent Violet William Winifred Zara André Chloé "
    "Jürgen Søren José Žofia"
)
LAST_NAMES = words(
    "Abbott Ainsworth Archer Atkinson Bailey Barker Barnes Becker Bennett Bernard Birch Bishop Booth Bradley "
    "Brennan Brooks Burton Byrne Campbell Carter Chambers Clarke Collins Cooper Cross Dalton Davies Dawson Dixon "
    "Doyle Dubois Dunn Ellis Evans Farrow Fischer Fisher Fletcher Ford Foster Garner Gibson Grant Greene Griffin "
    "Hale Hansen Hardy Harper Harris Hayes Hoffmann Holmes Hughes Hunt Iqbal Jackson Jansen Jenkins Kaur Keller "
    "Kelly Kennedy King Knight Kowalski Lambert Larsen Lawson Lewis Lloyd Lowe Marsh Mason Meyer Mitchell Moreau "
    "Morgan Murphy Nash Newton Nielsen Noble Nolan Norris Oakley Parker Patel Pearce Perry Petersen Porter Quinn "
    "Reid Rhodes Richards Roberts Rossi Russell Sanders Schmidt Shaw Simmons Singh Slater Spencer Stevens Sutton "
    "Taylor Thorpe Turner Underwood Vaughan Wagner Walsh Ward Watts Webb Wells Wheeler Wilkins Wood Wright Yates "
    "Young Brontë Müller Sørensen Castañeda Čapek"
)

# What a company's name ends in, the folder its people are kept in, and what they do there.
TRADES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Hotels", "Customers", ("General manager", "Head of refurbishment", "Purchasing")),
    ("Architects", "Customers", ("Partner", "Project architect", "Office manager")),
    ("Homes", "Customers", ("Site manager", "Director", "Buyer")),
    ("College", "Customers", ("Bursar", "Head of estates")),
    ("Restaurants", "Customers", ("Owner", "Operations manager")),
    ("Interiors", "Customers", ("Designer", "Studio manager", "Founder")),
    ("Museum", "Customers", ("Curator", "Head of exhibitions")),
    ("Council", "Customers", ("Procurement officer", "Conservation officer")),
    ("Timber", "Suppliers", ("Sales manager", "Yard manager", "Accounts")),
    ("Ironmongery", "Suppliers", ("Area representative", "Accounts")),
    ("Coatings", "Suppliers", ("Technical adviser", "Sales manager")),
    ("Haulage", "Suppliers", ("Dispatcher", "Transport manager")),
    ("Machinery", "Suppliers", ("Service engineer", "Area representative")),
    ("Gazette", "Press", ("Editor", "Reporter")),
    ("Magazine", "Press", ("Features editor", "Photographer")),
)
PLACES = (
    ("Whitby", "North Yorkshire", "YO22"), ("Kendal", "Cumbria", "LA9"), ("Ludlow", "Shropshire", "SY8"),
    ("Bath", "Somerset", "BA1"), ("Hexham", "Northumberland", "NE46"), ("Lewes", "East Sussex", "BN7"),
    ("Stamford", "Lincolnshire", "PE9"), ("Totnes", "Devon", "TQ9"), ("Harrogate", "North Yorkshire", "HG1"),
    ("Norwich", "Norfolk", "NR2"), ("Durham", "County Durham", "DH1"), ("Oxford", "Oxfordshire", "OX1"),
)
STREETS = ("Station Road", "Mill Lane", "High Street", "Quay Street", "Church Lane", "Foundry Row", "Castle Street",
           "Victoria Terrace", "Orchard Way", "Market Place")
NOTES = ("Met at the timber fair in Birmingham.", "Prefers oak. Always asks for a drawing first.",
         "Pays on the day, expects the same.", "Introduced by Henrietta Vane.", "Wants the catalogue on paper.",
         "Moved here from the London office.\nOld number no longer works.", "Deliver before eight in the morning.")


def contacts(count: int) -> Iterator[dict[str, Any]]:
    """`count` contacts as column values, with `assigned_to` a user name and `folders` names, `age_days` since when."""
    chance = random.Random(SEED)
    taken: set[tuple[str, str]] = set()
    companies = [_company(chance) for _ in range(count // 3)]
    while len(taken) < count:
        name = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        if name in taken:
            continue
        taken.add(name)
        yield _contact(chance, name, chance.choice(companies))


def _company(chance: random.Random) -> dict[str, Any]:
    trade, folder, roles = chance.choice(TRADES)
    town, county, district = chance.choice(PLACES)
    name = f"{chance.choice((*LAST_NAMES, town, town, county))} {trade}"
    return {
        "name": name, "folder": folder, "roles": roles, "host": f"{plain(name)}.example",
        "phone": f"01632 960{chance.randrange(1000):03d}", "city": town, "state": county,
        "street": f"{chance.randrange(1, 90)} {chance.choice(STREETS)}",
        "postcode": f"{district} {chance.randrange(1, 9)}{chance.choice('ABDEFGHJ')}{chance.choice('LNPQRSTU')}",
        "assigned_to": chance.choice(("ada", "ada", "ben", "ben", "cleo")),
    }


def _contact(chance: random.Random, name: tuple[str, str], company: dict[str, Any]) -> dict[str, Any]:
    first, last = name
    person: dict[str, Any] = {
        "first_name": first, "last_name": last, "company": company["name"],
        "job_title": chance.choice(company["roles"]),
        "email": f"{plain(first)}.{plain(last)}@{company['host']}", "phone": company["phone"],
        "street": company["street"], "city": company["city"], "state": company["state"],
        "postcode": company["postcode"], "country": "United Kingdom", "website": f"https://www.{company['host']}",
        "assigned_to": company["assigned_to"], "folders": (company["folder"],), "age_days": chance.randrange(2, 900),
    }
    if chance.random() < 0.08:
        person["email"] = ""
    elif chance.random() < 0.12:
        person["email2"] = f"{plain(last)}.{plain(first)}@post.example"
    if chance.random() < 0.55:
        person["mobile"] = f"07700 900{chance.randrange(1000):03d}"
    if chance.random() < 0.1:
        person["home_phone"] = f"01632 960{chance.randrange(1000):03d}"
    if chance.random() < 0.15:
        year, month, day = chance.randrange(1950, 2002), chance.randrange(1, 13), chance.randrange(1, 29)
        person["birthday"] = f"{year}-{month:02d}-{day:02d}"
    if chance.random() < 0.2:
        person["notes"] = chance.choice(NOTES)
    if chance.random() < 0.06:
        person["folders"] = ()
    if chance.random() < 0.04:
        person["sync_to_microsoft"] = False
    return person


def plain(text: str) -> str:
    """`Müller & Söhne` as it would stand in an address: `muller-sohne`."""
    ascii_only = unicodedata.normalize("NFKD", text.replace("ø", "o")).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(letter if letter.isalnum() else " " for letter in ascii_only).split())
