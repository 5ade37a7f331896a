"""HTML of a mailbox as clean text, and text as HTML (CAL-03). Pure.

Outlook stores every body as HTML, wrapped and rewritten (facts 6.8): only the text of it can be compared. Text that
goes out as `from_text` and comes back through `to_text` is the same from the first time on (`tidy`).
"""

from __future__ import annotations

import html
import re
from urllib.parse import urlsplit

from ...records.base import clean_text
from .markup import Tag, tokens
from .values import storable

#: Longer markup is not read to its end; no note of a person is that long.
MAX_MARKUP = 1024 * 1024
#: Longer addresses behind a link are left out of the text: they are made for machines.
MAX_LINK = 500

_BLOCKS = frozenset({
    "address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer",
    "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section",
    "table", "tr", "ul",
})
#: Elements whose content is never shown, or not by us.
_UNSEEN = frozenset({
    "script", "style", "title", "template", "noembed", "noframes", "iframe", "object", "select", "textarea", "xmp",
})
_SPACE = re.compile(r"[ \t\n\r\f]+")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad"))


def to_text(markup: str | None) -> str | None:
    """The text that a reader sees, one line for each paragraph or line break; None for none.

    Links keep their address, behind the words that hid it. Scripts, styles, images and comments leave nothing.
    """
    if not markup:
        return None
    reader = _Reader()
    for token in tokens(storable(markup[:MAX_MARKUP])):
        if isinstance(token, str):
            reader.text(token)
        elif token.is_end:
            reader.end(token.name)
        else:
            reader.start(token)
    reader.end_link()
    return tidy("\n".join("".join(line) for line in reader.lines))


def tidy(text: str | None) -> str | None:
    """Text as it comes back from HTML: plain spaces, no space at line ends, no tabs; None for nothing."""
    cleaned = clean_text((text or "").translate(_INVISIBLE).replace("\xa0", " ")) or ""
    return "\n".join(line.expandtabs(4).rstrip() for line in cleaned.split("\n")).strip() or None


def from_text(text: str | None) -> str:
    """Harmless HTML that shows this text with the same lines and spaces; `""` for none."""
    lines = (tidy(text) or "").split("\n")
    return "<br>\n".join(_spaced(html.escape(line)) for line in lines)


def _spaced(line: str) -> str:
    """Of several spaces, HTML shows one, and none at the start of a line."""
    line = line.replace("  ", "&nbsp; ").replace("  ", " &nbsp;")
    return f"&nbsp;{line[1:]}" if line.startswith(" ") else line


class _Reader:
    """Collects the lines that a reader would see, each as its pieces."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.in_head = False
        self.unseen: list[str] = []
        self.preformatted = 0
        self.link: tuple[str, int, int] | None = None

    def start(self, tag: Tag) -> None:
        if tag.name == "head":
            self.in_head = True
        elif tag.name in _UNSEEN:
            self.unseen.append(tag.name)
        elif tag.name == "br":
            self.lines.append([])
        elif tag.name in _BLOCKS:
            self._start_block(tag.name)
        elif tag.name in ("td", "th"):
            self._show(" ")
        elif tag.name == "a":
            self.end_link()
            self.link = (tag.attribute("href").strip(), len(self.lines) - 1, len(self.lines[-1]))

    def end(self, name: str) -> None:
        if name == "head":
            self.in_head = False
        elif name in _UNSEEN:
            if name in self.unseen:
                del self.unseen[self.unseen.index(name):]
        elif name == "a":
            self.end_link()
        elif name in _BLOCKS:
            if name == "pre":
                self.preformatted = max(0, self.preformatted - 1)
            self._break()

    def text(self, text: str) -> None:
        if self.unseen or self.in_head:
            return
        if self.preformatted:
            first, *more = text.replace("\r\n", "\n").split("\n")
            self.lines[-1].append(first)
            self.lines += [[line] for line in more]
        else:
            self._show(_SPACE.sub(" ", text))

    def end_link(self) -> None:
        """Add the address of the link that ends here, unless the text shows it already."""
        if self.link is None:
            return
        address, number, start = self.link
        self.link = None
        shown = "".join(["".join(self.lines[number][start:]), *("".join(line) for line in self.lines[number + 1:])])
        if shown.strip() and _is_hidden(address, shown):
            ended = not self.lines[-1] and len(self.lines) > number + 1  # a block inside the link ended its line
            self.lines[-2 if ended else -1].append(f" <{address}>")

    def _start_block(self, name: str) -> None:
        self.in_head = False
        self._break()
        if name == "li":
            self.lines[-1] = ["- "]
        elif name == "pre":
            self.preformatted += 1

    def _break(self) -> None:
        if self.lines[-1]:
            self.lines.append([])

    def _show(self, text: str) -> None:
        line = self.lines[-1]
        if not line or line[-1].endswith(" "):
            text = text.lstrip(" ")
        if text:
            line.append(text)


def _is_hidden(address: str, shown: str) -> bool:
    """True for an address worth keeping that the words of the link do not show."""
    if len(address) > MAX_LINK or _SPACE.search(address) or "<" in address or ">" in address:
        return False
    try:
        if urlsplit(address).scheme.lower() not in ("http", "https"):
            return False
    except ValueError:
        return False
    return _bare(address) not in _bare(shown)


def _bare(address: str) -> str:
    return re.sub(r"^https?://", "", address.strip().lower()).rstrip("/")
