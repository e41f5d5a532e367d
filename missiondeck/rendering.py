"""Safe HTML of what others wrote: messages in CommonMark, code in colours.

What is written here is hostile by default. HTML in a message is text; a link leads to http, https or mailto or is
text; an image is a link, so that nothing is loaded. All of it goes through nh3 in the end, which lets only the tags
and attributes of `_ALLOWED` onto a page. `markdown.css` has the colours, `copy.js` the copy buttons.
"""

import re
import time
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from html import escape

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it import token as markdown
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from pygments.lexer import Lexer
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String, Token

# A message beyond one of these is shown as it was written. Within them it takes well under a second, whatever is in it.
MESSAGE_CHARACTERS = 100_000
MESSAGE_LINES = 10_000
MESSAGE_BLOCKS = 20_000
MESSAGE_STEPS = 25_000
# Code longer than this has no colours; nor has what is left when they have taken this much of the processor's time.
COLOURED_CHARACTERS = 50_000
COLOURING_SECONDS = 0.5
# Languages that get colours, by the names pygments has for them. Left out are those it reads whole before it says a
# first word (sessions, templates in HTML) or that lead to any other (HTTP): their time could not be limited.
_COLOURED = """
Bash|Batchfile|C|C#|C++|CMake|CSS|Clojure|Dart|Diff|Django/Jinja|Docker|Elixir|Erlang|F#|Gherkin|Go|GraphQL|Groovy|HTML
Haskell|INI|JSON|JSON5|JSX|Java|JavaScript|Julia|Kotlin|LessCss|Lua|Makefile|Markdown|MySQL|Nginx configuration file
Objective-C|PHP|PL/pgSQL|Perl|PostgreSQL SQL dialect|PowerShell|Properties|Protocol Buffer|Python|Python Traceback|Ruby
Rust|S|SCSS|SQL|Sass|Scala|Solidity|Swift|TOML|TSX|Terraform|TypeScript|Vue|XML|YAML|reStructuredText
"""
# What a message may call them: `py` is Python.
LANGUAGES = {
    alias: name
    for name, aliases, _, _ in get_all_lexers(plugins=False)
    if name in _COLOURED.replace("\n", "|").split("|")
    for alias in aliases
}
# The colours there are, each a class of `markdown.css`; what pygments tells apart beyond them looks alike.
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
# Characters that turn the direction of what follows, or move a terminal's cursor: code is not what it looks like.
_HIDDEN = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# The page has its own h1 to h3.
_HEADINGS = {"h1": "h4", "h2": "h5", "h3": "h6", "h4": "h6", "h5": "h6"}


class _TooComplex(Exception):
    """The message asks for more work than a message may."""


class _TimeBudget:
    """What is left for colouring one message or one piece of code, in seconds of this thread."""

    def __init__(self, seconds: float) -> None:
        self.end = time.thread_time() + seconds

    def is_exceeded(self) -> bool:
        return time.thread_time() > self.end

    @contextmanager
    def paused(self) -> Iterator[None]:
        began = time.thread_time()
        yield
        self.end += time.thread_time() - began


def render_markdown(text: str) -> SafeString:
    """A message as HTML: a div of class `words`."""
    text = _readable(text)
    try:
        if len(text) > MESSAGE_CHARACTERS or text.count("\n") > MESSAGE_LINES:
            raise _TooComplex
        inside = _MARKDOWN.render(text, {"steps": 0, "colouring": _TimeBudget(COLOURING_SECONDS)})
    except _TooComplex:
        inside = (
            '<p class="markdown-note">Too long to be formatted: shown as it was written.</p>'
            f'<div class="markdown-plain">{escape(text)}</div>'
        )
    return _safe(f'<div class="markdown" dir="auto">{inside}</div>')


def render_code(code: str, language: str) -> SafeString:
    """Code as HTML: a figure of class `code` with the name of its language, a copy button and colours.

    language: one of `LANGUAGES`; code in any other, or that would take too long, has no colours.
    """
    return _safe(_figure(_readable(code), _readable(language), _TimeBudget(COLOURING_SECONDS)))


