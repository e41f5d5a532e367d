"""Compare keeping the figures of proposals by triggers with refreshing a materialized view over the proposals.

    python -m benchmarks.metrics [--scale 1.0] [--rounds 7]

Both sides have the same proposals: 1,000,000 of 500 projects over three years, busy projects with far more than quiet
ones (Zipf). One side is a view over the proposals, refreshed CONCURRENTLY. The other is the roll-up, whose triggers add
the difference of each statement: of 1,000 new proposals, and of a dirty day, whose proposals are all decided at once.
The time of a trigger is the server's own (EXPLAIN ANALYZE); each change is rolled back. The job that merges the
roll-ups and refreshes the small views over them is measured too. Both sides have the same figures, which is checked.
"""

import argparse
import os
import random
import time
from itertools import islice
from statistics import median

from benchmarks.backlog import key
from benchmarks.data import zipf
from benchmarks.database import bulk, goal, in_turn, log, prepare, ratios, stop, table

PROJECTS, DAYS, DELTA = 500, 1095, 1_000
LAST = "timestamptz '2026-06-01 12:00+00'"
TABLES = (
    "organizations",
    "projects",
    "flows",
    "actors",
    "project_repositories",
    "mission_fallback_templates",
    "mission_fallback_runs",
    "mission_fallback_items",
    "fallback_proposal_rollups",
)
COLUMNS = """id, mission_fallback_run_id, template_id, project_id, title, flow_id, actor_id, repository_id, status,
    reason, created_at, reviewed_at"""
ITEMS = """mission_fallback_items i JOIN projects p ON p.id = i.project_id
    JOIN organizations o ON o.id = p.organization_id"""
# The figures by project and day from the proposals: what the seed's view would read.
FIGURES = f"""
    SELECT project_id, day, sum(made)::integer AS generated, sum(accepted)::integer AS accepted,
        sum(discarded)::integer AS discarded
    FROM (
        SELECT i.project_id, (i.created_at AT TIME ZONE o.timezone)::date AS day, 1 AS made, 0 AS accepted,
            0 AS discarded
        FROM {ITEMS}
        UNION ALL
        SELECT i.project_id, (i.reviewed_at AT TIME ZONE o.timezone)::date, 0, (i.status = 'accepted')::integer,
            (i.status = 'discarded')::integer
        FROM {ITEMS}
        WHERE i.reviewed_at IS NOT NULL
    ) x GROUP BY project_id, day
"""
ROLLED_UP = """
    SELECT project_id, day, sum(generated), sum(accepted), sum(discarded) FROM fallback_proposal_rollups
    GROUP BY project_id, day
"""
REFRESH = "REFRESH MATERIALIZED VIEW CONCURRENTLY benchmark_figures"


# --- Data -------------------------------------------------------------------------------------


def load(owner, *, items: int) -> None:
    """Fill the tables with triggers off, the roll-ups from the same rows, and make the view over the proposals."""
    cursor, count = owner.cursor(), {"last": PROJECTS - 1}
    log(f"Loading {items:,} proposals")
    cursor.execute("CREATE TEMP TABLE chosen (n integer, project integer)")
    with cursor.copy("COPY chosen FROM STDIN") as copy:
        for row in enumerate(islice(zipf(PROJECTS, random.Random(1)), items)):
            copy.write_row(row)
    with bulk(cursor, *TABLES):
        cursor.execute(
            "INSERT INTO organizations (id, name, slug) VALUES (%s, 'Organization', 'organization')", [key(1, 0)]
        )
        cursor.execute(
            f"""INSERT INTO projects (id, organization_id, name, slug)
                SELECT {keys(2)}, '{key(1, 0)}', 'Project ' || n, 'project-' || n
                FROM generate_series(0, %(last)s) n""",
            count,
        )
        for target, kind in (("flows", 3), ("actors", 4), ("project_repositories", 5)):
            cursor.execute(
                f"""INSERT INTO {target} (id, project_id, name)
                    SELECT {keys(kind)}, {keys(2)}, 'One' FROM generate_series(0, %(last)s) n""",
                count,
            )
        cursor.execute(
            f"""INSERT INTO mission_fallback_templates (id, project_id, name, flow_id, actor_id, repository_id,
                    estimated_effort_minutes)
                SELECT {keys(7)}, {keys(2)}, 'Template', {keys(3)}, {keys(4)}, {keys(5)}, 60
                FROM generate_series(0, %(last)s) n""",
            count,
        )
        cursor.execute(
            f"""INSERT INTO mission_fallback_runs (id, project_id, triggered_by, status)
                SELECT {keys(8)}, {keys(2)}, 'automatic', 'awaiting_review'
                FROM generate_series(0, %(last)s) n""",
            count,
        )
        # Nine of ten are decided, a day later; the newest day is open.
        cursor.execute(
            f"""INSERT INTO mission_fallback_items ({COLUMNS})
                SELECT {keys(9)}, {keys(8, "project")}, {keys(7, "project")}, {keys(2, "project")}, 'Proposal',
                    {keys(3, "project")}, {keys(4, "project")}, {keys(5, "project")},
                    CASE WHEN NOT decided THEN 'proposed' WHEN n % 3 = 0 THEN 'discarded' ELSE 'accepted' END,
                    CASE WHEN decided AND n % 3 = 0 THEN 'not_needed' END, made,
                    CASE WHEN decided THEN made + interval '1 day' END
                FROM (SELECT n, project, {LAST} - n % {DAYS} * interval '1 day' AS made,
                    n % 10 <> 0 AND n % {DAYS} > 0 AS decided FROM chosen) c"""
        )
        cursor.execute(
            f"""INSERT INTO fallback_proposal_rollups (project_id, template_id, day, generated, accepted, discarded)
                SELECT f.project_id, t.id, f.day, f.generated, f.accepted, f.discarded
                FROM ({FIGURES}) f JOIN mission_fallback_templates t ON t.project_id = f.project_id"""
        )
    # The counts of runs were not loaded.
    cursor.execute("ALTER TABLE mission_fallback_items DISABLE TRIGGER USER")
    for name in ("new", "changed"):
        cursor.execute(f"ALTER TABLE mission_fallback_items ENABLE TRIGGER mission_fallback_items_roll_up_{name}")
    cursor.execute(f"CREATE MATERIALIZED VIEW benchmark_figures AS {FIGURES}")
    cursor.execute("CREATE UNIQUE INDEX ON benchmark_figures (project_id, day)")
    cursor.execute("ANALYZE benchmark_figures")


