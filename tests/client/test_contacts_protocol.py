"""Reading and writing contacts against answers that a documented service may give, and some that it may not."""

import pytest

from opencrm_ms365.errors import (
    ConsentRequired,
    DeltaExpired,
    MailboxUnavailable,
    NotFound,
    OutcomeUnknown,
    ProtocolError,
    Rejected,
    Unavailable,
)
from opencrm_ms365.graph.contacts import IDENTITY_PROPERTY, Contacts, ContactWrite, Folder, Kept, RemovedItem
from opencrm_ms365.graph.mailbox import me
from opencrm_ms365.records import ContactData
from tests.client.scripted import Reply, error, ok
from tests.client.test_batch import answering, inner_error


@pytest.fixture
def contacts(client):
    return Contacts(client, page_size=50)


def delta(items=(), *, next_link=None, delta_link=None):
    body = {"value": list(items)}
    if next_link:
        body["@odata.nextLink"] = next_link
    if delta_link:
        body["@odata.deltaLink"] = delta_link
    return ok(body)


# Delta

def test_an_initial_page_asks_for_the_fields_that_are_used(server, contacts):
    server.say(delta([{"id": "1", "givenName": "Ada"}], delta_link=f"{server.url}/v1.0/x?$deltatoken=t"))
    page = contacts.page("AAA=")
    seen = server.seen[0]
    assert seen.path.startswith("/v1.0/me/contactFolders/AAA%3D/contacts/delta?$select=id,")
    assert seen.headers["Prefer"] == 'IdType="ImmutableId", odata.maxpagesize=50'
    assert page.items[0].folder == "AAA=" and page.next_link == ""
    assert page.delta_link == f"{server.url}/v1.0/x?$deltatoken=t"


def test_a_link_is_followed_as_it_is(server, contacts):
    link = f"{server.url}/v1.0/me/contactFolders('AAA=')/contacts/delta?$skiptoken=a%2Fb"
    server.say(delta([], next_link=f"{link}c"))
    page = contacts.page("AAA=", link)
    assert server.seen[0].path == link.removeprefix(server.url)
    assert "odata.maxpagesize=50" in server.seen[0].headers["Prefer"]
    assert page.items == () and page.next_link == f"{link}c"       # an empty page is not the end


def test_repeated_items_count_once_with_their_last_word(server, contacts):
    server.say(delta([{"id": "1", "givenName": "Ada"}, {"id": "2"}, {"id": "1", "@removed": {"reason": "deleted"}},
                      None, {}], delta_link="/v1.0/d"))
    items = contacts.page("F").items
    assert items[0] == RemovedItem("1") and items[1].graph_id == "2" and len(items) == 4


def test_relative_links_become_absolute(server, contacts):
    server.say(delta([], delta_link="/v1.0/me/delta?$deltatoken=1"))
    assert contacts.page("F").delta_link == f"{server.url}/v1.0/me/delta?$deltatoken=1"


@pytest.mark.parametrize("body", [
    {"value": []},
    {"value": [], "@odata.nextLink": "https://evil.example/v1.0/me"},
    {"value": [], "@odata.deltaLink": "https://evil.example/v1.0/me"},
    {"value": [], "@odata.nextLink": {"x": 1}},
    {"@odata.deltaLink": "/v1.0/x"},
    {"value": {"id": "1"}, "@odata.deltaLink": "/v1.0/x"},
    [], None,
])
def test_I_4_I_6_a_page_that_makes_no_sense_is_no_page(server, contacts, body):
    server.otherwise = ok(body)
    with pytest.raises(ProtocolError):
        contacts.page("F")


def test_a_circle_is_noticed(server, contacts):
    link = f"{server.url}/v1.0/x?$skiptoken=1"
    server.otherwise = delta([], next_link=link)
    with pytest.raises(ProtocolError):
        contacts.page("F", link)


