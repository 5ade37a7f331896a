"""Brightwell & Sons, the company of the demo: its people, teams and folders, and the contacts that matter by name.

The other contacts are invented by `invented.py`. Everything here is made up; addresses end in `.example`, telephone
numbers are those that are set aside for fiction.
"""

from __future__ import annotations

from typing import Any, NamedTuple

NAME = "Brightwell & Sons"
DOMAIN = "brightwell.example"

# The tenant of the local Microsoft 365's demo data.
MICROSOFT_TENANT_NAME = NAME


class Colleague(NamedTuple):
    """Somebody who works at the company and signs in to the CRM. The demo password is the user name and `-demo`."""

    username: str
    first_name: str
    last_name: str
    email: str
    is_superuser: bool = False

    @property
    def password(self) -> str:
        return f"{self.username}-demo"


COLLEAGUES = (
    Colleague("ada", "Ada", "Lindqvist", f"ada.lindqvist@{DOMAIN}"),
    Colleague("ben", "Ben", "Okafor", f"ben.okafor@{DOMAIN}"),
    Colleague("cleo", "Cléo", "Martin", f"cleo.martin@{DOMAIN}"),
    Colleague("dot", "Dot", "Hargreaves", ""),           # in the workshop; has no e-mail address
    Colleague("admin", "Grace", "Admin", f"admin@{DOMAIN}", is_superuser=True),
)
TEAMS = {"Sales": ("ada", "ben"), "Service": ("cleo", "ben", "dot")}
FOLDERS = ("Customers", "Suppliers", "Press")
# The company's own task lists: key and name.
TASK_LISTS = (("quotations", "Quotations"), ("workshop", "Workshop"), ("office", "Office"))

