"""The rules of each app, collected from models, errors, SQL files and tests, as the page docs/rules.md."""

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db.models import BaseConstraint, CheckConstraint, Q, UniqueConstraint

from missionsite.common.constraints import OneLineCheck
from missionsite.common.errors import DomainError

CHECKOUT = Path(settings.BASE_DIR)
PAGE = CHECKOUT / "docs" / "rules.md"
# The app of each section, and the folder of its code.
APPS = {
    "groups": "groups",
    "fallback": "fallback",
    "engagement": "engagement",
    "missiondeck": "missiondeck",
    "common": "missionsite/common",
    "missionsite": "missionsite",
}
MOST_TESTS = 2
# More tables than these are counted; for more places only the files are named.
MOST_PLACES = 3
# The tests of this page and of the messages name rules without proving them.
ABOUT_RULES = ("tests/site/test_rules.py", "tests/site/test_rule_messages.py")
INTRODUCTION = """# Rules

Every rule that an app enforces for every client: the constraints of its models, what its triggers and policies raise,
and the errors of its services. `manage.py rules` writes this page; the build fails if it is outdated.

*rule*: the name that PostgreSQL reports, or the error class, whose `code` the API shows. *message*: what a user sees.
*where*: the model with the constraint, the SQL that raises it and the model of its table, or the code that checks it,
with the class or function in the file. *tests*: the first that name the rule; a
test that does not name it is marked `@pytest.mark.rule("name")`. The build fails for a rule without a test. Primary and
foreign keys, NOT NULL, unique columns (`…_key`) and positive numbers (`…_check`) are in the models; the SQL files
create `…_touch_updated_at`, `…_owner` and `…_site` for each of several tables. The transitions and limits as data are
in the `rules.py` of the apps that have any.
"""
_NAMED = (ast.ClassDef, ast.FunctionDef)
_LOOKUPS = {"": "=", "exact": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "regex": "matches"}
_SQL_RULE = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:CONSTRAINT\s+)?TRIGGER\s+(?P<trigger>\w+)\s[^;]*?\sON\s+(?P<trigger_table>\w+)"
    r"|CREATE\s+POLICY\s+(?P<policy>\w+)\s+ON\s+(?P<policy_table>\w+)"
    r"|CREATE\s+UNIQUE\s+INDEX\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<index>\w+)\s+ON\s+(?P<index_table>\w+)"
    r"|CONSTRAINT\s*=\s*'(?P<raised>\w+)'"
    r"|ALTER\s+TABLE\s+(?P<constraint_table>\w+)\s[^;]*?ADD\s+CONSTRAINT\s+(?P<constraint>\w+)",
    re.IGNORECASE,
)


@dataclass
class Rule:
    """One row of the page. tables, places: sorted when shown; a place is `path` or `path::name`.

    words: what a test of the rule contains instead of its name: the error class, the code.
    kind: "trigger", "policy" or "index" for one that raises nothing under its own name.
    """

    name: str
    message: str = ""
    kind: str = ""
    tables: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)


# --- Collecting -----------------------------------------------------------------------------------


def rules_of(label: str) -> list[Rule]:
    """Return the rules of an app, in the order of their tables and names."""
    rules: dict[str, Rule] = {}
    _add_constraints(label, rules)
    _add_sql(label, rules)
    _add_errors(label, rules)
    models = {model._meta.db_table: model for model in apps.get_app_config(label).get_models()}
    tables = sorted(models, key=len, reverse=True)
    for rule in rules.values():
        # A name that a trigger raises begins with its table.
        if not rule.tables and (table := next((each for each in tables if rule.name.startswith(f"{each}_")), None)):
            rule.tables.add(table)
        if any(place.endswith(".sql") for place in rule.places) and len(rule.tables) <= MOST_PLACES:
            rule.places |= {_place(models[table]) for table in rule.tables if table in models}
    return sorted(rules.values(), key=lambda rule: (sorted(rule.tables), rule.name))


def _add_constraints(label: str, rules: dict[str, Rule]) -> None:
    one_line = Rule("<table>_<column>_one_line", str(OneLineCheck("table", "column").violation_error_message))
    one_line.words = {"one_line_checks", "OneLineCheck", "NotOneLine", "not_one_line"}
    for model in apps.get_app_config(label).get_models():
        for constraint in model._meta.constraints:
            is_one_line = constraint.name.endswith("_one_line")
            rule = one_line if is_one_line else rules.setdefault(constraint.name, Rule(constraint.name))
            rule.tables.add(model._meta.db_table)
            if is_one_line:
                rule.places.add(_place(OneLineCheck))
                rules[rule.name] = rule
                continue
            rule.message = rule.message or _message_of(constraint)
            rule.places.add(_place(model))
            rule.words.add(constraint.violation_error_code or constraint.name)


