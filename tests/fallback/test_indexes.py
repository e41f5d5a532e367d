"""Lists of a quiet project use an index of that project, however many rows other projects have.

One project has most of the rows, and they are newer. Without an index of the project, the planner walks the index of
all rows, newest first, and leaves out those of other projects: all of them, before it comes to the quiet project's.
"""

import json
from contextlib import ExitStack

import pytest

from fallback.models import Mission, MissionFallbackItem, MissionFallbackRun
from tests.database import restore
from tests.support.admin import client_of
from tests.support.concurrency import execute_as_owner, owner_connection
from tests.support.database import rows, triggers_off
from tests.support.factories.groups import StaffFactory
from tests.support.factories.tokens import api_client
from tests.support.reading import excess

BUSY, QUIET = "01" + "B" * 24, "01" + "Q" * 24
TABLES = "missions, mission_fallback_items, mission_fallback_runs, projects, organizations"
# The busy project has 40,000 missions and proposals of the last weeks, the quiet one 1,000 from before.
ROWS = f"""
    INSERT INTO organizations (id, name, slug) VALUES ('{BUSY}', 'Organisation', 'organisation');
    INSERT INTO projects (id, organization_id, name, slug)
    SELECT id, '{BUSY}', 'Project ' || id, lower(id) FROM unnest('{{{BUSY},{QUIET}}}'::text[]) id;
    INSERT INTO flows (id, project_id, name) SELECT id, id, 'Flow' FROM projects;
    INSERT INTO actors (id, project_id, name) SELECT id, id, 'Actor' FROM projects;
    INSERT INTO project_repositories (id, project_id, name) SELECT id, id, 'Repository' FROM projects;
    INSERT INTO mission_fallback_templates (id, project_id, name, flow_id, actor_id, repository_id,
        estimated_effort_minutes)
    SELECT id, id, 'Template', id, id, id, 60 FROM projects;
"""
NUMBERED = f"""
    (SELECT i, CASE WHEN i > 40000 THEN '{QUIET}' ELSE '{BUSY}' END, now() - i * interval '1 minute',
        lpad(i::text, 26, '0') FROM generate_series(1, 41000) i) n (i, project, at, key)
"""
HISTORY = f"""
    INSERT INTO missions (id, project_id, title, list, created_at)
    SELECT key, project, 'Mission', 'done', at FROM {NUMBERED};
    INSERT INTO mission_fallback_runs (id, project_id, triggered_by, status, started_at)
    SELECT key, project, 'automatic', 'completed', at FROM {NUMBERED};
    INSERT INTO mission_fallback_items (id, mission_fallback_run_id, template_id, project_id, title, flow_id, actor_id,
        repository_id, status, reason, reviewed_at, created_at)
    SELECT key, key, project, project, 'Proposal', project, project, project, 'discarded', 'not_needed', now(), at
    FROM {NUMBERED};
"""


@pytest.fixture(scope="module", autouse=True)
def history(django_db_setup):
    execute_as_owner(f"TRUNCATE {TABLES} CASCADE")
    execute_as_owner(ROWS)
    load_fast(HISTORY, "missions", "mission_fallback_runs", "mission_fallback_items")
    yield
    restore()


def load_fast(script: str, *tables: str) -> None:
    """Run a script with triggers of these tables disabled, then VACUUM and ANALYZE them."""
    with owner_connection() as session, ExitStack() as off:
        session.autocommit = True
        for table in tables:
            off.enter_context(triggers_off(session, table))
        session.execute(script)
    execute_as_owner(f"VACUUM (ANALYZE) {', '.join(tables)}")


