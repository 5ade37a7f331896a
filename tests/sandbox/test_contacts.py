"""Contacts and contact folders."""

import pytest

from .person import Person, code, names

MARK = "String {66F5A359-4659-4830-9070-00047EC6AC6E} Name OpenCrmMs365"
LOWER_MARK = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name OpenCrmMs365"
EXPAND = f"$expand=singleValueExtendedProperties($filter=id eq '{MARK}')"


def marked(value, **more):
    return {"singleValueExtendedProperties": [{"id": MARK, "value": value}], **more}


@pytest.mark.facts("15.11")
def test_15_11_a_contact_is_in_exactly_one_folder(ada):
    customers = ada.post("/me/contactFolders", {"displayName": "Customers"}).json()
    made = ada.post(f"/me/contactFolders/{customers['id']}/contacts", {"givenName": "Grace"}).json()
    assert made["parentFolderId"] == customers["id"]
    assert ada.get("/me/contacts").json()["value"] == []
    inside = ada.get(f"/me/contactFolders/{customers['id']}/contacts").json()["value"]
    assert [contact["id"] for contact in inside] == [made["id"]]
    assert ada.get(f"/me/contactFolders/contacts/contacts/{made['id']}").status_code == 404


@pytest.mark.facts("15.11")
def test_15_11_the_default_folder_is_not_listed_but_reachable(ada, sandbox):
    ada.outlook.add_folder("Customers")
    listed = ada.get("/me/contactFolders").json()["value"]
    assert [folder["displayName"] for folder in listed] == ["Customers"]
    ada.outlook.add_contact(givenName="Grace")
    default = ada.get("/me/contacts?$top=1&$select=parentFolderId").json()["value"][0]["parentFolderId"]
    assert ada.get(f"/me/contactFolders/{default}").json()["displayName"] == "Contacts"
    assert ada.get("/me/contactFolders/contacts").json()["id"] == default
    sandbox.options.well_known_contacts = False
    assert code(ada.get("/me/contactFolders/contacts")) == (400, "ErrorInvalidIdMalformed")


@pytest.mark.facts("15.11")
def test_15_11_folders_nest_and_go_with_their_contacts(ada):
    parent = ada.post("/me/contactFolders", {"displayName": "Customers"}).json()
    child = ada.post(f"/me/contactFolders/{parent['id']}/childFolders", {"displayName": "Old"}).json()
    assert child["parentFolderId"] == parent["id"]
    children = ada.get(f"/me/contactFolders/{parent['id']}/childFolders").json()["value"]
    assert [folder["id"] for folder in children] == [child["id"]]
    assert len(ada.get("/me/contactFolders").json()["value"]) == 1
    ada.outlook.add_contact("Old", givenName="Grace")
    assert code(ada.post("/me/contactFolders", {"displayName": "customers"})) == (409, "ErrorFolderExists")
    renamed = ada.patch(f"/me/contactFolders/{child['id']}", {"displayName": "Older"})
    assert renamed.json()["displayName"] == "Older"
    assert ada.delete(f"/me/contactFolders/{parent['id']}").status_code == 204
    assert ada.get("/me/contactFolders").json()["value"] == []
    assert [contact["givenName"] for contact in ada.outlook.deleted_items()] == ["Grace"]


@pytest.mark.facts("15.12")
def test_15_12_more_addresses_than_exchange_has_room_for_are_refused(ada):
    answer = ada.post("/me/contacts", {"emailAddresses": [{"address": f"{n}@x.example"} for n in range(4)]})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        "The multi value property EmailAddresses has 4 entries, that exceeds the max allowed value of 3")
    made = ada.post("/me/contacts", {"businessPhones": ["1", "2"]}).json()
    answer = ada.patch(f"/me/contacts/{made['id']}", {"businessPhones": ["1", "2", "3"]})
    assert answer.json()["error"]["message"] == (
        "The multi value property BusinessPhones has 3 entries, that exceeds the max allowed value of 2")
    assert ada.outlook.contact(made["id"])["businessPhones"] == ["1", "2"]


