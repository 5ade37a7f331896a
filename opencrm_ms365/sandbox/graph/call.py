"""One request to Graph as the handlers see it, whether it came alone or inside a `$batch`, and its answer."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from ..refusal import Refusal

if TYPE_CHECKING:
    from ..bearers import Grant
    from ..requestlog import LoggedRequest
    from ..simulator import Sandbox
    from ..world import Account, Mailbox

_PREFERENCE = re.compile(r'([A-Za-z][\w.-]*)(?:\s*=\s*("[^"]*"|[^,;\s]*))?')
NOTHING = object()      # no body at all, which is not the same as the body `null`


@dataclass(slots=True)
class Reply:
    """An answer: JSON `body`, or `raw` bytes of the given content type, or neither."""

    status: int = 200
    body: Any = NOTHING
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = ""


@dataclass(slots=True)
class Call:
    """A request below `/v1.0`. `account`: whose data is addressed, set by the pipeline for `/me` and `/users/{id}`."""

    sandbox: Sandbox
    method: str
    path: str                          # below the version, decoded, with a leading slash
    query: dict[str, str]
    headers: Headers
    base_url: str                      # scheme, host and port, as the client used them
    request_id: str
    client_request_id: str
    entry: LoggedRequest
    raw: bytes = b""
    content: Any = NOTHING             # the body of an inner request, parsed already
    is_inner: bool = False
    grant: Grant = field(init=False)
    account: Account = field(init=False)
    applied: list[str] = field(default_factory=list)      # for Preference-Applied
    _prefer: dict[str, str] | None = None

    @property
    def mailbox(self) -> Mailbox:
        return self.sandbox.world.mailbox(self.account)

    @property
    def prefer(self) -> Mapping[str, str]:
        """The preferences of this request, names in lower case, values without quotes."""
        if self._prefer is None:
            text = ", ".join(self.headers.getlist("Prefer"))
            self._prefer = {name.lower(): value.strip('"') for name, value in _PREFERENCE.findall(text)}
        return self._prefer

    @property
    def wants_immutable_ids(self) -> bool:
        return self.prefer.get("idtype", "").lower() == "immutableid"

    @property
    def max_page_size(self) -> int | None:
        """`Prefer: odata.maxpagesize`; None when it was not sent or is no number."""
        text = self.prefer.get("odata.maxpagesize", "")
        return int(text) if text.isdigit() and int(text) > 0 else None

    def json(self) -> Any:
        """The body as JSON. Raises `Refusal` (400, 415)."""
        if self.content is not NOTHING:
            return self.content
        if not self.raw:
            raise Refusal(400, "BadRequest", "Empty Payload. JSON content expected.")
        if "json" not in self.headers.get("Content-Type", "").lower():
            raise Refusal(415, "UnsupportedMediaType", "A supported MIME type could not be found that matches the "
                          "content type of the request: application/json is expected.")
        try:
            return json.loads(self.raw)
        except ValueError:
            raise Refusal(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header "
                          "is set and payload is of valid JSON format.") from None

    def binary(self) -> bytes:
        """The body as it is; inside a `$batch` it is Base64 text."""
        if self.content is NOTHING:
            return self.raw
        try:
            return base64.b64decode(self.content if isinstance(self.content, str) else "", validate=True)
        except (binascii.Error, ValueError):
            raise Refusal(400, "BadRequest", "The body is not valid Base64.") from None

    def url(self, path: str = "") -> str:
        """The absolute address of a path below the version; of this request's when none is given."""
        return f"{self.base_url}/v1.0{path or self.path}"

    def context(self, what: str) -> str:
        """An `@odata.context`."""
        return f"{self.base_url}/v1.0/$metadata#{what}"
