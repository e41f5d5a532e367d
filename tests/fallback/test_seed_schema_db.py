"""The five tables of the seed: names, types, defaults and indexes."""

import re

import pytest

from tests.support.database import rejected_by, row, rows
from tests.support.factories.fallback import MissionFactory

pytestmark = pytest.mark.django_db

# Columns of the seed: type, default, NOT NULL. ENUM is text with a CHECK; TIMESTAMP has a time zone.
KEY, REQUIRED_KEY = ("character varying(26)", None, False), ("character varying(26)", None, True)
TEXT, NUMBER, MOMENT = ("text", None, False), ("integer", None, False), ("timestamp with time zone", None, False)
NOW = ("timestamp with time zone", "CURRENT_TIMESTAMP", False)
OWN_KEY = ("character varying(26)", "ulid()", True)
PRINTED = {
    "missions": {
        "id": OWN_KEY,
        "project_id": REQUIRED_KEY,
        "title": ("character varying(500)", None, True),
        "description": TEXT,
        "clarification": TEXT,
        "priority": ("integer", "3", False),
        "list": ("text", "'todo'", False),
        "list_order": ("numeric(10,5)", "1000", False),
        "flow_id": KEY,
        "stage": ("character varying(64)", "'clarify'", False),
        "requires_review": ("boolean", "false", False),
        "actor_id": KEY,
        "repository_id": KEY,
        "target_branch": ("character varying(120)", "'main'", False),
        "pr_mode": ("text", "'auto'", False),
        "pr_branch_name": ("character varying(255)", None, False),
        "github_pr_number": NUMBER,
        "ready": ("boolean", "false", False),
        "origin": ("text", "'manual'", False),
        "fallback_item_id": KEY,
        "agent_session_status": ("text", "'inactive'", False),
        "solution_path": TEXT,
        "tasks_path": TEXT,
        "review_status": TEXT,
        "review_feedback": TEXT,
        "dependency_count": ("integer", "0", False),
        "last_event_at": MOMENT,
        "created_at": NOW,
        "updated_at": NOW,
    },
    "mission_fallback_configs": {
        "id": OWN_KEY,
        "project_id": REQUIRED_KEY,
        "backlog_threshold": ("integer", "5", False),
        "check_cadence_minutes": ("integer", "15", False),
        "auto_accept": ("boolean", "false", False),
        "monthly_target_hours": ("integer", "120", False),
        "weekly_mission_cap": ("integer", "20", False),
        "status": ("text", "'active'", False),
        "last_run_at": MOMENT,
        "created_at": NOW,
        "updated_at": NOW,
    },
    "mission_fallback_templates": {
        "id": OWN_KEY,
        "project_id": REQUIRED_KEY,
        "name": ("character varying(255)", None, True),
        "description": TEXT,
        "flow_id": REQUIRED_KEY,
        "actor_id": REQUIRED_KEY,
        "repository_id": REQUIRED_KEY,
        "priority": ("integer", "3", False),
        "estimated_effort_minutes": ("integer", None, True),
        "acceptance_criteria": TEXT,
        "enabled": ("boolean", "true", False),
        "tags": ("jsonb", None, False),
        "created_at": NOW,
        "updated_at": NOW,
    },
    "mission_fallback_runs": {
        "id": OWN_KEY,
        "project_id": REQUIRED_KEY,
        "triggered_by": ("text", None, True),
        "backlog_count_before": NUMBER,
        "backlog_threshold": NUMBER,
        "generated_count": ("integer", "0", False),
        "accepted_count": ("integer", "0", False),
        "discarded_count": ("integer", "0", False),
        "status": ("text", "'awaiting_review'", False),
        "started_at": NOW,
        "completed_at": MOMENT,
    },
    "mission_fallback_items": {
        "id": OWN_KEY,
        "mission_fallback_run_id": REQUIRED_KEY,
        "template_id": REQUIRED_KEY,
        "project_id": REQUIRED_KEY,
        "title": ("character varying(500)", None, True),
        "description": TEXT,
        "flow_id": REQUIRED_KEY,
        "actor_id": REQUIRED_KEY,
        "repository_id": REQUIRED_KEY,
        "priority": NUMBER,
        "estimated_effort_minutes": NUMBER,
        "status": ("text", "'proposed'", False),
        "mission_id": KEY,
        "feedback": TEXT,
        "created_at": NOW,
        "updated_at": NOW,
    },
}


@pytest.mark.seed(
    "004 missions",
    "004 mission_fallback_configs",
    "004 mission_fallback_templates",
    "004 mission_fallback_runs",
    "004 mission_fallback_items",
    "004 Migration 1",
)
@pytest.mark.parametrize("table", PRINTED)
def test_seed_columns_have_types_and_defaults(table):
    kept = {
        name: (kind, re.sub(r"::[\w ]+$", "", default) if default else None, required)
        for name, kind, default, required in rows(
            """SELECT attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid), attnotnull
               FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
               WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped""",
            [table],
        )
    }
    for name, (kind, default, required) in PRINTED[table].items():
        assert kept[name][0] == kind, name
        # The seed has no default here; an empty default of ours counts as none.
        assert kept[name][1] == default or (default is None and kept[name][1] in ("''", "'[]'", "3", "60")), name
        assert kept[name][2] or not required, name


@pytest.mark.seed("004 missions", "004 missions always end in Done, no loop list")
def test_no_loop_column_or_list_is_left():
    assert (
        rows(
            """SELECT attrelid::regclass FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
               WHERE attname IN ('is_loop', 'loop_schedule') AND relkind = 'r'
                 AND relname <> 'mission_loops_converted'"""
        )
        == []
    )
    with rejected_by("missions_list_known"):
        MissionFactory(list="loop")


@pytest.mark.seed(
    "004 idx_missions_project_list_ready",
    "004 idx_mission_fallback_runs_project",
    "004 idx_mission_fallback_items_run_status",
    "004 covering index of a run listing",
    "004 unread notifications",
)
@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("idx_missions_project_list_ready", "missions USING btree (project_id, list, ready)"),
        (
            "idx_mission_fallback_runs_project",
            "mission_fallback_runs USING btree (project_id, started_at DESC) INCLUDE (status)",
        ),
        (
            "idx_mission_fallback_items_run_status",
            "mission_fallback_items USING btree (mission_fallback_run_id, status)",
        ),
        ("notifications_unread", "notifications USING btree (member_id) WHERE (read_at IS NULL)"),
    ],
)
def test_seed_indexes_have_names_and_columns(name, ends):
    (definition,) = row("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
    assert definition.endswith(ends)


@pytest.mark.seed("004 partial index on ready todo work")
def test_partial_index_has_only_ready_unblocked_todo():
    (definition,) = row("SELECT indexdef FROM pg_indexes WHERE indexname = 'missions_backlog'")
    for part in ("(project_id)", "list = 'todo'", "ready", "open_dependency_count = 0"):
        assert part in definition