@pytest.mark.facts("15.13")
def test_15_13_display_name_and_file_as_follow_the_names(ada):
    made = ada.post("/me/contacts", {"givenName": "Grace", "surname": "Hopper"}).json()
    assert (made["displayName"], made["fileAs"]) == ("Grace Hopper", "Hopper, Grace")
    path = f"/me/contacts/{made['id']}"
    changed = ada.patch(path, {"surname": "Murray", "displayName": "Amazing Grace"}).json()
    assert (changed["displayName"], changed["fileAs"]) == ("Amazing Grace", "Murray, Grace")
    assert ada.patch(path, {"jobTitle": "Admiral"}).json()["displayName"] == "Amazing Grace"
    assert ada.patch(path, {"middleName": "Brewster"}).json()["displayName"] == "Grace Brewster Murray"


@pytest.mark.facts("15.14")
def test_15_14_a_write_moves_the_change_key_and_stale_etags_are_refused(ada, sandbox):
    sandbox.clock.freeze()
    made = ada.post("/me/contacts", {"givenName": "Grace"}).json()
    path, stale = f"/me/contacts/{made['id']}", {"If-Match": made["@odata.etag"]}
    assert made["@odata.etag"] == f'W/"{made["changeKey"]}"'
    sandbox.clock.advance(5)
    changed = ada.patch(path, {"jobTitle": "Admiral"}, headers=stale).json()
    assert changed["changeKey"] != made["changeKey"]
    assert changed["lastModifiedDateTime"] > made["lastModifiedDateTime"]
    assert changed["createdDateTime"] == made["createdDateTime"]
    assert code(ada.patch(path, {"jobTitle": "Captain"}, headers=stale)) == (412, "ErrorIrresolvableConflict")
    assert code(ada.delete(path, headers=stale)) == (412, "ErrorIrresolvableConflict")
    assert ada.patch(path, {"jobTitle": "Captain"}).status_code == 200      # without: the last write wins
    assert ada.delete(path, headers={"If-Match": "*"}).status_code == 204


@pytest.mark.facts("15.14")
@pytest.mark.parametrize(("switch", "moves"), [("touches", True), ("quiet", False)])
def test_15_14_whether_an_empty_change_moves_the_etag_is_a_switch(ada, sandbox, switch, moves):
    sandbox.options.patch_without_change = switch
    made = ada.post("/me/contacts", {"givenName": "Grace"}).json()
    again = ada.patch(f"/me/contacts/{made['id']}", {"givenName": "Grace"}).json()
    assert (again["@odata.etag"] != made["@odata.etag"]) == moves


@pytest.mark.facts("15.15")
def test_15_15_a_move_in_outlook_changes_the_default_id_only(ada):
    ada.outlook.add_folder("Customers")
    made = ada.outlook.add_contact(givenName="Grace")
    before = ada.get(f"/me/contacts/{made['id']}", prefer=None).json()["id"]
    customers = ada.outlook.folders()[-1]["id"]
    _, old_link, _ = ada.follow(ada.delta())
    _, new_link, _ = ada.follow(ada.delta(customers))
    old_links = ada.follow(ada.delta(), prefer=None)[1]

    ada.outlook.move_contact(made["id"], "Customers")

    assert names(ada.follow(old_link)[0]) == (set(), {made["id"]})
    assert names(ada.follow(new_link)[0]) == ({"Grace"}, set())
    assert names(ada.follow(old_links, prefer=None)[0]) == (set(), {before})
    moved = ada.get(f"/me/contacts/{made['id']}", prefer=None).json()
    assert moved["id"] != before
    assert moved["parentFolderId"] == customers
    assert code(ada.get(f"/me/contacts/{before}")) == (404, "ErrorItemNotFound")