def _message_of(constraint: BaseConstraint) -> str:
    """Return the message of a constraint; without one, what it requires."""
    if constraint.violation_error_message != BaseConstraint.default_violation_error_message:
        return str(constraint.violation_error_message)
    if isinstance(constraint, UniqueConstraint):
        columns = ", ".join(map(str, constraint.fields or constraint.expressions))
        return f"unique: {columns}" + (f" where {condition_text(constraint.condition)}" if constraint.condition else "")
    return condition_text(constraint.condition) if isinstance(constraint, CheckConstraint) else ""


def condition_text(condition: object) -> str:
    """Return a condition as text: `status in active, left`."""
    if not isinstance(condition, Q):
        return str(condition)
    parts = []
    for child in condition.children:
        if not isinstance(child, tuple):
            text = condition_text(child)
            parts.append(f"({text})" if isinstance(child, Q) and len(child.children) > 1 else text)
            continue
        column, _, lookup = str(child[0]).partition("__")
        value = ", ".join(map(str, child[1])) if isinstance(child[1], list | tuple) else str(child[1])
        parts.append(f"{column} {_LOOKUPS.get(lookup, lookup)} {value}")
    text = f" {condition.connector.lower()} ".join(parts)
    return f"not ({text})" if condition.negated else text


def _add_sql(label: str, rules: dict[str, Rule]) -> None:
    for path in sql_files(label):
        for found in _SQL_RULE.finditer(_split_constraints(re.sub(r"--.*", "", path.read_text(encoding="utf-8")))):
            kind = next(kind for kind in ("trigger", "policy", "index", "raised", "constraint") if found[kind])
            if kind == "constraint" and found[kind].endswith("_pkey"):
                continue
            rule = rules.setdefault(found[kind], Rule(found[kind]))
            rule.places.add(_path(path))
            if table := found.groupdict().get(f"{kind}_table"):
                rule.tables.add(table)
            rule.kind = kind if kind in ("trigger", "policy", "index") else ""


def _split_constraints(sql: str) -> str:
    """Return the text with one ALTER TABLE for each constraint that a statement adds."""
    return re.sub(
        r"(ALTER\s+TABLE\s+(\w+)\s)([^;]*)",
        lambda found: found[1] + re.sub(r",(\s*ADD\s+CONSTRAINT)", rf"; ALTER TABLE {found[2]} \1", found[3]),
        sql,
        flags=re.IGNORECASE,
    )


def _files(label: str, pattern: str) -> list[Path]:
    """Return the files of an app, without those of an app inside its folder."""
    folder = CHECKOUT / APPS[label]
    inner = [CHECKOUT / each for each in APPS.values() if each.startswith(f"{APPS[label]}/")]
    return sorted(path for path in folder.rglob(pattern) if not any(path.is_relative_to(each) for each in inner))


def sql_files(label: str) -> list[Path]:
    """Return the SQL files with what an app's database has now: no way back, no earlier version."""
    files = (path for path in _files(label, "*.sql") if "sql" in path.parts and "versions" not in path.parts)
    return [path for path in files if not path.name.endswith(".reverse.sql")]


def _add_errors(label: str, rules: dict[str, Rule]) -> None:
    raised = _raised_in(label)
    for error in errors_of(label):
        name = error.constraint or error.__name__
        rule = rules.setdefault(name, Rule(name))
        message = str(vars(error).get("message") or error.message)
        rule.message = rule.message or message
        rule.places |= raised.get(error.__name__) or set()
        rule.places = rule.places or {_place(error)}
        rule.words |= {error.__name__, error.code}


def errors_of(label: str) -> list[type[DomainError]]:
    """Return the error classes of an app; a class without a code of its own is only a base of others."""
    modules = {_path(path).removesuffix(".py").replace("/", "."): path for path in _files(label, "*.py")}
    # Other modules than errors.py, such as those of the API, are not imported by every command.
    for module, path in modules.items():
        if re.search(r"^class \w+\(DomainError\)", path.read_text(encoding="utf-8"), re.MULTILINE):
            import_module(module)
    return [
        error for error in _subclasses(DomainError) if error.__module__ in modules and error.code != DomainError.code
    ]


def _subclasses(error: type[DomainError]) -> Iterator[type[DomainError]]:
    for each in error.__subclasses__():
        yield each
        yield from _subclasses(each)


