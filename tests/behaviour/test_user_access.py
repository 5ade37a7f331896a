"""Who may see and do what: every page and every endpoint, for the user, a colleague, an administrator, and nobody
(ORG-07, USER-07, USER-08, PRIV-03)."""

import pytest
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import timezone

from opencrm_ms365.models import (
    Conflict,
    DeletedRecord,
    HeldDecision,
    SyncProblem,
    SyncRun,
    SyncSettings,
    UserLink,
    encrypt,
)
from tests.browsing import Browser, text_of
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)

SECRET_NAME = "Zebulon Quartermaine"


@pytest.fixture
def story(world):
    """Ada's link with one row of everything; the record is hers alone, nobody else in her team."""
    link = world.connect("ada")
    contact = world.crm.contact(owner="ada", first_name="Zebulon", last_name="Quartermaine", email="z@q.example")
    record = {"adapter": _adapter(), "object_id": str(contact.pk)}
    now = timezone.now()
    common = {"link": link, "kind": "contacts"}
    run = SyncRun.objects.create(
        link=link, trigger="preview", state="done", queued_at=now, started_at=now, finished_at=now,
        counts={"contacts": {"crm": {"created": 1}, "microsoft": {"updated": 1}}},
        operations=encrypt([
            {"kind": "contacts", "action": "update", "side": "microsoft", "label": SECRET_NAME,
             "record": f"{record['adapter']}:{contact.pk}", "fields": ["surname"], "reason": ""},
            {"kind": "contacts", "action": "create", "side": "crm", "label": SECRET_NAME, "record": "", "fields": [],
             "reason": ""}]))
    problem = SyncProblem.objects.create(
        **common, **record, code="x", key="p", reason="It cannot be synced.", first_at=now, last_at=now)
    conflict = Conflict.objects.create(
        **common, **record, field="surname", winner="crm", at=now,
        values=encrypt({"crm": "Quartermaine", "microsoft": "Quatermain"}))
    held = HeldDecision.objects.create(
        **common, reason="ambiguous", key="h", at=now, summary={"candidates": 1},
        details=encrypt({"graph_id": "g", "candidates": [[record["adapter"], str(contact.pk)]], "label": SECRET_NAME}))
    guard = HeldDecision.objects.create(
        **common, reason="deletion_guard", key="g", at=now,
        summary={"side": "microsoft", "deletions": 40, "records": 50})
    deleted = DeletedRecord.objects.create(
        **common, **record, at=now, contents=encrypt({"label": SECRET_NAME, "values": {"emails": ["z@q.example"]}}))
    return {"link": link, "run": run, "problem": problem, "conflict": conflict, "held": held, "guard": guard,
            "deleted": deleted,
            "contact": contact, "record": f"{record['adapter']}:{contact.pk}"}


def _adapter():
    from opencrm_ms365.adapters import site

    return site.adapters("contacts")[0].name


def everything(story):
    """(method, address) of each page and endpoint that is about Ada's rows."""
    link, run = story["link"].pk, story["run"].pk
    rows = [
        ("get", "profile", link), ("get", "settings", link), ("post", "settings", link), ("post", "disconnect", link),
        ("get", "preview", link), ("post", "preview", link), ("post", "sync-now", link), ("post", "pause", link),
        ("post", "resume", link), ("get", "runs", link), ("get", "run", run), ("get", "problems", link),
        ("get", "conflicts", link), ("get", "deleted", link), ("get", "held", link),
        ("post", "problem-retry", story["problem"].pk), ("post", "problem-ignore", story["problem"].pk),
        ("post", "conflict-take-other", story["conflict"].pk), ("post", "held-confirm", story["held"].pk),
        ("post", "held-dismiss", story["held"].pk), ("post", "deleted-undo", story["deleted"].pk),
        ("get", "api-links-detail", link), ("patch", "api-links-detail", link), ("post", "api-links-pause", link),
        ("post", "api-links-resume", link), ("get", "api-runs-detail", run), ("get", "api-runs-operations", run),
        ("post", "api-problems-retry", story["problem"].pk), ("post", "api-problems-ignore", story["problem"].pk),
        ("post", "api-conflicts-take-other", story["conflict"].pk), ("post", "api-held-confirm", story["held"].pk),
        ("post", "api-held-dismiss", story["held"].pk), ("post", "api-deleted-undo", story["deleted"].pk),
    ]
    found = [(method, reverse(f"ms365:{name}", args=[pk])) for method, name, pk in rows]
    for name in ("api-runs-list", "api-problems-list", "api-conflicts-list", "api-held-list", "api-deleted-list"):
        found.append(("get", reverse(f"ms365:{name}") + f"?link={link}"))
    found.append(("get", reverse("ms365:api-why") + f"?record={story['record']}&link={link}"))
    return found


