"""What the CRM has no columns for, shown and changed beside a record: the tick box, the folder, other values that an
adapter keeps in the app's own table (`Stored()`)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..access import rights
from ..adapters import SyncContext, site
from ..adapters.conversion import Shape
from ..adapters.fields import Stored
from ..sync.report import plain
from .door import Visit, door, forbid
from .fieldnames import field_name, shown_value
from .seen import adapter_named, context_for, visible_keys

LABELS = {"sync_flag": gettext_lazy("Sync with Microsoft"), "folders": gettext_lazy("Folder in Outlook")}
#: Postal addresses are kept and synced, but need a form of the CRM's own.
EDITABLE = frozenset({Shape.TEXT, Shape.TEXTS, Shape.FLAG, Shape.DATE, Shape.ANY})
LONGEST = 2000


@dataclass(frozen=True)
class Kept:
    """One record with what is kept for it, as its viewer may see it."""

    adapter: Any
    obj: Any
    ctx: SyncContext
    may_change: bool

    @property
    def reference(self) -> str:
        return f"{self.adapter.name}:{self.adapter.object_id(self.obj)}"

    @property
    def specs(self) -> dict[str, Stored]:
        found = {**self.adapter.role_specs, **self.adapter.specs}
        names = sorted(found, key=lambda name: (name not in LABELS, name))
        return {name: spec for name in names if isinstance(spec := found[name], Stored) and not spec.is_read_only
                and spec.shape in EDITABLE}

    def value(self, name: str) -> Any:
        return self.specs[name].read(self.obj, self.ctx)

    def in_words(self, name: str) -> str:
        value = self.value(name)
        if self.specs[name].shape is Shape.FLAG:
            return _("yes") if value else _("no")
        return shown_value(plain(value))


def kept_of(obj: Any, viewer: Any, tenant: str) -> Kept | None:
    """None where no adapter is for this record, or the viewer may not see it."""
    ctx = context_for(viewer, tenant)
    for adapter in site.adapters():
        if isinstance(obj, adapter.model) and obj.pk is not None:
            kept = _kept(adapter, adapter.object_id(obj), ctx)
            if kept is not None:                # of one model behind two kinds only one adapter knows the record
                return kept
    return None


def _kept(adapter: Any, object_id: str, ctx: SyncContext) -> Kept | None:
    obj = adapter.by_ids([object_id], ctx).get(object_id)
    if obj is None or not visible_keys(adapter, [obj.pk], ctx):
        return None
    return Kept(adapter, obj, ctx, bool(adapter.can_change(obj, ctx)))


def label_of(name: str) -> str:
    return str(LABELS.get(name) or field_name(name))


class KeptForm(forms.Form):
    """One field for each value. Folders are offered by name: those in use, and those of the viewer's own Outlook."""

    def __init__(self, kept: Kept, data: QueryDict | None = None):
        super().__init__(data, prefix="ms365")
        self.kept = kept
        for name, spec in kept.specs.items():
            self.fields[name] = self._field(name, spec)
            self.initial[name] = _shown(kept.value(name), spec)

    def _field(self, name: str, spec: Stored) -> forms.Field:
        label = label_of(name)
        if spec.shape is Shape.FLAG:
            return forms.BooleanField(label=label, required=False)
        if spec.shape is Shape.DATE:
            return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))
        if name == "folders":
            choices = [("", _("No folder")), *((folder, folder) for folder in self._folders())]
            return forms.ChoiceField(label=label, required=False, choices=choices)
        widget = forms.Textarea(attrs={"rows": 3}) if spec.shape is Shape.TEXTS else forms.TextInput()
        return forms.CharField(label=label, required=False, max_length=LONGEST, widget=widget)

    def _folders(self) -> list[str]:
        kept = self.kept
        link = rights.own_link(kept.ctx.user, kept.ctx.tenant)
        theirs = ((link.cursors.get("contacts") or {}).get("names") or {}).values() if link else ()
        names = [name for _key, name in kept.adapter.folder_choices(kept.ctx)] + [name for name in theirs if name]
        return sorted(dict.fromkeys(names), key=str.casefold)

    def save(self) -> None:
        """Keep what differs. The next sync carries it on."""
        kept = self.kept
        with transaction.atomic():
            for name, spec in kept.specs.items():
                value = _meant(self.cleaned_data[name], spec)
                if value != kept.value(name):
                    spec.save(kept.obj, value, kept.ctx)


def _shown(value: Any, spec: Stored) -> Any:
    if spec.shape is Shape.TEXTS:
        return "\n".join(value or ())
    return value


def _meant(value: Any, spec: Stored) -> Any:
    if spec.shape is Shape.TEXTS:
        return tuple(line.strip() for line in value.splitlines() if line.strip())
    if spec.shape is Shape.FLAG or isinstance(value, datetime.date):
        return value
    return (value or "").strip() or None


@door(methods=["POST"])
def keep(visit: Visit) -> HttpResponse:
    """Change what is kept for one record: `record` is ADAPTER:KEY, `next` the page to go back to."""
    name, _colon, object_id = visit.request.POST.get("record", "").partition(":")
    adapter = adapter_named(name)
    kept = _kept(adapter, object_id, context_for(visit.user, visit.tenant)) if adapter is not None else None
    if kept is None or not kept.may_change:
        forbid(_("There is no such record, or you may not change it."))
    assert kept is not None
    form = KeptForm(kept, visit.request.POST)
    if form.is_valid():
        form.save()
        visit.tell(_("Saved. It reaches Outlook with the next sync."))
    else:
        for field, errors in form.errors.items():
            visit.tell(f"{label_of(field)}: {' '.join(map(str, errors))}")
    return HttpResponseRedirect(_back(visit, kept))


def _back(visit: Visit, kept: Kept) -> str:
    wanted = visit.request.POST.get("next", "")
    hosts = {visit.request.get_host()}
    if wanted and url_has_allowed_host_and_scheme(wanted, hosts, require_https=visit.request.is_secure()):
        return wanted
    return kept.adapter.url(kept.obj) or reverse("ms365:profile")
