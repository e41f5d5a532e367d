"""Every item of the seeds is shown by a test or command; files and links that the documentation names exist."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

CHECKOUT = Path(settings.BASE_DIR)
DEVIATIONS = CHECKOUT / "docs" / "decisions" / "0034-deviations-from-the-seeds.md"
PAGE = CHECKOUT / "docs" / "traceability.md"
SPEC = spec_from_file_location("traceability", CHECKOUT / "bin" / "traceability.py")
traceability = module_from_spec(SPEC)
SPEC.loader.exec_module(traceability)
# Number of subtasks per task of the engagement seed.
EN_SUBTASKS = {1: 2, 2: 7, 3: 3, 4: 7, 5: 5, 6: 8, 7: 5}
# The columns of the deck's seed.
MD_COLUMNS = {
    "missions": ("id", "title", "client", "budget", "deadline", "status", "assigned_to", "github_url", "created_at"),
    "dod_items": ("id", "mission_id", "text", "category", "completed", "completed_at"),
    "chat_messages": ("id", "mission_id", "citizen", "sender", "message", "code_blocks", "created_at"),
    "test_runs": ("id", "mission_id", "status", "summary", "results", "logs", "created_at"),
}
# The numbered items of the seeds.
ITEMS = [
    *(f"000 AC{number}" for number in range(1, 12)),
    *(f"000 Step {number}" for number in range(1, 9)),
    *(f"000 Validation {number}" for number in range(1, 5)),
    *(f"000 Test {number}" for number in range(1, 4)),
    *(f"003 AC{number}" for number in range(1, 11)),
    *(f"003 Task {number}" for number in range(1, 15)),
    *(f"003 Unit {number}" for number in range(1, 4)),
    *(f"003 Integration {number}" for number in range(1, 9)),
    *(f"002 AC-{number}" for number in range(1, 9)),
    *(f"002 Task {number}" for number in range(1, 8)),
    *(f"002 Subtask {task}.{number}" for task, count in EN_SUBTASKS.items() for number in range(1, count + 1)),
    *(f"002 Note {number}" for number in range(1, 11)),
    *(f"002 Testing {number}" for number in range(1, 4)),
    "002 File 1",
    *(f"001 Table {number}" for number in range(1, 5)),
    *(f"001 {table}.{column}" for table, columns in MD_COLUMNS.items() for column in columns),
    *(f"001 Index {number}" for number in range(1, 3)),
    *(f"001 Migration {number}" for number in range(1, 7)),
    *(f"001 Seed {number}" for number in range(1, 7)),
]
FOLDERS = ("bin/", ".ci/", "docs/", "tests/", "benchmarks/")
FOLDERS += ("groups/", "fallback/", "engagement/", "missiondeck/", "missionsite/")
NOT_OURS = {"node_modules", ".venv", "var", ".git"}


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the functions, classes and methods (Class::method) of a Python file."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return frozenset(names)


def wrong_with(reference: str) -> str | None:
    """Return the error in a reference to a test, command or file; None for a correct or another one."""
    words = reference.split()
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words.pop(0)
    if not words:
        return None
    if "::" in words[0]:
        path, _, name = words[0].partition("::")
        if not (CHECKOUT / path).is_file():
            return f"{reference}: there is no file {path}"
        return None if name in names_in(CHECKOUT / path) else f"{reference}: {path} has no {name}"
    if words[0].endswith("python"):
        words.pop(0)
    if words[:1] == ["manage.py"]:
        return None if words[1:] and words[1] in get_commands() else f"{reference}: there is no such command"
    if words[:1] == ["-m"]:
        module = CHECKOUT / f"{words[1].replace('.', '/')}.py"
        return None if module.is_file() else f"{reference}: there is no module {words[1]}"
    if words[:1] == ["bin/prove-demo"]:
        unknown = set(words[1:]) - names_in(CHECKOUT / "bin" / "prove_demo.py")
        return f"{reference}: there is no proof {', '.join(sorted(unknown))}" if unknown else None
    for word in words:
        if word.startswith(FOLDERS) and not _is_there(word):
            return f"{reference}: there is no {word}"
    return None


def _is_there(path: str) -> bool:
    if re.search(r"[*<>]", path):
        return "<" in path or any(CHECKOUT.glob(path))
    return (CHECKOUT / path).exists()


def references(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def rows(text: str, *, last_column: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables whose last column has this head."""
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if not line.startswith("|"):
            inside = False
        elif cells[-1].rstrip(" |") == last_column:
            inside = True
        elif inside and not set(line) <= set("|- "):
            yield cells


def settings_read() -> set[str]:
    """The names of every setting read from the environment."""
    site = CHECKOUT / "missionsite"
    sources = [
        site / "settings.py",
        site / "environment.py",
        *CHECKOUT.glob("*/conf.py"),
        *(site / "embedded").glob("*.py"),
    ]
    pattern = (
        r"""(?:env\.\w+|environ\.get|_setting|secret|duration|time_of_day)\(\s*"([A-Z_]+)"|environ\["([A-Z_]+)"\]"""
    )
    found = re.findall(pattern, "\n".join(source.read_text(encoding="utf-8") for source in sources))
    return {first or second for first, second in found}


