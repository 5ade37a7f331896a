"""Delta rounds of calendar views."""

import pytest

from .person import IMMUTABLE, Person, code

WINDOW = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2026-12-01T00:00:00Z"
VIEW = f"/me/calendarView/delta?{WINDOW}"
MESSAGE = ("The '$top' parameter is not supported with change tracking over the 'CalendarView' resource as page size "
           "cannot be guaranteed. Express page size preferences using the Prefer: odata.maxpagesize= header instead.")


@pytest.fixture
def ada(sandbox, base_url, tenant):
    return Person(sandbox, base_url, sandbox.add_user(tenant, "ada@brightwell.example", "Ada Lindqvist"),
                  "User.Read Calendars.ReadWrite")


def on(day, hour=9):
    """Start and end of an hour."""
    return {"start": {"dateTime": f"{day}T{hour:02}:00:00", "timeZone": "UTC"},
            "end": {"dateTime": f"{day}T{hour + 1:02}:00:00", "timeZone": "UTC"}}


def weekly(day="2026-11-02", count=4, **more):
    """A series on Mondays."""
    return {**on(day), "recurrence": {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
        "range": {"type": "numbered", "startDate": day, "numberOfOccurrences": count}}, **more}


def told(items):
    """The subjects of what is there, and the ids of what was removed."""
    return ({item.get("subject") for item in items if "@removed" not in item},
            {item["id"] for item in items if "@removed" in item})


@pytest.mark.facts("15.26")
def test_15_26_a_round_tells_what_changed_in_the_window(ada):
    first = ada.outlook.add_event(subject="First", **on("2026-11-02"))
    second = ada.outlook.add_event(subject="Second", **on("2026-11-03"))
    ada.outlook.add_event(subject="Outside", **on("2026-12-24"))
    items, link, _ = ada.follow(VIEW)
    assert told(items) == ({"First", "Second"}, set())
    assert items[0]["@odata.type"] == "#microsoft.graph.event" and items[0]["@odata.etag"].startswith('W/"')
    assert items[0]["body"]["contentType"] == "html" and items[0]["attendees"] == []
    assert ada.follow(link)[0] == []
    ada.outlook.edit_event(first["id"], subject="Changed")
    ada.outlook.delete_event(second["id"])
    ada.outlook.add_event(subject="New", **on("2026-11-30"))
    items, link, _ = ada.follow(link)
    assert told(items) == ({"Changed", "New"}, {second["id"]})
    gone = next(item for item in items if "@removed" in item)
    assert gone == {"@odata.type": "#microsoft.graph.event", "id": second["id"], "@removed": {"reason": "deleted"}}
    assert ada.follow(link)[0] == []


@pytest.mark.facts("15.26")
def test_15_26_each_calendar_has_its_own_view(ada):
    fairs = ada.outlook.add_calendar("Fairs")["id"]
    made = ada.outlook.add_event(subject="First", **on("2026-11-02"))
    _, own_link, _ = ada.follow(VIEW)
    items, fairs_link, _ = ada.follow(f"/me/calendars/{fairs}/calendarView/delta?{WINDOW}")
    assert items == []
    ada.outlook.move_event(made["id"], "Fairs")
    assert told(ada.follow(own_link)[0]) == (set(), {made["id"]})
    assert told(ada.follow(fairs_link)[0]) == ({"First"}, set())
    ada.outlook.delete_calendar(fairs)
    assert code(ada.get(fairs_link)) == (404, "ErrorSyncFolderNotFound")


@pytest.mark.facts("15.26")
@pytest.mark.parametrize("option", ["$top=5", "$select=subject", "$filter=subject eq 'x'", "$orderby=subject",
                                    "$search=x", "$deltatoken=latest"])
def test_15_26_options_are_refused(ada, option):
    answer = ada.get(f"{VIEW}&{option}")
    assert code(answer) == (400, "ErrorInvalidUrlQuery")
    if option.startswith("$top"):
        assert answer.json()["error"]["message"] == MESSAGE
        assert ada.get("/me/calendarView/delta?$top=5").json()["error"]["message"] == MESSAGE


