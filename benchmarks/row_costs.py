"""Show what each trigger and each index of a table costs when rows are inserted.

    python -m benchmarks.row_costs [--rows 20000] [--rounds 3]

Triggers: their time by EXPLAIN (ANALYZE) of one INSERT. Indexes: the time of the same INSERT with and without each
index, in turn, in transactions that are rolled back; a few µs are within the noise.
"""

import argparse
import os
import statistics
from collections import defaultdict

from benchmarks.database import log, prepare, stop, table

# Each table with an INSERT of %(rows)s new rows.
INSERTS = {
    "members": """
        INSERT INTO members (email, display_name)
        SELECT 'cost' || i || '@example.org', 'Person ' || i FROM generate_series(1, %(rows)s) i
    """,
    "community_members": """
        INSERT INTO community_members (telegram_id, name, primary_role, status)
        SELECT 5000000 + i, 'Person ' || i, 'other', 'pending' FROM generate_series(1, %(rows)s) i
    """,
    "memberships": """
        INSERT INTO memberships (member_id, group_id)
        SELECT m.id, g.id FROM members m, groups g WHERE g.type = 'mission' LIMIT %(rows)s
    """,
    "member_participation": """
        INSERT INTO member_participation (member_id, event_type, platform, room_id, occurred_at)
        SELECT c.member_id, 'MESSAGE', 'telegram', '-100' || i %% 50, now() - i * interval '1 minute'
        FROM community_members c, generate_series(1, 200) i LIMIT %(rows)s
    """,
    "events": """
        INSERT INTO events (type, actor_id, member_id, payload)
        SELECT 'member.created', m.id, m.id, '{"by": "import"}' FROM members m LIMIT %(rows)s
    """,
}
PREPARE = """
    INSERT INTO groups (id, name, type, parent_group_id, min_trust_score) VALUES
        ('00000000-0000-4000-8000-000000000001', 'Colony', 'colony', NULL, NULL);
    INSERT INTO groups (name, type, parent_group_id, min_trust_score)
    SELECT 'Mission ' || i, 'mission', '00000000-0000-4000-8000-000000000001', 0 FROM generate_series(1, 20) i;
    INSERT INTO members (email, display_name)
    SELECT 'member' || i || '@example.org', 'Member ' || i FROM generate_series(1, %(rows)s) i;
    INSERT INTO community_members (telegram_id, name, primary_role, status)
    SELECT i, 'Member ' || i, 'other', 'active' FROM generate_series(1, %(rows)s / 100 + 1) i
"""
INDEXES = """
SELECT i.indexrelid::regclass::text FROM pg_index i
WHERE i.indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
ORDER BY 1
"""


def explain(owner, statement: str, values: dict) -> dict:
    [(plan,)] = owner.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values).fetchall()
    return plan[0]


def trigger_times(owner, statement: str, values: dict) -> tuple[float, dict[str, float]]:
    """Return the milliseconds of an INSERT, and of each of its triggers and foreign keys. Rolls it back."""
    with owner.transaction(force_rollback=True):
        plan = explain(owner, statement, values)
    named: dict[str, float] = defaultdict(float)
    for each in plan["Triggers"]:
        named[each.get("Constraint Name") or each["Trigger Name"]] += each["Time"]
    return plan["Execution Time"], named


def index_times(owner, name: str, statement: str, values: dict, rounds: int) -> dict[str, float]:
    """Return the milliseconds that an INSERT saves without each index: the median of paired differences."""
    indexes = [each for (each,) in owner.execute(INDEXES, [name]).fetchall()]
    saved: dict[str, list[float]] = {index: [] for index in indexes}

    def without(index: str) -> float:
        with owner.transaction(force_rollback=True):
            if index:
                owner.execute(f"DROP INDEX {index}")
            return explain(owner, statement, values)["Execution Time"]

    without("")
    for _turn in range(rounds):
        for index in indexes:
            saved[index].append(without("") - without(index))
    return {index: statistics.median(times) for index, times in saved.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    import psycopg

    server = prepare()
    found = []
    try:
        with psycopg.connect(server.owner_url, autocommit=True) as owner:
            values = {"rows": options.rows}
            for statement in PREPARE.split(";"):
                owner.execute(statement, values)
            owner.execute("ANALYZE")
            for name, statement in INSERTS.items():
                log(f"Inserting into {name}")
                whole, triggers = trigger_times(owner, statement, values)
                found.append((name, "the INSERT", whole))
                found += [(name, f"trigger {each}", time) for each, time in triggers.items()]
                indexes = index_times(owner, name, statement, values, options.rounds)
                found += [(name, f"index {each}", time) for each, time in indexes.items()]
    finally:
        stop()
    print(f"\nLoad average {os.getloadavg()[0]:.1f}; {options.rows:,} rows a statement, µs a row\n")
    found.sort(key=lambda row: (list(INSERTS).index(row[0]), row[1] != "the INSERT", -row[2]))
    table([(name, what, f"{time * 1000 / options.rows:.2f}") for name, what, time in found], head=("table", "", "µs"))


if __name__ == "__main__":
    main()
