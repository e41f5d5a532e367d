"""The daily sweep against the loop one would write first, and against a bare UPDATE of the same rows.

All three move the same members from active to goodbye_sent, in a transaction that is rolled back, so that the next
round finds them again. The sweep and the loop write the log by the guarding trigger and queue a message each; the bare
UPDATE runs with the triggers off and does neither.
"""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice

from benchmarks.database import bulk, medians, prepare, say, stop, table

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BARE = """
UPDATE user_engagement_states
SET state = 'goodbye_sent', goodbye_sent_at = %(now)s, goodbye_expires_at = %(now)s + interval '48 hours'
WHERE state = 'active' AND last_activity_at <= %(now)s - interval '14 days'
"""


def load(owner, *, members: int, due: int) -> None:
    """Members who were active yesterday, but for those who are due."""
    say(f"Loading {members:,} members, {due:,} of them due")
    with owner.cursor() as cursor:
        # With their triggers, which give each a number, a profile and an attention row.
        cursor.execute(
            """INSERT INTO members (id, email, display_name)
               SELECT gen_random_uuid(), 'member' || n || '@example.org', 'Member ' || n
               FROM generate_series(1, %s) n""",
            [members],
        )
        for name in ("members", "user_profiles"):
            cursor.execute(f"VACUUM (ANALYZE) {name}")
        with bulk(cursor, "user_engagement_states"):
            cursor.execute(
                """INSERT INTO user_engagement_states (user_id, last_activity_at)
                   SELECT id, %(now)s - CASE WHEN row_number() OVER (ORDER BY id) <= %(due)s
                       THEN interval '15 days' ELSE interval '1 day' END
                   FROM members""",
                {"now": NOW, "due": due},
            )


def rolled_back(owner, work: Callable[[], int]) -> float:
    """Members a second that a way of moving them takes; they are as before afterwards."""
    from django.db import transaction

    with transaction.atomic():
        started = time.perf_counter()
        moved = work()
        took = time.perf_counter() - started
        transaction.set_rollback(True)
    for name in ("user_engagement_states", "engagement_state_transitions", "engagement_message_queue"):
        owner.execute(f"VACUUM {name}")
    return moved / took


def sweep() -> int:
    from engagement.services.sweeps import sweep_daily

    return sum(step.moved for step in sweep_daily(at=NOW))


def loop(sample: int) -> int:
    """As one would write it first: look for who is due, and move each."""
    from engagement.models import State, Trigger, UserEngagementState
    from engagement.services.machine import transition

    due = UserEngagementState.objects.filter(
        state=State.ACTIVE,
        last_activity_at__lte=NOW - timedelta(days=14),
        user__engagement_profile__reengagement_opt_out=False,
    ).select_related("user")
    return sum(
        1
        for row in islice(due.iterator(), sample)
        if transition(member=row.user, trigger=Trigger.INACTIVITY_14D, at=NOW)
    )


def bare(owner) -> float:
    with owner.transaction(force_rollback=True):
        owner.execute("ALTER TABLE user_engagement_states DISABLE TRIGGER USER")
        started = time.perf_counter()
        moved = owner.execute(BARE, {"now": NOW}).rowcount
        took = time.perf_counter() - started
    owner.execute("VACUUM user_engagement_states")
    return moved / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: 1,000,000 members, a tenth of them due")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sample", type=int, default=1_000, help="members the loop moves")
    options = parser.parse_args()
    import psycopg

    started = time.monotonic()
    members = round(1_000_000 * options.scale)
    due = members // 10
    server = prepare()
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        load(owner, members=members, due=due)
        say("Moving them")
        figures = medians(
            {
                "sweep": lambda: rolled_back(owner, sweep),
                "loop": lambda: rolled_back(owner, lambda: loop(min(options.sample, due))),
                "bare UPDATE": lambda: bare(owner),
            },
            rounds=options.rounds,
        )
    stop()
    print(f"\n{due:,} due of {members:,} members (medians of {options.rounds} rounds)")
    table([(name, f"{figure:,.0f}") for name, figure in figures.items()], head=("way", "members/s"))
    goals = [
        ("at least 50 times the loop", figures["sweep"] / figures["loop"], 50),
        ("at least a quarter of the bare UPDATE", figures["sweep"] / figures["bare UPDATE"], 0.25),
    ]
    print()
    table(
        [(name, f"{figure:.2f}", "met" if figure >= goal else "missed") for name, figure, goal in goals],
        head=("goal", "figure", ""),
    )
    print(f"Took {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    main()
