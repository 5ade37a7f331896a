"""Between notes that a CRM keeps as HTML and the plain text of a record."""

from __future__ import annotations

import html
from html.parser import HTMLParser

_BLOCKS = frozenset({"p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table"})
_UNSEEN = frozenset({"script", "style", "head", "title", "template"})


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _UNSEEN:
            self.unseen += 1
        elif tag == "br":
            self.lines.append("")
        elif tag in _BLOCKS:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self.unseen = max(0, self.unseen - 1)
        elif tag in _BLOCKS:
            self._break()

    def _break(self) -> None:
        if self.lines[-1]:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            text = " ".join(data.split())
            before = " " if data[:1].isspace() and self.lines[-1] else ""
            self.lines[-1] += before + text + (" " if text and data[-1:].isspace() else "")


def html_to_text(markup: str | None) -> str | None:
    """The text of some HTML, one line for each paragraph or line break. Scripts, styles and images leave nothing."""
    if not markup:
        return None
    parser = _Text()
    parser.feed(markup)
    parser.close()
    return "\n".join(line.strip() for line in parser.lines).strip() or None


def text_to_html(text: str | None) -> str | None:
    """Plain text as harmless HTML with the same lines."""
    return None if text is None else html.escape(text).replace("\n", "<br>")
