from django.apps import AppConfig


class AwkwardConfig(AppConfig):
    name = "tests.adapters.awkward"
    label = "awkward"
    default_auto_field = "django.db.models.BigAutoField"
