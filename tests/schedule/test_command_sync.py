"""`ms365_sync`: exit codes, the JSON, and what people read (design, section 5)."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from opencrm_ms365.access import outage
from opencrm_ms365.errors import ClientRefused, ConfigurationError, Rejected, Throttled
from opencrm_ms365.models import Heartbeat, LinkStatus, RunState, SyncRun, Trigger, UserLink
from opencrm_ms365.sync import foreground
from opencrm_ms365.sync import lease as leases
from tests.schedule import builders
from tests.schedule.test_lease import OTHER_MACHINE, held

pytestmark = pytest.mark.django_db
SIDE = {"created": 0, "updated": 0, "deleted": 0}
COUNTS = {
    "pulled": 3, "crm": {**SIDE, "created": 2}, "microsoft": {**SIDE, "updated": 1}, "conflicts": 0, "problems": 0,
    "invitations": 0}


@pytest.fixture(autouse=True)
def ready(db, rung):
    builders.organisation()


def ends(state, counts=None, message="", requests=7):
    """A cycle that ends its run like this."""
    def act(link_id, run=None, **options):
        SyncRun.objects.filter(pk=run.pk).update(
            state=state, counts=counts or {}, message=message, requests=requests, finished_at=timezone.now())
    return act


def command(*arguments, code=0):
    """What `ms365_sync` printed on its two outputs, after it ended with this exit code."""
    out, err = io.StringIO(), io.StringIO()
    ended = 0
    try:
        call_command("ms365_sync", *arguments, stdout=out, stderr=err)
    except SystemExit as stop:
        ended = stop.code
    except CommandError as error:
        ended = error.returncode
        err.write(str(error))
    assert ended == code, err.getvalue()
    return out.getvalue(), err.getvalue()


def test_the_json_has_exactly_the_promised_shape(cycle):
    link = builders.link(user=builders.user(username="ada"))
    cycle.behaviour[link.pk] = ends(RunState.DONE, {"contacts": COUNTS})
    out, err = command("--json")
    answer = json.loads(out)
    seconds = answer["links"][0].pop("seconds")
    assert answer == {"links": [{"user": "ada", "status": "connected", "kinds": {"contacts": COUNTS}}], "requests": 7}
    assert isinstance(seconds, float) and err == ""


def test_the_cycle_gets_what_was_asked_for(cycle):
    link = builders.link()
    cycle.behaviour[link.pk] = ends(RunState.DONE)
    command("--kind", "contacts", "--full")
    (link_id, options), = cycle.calls
    assert link_id == link.pk
    assert (options["kinds"], options["full"], options["deadline"]) == (["contacts"], True, None)
    assert options["trigger"] == options["run"].trigger == Trigger.COMMAND


def test_without_a_user_all_that_may_sync_are_synced(cycle):
    links = [builders.link(), builders.link()]
    builders.link(paused=True)
    builders.link(settings_saved_at=None, status=LinkStatus.AWAITING_SETTINGS)
    for link in links:
        cycle.behaviour[link.pk] = ends(RunState.DONE)
    out, _err = command()
    assert cycle.links == [link.pk for link in links]
    assert out.count("nothing to do") == 2


def test_named_users_only(cycle):
    builders.link()
    named = [builders.link(user=builders.user(username=name)) for name in ("ada", "ben")]
    for link in named:
        cycle.behaviour[link.pk] = ends(RunState.DONE)
    command("--user", "ada", "--user", "ben")
    assert cycle.links == [link.pk for link in named]


def test_nobody_linked_yet_is_no_failure(cycle):
    out, err = command("--json")
    assert json.loads(out) == {"links": [], "requests": 0}
    assert "No link is ready to sync." in err


@pytest.mark.parametrize(("arguments", "words"), [
    (["--user", "nobody"], "There is no user called nobody."),
    (["--user", "unlinked"], "No Microsoft account is connected for unlinked."),
    (["--kind", "tasks"], "no adapter for tasks"),
])
def test_usage_errors_are_exit_code_2_in_plain_words(cycle, arguments, words):
    builders.user(username="unlinked")
    _out, err = command(*arguments, code=2)
    assert words in err and cycle.calls == []


def test_a_configuration_error_is_exit_code_2(cycle, settings):
    builders.link()
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "ENCRYPTION_KEYS": ["nonsense"]}
    _out, err = command(code=2)
    assert "not a Fernet key" in err and cycle.calls == []


def test_a_configuration_error_found_late_is_exit_code_2_too(cycle):
    cycle.raises(builders.link(), ConfigurationError("Something is set wrongly."))
    assert "Something is set wrongly." in command(code=2)[1]


def test_records_with_problems_are_exit_code_1(cycle):
    link = builders.link()
    cycle.behaviour[link.pk] = ends(RunState.PARTLY, {"contacts": {**COUNTS, "problems": 1}})
    out, err = command("--json", code=1)
    assert json.loads(out)["links"][0]["status"] == "connected"
    assert "Some records could not be synced" in err


def test_a_failing_link_is_exit_code_1_and_stops_no_other(cycle):
    bad, good = builders.link(), builders.link()
    cycle.raises(bad, Rejected("Microsoft refused."))
    cycle.behaviour[good.pk] = ends(RunState.DONE)
    out, err = command("--json", code=1)
    assert [link["status"] for link in json.loads(out)["links"]] == ["failed", "connected"]
    assert f"{bad.user}: Microsoft refused." in err


def test_a_broken_sign_in_is_reported_each_time(cycle):
    link = builders.link()

    def act(link_id, run, **options):
        UserLink.objects.filter(pk=link_id).update(status=LinkStatus.SIGN_IN_AGAIN)
        ends(RunState.FAILED, message="Microsoft no longer accepts this sign-in.")(link_id, run=run)

    cycle.behaviour[link.pk] = act
    for words in ("no longer accepts", "sign in with Microsoft again"):
        out, err = command("--json", code=1)
        assert json.loads(out)["links"][0]["status"] == "sign_in_again"
        assert words in err


def test_an_organisation_that_microsoft_refuses_is_reported_each_time(cycle):
    link = builders.link(user=builders.user(username="ada"))
    builders.link(user=builders.user(username="ben"), paused=True)
    outage.begin(link.tenant, ClientRefused("The client secret of this app has expired.", code="invalid_client"))
    for _ in range(2):
        out, err = command("--json", code=1)
        [told] = json.loads(out)["links"]
        assert (told["user"], told["status"]) == ("ada", "failed") and "secret of this app has expired" in err
    assert cycle.links == []
    outage.over(link.tenant)
    cycle.behaviour[link.pk] = ends(RunState.DONE)
    command()
    assert cycle.links == [link.pk]


def test_a_named_link_that_may_not_sync_says_why(cycle):
    builders.link(user=builders.user(username="ada"), paused=True)
    out, err = command("--user", "ada", code=1)
    assert "ada: not synced" in out and "The sync is paused for this user." in err
    assert not SyncRun.objects.exists()


def test_a_throttled_link_goes_on_in_the_background(cycle):
    link = builders.link()
    cycle.raises(link, Throttled(retry_after_s=120))
    _out, err = command(code=1)
    assert "slow down" in err
    link.refresh_from_db()
    assert SyncRun.objects.get().state == RunState.QUEUED and link.due_at == link.not_before


@pytest.mark.parametrize("first", [[], ["--kind", "contacts"]])
@pytest.mark.parametrize("arguments", [[], ["--full"], ["--dry-run"], ["--user", "ada"]])
def test_while_microsoft_wants_to_be_left_alone_nothing_is_asked_of_it(cycle, first, arguments):
    link = builders.link(user=builders.user(username="ada"))
    cycle.raises(link, Throttled(retry_after_s=120))
    command(*first, code=1)
    out, err = command("--json", *arguments, code=1)
    assert cycle.links == [link.pk], "only the first one"
    assert json.loads(out)["links"][0]["status"] == "failed" and "nothing is asked of it before" in err


def test_a_link_that_is_worked_on_is_waited_for(cycle, monkeypatch):
    link = held(builders.link(), OTHER_MACHINE, 60)
    cycle.behaviour[link.pk] = ends(RunState.DONE)
    monkeypatch.setattr(foreground.time, "sleep", lambda _s: held(link, "", -1))
    command()
    assert cycle.links == [link.pk]


def test_but_not_longer_than_a_lease_lasts(cycle, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "LEASE_S": 1}
    held(builders.link(), OTHER_MACHINE, 60)
    out, err = command("--json", code=1)
    assert json.loads(out)["links"][0]["status"] == "busy"
    assert "Another sync of this link has been under way" in err


def test_the_turn_of_the_link_in_the_background_is_not_changed(cycle):
    link = builders.link()
    cycle.raises(link, Rejected("no"))
    command(code=1)
    link.refresh_from_db()
    assert (link.due_at, link.attempts, link.next_run_at, link.lease_owner) == (None, 0, None, "")
    assert not Heartbeat.objects.exists(), "this process is no background worker"


def test_a_full_run_by_hand_counts_as_the_links_turn(cycle):
    link = builders.link(due_s=5)
    cycle.behaviour[link.pk] = ends(RunState.DONE)
    command()
    link.refresh_from_db()
    assert link.due_at is None and link.last_run_at is not None


def test_a_run_of_one_kind_does_not(cycle):
    link = builders.link(due_s=5)
    cycle.behaviour[link.pk] = ends(RunState.DONE)
    command("--kind", "contacts")
    link.refresh_from_db()
    assert link.due_at is not None


def test_a_person_reads_one_line_for_each_kind(cycle):
    link = builders.link(user=builders.user(username="ada"))
    cycle.behaviour[link.pk] = ends(RunState.DONE, {"contacts": COUNTS})
    out, _err = command()
    assert out.startswith("ada: contacts, 3 read from Microsoft; CRM: 2 created, 0 updated, 0 deleted; Microsoft: ")


@pytest.mark.rule("USER-07")
def test_a_dry_run_is_the_preview(cycle, monkeypatch):
    asked = []

    def run_preview(run_id, **options):
        asked.append(options)
        SyncRun.objects.filter(pk=run_id).update(state=RunState.DONE, counts={"contacts": COUNTS})

    monkeypatch.setattr("opencrm_ms365.sync.attempt._run_preview", run_preview)
    builders.link(user=builders.user(username="ada"), settings_saved_at=None, status=LinkStatus.AWAITING_SETTINGS)
    out, _err = command("--user", "ada", "--dry-run", "--kind", "contacts", "--full")
    assert cycle.calls == [] and "would be CRM: 2 created" in out
    assert asked[0]["kinds"] == ["contacts"] and asked[0]["full"] is True
    assert SyncRun.objects.get().trigger == Trigger.PREVIEW
    assert UserLink.objects.get().lease_owner == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_progress_bar_is_drawn_on_a_terminal_only(cycle):
    link = builders.link(user=builders.user(username="ada"))

    def act(link_id, run, lease, **options):
        SyncRun.objects.filter(pk=run.pk).update(progress={"phase": "writing", "done": 1, "total": 2})
        lease.ensure()
        ends(RunState.DONE)(link_id, run=run)

    cycle.behaviour[link.pk] = act
    out, err = io.StringIO(), Terminal()
    call_command("ms365_sync", stdout=out, stderr=err)
    assert "ada [###############...............] writing 1 of 2" in err.getvalue()
    assert "[" not in out.getvalue()
    assert command()[1] == ""


def test_stopping_it_keeps_what_was_done(cycle):
    link = builders.link()
    cycle.raises(link, KeyboardInterrupt())
    assert "Stopped." in command(code=130)[1]
    link.refresh_from_db()
    assert link.lease_owner == "" and SyncRun.objects.get().state == RunState.FAILED
    assert leases.acquire(link.pk) is not None
