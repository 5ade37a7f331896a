"""The organisation's switches, and what users may narrow within them (ORG-04 to ORG-07, ORG-14, ORG-18)."""

import pytest
from django.urls import reverse
from django.utils import timezone

from opencrm_ms365.access.user_settings import effective_settings, narrowed
from opencrm_ms365.models import SyncSettings, UserLink
from opencrm_ms365.sync import schedule
from opencrm_ms365.sync.eligible import eligible_links, why_not
from tests.browsing import Browser, text_of

pytestmark = pytest.mark.django_db(transaction=True)
WAYS = ("both", "to_microsoft", "to_crm")


@pytest.mark.parametrize("organisation", WAYS)
@pytest.mark.parametrize("user", [None, *WAYS])
def test_ORG_06_ORG_07_a_user_narrows_a_direction_and_never_widens_it(world, organisation, user):
    """All twelve cells, as they come out at work, whatever is stored."""
    row = world.organisation(contact_direction=organisation)
    link = UserLink(user=world.user("ada"), contact_direction=user)
    found = effective_settings(link, row)
    sides = {"both": {"crm", "microsoft"}, "to_microsoft": {"microsoft"}, "to_crm": {"crm"}}
    allowed = sides[organisation] & sides[user or organisation]
    assert narrowed(organisation, user) in ({way for way in WAYS if sides[way] == allowed} or {None})
    assert found.sync_contacts is bool(allowed)


@pytest.mark.parametrize(("organisation", "user", "allowed"), [
    ("both", "to_crm", True), ("both", "to_microsoft", True), ("both", "both", True),
    ("to_crm", "to_crm", True), ("to_crm", "both", False), ("to_crm", "to_microsoft", False),
    ("to_microsoft", "both", False)])
def test_ORG_07_widening_is_refused_with_a_sentence(world, organisation, user, allowed):
    world.organisation(contact_direction=organisation)
    world.connect("ada")
    answer = Browser(world, "ada").patch("api-link", data={"contact_direction": user})
    assert answer.status_code == (200 if allowed else 400)
    if not allowed:
        assert "in one direction only" in answer.json()["contact_direction"][0]
        assert world.link("ada").contact_direction is None


def test_ORG_06_a_direction_narrowed_by_the_organisation_afterwards_holds_for_everybody(world):
    world.connect("ada", contact_direction="to_microsoft")
    world.organisation(contact_direction="to_crm")
    world.crm.contact()
    world.mailbox("ada").add_contact(givenName="New", surname="There")
    assert world.sync().writes == [] and not world.crm.contacts().filter(first_name="New").exists()


def test_ORG_07_administrators_edit_any_users_settings(world):
    link = world.connect("ada")
    admin, ben = Browser(world, "admin"), Browser(world, "ben")
    world.organisation(users_may_edit=False)

    assert admin.patch("api-links-detail", link.pk, data={"only_my_items": False}).status_code == 200
    assert world.link("ada").only_my_items is False
    assert Browser(world, "ada").patch("api-link", data={"only_my_items": True}).status_code == 403
    assert ben.patch("api-links-detail", link.pk, data={"only_my_items": True}).status_code == 404
    assert world.link("ada").only_my_items is False
    page = Browser(world, "ada").get("settings")
    assert page.status_code == 200 and "disabled" in page.content.decode()


def test_ORG_07_a_user_whose_settings_are_the_administrators_still_connects_and_disconnects(world):
    world.organisation(users_may_edit=False)
    ada = Browser(world, "ada")
    assert ada.connect(ada.access_key()).status_code == 302
    assert ada.post("disconnect").status_code == 302
    assert world.link("ada").token_cache is None


def test_ORG_07_the_sync_is_switched_off_and_on_for_one_user(world):
    link = world.connect("ada")
    other = world.connect("ben")
    admin = Browser(world, "admin")
    assert Browser(world, "ada").post("switch", link.pk).status_code == 403

    admin.post("switch", link.pk)

    assert list(eligible_links()) == [other]
    assert "switched the sync off for this user" in why_not(world.link("ada"))
    assert "switched the sync off for this user" in text_of(Browser(world, "ada").get("profile"))
    assert Browser(world, "ada").post("api-sync").status_code == 409
    world.mailbox("ada").add_contact(givenName="New", surname="There")
    admin.post("switch", link.pk)
    schedule.work(60)
    assert world.crm.contacts().filter(first_name="New").exists(), "nothing was lost meanwhile"


def test_ORG_14_what_changed_while_the_organisation_was_paused_is_synced_once(world):
    world.connect("ada")
    world.settle()
    world.organisation(paused=True)
    UserLink.objects.update(due_at=timezone.now())
    world.mailbox("ada").add_contact(givenName="New", surname="There")
    assert schedule.work(60) == 0 and "paused" in why_not(world.link("ada"))

    world.organisation(paused=False)
    schedule.work(60)

    assert world.crm.contacts().filter(first_name="New").count() == 1
    assert world.sync().writes == []


def test_ORG_18_guidance_stands_beside_every_setting(world, settings):
    from opencrm_ms365.access import activation
    from opencrm_ms365.admin.organisation import GUIDANCE

    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "ACTIVATION_PUBLIC_KEY": activation.generate_keys()[1]}
    world.organisation()
    page = Browser(world, "admin").client.get(
        reverse("admin:opencrm_ms365_syncsettings_change", args=[SyncSettings.of("").pk]))
    fields = page.context["adminform"].form.fields
    assert "activation_key" in fields and {name for name in fields if not fields[name].help_text} == set()
    assert set(fields) <= set(GUIDANCE)
