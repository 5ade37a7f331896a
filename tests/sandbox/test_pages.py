"""The web pages of the sandbox, over HTTP: what a person at Outlook sees and does."""

import html
import re

import pytest
import requests

from opencrm_ms365.sandbox import Sandbox, seed
from opencrm_ms365.sandbox.server import running

ADA = f"ada.lindqvist@{seed.DOMAIN}"


class Browser:
    """Follows links and fills in forms of one mailbox's pages."""

    def __init__(self, sandbox, base_url):
        self.sandbox = sandbox
        self.base_url = base_url
        self.mailbox = sandbox.mailbox(ADA)
        self.session = requests.Session()
        self.session.trust_env = False
        self.status = 0
        self.text = ""

    def open(self, path="", **query):
        url = path if path.startswith("http") else f"{self.base_url}/outlook/{path}"
        return self._show(self.session.get(url, params=query, timeout=10))

    def people(self, **query):
        return self.open(f"{ADA}/", **query)

    def post(self, rest, headers=None, **form):
        url = f"{self.base_url}/outlook/{ADA}/{rest}"
        return self._show(self.session.post(url, data=form, headers=headers, timeout=10))

    def _show(self, response):
        self.status, self.text = response.status_code, html.unescape(response.text)
        self.url, self.headers = response.url, response.headers
        return self

    def form(self):
        """The fields of the contact form that is open, with their values."""
        fields = dict(re.findall(r'<input name="([^"]+)" value="([^"]*)"', self.text))
        fields |= dict(re.findall(r'<textarea name="([^"]+)"[^>]*>([^<]*)<', self.text))
        fields["changeKey"] = re.search(r'name="changeKey" value="([^"]*)"', self.text)[1]
        return fields

    def names(self):
        """Who is in the list."""
        part = self.text.split('<section class="list"')[1].split("</section>")[0]
        return re.findall(r"<b>([^<]*)</b>", part)


@pytest.fixture
def browser():
    sandbox = Sandbox()
    seed.demo(sandbox)
    with running(sandbox) as base_url:
        yield Browser(sandbox, base_url)


@pytest.fixture
def grace(browser):
    """A contact of Ada's that is in nobody's way."""
    return browser.mailbox.add_contact(
        givenName="Grace", surname="Hopper", companyName="Navy", personalNotes="COBOL",
        emailAddresses=[{"name": "Amazing Grace", "address": "grace@navy.example"}],
        businessAddress={"street": "1 Pier\nDeck 2", "city": "Arlington"}, birthday="1906-12-09T12:00:00Z")


# Looking

def test_the_first_page_offers_every_mailbox(browser):
    browser.session.max_redirects = 2
    assert browser.open(browser.base_url).url.endswith("/outlook/")
    for account in browser.sandbox.world.accounts.values():
        assert account.display_name in browser.text
        assert f'href="/outlook/{account.upn}/"' in browser.text


def test_an_empty_sandbox_says_what_to_do():
    with running(Sandbox()) as base_url:
        assert "--demo" in requests.get(f"{base_url}/outlook/", timeout=10).text


def test_people_are_listed_by_folder_and_counted(browser):
    everyone = browser.people().names()
    assert len(everyone) == len(browser.mailbox.contacts()) and "Þórunn Ægisdóttir" in everyone

    for folder in browser.mailbox.folders():
        assert len(browser.people(folder=folder["id"]).names()) == folder["count"]


@pytest.mark.parametrize(("query", "found"), [
    ("hopper", True), ("GRACE navy", True), ("pier arlington", True), ("grace@navy", True), ("cobol", True),
    ("grace army", False),
])
def test_search_finds_every_word_anywhere(browser, grace, query, found):
    assert ("Grace Hopper" in browser.people(q=query).names()) is found


def test_search_overlooks_accents(browser):
    assert "Þórunn Ægisdóttir" in browser.people(q="aegisdottir").names()
    assert browser.people(q="nobody at all").names() == [] and "Nobody was found" in browser.text


def test_a_contact_shows_its_details(browser, grace):
    browser.people(contact=grace["id"])
    for text in ("Grace Hopper", "Navy", "grace@navy.example", "Deck 2", "9 December 1906", "COBOL", "In Contacts"):
        assert text in browser.text


