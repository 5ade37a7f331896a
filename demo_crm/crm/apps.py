"""The CRM as a Django app."""

from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "demo_crm.crm"
    label = "crm"
    verbose_name = "CRM"
    default_auto_field = "django.db.models.BigAutoField"
