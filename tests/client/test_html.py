"""Bodies of events: clean text for everybody, clean HTML for those who keep it, whatever somebody sent."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.adapters.body import text_to_html
from opencrm_ms365.graph.wire.html import from_text, tidy, to_text
from opencrm_ms365.graph.wire.markup import Tag, tokens
from tests import rules

#: As Exchange gives back what was sent as text, and what was sent as HTML (facts 6.8).
FROM_TEXT = (
    '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n'
    '<meta name="Generator" content="Microsoft Exchange Server">\r\n<!-- converted from text -->\r\n'
    "<style><!-- .EmailQuote { margin-left: 1pt; border-left: #800000 2px solid; } --></style></head>\r\n<body>\r\n"
    '<font size="2"><span style="font-size:11pt;"><div class="PlainText">%s</div></span></font>\r\n'
    "</body>\r\n</html>\r\n")
FROM_HTML = ('<html>\r\n<head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n</head>\r\n'
             "<body>\r\n%s\r\n</body>\r\n</html>\r\n")
WORD = (
    '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!--\n@font-face {font-family:Calibri;}\n'
    "p.MsoNormal {margin:0cm;}\n--></style><!--[if gte mso 9]><xml><o:shapedefaults/></xml><![endif]--></head>"
    '<body lang="DE-AT" link="#0563C1"><div class="WordSection1"><p class="MsoNormal">Dear <b>Ada</b>,<o:p></o:p></p>'
    '<p class="MsoNormal"><o:p>&nbsp;</o:p></p><p class="MsoNormal">see you&nbsp;at\r\n ten.<o:p></o:p></p>'
    '<p class="MsoListParagraph"><![if !supportLists]><span>·<span>  </span></span><![endif]>first</p></div>'
    "</body></html>")


@pytest.mark.parametrize(("markup", "text"), [
    (None, None), ("", None), (FROM_HTML % "", None), (FROM_TEXT % "", None), ("   \r\n ", None),
    (FROM_TEXT % "one<br>\r\n<br>\r\ntwo&nbsp; three", "one\n\ntwo  three"),
    (FROM_HTML % "<p>one</p>\r\n<p>two</p>", "one\ntwo"),
    (FROM_HTML % "one\r\n line", "one line"),
    (WORD, "Dear Ada,\n\nsee you at ten.\n· first"),
    ("<div>a<br></div><div><br></div><div>b</div>", "a\n\nb"),
    ("<ul><li>one</li><li>two<ul><li>three</li></ul></li></ul>end", "- one\n- two\n- three\nend"),
    ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
    ("<pre>  a\r\n    b</pre>c", "a\n    b\nc"),
    ("a<script>alert(1)</script>b<style>p{}</style><title>t</title>c<!-- d --><template>e</template>", "abc"),
    ("&lt;b&gt; &amp;amp; &#228;&#x1F600;&nope; &", "<b> &amp; ä😀&nope; &"),
    ("1 < 2 and 3 > 2 <3", "1 < 2 and 3 > 2 <3"),
    ('<a href="https://x.example/a?b=1&amp;c=2">here</a>.', "here <https://x.example/a?b=1&c=2>."),
    ('<a href="https://x.example/">x.example</a>', "x.example"),
    ('<a href="https://x.example"><div>here</div></a>now', "here <https://x.example>\nnow"),
    ('<a href="javascript:alert(1)">here</a><a href="mailto:a@b">write</a><a>none</a>', "herewritenone"),
    (f'<a href="https://x.example/{"t" * 600}">here</a>', "here"),
    ('<img src="https://spy.example/p.gif" alt="pixel">a<img src="cid:1">', "a"),
    ("a\u200bb\ufeffc\u00add", "abcd"),
    ("<head><title>x</title><p>unclosed head", "unclosed head"),
    ("<body><title>never closed", None),
    ("a<br/>b<BR>c<Br clear=all>d", "a\nb\nc\nd"),
    ("x" + "&#99999999999999999999;" + "&#x110000;" + "&#0;", "x\ufffd\ufffd\ufffd"),
    (f"a&#{'9' * 9000};b", "a\ufffdb"),
])
def test_CAL_03_the_text_is_what_a_reader_sees(markup, text):
    assert to_text(markup) == text


ODD = st.one_of(
    st.text(), st.text(alphabet="ab <>&;\n\t\r\"'#-=/\u00a0\u200b!"),
    st.lists(st.sampled_from([
        "a", " ", "\n", "\t", "&nbsp;", "<", ">", "&", "&amp;", "<br>", "<b>", "</p>", "<!--", "-->", "https://x.example",
        "- ", "  ", "_" * 30, "<https://x.example>"])).map("".join))


@rules.rule("CAL-02", "SYNC-06")
@given(ODD)
def test_CAL_02_text_comes_back_as_it_went_out(text):
    assert to_text(from_text(text)) == tidy(text)
    assert tidy(tidy(text)) == tidy(text)


@rules.rule("CAL-02", "SYNC-06")
@pytest.mark.parametrize("wrapper", [FROM_TEXT, FROM_HTML])
@given(text=ODD)
def test_CAL_02_exchanges_wrapper_does_not_change_it(wrapper, text):
    there = wrapper % from_text(text).replace("\n", "\r\n")
    assert to_text(there) == tidy(text)
    assert to_text(wrapper % from_text(to_text(there))) == to_text(there)


@given(ODD)
def test_CAL_03_no_markup_makes_reading_fail(markup):
    text = to_text(markup)
    assert text is None or text == text.strip()


HOSTILE = [
    "<script>alert(1)</script>", "<ScRiPt src=//evil.example/x.js></sCrIpT>", "<script>alert(1)",
    '<img src="https://spy.example/p.gif" width=1 height=1>', "<img src=x onerror=alert(1)>", "<IMG SRC='cid:1'>",
    '<a href="javascript:alert(1)">x</a>', '<a href=" java\nscript:alert(1)">x</a>', '<a href="data:text/html,x">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>', '<a href="vbscript:x">x</a>', '<a href=x onclick=alert(1)>x</a>',
    "<iframe src=https://evil.example></iframe>", "<object data=x></object>", "<embed src=x>", "<base href=//evil>",
    '<meta http-equiv=refresh content="0;url=//evil">', "<link rel=stylesheet href=//evil>",
    "<style>*{color:red}</style>",
    '<div style="background:url(https://spy.example/p.gif);position:fixed;inset:0">x</div>',
    "<form action=//evil><input>",
    '<table background="https://spy.example/p.gif"><tr><td background=//spy.example>x</td></tr></table>',
    "<svg><script>alert(1)</script></svg>", "<svg onload=alert(1)>", "<math><mtext></mtext><mglyph><style>x",
    "<video poster=//spy.example/p.gif src=x></video>", "<audio src=//spy.example/a></audio>", "<b onmouseover=x>b</b>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>", "<p id=x class=y>p</p>",
    "<textarea></textarea><script>alert(1)</script>", "<!--><script>alert(1)</script>-->",
    "<xmp><script>x</script></xmp>",
    "<template><script>alert(1)</script></template>", "<select><style></select><img src=x onerror=alert(1)>",
    '<a href="https://x.example" target=_top ping=https://spy.example>x</a>', "<plaintext><script>x</script>",
    "<input type=image src=//spy.example>", "<body background=//spy.example onload=alert(1)>",
    "<picture><source srcset=x>",
]


class Elements(HTMLParser):
    """Tags and attributes as the standard library reads them, which is not the code under test."""

    def __init__(self, markup):
        super().__init__()
        self.found = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@rules.rule("CAL-03")
@pytest.mark.parametrize("markup", HOSTILE)
def test_CAL_03_nothing_executable_and_no_tracking_image_is_left(markup):
    """In the text, and in the HTML that a CRM gets which keeps its notes so."""
    for sample in (markup, f"before{markup}after", f"<div><p>{markup}", FROM_HTML % markup):
        shown = text_to_html(to_text(sample)) or ""
        assert {tag for tag, _attributes in Elements(shown).found} <= {"br"}
        assert "spy.example/p.gif" not in shown and "javascript:" not in shown


@rules.rule("CAL-03")
@pytest.mark.parametrize("markup", [
    "<script>alert(1)</script>", "<ScRiPt src=//evil.example/x.js>alert(1)</sCrIpT>", "<script>alert(1)",
    "<style>alert(1)</style>", "<svg><script>alert(1)</script></svg>", "<template><script>alert(1)</script></template>",
    "<iframe>alert(1)</iframe>", "<noembed>alert(1)</noembed>", "<b onclick=alert(1)></b>", "<!-- alert(1) -->",
])
def test_CAL_03_scripts_leave_no_text_either(markup):
    assert "alert" not in (to_text(f"a{markup}") or "")


def test_halves_of_characters_stop_nothing():
    assert to_text("a\ud800b\x00<p>c") == "ab\nc"


BOMBS = {
    "tags that never end": "<a " * 80_000, "attributes": "<a " + "b=c " * 60_000, "quotes": "<a b='" * 40_000,
    "nesting": "<div>" * 50_000, "formatting": "".join(f"<font color={n}>" for n in range(6000)) + "<p>x" * 6000,
    "a little formatting": "".join(f"<font color={n}>" for n in range(90)) + "<p>x" * 50_000,
    "comments": "<!--" * 60_000, "ends": "</a" * 80_000, "lists": "<li><ul>" * 30_000,
    "tables": "<table><tr><td>" * 15_000,
    "foreign": "<svg><style>" + "<g>" * 50_000, "references": "&#" * 120_000, "less": "<" * 250_000,
    "links": "<a href=https://x.example>a" * 9000, "large": "<p>word</p>" * 200_000, "spaces": "<a" + " " * 250_000,
}


@rules.rule("CAL-03")
@pytest.mark.parametrize("markup", BOMBS.values(), ids=BOMBS)
def test_CAL_03_no_body_holds_the_sync_up(markup):
    started = time.process_time()
    to_text(markup)
    assert time.process_time() - started < 5       # what is hostile takes hours, if it takes more than a second


# The parts that a markup consists of

@pytest.mark.parametrize(("markup", "expected"), [
    ("a<b>c</b>", ["a", "<b>", "c", "</b>"]),
    ("<p title=it's>x</p>", ["<p>", "x", "</p>"]),
    ('<p title=">">x', ["<p>", "x"]),
    ("<p title='>'>x", ["<p>", "x"]),
    ("<p a=\"x'>y", []),
    ("<!-- <b> --><i><!---><u><!--><s>", ["<i>", "<u>", "<s>"]),
    ("<!doctype html><?xml x?></ x><![CDATA[a]]>b", ["b"]),
    ("<SCRIPT><b></script ><i>", ["<script>", "<b>", "</script>", "<i>"]),
    ("<script></scripts></script>", ["<script>", "</scripts>", "</script>"]),
    ("a<", ["a", "<"]), ("a<b", ["a"]), ("a<!--b", ["a"]), ("<1>", ["<", "1>"]),
])
def test_markup_is_read_as_browsers_read_it(markup, expected):
    shown = [f"<{'/' if token.is_end else ''}{token.name}>" if isinstance(token, Tag) else token
             for token in tokens(markup)]
    assert shown == expected


@pytest.mark.parametrize(("inside", "value"), [
    ('href="a&amp;b"', "a&b"), ("href='a'", "a"), ("href=a/b", "a/b"), ("HREF = a", "a"),
    ("x=href y href=b href=c", "b"),
    ("href", ""), ("x='href=a'", ""), ('data-href="x"', ""), ("/href=a/", "a/"),
])
def test_attributes(inside, value):
    tag, = tokens(f"<a {inside}>")
    assert tag.attribute("href") == value
