"""The indexes of the seed exist, and queries of the pages use indexes."""

import pytest
from django.db import transaction

from missiondeck.models import ChatMessage, DeckMission, DeckStatusChange, DodItem
from missiondeck.selectors.runs import light_runs
from tests.missiondeck.helpers import mission
from tests.support.concurrency import execute_as_owner
from tests.support.database import row, rows

pytestmark = pytest.mark.django_db

ASKED_FOR = {
    ("chat_messages", "idx_chat_mission_citizen", "(mission_id, citizen)", ""),
    ("test_runs", "idx_test_runs_mission", "(mission_id, created_at DESC)", ""),
}
OURS = {
    ("deck_missions", "deck_missions_due", "(deadline, number)", "(NOT (status = 'complete'::text))"),
    ("deck_missions", "deck_missions_deadline", "(deadline)", ""),
    ("deck_latest_runs", "deck_latest_runs_status", "(status)", ""),
    ("deck_missions", "deck_missions_status", "(status, number DESC)", ""),
    ("deck_missions", "deck_missions_client_prefix", "(lower((client)::text) text_pattern_ops)", ""),
    ("deck_missions", "deck_missions_title_prefix", "(lower((title)::text) text_pattern_ops)", ""),
    ("deck_missions", "deck_missions_unassigned", "(lower((assigned_to)::text))", "(assignee_id IS NULL)"),
    ("deck_missions", "deck_missions_number_unique", "(number)", ""),
    ("dod_items", "dod_items_of_mission", '(mission_id, category, "position")', ""),
    ("test_runs", "test_runs_key_unique", "(mission_id, import_key)", "(NOT ((import_key)::text = ''::text))"),
    ("test_runs", "test_runs_ended", "(mission_id, finished_at DESC)", ""),
    ("deck_status_changes", "deck_status_changes_of_mission", "(mission_id, id DESC)", ""),
    ("deck_missions_history", "deck_missions_history_of", "(pgh_obj_id, pgh_id DESC)", ""),
    ("dod_items_history", "dod_items_history_of", "(pgh_obj_id, pgh_id DESC)", ""),
}


def there() -> set[tuple[str, str, str, str]]:
    """Table, name, columns and condition of every index of the app's tables."""
    return set(
        rows(
            """SELECT tablename, indexname, substring(indexdef FROM 'USING btree (.*?)(?: WHERE .*)?$'),
                      coalesce(substring(indexdef FROM ' WHERE (.*)$'), '')
               FROM pg_indexes WHERE tablename = ANY (%s)""",
            [sorted({each[0] for each in ASKED_FOR | OURS})],
        )
    )


@pytest.mark.seed("001 Index 1", "001 Index 2")
def test_indexes_of_seed_exist():
    assert there() >= ASKED_FOR


def test_other_indexes_exist():
    assert there() >= OURS


@pytest.mark.parametrize(
    "wrong",
    [
        ("chat_messages", "idx_chat_mission_citizen", "(citizen, mission_id)", ""),
        ("test_runs", "idx_test_runs_mission", "(mission_id, created_at)", ""),
        ("deck_missions", "deck_missions_due", "(deadline, number)", ""),
    ],
)
def test_negative_control_other_index_is_not_accepted(wrong):
    """Negative control: another order, or a full index instead of a partial one, is not accepted."""
    assert wrong not in there()


def plan(queryset, *, incremental_sort: bool = True) -> str:
    """The plan of a query with sequential scans and sorts disabled."""
    sql, parameters = queryset.query.sql_with_params()
    with transaction.atomic():
        rows("SET LOCAL enable_seqscan = off")
        rows("SET LOCAL enable_sort = off")
        rows(f"SET LOCAL enable_incremental_sort = {incremental_sort}")
        return "\n".join(line for (line,) in rows(f"EXPLAIN {sql}", list(parameters)))


@pytest.mark.seed("001 Index 1", "001 Index 2")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("question", "index"),
    [
        (lambda one: ChatMessage.objects.filter(mission=one, citizen="sofia"), "idx_chat_mission_citizen"),
        (lambda one: light_runs().filter(mission=one)[:30], "test_runs_latest"),
        (lambda one: DodItem.objects.filter(mission=one), "dod_items_of_mission"),
        (lambda one: DeckStatusChange.objects.filter(mission=one)[:20], "deck_status_changes_of_mission"),
        (
            lambda one: DeckMission.objects.exclude(status="complete").order_by("deadline", "number")[:20],
            "deck_missions_due",
        ),
        (lambda one: DeckMission.objects.filter(status="qa").order_by("-number")[:20], "deck_missions_status"),
        (lambda one: light_runs().filter(mission=one).order_by("-finished_at")[:1], "test_runs_ended"),
        (lambda one: DeckMission.objects.filter(number=one.number), "deck_missions_number_unique"),
    ],
    ids=["chat", "trend", "checklist", "moves", "due", "status", "ended", "number"],
)
def test_query_uses_its_index(question, index):
    # Enough rows for realistic plans: 400 missions, each with five messages and five runs.
    rows(
        """INSERT INTO deck_missions (title, client, budget, deadline, assigned_to)
           SELECT 'Bot', 'Acme', 300, now() + i * interval '1 hour', 'a@example.org' FROM generate_series(1, 400) i"""
    )
    rows(
        """INSERT INTO chat_messages (mission_id, citizen, sender, message)
           SELECT id, c, 'user', 'Hi' FROM deck_missions, unnest('{emma,inna,rafael,sofia,maya}'::text[]) c"""
    )
    rows("INSERT INTO test_runs (mission_id, status) SELECT id, 'running' FROM deck_missions, generate_series(1, 5)")
    one = mission()
    # Without statistics of these rows, two indexes can cost the same.
    execute_as_owner("ANALYZE deck_missions, chat_messages, test_runs, dod_items, deck_status_changes")
    # The index on the deadline alone, with a sort of equal deadlines, costs nearly as little as the whole order.
    assert index in plan(question(one), incremental_sort=index != "deck_missions_due")


def test_query_does_not_scan_members():
    """Unassigned missions of a new member are found by an index."""
    rows("SET LOCAL enable_seqscan = off")
    (lines,) = row("""SELECT string_agg(indexdef, '') FROM pg_indexes WHERE indexname = 'deck_missions_unassigned'""")
    assert "lower((assigned_to)::text)" in lines
    found = rows(
        """EXPLAIN SELECT 1 FROM deck_missions WHERE assignee_id IS NULL AND lower(assigned_to) = 'a@example.org'"""
    )
    assert "deck_missions_unassigned" in "".join(line for (line,) in found)
