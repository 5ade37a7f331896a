"""What is done to bodies: whatever comes in, it is stable after the first time."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.sandbox import event_bodies

texts = st.text(st.sampled_from("ab <>&;\n\t'\"é-"), max_size=30)
# Unfinished comments and scripts are left out: Python's versions differ in where they end.
markup = st.lists(st.sampled_from(["<p>", "</p>", "<b>", "</b>", "<br>", "< ", "a", "&", "&amp;", "&x", ";", " ", "\n",
                                   "<script>a < b</script>", "<style>p { }</style>", "<!-- c -->", "<body>", "</html>",
                                   "<a href='javascript:x'>", "<img onerror=x>"]), max_size=12).map("".join)


class Elements(HTMLParser):
    """The elements of a document with their attributes."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.mark.facts("15.25")
@given(texts)
def test_15_25_text_changes_once_on_its_round_trip(text):
    once = event_bodies.to_text(event_bodies.from_text(text))
    assert event_bodies.to_text(event_bodies.from_text(once)) == once


@pytest.mark.facts("15.25")
@given(markup)
def test_15_25_html_is_wrapped_once_and_safe(html):
    once = event_bodies.from_html(html)
    assert event_bodies.from_html(once) == once
    safe = event_bodies.safe(once)
    assert event_bodies.safe(safe) == safe
    elements = Elements()
    elements.feed(safe)
    assert not [tag for tag, attributes in elements.found if tag == "script" or "onerror" in attributes
                or (attributes.get("href") or "").startswith("javascript:")]


@pytest.mark.facts("15.25")
@pytest.mark.parametrize("html, text", [
    ("<p>One</p><p>Two</p>", "One\r\n\r\nTwo"), ("<div>One</div><div>Two</div>", "One\r\nTwo"),
    ("<ul><li>One</li><li>Two</li></ul>", "* One\r\n* Two"), ("A &amp; B<br>&nbsp; C", "A & B\r\n  C"),
    ("<style>p { color: red }</style><p>One</p>", "One"), ("", ""),
])
def test_15_25_html_is_read_as_people_would(html, text):
    assert event_bodies.to_text(event_bodies.from_html(html)) == text
