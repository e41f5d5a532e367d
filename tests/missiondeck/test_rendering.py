"""Rendering of messages and code: injections are inert, formatting, and time limits."""

import gc
import time
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name

from missiondeck.rules import MESSAGE_LENGTH
from missionsite.common import rendering
from missionsite.common.markdown_links import Links
from missionsite.common.rendering import (
    COLOURED_CHARACTERS,
    LANGUAGES,
    mentioned_names,
    render_code,
    render_markdown,
)
from tests.missiondeck.injections import INJECTIONS
from tests.support.sample import share

TAGS = set(
    "div p br hr em strong s code pre blockquote ul ol li a h4 h5 h6 table thead tbody tr th td "  # noqa: SIM905
    "figure figcaption span button".split()
)
ATTRIBUTES = {
    "a": {"href", "title", "rel"},
    "ol": {"start"},
    "div": {"class", "dir", "tabindex"},
    "pre": {"dir", "tabindex"},
    "button": {"type", "class", "data-copy-code", "data-copied", "data-manual"},
    "span": {"class", "data-hidden"},
    **{tag: {"class"} for tag in ("p", "th", "td", "figure")},
}
CLASSES = ("markdown", "code")


@pytest.fixture(autouse=True)
def without_garbage_of_other_tests():
    """Collect garbage of earlier tests, which would count as rendering time."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def in_no_hurry(monkeypatch):
    monkeypatch.setattr(rendering, "COLOURING_SECONDS", 60)


class Page(HTMLParser):
    """Parses HTML into tags, links, text and the text of each code block."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.links, self.text, self.codes = [], [], [], "", []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("br", "hr"):
            self.open.append(tag)
        if tag == "a":
            self.links.append(dict(attributes))
        if tag == "code":
            self.codes.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if "code" in self.open:
            self.codes[-1] += data

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def seen(markup: str) -> Page:
    """Parse a page and check all its tags, attributes and links."""
    page = Page(markup)
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set()), (tag, attributes)
        for name in (attributes.get("class") or "").split():
            assert name.split("-")[0] in CLASSES, name
        if tag == "button":
            assert attributes["type"] == "button"
        if tag == "a":
            assert urlsplit(attributes["href"]).scheme in ("http", "https", "mailto")
            assert attributes["rel"] == "nofollow noopener noreferrer"
    return page


def inside(text: str) -> str:
    return render_markdown(text).removeprefix('<div class="markdown" dir="auto">').removesuffix("</div>").strip()


# --- Injections --------------------------------------------------------------------------------


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda injection: injection.name)
def test_injection_becomes_text(injection):
    seen(render_markdown(injection.text))
    seen(render_markdown(f"- > ## {injection.text}\n\n| {injection.text} |\n|-|\n| [x]({injection.text}) |"))
    seen(render_markdown(f"```{injection.text}\n{injection.text}\n```"))
    for language in ("html", "javascript", "python", "diff", injection.text):
        page = seen(render_code(injection.text, language))
        assert page.codes == [injection.text.replace("\x00", "\ufffd").replace("\r\n", "\n")]


def test_injections_have_distinct_numbers():
    assert len(INJECTIONS) >= 80
    assert len({each.text for each in INJECTIONS}) == len(INJECTIONS)
    assert all("pwned" in each.text or each.text.isascii() for each in INJECTIONS)


TRICKY = st.lists(
    st.sampled_from(
        [
            *"[]()<>!`~*_#|:-\"'\\&;=\n\t ax/\x00\x1b\u202e\ud800é",
            "http://a",
            "https://a",
            "@Ana",
            "#47",
            "[ ] ",
            "```",
            "](",
        ]
    )
).map("".join)


