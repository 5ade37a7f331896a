"""Delta rounds of contacts and folders."""

import pytest

from .person import code, names


@pytest.mark.facts("15.26")
def test_15_26_each_folder_has_its_own_delta(ada):
    customers = ada.outlook.add_folder("Customers")["id"]
    child = ada.outlook.add_folder("Old", "Customers")["id"]
    ada.outlook.add_contact(givenName="Default")
    ada.outlook.add_contact("Customers", givenName="Customer")
    ada.outlook.add_contact("Old", givenName="Old")
    assert names(ada.follow(ada.delta())[0]) == ({"Default"}, set())
    assert names(ada.follow("/me/contacts/delta")[0]) == ({"Default"}, set())
    assert names(ada.follow(ada.delta(customers))[0]) == ({"Customer"}, set())
    assert names(ada.follow(ada.delta(child))[0]) == ({"Old"}, set())


@pytest.mark.facts("15.26")
def test_15_26_a_round_tells_what_changed_since_the_last_one(ada):
    first, second, third = ada.add(3)
    items, link, _ = ada.follow(ada.delta())
    assert len(items) == 3
    assert items[0]["@odata.type"] == "#microsoft.graph.contact"
    assert items[0]["@odata.etag"].startswith('W/"')
    assert ada.follow(link)[0] == []
    ada.outlook.edit_contact(first["id"], givenName="Changed")
    ada.outlook.delete_contact(second["id"])
    ada.outlook.purge_contact(third["id"])
    ada.outlook.add_contact(givenName="New")
    items, link, _ = ada.follow(link)
    assert names(items) == ({"Changed", "New"}, {second["id"], third["id"]})
    removed = next(item for item in items if item["id"] == second["id"])
    assert removed == {"@odata.type": "#microsoft.graph.contact", "id": second["id"], "@removed": {"reason": "deleted"}}
    assert ada.follow(link)[0] == []


@pytest.mark.facts("15.26")
def test_15_26_an_older_link_tells_the_same_again(ada):
    ada.add(1)
    old = ada.follow(ada.delta())[1]
    ada.outlook.add_contact(givenName="New")
    assert names(ada.follow(old)[0]) == names(ada.follow(old)[0]) == ({"New"}, set())


@pytest.mark.facts("15.26")
def test_15_26_the_selection_is_kept_in_the_links(ada):
    ada.add(3)
    items, link, _ = ada.follow(ada.delta(select="givenName"), size=2)
    assert all(set(item) == {"@odata.type", "@odata.etag", "id", "givenName"} for item in items)
    ada.outlook.edit_contact(items[0]["id"], jobTitle="Admiral")
    again = ada.follow(link)[0]
    assert [set(item) for item in again] == [{"@odata.type", "@odata.etag", "id", "givenName"}]
    assert ada.get(ada.delta(select="colour")).status_code == 400


@pytest.mark.facts("15.26")
def test_15_26_whether_a_selection_hides_other_changes_is_a_switch(ada, sandbox):
    made = ada.outlook.add_contact(givenName="Grace")
    link = ada.follow(ada.delta(select="givenName"))[1]
    sandbox.options.delta_select_narrows = True
    ada.outlook.edit_contact(made["id"], jobTitle="Admiral")
    assert ada.follow(link)[0] == []
    ada.outlook.edit_contact(made["id"], givenName="Ada")
    assert names(ada.follow(link)[0]) == ({"Ada"}, set())


@pytest.mark.facts("15.26")
@pytest.mark.parametrize("option", ["$top=5", "$filter=givenName eq 'x'", "$orderby=givenName", "$search=x", "$skip=1",
                                    "$count=true", "$deltatoken=latest"])
def test_15_26_other_options_are_refused(ada, option):
    answer = ada.get(f"{ada.delta()}?{option}")
    assert code(answer) == (400, "ErrorInvalidUrlQuery")
    if option.startswith("$top"):
        assert answer.json()["error"]["message"].endswith("using the Prefer: odata.maxpagesize= header instead.")


@pytest.mark.facts("15.26")
def test_15_26_nothing_may_be_added_to_a_link(ada):
    link = ada.follow(ada.delta())[1]
    assert ada.get(f"{link}&$select=givenName").status_code == 400


@pytest.mark.facts("15.26")
def test_15_26_a_link_is_bound_to_its_folder_and_mailbox(ada, ben):
    customers = ada.outlook.add_folder("Customers")["id"]
    link = ada.follow(ada.delta())[1]
    assert ada.get(link.replace("/contactFolders/contacts/", f"/contactFolders/{customers}/")).status_code == 400
    assert ben.get(link).status_code == 400
    assert ada.get(f"{ada.delta()}?$deltatoken=nonsense").status_code == 400


@pytest.mark.facts("15.26")
def test_15_26_what_changes_while_pages_are_read_is_not_lost(ada):
    made = ada.add(6)
    body = ada.get(ada.delta(), prefer='IdType="ImmutableId", odata.maxpagesize=2').json()
    ada.outlook.edit_contact(made[5]["id"], givenName="Changed")
    ada.outlook.delete_contact(made[4]["id"])
    ada.outlook.edit_contact(made[0]["id"], givenName="Changed too")
    items, link, _ = ada.follow(body["@odata.nextLink"], size=2)
    state = {item["id"]: item["givenName"] for item in body["value"] + items}
    for item in ada.follow(link)[0]:
        if "@removed" in item:
            state.pop(item["id"], None)
        else:
            state[item["id"]] = item["givenName"]
    assert state == {contact["id"]: contact["givenName"] for contact in ada.outlook.contacts()}