# First name, last name, company, e-mail of those who are in somebody's Outlook as well, before the first sync.
# The first third is Ada's, the second Ben's, the last Cléo's; `shared_owner` says so.
SHARED_PEOPLE: tuple[tuple[str, str, str, str], ...] = (
    ("Margaret", "Ashworth", "Northgate Timber", "margaret.ashworth@northgate-timber.example"),
    ("Tomasz", "Wiśniewski", "Baltic Joinery", "tomasz.wisniewski@baltic-joinery.example"),
    ("Henrietta", "Vane", "Vane & Partner", "h.vane@vane-partner.example"),
    ("Joaquín", "Etxeberria", "Maderas del Norte", "joaquin@maderas-norte.example"),
    ("Priya", "Raman", "Harbour Hotels", "priya.raman@harbour-hotels.example"),
    ("Callum", "Fraser", "Fraser Fit-Out", "callum@fraser-fitout.example"),
    ("Siobhán", "O'Rourke", "Liffey Interiors", "siobhan.orourke@liffey-interiors.example"),
    ("Dieter", "Großmann", "Großmann Beschläge", "d.grossmann@grossmann-beschlaege.example"),
    ("Lucy", "Pemberton", "Pemberton Estates", "lucy@pemberton-estates.example"),
    ("Aarav", "Mehta", "Lotus Restaurants", "aarav.mehta@lotus-restaurants.example"),
    ("Ingrid", "Solberg", "Fjordlys", "ingrid.solberg@fjordlys.example"),
    ("Frances", "Whitlock", "Whitlock Schools Trust", "f.whitlock@whitlock-schools.example"),
    ("Marek", "Dvořák", "Dvořák Varnish", "marek@dvorak-varnish.example"),
    ("Olivia", "Hartley", "Hartley Design", "olivia@hartley-design.example"),
    ("Samuel", "Adeyemi", "Adeyemi Architects", "samuel.adeyemi@adeyemi-architects.example"),
    ("Beatrice", "Conti", "Conti Marmi", "beatrice.conti@conti-marmi.example"),
    ("Rowan", "Blackwood", "Blackwood Sawmill", "rowan@blackwood-sawmill.example"),
    ("Nadia", "Haddad", "Cedar Offices", "nadia.haddad@cedar-offices.example"),
    ("Philip", "Thornbury", "Thornbury Logistics", "philip.thornbury@thornbury-logistics.example"),
    ("Élodie", "Lefèvre", "Atelier Lefèvre", "elodie@atelier-lefevre.example"),
    ("George", "Mwangi", "Savanna Lodges", "george.mwangi@savanna-lodges.example"),
    ("Hannah", "Weiss", "Weiss Werkzeuge", "hannah.weiss@weiss-werkzeuge.example"),
    ("Edmund", "Carrick", "Carrick Glass", "edmund@carrick-glass.example"),
    ("Yuki", "Tanaka", "Tanaka Tools UK", "yuki.tanaka@tanaka-tools.example"),
    ("Rosalind", "Peake", "Peake Property", "rosalind.peake@peake-property.example"),
    ("Anders", "Bjørnstad", "Nordlakk", "anders.bjornstad@nordlakk.example"),
    ("Charlotte", "Mills", "Riverside Galleries", "charlotte@riverside-galleries.example"),
    ("Imran", "Siddiqui", "Siddiqui Surveyors", "imran@siddiqui-surveyors.example"),
    ("Wendy", "Prescott", "Prescott Packaging", "wendy.prescott@prescott-packaging.example"),
    ("Łukasz", "Zieliński", "Zieliński Meble", "lukasz@zielinski-meble.example"),
    ("Gwen", "Llewellyn", "Llewellyn Slate", "gwen@llewellyn-slate.example"),
    ("Oscar", "Van den Berg", "Van den Berg Hout", "oscar@vandenberg-hout.example"),
    ("Amelia", "Stone", "The Joinery Review", "amelia.stone@joinery-review.example"),
    ("Björn", "Åkesson", "Åkesson Kök", "bjorn@akesson-kok.example"),
    ("Constance", "Bell", "Bell Care Homes", "constance.bell@bell-care.example"),
    ("Dmitri", "Volkov", "Volkov Lifts", "dmitri@volkov-lifts.example"),
    ("Esther", "Goldberg", "Goldberg Libraries", "esther.goldberg@goldberg-libraries.example"),
    ("Fergus", "MacLeod", "MacLeod Distillers", "fergus@macleod-distillers.example"),
    ("Gabriela", "Núñez", "Casa Núñez", "gabriela@casa-nunez.example"),
    ("Hugo", "Fairfax", "Fairfax Theatres", "hugo.fairfax@fairfax-theatres.example"),
    ("Isabel", "Marchetti", "Marchetti Illuminazione", "isabel@marchetti-luce.example"),
    ("Jasper", "Holloway", "Holloway Removals", "jasper@holloway-removals.example"),
    ("Katarína", "Novotná", "Novotná Textil", "katarina@novotna-textil.example"),
    ("Leonard", "Osborne", "County Courier", "leonard.osborne@county-courier.example"),
    ("Mei", "Chen", "Jade Garden Hotels", "mei.chen@jade-garden.example"),
    ("Niamh", "Gallagher", "Gallagher Clinics", "niamh@gallagher-clinics.example"),
    ("Owen", "Pritchard", "Pritchard Pianos", "owen@pritchard-pianos.example"),
    ("Zoë", "Castellanos", "Castellanos Café", "zoe@castellanos-cafe.example"),
)
_THIRD = len(SHARED_PEOPLE) // 3


