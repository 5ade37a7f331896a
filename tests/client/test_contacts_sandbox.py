"""Contacts through real HTTP against the sandbox, with every behaviour that Microsoft's documentation leaves open."""

from datetime import date

import pytest

from opencrm_ms365.errors import (
    DeltaExpired,
    MailboxUnavailable,
    NotFound,
    OutcomeUnknown,
    Rejected,
    SignInRequired,
    Stale,
)
from opencrm_ms365.graph.client import GraphClient
from opencrm_ms365.graph.contacts import ContactItem, Contacts, ContactWrite, RemovedItem
from opencrm_ms365.graph.mailbox import me
from opencrm_ms365.records import UNSET, ContactData, PostalAddress
from opencrm_ms365.sandbox import Sandbox
from opencrm_ms365.sandbox.server import running

FULL = ContactData(
    given_name="Ada", middle_name="K", surname="Lindqvist", display_name="Ada K Lindqvist", nickname="A", title="Dr",
    job_title="Buyer", department="Purchasing", company_name="Brightwell & Sons", mobile_phone="+44 7700 900123",
    web="https://brightwell.example", notes="one\ntwo", business_phones=("1", "2"), home_phones=("3",),
    categories=("blue", "Red"), emails=("Ada@brightwell.example", "ada@home.example"),
    business_address=PostalAddress(street="1 High St\nFlat 2", city="Leeds", postal_code="LS1", country="UK"),
    home_address=None, other_address=PostalAddress(city="York"), birthday=date(1974, 7, 22),
)


class Place:
    """A sandbox with Ada's mailbox, and our view of it."""

    def __init__(self, sandbox, url, **options):
        sandbox.options.set(**options)
        self.sandbox, self.url, self.slept = sandbox, url, []
        self.account = sandbox.add_user(sandbox.add_tenant("brightwell.example"), "ada@brightwell.example")
        self.outlook = sandbox.mailbox(self.account)
        self.client = GraphClient(url, self, timeout_s=5, sleep=self._sleep)
        self.contacts = Contacts(self.client, page_size=3)

    def token(self, *, refused="", claims=""):
        if refused:
            raise SignInRequired
        return self.sandbox.token_for(self.account, "User.Read Contacts.ReadWrite")

    def _sleep(self, seconds):
        self.slept.append(seconds)

    @property
    def default(self):
        return self.outlook.default_folder_id

    def round(self, folder, link=""):
        """All items of a round, last word first, and the link for the next one."""
        found = {}
        while True:
            page = self.contacts.page(folder, link)
            found |= {item.graph_id: item for item in page.items}
            link = page.next_link
            if page.delta_link:
                return found, page.delta_link

    def create(self, *records, folder=None, marker=""):
        results = self.contacts.write([
            ContactWrite(str(number), "create", folder=folder or self.default, values=record.values(), marker=marker)
            for number, record in enumerate(records)])
        return list(results.values())


@pytest.fixture
def place(request):
    sandbox = Sandbox(seed=1)
    with running(sandbox) as url:
        yield Place(sandbox, url, **getattr(request, "param", {}))


def switched(*switches):
    """Run a test with these switches of the sandbox, one set after the other."""
    return pytest.mark.parametrize("place", [{}, *switches], indirect=True,
                                   ids=["as is", *(", ".join(f"{k}={v}" for k, v in s.items()) for s in switches)])


# Fields

@switched({"birthday_time": "00:00"}, {"birthday_time": "as_sent"}, {"notes_line_ends": "lf"},
          {"address_write": "merge"}, {"email_name": "empty"}, {"display_name_parts": "full"},
          {"single_email_properties": "hidden"}, {"given_name_required": True})
def test_CON_01_what_is_written_is_what_is_read(place):
    created, = place.create(FULL)
    assert isinstance(created, ContactItem), created
    assert created.data == FULL
    assert place.contacts.get([created.graph_id])[created.graph_id].data == FULL
    listed, _ = place.round(place.default)
    assert listed[created.graph_id].data == FULL
    assert created.folder == place.default and created.etag and created.created_at and created.changed_at


@switched({"address_write": "merge"}, {"patch_without_change": "quiet"})
def test_CON_01_everything_can_be_emptied(place):
    created, = place.create(FULL)
    empty = {field: () if isinstance(value, tuple) else None for field, value in FULL.values().items()}
    emptied = place.contacts.write([ContactWrite("k", "update", graph_id=created.graph_id, etag=created.etag,
                                                 values=empty, current=created.data)])["k"]
    assert set(emptied.data.values().values()) <= {None, ()}
    assert emptied.etag != created.etag


