"""List the texts a user can read that are not marked for gettext: `python bin/texts.py [PATH...]`.

Each line is `path:line: text`; the exit status is 1 if there are any. Without paths it reads all packages, with
`--check` only those that `checked` in pyproject.toml (`[tool.missionsite.texts]`) names.

Mark a text with `_("...")`, in a template with {% translate %} or {% blocktranslate %}. An f-string cannot be marked:
write `_("Hello {name}").format(name=name)` or `_("Hello %(name)s") % {"name": name}`; a text with a number that has a
plural is `ngettext("%(count)d task", "%(count)d tasks", count) % {"count": count}`.

Not read: tests, migrations, settings, what only operators see (commands, logs, system checks, internal exceptions,
the embedded server, the demo) and the documentation of the API, which are in English.
"""

import ast
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGES = ("engagement", "fallback", "groups", "missiondeck", "missionsite")
SKIPPED_FOLDERS = {"migrations", "management", "fixtures", "locale", "tests", "vendor"}
SKIPPED = (
    "missionsite/embedded/",
    "missionsite/demo/",
    "missionsite/settings.py",
    "missionsite/environment.py",
    "missionsite/rule_list.py",  # a page of the documentation
    "missionsite/metrics.py",
    "missionsite/telemetry.py",
    "missionsite/common/audit/sealing.py",  # printed by a command
    "missionsite/common/audit/sources.py",  # SQL
    "missionsite/common/backup.py",
    "missionsite/common/checks.py",
    "missionsite/common/document_check.py",
    "missionsite/common/logs.py",
    "missionsite/common/metrics.py",
    "missionsite/common/probes.py",
    "missionsite/common/operations.py",
    "missionsite/common/sql_loader.py",
    "missionsite/common/xlsx_parts.py",  # XML
    "missionsite/common/static/common/api-docs.js",
    "missionsite/static/unfold/",  # Alpine
    "missionsite/common/worker/",
    "groups/rollback.py",  # printed by a command
    "groups/services/validation.py",  # printed by a command
    "groups/services/merging.py",  # SQL
    "engagement/references.py",  # SQL, and marked texts
    "groups/github/",  # logged; pages show the OUTCOMES of the verification
    "engagement/services/default_phrases.py",  # in three languages
    "engagement/services/default_texts.py",  # in both languages
    "engagement/services/intents.py",  # what members write
)
# What is the same in every language.
NAMES = {
    "Missionsite",
    "GitHub",
    "Telegram",
    "API",
    "CSV",
    "JSON",
    "XML",
    "HTML",
    "ID",
    "URL",
    "UTC",
    "English",
    "Mac Roman",
    "Visual Studio (TRX)",
    "Robot Framework",
    "go test",
    "Playwright",
    "Jest",
    "Mocha",
    "Cucumber",
    "DOS 850",
}

