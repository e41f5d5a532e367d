"""Additions to CommonMark: bare https links, task lists, and links of mentions (@name) and references (#47).

A link, code or an escaped sign (\\@, \\#) is no mention. `rendering` limits the size of texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

_URL = re.compile(r"://[A-Za-z0-9][^\s<>\"'`|\\^{}\[\]\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*")
# What ends a sentence or emphasis around a URL.
_ENDS = ".,;:!?*_~"
_REFERENCE = re.compile(r"#([1-9][0-9]{0,9})(?!\w)")
_TASK = re.compile(r"\[([ xX])\]\s+(?=\S)")


@dataclass(frozen=True)
class Links:
    """What mentions and references link to. names: names with their URLs, "" for none. numbers: with their URLs."""

    names: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def urls(self) -> dict[str, str]:
        return {name.casefold(): url for name, url in self.names.items() if name}

    @cached_property
    def pattern(self) -> re.Pattern | None:
        """An @ with one of the names, the longest that fits; None without names."""
        names = sorted(filter(None, self.names), key=len, reverse=True)
        return re.compile(rf"@({'|'.join(map(re.escape, names))})(?!\w)", re.IGNORECASE) if names else None


def numbers_in(text: str) -> set[int]:
    """The numbers that may be references."""
    return {int(number) for number in _REFERENCE.findall(text)}


def add_links(markdown: MarkdownIt) -> None:
    """Add the rules. env: "links" has the `Links`; mentioned names are added to "mentioned"."""
    markdown.inline.ruler.before("text", "bare_link", _bare_link)
    markdown.inline.ruler.before("text", "reference", _reference)
    markdown.inline.ruler.before("text", "mention", _mention)
    markdown.core.ruler.after("inline", "tasks", _tasks)
    markdown.add_render_rule("task_done", lambda *_: '<span class="markdown-task">\u2611</span> ')
    markdown.add_render_rule("task_open", lambda *_: '<span class="markdown-task">\u2610</span> ')


def _bare_link(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != ":" or state.linkLevel or not state.pending.endswith("https"):
        return False
    before = state.pending[:-5]
    if (before and (before[-1].isalnum() or before[-1] in "_+.-")) or not (found := _URL.match(state.src, state.pos)):
        return False
    text = _without_end(found[0])
    if len(text) <= len("://"):
        return False
    if not silent:
        state.pending = before
        _push_link(state, f"https{text}", f"https{text}")
    state.env["steps"] += 5
    state.pos += len(text)
    return True


def _without_end(url: str) -> str:
    """A URL without the punctuation after it, and without a closing parenthesis that it does not open."""
    while url and (url[-1] in _ENDS or (url[-1] == ")" and url.count(")") > url.count("("))):
        url = url[:-1]
    return url


def _reference(state: StateInline, silent: bool) -> bool:
    links: Links | None = state.env.get("links")
    if state.src[state.pos] != "#" or links is None or state.linkLevel or _is_inside_word(state):
        return False
    found = _REFERENCE.match(state.src, state.pos)
    if found is None or not (url := links.numbers.get(int(found[1]))):
        return False
    if not silent:
        _push_link(state, url, found[0])
    state.pos = found.end()
    return True


def _mention(state: StateInline, silent: bool) -> bool:
    links: Links | None = state.env.get("links")
    if state.src[state.pos] != "@" or links is None or links.pattern is None or state.linkLevel:
        return False
    if _is_inside_word(state) or not (found := links.pattern.match(state.src, state.pos)):
        return False
    name = found[1].casefold()
    if not silent:
        state.env.setdefault("mentioned", set()).add(name)
        if url := links.urls.get(name):
            _push_link(state, url, found[0])
        else:
            state.pending += found[0]
    state.pos = found.end()
    return True


def _is_inside_word(state: StateInline) -> bool:
    """Whether a sign follows a word, a path or another sign, as in an address or a URL."""
    before = state.src[state.pos - 1 : state.pos] if state.pos else ""
    return before.isalnum() or before in tuple("_/#@&-.")


def _push_link(state: StateInline, url: str, text: str) -> None:
    state.push("link_open", "a", 1).attrs = {"href": url}
    state.push("text", "", 0).content = text
    state.push("link_close", "a", -1)


def _tasks(state: StateCore) -> None:
    """Turn `[ ]` and `[x]` at the beginning of a list item into a mark."""
    for before, paragraph, inside in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if (before.type, paragraph.type, inside.type) != ("list_item_open", "paragraph_open", "inline"):
            continue
        first = inside.children[0] if inside.children else None
        if first is not None and first.type == "text" and (found := _TASK.match(inside.content)):
            mark = "open" if found[1] == " " else "done"
            first.content = first.content[len(found[0]) :]
            inside.children = [Token(f"task_{mark}", "", 0), *(inside.children or [])]
