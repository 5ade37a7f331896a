"""Why one record is, or is not, synced for one link, by which rule, and what was last done with it (USER-08)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from ..access.user_settings import effective_settings
from ..adapters import Scope
from ..models import HeldDecision, LinkStatus, MappingState, RecordMapping, SyncProblem, SyncSettings, UserLink
from ..reconcile.decide import Release
from ..reconcile.meetings import Role
from ..sync.event_merging import instant
from ..sync.stored import StoredValues
from ..sync.work import window_of
from .seen import adapter_named, directory, shown_records


@dataclass(frozen=True, slots=True)
class Answer:
    """`verdict` is `synced`, `waiting`, `inwards`, `not_synced` or `unknown`; `rules` the identifiers that decided."""

    record: str
    verdict: str
    label: str = ""
    url: str = ""
    sentences: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    last_synced: Any = None
    last_change_from: str = ""
    problems: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def explain(link: UserLink, viewer: Any, tenant: str, reference: str) -> Answer:
    """The answer for a record `ADAPTER:PK`. One that the viewer may not see is as unknown as one that is not there."""
    name, _colon, object_id = reference.partition(":")
    shown = shown_records(viewer, tenant, [(name, object_id)]).get((name, object_id))
    adapter = adapter_named(name)
    if adapter is None or shown is None:
        return Answer(reference, "unknown", sentences=(_("There is no such record, or you may not see it."),))
    return _of_record(link, adapter, object_id, reference, shown)


def _of_record(link: UserLink, adapter: Any, object_id: str, reference: str, shown: Any) -> Answer:
    chosen = effective_settings(link)
    mapping = RecordMapping.objects.filter(
        link=link, kind=adapter.kind, adapter=adapter.name, object_id=object_id).first()
    problems = tuple(SyncProblem.objects.filter(
        link=link, adapter=adapter.name, object_id=object_id, resolved_at=None).values_list("reason", flat=True))
    verdict, sentences, rules = (
        _stopped(link, adapter, chosen) or _by_mapping(mapping) or _by_scope(link, adapter, object_id, chosen))
    outside = _why_outside(link, adapter, object_id, chosen)
    if mapping is not None and verdict == "synced" and outside:
        sentences, rules = (*sentences, outside[1]), (*rules, outside[0])
    return Answer(
        reference, verdict, shown.label, shown.url, tuple(filter(None, sentences)), tuple(filter(None, rules)),
        mapping.synced_at if mapping else None, mapping.last_change_from if mapping else "", problems)


RELEASED_BY: dict[str, str] = {
    Release.LEFT_OUT: "ORG-17", Release.UNLINKED: "ORG-12", Release.DECLINED: "ATT-10", Release.CALLED_OFF: "CAL-05",
    Release.CRM_DELETED: "DEL-01",
}
Verdict = tuple[str, tuple[str, ...], tuple[str, ...]]


def _stopped(link: UserLink, adapter: Any, chosen: Any) -> Verdict | None:
    """Whatever keeps all records of the link, or of the kind, from syncing."""
    if link.status != LinkStatus.CONNECTED:
        return "not_synced", (_("No working Microsoft account is connected."),), ("USER-06",)
    if not SyncSettings.of(link.tenant).enabled:
        return "not_synced", (_("The sync is switched off for the whole organisation."),), ("ORG-04",)
    switched_on = {"contacts": chosen.sync_contacts, "events": chosen.sync_calendar, "tasks": chosen.sync_tasks}
    if not switched_on.get(adapter.kind, False):
        return "not_synced", (_("Records of this kind are switched off in the settings."),), ("USER-05", "ORG-05")
    return None


def _by_mapping(mapping: RecordMapping | None) -> Verdict | None:
    if mapping is None:
        return None
    if mapping.state == MappingState.INTENDED:
        return "waiting", (_("It is being created in Microsoft."), mapping.failure), ("SYNC-04",)
    if mapping.state == MappingState.RELEASED:
        rule = RELEASED_BY.get(mapping.released_by, "CON-11")
        return "not_synced", (_("It was synced once and is no longer."), _released(mapping.released_by)), (rule,)
    if not mapping.in_scope:
        return "inwards", (_("Changes in Outlook come in; nothing goes out, because the record is outside this user's "
                             "own limits."),), ("CON-05",)
    if mapping.kind == "events" and mapping.role == Role.ATTENDEE:
        return "synced", (_("It is in this user's calendar as an invitation. Changes go through its organiser."),), (
            "ATT-06", "ATT-11")
    return "synced", (_("It is linked with a record in Microsoft and kept the same."), mapping.failure), ()


def _by_scope(link: UserLink, adapter: Any, object_id: str, chosen: Any) -> Verdict:
    held = HeldDecision.objects.filter(link=link, state=HeldDecision.State.OPEN, kind=adapter.kind).exists()
    outside = _why_outside(link, adapter, object_id, chosen)
    if outside:
        return "not_synced", (outside[1],), (outside[0],)
    if adapter.kind == "events" and (waiting := _meeting_waits(link, adapter, object_id)):
        return waiting
    more = _("Some records wait for a decision; this may be one of them.") if held else ""
    return "waiting", (_("It will be synced with the next run."), more), ("CON-02",)


def _meeting_waits(link: UserLink, adapter: Any, object_id: str) -> Verdict | None:
    """Why an activity of the user's is not in their calendar, where that is not a matter of the next run."""
    ctx = directory().context(link.user, link.tenant, stored=StoredValues(link.tenant), tz=link.time_zone or None)
    obj = adapter.by_ids([object_id], ctx).get(object_id)
    record = adapter.read(obj, ctx) if obj is not None else None
    if record is None:
        return None
    first, last = window_of(ctx.now)
    start = instant(record.start, ctx.tz)
    if start is None or not first <= start <= last:
        return "not_synced", (_("It starts outside the time that is synced."),), ("SYNC-02",)
    if not adapter.is_mine(obj, ctx):
        return "waiting", (_("It comes into this user's calendar by the invitation of its organiser, or as an event of "
                             "its own with the next run."),), ("ATT-01", "ATT-02")
    return None


