"""docs/rules.md lists every rule of the database, with its message, its place and its tests; each has a test."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F, Q

from missionsite import rule_list
from missionsite.management.commands import rules as command

# Made by Django for a field (`unique=True`, a positive number), or by a loop over tables for each of them.
NAMED_BY_PATTERN = ("_one_line", "_key", "_uniq", "_check", "_touch_updated_at", "_owner", "_site")
# Rules of the tables of Django, procrastinate and pghistory, which their models and documentation describe.
OTHERS = ("auth_", "django_", "procrastinate_", "pghistory_", "pgtrigger_")


# Both read all code and tests.
page = cache(rule_list.page)
rules_of = cache(rule_list.rules_of)


def listed() -> set[str]:
    return set(re.findall(r"^\| `(\w+|<table>_<column>_one_line)` \|", page(), re.MULTILINE))


def test_page_is_up_to_date(monkeypatch):
    monkeypatch.setattr(command, "page", page)
    call_command("rules", "--check")


def test_outdated_page_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "PAGE", tmp_path / "rules.md")
    monkeypatch.setattr(command, "page", lambda: "# Rules\n")
    with pytest.raises(CommandError, match=r"manage\.py rules"):
        call_command("rules", "--check")
    call_command("rules")
    call_command("rules", "--check")


def test_rule_without_test_is_reported(monkeypatch):
    row = "| `{name}` | groups | It is closed. | [groups.py](../groups/models/groups.py) | {tests} |\n"
    text = row.format(name="tested", tests="`tests/groups/test_rules.py`") + row.format(name="untested", tests="")
    monkeypatch.setattr(command, "page", lambda: text)
    with pytest.raises(CommandError, match=r"^Rules without a test: untested\. "):
        call_command("rules", "--check")


def test_page_shows_rules_without_test(monkeypatch):
    monkeypatch.setattr(rule_list.Tests, "of", lambda tests, rule, label: [])
    monkeypatch.setattr(rule_list, "APPS", {"common": "missionsite/common"})
    assert {"NotAllowed", "api_tokens_digest_unique"} <= set(rule_list.untested(rule_list.page()))


def test_every_marked_rule_exists():
    known = {rule.name for label in rule_list.APPS for rule in rules_of(label)}
    marked = {
        argument.value
        for path in (rule_list.CHECKOUT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.rule"
        for argument in node.args
    }
    assert len(marked) > 20
    assert marked - known == set()


@pytest.mark.seed(
    "004 every rule of the fallback has a message",
    "site every rule of the database has a message",
)
@pytest.mark.seed("003 Task 14")
@pytest.mark.django_db
def test_every_rule_of_database_is_listed():
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT conname, conrelid::regclass::text FROM pg_constraint
            WHERE contype IN ('c', 'u', 'x') AND connamespace = 'public'::regnamespace
            UNION ALL
            SELECT polname, polrelid::regclass::text FROM pg_policy
            UNION ALL
            SELECT tgname, tgrelid::regclass::text FROM pg_trigger
            WHERE NOT tgisinternal AND tgname !~ '^(pgtrigger|audit_of)_'
            """
        )
        found = {name for name, table in cursor.fetchall() if not table.startswith(OTHERS)}
    assert len(found) > 200
    missing = [name for name in found - listed() if not name.endswith(NAMED_BY_PATTERN)]
    assert " ".join(sorted(missing)) == ""


def test_every_rule_has_existing_place():
    for label in rule_list.APPS:
        for rule in rules_of(label):
            assert rule.places, rule.name
            for place in rule.places:
                path, _, name = place.partition("::")
                source = (rule_list.CHECKOUT / path).read_text(encoding="utf-8")
                assert not name or re.search(rf"^(class|def) {name}\b", source, re.MULTILINE), place


def test_constraint_names_its_model_and_error_its_service():
    places = {rule.name: rule.places for rule in rules_of("groups")}
    assert places["memberships_role_not_empty"] == {"groups/models/memberships.py::Membership"}
    assert places["MembershipEnded"] == {"groups/services/memberships.py::change_role"}
    assert "groups/models/memberships.py::Membership" in places["memberships_open_group"]
    assert "groups/sql/triggers/memberships.sql" in places["memberships_open_group"]


def test_tests_that_name_rule_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(rule_list, "CHECKOUT", tmp_path)
    folder = tmp_path / "tests" / "groups"
    folder.mkdir(parents=True)
    (folder / "test_one.py").write_text(
        "def test_a():\n    assert 'missions_open' in text\n\n"
        "@pytest.mark.rule('missions_open')\ndef test_b():\n    ...\n\n"
        "def test_c():\n    raise MissionClosed\n\n"
        "CASES = ['tasks_open']\nVALUES = [CASES]\nLIST = ['tasks_listed']\n\n"
        "@pytest.mark.parametrize('case', VALUES)\ndef test_d(case):\n    assert LIST\n"
    )
    tests = rule_list.Tests(Path(tmp_path / "tests"))
    rule = rule_list.Rule("missions_open", words={"MissionClosed"})
    assert tests.of(rule, "groups") == ["tests/groups/test_one.py::test_a", "tests/groups/test_one.py::test_b"]
    rule = rule_list.Rule("missions_closed", words={"MissionClosed"})
    assert tests.of(rule, "groups") == ["tests/groups/test_one.py::test_c"]
    assert tests.of(rule_list.Rule("tasks_open"), "groups") == ["tests/groups/test_one.py::test_d"]
    assert tests.of(rule_list.Rule("tasks_listed"), "groups") == []


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Q(status__in=["active", "left"]), "status in active, left"),
        (Q(a__gte=0) & Q(b=None), "a >= 0 and b = None"),
        (~Q(a=1) | Q(b__gt=F("c")), "not (a = 1) or b > F(c)"),
    ],
)
def test_condition_as_text(condition, text):
    assert rule_list.condition_text(condition) == text
