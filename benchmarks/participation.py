"""Compare ingesting participation with the ORM, and the roll-up of late events and of a day with a full rebuild.

    python -m benchmarks.participation [--scale 1.0] [--rounds 2]

--scale 1.0 is 1,000,000 and 10,000,000 events of 20,000 people in 90 days. Few people cause most events (Zipf), most
are messages on Telegram; one in five new events has no message id. The same scale gives the same rows.
"""

import argparse
import bisect
import itertools
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.data import zipf
from benchmarks.database import bulk, log, prepare, stop, table

PEOPLE = 20_000
DAYS = 90
LAST = datetime(2025, 6, 1, tzinfo=UTC)
BATCH = 10_000
# Events per round for the row-by-row method; ten thousand would take half a minute.
SAMPLE = 300
KINDS = ("MESSAGE", "REACTION", "VOICE", "ACTION", "JOIN", "LEAVE")
PLATFORMS = ("telegram", "discord", "github", "twitch", "kick")
SIZES = ("member_participation", "member_daily_highlights", "participation_changes")


# --- Data -------------------------------------------------------------------------------------


def weighted(shares: tuple[float, ...], names: tuple[str, ...], chance: random.Random) -> Callable[[], str]:
    """Return a function that returns one of the names per call, with these shares."""
    steps = list(itertools.accumulate(shares))
    return lambda: names[bisect.bisect(steps, chance.random() * steps[-1])]


def rows(size: int, chance: random.Random) -> Iterator[tuple]:
    """Yield member, kind, platform, room, voice minutes or None, and seconds since the first day began."""
    kind = weighted((70, 20, 5, 3, 1.5, 0.5), KINDS, chance)
    platform = weighted((80, 15, 3, 1.5, 0.5), PLATFORMS, chance)
    for member in itertools.islice(zipf(PEOPLE, chance, 0.8), size):
        event_type = kind()
        minutes = int(chance.random() * 90) if event_type == "VOICE" else None
        room = f"-100{int(chance.random() * 500)}"
        yield f"#{member + 1}", event_type, platform(), room, minutes, chance.random() * DAYS * 86_400


def load_people(owner) -> None:
    owner.execute(
        """INSERT INTO community_members (member_id, telegram_id, name, primary_role, status)
           SELECT '#' || i, i, 'Member ' || i, 'other', 'active' FROM generate_series(1, %s) i""",
        [PEOPLE],
    )
    owner.execute("VACUUM ANALYZE community_members")


def load_history(owner, *, size: int, seed: int) -> None:
    """Insert events with triggers disabled, as if they had been counted long ago. owner: autocommit."""
    numbers = list(itertools.islice(zipf(PEOPLE, random.Random(seed), 0.8), 200_000))
    with owner.cursor() as cursor, bulk(cursor, "member_participation"):
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("SELECT setseed(%s)", [seed / 10])
        cursor.execute(
            """INSERT INTO member_participation (member_id, event_type, platform, room_id, event_metadata, occurred_at)
               SELECT '#' || 1 + (%(numbers)s::integer[])[1 + (random() * 199999)::integer], k.kind,
                      CASE WHEN r.platform < 80 THEN 'telegram' WHEN r.platform < 95 THEN 'discord'
                          WHEN r.platform < 98 THEN 'github' WHEN r.platform < 99.5 THEN 'twitch' ELSE 'kick' END,
                      '-100' || (random() * 500)::integer,
                      CASE k.kind WHEN 'VOICE' THEN jsonb_build_object('minutes', (random() * 89)::integer) END,
                      %(last)s - %(days)s * interval '1 day' * (1 - r.i::float / %(size)s)
               FROM (SELECT i, random() * 100 AS kind, random() * 100 AS platform
                     FROM generate_series(0, %(size)s - 1) i) r,
                   LATERAL (SELECT CASE WHEN r.kind < 70 THEN 'MESSAGE' WHEN r.kind < 90 THEN 'REACTION'
                       WHEN r.kind < 95 THEN 'VOICE' WHEN r.kind < 98 THEN 'ACTION'
                       WHEN r.kind < 99.5 THEN 'JOIN' ELSE 'LEAVE' END AS kind) k""",
            {"numbers": numbers, "last": LAST, "days": DAYS, "size": size},
        )


_serial = itertools.count(1)