@pytest.mark.parametrize(("answer", "kind"), [
    (error(410, "SyncStateNotFound", Location="http://elsewhere"), DeltaExpired),
    (error(410, "resyncRequired"), DeltaExpired),
    (error(400, "SyncStateInvalid"), DeltaExpired),
    (error(400, "BadRequest"), DeltaExpired),                      # a stored link that is a bad request is of no use
    (error(404, "ErrorSyncFolderNotFound"), NotFound),
    (error(404, "ErrorItemNotFound"), NotFound),
    (error(403, "ErrorAccessDenied"), Rejected),
    (error(404, "MailboxNotEnabledForRESTAPI"), MailboxUnavailable),
])
def test_what_a_refused_link_means(server, contacts, answer, kind):
    server.otherwise = answer
    with pytest.raises(kind) as caught:
        contacts.page("F", f"{server.url}/v1.0/x?$deltatoken=1")
    assert type(caught.value) is kind


def test_a_bad_request_at_the_start_is_not_expiry(server, contacts):
    server.otherwise = error(400, "BadRequest")
    with pytest.raises(Rejected):
        contacts.page("F")


# The poll

TREE = {
    "/me/contactFolders/contacts": {"id": "D", "displayName": "Kontakte", "parentFolderId": "root"},
    "/me/contactFolders/D": {"id": "D", "displayName": "Kontakte", "parentFolderId": "root"},
    "/me/contactFolders?$top=100": {"value": [{"id": "A", "displayName": "Customers", "parentFolderId": "D"}]},
    "/me/contactFolders/D/childFolders?$top=100": {"value": [{"id": "A", "displayName": "Customers"}]},
    "/me/contactFolders/A/childFolders?$top=100": {"value": [{"id": "B", "displayName": "Old"}]},
    "/me/contactFolders/B/childFolders?$top=100": {"value": []},
}
KNOWN = tuple(Folder(folder_id, name, "", folder_id == "D")
              for folder_id, name in [("D", "Kontakte"), ("A", "Customers"), ("B", "Old")])


def mailbox(request, tree=TREE):
    url = request["url"]
    if url in tree:
        return {"status": 200, "body": tree[url]}
    if "delta" in url:
        return {"status": 200, "body": {"value": [], "@odata.deltaLink": "/v1.0/me/delta?$deltatoken=new"}}
    return inner_error(404, "ErrorItemNotFound")


def links(server, *folder_ids):
    return {folder_id: f"{server.url}/v1.0/me/{folder_id}/delta?$deltatoken=1" for folder_id in folder_ids}


@pytest.mark.parametrize("known", [(), KNOWN])
def test_I_7_an_idle_mailbox_costs_one_request(server, contacts, known):
    server.otherwise = answering(mailbox)
    poll = contacts.poll(links(server, "D", "A", "B"), known=known)
    assert len(server.seen) == 1
    assert [(folder.id, folder.is_default) for folder in poll.folders] == [("D", True), ("A", False), ("B", False)]
    assert set(poll.pages) == {"D", "A", "B"}
    assert poll.pages["A"].delta_link == f"{server.url}/v1.0/me/delta?$deltatoken=new"
    urls = [request["url"] for request in server.seen[0].json["requests"]]
    assert "/me/A/delta?$deltatoken=1" in urls
    assert all("maxpagesize=50" in request["headers"]["Prefer"] for request in server.seen[0].json["requests"]
               if "delta" in request["url"])


def test_folders_that_are_known_but_not_synced_cost_nothing_more(server, contacts):
    server.otherwise = answering(mailbox)
    contacts.poll(links(server, "D"), known=KNOWN)
    assert len(server.seen) == 1


def test_a_new_nested_folder_is_found_by_the_poll(server, contacts):
    tree = TREE | {"/me/contactFolders/B/childFolders?$top=100": {"value": [{"id": "N", "displayName": "New"}]},
                   "/me/contactFolders/N/childFolders?$top=100": {"value": []}}
    server.otherwise = answering(lambda request: mailbox(request, tree))
    poll = contacts.poll(links(server, "D", "A", "B"), known=KNOWN)
    assert [folder.id for folder in poll.folders] == ["D", "A", "B", "N"]
    assert len(server.seen) == 2


def test_many_folders_are_polled_without_their_insides(server, contacts):
    ids = [f"F{number}" for number in range(15)]
    tree = TREE | {"/me/contactFolders?$top=100": {"value": [{"id": folder_id, "displayName": "x"}
                                                             for folder_id in ids[1:]]}}
    server.otherwise = answering(lambda request: mailbox(request, tree))
    poll = contacts.poll(links(server, *ids))
    assert poll.folders is None and len(poll.pages) == 15
    assert len(server.seen) == 1 and len(server.seen[0].json["requests"]) == 20


