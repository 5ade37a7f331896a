"""Meetings between people: who gets which mail, and what happens to the copies in the others' mailboxes (facts 6.5).

The functions here are what Outlook and Graph both do: create, update, answer, cancel, delete. Mail goes to every
attendee, copies are made for those who have a mailbox in the simulated Microsoft 365.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from . import event_rules, series
from .clock import timestamp
from .event_rules import address_of
from .event_store import Calendar, Event, EventStore
from .mails import MailKind, MailLog
from .refusal import Refusal
from .world import Mailbox, World

Answer = Literal["accepted", "tentativelyAccepted", "declined"]
ANSWER_WORDS: dict[Answer, str] = {"accepted": "Accepted", "tentativelyAccepted": "Tentative", "declined": "Declined"}
_SHOWN_AS = {"tentativelyAccepted": "tentative", "declined": "free"}


def create(store: EventStore, calendar: Calendar, sent: Mapping[str, Any]) -> Event:
    """A new event; with attendees it is a meeting, and the invitations go out at once. Raises `Refusal`."""
    event = store.create(calendar, sent)
    _invite(store, event, others(store, event))
    return event


def draft(store: EventStore, calendar: Calendar, sent: Mapping[str, Any]) -> Event:
    """A meeting that its organiser has written in Outlook but not sent yet: nobody is invited. Raises `Refusal`."""
    event = store.create(calendar, sent)
    event.is_draft = True
    return event


def send(store: EventStore, event: Event) -> None:
    """Send a draft: the invitations go out."""
    event.is_draft = False
    store.touch(event)
    _invite(store, event, others(store, event))


def receive(store: EventStore, sent: Mapping[str, Any], organizer: tuple[str, str], ical_uid: str = "") -> Event:
    """An invitation of somebody outside the simulated Microsoft 365 (name and address) arrives. Raises `Refusal`."""
    values = event_rules.created(sent, store.name_of, lambda: "")
    return _placed(store, values, ical_uid or f"{store.world.ids.guid()}@{organizer[1].partition('@')[2]}", organizer)


def update(store: EventStore, event: Event, sent: Mapping[str, Any]) -> None:
    """Change what is sent. The organiser's change of a meeting is mailed; an attendee's is his own, or refused.

    Raises `Refusal`; then nothing is changed.
    """
    options = store.world.options
    shared = [name for name in event_rules.SHARED if name in sent]
    if not event.is_organizer and shared:
        if options.attendee_patch == "refused":
            raise Refusal(403, "ErrorAccessDenied", "Access is denied. Only the organizer can change a meeting.")
        sent = {name: value for name, value in sent.items() if name != "attendees"}
    before = {address_of(person): person for person in others(store, event)}
    was = event.values["start"], event.values["end"]
    changed = store.update(event, sent)
    if not event.is_organizer or event.is_draft:
        return
    if options.reschedule_resets_answers and was != (event.values["start"], event.values["end"]):
        _forget_answers(event)
    now = {address_of(person): person for person in others(store, event)}
    _invite(store, event, [person for address, person in now.items() if address not in before])
    _withdraw(store, event, [person for address, person in before.items() if address not in now])
    remaining = [person for address, person in now.items() if address in before]
    told = changed & ({*event_rules.SHARED, *options.private_patch_mails} - {"attendees"})
    if options.unchanged_patch_mails:
        told |= set(shared) - {"attendees"}
    if told:
        _tell(store, event, remaining)
    elif "attendees" in changed:
        _copy_to(store, event, remaining)       # the copies learn who comes; nobody is mailed


def answer(store: EventStore, event: Event, response: Answer, *, sends: bool = True, comment: str = "",
           proposed: Mapping[str, Any] | None = None, drop_declined: bool = True) -> None:
    """An attendee answers on his copy; the organiser's list shows it when it is sent. Raises `Refusal` (400)."""
    if event.is_organizer:
        raise Refusal(400, "ErrorInvalidRequest", "Your request can't be completed. You can't respond to this meeting "
                      "because you're the meeting organizer.")
    if event.is_cancelled:
        raise Refusal(400, "ErrorInvalidRequest", "The meeting has been cancelled.")
    if proposed and not event.values["allowNewTimeProposals"]:
        raise Refusal(400, "ErrorInvalidRequest", "The meeting organizer doesn't allow new time proposals.")
    event.answer, event.answered_at = response, store.world.clock.now()
    store.update(event, {"showAs": _SHOWN_AS.get(response, event.intended_show_as)})
    if sends:
        subject = f"{ANSWER_WORDS[response]}: {event.values['subject']}"
        _log(store).send("answer", store.address, event.organizer_address, subject, event.ical_uid, comment)
        _record_answer(store, event, response, proposed)
    if response == "declined" and drop_declined:
        store.delete(event)


