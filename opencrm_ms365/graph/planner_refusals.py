"""What Planner's refusals mean, in words for people (facts 9.4)."""

from __future__ import annotations

from typing import Any

from ..errors import AccessLost, GraphError, NotFound, Rejected

#: Codes of a 403 that say which limit is reached. The limits change, so no number stands here. Not to be repeated.
LIMITS = {
    "maximumprojectsownedbyuser": "This account owns as many plans as Planner allows.",
    "maximumprojectssharedwithuser": "As many plans are shared with this account as Planner allows.",
    "maximumtaskscreatedbyuser": "This account has created as many tasks as Planner allows.",
    "maximumtasksassignedtouser": "One of the assigned people has as many tasks as Planner allows.",
    "maximumtasksinproject":
        "The plan holds as many tasks as Planner allows. Delete old ones, or choose another list.",
    "maximumactivetasksinproject":
        "The plan holds as many unfinished tasks as Planner allows. Complete some, or choose another list.",
    "maximumbucketsinproject": "The plan has as many buckets as Planner allows.",
    "maximumuserssharedwithproject": "The plan is shared with as many people as Planner allows.",
    "maximumreferencesontask": "The task has as many attachments as Planner allows.",
    "maximumchecklistitemsontask": "The checklist is longer than Planner allows. Shorten it in the CRM.",
    "maximumassigneesintasks": "More people are assigned to the task than Planner allows.",
    "maximumplannerplans": "The group has as many plans as Planner allows.",
}
NOT_MOVED = (
    "Planner did not allow this task to be moved to another plan. Move it in Planner, where nothing of it is lost, "
    "or make it anew in the other plan."
)
NOT_ASSIGNED = (
    "Planner did not assign the people of this task. Somebody of them may not be a member of the plan's group: an "
    "owner of the group can add them."
)
DUE_BEFORE_START = (
    "Planner refuses a due date before the task's own start date, which the sync leaves alone. Change the start date "
    "in Planner."
)


def in_words(error: GraphError) -> GraphError:
    """The same error; where it names one of Planner's limits, with a sentence that says which and what to do."""
    sentence = LIMITS.get(error.code.lower()) if isinstance(error, Rejected) else None
    return Rejected(f"{sentence} ({error.code})", **_about(error)) if sentence else error


def of_a_plan(error: GraphError) -> GraphError:
    """An error of a request for a whole plan. 403 and 404 say nothing about the tasks in it (facts 9.4)."""
    if isinstance(error, NotFound) or (isinstance(error, Rejected) and error.status == 403):
        return AccessLost("This account cannot read the plan any more: the plan is gone, or the account is no longer "
                          "a member of its group.", **_about(error))
    return error


def because(sentence: str, error: GraphError) -> Rejected:
    """A refusal of a part of a write, said in our words. A limit that Planner names is named."""
    found = in_words(error)
    return Rejected(sentence if found is error else str(found), **_about(error))


def _about(error: GraphError) -> dict[str, Any]:
    return {"status": error.status, "code": error.code, "request_id": error.request_id}