def events(size: int, *, day: int | None = None) -> list[dict]:
    """Return new events as a platform sends them: within the history, or of one day after it."""
    turn = next(_serial)
    chance = random.Random(f"events {turn}")
    begin = LAST - timedelta(days=DAYS)
    made = []
    for number, (member, kind, platform, room, minutes, second) in enumerate(rows(size, chance)):
        when = timedelta(seconds=second) if day is None else timedelta(days=day, seconds=second % 86_400)
        one = {"member_id": member, "event_type": kind, "platform": platform, "room_id": room}
        one["occurred_at"] = begin + when
        if number % 5:
            one["message_id"] = f"{turn}-{number}"
        if minutes is not None:
            one["event_metadata"] = {"minutes": minutes}
        made.append(one)
    return made


# --- Workloads --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """Elapsed seconds, and CPU seconds of this process and its backend."""

    seconds: float
    cpu: float

    def __truediv__(self, number: float) -> "Cost":
        return Cost(self.seconds / number, self.cpu / number)


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and its backend. Source: proc_pid_schedstat, first field."""
    from django.db import connection

    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    return time.process_time() + int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def clocked(work: Callable[[], object]) -> Cost:
    cpu, started = cpu_seconds(), time.perf_counter()
    work()
    return Cost(time.perf_counter() - started, cpu_seconds() - cpu)


def median_cost(costs: list[Cost]) -> Cost:
    """Return the median of elapsed and of CPU seconds."""
    return Cost(statistics.median(c.seconds for c in costs), statistics.median(c.cpu for c in costs))


def as_rows(given: list[dict]) -> list:
    """Return unsaved rows; a message id becomes the key, so that a repeated message is rejected."""
    from groups.models import MemberParticipation
    from groups.services.participation import message_key

    made = []
    for one in given:
        fields = {name: value for name, value in one.items() if name != "message_id"}
        if "message_id" in one:
            named = {name: one[name] for name in ("platform", "room_id", "message_id")}
            fields["id"] = message_key(**named)
        made.append(MemberParticipation(**fields))
    return made


def create_each(given: list[dict]) -> None:
    """Create rows with objects.create(), each in a transaction of its own."""
    from groups.models import MemberParticipation
    from groups.services.participation import message_key

    for one in given:
        fields = {name: value for name, value in one.items() if name != "message_id"}
        if "message_id" in one:
            named = {name: one[name] for name in ("platform", "room_id", "message_id")}
            fields["id"] = message_key(**named)
        MemberParticipation.objects.create(**fields)


def create_in_bulk(given: list[dict]) -> None:
    from groups.models import MemberParticipation

    MemberParticipation.objects.bulk_create(as_rows(given), batch_size=1_000, ignore_conflicts=True)


def ingest_all(given: list[dict]) -> None:
    from groups.services.participation import ingest_participation

    result = ingest_participation(events=given)
    if result.recorded != len(given):
        raise SystemExit(f"{result.recorded} of {len(given)} new events were recorded: {result.rejected[:3]}")


def ingest_costs(*, rounds: int) -> dict[str, Cost]:
    """Return the median cost of an event by method; the methods alternate."""
    methods = {"create()": (create_each, SAMPLE), "bulk_create": (create_in_bulk, BATCH), "ingest": (ingest_all, BATCH)}
    costs = {name: [] for name in methods}
    for number in range(rounds + 1):
        for name, (method, size) in methods.items():
            given = events(size)
            cost = clocked(lambda method=method, given=given: method(given)) / size
            # The first round opens connections and fills caches.
            if number:
                costs[name].append(cost)
    return {name: median_cost(found) for name, found in costs.items()}


def repeated_batch_cost(*, rounds: int) -> Cost:
    """Return the cost of an event in a batch that was ingested before."""
    from groups.services.participation import ingest_participation

    given = [one for one in events(BATCH * 5 // 4) if "message_id" in one]
    ingest_all(given)
    return median_cost([clocked(lambda: ingest_participation(events=given)) for _round in range(rounds)]) / len(given)


def roll_up() -> None:
    from groups.services.highlights import roll_up_highlights

    while roll_up_highlights():
        pass


def rebuild() -> None:
    from groups.services.highlights import rebuild_highlights

    rebuild_highlights()


def rebuild_without_changes() -> None:
    from groups.services.highlights import rebuild_highlights

    if wrong := rebuild_highlights():
        raise SystemExit(f"The rebuild found {wrong} days that differ from the roll-up.")


def roll_up_costs(owner, *, history: int, rounds: int) -> dict[str, Cost]:
    """Return the median cost of each method to update the highlights; the methods alternate."""
    costs = {"full": [], "nothing": [], "day": [], "late": []}
    a_day = history // DAYS
    for number in range(rounds):
        log(f"Round {number + 1} of the roll-up")
        owner.execute("TRUNCATE member_daily_highlights")
        costs["full"].append(clocked(rebuild))
        owner.execute("VACUUM ANALYZE member_daily_highlights")
        # A new day, in batches as they arrive.
        fresh = events(a_day, day=DAYS + number)
        for at in range(0, a_day, BATCH):
            ingest_all(fresh[at : at + BATCH])
        costs["day"].append(clocked(roll_up))
        # Short, so it is measured more often.
        for _again in range(4):
            ingest_all(events(BATCH))
            costs["late"].append(clocked(roll_up))
    costs["nothing"].append(clocked(rebuild_without_changes))
    return {name: median_cost(found) for name, found in costs.items()}


def sizes(owner) -> dict[str, int]:
    """Return the size of the tables with their indexes in bytes."""
    return {name: owner.execute("SELECT pg_total_relation_size(%s)", [name]).fetchone()[0] for name in SIZES}


# --- Run --------------------------------------------------------------------------------------


def main() -> None:
    global PEOPLE, BATCH, SAMPLE
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: 1,000,000 and 10,000,000 events")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--batch", type=int, default=BATCH, help="events per request")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="events created row by row")
    options = parser.parse_args()
    PEOPLE, BATCH, SAMPLE = options.people, options.batch, options.sample
    import psycopg

    started = time.monotonic()
    steps = [round(1_000_000 * options.scale), round(10_000_000 * options.scale)]
    server = prepare()
    ingest, roll_ups, loads = {}, {}, []
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        load_people(owner)
        log("Ingest into empty tables")
        ingest[0] = ingest_costs(rounds=options.rounds + 2)
        owner.execute("TRUNCATE member_participation, member_daily_highlights")
        loaded = 0
        for seed, history in enumerate(steps):
            log(f"Loading {history - loaded:,} events")
            load_history(owner, size=history - loaded, seed=seed)
            loaded = history
            log("Roll-up")
            roll_ups[history] = roll_up_costs(owner, history=history, rounds=options.rounds)
            log("Ingest")
            ingest[history] = ingest_costs(rounds=options.rounds + 2)
            roll_up()
            loads.append(os.getloadavg()[0])
        repeated = repeated_batch_cost(rounds=options.rounds)
        space = sizes(owner)
        # Free the disk space.
        owner.execute("TRUNCATE member_participation, member_daily_highlights")
    stop()
    report(ingest, roll_ups, repeated=repeated, space=space)
    print(f"Load average {', '.join(f'{load:.1f}' for load in loads)}; took {time.monotonic() - started:.0f} s.")


def ratio(one: Cost, other: Cost) -> str:
    return f"{one.seconds / other.seconds:,.1f}x ({one.cpu / other.cpu:,.1f}x)"


def report(ingest: dict, roll_ups: dict, *, repeated: Cost, space: dict[str, int]) -> None:
    print(f"\nIngest, events a second (medians; create() on {SAMPLE} events, the others on batches of {BATCH:,})")
    print("In brackets: by CPU time of this process and its backend.")
    table(
        [
            (
                f"{history:,}",
                *(f"{1 / cost.seconds:,.0f} ({1 / cost.cpu:,.0f})" for cost in costs.values()),
                ratio(costs["create()"], costs["ingest"]),
                ratio(costs["bulk_create"], costs["ingest"]),
            )
            for history, costs in ingest.items()
        ],
        head=("existing events", "create()", "bulk_create", "ingest", "ingest/create()", "ingest/bulk_create"),
    )
    print(f"A batch ingested before: {1 / repeated.seconds:,.0f} ({1 / repeated.cpu:,.0f}) events a second.")
    print("\nUpdate of highlights, seconds (medians; in brackets: CPU time)")
    table(
        [
            (
                f"{history:,}",
                *(f"{cost.seconds:.3f} ({cost.cpu:.3f})" for cost in costs.values()),
                ratio(costs["full"], costs["day"]),
                ratio(costs["full"], costs["late"]),
                ratio(costs["nothing"], costs["late"]),
            )
            for history, costs in roll_ups.items()
        ],
        head=(
            "existing events",
            "full rebuild",
            "rebuild that changes nothing",
            "a new day",
            f"{BATCH:,} late events",
            "full/day",
            "full/late",
            "nothing/late",
        ),
    )
    one, ten = roll_ups.values()
    print("\nWith ten times the events, late ones cost", ratio(ten["late"], one["late"]), end=", ")
    print("a new day, ten times as large,", ratio(ten["day"], one["day"]), end=", ")
    print("a full rebuild", ratio(ten["full"], one["full"]))
    print(", ".join(f"{name} {size / 2**20:,.0f} MB" for name, size in space.items()) + " with indexes.")
    print("Goals: ingest/create() >= 50, full/day >= 18, full/late >= 300.")


if __name__ == "__main__":
    main()
