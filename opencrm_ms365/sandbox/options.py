"""The switches: where Microsoft's behaviour is not confirmed, or differs, a test chooses which one it meets.

The default of each is what the facts hold for likely. "Unconfirmed" in a comment means: a client must survive every
value. Setting an unknown name or a value that a switch does not know is an error.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints


@dataclass
class Options:
    """All switches of the sandbox, as attributes."""

    # Bodies
    unknown_properties: Literal["refused", "ignored"] = "refused"
    read_only_properties: Literal["ignored", "refused"] = "ignored"

    # Contacts: all unconfirmed (facts 5)
    patch_parent_folder: Literal["moves", "ignored", "refused"] = "moves"
    post_parent_folder: Literal["ignored", "obeyed"] = "ignored"          # `parentFolderId` in a POST body
    me_contacts: Literal["default_folder", "all_folders"] = "default_folder"
    well_known_contacts: bool = True                                      # `contactFolders/contacts` works
    default_folder_name: str = "Contacts"                                 # localised; used when a mailbox is made
    system_folders: tuple[str, ...] = ()                                  # made with a mailbox ("Recipient Cache")
    duplicate_folder: Literal["refused", "allowed"] = "refused"           # 409 ErrorFolderExists
    folder_delta_default: bool = False                                    # whether it tells the default folder
    birthday_time: Literal["11:59", "00:00", "as_sent"] = "11:59"
    notes_line_ends: Literal["crlf", "lf", "as_sent"] = "crlf"
    address_write: Literal["replace", "merge"] = "replace"
    email_name: Literal["filled", "empty"] = "filled"                     # when an e-mail address is sent without name
    single_email_properties: Literal["mirrored", "hidden"] = "mirrored"   # primary-, secondary-, tertiaryEmailAddress
    both_email_forms: Literal["refused", "list_wins"] = "refused"
    max_home_phones: int = 2                                              # 0: no limit
    max_im_addresses: int = 3                                             # 0: no limit
    given_name_required: bool = False                                     # the older service
    display_name_parts: Literal["plain", "full"] = "plain"                # full: with title and generation
    empty_text: Literal["null", "kept"] = "null"                          # "" sent for a text property
    patch_without_change: Literal["touches", "quiet"] = "touches"         # whether the change key moves all the same
    deleted_items_by_id: Literal["not_found", "found"] = "not_found"      # GET of a contact in Deleted Items
    filter_with_orderby: Literal["refused", "allowed"] = "refused"        # InefficientFilter
    if_match: Literal["checked", "ignored"] = "checked"
    case_twin_ids: bool = False                                           # ids come in pairs that differ in case only
    filter_delay_s: float = 0.0           # a new contact is found by $filter only after that many seconds

    # Calendar (facts 6): unconfirmed, or both have been seen
    default_calendar_name: str = "Calendar"                               # localised; used when a mailbox is made
    repeated_transaction: Literal["created", "found", "bad_request", "conflict"] = "found"    # 201, 200, 400, 409
    repeated_transaction_tells_id: bool = True                            # `@event.existingEventId` in the error
    attendee_patch: Literal["local", "refused"] = "local"                 # an attendee's PATCH of shared properties
    private_patch_mails: tuple[str, ...] = ()     # private properties whose PATCH by the organiser is mailed
    unchanged_patch_mails: bool = False           # shared properties that are sent, but as they were, are mailed
    update_restores_copy: bool = True             # an update brings back a copy that its owner has deleted
    reschedule_resets_answers: bool = False       # a new time makes all attendees' answers "none"
    declined_events: Literal["removed", "kept"] = "removed"               # from the calendar of who declines
    cancelled_prefix: str = "Canceled: "                                  # localised
    etag_moves_after_create: bool = False         # the change key moves right after the answer to a creation
    calendar_view_max_days: int = 1825                                    # 0: no limit
    occurrence_uid: Literal["same", "own"] = "same"                       # iCalUId of the occurrences of a series
    deleted_series: Literal["master", "occurrences", "both"] = "master"   # for which ids delta says removed
    series_changes_drop_exceptions: bool = True   # another pattern or start of a master forgets its exceptions

    # Delta (facts 8)
    delta_page_size: int = 50                                             # without Prefer: odata.maxpagesize
    delta_max_page_size: int = 1000
    delta_delay_s: float = 0.0                                            # a write shows up only after that time
    delta_generations: int = 0                                            # tokens kept for each folder; 0: all
    delta_next_link_pages: int = 0        # a nextLink is dead after that many pages of a round; 0: never
    delta_expired_status: Literal[410, 400] = 410
    delta_expired_code: str = "SyncStateNotFound"                         # or ResyncRequired, SyncStateInvalid ...
    delta_expired_location: bool = False                                  # with a Location header
    delta_duplicates: bool = False                                        # items come twice within a round
    delta_replays: int = 0                # so many items of earlier rounds come again in a later one
    delta_empty_pages: bool = False                                       # each page is preceded by an empty one
    delta_shuffled: bool = False                                          # no order within a page
    delta_select_narrows: bool = False                                    # unconfirmed: other changes do not show
    delta_expand_status: Literal[500, 400] = 500
    delta_outside_removals: bool = True           # calendar: `@removed` also for events that were never in the window
    calendar_delta_select: Literal["refused", "ignored"] = "refused"

    # Lists
    page_size: int = 10                                                   # without $top
    max_page_size: int = 1000

    # $batch (facts 10)
    batch_order: Literal["shuffled", "as_sent", "reversed"] = "shuffled"
    batch_depends_on: Literal["three_forms", "any"] = "three_forms"
    batch_beyond_four: Literal["queued", "throttled"] = "queued"

    # Throttling (facts 11)
    throttling: bool = True
    rate_limit: int = 10_000                                              # requests for each app and mailbox ...
    rate_window_s: float = 600.0                                          # ... in that time
    concurrency_limit: int = 4
    retry_after_s: float = 1.0                                            # told when concurrency is exceeded
    retry_after_form: Literal["integer", "fractional", "date", "absent"] = "integer"
    mailbox_missing_status: Literal[404, 401, 400] = 404                  # MailboxNotEnabledForRESTAPI

    # Planner (facts 9)
    planner_page_size: int = 400                                          # fixed by the service: no option changes it
    planner_no_access: Literal[403, 404] = 403                            # a plan whose group one is not in
    planner_patch_plan: Literal["moves", "refused", "ignored"] = "moves"  # unconfirmed: PATCH of a task's `planId`
    planner_plan_names_group: Literal["both", "container", "owner"] = "both"    # by which property; `owner` is old
    planner_line_ends: Literal["as_sent", "crlf", "lf"] = "as_sent"       # unconfirmed: of descriptions
    planner_description_edit: Literal["moves", "quiet"] = "moves"         # unconfirmed: whether the task's etag moves
    planner_outside_assignee: Literal["accepted", "added", "refused_400", "refused_403"] = "accepted"   # unconfirmed
    planner_patch_without_change: Literal["quiet", "touches"] = "quiet"   # unconfirmed: whether the etag moves
    planner_details_delay_s: float = 0.0                                  # a new task's details are 404 for so long
    planner_list_delay_s: float = 0.0                                     # a new task is in no list for so long
    planner_select: Literal["works", "ignored"] = "works"                 # unconfirmed: `$select`, `$expand=details`
    planner_versions_kept: int = 0        # older etags of a resource are refused with 412; 0: all are known
    planner_max_plans: int = 400                                          # in a group; limits answer 403 with a code
    planner_max_plans_code: Literal["MaximumProjectsOwnedByUser", "MaximumPlannerPlans"] = "MaximumProjectsOwnedByUser"
    planner_max_buckets: int = 200                                        # in a plan
    planner_max_tasks: int = 9000                                         # in a plan
    planner_max_active_tasks: int = 3000                                  # in a plan, not completed
    planner_max_created_tasks: int = 20_000                               # by a user
    planner_max_assigned_tasks: int = 9000                                # to a user
    planner_max_assignees: int = 20                                       # of a task
    planner_max_checklist: int = 20
    planner_max_references: int = 15
    planner_max_shared_with: int = 100                                    # people of a plan's `sharedWith`
    planner_max_shared_plans: int = 300                                   # plans shared with a user

    # Login: read by the login side
    plain_http_everywhere: bool = False                                   # token_endpoint in discovery is http, too
    auto_approve: bool = False            # authorize with a login_hint answers with the redirect at once, no page
    user_consent: Literal["allowed", "refused"] = "allowed"               # refused: only an administrator consents
    access_token_life_s: float = 3599.0
    refresh_token_life_s: float = 7_776_000.0                             # unused for that long: AADSTS700082
    code_life_s: float = 600.0
    refresh_rotation: Literal["old_stays", "old_dies"] = "old_stays"
    scope_answer: Literal["asked", "all_consented"] = "asked"             # what `scope` in a token answer lists
    declined_error: Literal["access_denied", "consent_required"] = "access_denied"    # AADSTS65004
    mfa_error: Literal["invalid_grant", "interaction_required"] = "invalid_grant"     # AADSTS50076
    consent_delay_s: float = 0.0          # a consent reaches the token servers only after that time (facts 3.5)
    session_state: bool = True            # unconfirmed: the redirect carries session_state

    def set(self, **values: Any) -> None:
        """Change several switches; raises `ValueError` for an unknown name or value, then nothing is changed."""
        for name, value in values.items():
            self._check(name, value)
        for name, value in values.items():
            object.__setattr__(self, name, tuple(value) if isinstance(value, list) else value)

    def reset(self) -> None:
        """Back to the defaults."""
        self.set(**{f.name: f.default for f in dataclasses.fields(self)})

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def __setattr__(self, name: str, value: Any) -> None:
        self._check(name, value)
        object.__setattr__(self, name, value)

    def _check(self, name: str, value: Any) -> None:
        hints = _hints()
        if name not in hints:
            raise ValueError(f"There is no switch called {name!r}.")
        kind = hints[name]
        if get_origin(kind) is Literal and value not in get_args(kind):
            raise ValueError(f"The switch {name} knows {', '.join(map(repr, get_args(kind)))}, not {value!r}.")
        if kind is bool and not isinstance(value, bool):
            raise ValueError(f"The switch {name} is true or false, not {value!r}.")
        if kind in (int, float) and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0):
            raise ValueError(f"The switch {name} is a number from 0, not {value!r}.")


def _hints() -> dict[str, Any]:
    global _cached_hints
    if not _cached_hints:
        _cached_hints = get_type_hints(Options)
    return _cached_hints


_cached_hints: dict[str, Any] = {}
