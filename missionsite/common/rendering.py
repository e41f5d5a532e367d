"""Renders untrusted texts (CommonMark) and code with syntax highlighting as safe HTML.

HTML in a text becomes text. Links must be http, https or mailto, otherwise they become text. Images become links, so
that nothing is loaded. Bare https URLs, task lists, and the mentions and references that the caller knows are rendered
too: see `markdown_links`. nh3 then removes all tags and attributes that are not in `_ALLOWED`. `markdown.css` has the
colours, `copy_code.js` the copy buttons.
"""

import re
import time
from collections.abc import Collection, Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any, Protocol, TypeVar, cast

import nh3
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from markdown_it import MarkdownIt
from markdown_it import token as markdown
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from pygments.lexer import Lexer
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String, Token

from missionsite.common.markdown_links import Links, add_links

# A longer text, or one beyond another of these limits, is shown as plain text. Within them, rendering takes well under
# a second.
LONGEST_TEXT = 100_000
MESSAGE_LINES = 10_000
MESSAGE_BLOCKS = 20_000
MESSAGE_STEPS = 25_000
# Longer code is not highlighted, nor is code after this much processor time was spent on highlighting.
COLOURED_CHARACTERS = 50_000
COLOURING_SECONDS = 0.5
# Highlighted languages, by their pygments names. Excluded are lexers that read the whole text before the first token
# (sessions, templates in HTML) or delegate to any other lexer (HTTP), because their time cannot be limited.
_COLOURED = """
Bash|Batchfile|C|C#|C++|CMake|CSS|Clojure|Dart|Diff|Django/Jinja|Docker|Elixir|Erlang|F#|Gherkin|Go|GraphQL|Groovy|HTML
Haskell|INI|JSON|JSON5|JSX|Java|JavaScript|Julia|Kotlin|LessCss|Lua|Makefile|Markdown|MySQL|Nginx configuration file
Objective-C|PHP|PL/pgSQL|Perl|PostgreSQL SQL dialect|PowerShell|Properties|Protocol Buffer|Python|Python Traceback|Ruby
Rust|S|SCSS|SQL|Sass|Scala|Solidity|Swift|TOML|TSX|Terraform|TypeScript|Vue|XML|YAML|reStructuredText
"""
# Accepted aliases, such as `py` for Python.
LANGUAGES = {
    alias: name
    for name, aliases, _, _ in get_all_lexers(plugins=False)
    if name in _COLOURED.replace("\n", "|").split("|")
    for alias in aliases
}
# The colour of a token type: a class of `markdown.css`. Subtypes have the colour of their parent.
_COLOURS = {
    Token: None,
    Comment: "comment",
    Keyword: "keyword",
    Operator.Word: "keyword",
    String: "string",
    Number: "number",
    Keyword.Constant: "number",
    Name.Function: "name",
    Name.Class: "name",
    Name.Decorator: "name",
    Name.Tag: "name",
    Name.Attribute: "detail",
    Name.Builtin: "detail",
    Name.Exception: "detail",
    Name.Variable: "detail",
    Generic.Heading: "name",
    Generic.Subheading: "name",
    Generic.Deleted: "deleted",
    Generic.Inserted: "inserted",
    Generic.Emph: "detail",
    Generic.Strong: "keyword",
}

SCHEMES = frozenset({"http", "https", "mailto"})
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s/]", re.IGNORECASE)
_PATH = re.compile(r"/[A-Za-z0-9?#]")
# Characters that change the text direction or control a terminal, which can hide what code does.
_HIDDEN = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# The page uses h1 to h3 itself.
_HEADINGS = {"h1": "h4", "h2": "h5", "h3": "h6", "h4": "h6", "h5": "h6"}


class _TooComplex(Exception):
    """The message exceeds a rendering limit."""


class _TimeBudget:
    """The remaining highlighting time for one message or code block, in processor seconds of this thread."""

    def __init__(self, seconds: float) -> None:
        self.end = time.thread_time() + seconds

    def is_exceeded(self) -> bool:
        return time.thread_time() > self.end

    @contextmanager
    def paused(self) -> Iterator[None]:
        began = time.thread_time()
        yield
        self.end += time.thread_time() - began


def render_markdown(text: str, links: Links | None = None) -> SafeString:
    """Render a message as HTML: a div with the class `markdown`. links: what mentions and references link to."""
    text = _readable(text)
    try:
        _check_length(text)
        inside = _MARKDOWN.render(text, {"steps": 0, "colouring": _TimeBudget(COLOURING_SECONDS), "links": links})
    except _TooComplex:
        note = escape(gettext("Shown without formatting: this message is too long."))
        inside = f'<p class="markdown-note">{note}</p><div class="markdown-plain">{escape(text)}</div>'
    return _safe(f'<div class="markdown" dir="auto">{inside}</div>')


