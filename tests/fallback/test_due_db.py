"""`due_fallback_projects`: which projects are due, and their deficit."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import DatabaseError, transaction

from fallback.models import Organization, Project
from tests.support.concurrency import execute_as_owner
from tests.support.database import row, rows
from tests.support.factories.fallback import (
    ConfigFactory,
    ItemFactory,
    MissionFactory,
    OrganizationFactory,
    ProjectFactory,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def due(at=NOW) -> dict[str, list[int]]:
    """Threshold, backlog, open proposals and deficit by project."""
    return {key: figures for key, *figures in rows("SELECT * FROM due_fallback_projects(%s)", [at])}


# --- Due --------------------------------------------------------------------------------------


def test_project_is_due_only_with_configuration():
    MissionFactory()
    config = ConfigFactory()
    assert due() == {config.project_id: [5, 0, 0, 5]}


@pytest.mark.parametrize(
    ("values", "is_due"),
    [
        ({"status": "active"}, True),
        ({"status": "paused"}, False),
        ({"status": "snoozed", "snoozed_until": NOW + timedelta(seconds=1)}, False),
        ({"status": "snoozed", "snoozed_until": NOW}, True),
        ({"status": "snoozed", "snoozed_until": NOW - timedelta(days=9)}, True),
        ({"last_run_at": None}, True),
        ({"last_run_at": NOW - timedelta(minutes=15)}, True),
        ({"last_run_at": NOW - timedelta(minutes=15) + timedelta(microseconds=1)}, False),
        ({"last_run_at": NOW - timedelta(minutes=59), "check_cadence_minutes": 60}, False),
        ({"last_run_at": NOW - timedelta(minutes=60), "check_cadence_minutes": 60}, True),
        ({"last_run_at": NOW + timedelta(days=1)}, False),
        ({"project__status": "archived"}, False),
        ({"project__fallback_enabled": False}, False),
        ({"project__organization__fallback_enabled": False}, False),
        ({"project__organization__fallback_rollout_percent": 0}, False),
        ({"project__organization__fallback_rollout_percent": 100}, True),
        ({"backlog_threshold": 0}, True),
    ],
)
def test_due_depends_on_config_project_and_organization(values, is_due):
    config = ConfigFactory(**values)
    assert (config.project_id in due()) is is_due


def test_python_and_sql_agree_on_active_configuration():
    configs = [
        ConfigFactory(),
        ConfigFactory(status="paused"),
        ConfigFactory(status="snoozed", snoozed_until=NOW),
        ConfigFactory(status="snoozed", snoozed_until=NOW + timedelta(seconds=1)),
    ]
    assert {config.project_id for config in configs if config.is_active(NOW)} == set(due())


# --- Deficit ----------------------------------------------------------------------------------


def test_backlog_counts_only_ready_unblocked_todo():
    project = ConfigFactory().project
    ready = MissionFactory(project=project)
    MissionFactory(project=project, ready=False)
    for elsewhere in ("doing", "review", "done"):
        MissionFactory(project=project, list=elsewhere)
    MissionFactory()
    blocked = MissionFactory(project=project)
    blocked.dependencies.create(depends_on=ready)
    assert due()[project.pk] == [5, 1, 0, 4]
    ready.list = "done"
    ready.save()
    assert due()[project.pk] == [5, 1, 0, 4], "the blocked one took the place of what is done"


@pytest.mark.seed("004 the threshold is evaluated")
def test_open_proposals_count_towards_threshold():
    item = ItemFactory()
    ConfigFactory(project=item.project)
    MissionFactory.create_batch(2, project=item.project)
    rows("UPDATE mission_fallback_items SET snoozed_until = %s", [NOW + timedelta(days=1)])
    assert due()[item.project_id] == [5, 2, 1, 2]


@pytest.mark.seed("004 the threshold is evaluated")
def test_count_stops_at_threshold_and_deficit_is_not_negative():
    item = ItemFactory()
    ConfigFactory(project=item.project, backlog_threshold=3)
    MissionFactory.create_batch(5, project=item.project)
    assert due()[item.project_id] == [3, 3, 1, 0]


# --- Roll-out ---------------------------------------------------------------------------------


@pytest.mark.seed("004 Migration 5")
def test_roll_out_share_only_adds_projects():
    organization = OrganizationFactory()
    for project in ProjectFactory.create_batch(200, organization=organization):
        ConfigFactory(project=project)
    shares = []
    for percent in (0, 1, 10, 25, 50, 75, 99, 100):
        Organization.objects.update(fallback_rollout_percent=percent)
        shares.append(set(due()))
    assert all(smaller <= larger for smaller, larger in pairwise(shares))
    assert (len(shares[0]), len(shares[-1])) == (0, 200)
    # Binomial with n = 200: between 70 and 130 in all but one of 40,000 runs.
    assert 70 <= len(shares[4]) <= 130
    Organization.objects.update(fallback_rollout_percent=25)
    Project.objects.update(name="Another name", privacy="organization")
    assert set(due()) == shares[3]


def test_bucket_is_two_bytes_of_digest_of_id():
    for project in ProjectFactory.create_batch(20):
        project.refresh_from_db()
        digest = hashlib.md5(project.pk.encode(), usedforsecurity=False).digest()
        assert project.rollout_bucket == int.from_bytes(digest[:2], "big") % 100
    with pytest.raises(DatabaseError, match="rollout_bucket"), transaction.atomic():
        rows("UPDATE projects SET rollout_bucket = 0")


# --- Query plan -------------------------------------------------------------------------------


@pytest.mark.seed("004 partial index on ready todo work")
@pytest.mark.django_db(transaction=True)
def test_backlog_uses_partial_index_only():
    """Twenty projects, one with 6,000 missions; one in fifty is ready."""
    for project in ProjectFactory.create_batch(20):
        ConfigFactory(project=project)
    rows(
        """INSERT INTO missions (project_id, title, list, ready)
           SELECT p.id, 'Mission ' || n, CASE WHEN n % 50 = 0 THEN 'todo' ELSE 'done' END, n % 50 = 0
           FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM projects) p,
               generate_series(1, 6000 / (2 * p.place::int)) n"""
    )
    execute_as_owner("VACUUM ANALYZE missions")
    (body,) = row("SELECT prosrc FROM pg_proc WHERE proname = 'due_fallback_projects'")
    # A function with a search_path of its own is not inlined.
    plan = "\n".join(line for (line,) in rows("EXPLAIN " + re.sub(r"\bat\b", "CURRENT_TIMESTAMP", body)))
    assert "missions_backlog" in plan
    assert "Seq Scan on missions" not in plan
    assert "idx_missions_project_list_ready" not in plan
    size = "SELECT pg_relation_size('missions_backlog') < pg_relation_size('idx_missions_project_list_ready')"
    assert row(size) == (True,)