def _readable(text: str) -> str:
    """Without what HTML cannot hold, as `textContent` will give it back."""
    text = text.encode(errors="replace").decode()
    return text.replace("\x00", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")


# --- Code ---------------------------------------------------------------------------------------


def _figure(code: str, language: str, seconds: _TimeBudget) -> str:
    label = "".join(filter(str.isprintable, language)).strip()[:40]
    # A process that meets a language for the first time makes itself ready for it: no fault of the code.
    with seconds.paused():
        lexer = _lexer(label, code)
    name = lexer.name if lexer else label
    inside = (_coloured(code, lexer, seconds) if lexer else None) or escape(code)
    return (
        f'<figure class="code"><figcaption><span class="code-language">{escape(name or "Code")}</span>'
        '<button type="button" class="code-copy" data-copy-code data-copied="Copied">Copy</button></figcaption>'
        f'<pre tabindex="0" dir="ltr"><code>{_mark_hidden(inside)}</code></pre></figure>'
    )


def _lexer(language: str, code: str) -> Lexer | None:
    if language.lower() not in LANGUAGES:
        return None
    # Code in what is itself a text about code may be in any language: it stays plain. PHP often comes without its tag.
    return get_lexer_by_name(language, handlecodeblocks=False, startinline="<?" not in code)


def _coloured(code: str, lexer: Lexer, seconds: _TimeBudget) -> str | None:
    """The code with a span for each colour; None where that would take too long."""
    if len(code) > COLOURED_CHARACTERS:
        return None
    parts, last = [], None
    # Unprocessed: nothing is stripped, so that a copy is exact. Some know a line by its end, also the last one.
    for start, kind, part in lexer.get_tokens_unprocessed(code + "\n"):
        if seconds.is_exceeded():
            return None
        colour = _colour(kind)
        if colour != last:
            parts.append(("</span>" if last else "") + (f'<span class="code-{colour}">' if colour else ""))
            last = colour
        parts.append(escape(part[: len(code) - start]))
    return "".join(parts) + ("</span>" if last else "")


def _colour(kind) -> str | None:
    return _COLOURS[kind] if kind in _COLOURS else _colour(kind.parent)


def _mark_hidden(markup: str) -> str:
    """Name the hidden characters between the tags, and keep them, so that a copy is exact."""
    return _HIDDEN.sub(lambda found: f'<span data-hidden="U+{ord(found[0]):04X}">{found[0]}</span>', markup)


# --- Markdown -----------------------------------------------------------------------------------


def _is_allowed_link(address: str) -> bool:
    return _ADDRESS.match(address) is not None


def _count_block(state: StateBlock, line: int, last_line: int, silent: bool) -> bool:
    if len(state.tokens) > MESSAGE_BLOCKS:
        raise _TooComplex
    return False


def _count_blocks(state: StateCore) -> None:
    if len(state.tokens) > MESSAGE_BLOCKS:
        raise _TooComplex


def _count_step(state: StateInline, silent: bool) -> bool:
    # An address in pointed brackets is one step to read and several to write.
    state.env["steps"] += 5 if state.src[state.pos] == "<" else 1
    if state.env["steps"] > MESSAGE_STEPS:
        raise _TooComplex
    return False


def _restrict(state: StateCore) -> None:
    """Headings below the page's own, images as links, alignment as a class."""
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
        label = _MARKDOWN.renderer.renderInlineAsText(token.children or [], _MARKDOWN.options, {})
        text = markdown.Token("text", "", 0, content=label.strip() or "image")
        # A link holds no link: there, what was drawn is only named.
        link = markdown.Token("link_open", "a", 1, attrs={"href": token.attrs["src"]})
        kept += [text] if in_link else [link, text, markdown.Token("link_close", "a", -1)]
    return kept


def _code_block(renderer, tokens: Sequence[markdown.Token], index: int, options, env: MutableMapping) -> str:
    token = tokens[index]
    return _figure(token.content.removesuffix("\n"), (token.info.split() or [""])[0], env["colouring"])


def _inline_code(renderer, tokens: Sequence[markdown.Token], index: int, options, env: MutableMapping) -> str:
    return f"<code>{_mark_hidden(escape(tokens[index].content))}</code>"


def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    made.validateLink = _is_allowed_link
    made.block.ruler.before("table", "count", _count_block)
    made.inline.ruler.before("text", "count", _count_step)
    made.core.ruler.after("block", "count", _count_blocks)
    made.core.ruler.push("restrict", _restrict)
    made.add_render_rule("fence", _code_block)
    made.add_render_rule("code_block", _code_block)
    made.add_render_rule("code_inline", _inline_code)
    made.add_render_rule("table_open", lambda *_: '<div class="markdown-table" tabindex="0"><table>')
    made.add_render_rule("table_close", lambda *_: "</table></div>")
    return made


_MARKDOWN = _markdown()

# --- What may stand on a page -------------------------------------------------------------------

_TAGS = "p br hr em strong s code pre blockquote ul ol li a h4 h5 h6 table thead tbody tr th td div"
_ALLOWED = nh3.Cleaner(
    tags={*_TAGS.split(), "figure", "figcaption", "span", "button"},
    clean_content_tags=set(),
    attributes={
        "a": {"href", "title"},
        "ol": {"start"},
        "span": {"data-hidden"},
        "button": {"data-copy-code", "data-copied"},
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
        "span": {"code-language", *(f"code-{colour}" for colour in _COLOURS.values() if colour)},
    },
    url_schemes=set(SCHEMES),
    url_relative="deny",
    link_rel="nofollow noopener noreferrer",
)


def _safe(markup: str) -> SafeString:
    return SafeString(_ALLOWED.clean(markup))