GETTEXT = {
    "_",
    *("gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"),
    *("pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"),
}
# Keyword arguments, class attributes and keys of dictionaries whose value is read by a user, also when it is one word.
TEXT_NAMES = re.compile(
    r"^((?!db_|app_)(verbose_name(_plural)?|help_text|label(_suffix)?|short_description|description|violation_error_message"
    r"|message|title|subtitle|text|heading|headline|placeholder|tooltip|caption|summary|hint|subject|question"
    r"|noun_plural|empty_value(_display)?|empty_text|empty_label|add_label|success_message|bulk_title|already_saved|explanation"
    r"|\w+_(label|text|title|message|heading|help_text|description)s?"
    r"|[A-Z_]+_(LABEL|TEXT|TITLE|MESSAGE|HEADING|DESCRIPTION)S?|LABELS|TEXTS|TITLES|MESSAGES|HEADINGS))$"
)
TECHNICAL_NAMES = re.compile(
    r"^(?!verbose_name)(examples?|attrs|name|db_table|db_comment|db_column|related_name|permission|icon|code|constraint|url_path"
    r"|template|template_name|condition|include|app_label|sql|openapi_extra|operation_id|tags|summary_field|__all__|id"
    r"|aria_labelledby|className|classes|opclasses|text_field|label_field|title_field|message_field|media_type"
    r"|content_type|db_table_comment|thread_name_prefix|salt|rel|link_rel|\w+_template|\w+_name|[A-Z_]*NAME|format|pattern)$"
)
# Calls whose texts only operators and developers read.
TECHNICAL_CALLS = re.compile(
    r"^((log|logger|_log|_logger|LOG|logging|warnings|re|checks)\.\w+|print|compile|fullmatch|match|sub|search|Error|Warning"
    r"|execute|executemany|copy|RawSQL|raw|SQL|Identifier|Q|F|Func|Value|RunSQL|getattr|setattr|hasattr|TypeVar|NewType|Literal"
    r"|strftime|strptime|ForeignKey|OneToOneField|ManyToManyField|Trigger|getLogger|cast|reverse|reverse_lazy"
    r"|static|SQLFile|sql_of|get_template|render_to_string|has_perm|Index|GinIndex|Query|Path|Header|Field|startswith"
    r"|endswith|split|splitlines|PageCursor|patch_vary_headers|_Step|removeprefix|removesuffix|encode"
    r"|import_module|create_model|import_string|get_model)$"
)
# What such a function returns is shown, also if it is one word; so is each method with @display.
SHOWN_FUNCTIONS = re.compile(r"^_?(format|describe)(_|$)")
# Functions that show an argument, with its position.
SHOWN_ARGUMENTS = {"_button": 0, "badge": 0, "get": 1, "link_to": 1}
# Exceptions with a message for the user, besides DomainError and its subclasses.
USER_EXCEPTIONS = {"DomainError", "ValidationError", "PermissionDenied", "Http404"}
# Parts of the API's documentation.
DOCUMENTED = {"description", "summary", "title", "examples", "example"}

SQL = re.compile(
    r"^\s*(--|SELECT\b|WITH\b|INSERT\b|UPDATE\b|DELETE FROM\b|CASE\b|ALTER\b|CREATE\b|DROP\b|LOCK\b|NOTIFY\b|LISTEN\b"
    r"|SET\b|COALESCE\b|AND\b|OR\b|NOT\b|FROM\b|WHERE\b|(LEFT )?JOIN\b|GROUP BY|ORDER BY|COPY\b|VALUES\b|EXISTS\b"
    r"|ANALYZE\b|TRUNCATE\b|GRANT\b|REVOKE\b|RESET\b|DECLARE\b|FETCH\b|VACUUM\b|EXPLAIN\b|COUNT\b|RETURNING\b)"
    r"|::\w+|\bIS (NOT )?NULL\b|\b(pg|set|current)_\w+\(|= ANY\b|<> ''|\$\d"
)
TECHNICAL = re.compile(
    r"^[^A-Za-z]*$"  # no letters
    r"|^[a-z0-9_]*[_.:/#@=&?*\[\]\\|<>^~\d][\w.:/#@=&?*%\[\]\\|<>^~+{}-]*$"  # paths, keys, addresses
    r"|^[\w+.-]+://|^/\S*$|^[A-Z0-9_]+$|^[A-Z0-9-]+$"  # addresses, CONSTANTS
    r"|^[A-Z][A-Za-z]*(-[A-Z][A-Za-z]*)+$"  # Header-Names
    r"|^[A-Za-z_]+([A-Z][a-z0-9]+)+$|^[A-Z]\w*\.\w+"  # CamelCase, Class.attribute
    r"|^[a-z-]+(: ?[^ ;]+;?| \w+-\w+)+$|^[\w.*+-]+/[\w.*+-]+"  # CSS, media types
    r"|\w\|\w|\)\?|\\b|\(\?:"  # regular expressions
    r"|'(self|none)'|^Bearer\b|^[a-z ]+:\{\}|^[a-z]+:\S"  # policies of content, keys, search terms
    r"|^%[A-Za-z]( ?[-:/,. ]?%[A-Za-z])*$"  # strftime
)
HEADER = re.compile(r"^(Allow|Link|Location|Vary|[A-Z][A-Za-z]+(-[A-Z][A-Za-z]*)+)$")
SENTENCE = re.compile(r"^[^A-Za-z]*[A-Z](?:[a-z\u2019']+|[A-Z]+)?[,:;.!?\u2019]*( |$)")
WORDS = re.compile(r"[A-Za-z][a-z\u2019'-]+[,.:;!?]? +(?:[A-Za-z][a-z\u2019'-]*|\{)|\} +[a-z]{3,}\b|^[A-Z][a-z]+: ")
# Words in a row that are no phrase: names of tags, classes, verdicts.
WORD_LIST = re.compile(
    r"^(?!.*\b(an|and|at|by|for|from|in|is|it|no|not|of|on|or|the|this|to|with|without)\b)[a-z0-9]+( [a-z0-9]+){4,}$"
)
LETTERS = re.compile(r"[A-Za-zÀ-ÿ]{2,}|\b[A-Za-z]\b")
PLACEHOLDER = re.compile(r"""%\(\w+\)[a-z]|%[sdrf]|\{[^{}]*\}|&\w+;|</?[\w{][^>]*>|\b[\w-]+="[^"]*"|https?://\S+""")