def ask(browser, method, address):
    return getattr(browser.client, method)(address, {}, content_type="application/json") if method == "patch" else \
        getattr(browser.client, method)(address)


@rule("ORG-07", "PRIV-03")
def test_ORG_07_a_colleague_finds_nothing_of_mine_anywhere(world, story):
    ben = Browser(world, "ben")
    world.connect("ben")
    before = _state(story)
    for method, address in everything(story):
        answer = ask(ben, method, address)
        assert answer.status_code == 404, (method, address, answer.status_code)
        assert SECRET_NAME not in answer.content.decode()
    for name in ("api-preview", "api-sync"):
        answer = ben.client.post(reverse(f"ms365:{name}"), {"link": story["link"].pk}, content_type="application/json")
        assert answer.status_code == 404, name
    assert _state(story) == before


def _state(story):
    return [
        list(UserLink.objects.filter(pk=story["link"].pk).values()),
        *[list(model.objects.filter(link=story["link"]).order_by("pk").values())
          for model in (SyncRun, SyncProblem, Conflict, HeldDecision)]]


@rule("ORG-07")
def test_ORG_07_nobody_gets_in_without_signing_in_to_the_crm(world, story):
    nobody = Browser(world, None)
    for method, address in everything(story):
        answer = ask(nobody, method, address)
        if "/api/" in address:
            assert answer.status_code == 401, (method, address, answer.status_code)
        else:
            assert answer.status_code == 302 and answer.url.startswith("/accounts/login/"), address
        assert SECRET_NAME not in answer.content.decode()


@rule("ORG-07")
def test_ORG_07_every_change_needs_a_csrf_token(world, story):
    for person in ("ada", "admin"):
        browser = Browser(world, person, enforce_csrf_checks=True)
        before = _state(story)
        for method, address in everything(story):
            if method != "get":
                assert ask(browser, method, address).status_code == 403, (method, address)
        for name in ("api-link",):
            assert browser.patch(name, data={"only_my_items": False}).status_code == 403
        assert _state(story) == before


def test_ORG_07_every_address_of_the_app_is_behind_the_sign_in(world, db):
    """Also those that somebody adds later and forgets above."""
    nobody = Browser(world, None)
    seen = 0
    for name in {key for key in get_resolver().namespace_dict["ms365"][1].reverse_dict if isinstance(key, str)}:
        for args in ([], [1], [1, 1]):
            try:
                address = reverse(f"ms365:{name}", args=args)
            except NoReverseMatch:
                continue
            for method in (nobody.client.get, nobody.client.post):
                answer = method(address)
                assert answer.status_code in (301, 302, 401, 403, 405), (address, answer.status_code)
                if answer.status_code == 302:
                    assert answer.url.startswith("/accounts/login/"), address
            seen += 1
    assert seen > 40


@rule("ORG-07")
def test_ORG_07_an_administrator_sees_everybodys_link(world, story):
    admin = Browser(world, "admin")
    for method, address in everything(story):
        if method == "get":
            assert ask(admin, method, address).status_code == 200, address
    listed = admin.get("api-links-list").json()["results"]
    assert [row["account"] for row in listed] == ["ada@brightwell.example"]
    assert Browser(world, "ben").get("api-links-list").json()["results"] == []
    assert Browser(world, "ben").get("people").status_code == 403


@rule("PRIV-03")
def test_PRIV_03_names_are_shown_to_those_who_may_see_the_record(world, story):
    """Grace administers the sync, but is no superuser here and in no team: she sees the rows without the names."""
    from opencrm_ms365.adapters import DirectoryAdapter, site

    grace = world.user("admin")
    grace.is_superuser = False
    grace.save()
    before = site.directory

    class Administered(type(before), DirectoryAdapter):
        def is_org_admin(self, user, tenant):
            return user.username == "admin"

    site.directory = Administered()
    try:
        admin, ada = Browser(world, "admin"), Browser(world, "ada")
        link, run = story["link"].pk, story["run"].pk
        pages = [("problems", link), ("conflicts", link), ("held", link), ("run", run), ("api-runs-detail", run),
                 ("api-runs-operations", run)]
        addresses = [reverse(f"ms365:{name}", args=[pk]) for name, pk in pages]
        addresses += [reverse(f"ms365:{name}") + f"?link={link}"
                      for name in ("api-problems-list", "api-conflicts-list", "api-held-list", "api-deleted-list")]
        for address in addresses:
            answer = admin.client.get(address)
            assert answer.status_code == 200, address
            assert "Quartermaine" not in answer.content.decode(), address
            assert "Quatermain" not in answer.content.decode(), address
            if address.startswith("/microsoft/people/"):
                address = address.replace(f"/people/{link}", "")
            assert "Quartermaine" in ada.client.get(address).content.decode(), address
        why = admin.client.get(reverse("ms365:api-why") + f"?record={story['record']}&link={link}").json()
        assert why["verdict"] == "unknown" and why["label"] == ""
    finally:
        site.directory = before