def test_CON_01_unmapped_fields_survive_an_update(place):
    added = place.outlook.add_contact(
        givenName="Ada", surname="Lindqvist", displayName="The boss", fileAs="Boss", spouseName="Bo",
        imAddresses=["x"], emailAddresses=[{"name": "Ada (work)", "address": "ada@brightwell.example"}])
    item = place.contacts.get([added["id"]])[added["id"]]
    place.contacts.write([ContactWrite(
        "k", "update", graph_id=item.graph_id, etag=item.etag, current=item.data, kept=item.kept,
        values={"surname": "Berg", "emails": ("new@brightwell.example", "ada@brightwell.example")})])
    now = place.outlook.contact(added["id"])
    assert (now["surname"], now["displayName"], now["fileAs"]) == ("Berg", "The boss", "Boss")
    assert (now["spouseName"], now["imAddresses"]) == ("Bo", ["x"])
    assert now["emailAddresses"][1] == {"name": "Ada (work)", "address": "ada@brightwell.example"}


@switched({"display_name_parts": "full"})
def test_CON_01_a_made_display_name_follows_the_name(place):
    added = place.outlook.add_contact(title="Dr", givenName="Ada", surname="Lindqvist")
    item = place.contacts.get([added["id"]])[added["id"]]
    written = place.contacts.write([ContactWrite(
        "k", "update", graph_id=item.graph_id, etag=item.etag, current=item.data, kept=item.kept,
        values={"surname": "Berg"})])["k"]
    assert written.data.display_name == item.data.display_name.replace("Lindqvist", "Berg")
    assert "Lindqvist" not in place.outlook.contact(added["id"])["fileAs"]


def test_a_birthday_without_a_year_is_left_alone(place):
    added = place.outlook.add_contact(givenName="Ada", birthday="1604-05-03T11:59:00Z")
    item = place.contacts.get([added["id"]])[added["id"]]
    assert item.data.birthday is UNSET


def test_CON_10_what_does_not_fit_is_that_records_trouble(place):
    four = ContactData(given_name="Ada", emails=tuple(f"{n}@x.example" for n in range(4)))
    first, second = place.create(four, FULL)
    assert isinstance(first, Rejected) and first.status == 400 and "x.example" not in str(first)
    assert isinstance(second, ContactItem)


# Folders and polls

@switched({"well_known_contacts": False}, {"default_folder_name": "Kontakte"},
          {"system_folders": ("Recipient Cache",)})
def test_the_tree(place):
    place.outlook.add_contact(givenName="Ada")
    customers = place.contacts.create_folder("Customers")
    nested = place.outlook.add_folder("Old", parent="Customers")
    found = place.contacts.folders()
    assert found[0].id == place.default and found[0].is_default
    assert {folder.id for folder in found} >= {customers.id, nested["id"]}
    assert sum(folder.is_default for folder in found) == 1
    assert place.contacts.create_folder(" customers").id == customers.id


def test_I_7_an_idle_poll_is_one_request(place):
    place.contacts.create_folder("Customers")
    known = place.contacts.folders()
    links = {folder.id: place.round(folder.id)[1] for folder in known}
    before = place.client.requests
    poll = place.contacts.poll(links, known=known)
    assert place.client.requests == before + 1
    assert set(poll.folders) == set(known)
    assert all(page.items == () and page.delta_link for page in poll.pages.values())


def test_a_poll_tells_what_is_new(place):
    known = place.contacts.folders()
    links = {place.default: place.round(place.default)[1]}
    added = place.outlook.add_contact(givenName="Ada")
    place.outlook.add_folder("Customers")
    poll = place.contacts.poll(links, known=known)
    assert [item.graph_id for item in poll.pages[place.default].items] == [added["id"]]
    assert [folder.name for folder in poll.folders] == [known[0].name, "Customers"]
    place.sandbox.expire_delta_tokens(place.account)
    assert isinstance(place.contacts.poll(links).pages[place.default], DeltaExpired)


# Rounds

@switched({"delta_duplicates": True}, {"delta_empty_pages": True}, {"delta_shuffled": True}, {"delta_replays": 2},
          {"delta_page_size": 1}, {"delta_max_page_size": 2})
