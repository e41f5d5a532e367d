"""The example missions: values of the seed, and data for every page."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from missiondeck.models import (
    Category,
    ChatMessage,
    ChatSender,
    Citizen,
    DeckMission,
    DodItem,
    ResultStatus,
    RunSource,
    TestRun,
)
from missiondeck.selectors.checklist import progress_of
from missiondeck.selectors.missions import missing_of
from missiondeck.selectors.runs import log_page, results_of
from tests.missiondeck.helpers import mission
from tests.support.database import row, rows

FIXTURE = Path(apps.get_app_config("missiondeck").path) / "fixtures" / "seeds.json"
LISTED = json.loads(FIXTURE.read_text(encoding="utf-8"))
# Seed 001, "Seed Data (For Testing)".
SEED = {
    47: ("Telegram Notifier", "Acme Corp", 300, datetime(2025, 11, 8, 23, 59, 59, tzinfo=UTC)),
    48: ("Landing Page", "Beta Inc", 450, datetime(2025, 11, 10, 23, 59, 59, tzinfo=UTC)),
}
CREATED = {47: datetime(2025, 11, 3, 9, tzinfo=UTC), 48: datetime(2025, 11, 4, 13, 30, tzinfo=UTC)}

pytestmark = pytest.mark.django_db


def everything() -> dict[str, list]:
    """All rows of the tables of the app without history."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_app_config("missiondeck").get_models():
            table = model._meta.db_table
            if not table.endswith("_history"):
                cursor.execute(f"SELECT to_jsonb(t) FROM {table} t ORDER BY to_jsonb(t)::text")
                found[table] = [each for (each,) in cursor.fetchall()]
    return found


@pytest.mark.seed("001 examples: every category, citizen and source, code, a flaky test")
def test_seeds_load_twice_unchanged(seeds):
    before = everything()
    assert {table: len(found) for table, found in before.items() if found} == {
        # By the migration.
        "deck_citizens": 5,
        "deck_missions": 2,
        "dod_items": 14,
        "chat_messages": 20,
        "test_runs": 10,
        "deck_latest_runs": 2,
        # One of each run.
        "deck_notices": 10,
        "test_run_log_pages": len(before["test_run_log_pages"]),
        # One row for each test of each run.
        "test_results": sum(len(json.loads(run)["results"]) for run in before["test_runs"]),
    }
    call_command("loaddata", "seeds", verbosity=0)
    assert everything() == before


@pytest.mark.seed("001 Migration 4", "001 Seed 1", "001 Seed 2")
@pytest.mark.parametrize("number", SEED)
def test_missions_have_values_of_seed(seeds, number):
    """The deadline is shifted by the whole days between writing and loading the examples."""
    one = DeckMission.objects.get(number=number)
    written = apps.get_app_config("missiondeck").seeds_written_on
    moved = timedelta(days=(datetime.now(UTC).date() - written).days)
    assert (one.title, one.client, one.budget, one.deadline - moved) == SEED[number]
    assert one.deadline - one.created_at == SEED[number][3] - CREATED[number]
    assert (one.currency, one.status, one.assigned_to) == ("USD", "active", "person1@scopelock.ai")
    assert one.github_url == f"https://github.com/mind-protocol/mission-{number}"


def test_next_mission_has_next_number(seeds):
    """The sequence is beyond the numbers of the file."""
    first = mission().number
    assert first >= 49
    assert mission().number == first + 1


@pytest.mark.seed("001 Seed 3", "001 Seed 4")
def test_example_run_has_summary_of_seed(seeds):
    """The seed has the status passed with a failed test, which is rejected; here it is failed."""
    run = TestRun.objects.get(mission__number=47, summary__has_key="functional_passed")
    assert run.summary == {
        "functional_passed": 8, "functional_total": 10, "performance_passed": 2, "performance_total": 3,
    }  # fmt: skip
    by_name = {each["name"]: each for each in run.results}
    assert list(by_name) == ["test_send_message", "test_callback_handler"]
    assert (by_name["test_send_message"]["status"], by_name["test_send_message"]["duration"]) == ("passed", 0.5)
    assert by_name["test_callback_handler"]["status"] == "failed"
    assert by_name["test_callback_handler"]["error"].replace("'", "") == "KeyError: callback_data"
    assert by_name["test_callback_handler"]["traceback"]
    assert run.status == "failed"