@rule("ORG-08", "PRIV-03")
@pytest.mark.parametrize("door", ["held-confirm", "api-held-confirm"])
def test_ORG_08_only_what_was_offered_can_be_chosen(world, story, door):
    """The candidates are checked again: no link to a record that the person may not see, or that was never offered."""
    ada = Browser(world, "ada")
    hidden = world.crm.contact(owner="ben", last_name="Hidden")
    story["contact"].assigned_to = world.user("ben")
    story["contact"].save()
    for choice in ("", f"{_adapter()}:{hidden.pk}", story["record"], "x" * 5000):
        ada.post(door, story["held"].pk, data={"choice": choice})
        story["held"].refresh_from_db()
        assert story["held"].state == "open", choice

    story["contact"].assigned_to = world.user("ada")
    story["contact"].save()
    ada.post(door, story["held"].pk, data={"choice": story["record"]})
    story["held"].refresh_from_db()
    assert (story["held"].state, story["held"].choice) == ("confirmed", story["record"])
    assert story["held"].decided_by == world.user("ada")


@rule("ORG-13")
@pytest.mark.parametrize("prefix", ["", "api-"])
def test_ORG_13_only_an_administrator_lets_the_deletions_go_on(world, story, prefix):
    guard = story["guard"]
    ada = Browser(world, "ada")
    for action in ("confirm", "dismiss"):
        assert ada.post(f"{prefix}held-{action}", guard.pk).status_code == 403
    guard.refresh_from_db()
    assert guard.state == "open"
    assert "40 of 50" in text_of(ada.get("held")) and "administrator has to decide" in text_of(ada.get("held"))

    Browser(world, "admin").post(f"{prefix}held-confirm", guard.pk)

    guard.refresh_from_db()
    assert guard.state == "confirmed"
    again = Browser(world, "admin").post(f"{prefix}held-dismiss", guard.pk)
    assert again.status_code in (302, 409)
    guard.refresh_from_db()
    assert guard.state == "confirmed"


@rule("SYNC-03")
@pytest.mark.parametrize("prefix", ["", "api-"])
def test_SYNC_03_a_problem_can_be_retried_or_ignored(world, story, prefix):
    ada, names = Browser(world, "ada"), {"": "problem-", "api-": "api-problems-"}
    UserLink.objects.update(due_at=None)

    ada.post(f"{names[prefix]}ignore", story["problem"].pk)
    story["problem"].refresh_from_db()
    assert story["problem"].ignored
    assert ada.get("api-problems-list").json()["count"] == 0

    ada.post(f"{names[prefix]}retry", story["problem"].pk)
    story["problem"].refresh_from_db()
    assert not story["problem"].ignored and world.link("ada").due_at is not None


@rule("ORG-09")
@pytest.mark.parametrize("door", ["conflict-take-other", "api-conflicts-take-other"])
def test_ORG_09_the_other_value_can_be_taken(world, story, door):
    ada = Browser(world, "ada")
    page = text_of(ada.get("conflicts"))
    assert "Quartermaine" in page and "Quatermain" in page and "Take Outlook's value" in page

    answer = ada.post(door, story["conflict"].pk)

    assert answer.status_code in (200, 302)
    story["contact"].refresh_from_db()
    assert story["contact"].last_name == "Quatermain"
    story["conflict"].refresh_from_db()
    assert story["conflict"].taken_other_by == world.user("ada")


@rule("ORG-09")
def test_ORG_09_not_by_somebody_who_may_not_change_the_record(world, story):
    story["contact"].assigned_to = world.user("ben")
    story["contact"].save()
    answer = Browser(world, "ada").post("api-conflicts-take-other", story["conflict"].pk)
    assert answer.status_code == 409
    story["contact"].refresh_from_db()
    assert story["contact"].last_name == "Quartermaine"


@rule("ORG-14")
def test_ORG_14_pause_and_resume(world, story):
    ada = Browser(world, "ada")
    assert ada.post("api-links-pause", story["link"].pk).json()["paused"] is True
    assert "The sync is paused" in text_of(ada.get("profile"))
    assert ada.post("api-sync").status_code == 409
    UserLink.objects.update(due_at=None)
    assert ada.post("api-links-resume", story["link"].pk).json()["paused"] is False
    assert world.link("ada").due_at is not None