def cancel(store: EventStore, event: Event, comment: str = "") -> None:
    """The organiser calls a meeting off: it leaves his calendar, the attendees are told. Raises `Refusal` (400)."""
    if not event.is_organizer:
        raise Refusal(400, "ErrorInvalidRequest", "Your request can't be completed. You need to be an organizer to "
                      "cancel a meeting.")
    if not event.is_meeting:
        raise Refusal(400, "ErrorInvalidRequest", "Your request can't be completed. The event has no attendees.")
    delete(store, event, comment)


def delete(store: EventStore, event: Event, comment: str = "") -> None:
    """The organiser's deletion cancels a meeting; an attendee's takes his copy away and tells nobody."""
    if event.is_organizer and not event.is_draft:
        _withdraw(store, event, others(store, event), comment)
    store.delete(event)


def mark_cancelled(store: EventStore, event: Event) -> None:
    """What a cancellation does to an attendee's copy: it stays, with a mark in its subject."""
    event.is_cancelled = True
    prefix = store.world.options.cancelled_prefix
    store.update(event, {"subject": prefix + event.values["subject"].removeprefix(prefix), "showAs": "free"})


def others(store: EventStore, event: Event) -> list[dict[str, Any]]:
    """The attendees but the organiser himself."""
    own = {*_names_of(store), event.organizer_address.lower()}
    return [person for person in event.values["attendees"] if address_of(person) not in own]


def mailbox_of(world: World, address: str) -> Mailbox | None:
    """The simulated mailbox that gets mail for an address; None: it is outside, or has none."""
    account = world.account(address)
    return world.mailbox(account) if account is not None and account.has_mailbox else None


def _invite(store: EventStore, event: Event, people: Iterable[Mapping[str, Any]]) -> None:
    for person in people:
        _mail(store, event, person, "invitation")
        _copy_to(store, event, [person], makes=True)


def _tell(store: EventStore, event: Event, people: Iterable[Mapping[str, Any]]) -> None:
    for person in people:
        for part in (event, *event.exceptions.values()):        # one for each part of a series that stands by itself
            _mail(store, part, person, "update")
        _copy_to(store, event, [person], makes=store.world.options.update_restores_copy)


def _withdraw(store: EventStore, event: Event, people: Iterable[Mapping[str, Any]], comment: str = "") -> None:
    """Tell that the meeting does not take place, or not with them: their copies stay, marked as cancelled."""
    for person in people:
        _mail(store, event, person, "cancellation", comment)
        found = _copy_of(store.world, event, address_of(person))
        if found is not None:
            mark_cancelled(*found)


def _copy_to(store: EventStore, event: Event, people: Iterable[Mapping[str, Any]], *, makes: bool = False) -> None:
    """Bring the copies of these people up to date; make those that are not there when `makes`."""
    for person in people:
        mailbox = mailbox_of(store.world, address_of(person))
        if mailbox is None or mailbox is store.mailbox:
            continue
        found = _copy_of(store.world, event, address_of(person))
        if found is not None:
            _overwrite(store, event, *found)
        elif makes and event.master is None:
            _placed(mailbox.part(EventStore), _values_for(event), event.ical_uid,
                    (event.organizer_name, event.organizer_address), event)


def _placed(store: EventStore, values: dict[str, Any], ical_uid: str, organizer: tuple[str, str],
            source: Event | None = None) -> Event:
    """A copy in an attendee's mailbox."""
    intended, values["showAs"] = values["showAs"], "tentative"
    made = store.add_copy(values, ical_uid, *organizer)
    made.intended_show_as = intended
    if source is not None:
        made.exceptions = {day: _exception_for(made, part) for day, part in source.exceptions.items()}
        made.cancelled_days = list(source.cancelled_days)
    return made