@pytest.mark.seed("001 examples: every category, citizen and source, code, a flaky test")
def test_all_choices_occur(seeds):
    for number in SEED:
        items = DodItem.objects.filter(mission__number=number)
        assert set(items.values_list("category", flat=True)) == set(Category.values)
        assert set(items.values_list("completed", flat=True)) == {True, False}
    messages = ChatMessage.objects.filter(mission__number=47)
    assert set(messages.values_list("citizen", flat=True)) == set(Citizen.objects.values_list("key", flat=True))
    assert set(messages.values_list("sender", flat=True)) == set(ChatSender.values)
    assert set(TestRun.objects.values_list("source", flat=True)) == {RunSource.JUNIT, RunSource.JSON}
    statuses = rows("SELECT DISTINCT r->>'status' FROM test_runs, jsonb_array_elements(results) r")
    assert {status for (status,) in statuses} == set(ResultStatus.values)
    assert set(TestRun.objects.values_list("status", flat=True)) == {"passed", "failed"}


@pytest.mark.seed("001 examples: every category, citizen and source, code, a flaky test")
def test_code_blocks_have_several_languages(seeds):
    found = rows(
        """SELECT DISTINCT citizen, block->>'language' FROM chat_messages, jsonb_array_elements(code_blocks) block"""
    )
    assert len({citizen for citizen, _language in found}) >= 2
    assert len({language for _citizen, language in found}) >= 2


@pytest.mark.seed("001 examples: every category, citizen and source, code, a flaky test")
def test_one_test_is_flaky(seeds):
    flaky = TestRun.objects.exclude(flaky_tests=[])
    assert flaky.exists()
    for run in flaky:
        assert run.status == "failed"
        marked = [each["name"] for each in results_of(run).results if each["is_flaky"]]
        assert "test_callback_handler" in marked


def test_no_mission_is_done(seeds):
    first, second = (DeckMission.objects.get(number=number) for number in SEED)
    assert [each["what"] for each in missing_of(first)] == ["open_items", "test_run"]
    # Its tests pass now; an item is missing.
    assert [each["what"] for each in missing_of(second)] == ["open_items"]
    for one in (first, second):
        everything_done = progress_of(one)[""]
        assert 0 < everything_done.done < everything_done.total


def test_failed_tests_have_errors(seeds):
    bare = row(
        """SELECT count(*) FROM test_runs, jsonb_array_elements(results) r
           WHERE r->>'status' IN ('failed', 'error') AND coalesce(r->>'error', '') = ''"""
    )
    assert bare == (0,)


def test_logs_are_readable(seeds):
    logged = [run for run in TestRun.objects.all() if run.logs]
    assert logged
    for run in logged:
        assert log_page(run).lines[0][1] == run.logs.split("\n")[0]


def test_ids_are_fixed_and_times_are_shifted(seeds):
    for each in LISTED:
        assert apps.get_model(each["model"]).objects.filter(pk=each["pk"]).exists()
    for number in SEED:
        for model in (ChatMessage, TestRun):
            times = list(
                model.objects.filter(mission__number=number).order_by("created_at").values_list("created_at", flat=True)
            )
            assert len(set(times)) == len(times)


def test_member_with_seed_address_gets_both_missions(seeds):
    rows("INSERT INTO members (email, display_name) VALUES ('Person1@Scopelock.AI', 'Person 1')")
    assert row("SELECT count(*) FROM deck_missions WHERE assignee_id IS NOT NULL") == (2,)