@rule("USER-08")
def test_USER_08_sync_now_answers_at_once_and_twice_is_safe(world, story):
    ada = Browser(world, "ada")
    first, second = ada.post("api-sync"), ada.post("api-sync")
    assert first.status_code == second.status_code == 202
    assert first.json()["id"] == second.json()["id"]
    run = ada.client.get(first.json()["url"]).json()
    assert run["state"] == "queued" and run["is_finished"] is False and run["progress_text"] == "Waiting for its turn."
    assert ada.post("sync-now").url == reverse("ms365:run", args=[first.json()["id"]])
    assert "Waiting for its turn" in text_of(ada.get("run", first.json()["id"]))


@rule("USER-07")
def test_USER_07_a_preview_can_be_asked_for_before_the_settings_are_saved(world):
    world.connect("ben", save=False)
    ben = Browser(world, "ben")
    answer = ben.post("api-preview")
    assert answer.status_code == 202
    assert ben.client.get(answer.json()["url"]).json()["is_preview"] is True
    assert ben.post("api-sync").status_code == 409


@rule("USER-08")
def test_USER_08_why_a_record_is_or_is_not_synced(world, story):
    ada = Browser(world, "ada")

    def why(record):
        return ada.get("api-why", query=f"?record={record}").json()

    assert why(story["record"])["verdict"] == "waiting"
    story["contact"].sync_to_microsoft = False
    story["contact"].save()
    answer = why(story["record"])
    assert answer["verdict"] == "not_synced" and answer["rules"] == ["CON-09"] and answer["label"] == SECRET_NAME
    assert "It cannot be synced." in answer["problems"]
    assert SECRET_NAME in text_of(ada.get("why", query=f"?record={story['record']}"))
    for nonsense in ("made.up:1", f"{_adapter()}:999999", f"{_adapter()}:x", f"{_adapter()}:", ":1"):
        assert why(nonsense)["verdict"] == "unknown", nonsense
    assert ada.get("api-why").status_code == 400


def test_listings_are_paginated(world, story):
    ada = Browser(world, "ada")
    for name in ("api-runs-list", "api-problems-list", "api-conflicts-list", "api-held-list", "api-deleted-list"):
        assert set(ada.get(name).json()) == {"count", "next", "previous", "results"}, name
    assert len(ada.get("api-held-list", query="?page_size=1").json()["results"]) == 1


def test_the_endpoints_describe_themselves(world, story):
    description = Browser(world, "ada").get("api-schema").json()
    assert "/microsoft/api/link/" in description["paths"]
    assert all(path.startswith("/microsoft/api/") for path in description["paths"])


def test_no_address_redirects_to_where_the_address_says(world, story):
    ada = Browser(world, "ada")
    for name in ("sync-now", "pause", "resume", "preview", "disconnect"):
        answer = ada.client.post(reverse(f"ms365:{name}") + "?next=https://evil.example/", {"next": "https://evil.example/"})
        assert answer.status_code == 302 and answer.url.startswith("/microsoft/"), name


@rule("ORG-07")
def test_ORG_07_another_organisation_is_another_world(world, story):
    """An administrator of one organisation sees nothing of another."""
    other = UserLink.objects.create(tenant="elsewhere", user=world.user("ben"), status="connected")
    SyncSettings.of("elsewhere")
    admin = Browser(world, "admin")
    assert admin.get("profile", other.pk).status_code == 404
    assert admin.get("api-links-detail", other.pk).status_code == 404
    assert admin.patch("api-links-detail", other.pk, data={"only_my_items": False}).status_code == 404


def test_lists_cost_the_same_number_of_queries_however_long(world, story, django_assert_max_num_queries):
    ada = Browser(world, "ada")
    now = timezone.now()
    for number in range(20):
        contact = world.crm.contact(last_name=f"N{number}")
        SyncProblem.objects.create(
            link=story["link"], kind="contacts", adapter=_adapter(), object_id=str(contact.pk), code="x",
            key=str(number), reason="It cannot be synced.", first_at=now, last_at=now)
    for name in ("problems", "api-problems-list", "conflicts", "held", "api-runs-list", "profile"):
        with django_assert_max_num_queries(25):
            assert ada.get(name).status_code == 200


def test_everybodys_links_cost_the_same_number_of_queries_however_many(world, story, django_assert_max_num_queries):
    from django.contrib.auth import get_user_model

    for number in range(30):
        user = get_user_model().objects.create(username=f"user{number}")
        UserLink.objects.create(user=user, status="connected", microsoft_user_id=str(number))
    admin = Browser(world, "admin")
    for address in (reverse("ms365:people"), reverse("ms365:api-links-list"),
                    reverse("admin:opencrm_ms365_userlink_changelist")):
        with django_assert_max_num_queries(25):
            assert admin.client.get(address).status_code == 200
