"""Simple tests of JUnit XML are read in a shorter way, with the results of the complete one."""

import json
import random
import re
from pathlib import Path

import pytest

from missiondeck.reports import Report
from missiondeck.reports.simplecases import SimpleCases
from tests.missiondeck.reports.helpers import read

DATA = Path(__file__).parent / "data"
FILES = sorted(path for path in DATA.rglob("*.xml") if "<testcase" in path.read_text(errors="replace"))
INSIDE = ["failure", "error", "skipped", "system-out", "system-out", "system-err", "rerunFailure", "odd", "properties"]
MESSAGES = ["", ' message="m"', ' message=" m\n" type="T"', ' type="T"', ' message="Unable to find executable"']
TEXTS = ["", "text", " \n  a\n b\n", "m", "<![CDATA[x]]>", "a<b>c</b>d", "x" * 30_000, "\x1b[31mred", "é"]


def generated(chance: random.Random) -> bytes:
    """A report with nested suites, tests of one name, retries, and texts that are cut."""

    def case() -> str:
        attributes = f' name="{chance.choice(["a", "b", "c", "", " x "])}"'
        attributes += chance.choice(['  time="0.5"', ' time="0.5"', ' time="1,234"', ' time="x"', ""])
        attributes += chance.choice([' classname="A"', ' classname="A"', ' classname="B"', ' class="C"', ""])
        attributes += chance.choice(["", "", "", ' status="failed"', ' status="run"', ' status="?"', ' file="f.py"'])
        inside = ""
        for _ in range(chance.choice([0, 0, 1, 1, 2, 3])):
            name = chance.choice(INSIDE)
            inside += f"<{name}{chance.choice(MESSAGES)}>{chance.choice(TEXTS)}</{name}>"
        return f"<testcase{attributes}>{inside}</testcase>"

    def suite(depth: int) -> str:
        body = "".join(
            case() if depth > 2 or chance.random() < 0.8 else suite(depth + 1) for _ in range(chance.randrange(6))
        )
        body += chance.choice(["", "", "<failure message='s'>q</failure>", "<system-out>log</system-out>"])
        totals = chance.choice(["", ' tests="3"', ' tests="2" failures="1"', ' tests="4" failures="0" skipped="1"'])
        return f'<testsuite name="{chance.choice("xy")}"{totals}>{body}</testsuite>'

    start = chance.choice(["", "", "<?xml version='1.0' encoding='latin-1'?>"])
    text = f"{start}<testsuites>{suite(0)}{suite(0)}</testsuites>"
    return text.encode("latin-1" if start else "utf-8")


def facts(report: Report) -> tuple:
    """All of a report but the lines in its warnings, which may name the end of a test instead of its start."""
    warnings = [(each["code"], each["values"].get("n"), each["values"].get("stated")) for each in report.warnings]
    # The note about a cut text counts a separator or not.
    results = re.sub(r"x*… \(cut here: [0-9,]+", "cut", json.dumps(report.results, ensure_ascii=False))
    return results, report.summary, report.logs, report.name, sorted(warnings, key=repr)


@pytest.mark.seed("001 odd and hostile reports: the right result or a clear rejection, memory bounded")
def test_simple_tests_have_the_results_of_complete_reading(monkeypatch):
    chance = random.Random(17)
    reports = [path.read_bytes() for path in FILES] + [generated(chance) for _ in range(100)]
    found = [facts(read(report)) for report in reports]

    monkeypatch.setattr(
        SimpleCases, "_is_between", property(lambda _self: False, lambda _self, _value: None), raising=False
    )
    expected = [facts(read(report)) for report in reports]

    assert len(FILES) > 20
    for ours, theirs, report in zip(found, expected, reports, strict=True):
        assert ours == theirs, report[:2_000]