def test_more_folders_than_a_batch_holds_are_polled_all_the_same(server, contacts):
    server.otherwise = answering(mailbox)
    poll = contacts.poll(links(server, *(f"F{number}" for number in range(30))))
    assert poll.folders is None and len(poll.pages) == 30 and len(server.seen) == 2


def test_one_folders_trouble_is_its_own(server, contacts):
    def each(request):
        if "/A/" in request["url"] and "delta" in request["url"]:
            return inner_error(410, "SyncStateNotFound")
        if "/B/" in request["url"] and "delta" in request["url"]:
            return {"status": 200, "body": {"value": "odd"}}
        return mailbox(request)
    server.otherwise = answering(each)
    pages = contacts.poll({**links(server, "D", "A", "B"), "X": "https://evil.example/delta"}, known=KNOWN).pages
    assert [type(pages[name]).__name__ for name in "DABX"] == [
        "DeltaPage", "DeltaExpired", "ProtocolError", "ProtocolError"]


@pytest.mark.parametrize(("reply", "kind"), [
    (inner_error(403, "ErrorAccessDenied"), ConsentRequired),
    (inner_error(404, "MailboxNotEnabledForRESTAPI"), MailboxUnavailable),
])
def test_what_concerns_the_whole_mailbox_is_raised(server, contacts, reply, kind):
    server.otherwise = answering(lambda request: reply)
    with pytest.raises(kind):
        contacts.poll(links(server, "D"))


def test_a_listing_that_fails_says_nothing_about_folders(server, contacts):
    server.otherwise = answering(lambda request: inner_error(502) if "$top" in request["url"] else mailbox(request))
    poll = contacts.poll(links(server, "D"))
    assert poll.folders is None and poll.pages["D"].delta_link


# Folders

def plain(tree, *, well_known=True, contacts=()):
    """A mailbox that answers single requests and batches from one table."""
    def reply(seen):
        if seen.path == "/v1.0/$batch":
            return answering(lambda request: mailbox(request, tree))(seen)
        path = seen.path.removeprefix("/v1.0")
        if path.startswith("/me/contacts?"):
            return ok({"value": list(contacts)})
        if path == "/me/contactFolders/contacts" and not well_known:
            return error(400, "ErrorInvalidIdMalformed")
        return ok(tree[path]) if path in tree else error(404, "ErrorItemNotFound")
    return reply


def test_the_tree_has_the_default_folder_first(server, contacts):
    server.otherwise = plain(TREE)
    assert [(folder.id, folder.name) for folder in contacts.folders()] == [
        ("D", "Kontakte"), ("A", "Customers"), ("B", "Old")]


def test_the_default_folder_is_found_by_a_contact_in_it(server, contacts):
    server.otherwise = plain(TREE, well_known=False, contacts=[{"id": "1", "parentFolderId": "D"}])
    assert contacts.folders()[0] == Folder("D", "Kontakte", "root", True)


def test_an_empty_default_folder_without_a_name_still_works(server, contacts):
    server.otherwise = plain(TREE, well_known=False)
    first = contacts.folders()[0]
    assert first.is_default
    server.seen.clear()
    server.otherwise = delta([], delta_link="/v1.0/d")
    contacts.page(first.id)
    assert server.seen[0].path.startswith("/v1.0/me/contacts/delta?")


def test_a_tree_without_end_is_refused(server, contacts):
    numbers = iter(range(10_000))
    server.otherwise = lambda seen: (
        answering(lambda request: {"status": 200, "body": {"value": [{"id": f"F{next(numbers)}"}]}})(seen)
        if seen.method == "POST" else ok({"id": "D", "value": [{"id": "A"}]}))
    with pytest.raises(ProtocolError):
        contacts.folders()


def test_missing_permission_is_the_administrators_business(server, contacts):
    server.otherwise = error(403, "ErrorAccessDenied")
    with pytest.raises(ConsentRequired):
        contacts.folders()


@pytest.mark.parametrize("answer", [error(409, "ErrorFolderExists"), error(400, "ErrorFolderExists"), error(500),
                                    Reply(201)])
