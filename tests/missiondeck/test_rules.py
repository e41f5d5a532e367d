"""The copies of rules.py in SQL, in the schemas of the API and in the README are equal to it."""

import re
from pathlib import Path
from typing import get_args

import pytest
from django.apps import apps

from groups.models import Member
from missiondeck import errors, rules
from missiondeck.api.names import (
    CategoryName,
    LastRunName,
    ResultStatusName,
    RunStatusName,
    SenderName,
    StatusName,
)
from missiondeck.models import Category, ChatSender, DeckStatus, ResultStatus, RunStatus
from missiondeck.services.checklist import add_item
from tests.support.database import rejected_by, row, rows
from tests.support.factories.missiondeck import DeckMissionFactory

README = Path(apps.get_app_config("missiondeck").path) / "README.md"


def test_moves_connect_statuses():
    assert {status for move in rules.STATUS_MOVES for status in move} == set(DeckStatus.values)
    assert {after: before for before, after in rules.FORWARD.items()} == rules.BACK


def test_readme_shows_status_moves():
    shown = re.findall(r"^ +(\w+) --> (\w+)(?:: (.*))?$", README.read_text(encoding="utf-8"), re.MULTILINE)
    moves = {(before, after): text == "with a reason" for before, after, text in shown}
    assert moves == rules.STATUS_MOVES


@pytest.mark.parametrize(
    ("names", "choices"),
    [
        (StatusName, DeckStatus),
        (CategoryName, Category),
        (SenderName, ChatSender),
        (RunStatusName, RunStatus),
        (ResultStatusName, ResultStatus),
    ],
)
def test_api_names_choices(names, choices):
    assert get_args(names) == tuple(choices.values)


def test_filter_by_latest_run_names_choices():
    assert get_args(LastRunName) == (*RunStatus.values, "none")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("blocks", "language", "code"),
    [
        (rules.CODE_BLOCKS, 1, 1),
        (1, rules.LANGUAGE_LENGTH, 1),
        (1, 1, rules.MESSAGE_LENGTH),
    ],
)
def test_sql_bounds_code_blocks(blocks, language, code):
    question = """
        SELECT deck_code_blocks_valid(jsonb_agg(block)) FROM generate_series(1, %s),
            jsonb_build_object('language', repeat('x', %s), 'code', repeat('x', %s)) block
    """
    assert row(question, [blocks, language, code]) == (True,)
    beyond = [value + 1 if value > 1 else value for value in (blocks, language, code)]
    assert row(question, beyond) == (False,)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("constraint", "limit"),
    [("test_runs_logs_bounded", rules.LOGS_BYTES), ("test_runs_results_bounded", rules.RESULTS_BYTES)],
)
def test_sql_bounds_size_of_runs(constraint, limit):
    (condition,) = row("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [constraint])
    assert condition.endswith(f"<= {limit}))")


@pytest.mark.django_db
def test_sql_bounds_items_of_mission():
    mission = DeckMissionFactory()
    add = "INSERT INTO dod_items (mission_id, text) SELECT %s, 'Item' FROM generate_series(1, %s)"
    rows(add, [mission.pk, rules.MAX_ITEMS])
    with rejected_by("dod_items_limit"):
        rows(add, [mission.pk, 1])
    with pytest.raises(errors.TooManyItems, match=f"at most {rules.MAX_ITEMS:,} items"):
        add_item(actor=Member.objects.system(), mission=mission, text="One more")
    # Negative control: the limit is that of a mission.
    rows(add, [DeckMissionFactory().pk, 1])


@pytest.mark.parametrize(
    ("error", "limit"),
    [(errors.LogsTooLarge, rules.LOGS_BYTES), (errors.ResultsTooLarge, rules.RESULTS_BYTES)],
)
def test_messages_name_size_of_runs(error, limit):
    assert f"at most {limit // 1024 // 1024} MB" in error().message


def test_message_names_bounds_of_code_blocks():
    message = errors.CodeBlocksInvalid().message
    assert f"at most {rules.CODE_BLOCKS}," in message
    assert f"up to {rules.MESSAGE_LENGTH:,} characters" in message