def _raised_in(label: str) -> dict[str, set[str]]:
    """Return the functions and classes of an app that raise each class; the files if they are many."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in _files(label, "*.py"):
        for owner in ast.parse(path.read_text(encoding="utf-8")).body:
            for node in ast.walk(owner):
                if isinstance(node, ast.Raise) and node.exc is not None:
                    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                    place = f"{_path(path)}::{owner.name}" if isinstance(owner, _NAMED) else _path(path)
                    found[ast.unparse(raised).rpartition(".")[2]].add(place)
    return {
        error: places if len(places) <= MOST_PLACES else {place.partition("::")[0] for place in places}
        for error, places in found.items()
    }


def _place(named: type) -> str:
    return f"{_path(inspect.getsourcefile(named) or '')}::{named.__name__}"


def _path(path: Path | str) -> str:
    return Path(path).relative_to(CHECKOUT).as_posix()


class Tests:
    """The tests by the words in them, with their decorators and the module's constants that these name."""

    def __init__(self, folder: Path) -> None:
        self.by_word: dict[str, list[str]] = defaultdict(list)
        for path in sorted(folder.rglob("test_*.py")):
            if _path(path) in ABOUT_RULES:
                continue
            source = path.read_text(encoding="utf-8")
            module, lines = ast.parse(source), source.splitlines()
            constants = _constants(module)
            for node in module.body:
                owner = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
                for test in node.body if isinstance(node, ast.ClassDef) else [node]:
                    if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
                        self._add(f"{_path(path)}::{owner}{test.name}", _text_of(test, lines, constants))

    def _add(self, name: str, text: str) -> None:
        for word in set(re.findall(r"\w+", text)):
            self.by_word[word].append(name)

    def of(self, rule: Rule, label: str) -> list[str]:
        """Return the first tests that contain the name of a rule, else its class or code; those of the app first."""
        found = self.by_word.get(rule.name) or {test for word in rule.words for test in self.by_word.get(word, ())}
        return sorted(found, key=lambda name: (not name.startswith(f"tests/{label}/"), name))[:MOST_TESTS]


def _constants(module: ast.Module) -> dict[str, ast.Assign]:
    """Return the assignments of a module by name."""
    assignments = (node for node in module.body if isinstance(node, ast.Assign))
    return {target.id: node for node in assignments for target in node.targets if isinstance(target, ast.Name)}


def _text_of(test: ast.FunctionDef, lines: list[str], constants: dict[str, ast.Assign]) -> str:
    """Return the source of a test, with the constants that its decorators name and those that these name."""
    parts: list[ast.expr | ast.stmt] = [*test.decorator_list]
    for part in parts:
        names = (node.id for node in ast.walk(part) if isinstance(node, ast.Name))
        parts += [constants[name] for name in names if name in constants and constants[name] not in parts]
    return "\n".join(line for part in [*parts, test] for line in lines[part.lineno - 1 : part.end_lineno])


# --- Writing --------------------------------------------------------------------------------------


def page() -> str:
    """Return the page docs/rules.md."""
    tests = Tests(CHECKOUT / "tests")
    return "\n".join([INTRODUCTION, *(_section(label, tests) for label in APPS)])


def untested(text: str) -> list[str]:
    """Return the rules of a page that have no test."""
    return re.findall(r"^\| `([^`]+)` \|.*\|  \|$", text, re.MULTILINE)


def _section(label: str, tests: Tests) -> str:
    rules = rules_of(label)
    rows = [_row(rule, tests.of(rule, label)) for rule in rules if rule.message or not rule.kind]
    others = [
        f"| `{rule.name}` | {rule.kind} | {_tables(rule)} | {_places(rule)} |"
        for rule in rules
        if not rule.message and rule.kind
    ]
    lines = [f"## {label}", "", "| rule | table | message | where | tests |", "|---|---|---|---|---|", *rows, ""]
    if others:
        lines += ["| also in the database | kind | table | where |", "|---|---|---|---|", *others, ""]
    return "\n".join(lines)


def _row(rule: Rule, tests: list[str]) -> str:
    message = rule.message.replace("|", "\\|").replace("\n", " ")
    cells = (f"`{rule.name}`", _tables(rule), message, _places(rule), ", ".join(f"`{test}`" for test in tests))
    return f"| {' | '.join(cells)} |"


def _tables(rule: Rule) -> str:
    tables = sorted(rule.tables)
    return ", ".join(tables) if len(tables) <= MOST_PLACES else f"{len(tables)} tables"


def _places(rule: Rule) -> str:
    return ", ".join(f"[{place}](../{place.partition('::')[0]})" for place in sorted(rule.places))
