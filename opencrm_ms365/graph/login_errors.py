"""Which of our errors a refusal of the sign-in service means: the table of facts 3.4, pure.

`error` and `suberror` decide first; the AADSTS numbers tell apart what they lump together, and choose the words.
Microsoft's description is never passed on: it names the account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import (
    ClientRefused,
    ConsentRequired,
    GraphError,
    Rejected,
    SignInRequired,
    Throttled,
    Unavailable,
)

_AADSTS = re.compile(r"AADSTS(\d{4,8})")

CONSENT = frozenset({65001, 65002, 65005, 650051, 650052, 650056, 650057, 90093, 90094, 500011, 500014, 700016})
CLIENT = frozenset({7000215, 7000222, 7000216, 7000218, 7000112, 700027, 700024, 90002, 900023, 50194, 70011, 50011})
DECLINED = frozenset({65004})
OTHER_ACCOUNT = frozenset({50034, 50020, 16000, 500208, 50105, 500200, 500201})
LOOPED = frozenset({50196})

WORDS: dict[int, str] = {
    7000222: "The client secret of this app has expired: an administrator must make a new one.",
    7000215: "The client secret of this app is wrong: an administrator must correct it.",
    90002: "Microsoft does not know the organisation (tenant) that is set for this app.",
    50194: "This app is registered for one organisation only: an administrator must set its tenant.",
    700016: "This app is not known in the organisation yet: an administrator must authorise it.",
    65004: "The permission was declined at Microsoft. Sign in again and accept it to connect.",
    50105: "This account has not been assigned to the app: ask your administrator to assign it.",
    500208: "This is a personal Microsoft account. Sign in with the work account of your organisation.",
    50020: "This account does not belong to your organisation. Sign in with the work account of your organisation.",
    50034: "Microsoft does not know this account in your organisation.",
    16000: "This account does not belong to your organisation. Sign in with the work account of your organisation.",
    50057: "This Microsoft account is disabled: ask your administrator.",
    50173: "The Microsoft sign-in was revoked: sign in again.",
    700082: "The Microsoft sign-in was not used for too long: sign in again.",
    70008: "The Microsoft sign-in has expired: sign in again.",
    70043: "Your organisation wants a fresh sign-in: sign in again.",
    50132: "The password was changed: sign in again.",
    50133: "The password was changed: sign in again.",
    50076: "Microsoft wants a second proof of who you are: sign in again.",
    50079: "Microsoft wants a second proof of who you are: sign in again.",
    50074: "Microsoft wants a second proof of who you are: sign in again.",
    50078: "Microsoft wants a second proof of who you are: sign in again.",
    54005: "This sign-in has been used already: begin again.",
    53000: "A rule of your organisation does not allow this device: ask your administrator.",
    53001: "A rule of your organisation does not allow this device: ask your administrator.",
    53002: "A rule of your organisation does not allow this app: ask your administrator.",
    53003: "A rule of your organisation blocks this sign-in: ask your administrator.",
    53004: "Your organisation takes this sign-in for risky: ask your administrator.",
}
CONDITIONAL_ACCESS = frozenset({53000, 53001, 53002, 53003, 53004, 530003})
NO_CONSENT = "The organisation has not allowed this app: an administrator must authorise it."
AGAIN = "Microsoft no longer accepts this sign-in: sign in again."


def login_error(result: Mapping[str, Any]) -> GraphError:
    """The error for a token answer or a redirect that has an `error`.

    `Rejected` is for the person at the screen (declined, wrong account); everything else may also meet a renewal.
    """
    error = str(result.get("error") or "").lower()
    suberror = str(result.get("suberror") or "").lower()
    numbers = _numbers(result)
    words = next((WORDS[number] for number in numbers if number in WORDS), "")
    found = frozenset(numbers)
    code = f"AADSTS{numbers[0]}" if numbers else re.sub(r"[^a-z0-9_]", "", error)[:60]
    claims = result.get("claims")
    claims = claims if isinstance(claims, str) else ""

    if found & LOOPED:
        return Throttled(code=code, retry_after_s=300)
    if found & DECLINED:
        return Rejected(words, code=code)
    if found & CONSENT or "consent_required" in (error, suberror):
        return ConsentRequired(words or NO_CONSENT, code=code)
    if found & CLIENT or error == "invalid_client":
        return ClientRefused(words or "Microsoft does not accept this app's client id, secret or certificate.",
                             code=code)
    if found & OTHER_ACCOUNT:
        return Rejected(words or WORDS[50020], code=code)
    if found & CONDITIONAL_ACCESS:
        return SignInRequired(words or WORDS[53003], claims=claims, code=code)
    if error == "access_denied":
        return Rejected(words or WORDS[65004], code=code)
    if error in ("temporarily_unavailable", "server_error"):
        return Unavailable("Microsoft's sign-in service has a problem.", code=code)
    if error in ("unauthorized_client", "invalid_scope", "invalid_request", "invalid_resource", "invalid_target",
                 "unsupported_grant_type", "unsupported_response_type"):
        return ClientRefused(words or "Microsoft does not accept what this app asks of the sign-in service.", code=code)
    if error in ("invalid_grant", "interaction_required", "login_required") or claims or words:
        return SignInRequired(words or AGAIN, claims=claims, code=code)
    return Unavailable("Microsoft's sign-in service gave an answer that is not understood.", code=code)


def _numbers(result: Mapping[str, Any]) -> list[int]:
    given = result.get("error_codes")
    listed = [number for number in given if isinstance(number, int)] if isinstance(given, list) else []
    described = [int(number) for number in _AADSTS.findall(str(result.get("error_description") or "")[:2000])]
    return list(dict.fromkeys([*listed, *described]))
