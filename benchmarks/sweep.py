"""Compare the daily sweep with a loop over members, and with a bare UPDATE of the same rows.

All three change the same members from active to goodbye_sent, in a transaction that is rolled back, so that the next
round finds them again. The sweep and the loop write the log by the trigger and queue a message each; the bare UPDATE
runs with triggers disabled and does neither.
"""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice

from benchmarks.database import bulk, log, medians, prepare, stop, table

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BARE = """
UPDATE user_engagement_states
SET state = 'goodbye_sent', goodbye_sent_at = %(now)s, goodbye_expires_at = %(now)s + interval '48 hours'
WHERE state = 'active' AND last_activity_at <= %(now)s - interval '14 days'
"""


def load(owner, *, members: int, due: int) -> None:
    """Insert members; those not due were active yesterday."""
    log(f"Loading {members:,} members, {due:,} of them due")
    with owner.cursor() as cursor:
        # With triggers, which add a stable ID and a profile.
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


def rate_rolled_back(owner, work: Callable[[], int]) -> float:
    """Return members per second of a method; the transaction is rolled back."""
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
    """Change each due member in a loop; return how many changed."""
    from engagement.models import UserEngagementState
    from engagement.rules import State, TransitionTrigger
    from engagement.services.lifecycle import transition

    due = UserEngagementState.objects.filter(
        state=State.ACTIVE,
        last_activity_at__lte=NOW - timedelta(days=14),
        user__engagement_profile__reengagement_opt_out=False,
    ).select_related("user")
    return sum(
        1
        for row in islice(due.iterator(), sample)
        if transition(actor=row.user, member=row.user, trigger=TransitionTrigger.INACTIVITY_14D, at=NOW)
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
    parser.add_argument("--sample", type=int, default=1_000, help="members the loop changes")
    options = parser.parse_args()
    import psycopg

    started = time.monotonic()
    members = round(1_000_000 * options.scale)
    due = members // 10
    server = prepare()
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        load(owner, members=members, due=due)
        log("Changing states")
        figures = medians(
            {
                "sweep": lambda: rate_rolled_back(owner, sweep),
                "loop": lambda: rate_rolled_back(owner, lambda: loop(min(options.sample, due))),
                "bare UPDATE": lambda: bare(owner),
            },
            rounds=options.rounds,
        )
    stop()
    print(f"\n{due:,} due of {members:,} members (medians of {options.rounds} rounds)")
    table([(name, f"{figure:,.0f}") for name, figure in figures.items()], head=("method", "members/s"))
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
