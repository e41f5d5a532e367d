"""Compare the backlog check of all projects with an ORM loop, for 1 and 10 million missions of 10,000 projects.

    python -m benchmarks.backlog [--scale 1.0] [--rounds 9]

The number of open missions does not grow with the history: 100,000 are open at both sizes, the others are done. Busy
projects have far more than quiet ones (Zipf); one row in twenty has changed since the last VACUUM. The same
scale gives the same rows.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from benchmarks.active_missions import seconds
from benchmarks.data import zipf
from benchmarks.database import bulk, log, medians, migrate_empty_schema, prepare, stop, table, truncate

PROJECTS = 10_000
TABLES = (
    "organizations",
    "projects",
    "flows",
    "actors",
    "project_repositories",
    "mission_fallback_configs",
    "mission_fallback_templates",
    "mission_fallback_runs",
    "mission_fallback_items",
    "missions",
)
OPEN_MISSIONS = 100_000
# List and readiness of open missions: one of these at random.
OPEN = [("todo", "t"), ("todo", "t"), ("todo", "f"), ("doing", "f"), ("review", "t")]
TEXT = "What has to be done, and how to see that it is done. " * 2
CHECK = "SELECT count(*), sum(deficit) FROM due_fallback_projects()"
# The check without counting missions: the lower bound for any check of all projects.
WITHOUT_COUNTING = """
    SELECT count(*) FROM mission_fallback_configs c JOIN projects p ON p.id = c.project_id
    JOIN organizations o ON o.id = p.organization_id WHERE c.status = 'active' AND c.last_run_at IS NULL
"""
# The whole index, read once.
ALL_READY = "SELECT count(*) FROM missions WHERE list = 'todo' AND ready AND open_dependency_count = 0"
ONE = """
    SELECT count(*) FROM (SELECT FROM missions WHERE project_id = '{project}' AND list = 'todo' AND ready
        AND open_dependency_count = 0 LIMIT 5) x
"""
ONE_IN_FULL = """
    SELECT count(*) FROM missions WHERE project_id = '{project}' AND list = 'todo' AND ready
        AND open_dependency_count = 0
"""


# --- Data -------------------------------------------------------------------------------------


def key(kind: int, number: int) -> str:
    """Return a key with the form of a ULID; keys of one kind sort by number."""
    return f"01{kind:02d}{number:022d}"


def load(owner, *, missions: int, open_missions: int = OPEN_MISSIONS, seed: int = 1) -> None:
    """Fill the tables by COPY with their triggers off. owner: a connection of the schema's owner, autocommit."""
    cursor = owner.cursor()
    truncate(cursor, *TABLES)
    chance = random.Random(seed)
    with bulk(cursor, *TABLES):
        _copy(cursor, "organizations (id, name, slug)", [(key(1, 0), "Organization", "organization")])
        for target, kind in (("flows", 3), ("actors", 4), ("project_repositories", 5)):
            _copy(cursor, f"{target} (id, project_id, name)", ((key(kind, n), key(2, n), "One") for n in _projects()))
        _copy(
            cursor,
            "projects (id, organization_id, name, slug)",
            ((key(2, n), key(1, 0), f"Project {n}", f"project-{n}") for n in _projects()),
        )
        _copy(cursor, "mission_fallback_configs (id, project_id)", ((key(6, n), key(2, n)) for n in _projects()))
        _copy(
            cursor,
            """mission_fallback_templates (id, project_id, name, flow_id, actor_id, repository_id,
               estimated_effort_minutes)""",
            ((key(7, n), key(2, n), "Template", key(3, n), key(4, n), key(5, n), 60) for n in _projects()),
        )
        _copy(
            cursor,
            "mission_fallback_runs (id, project_id, triggered_by)",
            ((key(8, n), key(2, n), "automatic") for n in _projects()),
        )
        _copy(
            cursor,
            """mission_fallback_items (id, mission_fallback_run_id, template_id, project_id, title, flow_id, actor_id,
               repository_id, status, reason, reviewed_at)""",
            _items(),
        )
        _copy_missions(cursor, missions, open_missions, chance)
    # A table in use has changes since its last VACUUM.
    cursor.execute("ALTER TABLE missions DISABLE TRIGGER USER")
    cursor.execute("UPDATE missions SET stage = 'plan' WHERE right(id, 3)::integer % 20 = 7")
    cursor.execute("ALTER TABLE missions ENABLE TRIGGER USER")
    cursor.execute("ANALYZE missions")


