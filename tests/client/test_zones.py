"""Names of zones, and the times that are written with them: instants and days survive, whatever the clocks do."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tzlocal.windows_tz import tz_win, win_tz

from opencrm_ms365.graph.wire import moments, zones
from opencrm_ms365.records.event import EventData
from tests import rules

#: Zones that Microsoft has no name for, or whose clocks go otherwise than those of Microsoft's zone.
ZONES = sorted(available_timezones() - {"localtime", "Factory"})


@cache
def changes(name):
    """The instants of some years at which the clocks of a zone change."""
    zone, found = ZoneInfo(name), []
    at = datetime(2024, 1, 1, tzinfo=UTC)
    while at.year < 2028:
        after = at + timedelta(days=1)
        if at.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            low, high = at, after
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                if middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset():
                    low = middle
                else:
                    high = middle
            found.append(high.replace(second=0, microsecond=0))
        at = after
    return tuple(found)


def microsoft(body):
    """What Microsoft answers when times are asked for in UTC: it reads the written zone by its Windows name."""
    item = {"isAllDay": body["isAllDay"], "originalStartTimeZone": body["start"]["timeZone"],
            "originalEndTimeZone": body["end"]["timeZone"]}
    for name in ("start", "end"):
        written, zone = body[name]["dateTime"], body[name]["timeZone"]
        assert zone in win_tz or zone == "UTC", "not a name that every mailbox knows"
        wall = datetime.fromisoformat(written)
        assert wall.tzinfo is None, "no offset inside dateTime (facts 6.2)"
        if not body["isAllDay"]:
            # .NET takes the second one of two equal hours.
            wall = wall.replace(tzinfo=ZoneInfo(win_tz.get(zone, "UTC")), fold=1).astimezone(UTC)
        item[name] = {"dateTime": wall.strftime("%Y-%m-%dT%H:%M:%S.%f0"), "timeZone": "UTC"}
    return item


def through(**values):
    return EventData(**moments.read(microsoft(moments.to_json(values))))


def test_names_go_both_ways():
    assert zones.to_windows("Europe/Vienna") == "W. Europe Standard Time"
    assert zones.to_iana("W. Europe Standard Time") == "Europe/Berlin"
    assert zones.to_iana("w. europe standard time") == "Europe/Berlin"
    assert zones.to_iana("Asia/Kolkata") == "Asia/Kolkata"
    assert zones.to_iana("UTC") == zones.to_iana("tzone://Microsoft/Utc") == "UTC"
    assert zones.to_windows("UTC") == zones.to_windows("Etc/GMT") == "UTC"
    for windows, iana in win_tz.items():
        assert zones.same_zone(windows, iana)
        assert zones.to_iana(windows) in (iana, "UTC")


@pytest.mark.parametrize("name", [
    None, "", " ", "tzone://Microsoft/Custom", "Customized Time Zone", "Mars Standard Time", "Europe",
    "../../etc/passwd", "/etc/localtime", "localtime", "Factory", "Europe/Nowhere", "\x00", "x" * 500,
])
def test_custom_and_unknown_zones_are_none(name):
    assert zones.to_iana(name) is None
    assert zones.to_windows(name) is None
    assert zones.written_zone(name, datetime(2026, 1, 1, tzinfo=UTC)) == "UTC"


def test_zones_with_one_name_at_microsoft_are_the_same():
    assert zones.same_zone("Europe/Vienna", "Europe/Berlin")
    assert zones.same_zone("Europe/Vienna", "W. Europe Standard Time")
    assert zones.same_zone("UTC", "Etc/UTC")
    assert zones.same_zone(None, None) and zones.same_zone("tzone://Microsoft/Custom", "tzone://Microsoft/Custom")
    assert not zones.same_zone("Europe/Vienna", "Europe/London")
    assert not zones.same_zone("Europe/Vienna", None)
    assert not zones.same_zone("tzone://Microsoft/Custom", "Customized Time Zone")


def test_an_hour_that_clocks_show_twice_is_written_in_utc():
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)      # 02:30 in Vienna, and again an hour later
    assert zones.written_zone("Europe/Vienna", first) == "UTC"
    assert zones.written_zone("Europe/Vienna", first + timedelta(hours=1)) == "UTC"
    assert zones.written_zone("Europe/Vienna", first - timedelta(hours=1)) == "W. Europe Standard Time"
    assert zones.written_zone("Europe/Vienna", first + timedelta(hours=2)) == "W. Europe Standard Time"


@rules.rule("CAL-01")
@pytest.mark.parametrize("area", sorted({name.split("/")[0] for name in ZONES}))
def test_CAL_01_instants_around_every_change_of_the_clocks_survive(area):
    for name in ZONES:
        if name.split("/")[0] == area:
            check_changes(name)


def check_changes(name):
    around = [at + timedelta(minutes=minutes) for at in changes(name)
              for minutes in (-121, -61, -60, -31, -1, 0, 1, 29, 59, 60, 119)]
    for start in [datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC), *around]:
        end = start + timedelta(minutes=45)
        read = through(start=start, end=end, all_day=False, time_zone=name)
        assert (read.start, read.end, read.all_day) == (start, end, False), name
    if name in tz_win and not around:
        read = through(start=datetime(2026, 1, 15, tzinfo=UTC), end=datetime(2026, 1, 15, tzinfo=UTC), time_zone=name)
        assert zones.same_zone(read.time_zone, name) or read.time_zone == "UTC"


@rules.rule("CAL-01")
@given(start=st.datetimes(datetime(1995, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC)),
       minutes=st.integers(0, 3 * 24 * 60), name=st.sampled_from(ZONES))
@settings(deadline=None)
def test_CAL_01_any_instant_survives(start, minutes, name):
    end = start + timedelta(minutes=minutes)
    read = through(start=start, end=end, all_day=False, time_zone=name)
    assert (read.start, read.end) == (start, end)


@rules.rule("CAL-01")
@given(start=st.dates(date(1995, 1, 1), date(2045, 1, 1)), days=st.integers(0, 400), name=st.sampled_from(ZONES))
@settings(deadline=None)
def test_CAL_01_days_survive(start, days, name):
    read = through(start=start, end=start + timedelta(days=days), all_day=True, time_zone=name)
    assert (read.start, read.end, read.all_day) == (start, start + timedelta(days=days), True)


@rules.rule("CAL-01")
@pytest.mark.parametrize("name", ["Europe/Vienna", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
                                  "Africa/Casablanca", "Pacific/Apia", "America/Argentina/Buenos_Aires"])
def test_CAL_01_an_event_keeps_its_own_zone(name):
    at = datetime(2026, 6, 10, 9, tzinfo=ZoneInfo(name)).astimezone(UTC)
    body = moments.to_json({"start": at, "end": at, "all_day": False, "time_zone": name})
    assert body["start"] == {"dateTime": "2026-06-10T09:00:00.000000", "timeZone": zones.to_windows(name)}
    assert zones.same_zone(through(start=at, end=at, time_zone=name).time_zone, name)
