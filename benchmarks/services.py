"""Compare the most frequent services with their SQL alone: join, leave, accept a proposal.

    python -m benchmarks.services [--scale 1.0] [--rounds 200] [--churn 100000] [--profile accept]

--scale 1.0 is 1,000,000 memberships in 1,000 missions and boards of 200 cards. A service and the same INSERT or UPDATE
of its main table, with all triggers, run in turn, each in a transaction of its own. --churn: joins and leaves by SQL
after that, for the growth of the indexes.
"""

import argparse
import cProfile
import os
import pstats
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.data import Sizes
from benchmarks.data import load as load_community
from benchmarks.database import log, prepare, stop, table

# Milliseconds, median.
GOALS = {"join": 3.0, "accept": 6.0}
CARDS = 200
PROPOSALS = 40
BOARDS = f"""
INSERT INTO organizations (id, name, slug) VALUES (%(key)s, 'Organisation', 'organisation');
INSERT INTO projects (id, organization_id, name, slug)
SELECT lpad(p::text, 26, '0'), %(key)s, 'Project ' || p, 'project-' || p FROM generate_series(1, %(projects)s) p;
INSERT INTO flows (id, project_id, name) SELECT id, id, 'Flow' FROM projects;
INSERT INTO actors (id, project_id, name) SELECT id, id, 'Actor' FROM projects;
INSERT INTO project_repositories (id, project_id, name) SELECT id, id, 'Repository' FROM projects;
INSERT INTO mission_fallback_configs (id, project_id, weekly_mission_cap, monthly_target_hours)
SELECT id, id, 10000, 100000 FROM projects;
INSERT INTO mission_fallback_templates (id, project_id, name, flow_id, actor_id, repository_id,
    estimated_effort_minutes)
SELECT id, id, 'Template', id, id, id, 30 FROM projects;
INSERT INTO missions (id, project_id, title, list, list_order, actor_id, repository_id)
SELECT substr(id, 14) || lpad(i::text, 13, '0'), id, 'Mission ' || i,
    (ARRAY['todo', 'doing', 'review', 'done'])[1 + i %% 4], i, id, id
FROM projects, generate_series(1, {CARDS}) i;
INSERT INTO mission_fallback_runs (id, project_id, triggered_by, status)
SELECT id, id, 'automatic', 'awaiting_review' FROM projects;
INSERT INTO mission_fallback_items (id, mission_fallback_run_id, template_id, project_id, title, description, flow_id,
    actor_id, repository_id, estimated_effort_minutes)
SELECT substr(id, 14) || lpad(i::text, 13, '0'), id, id, id, 'Proposal ' || i, 'What it is about.', id, id, id, 30
FROM projects, generate_series(1, {PROPOSALS}) i
"""
CHURN = """
CREATE PROCEDURE pg_temp.churn(rounds integer) LANGUAGE plpgsql AS $$
DECLARE
    missions CONSTANT uuid[] := ARRAY(SELECT id FROM groups WHERE type = 'mission' ORDER BY id LIMIT 20);
    people CONSTANT uuid[] := ARRAY(
        SELECT id FROM members m
        WHERE NOT EXISTS (SELECT FROM memberships s WHERE s.member_id = m.id AND s.group_id = ANY (missions))
        ORDER BY id LIMIT 1000
    );
BEGIN
    FOR i IN 1..rounds LOOP
        INSERT INTO memberships (member_id, group_id)
        VALUES (people[1 + i % cardinality(people)], missions[1 + i % cardinality(missions)]);
        COMMIT;
        UPDATE memberships SET status = 'left', left_at = now()
        WHERE member_id = people[1 + i % cardinality(people)] AND group_id = missions[1 + i % cardinality(missions)]
            AND status = 'active';
        COMMIT;
    END LOOP;
END $$
"""


def load(owner, options) -> None:
    log("Loading missions and memberships")
    owner.autocommit = False
    load_community(owner, Sizes().scaled(options.scale))
    log("Loading boards")
    # One proposal for each turn of the service, one for each of its SQL, and some for warming up.
    projects = 2 + 2 * options.rounds // PROPOSALS
    with owner.cursor() as cursor:
        for statement in BOARDS.split(";"):
            cursor.execute(statement, {"key": "0" * 26, "projects": projects})


def spent() -> tuple[float, float, float]:
    """Return seconds: elapsed, CPU of this process, CPU of its backend. Source: proc_pid_schedstat, first field."""
    from django.db import connection

    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    backend = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return time.perf_counter(), time.process_time(), backend