@pytest.mark.facts("15.26")
def test_15_26_folders_have_a_delta_of_their_own(ada, sandbox):
    ada.outlook.add_folder("Customers")
    ada.outlook.add_folder("Old", "Customers")
    items, link, _ = ada.follow("/me/contactFolders/delta")
    assert {item["displayName"] for item in items} == {"Customers", "Old"}
    ada.outlook.rename_folder("Old", "Older")
    ada.outlook.add_folder("Suppliers")
    assert {item["displayName"] for item in ada.follow(link)[0]} == {"Older", "Suppliers"}
    ada.outlook.delete_folder("Customers")
    removed = {item["id"] for item in ada.follow(link)[0] if "@removed" in item}
    assert len(removed) == 2
    sandbox.options.folder_delta_default = True
    assert {item["displayName"] for item in ada.follow("/me/contactFolders/delta")[0]} == {"Contacts", "Suppliers"}


@pytest.mark.facts("15.26")
def test_15_26_a_folder_that_is_gone_has_a_code_of_its_own(ada):
    customers = ada.outlook.add_folder("Customers")["id"]
    link = ada.follow(ada.delta(customers))[1]
    ada.outlook.delete_folder("Customers")
    assert code(ada.get(link)) == (404, "ErrorSyncFolderNotFound")
    assert code(ada.get(ada.delta(customers))) == (404, "ErrorItemNotFound")


@pytest.mark.facts("15.4", "15.26")
def test_15_26_items_can_come_twice_in_a_round_and_again_in_the_next(ada, sandbox):
    ada.add(5)
    sandbox.options.set(delta_duplicates=True, delta_replays=2, delta_shuffled=True)
    items, link, pages = ada.follow(ada.delta(), size=3)
    assert len(items) > len({item["id"] for item in items}) == 5
    assert max(len(page) for page in pages) == 3
    again = ada.follow(link, size=3)[0]
    assert names(again) == ({"Number 3", "Number 4"}, set())


@pytest.mark.facts("15.28")
@pytest.mark.parametrize(("status", "name"), [(410, "SyncStateNotFound"), (410, "ResyncRequired"),
                                              (400, "SyncStateNotFound")])
def test_15_28_tokens_expire_on_command(ada, sandbox, status, name):
    sandbox.options.set(delta_expired_status=status, delta_expired_code=name)
    ada.add(1)
    link = ada.follow(ada.delta())[1]
    sandbox.expire_delta_tokens(ada.account)
    answer = ada.get(link)
    assert code(answer) == (status, name)
    assert "Location" not in answer.headers
    assert names(ada.follow(ada.delta())[0]) == ({"Number 0"}, set())


@pytest.mark.facts("15.28")
def test_15_28_one_folder_can_expire_alone_and_name_where_to_begin_again(ada, sandbox):
    sandbox.options.delta_expired_location = True
    customers = ada.outlook.add_folder("Customers")["id"]
    default, other = ada.follow(ada.delta(select="givenName"))[1], ada.follow(ada.delta(customers))[1]
    sandbox.expire_delta_tokens(ada.account, "contacts")
    assert ada.get(other).status_code == 200
    answer = ada.get(default)
    assert answer.status_code == 410
    assert answer.headers["Location"] == f"{ada.base_url}/v1.0{ada.delta(select='givenName')}"
    assert ada.follow(answer.headers["Location"])[0] == []


@pytest.mark.facts("15.28")
def test_15_28_tokens_expire_after_some_generations(ada, sandbox):
    sandbox.options.delta_generations = 2
    first = ada.follow(ada.delta())[1]
    second = ada.follow(first)[1]
    assert ada.get(first).status_code == 200
    ada.follow(second)
    assert code(ada.get(first)) == (410, "SyncStateNotFound")


@pytest.mark.facts("15.28")
def test_15_28_a_next_link_expires_in_the_middle_of_a_round(ada, sandbox):
    ada.add(6)
    wish = 'IdType="ImmutableId", odata.maxpagesize=2'
    body = ada.get(ada.delta(), prefer=wish).json()
    sandbox.expire_delta_tokens()
    assert code(ada.get(body["@odata.nextLink"], prefer=wish)) == (410, "SyncStateNotFound")
    sandbox.options.delta_next_link_pages = 2
    body = ada.get(ada.delta(), prefer=wish).json()
    body = ada.get(body["@odata.nextLink"], prefer=wish).json()
    assert code(ada.get(body["@odata.nextLink"], prefer=wish)) == (410, "SyncStateNotFound")


@pytest.mark.facts("15.29")
def test_15_29_a_write_can_take_a_while_to_show(ada, sandbox):
    made = ada.add(2)
    link = ada.follow(ada.delta())[1]
    sandbox.options.delta_delay_s = 30
    sandbox.clock.advance(60)
    ada.outlook.edit_contact(made[0]["id"], givenName="Changed")
    items, link, _ = ada.follow(link)
    assert items == []
    sandbox.clock.advance(31)
    ada.outlook.delete_contact(made[1]["id"])
    items, link, _ = ada.follow(link)
    assert names(items) == ({"Changed"}, set())
    sandbox.clock.advance(31)
    assert names(ada.follow(link)[0]) == (set(), {made[1]["id"]})


def test_ten_thousand_contacts_are_read_quickly(ada):
    ada.outlook.add_contacts({"givenName": f"Number {n}", "surname": "Contact"} for n in range(10_000))
    items, link, pages = ada.follow(ada.delta(), size=500)
    assert len({item["id"] for item in items}) == 10_000
    assert len(pages) == 20
    assert ada.follow(link)[0] == []