@pytest.mark.facts("15.26", "15.16")
def test_15_26_extended_properties_are_not_in_delta(ada, sandbox):
    expand = "$expand=singleValueExtendedProperties($filter=id eq 'String 0x1')"
    assert ada.get(f"{VIEW}&{expand}").status_code == 500
    sandbox.options.delta_expand_status = 400
    assert ada.get(f"{VIEW}&{expand}").status_code == 400
    sandbox.options.calendar_delta_select = "ignored"
    assert ada.get(f"{VIEW}&$select=subject").status_code == 200


@pytest.mark.facts("15.26")
def test_15_26_the_window_is_needed_and_stays_in_the_token(ada):
    assert ada.get("/me/calendarView/delta").status_code == 400
    answer = ada.get(f"/me/events/delta?{WINDOW}")
    assert answer.json()["error"]["message"] == (
        "Unsupported request: Change tracking is not supported against 'microsoft.graph.event'.")
    _, link, _ = ada.follow(VIEW)
    assert "startDateTime" not in link
    assert code(ada.get(f"{link}&{WINDOW}")) == (400, "ErrorInvalidUrlQuery")


@pytest.mark.facts("15.4")
def test_15_4_pages_are_of_the_size_that_was_preferred(ada):
    for day in range(1, 8):
        ada.outlook.add_event(subject=f"Day {day}", **on(f"2026-11-0{day}"))
    items, _, pages = ada.follow(VIEW, size=3)
    assert [len(page) for page in pages] == [3, 3, 1] and len(items) == 7


@pytest.mark.facts("15.27")
def test_15_27_what_leaves_the_window_is_removed_and_comes_back(ada):
    made = ada.outlook.add_event(subject="First", **on("2026-11-02"))
    _, link, _ = ada.follow(VIEW)
    ada.outlook.edit_event(made["id"], **on("2026-12-24"))
    items, link, _ = ada.follow(link)
    assert told(items) == (set(), {made["id"]})
    assert ada.get(f"/me/events/{made['id']}").status_code == 200
    ada.outlook.edit_event(made["id"], **on("2026-11-12"))
    assert told(ada.follow(link)[0]) == ({"First"}, set())


@pytest.mark.facts("15.27")
@pytest.mark.parametrize("switch", [True, False])
def test_15_27_removals_of_what_was_never_inside_are_a_switch(ada, sandbox, switch):
    sandbox.options.delta_outside_removals = switch
    inside = ada.outlook.add_event(subject="Inside", **on("2026-11-02"))
    outside = ada.outlook.add_event(subject="Outside", **on("2026-12-24"))
    _, link, _ = ada.follow(VIEW)
    ada.outlook.edit_event(outside["id"], subject="Changed")
    ada.outlook.delete_event(inside["id"])
    assert told(ada.follow(link)[0]) == (set(), {inside["id"]} | ({outside["id"]} if switch else set()))


@pytest.mark.facts("15.27")
def test_15_27_a_series_comes_whole_with_reduced_occurrences(ada):
    master = ada.outlook.add_event(subject="Round", **weekly(count=3))
    items, link, _ = ada.follow(VIEW)
    assert [item["type"] for item in items] == ["seriesMaster", "occurrence", "occurrence", "occurrence"]
    assert items[0]["id"] == master["id"] and items[0]["recurrence"]["range"]["numberOfOccurrences"] == 3
    assert set(items[1]) == {"@odata.type", "@odata.etag", "id", "seriesMasterId", "type", "start", "end"}
    assert items[1]["seriesMasterId"] == master["id"]
    ada.outlook.edit_event(items[2]["id"], subject="Elsewhere")
    again, link, _ = ada.follow(link)
    assert [item["type"] for item in again] == ["seriesMaster", "occurrence", "exception", "occurrence"]
    assert again[2]["subject"] == "Elsewhere" and again[2]["id"] == items[2]["id"]
    ada.outlook.delete_event(items[1]["id"])
    again, link, _ = ada.follow(link)
    assert [item["id"] for item in again] == [master["id"], items[2]["id"], items[3]["id"]]     # and no tombstone
    ada.outlook.delete_event(master["id"])
    assert told(ada.follow(link)[0]) == (set(), {master["id"]})


