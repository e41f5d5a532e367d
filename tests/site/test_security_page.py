"""docs/security.md has each requirement of OWASP ASVS 5.0, levels 1 and 2, once, with tests that exist."""

import ast
import re
from collections import Counter
from functools import cache

from django.conf import settings

PAGE = settings.BASE_DIR / "docs" / "security.md"
ROW = re.compile(r"^\| V(\d+\.\d+\.\d+) \| ([12]) \| (done|partly|open|n/a) \| (.+?) \| (.*) \|$", re.MULTILINE)
# The numbers of each section that are of level 1 or 2. Source: OWASP ASVS 5.0.0, the CSV file.
SECTIONS = {
    "2.1": "1-3",
    "2.2": "1-3",
    "2.3": "1-4",
    "2.4": "1",
    "3.2": "1-2",
    "3.3": "1-4",
    "3.4": "1-6",
    "3.5": "1-5",
    "3.7": "1-2",
    "4.1": "1-3",
    "4.2": "1",
    "4.3": "1-2",
    "4.4": "1-4",
    "5.1": "1",
    "5.2": "1-3",
    "5.3": "1-2",
    "5.4": "1-3",
    "6.1": "1-3",
    "6.2": "1-12",
    "6.3": "1-4",
    "6.4": "1-4",
    "6.5": "1-5",
    "6.6": "1-3",
    "6.8": "1-4",
    "7.1": "1-3",
    "7.2": "1-4",
    "7.3": "1-2",
    "7.4": "1-5",
    "7.5": "1-2",
    "7.6": "1-2",
    "8.1": "1-2",
    "8.2": "1-3",
    "8.3": "1",
    "8.4": "1",
    "9.1": "1-3",
    "9.2": "1-4",
    "10.1": "1-2",
    "10.2": "1-2",
    "10.3": "1-4",
    "10.4": "1-11",
    "10.5": "1-5",
    "10.6": "1-2",
    "10.7": "1-3",
    "11.1": "1-2",
    "11.2": "1-3",
    "11.3": "1-3",
    "11.4": "1-4",
    "11.5": "1",
    "11.6": "1",
    "12.1": "1-3",
    "12.2": "1-2",
    "12.3": "1-4",
    "13.1": "1",
    "13.2": "1-5",
    "13.3": "1-2",
    "13.4": "1-5",
    "14.1": "1-2",
    "14.2": "1-4",
    "14.3": "1-3",
    "15.1": "1-3",
    "15.2": "1-3",
    "15.3": "1-7",
    "16.1": "1",
    "16.2": "1-5",
    "16.3": "1-4",
    "16.4": "1-3",
    "16.5": "1-3",
}


def expand(numbers: str) -> list[int]:
    """Return the numbers of a text such as `1-3 5`."""
    ranges = (part.partition("-") for part in numbers.split())
    return [number for first, _, last in ranges for number in range(int(first), int(last or first) + 1)]


def rows() -> list[tuple[str, ...]]:
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


@cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((settings.BASE_DIR / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_page_has_each_requirement_once():
    wanted = [f"{section}.{number}" for section, numbers in SECTIONS.items() for number in expand(numbers)]
    assert len(wanted) == 219
    assert [row[0] for row in rows()] == wanted


def test_requirements_name_existing_tests():
    named = [
        (number, each) for number, _level, _state, _text, tests in rows() for each in re.findall(r"`(.*?)`", tests)
    ]
    assert len(named) > 150
    for number, each in named:
        path, _, function = each.partition("::")
        assert (settings.BASE_DIR / path).exists(), (number, each)
        assert not function or function in functions_of(path), (number, each)


def test_page_counts_its_states():
    states = Counter(row[2] for row in rows())
    text = (
        f"{states['done']} are done, {states['partly']} partly, {states['open']} open, and {states['n/a']} do not apply"
    )
    assert text in " ".join(PAGE.read_text(encoding="utf-8").split())
