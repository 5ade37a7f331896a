"""Two records in which every field has a value, none of them the same."""

from __future__ import annotations

import datetime

from ..records import ContactData, PostalAddress


def full_contact() -> ContactData:
    """A contact as a careful person keeps it in Outlook."""
    return ContactData(
        given_name="Grace", middle_name="Brewster", surname="Hopper", display_name="Grace Hopper", nickname="Amazing",
        title="Dr", job_title="Rear admiral", department="Programming", company_name="Navy",
        emails=("grace.hopper@navy.example", "grace@hopper.example", "hopper@yale.example"),
        business_phones=("+1 202 555 0101", "+1 202 555 0102"), home_phones=("+1 202 555 0103", "+1 202 555 0104"),
        mobile_phone="+1 202 555 0105",
        business_address=PostalAddress(street="1 Navy Yard", city="Washington", state="DC", postal_code="20374",
                                       country="United States"),
        home_address=PostalAddress(street="2 Elm St", city="Arlington", state="VA", postal_code="22201",
                                   country="United States"),
        other_address=PostalAddress(street="3 High St", city="New Haven", state="CT", postal_code="06510",
                                    country="United States"),
        birthday=datetime.date(1906, 12, 9), web="https://hopper.example/", notes="Likes clear words.\nKeeps a moth.",
        categories=("Friends", "Navy"),
    )


def another_contact() -> ContactData:
    """Another one, with fewer entries and letters from elsewhere."""
    return ContactData(
        given_name="Zoë", middle_name="Ø", surname="Müller-Łukasz", display_name="Zoë Müller", nickname="Zo",
        title="Prof.", job_title="Ingénieure", department="R & D", company_name="Œuvres <Ltd>",
        emails=("zoe@muller.example",), business_phones=("+49 30 5550 111",), home_phones=("+49 30 5550 112",),
        mobile_phone="+49 170 5550 113",
        business_address=PostalAddress(street="Straße 1", city="Köln", state="NRW", postal_code="50667",
                                       country="Germany"),
        home_address=PostalAddress(street="Weg 2", city="Łódź", postal_code="90-001", country="Poland"),
        other_address=PostalAddress(city="Zürich", country="Switzerland"),
        birthday=datetime.date(1980, 2, 29), web="https://zoe.example/", notes="„Zitat“", categories=("Œuvres",),
    )