def mentioned_names(text: str, names: Iterable[str]) -> set[str]:
    """Which of the names are mentioned with an @, in lower case; in code, links and too long messages none are."""
    env: dict[str, Any] = {"steps": 0, "links": Links(dict.fromkeys(names, "")), "mentioned": set()}
    text = _readable(text)
    try:
        _check_length(text)
        _MARKDOWN.parse(text, env)
    except _TooComplex:
        return set()
    return env["mentioned"]


class Mentionable(Protocol):
    """A person whom a text can mention: an account."""

    pk: Any
    member_id: Any
    display_name: Any


Person = TypeVar("Person", bound=Mentionable)


def mentioned_people(text: str, people: Collection[Person]) -> list[Person]:
    """The people whose member ID or whole name stands after an @ in a text in CommonMark, outside of code and links."""
    names = {person.pk: {person.member_id.casefold(), person.display_name.casefold()} for person in people}
    found = mentioned_names(text, set().union(*names.values()) - {""}) if "@" in text else set()
    return [person for person in people if names[person.pk] & found]


def _check_length(text: str) -> None:
    if len(text) > LONGEST_TEXT or text.count("\n") > MESSAGE_LINES:
        raise _TooComplex


def render_code(code: str, language: str) -> SafeString:
    """Render code as HTML: a figure with the class `code`, its language, a copy button and highlighting.

    language: one of `LANGUAGES`; code in another language, or that takes too long, is not highlighted.
    """
    return _safe(_figure(_readable(code), _readable(language), _TimeBudget(COLOURING_SECONDS)))