def test_what_people_typed_is_escaped(browser):
    made = browser.mailbox.add_contact(givenName="<script>alert(1)</script>", personalNotes='"><img src=x>')
    raw = browser.session.get(f"{browser.base_url}/outlook/{ADA}/", params={"contact": made["id"], "q": '"><b>'}).text
    assert "<script>" not in raw and "<img src=x" not in raw
    assert "default-src 'none'" in browser.people().headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["nobody@example.com/", "nothing", f"{ADA}/nothing", f"{ADA}/contacts/x"])
def test_wrong_addresses_get_a_friendly_404(browser, path):
    assert browser.open(path).status == 404 and "All mailboxes" in browser.text


def test_a_contact_that_is_gone_is_said_to_be_gone(browser, grace):
    browser.mailbox.purge_contact(grace["id"])
    assert "not here any more" in browser.people(contact=grace["id"]).text
    assert browser.post(f"contacts/{grace['id']}/delete").status == 400
    assert "not there any more" in browser.text


def test_an_account_without_a_mailbox_says_so(browser):
    browser.sandbox.account(ADA).has_mailbox = False
    assert "No mailbox" in browser.people().text


# Adding and editing

def test_a_new_contact_is_added_to_the_folder_that_is_open(browser):
    folder = next(f["id"] for f in browser.mailbox.folders() if f["displayName"] == "Customers")
    assert "It goes into Customers" in browser.people(folder=folder, do="new").text
    form = browser.form() | {
        "givenName": "Zoë", "surname": "Müller", "emailAddresses-1": "zoe@mueller.example", "businessPhones-2": "42",
        "homeAddress-city": "Graz", "birthday": "1999-12-31", "categories": "VIP, Trade fair",
        "personalNotes": "a\r\nb",
    }

    browser.post(f"contacts?folder={folder}", **form)

    assert browser.status == 200 and "The contact is in." in browser.text and "Zoë Müller" in browser.names()
    made = browser.mailbox.find(surname="Müller")[0]
    assert made["parentFolderId"] == folder
    assert made["emailAddresses"][0]["address"] == "zoe@mueller.example"
    assert (made["businessPhones"], made["homeAddress"]["city"]) == (["42"], "Graz")
    assert (made["birthday"][:10], made["categories"]) == ("1999-12-31", ["VIP", "Trade fair"])
    assert made["personalNotes"].splitlines() == ["a", "b"]


def test_editing_writes_only_what_was_changed(browser, grace):
    form = browser.people(contact=grace["id"], do="edit").form()
    assert form["givenName"] == "Grace" and form["personalNotes"] == "COBOL"

    browser.post(f"contacts/{grace['id']}", **form | {"surname": "Murray Hopper", "companyName": ""})

    edited = browser.mailbox.contact(grace["id"])
    assert "Saved." in browser.text
    assert (edited["surname"], edited["companyName"]) == ("Murray Hopper", None)
    assert edited["displayName"] == "Grace Murray Hopper"       # made anew by the service, as the form did not send it
    same = ("emailAddresses", "businessAddress", "birthday", "personalNotes")
    assert {name: edited[name] for name in same} == {name: grace[name] for name in same}


def test_saving_without_a_change_writes_nothing(browser, grace):
    form = browser.people(contact=grace["id"], do="edit").form()
    browser.post(f"contacts/{grace['id']}", **form)
    assert "nothing was written" in browser.text
    assert browser.mailbox.contact(grace["id"])["changeKey"] == grace["changeKey"]


def test_lists_can_be_emptied(browser, grace):
    form = browser.people(contact=grace["id"], do="edit").form()
    browser.post(f"contacts/{grace['id']}", **form | {"emailAddresses-1": "", "businessAddress-street": "",
                                                      "businessAddress-city": "", "birthday": ""})
    edited = browser.mailbox.contact(grace["id"])
    assert (edited["emailAddresses"], edited["businessAddress"], edited["birthday"]) == ([], {}, None)