def test_a_round_tells_everything_and_the_next_only_what_is_new(place):
    added = [place.outlook.add_contact(givenName=f"N{number}")["id"] for number in range(8)]
    found, link = place.round(place.default)
    assert set(found) == set(added)
    place.outlook.edit_contact(added[0], givenName="New")
    place.outlook.delete_contact(added[1])
    found, link = place.round(place.default, link)
    assert found[added[0]].data.given_name == "New" and found[added[1]] == RemovedItem(added[1])


def test_a_move_by_a_person_keeps_the_id(place):
    folder = place.outlook.add_folder("Customers")["id"]
    added = place.outlook.add_contact(givenName="Ada")
    _, old = place.round(place.default)
    _, new = place.round(folder)
    place.outlook.move_contact(added["id"], folder)
    gone, _ = place.round(place.default, old)
    come, _ = place.round(folder, new)
    assert gone == {added["id"]: RemovedItem(added["id"])}
    assert come[added["id"]].folder == folder


@switched({"delta_expired_status": 400}, {"delta_expired_code": "ResyncRequired"},
          {"delta_expired_code": "SyncStateInvalid"}, {"delta_expired_location": True})
def test_an_expired_link_is_known_as_such(place):
    _, link = place.round(place.default)
    place.sandbox.expire_delta_tokens(place.account)
    with pytest.raises(DeltaExpired):
        place.contacts.page(place.default, link)


def test_a_link_can_expire_in_the_middle_of_a_round(place):
    for number in range(8):
        place.outlook.add_contact(givenName=str(number))
    page = place.contacts.page(place.default)
    place.sandbox.expire_delta_tokens(place.account)
    with pytest.raises(DeltaExpired):
        place.contacts.page(place.default, page.next_link)


def test_a_folder_that_has_gone(place):
    folder = place.outlook.add_folder("Customers")["id"]
    _, link = place.round(folder)
    place.outlook.delete_folder("Customers")
    with pytest.raises((NotFound, DeltaExpired)):
        place.contacts.page(folder, link)
    with pytest.raises(NotFound):
        place.contacts.page(folder)


# Writing

def test_a_stale_etag_changes_nothing(place):
    created, = place.create(FULL)
    place.outlook.edit_contact(created.graph_id, givenName="Eda")
    writes = [ContactWrite("u", "update", graph_id=created.graph_id, etag=created.etag, values={"given_name": "X"}),
              ContactWrite("d", "delete", graph_id=created.graph_id, etag=created.etag)]
    assert [type(outcome) for outcome in place.contacts.write(writes).values()] == [Stale, Stale]
    assert place.outlook.contact(created.graph_id)["givenName"] == "Eda"


def test_a_deletion_goes_to_deleted_items_and_twice_is_once(place):
    created, = place.create(FULL)
    write = ContactWrite("d", "delete", graph_id=created.graph_id)
    assert place.contacts.write([write]) == {"d": None}
    assert place.contacts.write([write]) == {"d": None}
    assert [item["id"] for item in place.outlook.deleted_items()] == [created.graph_id]
    assert isinstance(place.contacts.get([created.graph_id])[created.graph_id], NotFound)


@pytest.mark.parametrize("place", [{"deleted_items_by_id": "found"}], indirect=True)
def test_SYNC_08_a_contact_in_deleted_items_may_be_found_by_its_id_but_lies_in_no_folder_of_the_tree(place):
    created, = place.create(FULL)
    place.outlook.delete_contact(created.graph_id)
    item = place.contacts.get([created.graph_id])[created.graph_id]
    assert isinstance(item, ContactItem)
    assert item.folder not in {folder.id for folder in place.contacts.folders()}


def test_many_writes_go_in_batches_of_twenty(place):
    before = place.client.requests
    results = place.create(*[ContactData(given_name=f"N{number}") for number in range(45)])
    assert all(isinstance(item, ContactItem) for item in results)
    assert place.client.requests == before + 3
    assert len(place.outlook.contacts()) == 45


@switched({"batch_beyond_four": "throttled", "batch_order": "reversed"})
def test_throttled_parts_of_a_batch_are_repeated(place):
    results = place.create(*[ContactData(given_name=f"N{number}") for number in range(20)])
    assert all(isinstance(item, ContactItem) for item in results)
    assert len(place.outlook.contacts()) == 20


