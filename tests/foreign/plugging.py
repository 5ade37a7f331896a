"""Plugs a CRM's adapters into the real site for the duration of a test, and builds the worlds of its organisations."""

import contextlib

from opencrm_ms365.adapters import site
from opencrm_ms365.sync import hints
from tests.adapters.awkward.models import Profile
from tests.world import World


@contextlib.contextmanager
def plugged_in(*adapters, directory=None):
    """The adapters of one foreign CRM instead of those of the demo: (adapter class, model, options) each."""
    known, before = site._adapters, site.directory
    site._adapters = {}
    if directory is not None:
        site.directory = directory()
    made = [site.register(adapter, model, **options) for adapter, model, options in adapters]
    for adapter in made:
        hints.connect_adapter(adapter)
    try:
        yield made
    finally:
        for adapter in made:
            hints.disconnect_adapter(adapter)
        site._adapters, site.directory = known, before


class OrganisationWorld(World):
    """One organisation of the awkward CRM, with its people and their Microsoft tenant."""

    def __init__(self, sandbox, tenant, organisation):
        super().__init__(sandbox, tenant, str(organisation.pk))
        self.org = organisation

    def user(self, person):
        user = super().user(person)
        Profile.objects.get_or_create(user=user, organisation=self.org)
        return user

    def profile(self, person):
        return Profile.objects.get(user=self.user(person), organisation=self.org)
