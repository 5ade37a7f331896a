"""From a CRM object and a Microsoft item to a decided step: builds the pair, asks the core, notes what it means."""

from __future__ import annotations

from typing import Any

from ..models import RecordMapping
from ..reconcile import scope
from ..reconcile.decide import Let, Nothing, Release, Update, decide
from ..reconcile.merge import Base, Merge, Pair
from ..reconcile.plan import Action
from ..reconcile.policy import Policy, Side
from .folders import Cursors
from .steps import Step
from .work import Work

LEFT_OUT = "it bears a category that the organisation leaves out"


def base_of(mapping: RecordMapping | None) -> Base | None:
    """What both sides held when they last agreed; None when they never did."""
    if mapping is None or not (mapping.crm_digests or mapping.microsoft_digests):
        return None
    pending = {name: (pair[0], pair[1]) for name, pair in (mapping.pending or {}).items()}
    return Base(crm=mapping.crm_digests, microsoft=mapping.microsoft_digests, pending=pending)


def policy_for(work: Work, step: Step) -> Policy:
    """The link's policy for one record: inward only outside the user's limits, outward only where CRM says no."""
    refuses = step.is_unseen or not step.adapter.can_change(step.obj, work.ctx)
    return work.policy.but(
        takes_in_only=not step.in_scope or step.is_leaving, crm_refuses=work.policy.may_write(Side.CRM) and refuses
    )


def build_pair(work: Work, step: Step) -> Pair | None:
    """The pair of a step. None when the CRM's record cannot be synced; `step.reason` says why then."""
    adapter = step.adapter
    step.crm = adapter.read(step.obj, work.ctx)
    step.is_held_back = step.crm is None
    if step.crm is None:
        step.reason = adapter.skip_reason(step.obj, work.ctx) or "the CRM holds it back"
        return None
    base = base_of(step.mapping)
    return Pair(
        # what the adapter only derives, as the end of an event, is for creations: it is never compared or sent later
        crm=step.crm.only(work.how.digested(step.crm.set_fields(), linked=base is not None) & adapter.mapped),
        microsoft=step.item.data if step.item else None,
        base=base,
        writable=adapter.writable,
        crm_limits=adapter.limits(),
        microsoft_limits=work.microsoft_limits,
        crm_changed_at=adapter.modified_at(step.obj),
        microsoft_changed_at=step.item.changed_at if step.item else None,
    )


def merge_step(work: Work, cursors: Cursors, step: Step) -> Step:
    """Decide what both sides of a linked record need, and note it on the step."""
    return work.how.merge_step(work, cursors, step)


def merge_contact(work: Work, cursors: Cursors, step: Step) -> Step:
    """As `merge_step`, for a contact."""
    step.pair = build_pair(work, step)
    if step.pair is None:
        step.action = Action.SKIP
        return step
    if step.mapping is not None and is_left_out(work, step.pair.crm, step.pair.microsoft):
        step.action, step.decision, step.reason = Action.RELEASE, Let(Release.LEFT_OUT), LEFT_OUT
        step.note(Action.RELEASE, None, reason=LEFT_OUT)
        return step
    step.policy = policy_for(work, step)
    step.decision = decide(step.pair, step.policy, work.digest)
    merge = step.decision.merge if isinstance(step.decision, Update) else Merge()
    _decide_folder(work, cursors, step)
    if step.action is Action.LINK:
        step.note(Action.LINK, None)
    if merge.to_crm or step.folder_to_crm is not None:
        step.note(Action.UPDATE, Side.CRM, (*merge.to_crm, *(("folder",) if step.folder_to_crm is not None else ())))
    if merge.to_microsoft:
        step.note(Action.UPDATE, Side.MICROSOFT, tuple(merge.to_microsoft))
    if step.folder_to_microsoft is not None:
        step.note(Action.MOVE, Side.MICROSOFT, ("folder",))
    return step


def is_left_out(work: Work, *records: Any) -> bool:
    """Whether one of the two sides' records bears a category that the organisation leaves out (ORG-17)."""
    chosen = work.left_out_categories
    return bool(chosen) and any(scope.is_left_out(item.categories, chosen) for item in records if item is not None)


def is_quiet(step: Step) -> bool:
    """Nothing to write on either side; at most our own notes move."""
    quiet = isinstance(step.decision, Nothing) or (
        isinstance(step.decision, Update) and step.decision.merge.is_quiet and not step.decision.merge.conflicts
    )
    moves = step.folder_to_crm is not None or step.folder_to_microsoft is not None
    return quiet and not moves and step.users is None and not step.sends and not step.leftovers


def crm_folder(work: Work, step: Step) -> str | None:
    """The CRM folder that decides (the first synced one in the CRM's order); `""` for none, None if not mapped."""
    names = step.adapter.folder_names(step.obj, work.ctx)
    if names is None:
        return None
    chosen = work.scope.folders
    if chosen is not None:
        known = {name: key for key, name in step.adapter.folder_choices(work.ctx)}
        names = tuple(name for name in names if known.get(name) in chosen or name in chosen)
    return names[0] if names else ""


def _decide_folder(work: Work, cursors: Cursors, step: Step) -> None:
    """CON-03: a change of the folder on either side moves the contact on the other; the CRM's wins over Microsoft's."""
    name = crm_folder(work, step)
    if name is None or step.policy is None:
        return
    before_crm = step.mapping.crm_folder if step.mapping else None
    before_microsoft = step.mapping.folder if step.mapping else ""
    now_microsoft = step.item.folder if step.item else before_microsoft
    theirs = cursors.name_of(now_microsoft)
    if theirs.casefold() == name.casefold():
        return
    if before_crm is None or not before_microsoft:  # first pairing: an empty side takes over the other's folder
        if not name and theirs and step.policy.may_write(Side.CRM):
            step.folder_to_crm = theirs
        elif name and step.policy.may_write(Side.MICROSOFT):
            step.folder_to_microsoft = name
        return
    if name.casefold() != before_crm.casefold():
        if step.policy.may_write(Side.MICROSOFT):
            step.folder_to_microsoft = name
    elif now_microsoft != before_microsoft and step.policy.may_write(Side.CRM):
        step.folder_to_crm = theirs
