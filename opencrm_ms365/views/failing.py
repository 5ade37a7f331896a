"""What is left of an unexpected error on its way out of a page: its kind and place, without contents (PRIV-03).

The project's error page, log and mails to its administrators show the error's message, the address and the form that
was sent. A message of a database can quote a record; the address can hold Microsoft's code, the form an access key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings as django_settings
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict

from ..sync.attempt import place_of

R = TypeVar("R")
#: What Django answers with a page of its own, and with our own words.
EXPECTED = (Http404, PermissionDenied, SuspiciousOperation, BadRequest)


class PageFailed(Exception):
    """A page failed; the text says with which kind of error, and where in the app."""


def without_contents(request: HttpRequest, work: Callable[[], R]) -> R:
    """Do the work of a page. What fails unexpectedly fails as `PageFailed`, but for `DEBUG`: there it is left as it
    is."""
    try:
        return work()
    except EXPECTED:
        raise
    except Exception as error:
        if django_settings.DEBUG:
            raise
        told = f"{type(error).__name__} at {place_of(error)}"
    _forget(request)
    raise PageFailed(told)


def _forget(request: Any) -> None:
    """Take address parameters and form out of the request: reports print them."""
    request.META["QUERY_STRING"] = ""
    request.GET = QueryDict()
    request.POST = QueryDict()
    request._files = MultiValueDict()       # else a look at the files reads the whole form again