def _projects() -> range:
    return range(PROJECTS)


def _items() -> Iterator[tuple]:
    """Yield ten decided proposals per project, and three open ones for every fourth project."""
    for project in _projects():
        for number in range(13 if project % 4 == 0 else 10):
            decided = ("discarded", "not_needed", "2026-01-05") if number < 10 else ("proposed", None, None)
            yield (
                key(9, project * 100 + number), key(8, project), key(7, project), key(2, project), "Proposal",
                key(3, project), key(4, project), key(5, project), *decided,
            )  # fmt: skip


def _copy(cursor, target: str, rows) -> None:
    with cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _copy_missions(cursor, missions: int, open_missions: int, chance: random.Random) -> None:
    """Copy missions in blocks of lines: ten million single rows would take most of the run."""
    projects = zipf(PROJECTS, chance)
    with cursor.copy("COPY missions (id, project_id, title, description, list, ready) FROM STDIN") as copy:
        for start in range(0, missions, 10_000):
            lines = []
            for number in range(start, min(start + 10_000, missions)):
                # The newest missions are the open ones.
                in_list, ready = chance.choice(OPEN) if number >= missions - open_missions else ("done", "t")
                lines.append(
                    f"{key(10, number)}\t{key(2, next(projects))}\tMission {number}\t{TEXT}\t{in_list}\t{ready}\n"
                )
            copy.write("".join(lines))


# --- Workloads --------------------------------------------------------------------------------


def orm_loop() -> dict[str, int]:
    """Return the backlog of each project, the obvious method: read all configurations and count for each."""
    from fallback.models import Mission, MissionFallbackConfig

    found = {}
    for config in MissionFallbackConfig.objects.select_related("project__organization"):
        if config.status == "active" and config.project.status == "active" and config.last_run_at is None:
            found[config.project_id] = Mission.objects.filter(
                project_id=config.project_id, list="todo", ready=True, open_dependency_count=0
            ).count()
    return found


def one_statement() -> dict[str, int]:
    """Return the backlog of each project by the function of the database."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT project_id, backlog_count FROM due_fallback_projects()")
        return dict(cursor.fetchall())


def use(schema: str) -> None:
    """Set the search path of Django's connection to this schema."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SET search_path TO {schema}")


def clocked(schema: str, work: Callable[[], object]) -> Callable[[], float]:
    """Return a workload that measures seconds from the call to its result in Python."""

    def run() -> float:
        use(schema)
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return run


def with_the_seeds_index_only(owner) -> Callable[[], float]:
    """Return a workload that runs the same function with only the seed's index on missions."""
    cursor = owner.cursor()
    measure = seconds(cursor, CHECK)

    def run() -> float:
        with owner.transaction(force_rollback=True):
            cursor.execute("DROP INDEX missions_backlog, missions_of_board")
            return measure()

    return run


def workloads(owner, schema: str) -> dict[str, Callable[[], float]]:
    """Return the workloads for one schema, after a check that both methods find the same backlogs. owner: uses it."""
    cursor = owner.cursor()
    use(schema)
    current, expected = one_statement(), orm_loop()
    if current != {project: min(5, count) for project, count in expected.items()} or len(current) != PROJECTS:
        raise SystemExit("The statement and the loop find different backlogs.")
    largest = key(2, 0)
    return {
        "loop": clocked(schema, orm_loop),
        "check": seconds(cursor, CHECK),
        "fetched": clocked(schema, one_statement),
        "seed index": with_the_seeds_index_only(owner),
        "all ready": seconds(cursor, ALL_READY),
        "no counting": seconds(cursor, WITHOUT_COUNTING),
        "largest": seconds(cursor, ONE.format(project=largest)),
        "largest in full": seconds(cursor, ONE_IN_FULL.format(project=largest)),
    }


