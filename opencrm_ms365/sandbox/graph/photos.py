"""A contact's photo (facts 5.2). Changing it shows in no delta."""

from __future__ import annotations

from ..refusal import Refusal
from .call import Call, Reply
from .contacts import IN_FOLDER, READ, WRITE, find
from .routing import Routes

routes = Routes()

MAX_BYTES = 4 * 1024 * 1024
_KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"GIF8": "image/gif"}


@routes.add("GET", "{user}/contacts/{contact}/photo/$value", scopes=READ, outlook=True)
@routes.add("GET", f"{IN_FOLDER}/{{contact}}/photo/$value", scopes=READ, outlook=True)
def get_photo(call: Call, contact: str, folder: str = "") -> Reply:
    """The picture itself."""
    photo = _photo(call, contact, folder)
    return Reply(200, raw=photo, content_type=_kind(photo) or "image/jpeg")


@routes.add("GET", "{user}/contacts/{contact}/photo", scopes=READ, outlook=True)
@routes.add("GET", f"{IN_FOLDER}/{{contact}}/photo", scopes=READ, outlook=True)
def get_photo_metadata(call: Call, contact: str, folder: str = "") -> Reply:
    """What there is to know about the picture; the size is not measured."""
    photo = _photo(call, contact, folder)
    return Reply(200, {"@odata.context": call.context(f"users('{call.account.id}')/contacts('{contact}')/photo"),
                       "@odata.mediaContentType": _kind(photo), "id": "default", "height": 1, "width": 1})


@routes.add("PUT", "{user}/contacts/{contact}/photo/$value", scopes=WRITE, outlook=True)
@routes.add("PUT", f"{IN_FOLDER}/{{contact}}/photo/$value", scopes=WRITE, outlook=True)
@routes.add("PATCH", "{user}/contacts/{contact}/photo/$value", scopes=WRITE, outlook=True)
@routes.add("PATCH", f"{IN_FOLDER}/{{contact}}/photo/$value", scopes=WRITE, outlook=True)
def put_photo(call: Call, contact: str, folder: str = "") -> Reply:
    """Store a picture of at most 4 MB."""
    found, photo = find(call, contact, folder), call.binary()
    if len(photo) > MAX_BYTES:
        raise Refusal(413, "RequestEntityTooLarge", "The photo is larger than 4 MB.")
    if _kind(photo) is None:
        raise Refusal(400, "ErrorInvalidImage", "The image data is not a valid image.")
    found.photo = photo
    return Reply(200)


def _photo(call: Call, contact: str, folder: str) -> bytes:
    photo = find(call, contact, folder).photo
    if photo is None:
        raise Refusal(404, "ImageNotFound", "The photo wasn't found.")
    return photo


def _kind(photo: bytes) -> str | None:
    return next((kind for start, kind in _KINDS.items() if photo.startswith(start)), None)
