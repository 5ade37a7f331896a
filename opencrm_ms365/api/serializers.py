"""The shapes of the answers. What may be shown is decided in `views.seen`; here it is only put into form."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ..access.user_settings import FIELDS
from ..models import Direction, UserLink
from ..views.fieldnames import progress_share, progress_text


class LinkSerializer(serializers.ModelSerializer[UserLink]):
    """A user's settings (USER-05). A PATCH changes what it names; the first one starts the sync."""

    contact_direction = serializers.ChoiceField(Direction.choices, allow_null=True, required=False)
    activity_direction = serializers.ChoiceField(Direction.choices, allow_null=True, required=False)
    crm_folders = serializers.ListField(child=serializers.CharField(allow_blank=True), allow_null=True, required=False)
    microsoft_folders = serializers.ListField(child=serializers.CharField(), allow_null=True, required=False)
    task_lists = serializers.ListField(child=serializers.CharField(), allow_null=True, required=False)
    task_start_time = serializers.TimeField(format="%H:%M", required=False)
    status = serializers.CharField(read_only=True)
    account = serializers.CharField(read_only=True)
    last_sync = serializers.DateTimeField(source="last_run_at", read_only=True, allow_null=True)
    next_sync = serializers.DateTimeField(source="next_run_at", read_only=True, allow_null=True)
    user = serializers.SerializerMethodField()
    status_text = serializers.SerializerMethodField()

    class Meta:
        model = UserLink
        fields = ("id", "user", *FIELDS, "status", "status_text", "account", "paused", "enabled", "last_sync",
                  "next_sync")
        read_only_fields = ("id", "paused", "enabled")

    def get_user(self, link: UserLink) -> str:
        from ..views.seen import directory

        return str(directory().display_name(link.user))

    def get_status_text(self, link: UserLink) -> str:
        from ..access.status import status_of
        from ..models import SyncSettings

        cached: Any = self.context.get("organisation") or SyncSettings.of(link.tenant)
        return status_of(link if link.pk else None, cached).sentence


class RunSerializer(serializers.Serializer[Any]):
    """One sync or preview. `progress_text` and `progress_share` (0 to 1, null: not known) say how far it is."""

    id = serializers.IntegerField()
    link = serializers.IntegerField(source="link_id")
    trigger = serializers.CharField()
    state = serializers.CharField()
    is_preview = serializers.BooleanField()
    is_finished = serializers.SerializerMethodField()
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField()
    seconds = serializers.SerializerMethodField()
    counts = serializers.JSONField()
    progress = serializers.JSONField()
    progress_text = serializers.SerializerMethodField()
    progress_share = serializers.SerializerMethodField()
    requests = serializers.IntegerField()
    message = serializers.CharField()

    def get_progress_text(self, run: Any) -> str:
        return progress_text(run)

    def get_progress_share(self, run: Any) -> float | None:
        return progress_share(run)

    def get_is_finished(self, run: Any) -> bool:
        return run.finished_at is not None

    def get_seconds(self, run: Any) -> float | None:
        if run.started_at is None or run.finished_at is None:
            return None
        return round((run.finished_at - run.started_at).total_seconds(), 3)


class OperationSerializer(serializers.Serializer[Any]):
    """What a sync would do with one record. `label` is empty where the reader may not see the record."""

    kind = serializers.CharField()
    action = serializers.CharField()
    side = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of this name, not the base class's attribute
    record = serializers.CharField()
    # A field of this name, not the base class's attribute.
    fields = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]
    reason = serializers.CharField()


class StartedSerializer(serializers.Serializer[Any]):
    """A run that was asked for: poll `url` until `is_finished`."""

    id = serializers.IntegerField()
    state = serializers.CharField()
    url = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """Why a record is not synced. `record` and `label` are empty where the reader may not see it."""

    id = serializers.IntegerField()
    link = serializers.IntegerField()
    kind = serializers.CharField()
    code = serializers.CharField()
    reason = serializers.CharField()
    record = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of this name, not the base class's attribute
    is_warning = serializers.BooleanField()
    ignored = serializers.BooleanField()
    times = serializers.IntegerField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    next_try_at = serializers.DateTimeField()
    request_id = serializers.CharField()


class ConflictSerializer(serializers.Serializer[Any]):
    """A field that both sides changed. The values are null where the reader may not see the record."""

    id = serializers.IntegerField()
    link = serializers.IntegerField()
    kind = serializers.CharField()
    record = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of this name, not the base class's attribute
    field = serializers.CharField()
    crm = serializers.JSONField()
    microsoft = serializers.JSONField()
    winner = serializers.CharField()
    at = serializers.DateTimeField()
    taken_other_at = serializers.DateTimeField()


class DeletedSerializer(serializers.Serializer[Any]):
    """A record that a deletion in Microsoft deleted in the CRM. `record` and `label`: empty for who may not see it."""

    id = serializers.IntegerField()
    link = serializers.IntegerField()
    kind = serializers.CharField()
    record = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of this name, not the base class's attribute
    is_back = serializers.BooleanField()
    may_undo = serializers.BooleanField()
    at = serializers.DateTimeField()
    undone_at = serializers.DateTimeField()


class HeldSerializer(serializers.Serializer[Any]):
    """What waits for a person. `candidates` are the records to choose from, of those that the reader may see."""

    id = serializers.IntegerField()
    link = serializers.IntegerField()
    kind = serializers.CharField()
    reason = serializers.CharField()
    state = serializers.CharField()
    text = serializers.CharField()
    summary = serializers.JSONField()
    candidates = serializers.ListField(child=serializers.DictField())
    people = serializers.ListField(child=serializers.CharField())
    may_decide = serializers.BooleanField()
    at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField()


class WhySerializer(serializers.Serializer[Any]):
    record = serializers.CharField()
    verdict = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of this name, not the base class's attribute
    url = serializers.CharField()
    sentences = serializers.ListField(child=serializers.CharField())
    rules = serializers.ListField(child=serializers.CharField())
    last_synced = serializers.DateTimeField()
    last_change_from = serializers.CharField()
    problems = serializers.ListField(child=serializers.CharField())


class ChoiceSerializer(serializers.Serializer[Any]):
    choice = serializers.CharField(required=False, allow_blank=True, max_length=300)


class NothingSerializer(serializers.Serializer[Any]):
    """No body."""