def plan_of(queryset) -> tuple[set[str], int]:
    """The indexes used by a query, and the number of rows removed by filters."""
    sql, parameters = queryset.query.sql_with_params()
    [(plan,)] = rows(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", list(parameters))
    return _read(plan)


def plan_without(index: str, queryset) -> tuple[set[str], int]:
    """The same in a transaction of the owner in which an index is dropped, rolled back."""
    sql, parameters = queryset.query.sql_with_params()
    with owner_connection() as owner:
        owner.execute(f"DROP INDEX {index}")
        [(plan,)] = owner.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", list(parameters)).fetchall()
        owner.rollback()
    return _read(plan)


def _read(plan) -> tuple[set[str], int]:
    plan = json.loads(plan) if isinstance(plan, str) else plan
    used, removed, nodes = set(), 0, [plan[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        used.add(node.get("Index Name") or node["Node Type"])
        removed += node.get("Rows Removed by Filter", 0)
        nodes += node.get("Plans", [])
    return used, removed


# The queries of the lists: the keys of a page and one more.
LISTS = {
    "missions_of_project": lambda project: Mission.objects.filter(project=project).values_list("pk")[:51],
    "mission_fallback_items_of": lambda project: MissionFallbackItem.objects.filter(project=project).values_list("pk")[
        :51
    ],
    "idx_mission_fallback_runs_project": lambda project: MissionFallbackRun.objects.filter(project=project).values_list(
        "pk"
    )[:51],
}


@pytest.mark.django_db
@pytest.mark.parametrize("index", LISTS)
def test_list_of_quiet_project_uses_its_index(index):
    used, removed = plan_of(LISTS[index](QUIET))
    assert index in used
    assert removed == 0


@pytest.mark.django_db
@pytest.mark.parametrize("index", LISTS)
def test_list_of_busy_project_reads_no_other_rows(index):
    used, removed = plan_of(LISTS[index](BUSY))
    assert "Sort" not in used
    assert removed == 0


@pytest.mark.django_db
def test_list_of_all_proposals_uses_index_of_newest():
    used, _removed = plan_of(MissionFallbackItem.objects.values_list("pk")[:51])
    assert "mission_fallback_items_newest" in used


@pytest.mark.django_db
@pytest.mark.parametrize("filters", [{"list": "done"}, {"list": "done", "ready": False}])
def test_filter_in_project_reads_only_that_project(filters):
    _used, removed = plan_of(Mission.objects.filter(project=QUIET, **filters)[:51])
    assert removed <= 1_000


MISSIONS, ITEMS, RUNS = (
    f"/admin/fallback/{name}/" for name in ("mission", "missionfallbackitem", "missionfallbackrun")
)
PAGES = (
    MISSIONS,
    f"{MISSIONS}?project__id__exact={QUIET}",
    f"{MISSIONS}?list__exact=todo",
    f"{MISSIONS}?list__exact=done",
    f"{MISSIONS}?q=nothing",
    ITEMS,
    f"{ITEMS}?project__id__exact={QUIET}",
    f"{ITEMS}?status__exact=accepted",
    RUNS,
    f"{RUNS}?project__id__exact={QUIET}",
    f"{RUNS}?status__exact=errored",
    f"{ITEMS}review/?project={QUIET}",
    f"/admin/fallback/project/{QUIET}/activity/",
    "/admin/fallback/project/inbox/",
    "/admin/fallback/project/",
)


@pytest.mark.django_db
def test_pages_read_at_most_20_times_their_rows():
    office = client_of(StaffFactory(is_superuser=True))
    found = {path: statements for path in PAGES if (statements := excess(office, path))}
    assert not found


@pytest.mark.django_db
def test_api_reads_at_most_20_times_its_rows():
    api = api_client(StaffFactory(is_superuser=True))
    for project in (QUIET, BUSY):
        for name in (
            "missions",
            "missions?list=todo",
            "fallback/items",
            "fallback/items?status=accepted",
            "fallback/runs",
        ):
            assert not excess(api, f"/api/projects/{project}/{name}"), name


@pytest.mark.long
def test_without_index_quiet_project_reads_busy_one():
    """Negative control: the data is skewed enough to show the problem."""
    _used, removed = plan_without("missions_of_project", LISTS["missions_of_project"](QUIET))
    assert removed >= 40_000
