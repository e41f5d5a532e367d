"""What the application nodes of the proof write, and the gateway that receives their messages.

Runs as a process of its own on each node: `python bin/failover/load.py load FILE --seed 1`.
"""

import argparse
import http.server
import random
import sys
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from failover.hosts import GATEWAY  # noqa: E402

# Projects, each with a weekly cap and so many proposals; every minute all nodes go on to the next one.
PROJECTS, CAP, PROPOSALS = 120, 3, 8


class Gateway:
    """Keeps the idempotency keys of messages; it runs in the switch's namespace, as a process of this file."""

    @staticmethod
    def serve(file: Path) -> None:
        lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with lock, open(file, "a") as log:
                    log.write(f"{self.headers['Idempotency-Key']}\n")
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(b'{"id": "1"}')

            def log_message(self, *arguments: object) -> None:
                pass

        http.server.ThreadingHTTPServer((GATEWAY, 8080), Handler).serve_forever()


def load(file: Path, seed: int) -> None:
    """Write through the site's services until killed; note each acknowledged write in the file."""
    import django

    django.setup()
    from django.db import DatabaseError, connections
    from procrastinate.exceptions import ConnectorException

    from engagement.rules import MessageType
    from engagement.services.messages import enqueue
    from failover.jobs import effect
    from fallback.models import MissionFallbackItem
    from fallback.services.review import accept_item
    from groups.models import Group, Member
    from groups.services.groups import create_mission
    from groups.services.memberships import join_mission
    from missionsite.common.errors import DomainError, is_unavailable

    chance, number = random.Random(seed), 0  # noqa: S311
    actor, members, mission, colony = None, [], None, None
    with open(file, "a", buffering=1) as log:
        while True:
            number += 1
            try:
                if actor is None:
                    actor = Member.objects.system()
                    members = list(Member.objects.filter(email__startswith="load-").order_by("pk"))
                    colony = Group.objects.get(name="Load")
                if mission is None or number % 20 == 0:
                    mission = create_mission(actor=actor, name=f"Load {seed} {number}", colony=colony)
                    log.write(f"{time.time():.3f} mission {mission.stable_id}\n")
                member = chance.choice(members)
                joined = join_mission(actor=actor, member=member, mission=mission)
                log.write(f"{time.time():.3f} membership {joined.pk}\n")
                kind = (MessageType.WELCOME, MessageType.TIER_UNLOCK)[number % 2]
                message = enqueue(member=member, message_type=kind, event=f"load-{seed}-{number}")
                if message:
                    log.write(f"{time.time():.3f} message {message.idempotency_key}\n")
                if number % 5 == 0:
                    effect.defer(key=f"{seed}-{number}")
                    log.write(f"{time.time():.3f} job {seed}-{number}\n")
                # All nodes accept proposals of the same project at the same time, also after its cap is reached.
                slug = f"load-{int(time.time() // 60) % PROJECTS}"
                proposed = MissionFallbackItem.objects.filter(project__slug=slug, status="proposed")
                if item := proposed.order_by("?").first():
                    accept_item(actor=actor, item=item)
                    log.write(f"{time.time():.3f} proposal {item.pk}\n")
            except DomainError:
                pass
            except ConnectorException:
                connections.close_all()
            except DatabaseError as error:
                if not is_unavailable(error):
                    raise
                connections.close_all()
                time.sleep(0.2)
            time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["load", "gateway"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.what == "load":
        load(options.file, options.seed)
    else:
        Gateway.serve(options.file)


if __name__ == "__main__":
    main()