def _exception_for(master: Event, part: Event) -> Event:
    made = copy.copy(part)
    made.values, made.exceptions, made.extended = _values_for(part), {}, {}
    made.master, made.is_organizer, made.answer = master, False, master.answer
    return made


def _overwrite(store: EventStore, event: Event, theirs: EventStore, mine: Event) -> None:
    """The organiser's version replaces what an attendee has changed locally; what is the attendee's own stays."""
    kept = mine.values
    values = {**kept, **{name: copy.deepcopy(event.values[name]) for name in event_rules.SHARED}}
    values["attendees"] = _without_answers(values["attendees"])
    was = mine.values["start"], mine.values["end"]
    if mine.master is not None:
        series.keep(mine, {name for name in values if values[name] != mine.values[name]})
    mine.values, mine.is_cancelled = values, False
    if store.world.options.reschedule_resets_answers and was != (values["start"], values["end"]):
        mine.answer, mine.answered_at = "notResponded", None
    if event.kind == "seriesMaster":
        mine.kind = event.kind
        mine.exceptions = {day: _exception_for(mine, part) for day, part in event.exceptions.items()}
        mine.cancelled_days = list(event.cancelled_days)
    theirs.touch(mine)


def _copy_of(world: World, event: Event, address: str) -> tuple[EventStore, Event] | None:
    """The copy of a meeting, or of a part of a series, in the mailbox of an address."""
    mailbox = mailbox_of(world, address)
    store = mailbox.part(EventStore) if mailbox is not None else None
    found = store.by_uid(event.root.ical_uid) if store is not None else None
    if store is None or found is None or found is event.root:
        return None
    if event.master is None:
        return store, found
    if found.kind != "seriesMaster":
        return None
    try:
        return store, store.event(series.occurrence_id(found.immutable_id, event.original_day))
    except Refusal:
        return None


def _values_for(event: Event) -> dict[str, Any]:
    """What an invitation carries: the shared values, and how private it is; the rest as Exchange presets it."""
    minutes = event_rules.ALL_DAY_REMINDER_MINUTES if event.values["isAllDay"] else event_rules.REMINDER_MINUTES
    values = {name: copy.deepcopy(event.values[name]) for name in (*event_rules.SHARED, "showAs", "sensitivity")}
    return {**values, "attendees": _without_answers(values["attendees"]), "categories": [], "isReminderOn": True,
            "reminderMinutesBeforeStart": minutes}


def _without_answers(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Only the organiser sees who has answered what."""
    return [{"type": person["type"], "status": dict(event_rules.NO_ANSWER), "emailAddress": person["emailAddress"]}
            for person in people]


def _record_answer(store: EventStore, event: Event, response: Answer, proposed: Mapping[str, Any] | None) -> None:
    """The organiser's attendee list shows the answer, if he is in the simulated Microsoft 365 and has it still."""
    found = _copy_of(store.world, event, event.organizer_address)
    if found is None:
        return
    own = _names_of(store)
    theirs, original = found
    people = copy.deepcopy(original.values["attendees"])
    for person in people:
        if address_of(person) in own:
            person["status"] = {"response": response, "time": timestamp(store.world.clock.now())}
            person.pop("proposedNewTime", None)
            if proposed:
                person["proposedNewTime"] = dict(proposed)
    original.values["attendees"] = people
    if original.master is not None:
        series.keep(original, {"attendees"})
    theirs.touch(original)


def _names_of(store: EventStore) -> set[str]:
    """All addresses under which the mailbox's owner is invited, in lower case."""
    account = store.mailbox.account
    return {name.lower() for name in (account.mail, account.upn, *account.aliases)} - {""}


def _forget_answers(event: Event) -> None:
    for person in event.values["attendees"]:
        person["status"] = dict(event_rules.NO_ANSWER)


def _mail(store: EventStore, event: Event, person: Mapping[str, Any], kind: MailKind, comment: str = "") -> None:
    prefix = store.world.options.cancelled_prefix if kind == "cancellation" else ""
    _log(store).send(kind, event.organizer_address, address_of(person), prefix + event.values["subject"],
                     event.ical_uid, comment)


def _log(store: EventStore) -> MailLog:
    return store.world.part(MailLog)