def test_a_change_by_the_crm_meanwhile_is_noticed_before_it_is_overwritten(browser, grace):
    form = browser.people(contact=grace["id"], do="edit").form() | {"jobTitle": "Admiral"}
    browser.mailbox.edit_contact(grace["id"], jobTitle="Captain")

    browser.post(f"contacts/{grace['id']}", **form)
    assert "changed while you were writing" in browser.text and browser.form()["jobTitle"] == "Admiral"
    assert browser.mailbox.contact(grace["id"])["jobTitle"] == "Captain"

    browser.post(f"contacts/{grace['id']}", **browser.form())
    assert browser.mailbox.contact(grace["id"])["jobTitle"] == "Admiral"


def test_an_empty_form_adds_nobody(browser):
    count = len(browser.mailbox.contacts())
    form = browser.people(do="new").form()
    assert "nothing in the form" in browser.post("contacts", **form).text
    assert len(browser.mailbox.contacts()) == count


def test_what_exchange_refuses_is_shown_with_what_was_typed(browser, grace):
    form = browser.people(contact=grace["id"], do="edit").form() | {"birthday": "1906-99-99", "jobTitle": "Admiral"}
    browser.post(f"contacts/{grace['id']}", **form)
    assert browser.form()["jobTitle"] == "Admiral"
    assert browser.mailbox.contact(grace["id"])["changeKey"] == grace["changeKey"]


# Moving, deleting, folders

def test_a_contact_is_moved_deleted_and_brought_back(browser, grace):
    folders = {f["displayName"]: f["id"] for f in browser.mailbox.folders()}

    browser.post(f"contacts/{grace['id']}/move", to=folders["Suppliers"])
    assert browser.mailbox.contact(grace["id"])["parentFolderId"] == folders["Suppliers"]
    browser.post(f"contacts/{grace['id']}/delete")
    assert "Grace Hopper" not in browser.names()
    assert "Grace Hopper" in browser.people(folder="deleted").names()
    assert "Bring back" in browser.people(folder="deleted", contact=grace["id"]).text
    browser.post(f"contacts/{grace['id']}/restore", to=folders["Customers"])
    assert browser.mailbox.contact(grace["id"])["parentFolderId"] == folders["Customers"]


def test_deleted_items_can_be_purged_and_emptied(browser, grace):
    other = browser.mailbox.add_contact(givenName="Other")
    browser.mailbox.delete_contact(grace["id"])
    browser.mailbox.delete_contact(other["id"])

    browser.post(f"contacts/{grace['id']}/purge?folder=deleted")
    assert browser.names() == ["Other"]
    browser.post("deleted/empty?folder=deleted")
    assert browser.mailbox.deleted_items() == [] and "Nothing was deleted." in browser.text


def test_folders_are_added_inside_others_renamed_and_deleted(browser):
    customers = next(f["id"] for f in browser.mailbox.folders() if f["displayName"] == "Customers")

    browser.post("folders", name="North", parent=customers)
    north = next(f for f in browser.mailbox.folders() if f["displayName"] == "North")
    assert north["parentFolderId"] == customers and 'class="d1"' in browser.text
    browser.post(f"folders/{north['id']}/rename", name="South")
    assert "South" in browser.text
    made = browser.mailbox.add_contact(north["id"], givenName="Southerner")
    browser.post(f"folders/{north['id']}/delete")
    assert "South" not in {f["displayName"] for f in browser.mailbox.folders()}
    assert made["id"] in {c["id"] for c in browser.mailbox.deleted_items()}


def test_a_second_folder_of_the_same_name_is_refused_with_words(browser):
    browser.post("folders", name="Customers")
    assert browser.status == 400 and "already exists" in browser.text


def test_forms_from_another_site_are_refused(browser, grace):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"},
                    {"Sec-Fetch-Site": "same-site", "Origin": browser.base_url}):
        assert browser.post(f"contacts/{grace['id']}/delete", headers=headers).status == 403
    assert browser.mailbox.contact(grace["id"])["parentFolderId"] == browser.mailbox.default_folder_id
    own = {"Origin": browser.base_url, "Sec-Fetch-Site": "same-origin"}
    assert browser.post(f"contacts/{grace['id']}/delete", headers=own).status == 200


# What the CRM did

