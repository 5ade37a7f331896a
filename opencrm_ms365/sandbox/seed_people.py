"""The people of the demo data, for `seed`: names, companies and places, all made up."""

from __future__ import annotations

from typing import Any

# First name, last name, company, e-mail of those who are in the demo CRM as well. The same list is in the demo CRM,
# copied on purpose: the sandbox knows nothing of any CRM. A test compares the two.
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
# What a sync must not stumble over, in Outlook's shape.
AWKWARD: tuple[dict[str, Any], ...] = (
    {"givenName": "Wilhelmina", "surname": "Ostrander", "companyName": "Ostrander Clocks", "emailAddresses": [
        {"address": "wilhelmina@ostrander-clocks.example"}, {"address": "workshop@ostrander-clocks.example"},
        {"address": "w.ostrander@post.example"}], "businessPhones": ["01632 960411", "01632 960412"]},
    {"givenName": "Albert", "surname": "Quill", "mobilePhone": "07700 900555", "homePhones": ["01632 960555"],
     "personalNotes": "No e-mail, no computer.\nRings the bell on Thursdays."},
    {"givenName": "John", "surname": "Smith", "companyName": "Smith Ironmongery",
     "emailAddresses": [{"address": "john@smith-ironmongery.example"}], "jobTitle": "Owner"},
    {"givenName": "John", "surname": "Smith", "companyName": "Bank of Alnwick",
     "emailAddresses": [{"address": "john.smith@bank-alnwick.example"}], "jobTitle": "Loans",
     "personalNotes": "The other John Smith."},
    {"companyName": "Tyne Ferry Office", "businessPhones": ["01632 960700"],
     "emailAddresses": [{"address": "office@tyne-ferry.example"}]},
    {"givenName": "Þórunn", "surname": "Ægisdóttir", "companyName": "Norðurljós Hönnun", "title": "Dr",
     "emailAddresses": [{"address": "thorunn@nordurljos.example"}], "businessAddress": {
         "street": "Laugavegur 12\n2. hæð", "city": "Reykjavík", "postalCode": "101", "countryOrRegion": "Iceland"}},
    {"givenName": "Nguyễn", "surname": "Thị Hằng", "companyName": "Hằng & Con", "birthday": "1992-02-29T12:00:00Z",
     "emailAddresses": [{"address": "hang@hang-con.example"}], "displayName": "Nguyễn Thị Hằng (Saigon)"},
)

FIRST_NAMES = (
    "Agnes", "Alistair", "Amira", "Anneliese", "Benedict", "Bronwen", "Cecilia", "Damian", "Daphne", "Desmond",
    "Edith", "Elif", "Emeka", "Fiona", "Florian", "Giulia", "Harriet", "Ibrahim", "Imogen", "Ivan", "Jacqueline",
    "João", "Kamal", "Kirsten", "Laurence", "Leïla", "Magnus", "Márta", "Mira", "Nikolai", "Nora", "Orla", "Pascal",
    "Petra", "Quentin", "Rafael", "Renée", "Rosa", "Rupert", "Sofia", "Søren", "Tamsin", "Theo", "Ulrike", "Victor",
    "Winifred", "Xavier", "Yasmin",
)
LAST_NAMES = (
    "Abernathy", "Almeida", "Bäcker", "Baptiste", "Bielak", "Brennan", "Calloway", "Chaudhry", "Coppola", "Dalgaard",
    "Delacroix", "Ekström", "Farrow", "Fitzgerald", "Gonçalves", "Hargreaves", "Hoffmann", "Ivanova", "Jankowski",
    "Kapoor", "Kovács", "Larkin", "Lindberg", "Mbeki", "Merriweather", "Moreau", "Nakamura", "Nyström", "Obi",
    "O'Connell", "Pereira", "Petrov", "Quigley", "Ramsey", "Rossi", "Sandoval", "Schäfer", "Swann", "Takács",
    "Underhill", "Varga", "Wainwright", "Yıldız", "Zamora",
)
COMPANIES = (
    ("Alder & Finch", "alder-finch.example"), ("Beacon Upholstery", "beacon-upholstery.example"),
    ("Cartwright Castors", "cartwright-castors.example"), ("Dovetail Schools", "dovetail-schools.example"),
    ("Eastgate Hospital", "eastgate-hospital.example"), ("Foxglove Fabrics", "foxglove-fabrics.example"),
    ("Gilt & Grain", "gilt-grain.example"), ("Hadrian Haulage", "hadrian-haulage.example"),
    ("Kelder Forestry", "kelder-forestry.example"), ("Larch Lane Studios", "larch-lane.example"),
    ("Millrace Brewery", "millrace-brewery.example"), ("Northern Wharf", "northern-wharf.example"),
    ("Old Post Hotel", "old-post-hotel.example"), ("Pennine Press", "pennine-press.example"),
    ("Quayside Law", "quayside-law.example"), ("Redesdale Wool", "redesdale-wool.example"),
    ("Stonebridge Council", "stonebridge-council.example"), ("Tempest Lighting", "tempest-lighting.example"),
)
JOB_TITLES = (
    "Architect", "Buyer", "Contracts manager", "Director", "Estimator", "Export manager", "Facilities manager",
    "Finance", "Founder", "Head of procurement", "Interior designer", "Office manager", "Partner", "Sales",
    "Workshop foreman",
)
TOWNS = (
    ("Bridge Street", "Morpeth", "NE61 1NB", "United Kingdom"),
    ("Grey Street", "Newcastle", "NE1 6AE", "United Kingdom"),
    ("Silver Street", "Durham", "DH1 3RB", "United Kingdom"), ("Rue des Tanneurs", "Nantes", "44000", "France"),
    ("Lange Straße", "Bremen", "28195", "Germany"), ("Strandgade", "Aarhus", "8000", "Denmark"),
    ("Via dei Mille", "Torino", "10123", "Italy"), ("Calle Mayor", "Zaragoza", "50001", "Spain"),
)