def test_a_folder_that_exists_is_taken(server, contacts, answer):
    server.say(answer, ok({"value": [{"id": "A", "displayName": "customers "}]}))
    assert contacts.create_folder("Customers").id == "A"


def test_a_folder_that_cannot_be_made_is_an_error(server, contacts):
    server.say(error(400, "ErrorInvalidRequest"))
    with pytest.raises(Rejected):
        contacts.create_folder("x")
    server.say(error(502), ok({"value": []}))
    with pytest.raises(OutcomeUnknown):
        contacts.create_folder("x")


# Writing

def written(server):
    return server.seen[-1].json["requests"]


def test_a_creation_carries_the_marker_and_a_name(server, contacts):
    server.otherwise = answering(lambda request: {"status": 201, "body": {
        "id": "new", "@odata.etag": 'W/"1"', "parentFolderId": "F", "displayName": "Ada"}})
    result = contacts.write([ContactWrite("k", "create", folder="F=", values={"given_name": "Ada"}, marker="m")])
    request = written(server)[0]
    assert (request["method"], request["url"]) == ("POST", "/me/contactFolders/F%3D/contacts")
    assert request["body"] == {"givenName": "Ada", "displayName": "Ada", "singleValueExtendedProperties": [
        {"id": IDENTITY_PROPERTY, "value": "m"}]}
    assert (result["k"].graph_id, result["k"].etag, result["k"].marker) == ("new", 'W/"1"', "m")


def test_a_creation_whose_answer_says_nothing_is_unknown(server, contacts):
    server.otherwise = answering(lambda request: {"status": 201})
    result = contacts.write([ContactWrite("k", "create", values={"given_name": "Ada"})])
    assert isinstance(result["k"], OutcomeUnknown)


def test_an_update_sends_what_changed_and_keeps_what_a_person_chose(server, contacts):
    server.otherwise = answering(lambda request: {"status": 200, "body": {"id": "1"}})
    current = ContactData(given_name="Ada", surname="Lindqvist", display_name="Ada Lindqvist", emails=("a@x",))
    contacts.write([ContactWrite(
        "k", "update", graph_id="1", etag='W/"7"', values={"surname": "Berg", "emails": ("a@x",)}, current=current,
        kept=Kept("The boss", {"a@x": "Ada (work)"}))])
    request = written(server)[0]
    assert request["headers"]["If-Match"] == 'W/"7"'
    assert request["body"] == {"surname": "Berg", "displayName": "Ada Berg", "fileAs": "The boss",
                               "emailAddresses": [{"address": "a@x", "name": "Ada (work)"}]}


def test_a_file_as_that_outlook_made_may_be_made_again(server, contacts):
    server.otherwise = answering(lambda request: {"status": 200, "body": {"id": "1"}})
    current = ContactData(given_name="Ada", surname="Lindqvist", display_name="Ada Lindqvist")
    contacts.write([ContactWrite("k", "update", graph_id="1", values={"surname": "Berg"}, current=current,
                                 kept=Kept("Lindqvist, Ada"))])
    assert "fileAs" not in written(server)[0]["body"]


def test_an_update_that_is_answered_without_a_body_is_read(server, contacts):
    server.say(answering(lambda request: {"status": 204}),
               answering(lambda request: {"status": 200, "body": {"id": "1", "changeKey": "c"}}))
    assert contacts.write([ContactWrite("k", "update", graph_id="1", values={"notes": "x"})])["k"].etag == 'W/"c"'


def test_an_update_of_nothing_only_reads(server, contacts):
    server.say(answering(lambda request: {"status": 200, "body": {"id": "1"}}))
    assert contacts.write([ContactWrite("k", "update", graph_id="1")])["k"].graph_id == "1"
    assert written(server)[0]["method"] == "GET"


@pytest.mark.parametrize("reply", [{"status": 204}, {"status": 204, "body": None}, {"status": 200, "body": {}},
                                   inner_error(404, "ErrorItemNotFound"), inner_error(410, "Gone")])
def test_what_is_gone_counts_as_deleted(server, contacts, reply):
    server.otherwise = answering(lambda request: reply)
    assert contacts.write([ContactWrite("k", "delete", graph_id="1", etag='W/"7"')]) == {"k": None}
    assert written(server)[0]["headers"]["If-Match"] == 'W/"7"'