class Operations:
    """Joins and leaves a mission, and accepts proposals, by the service and by SQL."""

    def __init__(self) -> None:
        from fallback.models import MissionFallbackItem
        from groups.models import Group, Member

        self.actor = Member.objects.create_superuser("bench@example.org", display_name="Benchmark")
        self.member = Member.objects.create(email="newcomer@example.org", display_name="Newcomer", trust_score=1000)
        self.mission = Group.objects.filter(type="mission").order_by("stable_id").first()
        self.items = iter(MissionFallbackItem.objects.order_by("id"))

    def join(self) -> None:
        from groups.services.memberships import join_mission

        join_mission(actor=self.actor, member=self.member, mission=self.mission)

    def leave(self) -> None:
        from groups.services.memberships import leave_mission

        leave_mission(actor=self.actor, member=self.member, mission=self.mission)

    def accept(self) -> None:
        from fallback.services.review import accept_item

        accept_item(actor=self.actor, item=next(self.items))

    def join_by_sql(self) -> None:
        _execute(
            "INSERT INTO memberships (member_id, group_id) VALUES (%s, %s)", [str(self.member.pk), str(self.mission.pk)]
        )

    def leave_by_sql(self) -> None:
        _execute(
            "UPDATE memberships SET status = 'left', left_at = now()"
            " WHERE member_id = %s AND group_id = %s AND status = 'active'",
            [str(self.member.pk), str(self.mission.pk)],
        )

    def accept_by_sql(self) -> None:
        item = next(self.items).pk
        _execute(
            """WITH made AS (
                   INSERT INTO missions (id, project_id, title, ready, origin, fallback_item_id, list, list_order,
                       actor_id, repository_id)
                   SELECT ulid(), project_id, title, true, 'fallback', id, 'todo', 1000, actor_id, repository_id
                   FROM mission_fallback_items WHERE id = %s
                   RETURNING id, fallback_item_id
               )
               UPDATE mission_fallback_items i SET status = 'accepted', mission_id = made.id, reviewed_by_id = %s,
                   reviewed_at = now()
               FROM made WHERE i.id = made.fallback_item_id""",
            [item, str(self.actor.pk)],
        )


def _execute(statement: str, values: list) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def measure(run: Callable[[], object]) -> tuple[float, float, float]:
    before = spent()
    run()
    return tuple(after - start for after, start in zip(spent(), before, strict=True))


def index_bytes(owner) -> int:
    return owner.execute("SELECT pg_indexes_size('memberships')").fetchone()[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: 1,000,000 memberships")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--churn", type=int, default=0, help="joins and leaves after that, for the growth of indexes")
    parser.add_argument("--profile", choices=("join", "leave", "accept"), help="print where the time of a service goes")
    options = parser.parse_args()
    import psycopg

    server = prepare()
    try:
        with psycopg.connect(server.owner_url) as owner:
            load(owner, options)
            _measure(owner, options)
    finally:
        stop()


def _measure(owner, options) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    operations = Operations()
    pairs = {"join": operations.join_by_sql, "leave": operations.leave_by_sql, "accept": operations.accept_by_sql}
    services = {name: getattr(operations, name) for name in pairs}
    queries: dict[str, int] = {}
    for name, run in services.items():
        with CaptureQueriesContext(connection) as captured:
            run()
        queries[name] = len(captured)
    log("Running services and SQL in turn")
    figures: dict[str, list] = {name: [] for name in pairs}
    for _turn in range(options.rounds):
        # A join of the service is ended by the service, and the same by SQL.
        ours = [measure(run) for run in services.values()]
        theirs = [measure(run) for run in pairs.values()]
        for name, one, other in zip(pairs, ours, theirs, strict=True):
            figures[name].append((one, other))
    rows = []
    for name, both in figures.items():
        medians = [statistics.median(one[column] * 1000 for one, _ in both) for column in range(3)]
        ratios = sorted(one[0] / other[0] for one, other in both)
        sql_cpu = statistics.median((other[1] + other[2]) * 1000 for _, other in both)
        goal = GOALS.get(name)
        rows.append(
            (
                name,
                queries[name],
                *(f"{median:.2f}" for median in medians),
                f"{statistics.median(other[0] * 1000 for _, other in both):.2f}",
                f"{sql_cpu:.2f}",
                f"{statistics.median(ratios):.1f}",
                f"{ratios[len(ratios) // 4]:.1f} to {ratios[-1 - len(ratios) // 4]:.1f}",
                f"{goal:.0f} ms, {'met' if medians[0] <= goal else 'missed'}" if goal else "",
            )
        )
    print(f"Load average {os.getloadavg()[0]:.1f}; medians of {options.rounds} rounds in turn\n")
    head = (
        "service",
        "queries",
        "ms",
        "CPU of Python",
        "of the backend",
        "SQL alone",
        "its CPU",
        "ratio",
        "middle half",
        "goal",
    )
    table(rows, head=head)
    if options.profile:
        profile = cProfile.Profile()
        for _turn in range(20):
            for name, run in services.items():
                if name == options.profile:
                    profile.enable()
                run()
                profile.disable()
        pstats.Stats(profile).sort_stats("cumulative").print_stats(60)
    if options.churn:
        owner.execute("VACUUM memberships")
        before = index_bytes(owner)
        rows_before = owner.execute("SELECT count(*) FROM memberships").fetchone()[0]
        log(f"{options.churn:,} joins and leaves")
        owner.execute(CHURN)
        owner.execute("CALL pg_temp.churn(%s)", [options.churn])
        ratio = index_bytes(owner) / before
        print(
            f"\nIndexes of {rows_before:,} memberships after {options.churn:,} joins and leaves: {ratio:.2f} times"
            f" (rows {1 + options.churn / rows_before:.2f} times); goal 1.5 times:"
            f" {'met' if ratio <= 1.5 else 'missed'}"
        )


if __name__ == "__main__":
    main()
