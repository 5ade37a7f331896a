"""A CRM user who is deactivated loses their tokens at once (USER-06); records stay.

This is the quick way, when the CRM saves the user or their profile. One that is switched off in another way, by a bulk
update say, is noticed whenever tokens are asked for (`access.tokens`).
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models.signals import post_save
from django.utils.translation import gettext as _

from ..adapters import site
from ..models import UserLink
from .links import disconnect

#: Saved at every sign-in to the CRM, and no reason to look.
HARMLESS = frozenset({"last_login", "password"})


def connect() -> None:
    """Watch the models that say who is active. Called when the app is ready."""
    post_save.connect(_user_saved, sender=get_user_model(), dispatch_uid="ms365_user_saved")
    person = site.directory.person_model
    if person is not None:
        model = apps.get_model(person) if isinstance(person, str) else person
        post_save.connect(_person_saved, sender=model, dispatch_uid="ms365_person_saved")


def _user_saved(sender: Any, instance: Any, raw: bool = False, created: bool = False, update_fields: Any = None,
                **kwargs: Any) -> None:
    if not (raw or created or (update_fields is not None and HARMLESS.issuperset(update_fields))):
        forget_if_inactive(instance)


def _person_saved(sender: Any, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    user = None if raw else site.directory.user_of(instance)
    if user is not None:
        forget_if_inactive(user)


def forget_if_inactive(user: Any) -> None:
    """Delete the tokens of a user's links in organisations where the user is no longer active. One query if there are
    none."""
    for link in UserLink.objects.filter(user_id=user.pk, token_cache__isnull=False):
        if not site.directory.is_active(user, link.tenant):
            disconnect(link, _("The CRM account of this user is switched off."))