@pytest.mark.facts("15.15")
@pytest.mark.parametrize("switch", ["moves", "ignored", "refused"])
def test_15_15_whether_patching_the_folder_moves_is_a_switch(ada, sandbox, switch):
    sandbox.options.patch_parent_folder = switch
    customers = ada.outlook.add_folder("Customers")["id"]
    made = ada.outlook.add_contact(givenName="Grace")
    answer = ada.patch(f"/me/contacts/{made['id']}", {"parentFolderId": customers})
    expected = customers if switch == "moves" else made["parentFolderId"]
    assert ada.outlook.contact(made["id"])["parentFolderId"] == expected
    assert answer.status_code == (400 if switch == "refused" else 200)
    if switch != "refused":
        assert answer.json()["parentFolderId"] == expected


def test_a_folder_in_the_body_of_a_new_contact_is_ignored(ada):
    customers = ada.outlook.add_folder("Customers")["id"]
    made = ada.post("/me/contacts", {"givenName": "Grace", "parentFolderId": customers}).json()
    assert made["parentFolderId"] == ada.outlook.default_folder_id


@pytest.mark.facts("15.16")
def test_15_16_extended_properties_show_only_when_asked_for(ada):
    made = ada.post("/me/contacts", marked("crm-7", givenName="Grace"))
    assert made.status_code == 201
    assert "singleValueExtendedProperties" not in made.json()
    path = f"/me/contacts/{made.json()['id']}"
    assert "singleValueExtendedProperties" not in ada.get(path).json()
    assert ada.get(f"{path}?{EXPAND}").json()["singleValueExtendedProperties"] == [{"id": LOWER_MARK, "value": "crm-7"}]
    patched = ada.patch(path, marked("crm-8")).json()
    assert patched["@odata.etag"] != made.json()["@odata.etag"]
    assert "singleValueExtendedProperties" not in patched
    listed = ada.get(f"/me/contacts?$select=id&{EXPAND}").json()["value"]
    assert listed[0]["singleValueExtendedProperties"][0]["value"] == "crm-8"
    plain = ada.post("/me/contacts", {"givenName": "Plain"}).json()
    assert "singleValueExtendedProperties" not in ada.get(f"/me/contacts/{plain['id']}?{EXPAND}").json()
    assert ada.get(f"{path}?$expand=singleValueExtendedProperties").status_code == 400


@pytest.mark.facts("15.16")
@pytest.mark.parametrize(("condition", "found"), [
    ("ep/value eq 'crm-7'", {"Seven"}),
    ("ep/value eq 'CRM-7'", {"Seven"}),
    ("ep/value ne 'crm-7'", {"Eight"}),
    ("startswith(ep/value, 'crm-')", {"Seven", "Eight"}),
    ("contains(ep/value, '8')", {"Eight"}),
])
def test_15_16_a_folder_is_searched_by_extended_property(ada, condition, found):
    customers = ada.outlook.add_folder("Customers")["id"]
    path = f"/me/contactFolders/{customers}/contacts"
    ada.post(path, marked("crm-7", givenName="Seven"))
    ada.post(path, marked("crm-8", givenName="Eight"))
    ada.post(path, {"givenName": "Nine"})
    query = f"$filter=singleValueExtendedProperties/Any(ep: ep/id eq '{LOWER_MARK}' and {condition})"
    assert {contact["givenName"] for contact in ada.get(f"{path}?{query}").json()["value"]} == found
    assert ada.get(f"/me/contacts?{query}").json()["value"] == []


@pytest.mark.facts("15.16")
def test_15_16_extended_properties_are_refused_in_delta(ada, sandbox):
    assert ada.get(f"/me/contacts/delta?{EXPAND}").status_code == 500
    sandbox.options.delta_expand_status = 400
    assert ada.get(f"/me/contacts/delta?{EXPAND}").status_code == 400


@pytest.mark.facts("15.16")
def test_15_16_a_change_of_the_property_alone_shows_in_delta(ada):
    made = ada.outlook.add_contact(givenName="Grace")
    link = ada.follow(ada.delta())[1]
    ada.patch(f"/me/contacts/{made['id']}", marked("crm-7"))
    items = ada.follow(link)[0]
    assert names(items) == ({"Grace"}, set())
    assert "singleValueExtendedProperties" not in items[0]