def _why_outside(link: UserLink, adapter: Any, object_id: str, chosen: Any) -> tuple[str, str] | None:
    """(rule, sentence) for the first limit that the record fails; None if it passes all."""
    ctx = directory().context(
        link.user, link.tenant, settings=asdict(chosen), stored=StoredValues(link.tenant), tz=link.time_zone or None)
    obj = adapter.by_ids([object_id], ctx).get(object_id)
    if obj is None:
        return "DEL-01", _("The record is deleted in the CRM.")
    reason = adapter.explain_scope(obj, ctx, Scope(chosen.only_my_items, chosen.crm_folders))
    sentences = {
        "deleted": ("DEL-01", _("The record is deleted in the CRM.")),
        "not_visible": ("CON-07", _("The user of this link may not see the record.")),
        "not_mine": ("CON-08", _("It is assigned to somebody else, and “Only my items” is on.")),
        "flag_off": ("CON-09", _("The record's own sync box is not ticked.")),
        "not_taking_part": ("ATT-02", _("It is neither assigned to this user, nor is the user among its users.")),
        "other_folder": ("CON-02", _("It is in none of the folders that are chosen in the settings.")),
    }
    if not reason:
        adapter.read(obj, ctx)
        skipped = adapter.skip_reason(obj, ctx)
        return ("SYNC-03", str(skipped)) if skipped else None
    return sentences.get(reason, ("CON-02", _("It is outside the limits of this link.")))


def _released(reason: str) -> str:
    sentences: dict[str, str] = {
        Release.NARROWED: _("The settings were narrowed, so it is left alone on both sides."),
        Release.LEFT_OUT: _("It bears a category that the organisation leaves out. Without it, it is synced again."),
        Release.UNLINKED: _("It was deleted in Microsoft, and the organisation has such records unlinked."),
        Release.CRM_DELETED: _("It was deleted in the CRM."),
        Release.DECLINED: _("This user declined the meeting in Outlook, or deleted it there."),
        Release.CALLED_OFF: _("Its organiser called it off in Microsoft."),
        Release.MOVED_AWAY: _("It was moved in Outlook to a folder that is not synced."),
    }
    return sentences.get(reason, "")