# --- Python -----------------------------------------------------------------------------------


def name_of(node: ast.AST | None) -> str:
    """Return the dotted name of a function or class: `messages.error`."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Subscript):
        return name_of(node.value)
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def last(name: str) -> str:
    return name.rpartition(".")[2]


def error_classes(trees: dict[Path, ast.Module]) -> dict[str, ast.ClassDef]:
    """Return the subclasses of DomainError, by name."""
    classes = {each.name: each for tree in trees.values() for each in ast.walk(tree) if isinstance(each, ast.ClassDef)}
    found = {"DomainError"}
    bases = {name: {last(name_of(base)) for base in each.bases} for name, each in classes.items()}
    while more := {name for name in classes if name not in found and bases[name] & found}:
        found |= more
    return {name: classes[name] for name in found if name in classes}


def keys_of(trees: dict[Path, ast.Module]) -> set[str]:
    """Return the keys of dictionaries that look like phrases ("not xml"): the same literal elsewhere is a key too."""
    dicts = [each for tree in trees.values() for each in ast.walk(tree) if isinstance(each, ast.Dict)]
    keys = [key for each in dicts for key in each.keys]
    values = {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return {value for value in values if value == value.lower() and " " in value}


class PythonTexts:
    """Finds the unmarked texts of one module."""

    def __init__(self, path: Path, tree: ast.Module, errors: dict[str, ast.ClassDef], codes: set[str]) -> None:
        self.tree = tree
        self.codes = codes
        self.errors = errors
        self.is_api = "api" in path.parts or path.name == "api.py"
        self.parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}

    def find(self) -> Iterator[tuple[int, str]]:
        """Yield (line, text) of each unmarked text."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef) and node.name in self.errors and node.name != "DomainError":
                if not self._has_message(node):
                    yield node.lineno, f"{node.name}: the docstring is the message; add message = _(...)"
            elif isinstance(node, ast.JoinedStr) and not isinstance(self.parents[node], ast.FormattedValue):
                text = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
                if self._is_in_gettext(node):
                    if LETTERS.search(text):
                        yield node.lineno, f"{text} (an f-string is not translated: use .format())"
                elif self._is_text(node, text):
                    yield node.lineno, f"{text} (f-string)"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                if isinstance(self.parents[node], ast.JoinedStr | ast.Expr):
                    continue
                if not self._is_in_gettext(node) and self._is_text(node, node.value):
                    yield node.lineno, node.value

    def _has_message(self, node: ast.ClassDef) -> bool:
        """Whether an error has a marked message of its own, of a base class, or one made in __init__."""
        for statement in node.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
            if any(isinstance(target, ast.Name) and target.id == "message" for target in targets):
                return True
            if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
                calls = [each for each in ast.walk(statement) if isinstance(each, ast.Call)]
                if any(last(name_of(each)) == "__init__" and (each.args or each.keywords) for each in calls):
                    return True
        bases = {last(name_of(base)) for base in node.bases} - {"DomainError"}
        return any(self._has_message(self.errors[base]) for base in bases & self.errors.keys())

    def _is_in_gettext(self, node: ast.AST) -> bool:
        parent = self.parents[node]
        return isinstance(parent, ast.Call) and node in parent.args and last(name_of(parent)) in GETTEXT

    def _is_text(self, node: ast.AST, text: str) -> bool:
        bare = PLACEHOLDER.sub("{}", text).strip()
        if not LETTERS.search(bare.replace("{}", "")) or bare in NAMES or SQL.search(text):
            return False
        context = self._context(node)
        if context == "technical" or text in self.codes:
            return False
        if context == "text":
            return not re.search(r"[a-z]_[a-z]|^[a-z]+\.[a-z]|^[/#]", bare) and bare != "__all__"
        if TECHNICAL.search(bare):
            return False
        if context == "word":
            return bool(SENTENCE.match(bare) or (WORDS.search(bare) and not WORD_LIST.match(bare)))
        return bool(WORDS.search(bare)) and not WORD_LIST.match(bare)

    def _context(self, node: ast.AST) -> str:
        """Return what a literal is here.

        "technical": no text; "text": a text, also if it is one word; "word": a text if it is a capitalised word or a
        phrase; "": a text if it is a phrase.
        """
        if self._is_shown(node):
            return "text"
        found, child, parent = "", node, self.parents[node]
        if isinstance(parent, ast.Tuple) and len(parent.elts) == 2 and parent.elts[1] is node:
            found = "word"
        if isinstance(parent, ast.Tuple) and parent.elts[0] is node and len(parent.elts) == 2:
            # A heading with its cell; two literals are a pair of names.
            found = "" if isinstance(parent.elts[1], ast.Constant) else "word"
        while not isinstance(parent, ast.Module):
            match parent:
                case ast.Subscript() if parent.slice is child:
                    return "technical"
                case ast.Compare() | ast.MatchValue() | ast.Assert():
                    return "technical"
                case ast.AnnAssign() if child is not parent.value:
                    return "technical"
                case ast.Attribute() if parent.attr in {"split", "splitlines", "format_map"} and child is node:
                    return "technical"
                case ast.arg() | ast.MatchMapping():
                    return "technical"
                case ast.FunctionDef() if child is parent.returns:
                    return "technical"
                case ast.Dict() if child in parent.keys:
                    return "technical"
                case ast.Dict() if any(last(name_of(key)) == "PT_BR" for key in parent.keys):
                    return "technical"  # one text per language
                case ast.Dict():
                    key = parent.keys[parent.values.index(child)]
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        if TECHNICAL_NAMES.match(key.value) or (self.is_api and key.value in DOCUMENTED):
                            return "technical"
                        if TEXT_NAMES.match(key.value) and child is node:
                            return "text"
                    found = found or "word"
                case ast.keyword():
                    call = self.parents[parent]
                    if TECHNICAL_NAMES.match(parent.arg or "") or (self.is_api and parent.arg in DOCUMENTED):
                        return "technical"
                    if isinstance(call, ast.ClassDef):
                        return "technical"
                    if TEXT_NAMES.match(parent.arg or "") and self._is_value(node, parent):
                        return "text"
                case ast.Call():
                    if self._is_technical_call(parent):
                        return "technical"
                    name = name_of(parent)
                    if last(name) in {"get", "setdefault", "pop"} and parent.args[:1] == [node]:
                        return "technical"
                    if name.startswith("models.") and name.endswith("Field") and parent.args[:1] == [node]:
                        return "text"
                    if last(name) in {"badge", "label"} and parent.args[:1] == [node]:
                        return "text"
                    if last(name)[:1].isupper() or name.startswith("messages.") or last(name) == "add_error":
                        found = found or "word"
                case ast.Raise():
                    name = last(name_of(parent.exc))
                    if name and name not in USER_EXCEPTIONS and name not in self.errors:
                        return "technical"
                case ast.Return() | ast.IfExp():
                    if self._is_value(node, parent):
                        found = found or "word"
                case ast.Assign() | ast.AnnAssign():
                    names = self._target_names(parent)
                    is_value = self._is_value(node, parent)
                    if is_value and any(TECHNICAL_NAMES.match(name) or HEADER.match(name) for name in names):
                        return "technical"
                    if self.is_api and DOCUMENTED & names:
                        return "technical"
                    if names == {"label"} and self._is_app_config(parent):
                        return "technical"
                    if is_value and any(TEXT_NAMES.match(name) for name in names):
                        return "text"
                case ast.ClassDef():
                    bases = {last(name_of(base)) for base in parent.bases}
                    if bases & {"TextChoices", "IntegerChoices"}:
                        # The stored value, then the label.
                        pair = self.parents[node]
                        return (
                            found if isinstance(pair, ast.Tuple) and pair.elts[0] is not node and found else "technical"
                        )
                    return found
                case ast.FunctionDef():
                    return found
            child, parent = parent, self.parents[parent]
        return found

    def _is_shown(self, node: ast.AST) -> bool:
        """Whether a method with @display, or a function of SHOWN_FUNCTIONS, returns a literal or a text with it."""
        child, parent = node, self.parents[node]
        while not isinstance(parent, ast.Return):
            match parent:
                case ast.BoolOp() | ast.BinOp() | ast.List() | ast.Starred():
                    pass
                case ast.JoinedStr() | ast.FormattedValue():
                    pass
                case ast.IfExp() if child is not parent.test:
                    pass
                case ast.Tuple() if child is not parent.elts[0]:
                    pass  # the first one is a key
                case ast.Attribute() if parent.attr in {"format", "join"}:
                    pass
                case ast.Call() if child is parent.func or last(name_of(parent)) == "join":
                    pass
                case ast.Call() if self._is_shown_argument(child, parent):
                    pass
                case _:
                    return False
            child, parent = parent, self.parents[parent]
        while not isinstance(parent, ast.FunctionDef):
            parent = self.parents[parent]
        decorators = {last(name_of(each)) for each in parent.decorator_list}
        return "display" in decorators or bool(SHOWN_FUNCTIONS.match(parent.name))

    @staticmethod
    def _is_shown_argument(argument: ast.AST, call: ast.Call) -> bool:
        position = SHOWN_ARGUMENTS.get(last(name_of(call)) or getattr(call.func, "attr", ""))
        return position is not None and call.args[position : position + 1] == [argument]

    def _target_names(self, statement: ast.Assign | ast.AnnAssign) -> set[str]:
        """Return the names and keys that a statement assigns to."""
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        keys = [target.slice for target in targets if isinstance(target, ast.Subscript)]
        names = {last(name_of(target)) for target in targets if not isinstance(target, ast.Subscript)}
        return names | {str(key.value) for key in keys if isinstance(key, ast.Constant)}

    def _is_value(self, node: ast.AST, owner: ast.AST) -> bool:
        """Whether a literal is the value itself, or one of two in a conditional expression."""
        parent = self.parents[node]
        while isinstance(parent, ast.IfExp | ast.BoolOp | ast.BinOp):
            parent = self.parents[parent]
        return parent is owner

    def _is_technical_call(self, call: ast.AST) -> bool:
        if not isinstance(call, ast.Call):
            return False
        name = name_of(call)
        if last(name) in GETTEXT:
            return False
        if last(name).endswith("Error") and last(name) not in USER_EXCEPTIONS | self.errors.keys():
            return True
        attribute = call.func.attr if isinstance(call.func, ast.Attribute) else name
        return bool(TECHNICAL_CALLS.match(name) or TECHNICAL_CALLS.match(attribute))

    def _is_app_config(self, statement: ast.AST) -> bool:
        parent = self.parents[statement]
        return isinstance(parent, ast.ClassDef) and any("Config" in name_of(base) for base in parent.bases)