def test_deleting_leads_to_deleted_items_and_purging_nowhere(ada, sandbox):
    first, second = ada.add(2)
    assert ada.delete(f"/me/contacts/{first['id']}").status_code == 204
    assert ada.post(f"/me/contacts/{second['id']}/permanentDelete").status_code == 204
    assert [contact["id"] for contact in ada.outlook.deleted_items()] == [first["id"]]
    assert code(ada.get(f"/me/contacts/{first['id']}")) == (404, "ErrorItemNotFound")
    assert ada.delete(f"/me/contacts/{first['id']}").status_code == 404
    sandbox.options.deleted_items_by_id = "found"
    assert ada.get(f"/me/contacts/{first['id']}").status_code == 200
    ada.outlook.restore_contact(first["id"])
    assert [contact["id"] for contact in ada.get("/me/contacts").json()["value"]] == [first["id"]]


@pytest.mark.parametrize(("sent", "switch", "value", "seen"), [
    ({"birthday": "1974-07-22"}, "birthday_time", "11:59", {"birthday": "1974-07-22T11:59:00Z"}),
    ({"birthday": "1974-07-22T12:00:00Z"}, "birthday_time", "00:00", {"birthday": "1974-07-22T00:00:00Z"}),
    ({"birthday": "1974-07-22T12:00:00Z"}, "birthday_time", "as_sent", {"birthday": "1974-07-22T12:00:00Z"}),
    ({"personalNotes": "a\nb"}, "notes_line_ends", "crlf", {"personalNotes": "a\r\nb"}),
    ({"personalNotes": "a\r\nb"}, "notes_line_ends", "lf", {"personalNotes": "a\nb"}),
    ({"jobTitle": ""}, "empty_text", "null", {"jobTitle": None}),
    ({"jobTitle": ""}, "empty_text", "kept", {"jobTitle": ""}),
    ({"homeAddress": {"city": "Leeds"}}, "address_write", "replace", {"homeAddress": {"city": "Leeds"}}),
    ({"homeAddress": {"city": "Leeds"}}, "address_write", "merge",
     {"homeAddress": {"street": "High Street 1", "city": "Leeds"}}),
    ({"homeAddress": None}, "address_write", "replace", {"homeAddress": {}}),
    ({"emailAddresses": [{"address": "g@x.example"}]}, "email_name", "filled",
     {"emailAddresses": [{"name": "g@x.example", "address": "g@x.example"}]}),
    ({"emailAddresses": [{"address": "g@x.example"}]}, "email_name", "empty",
     {"emailAddresses": [{"address": "g@x.example"}]}),
    ({"emailAddresses": [{"address": "no address", "name": "Grace"}]}, "email_name", "filled",
     {"emailAddresses": [{"name": "Grace"}]}),
    ({"secondaryEmailAddress": {"address": "h@x.example", "name": "H"}}, "single_email_properties", "mirrored",
     {"emailAddresses": [{"name": "G", "address": "g@x.example"}, {"name": "H", "address": "h@x.example"}]}),
    ({"emailAddresses": None}, "email_name", "filled", {"emailAddresses": []}),
])
def test_what_is_not_confirmed_about_values_is_a_switch(ada, sandbox, sent, switch, value, seen):
    made = ada.outlook.add_contact(givenName="Grace", emailAddresses=[{"name": "G", "address": "g@x.example"}],
                                   homeAddress={"street": "High Street 1", "city": "York"})
    sandbox.options.set(**{switch: value})
    answer = ada.patch(f"/me/contacts/{made['id']}", sent).json()
    assert {name: answer[name] for name in seen} == seen


def test_whether_my_contacts_are_all_contacts_is_a_switch(ada, sandbox):
    ada.outlook.add_folder("Customers")
    ada.outlook.add_contact("Customers", givenName="Grace")
    assert ada.get("/me/contacts").json()["value"] == []
    sandbox.options.me_contacts = "all_folders"
    assert len(ada.get("/me/contacts").json()["value"]) == 1


