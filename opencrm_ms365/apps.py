"""The Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class OpenCrmMs365Config(AppConfig):
    name = "opencrm_ms365"
    label = "opencrm_ms365"
    verbose_name = _("Microsoft 365 sync")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, checks_adapters
        from .access import deactivation
        from .adapters import autodiscover
        from .sync import hints
        from .sync.doorbell import ensure_schedules_after_migrate

        checks.register()
        checks_adapters.register()
        autodiscover()
        hints.connect()
        deactivation.connect()
        post_migrate.connect(ensure_schedules_after_migrate, sender=self)