@settings(max_examples=200, deadline=None)
@given(TRICKY | st.text(), st.text() | st.sampled_from(sorted(LANGUAGES)))
def test_any_text_is_rendered_safely(text, language):
    seen(render_markdown(text))
    assert all(link["href"][0] in "/hm" for link in Page(render_markdown(text, NAMED)).links)
    code = text.encode(errors="replace").decode().replace("\x00", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    assert seen(render_code(text, language)).codes == [code]


# --- Formatting -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Hello *you*, **there** ~~gone~~", "<p>Hello <em>you</em>, <strong>there</strong> <s>gone</s></p>"),
        ("<b>x</b> & y", "<p>&lt;b&gt;x&lt;/b&gt; &amp; y</p>"),
        ("# a\n## b\n### c\n###### d", "<h4>a</h4>\n<h5>b</h5>\n<h6>c</h6>\n<h6>d</h6>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("a  \nb", "<p>a<br>\nb</p>"),
        ("[x](javascript:a)", "<p>[x](javascript:a)</p>"),
        ("[x](/admin/)", "<p>[x](/admin/)</p>"),
        ("[x](//example.org)", "<p>[x](//example.org)</p>"),
        ("![x](data:image/png;base64,aa)", "<p>![x](data:image/png;base64,aa)</p>"),
        ("", ""),
    ],
)
def test_markdown_is_rendered(text, html):
    assert inside(text) == html


@pytest.mark.parametrize(
    ("text", "href", "label"),
    [
        ("[x](https://example.org/?a=1&b=2)", "https://example.org/?a=1&b=2", "x"),
        ("<mailto:ana@example.org>", "mailto:ana@example.org", "mailto:ana@example.org"),
        ("<ana@example.org>", "mailto:ana@example.org", "ana@example.org"),
        ("[x][1]\n\n[1]: HTTP://example.org", "HTTP://example.org", "x"),
        ("![a *plan*](https://example.org/plan.png)", "https://example.org/plan.png", "a plan"),
        ("![](https://example.org/plan.png)", "https://example.org/plan.png", "image"),
        (
            "See https://example.org/a_b_c?d=1&e=(f).",
            "https://example.org/a_b_c?d=1&e=(f)",
            "https://example.org/a_b_c?d=1&e=(f)",
        ),
        ("[see https://a.example](https://b.example)", "https://b.example", "see https://a.example"),
        ("[![badge](https://ci.example.org/b.svg)](https://ci.example.org)", "https://ci.example.org", "badge"),
    ],
)
def test_link_or_image_becomes_one_link(text, href, label):
    page = seen(render_markdown(text))
    assert [link["href"] for link in page.links] == [href]
    assert label in page.text


@pytest.mark.parametrize(
    "text", ["http://a.example", "xhttps://a.example", "`https://a.example`", "https://", "ftps://a"]
)
def test_other_addresses_stay_text(text):
    assert seen(render_markdown(text)).links == []


def test_task_list_shows_marks():
    assert inside("- [ ] It *pays*\n- [X] It opens\n- [ ]\n- [y] no").splitlines() == [
        "<ul>",
        '<li><span class="markdown-task">\u2610</span> It <em>pays</em></li>',
        '<li><span class="markdown-task">\u2611</span> It opens</li>',
        "<li>[ ]</li>",
        "<li>[y] no</li>",
        "</ul>",
    ]


NAMED = Links({"Ana": "/ana/", "Ana Lima": "/lima/", "Omar": ""}, {47: "/47/"})


def hrefs(text: str) -> list[str]:
    return [link["href"] for link in Page(render_markdown(text, NAMED)).links]


def test_known_names_and_numbers_become_links():
    assert hrefs("@ana lima, @ANA (#47) and **@Ana**") == ["/lima/", "/ana/", "/47/", "/ana/"]
    # Without a URL or unknown, in a word, an address or a URL: text.
    assert hrefs("@Omar @Anabel a@Ana.example #48 #470 x#47 &#47; \\@Ana \\#47") == []
    assert hrefs("https://a.example/#47 [#47 @Ana](https://b.example)") == [
        "https://a.example/#47",
        "https://b.example",
    ]
    assert hrefs("[a](/47/) [b](//evil.example) <a href='/47/'>c</a>") == []