def keys(kind: int, number: str = "n") -> str:
    """The SQL of key() for a column."""
    return f"'01{kind:02d}' || lpad({number}::text, 22, '0')"


# --- Workloads --------------------------------------------------------------------------------


def clocked(owner, statement: str) -> float:
    started = time.perf_counter()
    owner.execute(statement)
    return time.perf_counter() - started


def trigger_seconds(owner, statement: str, *, check: bool = False) -> float:
    """Return the seconds of the roll-up's trigger in a statement, which is rolled back. check: compare the figures."""
    with owner.transaction(force_rollback=True):
        (plan,) = owner.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}").fetchone()
        assert not check or same_figures(owner)
    found = [each for each in plan[0]["Triggers"] if each["Trigger Name"].startswith("mission_fallback_items_roll_up")]
    assert [each["Calls"] for each in found] == [1], plan[0]["Triggers"]
    assert plan[0]["Plan"]["Plans"][0]["Actual Rows"] > 0
    return found[0]["Time"] / 1000


def same_figures(owner) -> bool:
    """Whether the roll-ups have the figures of the proposals."""
    (wrong,) = owner.execute(
        f"SELECT count(*) FROM (({FIGURES} EXCEPT {ROLLED_UP}) UNION ALL ({ROLLED_UP} EXCEPT {FIGURES})) x"
    ).fetchone()
    return wrong == 0


def delta() -> str:
    """The statement that adds 1,000 proposals to projects as they come, at the end of the history."""
    return f"""INSERT INTO mission_fallback_items ({COLUMNS})
        SELECT '0199' || substring(id FROM 5), mission_fallback_run_id, template_id, project_id, title, flow_id,
            actor_id, repository_id, 'proposed', NULL, {LAST}, NULL
        FROM mission_fallback_items WHERE id < '{key(9, DELTA)}'"""


def dirty_day() -> str:
    """The statement that decides all proposals of the newest day."""
    return f"""UPDATE mission_fallback_items SET status = 'discarded', reason = 'not_needed', reviewed_at = {LAST}
        WHERE created_at >= {LAST} AND status = 'proposed'"""


def job(owner) -> float:
    """Return the seconds of the whole job: merging the roll-ups and refreshing the views over them."""
    return clocked(owner, "SELECT refresh_fallback_metrics()")


def main() -> None:
    global PROJECTS
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: 1,000,000 proposals of 500 projects")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    import psycopg

    began, loads = time.monotonic(), [os.getloadavg()[0]]
    items, PROJECTS = max(2 * DELTA, round(1_000_000 * options.scale)), max(10, round(PROJECTS * options.scale))
    server = prepare()
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        load(owner, items=items)
        assert same_figures(owner)
        trigger_seconds(owner, delta(), check=True)
        trigger_seconds(owner, dirty_day(), check=True)
        log("Measuring")
        figures = in_turn(
            {
                "view": lambda: clocked(owner, REFRESH),
                "delta": lambda: trigger_seconds(owner, delta()),
                "day": lambda: trigger_seconds(owner, dirty_day()),
                "job": lambda: job(owner),
            },
            rounds=options.rounds,
        )
        loads.append(os.getloadavg()[0])
        (days,) = owner.execute("SELECT count(*) FROM benchmark_figures").fetchone()
        owner.execute("DROP MATERIALIZED VIEW benchmark_figures")
    stop()
    print(f"\n{items:,} proposals of {PROJECTS} projects, {days:,} days (medians of {options.rounds} rounds)")
    names = {
        "view": "concurrent refresh of a view over the proposals",
        "delta": f"roll-up of {DELTA:,} new proposals",
        "day": "roll-up of a dirty day",
        "job": "the job: roll-ups merged, three views refreshed",
    }
    table([(text, f"{median(figures[name]) * 1000:,.1f} ms") for name, text in names.items()], head=("method", "time"))
    print()
    table(
        [
            goal("a dirty day at least 50 times cheaper", ratios(figures["view"], figures["day"]), at_least=50),
            goal("1,000 items at least 500 times cheaper", ratios(figures["view"], figures["delta"]), at_least=500),
            (*goal("the whole job; no goal", ratios(figures["view"], figures["job"]))[:3], ""),
        ],
        head=("goal, against the view", "median of ratios", "spread", ""),
    )
    print(f"Load average {', '.join(f'{load:.1f}' for load in loads)}; took {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()