def _readable(text: str) -> str:
    """Normalize line ends and replace NUL and lone surrogates, so that `textContent` returns the same text."""
    text = text.encode(errors="replace").decode()
    return text.replace("\x00", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")


# --- Code ---------------------------------------------------------------------------------------


def _figure(code: str, language: str, seconds: _TimeBudget) -> str:
    label = "".join(filter(str.isprintable, language)).strip()[:40]
    # Loading a lexer for the first time is slow and does not count.
    with seconds.paused():
        lexer = _lexer(label, code)
    name = lexer.name if lexer else label
    inside = (_coloured(code, lexer, seconds) if lexer else None) or escape(code)
    return (
        f'<figure class="code"><figcaption><span class="code-language">{escape(name or gettext("Code"))}</span>'
        f'<button type="button" class="code-copy" data-copy-code data-copied="{escape(gettext("Copied"))}"'
        f' data-manual="{escape(gettext("Press Ctrl+C"))}">{escape(gettext("Copy"))}</button></figcaption>'
        f'<pre tabindex="0" dir="ltr"><code>{_mark_hidden(inside)}</code></pre></figure>'
    )


def _lexer(language: str, code: str) -> Lexer | None:
    if language.lower() not in LANGUAGES:
        return None
    # Nested code blocks are not highlighted, because their time cannot be limited. PHP often comes without its tag.
    return get_lexer_by_name(language, handlecodeblocks=False, startinline="<?" not in code)


def _coloured(code: str, lexer: Lexer, seconds: _TimeBudget) -> str | None:
    """The code with a span for each colour; None if that takes too long."""
    if len(code) > COLOURED_CHARACTERS:
        return None
    parts, last = [], None
    # Unprocessed, so that a copy is exact. The added line end is needed by lexers that match whole lines.
    for start, kind, part in lexer.get_tokens_unprocessed(code + "\n"):
        if seconds.is_exceeded():
            return None
        colour = _colour(kind)
        if colour != last:
            parts.append(("</span>" if last else "") + (f'<span class="code-{colour}">' if colour else ""))
            last = colour
        parts.append(escape(part[: len(code) - start]))
    return "".join(parts) + ("</span>" if last else "")


def _colour(kind: Any) -> str | None:
    return _COLOURS[kind] if kind in _COLOURS else _colour(kind.parent)


def _mark_hidden(markup: str) -> str:
    """Wrap hidden characters in a span that names them; they stay in the text, so that a copy is exact."""
    return _HIDDEN.sub(lambda found: f'<span data-hidden="U+{ord(found[0]):04X}">{found[0]}</span>', markup)


# --- Markdown -----------------------------------------------------------------------------------


def _is_allowed_link(url: str) -> bool:
    return _ADDRESS.match(url) is not None


def _count_block(state: StateBlock, line: int, last_line: int, silent: bool) -> bool:
    if len(state.tokens) > MESSAGE_BLOCKS:
        raise _TooComplex
    return False


def _count_blocks(state: StateCore) -> None:
    if len(state.tokens) > MESSAGE_BLOCKS:
        raise _TooComplex


def _count_step(state: StateInline, silent: bool) -> bool:
    # An autolink is parsed in one step but rendered in several.
    state.env["steps"] += 5 if state.src[state.pos] == "<" else 1
    if state.env["steps"] > MESSAGE_STEPS:
        raise _TooComplex
    return False


def _restrict(state: StateCore) -> None:
    """Lower headings, turn images into links and alignment into a class."""
    for token in state.tokens:
        token.tag = _HEADINGS.get(token.tag, token.tag)
        if align := token.attrs.pop("style", None):
            token.attrs["class"] = str(align).replace("text-align:", "markdown-")
        if token.children:
            token.children = _without_images(token.children)


def _without_images(tokens: Sequence[markdown.Token]) -> list[markdown.Token]:
    kept, in_link = [], False
    for token in tokens:
        in_link = token.type == "link_open" or (in_link and token.type != "link_close")
        if token.type != "image":
            kept.append(token)
            continue
        label = _RENDERER.renderInlineAsText(token.children or [], _MARKDOWN.options, {})
        text = markdown.Token("text", "", 0, content=label.strip() or "image")
        # A link cannot contain a link: there the image becomes text.
        link = markdown.Token("link_open", "a", 1, attrs={"href": token.attrs["src"]})
        kept += [text] if in_link else [link, text, markdown.Token("link_close", "a", -1)]
    return kept


def _code_block(renderer: Any, tokens: Sequence[markdown.Token], index: int, options: Any, env: MutableMapping) -> str:
    token = tokens[index]
    return _figure(token.content.removesuffix("\n"), (token.info.split() or [""])[0], env["colouring"])


def _inline_code(renderer: Any, tokens: Sequence[markdown.Token], index: int, options: Any, env: MutableMapping) -> str:
    return f"<code>{_mark_hidden(escape(tokens[index].content))}</code>"


def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    made.validateLink = _is_allowed_link  # type: ignore[method-assign]  # how markdown-it-py is configured
    made.block.ruler.before("table", "count", _count_block)
    made.inline.ruler.before("text", "count", _count_step)
    made.core.ruler.after("block", "count", _count_blocks)
    add_links(made)
    made.core.ruler.push("restrict", _restrict)
    made.add_render_rule("fence", _code_block)
    made.add_render_rule("code_block", _code_block)
    made.add_render_rule("code_inline", _inline_code)
    made.add_render_rule("table_open", lambda *_: '<div class="markdown-table" tabindex="0"><table>')
    made.add_render_rule("table_close", lambda *_: "</table></div>")
    return made


_MARKDOWN = _markdown()
_RENDERER = cast(RendererHTML, _MARKDOWN.renderer)

# --- Sanitizing ---------------------------------------------------------------------------------


def _without_other_paths(tag: str, attribute: str, value: str) -> str | None:
    """Remove URLs that are neither allowed links nor paths of this site."""
    if attribute == "href" and not _is_allowed_link(value) and not _PATH.match(value):
        return None
    return value


_TAGS = "p br hr em strong s code pre blockquote ul ol li a h4 h5 h6 table thead tbody tr th td div"
_ALLOWED = nh3.Cleaner(
    tags={*_TAGS.split(), "figure", "figcaption", "span", "button"},
    clean_content_tags=set(),
    attributes={
        "a": {"href", "title"},
        "ol": {"start"},
        "span": {"data-hidden"},
        "button": {"data-copy-code", "data-copied", "data-manual"},
    },
    tag_attribute_values={
        "button": {"type": {"button"}},
        "div": {"dir": {"auto"}, "tabindex": {"0"}},
        "pre": {"dir": {"ltr"}, "tabindex": {"0"}},
    },
    allowed_classes={
        "div": {"markdown", "markdown-plain", "markdown-table"},
        "p": {"markdown-note"},
        "th": {"markdown-left", "markdown-center", "markdown-right"},
        "td": {"markdown-left", "markdown-center", "markdown-right"},
        "figure": {"code"},
        "button": {"code-copy"},
        "span": {"code-language", "markdown-task", *(f"code-{colour}" for colour in _COLOURS.values() if colour)},
    },
    url_schemes=set(SCHEMES),
    # Only `Links` have paths of this site: `_is_allowed_link` rejects those of a text.
    url_relative="pass_through",
    attribute_filter=_without_other_paths,
    link_rel="nofollow noopener noreferrer",
)


def _safe(markup: str) -> SafeString:
    return SafeString(_ALLOWED.clean(markup))
