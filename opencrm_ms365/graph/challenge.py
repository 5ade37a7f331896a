"""Reads the claims out of a `WWW-Authenticate` header: what a new token must prove (Conditional Access, CAE).

Source: Graph docs, "resolve authorisation errors" and the claims challenge page (facts 3.3, 3.4).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping

_CLAIMS = re.compile(r'\bclaims\s*=\s*"([^"]{1,8000})"', re.IGNORECASE)


def claims_of(headers: Mapping[str, str]) -> str:
    """The claims as JSON text, ready for the token request; `""` when there are none or they make no sense.

    They come in base64, in either alphabet, with or without padding; some services send the JSON itself, escaped.
    """
    for name, value in headers.items():
        if name.lower() == "www-authenticate":
            match = _CLAIMS.search(value)
            return _json_object(match.group(1)) if match else ""
    return ""


def _json_object(text: str) -> str:
    padded = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        decoded = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode()
        return decoded if isinstance(json.loads(decoded), dict) else ""
    except (binascii.Error, ValueError, RecursionError):
        return ""
