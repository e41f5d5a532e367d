"""Compare get_active_missions with the seed's body and a plain SELECT, and measure its counting triggers.

    python -m benchmarks.active_missions [--scale 1.0]

--scale 1.0 is 10,000 missions with 1,000,000 memberships and as many open tasks, then 10,000,000 memberships.
"""

import argparse
import subprocess
import time

from benchmarks.database import bulk, log, medians, prepare, stop, table, truncate
from missionsite import embedded

COLUMNS = """(
    id uuid, stable_id text, name varchar(255), description text, min_trust_score integer,
    member_count bigint, task_count bigint, is_member boolean, is_eligible boolean
)"""
# The function as the seed prints it, under another name.
SEED_BODY = f"""
CREATE FUNCTION seed_active_missions(member_uuid uuid, member_trust_score integer) RETURNS TABLE {COLUMNS} AS $$
BEGIN
  RETURN QUERY
  SELECT
    g.id,
    g.stable_id,
    g.name,
    g.description,
    g.min_trust_score,
    (SELECT COUNT(*) FROM memberships m WHERE m.group_id = g.id AND m.status = 'active') AS member_count,
    (SELECT COUNT(*) FROM tasks t WHERE t.group_id = g.id AND t.state = 'open') AS task_count,
    EXISTS (
      SELECT 1 FROM memberships m
      WHERE m.group_id = g.id AND m.member_id = member_uuid AND m.status = 'active'
    ) AS is_member,
    (member_trust_score >= COALESCE(g.min_trust_score, 0)) AS is_eligible
  FROM groups g
  WHERE g.type = 'mission' AND g.status = 'active'
  ORDER BY g.min_trust_score ASC, g.name ASC;
END;
$$ LANGUAGE plpgsql STABLE
"""
PLAIN = """SELECT id, stable_id, name, description, min_trust_score FROM groups
           WHERE type = 'mission' AND status = 'active' ORDER BY min_trust_score, name"""
CALLER = "(SELECT member_id FROM memberships WHERE status = 'active' ORDER BY id LIMIT 1), 250"


def key(kind: int, number: str) -> str:
    """Return SQL for a random-looking key that two statements can compute from the same number."""
    return f"md5('{kind}:' || {number})::uuid"