def compare(owners: dict, *, rounds: int) -> dict[str, dict[str, float]]:
    """Return median seconds of each workload, and index sizes in bytes, by schema. owners: a connection for each.

    The schemas alternate, so other work on the machine affects both.
    """
    names = ("missions_backlog", "idx_missions_project_list_ready")
    in_turn = {
        (name, schema): work for schema, owner in owners.items() for name, work in workloads(owner, schema).items()
    }
    figures = medians(dict(sorted(in_turn.items())), rounds=rounds)
    return {
        schema: {name: figure for (name, of), figure in figures.items() if of == schema}
        | {name: owner.execute("SELECT pg_relation_size(%s::regclass)", [name]).fetchone()[0] for name in names}
        for schema, owner in owners.items()
    }


def main() -> None:
    global PROJECTS
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: 1,000,000 and 10,000,000 missions")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--projects", type=int, default=PROJECTS)
    options = parser.parse_args()
    PROJECTS = options.projects
    import psycopg

    started = time.monotonic()
    sizes = {"few": round(1_000_000 * options.scale), "many": round(10_000_000 * options.scale)}
    server = prepare()
    for schema, missions in sizes.items():
        if schema != "few":
            migrate_empty_schema(server)
        log(f"Loading {missions:,} missions of {PROJECTS:,} projects")
        with psycopg.connect(server.owner_url, autocommit=True) as owner:
            load(owner, missions=missions, open_missions=round(OPEN_MISSIONS * options.scale))
            # The next size is migrated into an empty schema.
            owner.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            owner.execute(f"ALTER SCHEMA public RENAME TO {schema}")
            owner.execute("CREATE SCHEMA public")
    with ExitStack() as connected:
        owners = {}
        for schema in sizes:
            owners[schema] = connected.enter_context(psycopg.connect(server.owner_url, autocommit=True))
            owners[schema].execute(f"SET search_path TO {schema}")
        log("Checking every backlog")
        found = compare(owners, rounds=options.rounds)
        # Free the disk space.
        for schema, owner in owners.items():
            owner.execute(f"DROP SCHEMA {schema} CASCADE")
    stop()
    print("\nBacklog check of all due projects (medians; the loop finds the same backlogs)")
    table(
        [
            (
                f"{sizes[schema]:,}",
                f"{m['loop'] * 1000:,.0f} ms",
                f"{m['check'] * 1000:.1f} ms",
                f"{m['fetched'] * 1000:.1f} ms",
                f"{m['seed index'] * 1000:.1f} ms",
                f"{m['no counting'] * 1000:.1f} ms",
                f"{m['all ready'] * 1000:.1f} ms",
                f"{m['largest'] * 1000:.2f} ms",
                f"{m['largest in full'] * 1000:.2f} ms",
                f"{m['missions_backlog'] / 2**20:.1f} MB",
                f"{m['idx_missions_project_list_ready'] / 2**20:.1f} MB",
            )
            for schema, m in found.items()
        ],
        head=(
            "missions",
            "ORM loop",
            "one statement (EXPLAIN)",
            "to its rows in Python",
            "with the seed's index only",
            "without counting",
            "the whole index once",
            "largest project",
            "counted in full",
            "missions_backlog",
            "the seed's index",
        ),
    )
    one, ten = found["few"], found["many"]
    # Both from the call to the result in Python; EXPLAIN's own counting makes the server's time longer.
    print(f"\nThe loop takes {one['loop'] / one['fetched']:.0f} and {ten['loop'] / ten['fetched']:.0f} times as long.")
    print(f"{sizes['many']:,} missions cost {ten['check'] / one['check']:.2f} times {sizes['few']:,}.")
    print(f"The index has 1/{ten['idx_missions_project_list_ready'] / ten['missions_backlog']:.1f} of the seed's size.")
    print("Goals: loop/statement >= 150, ten times the missions <= 1.4, index <= 1/10 of the seed's.")
    print(f"Took {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    main()
