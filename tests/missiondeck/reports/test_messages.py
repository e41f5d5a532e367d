"""Warnings are stored as codes with values, and translated when they are shown."""

import json
import re
from pathlib import Path

import pytest
from django.utils import translation

from missiondeck.reports import messages
from missiondeck.reports.messages import warning_texts
from missiondeck.services import runs
from missiondeck.services.runs import GIVEN_UP
from tests.missiondeck.reports.helpers import case, read

# Reports that between them have every kind of part: lines, elements, suites with counts, keys, sizes.
REPORTS = [
    case("<mood/>", 'time="soon"'),
    '<testsuite name="s" tests="7" failures="x"><testcase name=""/></testsuite>',
    '{"results": [{"name": "a", "status": "passed", "flaky": 1, "mood": 1}], "summary": {"passed": 3}}',
    '{"results": [{"name": "a", "status": "passed", "duration": "x"}], "summary": {"b_passed": 3}}',
]


def shout(text: str) -> str:
    """A translation into capitals that keeps the names of values."""
    return "".join(part if part.startswith("%(") else part.upper() for part in re.split(r"(%\(\w+\)s)", text))


@pytest.fixture
def shouting(monkeypatch):
    """Translations, which differ from the texts at the time of the import."""
    monkeypatch.setattr(translation._trans, "gettext", shout)
    monkeypatch.setattr(translation._trans, "ngettext", lambda one, many, n: shout(one if n == 1 else many))


@pytest.mark.parametrize("report", REPORTS)
def test_stored_warnings_are_translated_when_shown(report, request):
    stored = json.loads(json.dumps(read(report).warnings))
    shown = warning_texts(stored)
    assert shown == read(report).warning_texts
    assert shown
    request.getfixturevalue("shouting")
    translated = warning_texts(stored)
    assert translated != shown
    assert [text.upper() for text in translated] == [text.upper() for text in shown]


def test_every_code_has_text():
    used = set()
    for path in (*Path(messages.__file__).parent.glob("*.py"), Path(runs.__file__)):
        used |= set(re.findall(r"""(?:message|warnings\.count|warnings\.add)\(\s*"(\w+)\"""", path.read_text()))
    assert used | {"unknown_element", "unknown_key"} == set(messages._TEXTS)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ({"code": "of a later version", "values": {}}, "of a later version"),
        ({"code": "cleaned", "values": {}}, "cleaned"),
        ({"code": "name_cut", "values": {"n": "x", "first": "a"}}, "name_cut"),
        ({"code": "not_listed", "values": {"n": 1234}}, "1,234 more warnings are not listed."),
        (GIVEN_UP, "Marked as failed: no report was received."),
        ("Uma frase de 0.1.0", "Uma frase de 0.1.0"),
    ],
)
def test_other_stored_warnings_are_shown(stored, shown):
    assert warning_texts([stored]) == [shown]
