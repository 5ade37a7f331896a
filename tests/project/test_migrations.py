"""The migrations say what the models say, and change nobody else's tables."""

import io

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db


def test_the_models_have_no_changes_without_a_migration():
    out = io.StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=out, stderr=out)
    except SystemExit:
        pytest.fail(out.getvalue())


@pytest.mark.parametrize("field", ["django.db.models.AutoField", "django.db.models.BigAutoField"])
def test_the_app_needs_no_migration_under_either_default_of_primary_keys(settings, field):
    settings.DEFAULT_AUTO_FIELD = field
    out = io.StringIO()
    try:
        call_command("makemigrations", "opencrm_ms365", check=True, dry_run=True, stdout=out, stderr=out)
    except SystemExit:
        pytest.fail(out.getvalue())


def test_no_row_of_the_app_refers_to_a_record_of_the_crm():
    """A foreign key to a foreign model would bring its deletions and its recycle bin into play."""
    from django.apps import apps
    from django.contrib.auth import get_user_model

    allowed = {get_user_model()}
    foreign = [
        f"{model.__name__}.{field.name}" for model in apps.get_app_config("opencrm_ms365").get_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.many_to_one and field.related_model not in allowed
        and field.related_model._meta.app_label != "opencrm_ms365"]
    assert foreign == []
