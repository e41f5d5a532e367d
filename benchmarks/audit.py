"""Compare an update with history and audit to a bare one, and single-row writers with the audit to those without.

The table is that of client missions, which has both. A bare update runs with all triggers of the table disabled; the
others enable those of the history (pghistory), or of history and audit. The update is rolled back each round. Writers
commit, each row by row, in connections of their own.
"""

import argparse
import os
import threading
import time
from collections.abc import Iterable
from statistics import median

from benchmarks.database import bulk, goal, in_turn, log, prepare, ratios, stop, table

ROWS = 10_000
UPDATE = "UPDATE deck_missions SET title = title || '.', budget = budget + 1"
HISTORY, AUDIT = "pgtrigger\\_%", "audit\\_of\\_%"


def load(owner) -> None:
    log(f"Loading {ROWS:,} client missions")
    with owner.cursor() as cursor, bulk(cursor, "deck_missions"):
        cursor.execute(
            """INSERT INTO deck_missions (id, number, title, client, budget, deadline, assigned_to)
               SELECT gen_random_uuid(), 1000000 + n, 'Mission ' || n, 'Client ' || n % 100, 1000 + n,
                   now() + interval '30 days', 'person' || n % 50 || '@example.org'
               FROM generate_series(1, %s) n""".replace("n % ", "n %% "),
            [ROWS],
        )


def enable_only(owner, names: Iterable[str]) -> None:
    """Leave only the triggers of the table whose names match."""
    owner.execute("ALTER TABLE deck_missions DISABLE TRIGGER USER")
    for pattern in names:
        found = owner.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'deck_missions'::regclass AND tgname LIKE %s", [pattern]
        ).fetchall()
        assert found, pattern
        for (name,) in found:
            owner.execute(f'ALTER TABLE deck_missions ENABLE TRIGGER "{name}"')


def update(owner, names: Iterable[str]) -> float:
    """Return the seconds of one update of all rows, which is rolled back."""
    enable_only(owner, names)
    with owner.transaction(force_rollback=True):
        started = time.perf_counter()
        assert owner.execute(UPDATE).rowcount == ROWS
        took = time.perf_counter() - started
        if AUDIT in names:
            (made,) = owner.execute("SELECT count(*) FROM audit_pending").fetchone()
            assert made >= ROWS
    for name in ("deck_missions", "deck_missions_history", "audit_entries", "audit_details", "audit_pending"):
        owner.execute(f"VACUUM {name}")
    return took


def writers(owner, url: str, names: Iterable[str], *, threads: int, seconds: float) -> float:
    """Return commits per second of threads that update rows of their own."""
    import psycopg

    enable_only(owner, names)
    keys = [key for (key,) in owner.execute("SELECT id FROM deck_missions ORDER BY id LIMIT %s", [threads]).fetchall()]
    done = [0] * threads
    start = threading.Barrier(threads)

    def write(number: int) -> None:
        with psycopg.connect(url, autocommit=True) as session:
            start.wait()
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                session.execute("UPDATE deck_missions SET budget = budget + 1 WHERE id = %s", [keys[number]])
                done[number] += 1

    running = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join()
    return sum(done) / seconds


def seal(owner) -> float:
    """Return the entries per second that sealing takes, of those that the writers left."""
    (waiting,) = owner.execute("SELECT count(*) FROM audit_pending").fetchone()
    started = time.perf_counter()
    while owner.execute("SELECT seal_audit()").fetchone()[0]:
        pass
    return waiting / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    import psycopg

    began, loads = time.monotonic(), [os.getloadavg()[0]]
    server = prepare()
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        load(owner)
        log("Updating all rows")
        updates = in_turn(
            {
                "bare": lambda: update(owner, ()),
                "history": lambda: update(owner, (HISTORY,)),
                "history and audit": lambda: update(owner, (HISTORY, AUDIT)),
            },
            rounds=options.rounds,
        )
        loads.append(os.getloadavg()[0])
        log("Writing single rows")
        run = {"threads": options.threads, "seconds": options.seconds}
        rates = in_turn(
            {
                "history": lambda: writers(owner, server.owner_url, (HISTORY,), **run),
                "history and audit": lambda: writers(owner, server.owner_url, (HISTORY, AUDIT), **run),
            },
            rounds=options.rounds,
        )
        sealed = seal(owner)
        started = time.perf_counter()
        from missionsite.common.audit.sealing import verify

        report = verify()
        verified = report.entries / (time.perf_counter() - started)
        loads.append(os.getloadavg()[0])
    stop()
    print(f"\nUpdate of {ROWS:,} rows (medians of {options.rounds} rounds)")
    table([(name, f"{median(took) * 1000:,.0f} ms") for name, took in updates.items()], head=("method", "time"))
    print(f"\n{options.threads} writers of single rows")
    table([(name, f"{median(rate):,.0f}") for name, rate in rates.items()], head=("method", "commits/s"))
    print(f"\nSealing: {sealed:,.0f} entries/s; verifying: {verified:,.0f} entries/s\n")
    both = "history and audit"
    table(
        [
            goal(
                "update with history and audit at most 3.5 times bare",
                ratios(updates[both], updates["bare"]),
                at_most=3.5,
            ),
            goal("writers at least 0.75 of those without audit", ratios(rates[both], rates["history"]), at_least=0.75),
        ],
        head=("goal", "median of ratios", "spread", ""),
    )
    print(f"Load average {', '.join(f'{load:.1f}' for load in loads)}; took {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()
