"""What Exchange makes of an event's body: always HTML, wrapped, cleaned, with CRLF (facts 6.8).

What comes back is never what was sent. Text that was sent is converted to HTML, HTML that is asked for as text is
converted back, both with Exchange's additions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from html.parser import HTMLParser

_META = '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
_FROM_TEXT = ('<meta name="Generator" content="Microsoft Exchange Server">\n<!-- converted from text -->\n'
              '<style><!-- .EmailQuote { margin-left: 1pt; padding-left: 4pt; border-left: #800000 2px solid; } -->'
              "</style>")
_UNSAFE = frozenset({"script", "iframe", "object", "embed", "form", "input", "button", "base", "link", "applet"})
_VOID = frozenset({"br", "hr", "img", "meta", "input", "base", "link", "embed", "col", "wbr"})
_SILENT = frozenset({"head", "style", "script", "title"})
_BLOCKS = frozenset({"p", "div", "li", "tr", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote",
                     "pre", "hr"})
_BLANKS = re.compile(r"^ +| {2,}")      # which HTML would not show
PREVIEW_LENGTH = 255
JOIN_MARK = "me-email-headline"         # the class of the link with which one joins an online meeting


def from_text(text: str) -> str:
    """The HTML that plain text becomes."""
    lines = _lines(text).expandtabs(4).split("\n")
    inner = "<br>\n".join(_BLANKS.sub(_kept_blanks, escape(line, quote=False)) for line in lines)
    return _crlf(f"<html>\n<head>\n{_META}\n{_FROM_TEXT}\n</head>\n<body>\n<font size=\"2\"><span style=\"font-size:"
                 f"11pt;\"><div class=\"PlainText\">{inner}</div></span></font>\n</body>\n</html>\n")


def from_html(html: str, *, is_unsafe_kept: bool = True) -> str:
    """The HTML that HTML becomes: one wrapper, whatever wrapper it came with."""
    cleaner = _Cleaner(is_unsafe_kept)
    cleaner.feed(_lines(html))
    cleaner.close()
    inner = "".join(cleaner.body).strip("\n")
    head = "".join(f"{part}\n" for part in cleaner.styles)
    return _crlf(f"<html>\n<head>\n{_META}\n{head}</head>\n<body>\n{inner}\n</body>\n</html>\n")


def safe(html: str) -> str:
    """As answers show it unless `Prefer: outlook.allow-unsafe-html`: without scripts and the like."""
    return html if not _suspicious(html) else from_html(html, is_unsafe_kept=False)


@lru_cache(maxsize=4096)      # each answer with a preview asks for it
def to_text(html: str) -> str:
    """As answers show it on `Prefer: outlook.body-content-type="text"`."""
    reader = _TextReader()
    reader.feed(_lines(html))
    reader.close()
    lines = [re.sub(r"[ \t\u00a0]+$", "", line) for line in "".join(reader.parts).split("\n")]
    return _crlf(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n").replace("\u00a0", " "))


def preview(html: str) -> str:
    """`bodyPreview`: the first 255 characters of the text."""
    return to_text(html)[:PREVIEW_LENGTH]


def join_block(url: str) -> str:
    """What Teams puts below the body of an online meeting. A body without it is no online meeting any more."""
    return (f'<br>\n<div class="me-email-text" lang="en-GB">{"_" * 80}</div>\n<div class="me-email-text">'
            "<span>Microsoft Teams</span> <a href=\"https://aka.ms/JoinTeamsMeeting\">Need help?</a></div>\n"
            f'<div class="me-email-text"><a class="{JOIN_MARK}" href="{escape(url)}">Join the meeting now</a></div>\n'
            f'<div class="me-email-text" lang="en-GB">{"_" * 80}</div>\n')


def with_join_block(html: str, url: str) -> str:
    """The body with Teams' block at its end."""
    block = _crlf(join_block(url))
    return html.replace("\r\n</body>", f"\r\n{block}</body>") if "\r\n</body>" in html else html + block


def has_join_block(html: str) -> bool:
    """Whether somebody who reads the body can join."""
    return JOIN_MARK in html


class _Cleaner(HTMLParser):
    """Takes the body out of a document and writes it again, without what is unsafe when that is wished."""

    def __init__(self, is_unsafe_kept: bool) -> None:
        super().__init__(convert_charrefs=False)
        self._keeps = is_unsafe_kept
        self.body: list[str] = []
        self.styles: list[str] = []
        self._silent: list[str] = []        # open elements whose content is left out
        self._style: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "style":
            self._style = []
        elif self._silent or tag in ("html", "body", "meta"):
            pass
        elif tag in ("head", "title") or (tag in _UNSAFE and not self._keeps):
            if tag not in _VOID and tag != "head":
                self._silent.append(tag)
        else:
            kept = [(name, value) for name, value in attrs if self._keeps or _is_harmless(name, value)]
            written = "".join(f' {name}="{escape(value or "")}"' for name, value in kept)
            self.body.append(f"<{tag}{written}>")

    def handle_endtag(self, tag: str) -> None:
        if tag == "style" and self._style is not None:
            self.styles.append(f"<style>{''.join(self._style)}</style>")
            self._style = None
        elif self._silent:
            if tag == self._silent[-1]:
                self._silent.pop()
        elif tag not in ("html", "body", "head", "title") and (self._keeps or tag not in _UNSAFE) and tag not in _VOID:
            self.body.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._style is not None:
            self._style.append(data)
        elif not self._silent and (data.strip() or self.body):
            # What is left of unfinished tags and entities is text; in a script it is a part of the script.
            is_text = self.cdata_elem is None
            self.body.append(data.replace("&", "&amp;").replace("<", "&lt;") if is_text else data)

    def handle_entityref(self, name: str) -> None:
        if not self._silent:
            self.body.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_entityref(f"#{name}")


class _TextReader(HTMLParser):
    """What a person would read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        elif tag == "br":
            self.parts.append("\n")
        elif tag in _BLOCKS:
            self._break(2 if tag == "p" else 1)
            if tag == "li":
                self.parts.append("* ")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()
        elif tag in _BLOCKS:
            self._break(2 if tag == "p" else 1)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            text = re.sub(r"[ \t\n]+", " ", data)
            if not self.parts or self.parts[-1].endswith("\n"):
                text = text.lstrip(" ")
            self.parts += [text] if text else []

    def _break(self, count: int) -> None:
        """At least so many line ends before what follows."""
        written = "".join(self.parts[-3:])
        there = len(written) - len(written.rstrip("\n"))
        if self.parts and written.strip():
            self.parts.append("\n" * max(0, count - there))


def _kept_blanks(match: re.Match[str]) -> str:
    return "&nbsp;" * (len(match[0]) - 1) + " " if match.start() else "&nbsp;" * len(match[0])


def _is_harmless(name: str, value: str | None) -> bool:
    return not name.startswith("on") and not (value or "").strip().lower().startswith(("javascript:", "vbscript:"))


def _suspicious(html: str) -> bool:
    return re.search(r"<\s*(?:" + "|".join(sorted(_UNSAFE)) + r")\b|\son\w+\s*=|javascript:|vbscript:", html,
                     re.IGNORECASE) is not None


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")
