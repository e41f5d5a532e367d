"""Rendered messages in a real browser: injections are inert, code can be copied, contrast is sufficient."""

from html import escape

import pytest
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from django.utils.safestring import mark_safe
from playwright.sync_api import expect

from missionsite.common.content_policy import HEADER
from missionsite.common.rendering import render_code, render_markdown
from tests.browser.conftest import sign_in
from tests.missiondeck.injections import INJECTIONS
from tests.missiondeck.test_rendering import ATTRIBUTES, TAGS

PHONE = {"width": 390, "height": 844}
# The page stores calls of pwned() here.
WATCH = "window.ran = []; window.pwned = (number) => window.ran.push(number);"
FRAME = """{% extends "admin/base_site.html" %}{% load static %}
{% block extrahead %}{{ block.super }}<link rel="stylesheet" href="{% static 'common/markdown.css' %}">
<script src="{% static 'common/copy_code.js' %}" defer></script>{% endblock %}
{% block content %}<div id="others">{{ others }}</div>{% endblock %}"""
CODE = '''\
@route("/")
class Shop(Base):
    """A staff member."""

    def price(self, of: int = 3) -> float:  # in euros
        return round(of * 1.5, 2) if of is not None else print("nothing")
'''


class Shown:
    """The content of the test page, and whether it has the content security policy."""

    html = ""
    policy = True


def words(request: HttpRequest) -> HttpResponse:
    context = {**admin.site.each_context(request), "others": mark_safe(Shown.html)}  # noqa: S308
    response = HttpResponse(engines["django"].from_string(FRAME).render(context, request))
    if not Shown.policy:
        response[HEADER] = "frame-ancestors 'none'"
    return response


urlpatterns = [path("admin/words/", words), path("", include("missionsite.urls"))]
handler500 = "missionsite.common.error_pages.server_error"


@pytest.fixture
def show(page, live_server, manager, settings):
    """Open the page with this content."""
    settings.ROOT_URLCONF = __name__
    page.add_init_script(WATCH)
    sign_in(page, live_server, manager)

    def show(html: str, *, policy: bool = True) -> None:
        Shown.html, Shown.policy = html, policy
        page.goto(f"{live_server.url}/admin/words/")
        page.wait_for_load_state("networkidle")

    return show


def everything() -> str:
    """Each injection as a message, inside a message, as code and as a language name."""
    parts = []
    for each in INJECTIONS:
        parts += [
            render_markdown(each.text),
            render_markdown(f"- > ## {each.text}\n\n| {each.text} |\n|-|\n| ![{each.text}]({each.text}) |"),
            render_markdown(f"```{each.text}\n{each.text}\n```"),
            render_code(each.text, "html"),
            render_code(each.text, each.text),
        ]
    return "".join(parts)


@pytest.mark.seed("001 injections in chats, code, names, logs and titles neither run nor load, in a")
@pytest.mark.parametrize("policy", [pytest.param(True, marks=pytest.mark.long), False], ids=["policy", "no policy"])
def test_injections_are_inert_when_rendered(page, show, wrongs, policy):
    """Checked with and without the content security policy."""
    show(everything(), policy=policy)
    page.locator("#others").evaluate(
        """(root) => root.querySelectorAll("*").forEach((each) => {
            for (const name of ["mouseenter", "mouseover", "pointerenter", "focus", "keydown", "animationstart"])
                each.dispatchEvent(new Event(name, {bubbles: true}));
        })"""
    )
    assert page.evaluate("window.ran") == []
    assert wrongs == []
    seen = page.locator("#others").evaluate(
        """(root) => [...root.querySelectorAll("*")].map((each) =>
            [each.namespaceURI + " " + each.localName, each.getAttributeNames(), each.protocol ?? ""].join("|"))"""
    )
    assert len(seen) > 5 * len(INJECTIONS)
    for element in set(seen):
        name, attributes, scheme = element.split("|")
        tag = name.removeprefix("http://www.w3.org/1999/xhtml ")
        assert tag in TAGS
        assert {*filter(None, attributes.split(","))} <= ATTRIBUTES.get(tag, set())
        assert scheme in ("", "http:", "https:", "mailto:")


