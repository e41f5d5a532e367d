"""Write the tests that show each item into docs/traceability.md: `python bin/traceability.py`.

A test names what it shows: `@pytest.mark.seed("000 AC4")`, with `control=True` if it is the negative control. The first
word is the seed's number ("site" for the foundation), the rest the first cell of the item's row; of a long cell the
words that fit into 80 characters. Commands and other references in the last cell are kept. With `--check` it only
prints what is wrong, and fails.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PAGE = CHECKOUT / "docs" / "traceability.md"
TESTS = CHECKOUT / "tests"
LONGEST = 80
_TEST = r"`tests/[\w/]+\.py::[\w:]+`"
# The list of tests at the end of a cell, with the separators before it.
_SHOWN = re.compile(rf"(?:(?:, |; |: )?(?:controls? )?{_TEST})")


def key(seed: str, cell: str) -> str:
    """Return the name of an item in marks."""
    text = re.sub(r"^(CD|EN|MD) ", "", cell.replace("`", ""))
    if len(text) > LONGEST:
        text = text[: LONGEST + 1].rpartition(" ")[0].rstrip(",:;")
    return f"{seed} {text}"


def items(page: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line number from 0, name, last cell) of each row of the tables of items."""
    seed, inside = "site", False
    for number, line in enumerate(page.splitlines()):
        if line.startswith("## "):
            found = re.search(r"\(seed (\d{3})\)|seed (\d{3})", line)
            seed = next(filter(None, found.groups())) if found else "site"
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if not line.startswith("|"):
            inside = False
        elif cells[-1].rstrip(" |") == "shown by":
            inside = True
        elif inside and not set(line) <= set("|- "):
            yield number, key(seed, cells[0]), cells[-1]


def marks(folder: Path = TESTS) -> dict[str, tuple[list[str], list[str]]]:
    """Return the tests and the controls marked for each item, as `path::name`, in the order of files."""
    found: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for path in sorted(folder.rglob("test_*.py")):
        name = path.relative_to(CHECKOUT).as_posix() if path.is_relative_to(CHECKOUT) else path.name
        for node, test in tests_in(ast.parse(path.read_text(encoding="utf-8"))):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.seed":
                    is_control = any(option.arg == "control" for option in decorator.keywords)
                    for argument in decorator.args:
                        found[ast.literal_eval(argument)][is_control].append(f"{name}::{test}")
    return dict(found)


def tests_in(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.ClassDef, str]]:
    """Yield the test functions and classes of a module with their names below the module."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node, node.name
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield inner, f"{node.name}::{inner.name}"


def kept(cell: str) -> str:
    """Return what a last cell has besides tests: commands, files and notes."""
    return re.sub(r"^[,;:] ", "", _SHOWN.sub("", cell)).strip()


def cell_of(other: str, shown: tuple[list[str], list[str]]) -> str:
    """Return the last cell: other references, tests, controls."""
    tests, controls = (", ".join(f"`{test}`" for test in each) for each in shown)
    separator = ", " if other.endswith(("`", ")")) else ": "
    cell = separator.join(filter(None, (other, tests)))
    return f"{cell}; control {controls}" if controls else cell


def written(page: str, shown: dict[str, tuple[list[str], list[str]]]) -> str:
    """Return the page with the marked tests in the last cells."""
    lines = page.splitlines()
    for number, item, last in items(page):
        cell = cell_of(kept(last), shown.get(item, ([], [])))
        lines[number] = f"{lines[number].rpartition(f' | {last}')[0]} | {cell} |"
    return "\n".join(lines) + "\n"


def problems(page: str, shown: dict[str, tuple[list[str], list[str]]]) -> list[str]:
    """Return what is wrong, one line each: unknown or repeated items, items that nothing shows, an outdated page."""
    names = [item for _number, item, _last in items(page)]
    found = [f"two items are named {name!r}" for name in sorted({name for name in names if names.count(name) > 1})]
    found += [
        f"no item is named {name!r}: {', '.join(tests + controls)}"
        for name, (tests, controls) in shown.items()
        if name not in names
    ]
    found += [
        f"nothing shows {item!r}"
        for _number, item, last in items(page)
        if item not in shown and not re.search(r"`[^`]+`", kept(last))
    ]
    if written(page, shown) != page:
        found.append("docs/traceability.md is outdated: run bin/traceability.py")
    return found


def main(arguments: list[str]) -> int:
    if arguments != ["--check"]:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), marks()), encoding="utf-8")
    found = problems(PAGE.read_text(encoding="utf-8"), marks())
    print("\n".join(found))  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