def pages() -> list[Path]:
    """Return every Markdown page of the project."""
    return sorted(path for path in CHECKOUT.rglob("*.md") if not NOT_OURS & set(path.relative_to(CHECKOUT).parts))


def broken_links(page: Path, text: str) -> list[str]:
    """Return relative links and pictures of a page without a target, including anchors."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\[[^\]\n]*\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path) if path else page
        if not found.exists() or (anchor and anchor not in anchors(found.read_text(encoding="utf-8"))):
            broken.append(f"{page.relative_to(CHECKOUT)}: {target}")
    return broken


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as repository hosts create them."""
    heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_page_lists_what_tests_are_marked_with():
    assert traceability.problems(PAGE.read_text(encoding="utf-8"), traceability.marks()) == []


def test_every_numbered_item_of_seeds_is_listed():
    listed = [item for _line, item, _last in traceability.items(PAGE.read_text(encoding="utf-8"))]
    assert [item for item in ITEMS if item not in listed] == []
    assert len(listed) > len(ITEMS)


EXAMPLE = """
## The mission schema (seed 000)

| item | what is asked | shown by |
|---|---|---|
| AC1 | stable IDs | `tests/groups/test_old.py::test_gone` |
| AC2 | leave tracking | `manage.py validate_missions`, `tests/a.py::test_gone`; control `tests/a.py::test_b` |
| AC3 | nothing shows it | |
"""


def test_marked_tests_are_written_into_page():
    shown = {
        "000 AC1": (["tests/groups/test_new.py::test_id"], []),
        "000 AC2": (["tests/a.py::test_b"], ["tests/a.py::test_c"]),
    }
    written = traceability.written(EXAMPLE, shown)
    assert "| AC1 | stable IDs | `tests/groups/test_new.py::test_id` |" in written
    assert (
        "| AC2 | leave tracking | `manage.py validate_missions`, `tests/a.py::test_b`; control `tests/a.py::test_c` |"
        in written
    )
    assert traceability.written(written, shown) == written


def test_problems_of_marks_are_reported():
    shown = {"000 AC1": (["a::b"], []), "000 AC9": (["a::c"], [])}
    problems = traceability.problems(EXAMPLE, shown)
    assert "no item is named '000 AC9': a::c" in problems
    assert "nothing shows '000 AC3'" in problems
    assert "docs/traceability.md is outdated: run bin/traceability.py" in problems


def test_marks_are_read(tmp_path):
    (tmp_path / "test_marks.py").write_text(
        '@pytest.mark.seed("000 AC1", "000 AC2")\ndef test_a(): ...\n\nclass TestB:\n'
        '    @pytest.mark.seed("000 AC1", control=True)\n    def test_c(self): ...\n'
    )
    assert traceability.marks(tmp_path) == {
        "000 AC1": (["test_marks.py::test_a"], ["test_marks.py::TestB::test_c"]),
        "000 AC2": (["test_marks.py::test_a"], []),
    }


def test_every_reference_exists():
    assert [wrong for each in references(PAGE.read_text(encoding="utf-8")) if (wrong := wrong_with(each))] == []


@pytest.mark.parametrize(
    "made_up",
    [
        "tests/groups/test_races.py::test_nothing_like_this",
        "tests/groups/test_api.py::TestList::test_nothing_like_this",
        "tests/groups/test_nothing.py::test_nothing",
        "tests/groups/test_nothing.py",
        "manage.py validate_nothing",
        "python -m benchmarks.nothing",
        "bin/nothing",
        "bin/prove-demo killed_nothing",
        "ROUNDS=1 bin/test tests/groups/test_nothing.py",
    ],
)
def test_missing_reference_is_reported(made_up):
    assert wrong_with(made_up)


def test_every_difference_has_reason():
    listed = list(rows(DEVIATIONS.read_text(encoding="utf-8"), last_column="why"))
    assert len(listed) > 50
    assert [cells for cells in listed if len(cells) != 3 or not all(cells)] == []


@pytest.mark.seed("003 Unit 2", "site every setting is explained in .env.example")
def test_every_setting_is_in_env_example():
    explained = set(
        re.findall(r"^(?:# )?([A-Z_]+)=", (CHECKOUT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    )
    read = settings_read()
    assert len(read) > 20
    # Set by the test runner for its processes.
    assert read - explained == {"MISSIONSITE_TESTING"}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_link_has_target(page):
    text = page.read_text(encoding="utf-8")
    assert broken_links(page, text) == []
    assert [wrong for each in references(text) if (wrong := wrong_with(each))] == []


def test_broken_link_is_reported():
    text = "[here](README.md) [gone](gone.md) [there](traceability.md#traceability) [nowhere](traceability.md#nowhere)"
    assert broken_links(CHECKOUT / "docs" / "page.md", "[up](../README.md)") == []
    assert broken_links(CHECKOUT / "docs" / "page.md", text) == [
        "docs/page.md: README.md",
        "docs/page.md: gone.md",
        "docs/page.md: traceability.md#nowhere",
    ]