@pytest.mark.long
@pytest.mark.seed("001 injections in chats, code, names, logs and titles neither run nor load, in a")
def test_negative_control_injections_run_unescaped(page, live_server, context):
    """Shows that the test above detects injections."""
    asked = set()

    def answer_elsewhere(route) -> None:
        asked.add(route.request.url)
        # No content, so that the browser stays on the page.
        route.fulfill(status=204)

    context.route("http://pwned.invalid/**", answer_elsewhere)
    frames = "".join(f'<iframe srcdoc="{escape(each.text)}"></iframe>' for each in INJECTIONS)
    context.route("**/bare/", lambda route: route.fulfill(body=frames, content_type="text/html; charset=utf-8"))
    context.add_init_script("top.ran ??= new Set(); window.pwned = (number) => top.ran.add(number);")
    page.goto(f"{live_server.url}/bare/")
    ran = page.evaluate("[...window.ran]")
    assert len(ran) > 50
    assert len(asked) > 15


def test_copy_button_copies_and_confirms(page, show, context, wrongs):
    code = f"{CODE}\n\tx = '\u202e'  # <b>&amp;</b>\n"
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    show(render_markdown(f"Look:\n\n```py\n{code}```\n\n```\nother\n```"))
    button = page.get_by_role("button", name="Copy").first
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    expect(page.locator("[aria-live=polite]", has_text="Copied")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == code.removesuffix("\n")
    expect(page.get_by_role("button", name="Copied")).to_have_count(0)
    assert wrongs == []


@pytest.mark.long
def test_copy_button_works_without_clipboard_api(page, show, context, wrongs):
    """As on a site without HTTPS."""
    context.grant_permissions(["clipboard-read"])
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', {value: undefined})")
    show(render_code("one\n  two", "python") + '<textarea id="there"></textarea>')
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.locator("#there").focus()
    page.keyboard.press("Control+v")
    expect(page.locator("#there")).to_have_value("one\n  two")
    assert wrongs == []


CONTRAST = """(root) => {
    const pixel = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const rgb = (colour) => {
        pixel.clearRect(0, 0, 1, 1); pixel.fillStyle = colour; pixel.fillRect(0, 0, 1, 1);
        return [...pixel.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const background = (each) => {
        for (; each; each = each.parentElement) {
            const colour = rgb(getComputedStyle(each).backgroundColor);
            if (colour[3] === 255) return colour;
        }
    };
    return [...root.querySelectorAll("*")].filter((each) => [...each.childNodes].some((node) => node.nodeType === 3
        && node.data.trim())).map((each) => {
            const [a, b] = [light(rgb(getComputedStyle(each).color)), light(background(each))];
            return [each.localName + "." + each.className, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
        });
}"""
MESSAGE = f"""## Plan

Do *this*, **that** and ~~not~~ `code`, see [the docs](https://example.org/{"x" * 200}).

> as agreed

1. one
2. two

|name|{"|".join(f"column {number}" for number in range(20))}|
|-|{"-|" * 20}
|x|{"long words |" * 20}

```python
{CODE}    {"wide = " * 60}1
```

```diff
- old
+ new
```

`\u202e` {"W" * 500}
"""


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_rendered_text_fits_phone_with_enough_contrast(page, show, wrongs, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(PHONE)
    show(render_markdown(MESSAGE) + render_code(CODE, "python"))
    expect(page.locator("html")).to_have_class("dark" if scheme == "dark" else "")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for wide in (".code pre", ".markdown-table"):
        box = page.locator(wide).first
        assert box.evaluate("(each) => each.scrollWidth > each.clientWidth")
        assert box.bounding_box()["width"] < PHONE["width"]
    contrasts = page.locator("#others").evaluate(CONTRAST)
    names = {name for name, _ in contrasts}
    assert {f"span.code-{colour}" for colour in ("keyword", "string", "comment", "number", "name", "detail")} <= names
    assert {"span.code-inserted", "span.code-deleted", "h5.", "a.", "th.", "button.code-copy"} <= names
    assert [(name, ratio) for name, ratio in contrasts if ratio < 4.5] == []
    assert wrongs == []