# --- Templates --------------------------------------------------------------------------------

# Stands for a variable, a tag or a marked text.
MARK = "\ue000"
READ_ATTRIBUTES = {"title", "placeholder", "alt", "label", "aria-label", "aria-description", "aria-roledescription"}
NOT_READ = {"style", "script", "code", "kbd", "pre", "svg"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LITERAL = re.compile(r"""(_\()?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
# Tags whose literals are names, not texts.
NAMING_TAGS = {
    *("translate", "trans", "blocktranslate", "blocktrans", "url", "static", "load", "extends", "if", "elif"),
    *("block", "now", "cycle", "for", "get_static_prefix", "admin_urlname", "csrf_token", "regroup", "ifchanged"),
}
# Filters and parameters whose value is not a text.
NAMING_FILTERS = re.compile(
    r"\|(date|time|slice|floatformat|join|add_class|cut|divisibleby|truncatechars|stringformat):$|\bshortcut=$"
)


class TemplateTexts(HTMLParser):
    """Finds the texts and read attributes of HTML, in which tags of Django are replaced by MARK."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, str]] = []
        self.hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        for name, value in values.items():
            is_button = name == "value" and tag == "input" and values.get("type") in {"submit", "button", "reset"}
            is_data = name.startswith("data-") and is_phrase(value)
            if (name in READ_ATTRIBUTES or is_button or is_data) and is_template_text(value):
                self.found.append((self.getpos()[0], value))
        if tag not in VOID and (self.hidden or tag in NOT_READ or "material-symbols" in values.get("class", "")):
            self.hidden.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.hidden and tag not in VOID:
            self.hidden.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in self.hidden:
            while self.hidden.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self.hidden:
            return
        for line, part in enumerate(data.split("\n")):
            if is_template_text(part):
                self.found.append((self.getpos()[0] + line, part))


def is_phrase(value: str) -> bool:
    """Whether an attribute of any name holds a text: words, the first one capitalised."""
    return bool(re.search(r"^[A-Z][a-z]+( |\W*$)", value.strip())) and value.strip() not in NAMES


def is_template_text(value: str) -> bool:
    bare = value.replace(MARK, " ").strip()
    return bool(LETTERS.search(bare)) and bare.strip("| .,:") not in NAMES


def in_template(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each unmarked text of a template."""
    from django.template.base import DebugLexer, TokenType

    html, skipping = [], ""
    for token in DebugLexer(source).tokenize():
        written = source[slice(*token.position)]
        if token.token_type == TokenType.TEXT:
            html.append("\n" * written.count("\n") if skipping else written)
            continue
        words = token.contents.split()
        tag = words[0] if token.token_type == TokenType.BLOCK and words else ""
        if not skipping and tag in {"blocktranslate", "blocktrans", "comment"}:
            skipping = f"end{tag}"
        elif not skipping and tag == "block" and re.search(r"class|width", words[1]):
            skipping = "endblock"
        elif skipping and tag == skipping:
            skipping = ""
        elif not skipping and token.token_type != TokenType.COMMENT and tag not in NAMING_TAGS:
            for text in literals(token.contents, tag):
                yield token.lineno, text
        # A block or loop ends a text, so that two texts of an `if` are not reported as one.
        html.append(MARK + "\n" * written.count("\n"))
    parser = TemplateTexts()
    parser.feed("".join(html))
    parser.close()
    for line, text in parser.found:
        yield line, re.sub(rf"(\s*{MARK}\s*)+", " … ", text).strip()


def literals(contents: str, tag: str) -> Iterator[str]:
    """Yield the unmarked texts among the literals of a tag or variable."""
    for match in LITERAL.finditer(contents):
        before, text = contents[: match.start()], match[2][1:-1]
        if match[1] or NAMING_FILTERS.search(before) or (tag in {"include", "component"} and before.split() == [tag]):
            continue
        if before.endswith("|pluralize:"):
            if LETTERS.search(text):
                yield f"{text} (pluralize: use blocktranslate with count)"
        elif is_phrase(text) or (re.search(r"[a-z]{2,} [a-z]{2,}", text) and not re.search(r"[-_:]", text)):
            yield text


# --- JavaScript -------------------------------------------------------------------------------

JS_TEXT = re.compile(
    r"""(?:\.(?:textContent|innerText|title|placeholder|ariaLabel|alt)\s*=(?!=)|setAttribute\(\s*["'](?:title|aria-label"""
    r"""|placeholder|alt)["']\s*,|\b(?:confirm|alert|prompt|announce|report|say|notify)\(|\bmessage\s*[:=])[^;\n]*"""
)
JS_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|`((?:[^`\\]|\\.)*)`')
JS_MARKED = re.compile(r"\b(?:gettext|ngettext|pgettext|interpolate)\($")


def in_javascript(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of literals that are shown."""
    for number, line in enumerate(source.splitlines(), 1):
        code = re.sub(r"(^|\s)//.*", "", line)
        shown = [(match.start(), match.end()) for match in JS_TEXT.finditer(code)]
        for match in JS_LITERAL.finditer(code):
            text = next(group for group in match.groups() if group is not None)
            bare = re.sub(r"\$\{[^}]*\}", "{}", text)
            if JS_MARKED.search(code[: match.start()]) or not LETTERS.search(bare.replace("{}", "")):
                continue
            is_shown = any(start <= match.start() < end for start, end in shown)
            is_sentence = bool(re.match(r"^[A-Z][a-z\u2019']+[,.:]? \S", bare))
            if is_sentence or (is_shown and not re.fullmatch(r"[a-z0-9_-]+|\W*\w{1,2}\W*|[.#\[].*", bare)):
                yield number, text


# --- Command ----------------------------------------------------------------------------------


def files(paths: list[Path]) -> Iterator[Path]:
    """Yield the files to read below some paths."""
    for top in paths:
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            name = path.relative_to(CHECKOUT).as_posix()
            if path.suffix not in {".py", ".html", ".txt", ".js"} or SKIPPED_FOLDERS & set(path.parts):
                continue
            if not name.startswith(SKIPPED) and (path.suffix != ".txt" or "templates" in path.parts):
                yield path


def unmarked(paths: list[Path]) -> Iterator[tuple[str, int, str]]:
    """Yield (path, line, text) of each unmarked text below some paths."""
    sources = {path: path.read_text(encoding="utf-8") for path in files(paths)}
    modules = {path for path in files([CHECKOUT / name for name in PACKAGES]) if path.suffix == ".py"}
    modules |= {path for path in sources if path.suffix == ".py"}
    every = {path: ast.parse(path.read_text(encoding="utf-8")) for path in modules}
    errors, codes = error_classes(every), keys_of(every)
    for path, source in sources.items():
        if path.suffix == ".py":
            found = PythonTexts(path.relative_to(CHECKOUT), every[path], errors, codes).find()
        else:
            found = in_javascript(source) if path.suffix == ".js" else in_template(source)
        for line, text in sorted(found):
            yield path.relative_to(CHECKOUT).as_posix(), line, " ".join(text.split())


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        with (CHECKOUT / "pyproject.toml").open("rb") as file:
            arguments = tomllib.load(file)["tool"]["missionsite"]["texts"]["checked"]
        if not arguments:
            return 0
    paths = [Path(each).resolve() for each in arguments] or [CHECKOUT / name for name in PACKAGES]
    found = list(unmarked(paths))
    for path, line, text in found:
        print(f"{path}:{line}: {text}")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    os.chdir(CHECKOUT)
    sys.exit(main(sys.argv[1:]))