@pytest.mark.facts("15.27")
@pytest.mark.parametrize("switch, count", [("master", 1), ("occurrences", 3), ("both", 4)])
def test_15_27_how_a_whole_series_is_removed_is_a_switch(ada, sandbox, switch, count):
    sandbox.options.deleted_series = switch
    master = ada.outlook.add_event(subject="Round", **weekly(count=3))
    items, link, _ = ada.follow(VIEW)
    ada.outlook.delete_event(master["id"])
    subjects, gone = told(ada.follow(link)[0])
    assert subjects == set() and len(gone) == count and gone <= {item["id"] for item in items}


@pytest.mark.facts("15.27")
def test_15_27_a_series_is_not_split_over_pages_and_its_master_may_begin_before(ada):
    ada.outlook.add_event(subject="Single", **on("2026-11-03"))
    ada.outlook.add_event(subject="Round", **weekly("2026-10-19", count=5))
    _, _, pages = ada.follow(VIEW, size=2)
    assert [len(page) for page in pages] == [1, 4]
    assert pages[1][0]["start"]["dateTime"].startswith("2026-10-19")
    assert [item["start"]["dateTime"][:10] for item in pages[1][1:]] == ["2026-11-02", "2026-11-09", "2026-11-16"]


@pytest.mark.facts("15.27")
def test_15_27_duplicates_and_replays(ada, sandbox):
    for day in range(1, 5):
        ada.outlook.add_event(subject=f"Day {day}", **on(f"2026-11-0{day}"))
    sandbox.options.delta_duplicates = True
    items, link, _ = ada.follow(VIEW, size=3)
    assert len(items) > 4 and len({item["id"] for item in items}) == 4
    sandbox.options.set(delta_duplicates=False, delta_replays=2)
    assert told(ada.follow(link)[0])[0] == {"Day 3", "Day 4"}


@pytest.mark.facts("15.28")
@pytest.mark.parametrize("status, name", [(410, "SyncStateNotFound"), (410, "ResyncRequired"),
                                          (400, "SyncStateNotFound")])
def test_15_28_links_expire(ada, sandbox, status, name):
    sandbox.options.set(delta_expired_status=status, delta_expired_code=name, delta_expired_location=True)
    ada.outlook.add_event(subject="First", **on("2026-11-02"))
    _, link, _ = ada.follow(VIEW)
    sandbox.expire_delta_tokens("ada@brightwell.example", "calendar")
    answer = ada.get(link)
    assert code(answer) == (status, name)
    assert told(ada.follow(answer.headers["Location"])[0]) == ({"First"}, set())


@pytest.mark.facts("15.29")
def test_15_29_a_write_may_show_only_after_a_while(ada, sandbox):
    sandbox.clock.freeze()
    _, link, _ = ada.follow(VIEW)
    sandbox.options.delta_delay_s = 5
    ada.outlook.add_event(subject="First", **on("2026-11-02"))
    items, link, _ = ada.follow(link)
    assert items == []
    sandbox.clock.advance(6)
    assert told(ada.follow(link)[0]) == ({"First"}, set())


@pytest.mark.facts("15.36")
def test_15_36_rounds_run_inside_a_batch(ada):
    ada.outlook.add_event(subject="First", **on("2026-11-02"))
    _, link, _ = ada.follow(VIEW)
    ada.outlook.add_event(subject="Second", **on("2026-11-03"))
    inner = link.partition("/v1.0")[2]
    answer = ada.batch({"url": inner, "headers": {"Prefer": f'{IMMUTABLE}, outlook.timezone="Tokyo Standard Time"'}})
    assert answer["1"]["status"] == 200
    item = answer["1"]["body"]["value"][0]
    assert item["subject"] == "Second" and item["start"]["timeZone"] == "Tokyo Standard Time"
