"""A user's settings (USER-05): the user's own, or an administrator's view of them."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.translation import gettext as _

from ..adapters import site
from ..forms import SettingsForm, zones
from .door import Visit, door, forbid
from .folders import calendars, crm_folders, microsoft_folders
from .seen import context_for, kinds_offered
from .work import store_settings


@door(methods=["GET", "HEAD", "POST"], asks_microsoft=True)
def edit(visit: Visit) -> HttpResponse:
    link = visit.the_link()
    if visit.request.method == "POST" and not visit.may_edit:
        forbid(_("Only an administrator can change these settings."))
    offered = kinds_offered()
    form = SettingsForm(
        visit.request.POST if visit.request.method == "POST" else None, link=link, organisation=visit.organisation,
        offered=offered, may_edit=visit.may_edit,
        crm_folders=crm_folders(context_for(link.user, link.tenant)) if offered["contacts"] else [],
        microsoft_folders=microsoft_folders(link) if offered["contacts"] and visit.organisation.sync_contacts else [],
        calendars=calendars(link) if offered["events"] and visit.organisation.sync_activities else None,
        has_owner=any(adapter.owner is not None for adapter in site.adapters("contacts")))
    if form.is_bound and form.is_valid() and _stored(visit, form):
        visit.tell(_("The settings are saved."), messages.SUCCESS)
        return visit.go("profile")
    return visit.render("ms365/settings.html", {"page": "settings", "form": form, "zones": zones},
                        status=400 if form.is_bound else 200)


def _stored(visit: Visit, form: SettingsForm) -> bool:
    """Save; a setting that is refused gets its sentence in the form."""
    try:
        store_settings(visit.the_link(), form.values, visit.user)
    except ValidationError as error:
        for name, sentences in error.message_dict.items():
            for sentence in sentences:
                form.add_error(name if name in form.fields else None, sentence)
        return False
    return True