def load(cursor, *, missions: int, memberships: int, tasks: int) -> None:
    """Fill the tables with triggers off, then set the counts as the counting triggers would have."""
    members = max(memberships // 10, 50)
    truncate(cursor, "members", "groups", "memberships", "tasks", "mission_counters", "events")
    with bulk(cursor, "members", "groups", "memberships", "tasks"):
        fill(cursor, missions=missions, members=members, memberships=memberships, tasks=tasks)
    # Setting the counts left dead rows that the plain SELECT would have to skip.
    cursor.execute("VACUUM (FULL, ANALYZE) groups")
    # A table in use has changes since its last VACUUM: one row in twenty.
    for name in ("memberships", "tasks"):
        cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    cursor.execute("UPDATE memberships SET role = 'Host' WHERE get_byte(uuid_send(id), 15) < 13")
    cursor.execute("UPDATE tasks SET reward_points = 5 WHERE get_byte(uuid_send(id), 15) < 13")
    for name in ("memberships", "tasks"):
        cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")


def fill(cursor, *, missions: int, members: int, memberships: int, tasks: int) -> None:
    cursor.execute(
        f"""
        INSERT INTO members (id, member_id, email, display_name, trust_score)
        SELECT {key(3, "i")}, 'FE-P-' || lpad(i::text, greatest(5, length(i::text)), '0'),
               'member' || i || '@example.org', 'Member ' || i, i % 900
        FROM generate_series(1, {members}) i;
        INSERT INTO groups (id, stable_id, name, type, min_trust_score)
        VALUES ({key(1, "1")}, 'FE-G-00001', 'Colony', 'colony', NULL);
        INSERT INTO groups (id, stable_id, name, type, parent_group_id, min_trust_score, description)
        SELECT {key(2, "i")}, 'FE-M-' || lpad(i::text, greatest(5, length(i::text)), '0'),
               initcap(translate(md5(i::text), '0123456789', 'ghijklmnop')), 'mission', {key(1, "1")},
               (i * 7919) % 600, repeat('What this mission is about. ', 4)
        FROM generate_series(1, {missions}) i;
        SELECT setseed(0.42);
        -- Mission i has about 1/i of the memberships: a few are busy, most are small.
        INSERT INTO memberships (member_id, group_id, joined_at)
        SELECT {key(3, "member")}, {key(2, "mission")}, now() - random() * interval '400 days'
        FROM (
            SELECT DISTINCT 1 + (random() * ({members} - 1))::integer AS member,
                   1 + floor(power(random(), 2) * ({missions} - 1))::integer AS mission
            FROM generate_series(1, {memberships})
        ) pairs;
        INSERT INTO tasks (stable_id, group_id, title)
        SELECT 'FE-T-' || lpad(i::text, greatest(5, length(i::text)), '0'), {key(2, f"1 + i % {missions}")},
               'Task ' || i
        FROM generate_series(1, {tasks}) i;
        UPDATE groups g SET merged_member_count = n, merged_membership_count = n
        FROM (SELECT group_id, count(*) AS n FROM memberships GROUP BY group_id) c WHERE c.group_id = g.id;
        UPDATE groups g SET merged_open_task_count = n
        FROM (SELECT group_id, count(*) AS n FROM tasks GROUP BY group_id) c WHERE c.group_id = g.id;
        """
    )


def seconds(cursor, sql: str):
    """Return a workload that measures the server's execution time of a statement, without transfer of rows."""

    def run() -> float:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF) {sql}")
        return float(cursor.fetchall()[-1][0].split()[2]) / 1000

    return run


def compare(cursor, *, missions: int, rounds: int) -> dict[str, float]:
    """Return median seconds of each method to list the missions, after a check that all return the same rows."""
    caller = cursor.execute(f"SELECT {CALLER}").fetchone()
    arguments = f"'{caller[0]}'::uuid, {caller[1]}"
    current = cursor.execute(f"SELECT * FROM get_active_missions({arguments})").fetchall()
    expected = cursor.execute(f"SELECT * FROM seed_active_missions({arguments})").fetchall()
    if current != expected or len(current) != missions:
        raise SystemExit(f"The rows differ from the seed's: {len(current)} against {len(expected)}.")
    return medians(
        {
            "seed": seconds(cursor, f"SELECT * FROM seed_active_missions({arguments})"),
            "plain": seconds(cursor, PLAIN),
            "current": seconds(cursor, f"SELECT * FROM get_active_missions({arguments})"),
            "sql": seconds(cursor, f"SELECT * FROM active_missions({arguments})"),
            "page": seconds(cursor, f"SELECT * FROM active_missions({arguments}) LIMIT 50"),
        },
        rounds=rounds,
    )


JOIN_AND_LEAVE = f"""
\\set member random(1, :members)
BEGIN;
INSERT INTO memberships (member_id, group_id) VALUES ({key(3, ":member")}, {key(2, "1")})
    ON CONFLICT DO NOTHING;
UPDATE memberships SET status = 'left', left_at = now()
    WHERE member_id = {key(3, ":member")} AND group_id = {key(2, "1")} AND status = 'active';
COMMIT;
"""


# Rounds without triggers leave wrong counts; a round with them must not change the difference.
DRIFT = "SELECT coalesce(sum(members - counted_members), 0) FROM mission_counter_drift()"


