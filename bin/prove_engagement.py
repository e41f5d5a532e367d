"""Send 10,000 messages with six processes, kill 500 of them, and stop the database while they send.

Uses a database of its own in `var/prove-engagement`, emptied for each run. Prints PASS or FAIL for each check.
"""

# ruff: noqa: T201 - it prints results

import argparse
import os
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
# Seconds within which senders have to send again after the database has returned.
BACK_WITHIN = 30

from missionsite import embedded  # noqa: E402


def prepare(folder: Path) -> embedded.Server:
    """Start a new cluster with the site's tables."""
    embedded.remove(folder)
    os.environ |= {
        "DATABASE_URL": "",
        "MISSIONSITE_VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "missionsite.settings",
    }
    server = embedded.start(folder)
    import django

    django.setup()
    from django.core.management import call_command

    from missionsite.common.roles import as_owner

    with as_owner():
        call_command("migrate", verbosity=0)
    return server


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=520)
    parser.add_argument("--outages", type=float, nargs="*", default=[5, 45], help="seconds without a database")
    options = parser.parse_args()
    folder = embedded.var_dir().absolute() / "prove-engagement"
    server = prepare(folder)
    from tests.engagement.sender_processes import LEASE, run_senders

    environment = {"DATABASE_URL": "", "MISSIONSITE_VAR_DIR": str(folder)}
    results: list[bool] = []

    def report(passed: bool, text: str) -> None:
        results.append(passed)
        print(f"{time.strftime('%H:%M:%S')} {'PASS' if passed else 'FAIL'} {text}", flush=True)

    def empty() -> None:
        import psycopg

        with psycopg.connect(server.owner_url, autocommit=True) as owner:
            owner.execute("UPDATE engagement_message_queue SET status = 'cancelled' WHERE status = 'pending'")

    places = {"database": server.owner_url, "environment": environment}
    with run_senders(**places, log=folder / "senders.log") as senders:
        o = senders.run(messages=options.messages, kills=options.kills, patience=3600)
    is_whole = (o.sent, o.lost, o.accepted_twice) == (o.messages, 0, 0)
    report(
        is_whole and o.overdue < LEASE and o.killed >= options.kills * 0.96,
        f"{o.sent:,} of {o.messages:,} sent in {o.seconds:.0f} s, {o.killed} senders killed {o.kills}: {o.lost} lost,"
        f" {o.accepted_twice} accepted twice, {o.repeats} were sent again with their key, a message was due"
        f" at most {o.overdue:.1f} s after its lease of {LEASE} s",
    )
    empty()
    with run_senders(**places, log=folder / "control.log", SENDERS_ACKNOWLEDGE_FIRST="1") as senders:
        o = senders.run(messages=options.messages // 10, kills=max(options.kills // 10, 1), patience=3600)
    report(o.lost > 0, f"negative control: marked before they are sent, {o.lost} of {o.messages:,} messages are lost")
    for seconds in options.outages:
        empty()
        with run_senders(**places, log=folder / "outage.log") as senders:
            took = senders.measure_outage(
                stop=lambda: embedded.stop(folder), start=lambda: embedded.start(folder), seconds=seconds
            )
            report(took <= BACK_WITHIN, f"database stopped for {seconds:.0f} s: sending again {took:.1f} s later")
    embedded.remove(folder)
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