@switched({"retry_after_form": "fractional"}, {"retry_after_form": "date"}, {"retry_after_form": "absent"})
def test_throttling_is_obeyed(place):
    place.sandbox.faults.add(path="contacts", status=429, retry_after=2)
    created, = place.create(FULL)
    assert isinstance(created, ContactItem) and place.slept


@pytest.mark.parametrize("fault", [{"path": r"\$batch", "cut": "after"}, {"path": r"\$batch", "truncate": "json"},
                                   {"path": r"\$batch", "truncate": "length"},
                                   {"path": r"\$batch", "status": 503, "after_effect": True},
                                   {"path": "contacts", "status": 500, "after_effect": True, "inner": True}])
def test_SYNC_04_a_lost_creation_is_found_by_its_marker(place, fault):
    place.sandbox.faults.add(**fault)
    outcome, = place.create(FULL, marker="Marker-1")
    assert isinstance(outcome, OutcomeUnknown)
    found, = place.contacts.find_marker([place.default], "marker-1")
    assert found.data == FULL and found.etag
    assert len(place.outlook.contacts()) == 1


def test_SYNC_04_a_creation_that_was_lost_on_the_way_is_not_there(place):
    place.sandbox.faults.add(path=r"\$batch", cut="before")
    outcome, = place.create(FULL, marker="m")
    assert isinstance(outcome, OutcomeUnknown)
    assert place.contacts.find_marker([place.default], "m") == ()


def test_SYNC_09_markers_are_listed_page_by_page(place):
    folder = place.outlook.add_folder("Customers")["id"]
    marked = [place.create(ContactData(given_name=f"N{number}"), folder=folder, marker=f"m{number}")[0]
              for number in range(5)]
    place.outlook.add_contact("Customers", givenName="Unmarked")
    assert dict(place.contacts.markers(folder)) == {item.graph_id: f"m{n}" for n, item in enumerate(marked)}
    assert list(place.contacts.markers(place.default)) == []
    both = place.contacts.get([marked[0].graph_id], with_marker=True)
    assert both[marked[0].graph_id].marker == "m0"


def test_a_marker_can_be_set_later_and_a_copy_carries_it_too(place):
    added = place.outlook.add_contact(givenName="Ada")
    place.contacts.write([ContactWrite("k", "update", graph_id=added["id"], marker="it's")])
    copy = place.outlook.copy_contact(added["id"])
    gone = place.outlook.add_folder("Gone")["id"]
    place.outlook.delete_folder("Gone")
    found = place.contacts.find_marker([place.default, gone], "it's")
    assert {item.graph_id for item in found} == {added["id"], copy["id"]}


# Moving

def test_CON_03_a_move_keeps_the_id_and_everything(place):
    folder = place.outlook.add_folder("Customers")["id"]
    added = place.outlook.add_contact(givenName="Ada", spouseName="Bo")
    assert place.contacts.move(added["id"], folder).folder == folder
    moved, = place.outlook.contacts("Customers")
    assert (moved["id"], moved["spouseName"]) == (added["id"], "Bo")


@pytest.mark.parametrize("place", [{"patch_parent_folder": "ignored"}, {"patch_parent_folder": "refused"}],
                         indirect=True)
def test_CON_03_where_microsoft_does_not_move_it_stays_and_is_reported(place):
    folder = place.outlook.add_folder("Customers")["id"]
    added = place.outlook.add_contact(givenName="Ada")
    with pytest.raises(Rejected, match="Move it in Outlook"):
        place.contacts.move(added["id"], folder)
    assert place.outlook.contact(added["id"])["parentFolderId"] == place.default


# The account

@switched({"mailbox_missing_status": 401}, {"mailbox_missing_status": 400})
def test_USER_06_an_account_without_a_mailbox(place):
    place.account.has_mailbox = False
    for ask in (place.contacts.folders, lambda: place.contacts.poll({}), lambda: place.contacts.page("F")):
        with pytest.raises(MailboxUnavailable):
            ask()


def test_USER_06_a_revoked_session(place):
    place.sandbox.revoke(place.account)
    place.token = lambda **kwargs: "nonsense"
    with pytest.raises(SignInRequired):
        place.contacts.folders()


def test_who_it_is(place):
    who = me(place.client)
    assert who.id == place.account.id and who.aliases[0] == "ada@brightwell.example"
