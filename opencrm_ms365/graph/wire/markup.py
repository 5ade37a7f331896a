"""HTML as a flat series of tags and texts, as browsers see it, in time that grows with its length only. Pure.

The standard library's parser needs minutes for some inputs of a few hundred kilobytes, and a mailbox holds what anyone
cared to send. This one makes no tree and no promise about safety: what is shown to people goes through the sanitiser.
Source: HTML Living Standard, 13.2.5 (tokenization).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Tag:
    """A start tag, or an end tag. `name` is in lower case; `inside` is what stands between the name and the `>`."""

    name: str
    is_end: bool = False
    inside: str = ""

    def attribute(self, name: str) -> str:
        """The value of an attribute, `""` for none; the first one counts."""
        for found in _ATTRIBUTE.finditer(self.inside):
            if found["name"] and found["name"].lower() == name:
                return unescape(next((found[kind] for kind in ("double", "single", "bare") if found[kind]), ""))
        return ""


_VALUE = r"""\s*+=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s>"'][^\s>]*+|(?=>))"""
_ATTRIBUTES = rf"(?:[\s/]++|[^\s/>][^\s/>=]*+(?:{_VALUE})?+)*+"
_TAG = re.compile(rf"<(?P<end>/?)(?P<name>[A-Za-z][^\s/>]*+)(?P<inside>{_ATTRIBUTES})(?:>|\Z)")
_ATTRIBUTE = re.compile(
    r"""[\s/]++|(?P<name>[^\s/>][^\s/>=]*+)"""
    r"""(?:\s*+=\s*+(?:"(?P<double>[^"]*+)(?:"|\Z)|'(?P<single>[^']*+)(?:'|\Z)|(?P<bare>[^\s>"'][^\s>]*+)|(?=>)))?+""")
_COMMENT_END = re.compile(r"--!?>")
#: Elements whose content is no markup.
_RAW = frozenset({"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})
_RAW_END = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _RAW}
_ESCAPED = frozenset({"title", "textarea"})
#: No character has a number this long, and Python refuses to read some.
_LONG_REFERENCE = re.compile(r"&#(?:[xX][0-9a-fA-F]{7,}|[0-9]{8,});?")


def unescape(text: str) -> str:
    """Character references as characters."""
    return html.unescape(_LONG_REFERENCE.sub("\ufffd", text))


def tokens(markup: str) -> Iterator[Tag | str]:
    """The tags and the texts between them, in order. Comments and declarations are left out."""
    position = 0
    while position < len(markup):
        start = markup.find("<", position)
        if start != position:
            stop = len(markup) if start < 0 else start
            yield unescape(markup[position:stop])
            position = stop
            continue
        found = _TAG.match(markup, position)
        if found is None:
            position = _after_other(markup, position)
            if position < 0:
                yield "<"
                position = start + 1
            continue
        position = found.end()
        if not found[0].endswith(">"):
            return  # the end came in the middle of a tag: browsers drop it
        tag = Tag(found["name"].lower(), bool(found["end"]), found["inside"])
        yield tag
        if tag.name in _RAW and not tag.is_end:
            stop = _raw_end(markup, position, tag.name)
            content = markup[position:stop]
            if content:
                yield unescape(content) if tag.name in _ESCAPED else content
            position = stop
            if stop == len(markup):
                return


def _after_other(markup: str, position: int) -> int:
    """Where a comment or declaration that starts here ends; -1 if none does, and the `<` is just a character."""
    if markup.startswith("<!--", position):
        if markup.startswith((">", "->"), position + 4):
            return markup.index(">", position) + 1
        end = _COMMENT_END.search(markup, position + 4)
        return end.end() if end else len(markup)
    if markup.startswith(("<!", "<?", "</"), position):
        stop = markup.find(">", position)
        return stop + 1 if stop >= 0 else len(markup)
    return -1


def _raw_end(markup: str, position: int, name: str) -> int:
    end = _RAW_END[name].search(markup, position)
    return end.start() if end else len(markup)