# As in github.com/nextcloud/spreed/issues/10252 and github.com/stackernews/stacker.news/issues/2589.
def test_no_one_is_mentioned_in_code():
    names = ["Ana", "Ana Lima", "Omar"]
    assert mentioned_names("Hello @ana lima!\n> @OMAR", names) == {"ana lima", "omar"}
    for text in ("```java\n@Ana\n```", "`@Ana`", "    @Ana", "[@Ana](https://a.example)", "\\@Ana", "@Ana " * 100_000):
        assert mentioned_names(text, names) == set()


def test_table_scrolls_and_uses_alignment_classes():
    html = inside("|a|b|c|\n|:-|-:|:-:|\n|1|2|3|")
    assert html.startswith('<div class="markdown-table" tabindex="0"><table>')
    for side in ("left", "right", "center"):
        assert html.count(f' class="markdown-{side}"') == 2
    assert "style" not in html


def test_fence_becomes_figure_with_copy_button():
    html = inside("```py title=x\ndef f():\n    return 'x'\n```")
    assert html == render_code("def f():\n    return 'x'", "py")
    assert '<span class="code-language">Python</span>' in html
    button = 'data-copy-code="" data-copied="Copied" data-manual="Press Ctrl+C">Copy</button>'
    assert f'<button type="button" class="code-copy" {button}' in html
    assert '<span class="code-keyword">def</span> <span class="code-name">f</span>' in html
    assert "<span class=\"code-string\">'x'</span>" in html


@pytest.mark.parametrize(
    ("text", "label"), [("    x = 1", "Code"), ("```\nx = 1\n```", "Code"), ("```elvish\nx = 1\n```", "elvish")]
)
def test_code_in_unknown_language_is_plain(text, label):
    assert f'<span class="code-language">{label}</span>' in inside(text)
    assert "<code>x = 1</code>" in inside(text)


def test_language_name_is_short_and_isolated():
    html = render_code("x", "\u202e" + "k" * 500)
    assert f">{'k' * 40}<" in html.replace("\u202e", "")
    assert "\u202e" not in html


def test_code_keeps_blank_lines_at_ends():
    assert seen(render_code("\n\n  x = 1\n\n", "python")).codes == ["\n\n  x = 1\n\n"]


def test_hidden_characters_are_named_and_copied():
    html = render_code("if admin: # \u202e check", "python")
    assert '<span data-hidden="U+202E">\u202e</span>' in html
    assert seen(html).codes == ["if admin: # \u202e check"]
    assert '<code><span data-hidden="U+001B">\x1b</span>[31m</code>' in inside("`\x1b[31m`")


def test_last_line_without_end_is_highlighted():
    html = render_code("- old\n+ new", "diff")
    assert '<span class="code-deleted">- old</span>\n<span class="code-inserted">+ new</span></code>' in html


@pytest.mark.usefixtures("in_no_hurry")
def test_every_language_is_highlighted():
    some = (
        'def f(x): # a\n/* c */ "s" if 1 return // x\n<b a="1">--\n+ x\n- y\nkey: 1\nimport os\nbegin end class X {}\n'
        '# T\nSELECT 1; Given a {{ x }}\n@rem x\nTraceback (most recent call last):\n  File "x", line 1, in y\n'
    )
    plain = {name for alias, name in LANGUAGES.items() if '="code-' not in render_code(some, alias).split("<pre")[1]}
    assert plain == set()


def test_loading_lexer_does_not_use_time_budget(monkeypatch):
    def ready(*names, **options):
        end = time.thread_time() + 0.2
        while time.thread_time() < end:
            pass
        return get_lexer_by_name(*names, **options)

    monkeypatch.setattr(rendering, "COLOURING_SECONDS", 0.1)
    monkeypatch.setattr(rendering, "get_lexer_by_name", ready)
    assert "code-keyword" in render_code("import os", "python")


# --- Limits ---------------------------------------------------------------------------------------