def busy_mission(owner, server, *, members: int, seconds_each: int, rounds: int) -> dict[str, float]:
    """Return joins and leaves per second on one mission from 8 connections, with and without the counting triggers.

    "drift" is the error of the counts in rounds with triggers.
    """
    script = embedded.var_dir() / "join_and_leave.sql"
    script.write_text(JOIN_AND_LEAVE)
    pgbench = embedded.psql_path().with_name("pgbench")
    drifts = []

    def run(counting: bool):
        def measure() -> float:
            for name in ("added", "changed", "removed"):
                owner.execute(
                    f"ALTER TABLE memberships {'ENABLE' if counting else 'DISABLE'} TRIGGER memberships_count_{name}"
                )
            before = owner.execute(DRIFT).fetchone()[0]
            output = subprocess.run(  # noqa: S603 - the server's own program
                [
                    pgbench,
                    "-n",
                    "-c8",
                    "-j2",
                    f"-T{seconds_each}",
                    f"-Dmembers={members}",
                    "-f",
                    script,
                    server.app_url,
                ],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            if counting:
                drifts.append(abs(owner.execute(DRIFT).fetchone()[0] - before))
            return float(next(line for line in output.splitlines() if line.startswith("tps")).split()[2])

        return measure

    return medians({"without": run(False), "with": run(True)}, rounds=rounds) | {"drift": sum(drifts)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: 1,000,000 and 10,000,000 memberships")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=int, default=6, help="of joining and leaving per round")
    options = parser.parse_args()
    server = prepare()
    import psycopg

    started = time.monotonic()
    large = int(1_000_000 * options.scale)
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        cursor = owner.cursor()
        cursor.execute(SEED_BODY)
        rows, medians_of = [], {}
        for missions, memberships, tasks in (
            (3, 300, 300),
            (1_000, large // 10, large // 10),
            (10_000, large, large),
            (10_000, 10 * large, large),
        ):
            log(f"Loading {missions:,} missions with {memberships:,} memberships")
            load(cursor, missions=missions, memberships=memberships, tasks=tasks)
            # The seed's body takes seconds at 10 million memberships; few rounds are enough for its median.
            m = compare(cursor, missions=missions, rounds=options.rounds if memberships <= large else 5)
            medians_of[missions, memberships] = m
            rows.append(
                (
                    f"{missions:,}",
                    f"{memberships:,}",
                    f"{m['seed'] * 1000:,.1f} ms",
                    f"{m['plain'] * 1000:.1f} ms",
                    f"{m['current'] * 1000:.1f} ms",
                    f"{m['sql'] * 1000:.1f} ms",
                    f"{m['page'] * 1000:.2f} ms",
                    f"{m['seed'] / m['current']:.1f}x",
                    f"{m['current'] / m['plain']:.2f}x",
                )
            )
            if memberships == large:
                log("Joining and leaving one mission from 8 connections")
                busy = busy_mission(
                    owner,
                    server,
                    members=max(large // 10, 50),
                    seconds_each=options.seconds,
                    rounds=min(5, options.rounds),
                )
    stop()
    print("\nget_active_missions (median of the server's execution time; rows identical to the seed's)")
    table(
        rows,
        head=(
            "missions",
            "memberships",
            "seed body",
            "plain SELECT",
            "get_active_missions",
            "active_missions",
            "its LIMIT 50",
            "seed/current",
            "current/plain",
        ),
    )
    one, ten = medians_of[10_000, large], medians_of[10_000, 10 * large]
    print(f"\n{10 * large:,} memberships cost {ten['current'] / one['current']:.2f} times {large:,}")
    print(
        f"Joins and leaves a second on one mission: {busy['without']:,.0f} without counters, {busy['with']:,.0f} with:"
        f" {busy['with'] / busy['without']:.2f}x"
    )
    print(f"Difference between counts and memberships after the rounds with triggers: {busy['drift']}")
    print("Goals: seed/current >= 40, current/plain <= 1.5, ten times the rows <= 1.2, with/without >= 0.9.")
    print(f"Took {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    main()