def test_new_mailboxes_can_have_system_folders_and_localised_names(sandbox, base_url, tenant):
    sandbox.options.set(system_folders=["Recipient Cache"], default_folder_name="Kontakte")
    cleo = Person(sandbox, base_url, sandbox.add_user(tenant, "cleo@brightwell.example"))
    assert [f["displayName"] for f in cleo.get("/me/contactFolders").json()["value"]] == ["Recipient Cache"]
    assert cleo.get("/me/contactFolders/contacts").json()["displayName"] == "Kontakte"


@pytest.mark.parametrize(("query", "found"), [
    ("$filter=emailAddresses/any(a:a/address eq 'ADA@x.example')", ["Ada"]),
    ("$filter=emailAddresses/any(a: a/address eq 'o''neill@x.example')", ["Orla"]),
    ("$filter=startswith(givenName,'o')", ["Orla"]),
    ("$filter=surname eq 'Byron' and not (givenName eq 'Orla')", ["Ada"]),
    ("$orderby=givenName desc", ["Orla", "Ada"]),
    ("$orderby=givenName&$skip=1", ["Orla"]),
    ("$filter=createdDateTime lt 2001-01-01T00:00:00Z", []),
])
def test_lists_are_filtered_and_sorted(ada, query, found):
    ada.outlook.add_contact(givenName="Ada", surname="Byron", emailAddresses=[{"address": "ada@x.example"}])
    ada.outlook.add_contact(givenName="Orla", surname="O'Neill", emailAddresses=[{"address": "o'neill@x.example"}])
    answer = ada.get(f"/me/contacts?{query}&$count=true").json()
    assert [contact["givenName"] for contact in answer["value"]] == found
    assert answer["@odata.count"] == (2 if "skip" in query else len(found))


@pytest.mark.parametrize("query", [
    "$filter=emailAddresses/any(a:startswith(a/address,'ada'))",
    "$filter=emailAddresses/any(a:a/name eq 'Ada')",
    "$filter=emailAddresses/address eq 'x'",
    "$filter=givenName",
    "$filter=colour eq 'red'",
    "$filter=surname eq 'x'&$orderby=givenName",
    "$orderby=colour",
    "$expand=manager",
])
def test_what_exchange_cannot_filter_or_sort_is_refused(ada, query):
    assert ada.get(f"/me/contacts?{query}").status_code == 400


def test_a_new_contact_can_take_a_while_to_be_found(ada, sandbox):
    sandbox.options.filter_delay_s = 30
    ada.post("/me/contacts", marked("crm-7", givenName="Grace"))
    query = f"$filter=singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq 'crm-7')"
    assert ada.get(f"/me/contacts?{query}").json()["value"] == []
    sandbox.clock.advance(31)
    assert len(ada.get(f"/me/contacts?{query}").json()["value"]) == 1


def test_photos_are_stored_and_do_not_show_in_delta(ada):
    made = ada.outlook.add_contact(givenName="Grace")
    link = ada.follow(ada.delta())[1]
    path = f"/me/contacts/{made['id']}/photo/$value"
    assert ada.get(path).status_code == 404
    jpeg = b"\xff\xd8\xff\xe0" + b"0" * 100
    assert ada.put(path, data=jpeg, headers={"Content-Type": "image/jpeg"}).status_code == 200
    assert (ada.get(path).content, ada.get(path).headers["Content-Type"]) == (jpeg, "image/jpeg")
    assert ada.put(path, data=jpeg + b"0" * 4 * 1024 * 1024).status_code == 413
    assert ada.follow(link)[0] == []


def test_two_ids_lead_to_the_same_contact_and_a_copy_carries_the_mark(ada):
    made = ada.outlook.add_contact(givenName="Grace")
    ada.outlook.set_extended_property(made["id"], MARK, "crm-7")
    copy = ada.outlook.copy_contact(made["id"])
    assert copy["id"] != made["id"]
    assert ada.outlook.extended_properties(copy["id"]) == {LOWER_MARK: "crm-7"}
