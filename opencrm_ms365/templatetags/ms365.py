"""Template tags: the *Microsoft Sync* button and status for any CRM's pages, and what the app's own pages need.

    {% load ms365 %}
    {% ms365_sync_button user %}        a link to the person's Microsoft Sync page, with its state (USER-01)
    {% ms365_status_sentence user %}    the state in one sentence
    {% ms365_record object %}           whether one record is synced, and what is kept for it in the app's own table
    {% ms365_record_form object %}      a form to change the latter
    {% ms365_participants activity %}   who is invited to it in Microsoft, and what they answered (ATT-09, ATT-10)
    {{ activity|ms365_seen_by:user }}   how much of a private activity a person sees (PRIV-02)
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..access import rights
from ..access.status import Status, status_of
from ..models import SyncSettings
from ..views.explaining import explain
from ..views.fieldnames import ACTIONS, KINDS, SIDES, field_name, progress_share, progress_text
from ..views.keeping import Kept, KeptForm, kept_of, label_of
from ..views.participants import participants_of
from ..views.seen import context_for, directory, tenant_of
from ..views.sight import seen_by

register = template.Library()


# -- for any CRM's pages


@register.inclusion_tag("ms365/button.html", takes_context=True)
def ms365_sync_button(context: Any, user: Any) -> dict[str, Any]:
    """A link to the Microsoft Sync page of `user`; nothing for viewers who may not see it. At most three queries."""
    found = _seen(context, user)
    if found is None:
        return {"status": None}
    link, status, is_own = found
    return {"status": status, "link": link, "is_own": is_own}


@register.simple_tag(takes_context=True)
def ms365_status_sentence(context: Any, user: Any) -> str:
    """How the sync of `user` is doing, in one sentence; empty for viewers who may not see it."""
    found = _seen(context, user)
    return found[1].sentence if found else ""


def _seen(context: Any, user: Any) -> tuple[Any, Status, bool] | None:
    """(link, status, whether it is the viewer's own); None if the viewer may not see it."""
    request = context.get("request")
    viewer = getattr(request, "user", None) or context.get("user")
    if not getattr(viewer, "is_authenticated", False) or not getattr(user, "pk", None):
        return None
    tenant = tenant_of(request) if request is not None else ""
    if tenant is None:
        return None
    is_own = viewer.pk == user.pk
    link = rights.own_link(user, tenant)
    if not is_own and (link is None or not rights.is_administrator(viewer, tenant)):
        return None
    return link, status_of(link, SyncSettings.of(tenant)), is_own


@register.inclusion_tag("ms365/record.html", takes_context=True)
def ms365_record(context: Any, obj: Any) -> dict[str, Any]:
    """Whether the viewer syncs this record, and what the CRM has no columns for; nothing for who may not see it."""
    with _about(context, obj) as kept:
        if kept is None:
            return {"kept": None}
        link = rights.own_link(kept.ctx.user, kept.ctx.tenant)
        answer = explain(link, kept.ctx.user, kept.ctx.tenant, kept.reference) if link is not None else None
        values = [(label_of(name), kept.in_words(name)) for name in kept.specs]
        return {"kept": kept, "answer": answer, "values": values}


@register.inclusion_tag("ms365/record_form.html", takes_context=True)
def ms365_record_form(context: Any, obj: Any) -> dict[str, Any]:
    """A form for what the CRM has no columns for; nothing where there is nothing, or the viewer may not change it."""
    with _about(context, obj) as kept:
        if kept is None or not kept.may_change or not kept.specs:
            return {"form": None}
        return {"form": KeptForm(kept), "next": context["request"].get_full_path()}


@register.inclusion_tag("ms365/participants.html", takes_context=True)
def ms365_participants(context: Any, activity: Any) -> dict[str, Any]:
    """The people on an activity's meeting in Microsoft with their answers; nothing for who may not see it in full."""
    with _about(context, activity) as kept:
        if kept is None:
            return {"people": None}
        adapter, _colon, object_id = kept.reference.partition(":")
        return {"people": participants_of(adapter, object_id, kept.ctx.tenant)}


@register.filter
def ms365_seen_by(activity: Any, user: Any) -> str:
    """`full`, `block` or `hidden`: how much of an activity a person sees, who may see it at all (PRIV-02, ORG-11).

    A few queries for each activity: for a list ask the adapter's `for_viewer`.
    """
    return seen_by(activity, user).value


@contextlib.contextmanager
def _about(context: Any, obj: Any) -> Iterator[Kept | None]:
    """The record as the viewer of the page may see it, within the CRM's own surroundings for them."""
    request = context.get("request")
    viewer = getattr(request, "user", None)
    tenant = tenant_of(request) if getattr(viewer, "is_authenticated", False) else None
    if tenant is None:
        yield None
        return
    with directory().activate(context_for(viewer, tenant)):
        yield kept_of(obj, viewer, tenant)


# -- for the app's own pages


@register.simple_tag
def ms365_to(visit: Any, name: str, *args: Any) -> str:
    """The address of a page about the same link as this one."""
    return str(visit.url(name, *args))


@register.filter
def ms365_when(instant: datetime.datetime | None, empty: str = "") -> SafeString | str:
    """`14:05 (3 minutes ago)`, with the date where it is not today."""
    if instant is None:
        return empty
    local = timezone.localtime(instant)
    today = timezone.localdate()
    text = date_format(local, "TIME_FORMAT")
    if local.date() != today:
        text = f"{date_format(local, 'SHORT_DATE_FORMAT')}, {text}"
    return format_html('<time datetime="{}">{}</time> <span class="ms365-ago">({})</span>', local.isoformat(), text,
                       ago(instant))


@register.filter
def ms365_ago(instant: datetime.datetime | None) -> str:
    return ago(instant) if instant else ""


def ago(instant: datetime.datetime) -> str:
    """`3 minutes ago`, `in 7 minutes`, `just now`; only the largest unit."""
    now = timezone.now()
    if abs((now - instant).total_seconds()) < 60:
        return _("just now") if instant <= now else _("in a moment")
    if instant < now:
        return _("%(time)s ago") % {"time": timesince(instant, now, depth=1)}
    return _("in %(time)s") % {"time": timeuntil(instant, now, depth=1)}


@register.filter
def ms365_duration(run: Any) -> str:
    """How long a run took or has been taking, in words."""
    if run.started_at is None:
        return ""
    seconds = ((run.finished_at or timezone.now()) - run.started_at).total_seconds()
    if seconds < 1:
        return _("under a second")
    if seconds < 90:
        return ngettext("%(n)s second", "%(n)s seconds", round(seconds)) % {"n": round(seconds)}
    return ngettext("%(n)s minute", "%(n)s minutes", round(seconds / 60)) % {"n": round(seconds / 60)}


@register.filter
def ms365_kinds(counts: Any) -> list[dict[str, Any]]:
    """The counts of a run as rows for a table: each kind with its two sides."""
    rows = []
    for kind, count in (counts or {}).items():
        if isinstance(count, dict):
            rows.append({"kind": kind, "name": KINDS.get(kind, kind), "count": count,
                         "quiet": not any(_side_total(count, side) for side in ("crm", "microsoft"))})
    return rows


def _side_total(count: dict[str, Any], side: str) -> int:
    return sum(value for value in (count.get(side) or {}).values() if isinstance(value, int))


@register.filter
def ms365_total(counts: Any, side: str) -> int:
    """How many records a run wrote on one side (`crm` or `microsoft`)."""
    return sum(_side_total(count, side) for count in (counts or {}).values() if isinstance(count, dict))


@register.filter
def ms365_sum(counts: Any, name: str) -> int:
    """One number over all kinds, such as `conflicts`."""
    return sum(int(count.get(name) or 0) for count in (counts or {}).values() if isinstance(count, dict))


@register.filter
def ms365_field(name: str) -> str:
    return field_name(name)


@register.filter
def ms365_fields(names: Any) -> str:
    return ", ".join(field_name(name) for name in names)


@register.filter
def ms365_action(name: str) -> str:
    return str(ACTIONS.get(name, name))


@register.filter
def ms365_side(name: str) -> str:
    return str(SIDES.get(name, ""))


@register.filter
def ms365_kind(name: str) -> str:
    return str(KINDS.get(name, name))


@register.filter
def ms365_run_sentence(run: Any) -> str:
    """What a run did, in one sentence for people."""
    if run.finished_at is None:
        return _("Running") if run.started_at else _("Waiting for its turn")
    if run.message:
        return str(run.message)
    incoming, outgoing = ms365_total(run.counts, "crm"), ms365_total(run.counts, "microsoft")
    if not incoming and not outgoing:
        return _("Nothing had changed.")
    return _("%(incoming)s written in the CRM, %(outgoing)s in Outlook.") % {
        "incoming": incoming, "outgoing": outgoing}


@register.filter
def ms365_progress_text(run: Any) -> str:
    return progress_text(run)


@register.filter
def ms365_progress_share(run: Any) -> float | None:
    return progress_share(run)