def test_the_activity_page_tells_in_plain_words(browser, grace):
    token = browser.sandbox.token_for(ADA, "Contacts.ReadWrite User.Read")
    headers = {"Authorization": f"Bearer {token}", "Prefer": 'IdType="ImmutableId"'}

    def graph(method, path, **kwargs):
        return requests.request(method, f"{browser.base_url}/v1.0{path}", headers=headers, timeout=10, **kwargs)

    folder = next(f["id"] for f in browser.mailbox.folders() if f["displayName"] == "Suppliers")
    graph("GET", "/me")
    graph("GET", "/me/contactFolders")
    link = graph("GET", f"/me/contactFolders/{folder}/contacts/delta").json()["@odata.deltaLink"]
    requests.get(link, headers=headers, timeout=10)
    graph("POST", "/me/contacts", json={"givenName": "Ada", "surname": "Byron"})
    graph("PATCH", f"/me/contacts/{grace['id']}", json={"jobTitle": "Admiral", "mobilePhone": "1"})
    graph("POST", "/$batch", json={"requests": [
        {"id": "1", "method": "DELETE", "url": f"/me/contacts/{grace['id']}",
         "headers": {"Prefer": 'IdType="ImmutableId"'}}]})
    browser.sandbox.faults.add(path="/me$", status=429, retry_after=1)
    graph("GET", "/me")

    browser.open("activity")
    for words in ("Looked up who is signed in", "Listed the folders", "Read everything in Suppliers",
                  "Asked what has changed in Suppliers", "Added Ada Byron to Contacts",
                  "Changed job title and mobile number of Grace Hopper", "Deleted Grace Hopper", "told to wait",
                  "on command: status 429"):
        assert words in browser.text
    browser.open("activity", only="changes")
    assert "Added Ada Byron" in browser.text and "Listed the folders" not in browser.text
    assert "Added Ada Byron" not in browser.open("activity", mailbox=f"ben.okafor@{seed.DOMAIN}").text


def test_the_activity_page_speaks_of_the_sign_in_and_hides_its_secrets(browser):
    form = {"grant_type": "refresh_token", "client_id": seed.CLIENT_ID, "client_secret": seed.CLIENT_SECRET,
            "refresh_token": "not-to-be-shown"}
    requests.post(f"{browser.base_url}/common/oauth2/v2.0/token", data=form, timeout=10)

    browser.open("activity")

    assert "Renewed its access" in browser.text and "refused" in browser.text
    assert "not-to-be-shown" not in browser.text and seed.CLIENT_SECRET not in browser.text


def test_the_activity_can_be_cleared(browser):
    browser.session.get(f"{browser.base_url}/v1.0/me", timeout=10)
    browser.session.post(f"{browser.base_url}/outlook/activity", timeout=10)
    assert "Nothing yet" in browser.open("activity").text


# Administration

@pytest.mark.parametrize("what", ["revoke", "expire-access", "expire-refresh", "disable", "multi-factor", "withdraw",
                                  "expire-delta", "expire-secret", "forbid-consent"])
def test_each_button_of_the_administration_does_something_and_says_so(browser, what):
    sandbox = browser.sandbox
    sandbox.login.grant_consent(seed.CLIENT_ID, "User.Read", account=ADA)
    token = sandbox.token_for(ADA, "User.Read")
    url = f"{browser.base_url}/outlook/administration"

    page = browser.session.post(url, data={"do": what, "account": ADA}, timeout=10)

    assert page.status_code == 200 and 'role="status"' in page.text
    me = requests.get(f"{browser.base_url}/v1.0/me", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    if what in ("revoke", "expire-access", "expire-refresh", "disable", "multi-factor", "withdraw"):
        assert me.status_code == 401
    assert (not sandbox.account(ADA).is_enabled) is (what == "disable")
    assert (not sandbox.login.state.consents) is (what == "withdraw")
    assert sandbox.world.clients[seed.CLIENT_ID].secret_expired is (what == "expire-secret")


def test_an_unknown_button_is_a_404(browser):
    response = browser.session.post(f"{browser.base_url}/outlook/administration", data={"do": "x", "account": ADA})
    assert response.status_code == 404
