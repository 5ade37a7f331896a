"""The builders themselves: a person signs in over HTTP, and one sync carries contacts both ways."""

from tests.rules import rule


@rule("USER-02", "USER-03")
def test_a_person_connects_and_saves_the_settings(world):
    link = world.connect("ada", save=False)
    assert (link.account, link.status) == ("ada@brightwell.example", "awaiting_settings")
    assert world.connect("ada").status == "connected"


def test_contacts_go_both_ways_and_then_it_is_quiet(world):
    world.connect("ada")
    world.mailbox("ada").add_contact(givenName="Grace", surname="Hopper")
    world.crm.contact(first_name="Alan", last_name="Turing")

    ran = world.sync()

    assert {contact.first_name for contact in world.crm.contacts()} == {"Grace", "Alan"}
    assert {contact["givenName"] for contact in world.mailbox("ada").contacts()} == {"Grace", "Alan"}
    assert [ran.counts()[side]["created"] for side in ("crm", "microsoft")] == [1, 1]
    assert world.settle().requests == ["POST /v1.0/$batch"]