N = 100_000
HEAVY = {
    "quotations": "> " * (N // 2),
    "lists": "- " * (N // 2),
    "lists in quotations": "> - " * (N // 4),
    "brackets": "[" * N,
    "images": "![" * (N // 2),
    "links never closed": "[a](" * (N // 4),
    "links": "[a](http://x)" * (N // 13),
    "bare addresses": "https://a " * (N // 10),
    "mentions": "@Ana " * (N // 5),
    "addresses": "<http://a>" * (N // 10),
    "addresses of one letter": "<ab:c>\n\n" * (N // 20),
    "mails": "<a@b>" * (N // 5),
    "stars": "*" * N,
    "emphasis": "*a " * (N // 6) + " a*" * (N // 6),
    "emphasis of two kinds": "*a **b " * (N // 14) + " b** a*" * (N // 14),
    "emphasis and brackets": "[*_" * (N // 3),
    "struck out": "~~a " * (N // 4),
    "backticks": "".join("`" * width + " " for width in range(1, 440)),
    "references": "".join(f"[a{number}]: http://x\n" for number in range(N // 17)),
    "wide table": "|a" * (N // 8) + "\n" + "|-" * (N // 8) + "\n" + "|\n" * (N // 4),
    "wide tables": ("a|" * 30 + "\n" + "-|" * 30 + "\n" + "|\n" * 100 + "\n") * (N // 320),
    "long table": "a|b\n-|-\n" + "|\n" * (N // 2),
    "lines": "a\n" * (N // 2),
    "headings": "a\n=\n" * (N // 4),
    "entities": "&#x26;" * (N // 6),
    "signs": "<" * N,
    "fences": "```py\na = 1\n```\n" * (N // 15),
    "slow code": ("```python\n" + " \n" * 4000 + "```\n") * (N // 8000),
    "hidden characters": "`\u202e`" * (N // 3),
}


@pytest.mark.parametrize("name", share(HEAVY, of=3))
def test_heavy_message_is_rendered_within_a_second(name):
    began = time.thread_time()
    html = render_markdown(HEAVY[name])
    assert time.thread_time() - began < 1
    assert len(html) < 2_000_000


@pytest.mark.parametrize("text", [HEAVY["brackets"], HEAVY["wide table"], HEAVY["lines"], "a " * MESSAGE_LENGTH])
def test_too_long_message_is_plain_text(text):
    page = seen(render_markdown(text))
    assert ("p", {"class": "markdown-note"}) in page.tags
    assert page.text.endswith(text)


def test_long_ordinary_message_is_formatted():
    usual = "so that whoever reads it later knows what was meant, why it was done and who asked for it"
    items = f"- do `this` *now*: {usual}\n- see [docs](https://example.org/a_b), {usual}\n\n"
    part = f"## Plan\n\n{items}|a|b|\n|-|-|\n|1|2|\n\n"
    html = render_markdown(part * (N // len(part)))
    assert "markdown-plain" not in html
    assert html.count("<table>") == N // len(part)


@pytest.mark.usefixtures("in_no_hurry")
def test_long_code_is_not_highlighted():
    line = "raise ValueError(f'{name} is no name of a language that has colours')  # and says so\n"
    code = line * (COLOURED_CHARACTERS // len(line))
    assert "code-comment" in render_code(code, "python")
    assert render_code(code + line, "python").count("<span") == 1
    assert seen(render_code(code + line, "python")).codes == [code + line]


@pytest.mark.parametrize(
    ("language", "unit"),
    share(
        [("python", " \n"), ("c", "\n "), ("java", "a "), ("tsx", "a."), ("make", "{"), ("xml", "<!--"), ("go", '"\\')],
        of=3,
    ),
)
def test_slow_code_is_not_highlighted(language, unit):
    code = unit * (COLOURED_CHARACTERS // len(unit))
    began = time.thread_time()
    html = render_code(code, language)
    assert time.thread_time() - began < 1
    assert html.count("<span") == 1