def shared_owner(position: int) -> str:
    """The user name of who the shared person at this position (from 0) is assigned to."""
    return ("ada", "ben", "cleo")[min(position // _THIRD, 2)]


# The contacts that a sync must not stumble over: three e-mails, none at all, two of a name, only a company, accents,
# a name that is longer than the form is wide, an apostrophe, a birthday on a leap day, one that must not be synced.
AWKWARD: tuple[dict[str, Any], ...] = (
    {"first_name": "Theodora", "last_name": "Papadopoulou", "company": "Aegean Yachts", "job_title": "Owner",
     "email": "theodora@aegean-yachts.example", "email2": "office@aegean-yachts.example",
     "email3": "theodora.papadopoulou@post.example", "mobile": "07700 900461", "assigned_to": "ada",
     "folders": ("Customers",), "notes": "Reads the third address at weekends only."},
    {"first_name": "Reginald", "last_name": "Moss", "company": "Moss & Daughter", "assigned_to": "ada",
     "phone": "01632 960118", "notes": "No e-mail. Telephone before nine, or write a letter.",
     "street": "4 Chapel Row", "city": "Alnwick", "postcode": "NE66 4AB", "country": "United Kingdom",
     "folders": ("Customers",)},
    {"first_name": "David", "last_name": "Jones", "company": "Jones Roofing", "email": "david@jones-roofing.example",
     "phone": "01632 960201", "assigned_to": "ben", "folders": ("Suppliers",)},
    {"first_name": "David", "last_name": "Jones", "company": "Severn Council", "job_title": "Procurement officer",
     "email": "d.jones@severn-council.example", "phone": "01632 960377", "assigned_to": "ben",
     "folders": ("Customers",), "notes": "Not the roofer."},
    {"first_name": "Maria", "last_name": "Silva", "company": "Silva Cork", "email": "maria@silva-cork.example",
     "assigned_to": "cleo", "folders": ("Suppliers",)},
    {"first_name": "Maria", "last_name": "Silva", "company": "Silva Cork", "email": "maria.silva2@silva-cork.example",
     "job_title": "Accounts", "assigned_to": "cleo", "folders": ("Suppliers",),
     "notes": "Mother and daughter have the same name and the same firm."},
    {"company": "Thames Valley Waste", "email": "collections@tv-waste.example", "phone": "0118 496 0144",
     "assigned_to": "cleo", "folders": ("Suppliers",), "notes": "A switchboard, not a person."},
    {"first_name": "Jean-François", "last_name": "d'Aubigné-Élysée", "company": "Société Générale du Bois Précieux",
     "email": "jf.daubigne@bois-precieux.example", "country": "France", "city": "Besançon", "postcode": "25000",
     "street": "12 Rue de l'Église", "assigned_to": "ben", "folders": ("Suppliers", "Press")},
    {"first_name": "Bartholomew Montgomery Alexander", "last_name": "Featherstonehaugh-Cholmondeley",
     "company": "The Worshipful Company of Upholders, Restorers and Cabinet Makers of the Northern Counties",
     "job_title": "Honorary Secretary and Keeper of the Pattern Books", "email": "secretary@upholders.example",
     "assigned_to": "ada", "folders": ("Press",)},
    {"first_name": "Clara", "last_name": "Leaper", "company": "Leaper Calendars", "email": "clara@leaper.example",
     "birthday": "1988-02-29", "assigned_to": "cleo", "folders": ("Customers",)},
    {"first_name": "佐藤", "last_name": "美咲", "company": "Sato Design Studio", "email": "misaki@sato-studio.example",
     "country": "Japan", "city": "Kyoto", "assigned_to": "ada", "folders": ("Customers",)},
    {"first_name": "Peter", "last_name": "Brightwell", "company": NAME, "mobile": "07700 900007",
     "home_phone": "01632 960007", "birthday": "1949-11-03", "assigned_to": "ada", "sync_to_microsoft": False,
     "notes": "The founder's private numbers: not to be synced."},
    {"first_name": "Élise", "last_name": "Noël", "company": "Maison Noël", "email": "Elise.Noel@Maison-Noel.example",
     "assigned_to": "cleo", "folders": ("Customers", "Press"), "website": "www.maison-noel.example"},
    {"first_name": "Cher", "company": "Follow Spot Events", "email": "cher@follow-spot.example", "assigned_to": "ben",
     "folders": ("Press",)},
)