def test_a_missing_mailbox_is_no_deletion(server, contacts):
    server.otherwise = answering(lambda request: inner_error(404, "MailboxNotEnabledForRESTAPI"))
    assert isinstance(contacts.write([ContactWrite("k", "delete", graph_id="1")])["k"], MailboxUnavailable)


def test_ids_are_one_segment_of_the_path(server, contacts):
    server.otherwise = answering(lambda request: {"status": 204})
    contacts.write([ContactWrite("k", "delete", graph_id="a/b?c=#d%")])
    assert written(server)[0]["url"] == "/me/contacts/a%2Fb%3Fc%3D%23d%25"
    for hostile in ("..", ".", ""):
        with pytest.raises(ProtocolError):
            contacts.write([ContactWrite("k", "delete", graph_id=hostile)])


# Moving

def test_CON_03_a_move_is_believed_only_if_the_answer_says_so(server, contacts):
    server.say(ok({"id": "1", "parentFolderId": "B"}))
    assert contacts.move("1", "B").folder == "B"
    assert server.seen[0].json == {"parentFolderId": "B"} and server.seen[0].method == "PATCH"


@pytest.mark.parametrize("answer", [ok({"id": "1", "parentFolderId": "A"}), ok({"id": "1"}), Reply(204),
                                    error(400, "ErrorInvalidRequest"), error(403, "ErrorAccessDenied")])
def test_CON_03_a_move_that_is_ignored_or_refused_is_reported(server, contacts, answer):
    server.say(answer)
    with pytest.raises(Rejected, match="Move it in Outlook"):
        contacts.move("1", "B")
    assert len(server.seen) == 1


# Markers

def test_markers_are_read_page_by_page(server, contacts):
    def item(graph_id, marker=None):
        properties = [{"id": IDENTITY_PROPERTY.lower(), "value": marker}] if marker else None
        return {"id": graph_id, **({"singleValueExtendedProperties": properties} if properties else {})}
    server.say(ok({"value": [item("1", "a"), item("2")], "@odata.nextLink": f"{server.url}/v1.0/p2"}),
               ok({"value": [], "@odata.nextLink": f"{server.url}/v1.0/p3"}), ok({"value": [item("3", "c")]}))
    assert list(contacts.markers("F")) == [("1", "a"), ("3", "c")]
    assert "%20" in server.seen[0].path and "+" not in server.seen[0].path


def test_a_marker_is_looked_for_in_every_folder(server, contacts):
    server.otherwise = answering(lambda request: (
        inner_error(404, "ErrorItemNotFound") if "/gone/" in request["url"]
        else {"status": 200, "body": {"value": [{"id": request["url"].split("/")[3]}]}}))
    found = contacts.find_marker(["A", "gone", "B"], "o'clock")
    assert [(item.graph_id, item.folder, item.marker) for item in found] == [
        ("A", "A", "o'clock"), ("B", "B", "o'clock")]
    assert "ep/value%20eq%20%27o%27%27clock%27" in written(server)[0]["url"]


def test_a_look_up_that_fails_is_not_an_empty_answer(server, contacts):
    server.otherwise = answering(lambda request: inner_error(502))
    with pytest.raises(Unavailable):
        contacts.find_marker(["A"], "m")


# Who is signed in

def test_me(server, client):
    server.say(ok({"id": "oid", "displayName": "Ada", "mail": None, "userPrincipalName": "Ada@brightwell.example",
                   "proxyAddresses": ["SMTP:a.l@brightwell.example", "smtp:ADA@brightwell.example", "sip:x", None]}))
    who = me(client)
    assert who.mail is None and who.aliases == ("ada@brightwell.example", "a.l@brightwell.example")
    assert "Ada" not in repr(who)


def test_me_without_aliases(server, client):
    server.say(error(403, "Authorization_RequestDenied"), ok({"id": "oid", "mail": "a@x"}))
    assert me(client).aliases == ("a@x",)


def test_me_without_permission(server, client):
    server.otherwise = error(403, "Authorization_RequestDenied")
    with pytest.raises(ConsentRequired):
        me(client)
