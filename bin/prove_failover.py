"""Prove that the site keeps every acknowledged write through failures of its database nodes.

Network namespaces are the hosts: three database nodes (etcd, Patroni, PostgreSQL with quorum commit) and two
application nodes (HAProxy, a worker, and a load of missions, joins, messages, jobs, and proposals accepted against a
cap that is nearly reached). The switch between them is a namespace too, so nothing leaves this machine. A gateway on
the switch keeps the idempotency keys of messages.

Faults, in turn: the leader is killed, its link is taken down, it freezes for 25 seconds, one etcd is killed, an
application node is killed, an application node freezes. After each: writes are acknowledged again, and the node that
was the leader takes no write. At the end: no acknowledged write is lost, no stable ID is there twice, no member got
more messages than the frequency cap allows, no project accepted more than its cap, each message and job had one effect.

Negative controls: `--without quorum`, where a killed leader may take acknowledged writes with it, and
`--without fencing`, where a frozen worker goes on with jobs that run elsewhere. Exits with 2 where the engines cannot
be installed, and names what is missing.
"""

# ruff: noqa: S603, T201 - it runs programs of this machine and prints results

import argparse
import contextlib
import operator
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

from failover.cluster import PASSWORD, SUPERUSER, TTL, Cluster  # noqa: E402
from failover.hosts import CHECKOUT, SWITCH, Host, missing, run, until  # noqa: E402
from failover.load import CAP, PROJECTS, PROPOSALS  # noqa: E402

from missionsite import embedded  # noqa: E402

# Seconds until writes must be back, and of a freeze.
BACK_WITHIN, FREEZE = 60, 25
# Of an application node: longer than the minute between two runs of the watchdog, which then gives its jobs to others.
FREEZE_APPLICATION = 80
FAULTS = ("kill", "partition", "freeze", "etcd", "application", "frozen application")
PREPARE = f"""
from django.db import transaction
from engagement.models import UserProfile
from groups.models import Member
from groups.services.groups import create_colony
from tests.support.factories.fallback import ConfigFactory, ItemFactory, ProjectFactory, RunFactory, TemplateFactory
create_colony(actor=Member.objects.system(), name="Load")
for n in range(200):
    member = Member.objects.create_user(f"load-{{n}}@example.org", display_name=f"Load {{n}}")
    UserProfile.objects.filter(pk=member.pk).update(individual_jid=f"load-{{n}}@gateway.example")
with transaction.atomic():
    first = ProjectFactory(slug="load-0")
    for number in range({PROJECTS}):
        project = ProjectFactory(slug=f"load-{{number}}", organization=first.organization) if number else first
        ConfigFactory(project=project, weekly_mission_cap={CAP}, monthly_target_hours=1000)
        run, template = RunFactory(project=project), TemplateFactory(project=project)
        for _ in range({PROPOSALS}):
            ItemFactory(run=run, template=template)
"""


def acknowledged(cluster: Cluster) -> list[tuple[float, str, str]]:
    found = []
    for app in cluster.apps.values():
        with contextlib.suppress(FileNotFoundError):
            lines = (app.folder / "acknowledged").read_text().splitlines()
            found += [(float(at), kind, key) for at, kind, key in (line.split(" ", 2) for line in lines if line)]
    return sorted(found)


def prepare(cluster: Cluster) -> None:
    """Create the database, its roles, tables and members, through the leader."""
    leader = cluster.leader() or ""
    address = cluster.nodes[leader].address
    target = f"postgres://{SUPERUSER}:{PASSWORD}@{address}/postgres"
    roles = os.environ | dict.fromkeys(("OWNER_PASSWORD", "APP_PASSWORD", "BACKUP_PASSWORD"), PASSWORD)
    inside = ("ip", "netns", "exec", SWITCH)
    run(*inside, cluster.binaries / "psql", "-Xq", "-f", CHECKOUT / "missionsite/embedded/roles.sql", target, env=roles)
    site = cluster.environment(cluster.folder)
    site = {name: value.replace("127.0.0.1:5000", f"{address}:5432") for name, value in site.items()}
    manage = (*inside, sys.executable, CHECKOUT / "manage.py")
    run(*manage, "migrate", "-v", "0", env=os.environ | site, cwd=CHECKOUT)
    run(*manage, "shell", "-c", PREPARE, env=os.environ | site, cwd=CHECKOUT)


def apply(cluster: Cluster, fault: str, chance: random.Random) -> tuple[str, float]:
    """Do one fault, and undo it after a while. Returns the node that was the leader, and when the fault began."""
    leader = cluster.leader() or ""
    node = cluster.nodes[leader]
    began = time.time()
    if fault == "kill":
        node.signal(signal.SIGKILL, but="/etcd")
        time.sleep(TTL + 5)
        cluster.start_patroni(leader)
    elif fault == "partition":
        node.link("down")
        time.sleep(TTL + 10)
        node.link("up")
    elif fault == "freeze":
        node.signal(signal.SIGSTOP)
        time.sleep(FREEZE)
        node.signal(signal.SIGCONT)
    elif fault == "etcd":
        name = chance.choice(list(cluster.nodes))
        _kill(cluster.nodes[name], "/etcd")
        time.sleep(10)
        cluster.start_etcd(name)
    elif fault == "application":
        name = chance.choice(list(cluster.apps))
        cluster.apps[name].signal(signal.SIGKILL)
        time.sleep(5)
        cluster.start_app(name, chance.randrange(10**6))
    else:
        app = cluster.apps[chance.choice(list(cluster.apps))]
        # Not HAProxy, which would end all connections after it: those of a frozen worker stay open.
        app.signal(signal.SIGSTOP, but="haproxy")
        time.sleep(FREEZE_APPLICATION)
        app.signal(signal.SIGCONT)
    return leader, began


def _kill(host: Host, word: str) -> None:
    for pid in host.pids():
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            if word in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)


def prove(cluster: Cluster, faults: list[str], seed: int, report: Any) -> None:
    chance = random.Random(seed)  # noqa: S311
    for name in cluster.nodes:
        cluster.start_etcd(name)
    time.sleep(2)
    for name in cluster.nodes:
        cluster.start_patroni(name)
    report(True, f"the cluster was whole after {until(cluster.is_whole, 'three database nodes', 180):.0f} s")
    prepare(cluster)
    gateway = cluster.folder / "gateway"
    gateway.touch()
    serve = ["ip", "netns", "exec", SWITCH, sys.executable, CHECKOUT / "bin/failover/load.py", "gateway", gateway]
    serving = subprocess.Popen(serve, start_new_session=True)
    waits: list[float] = []
    try:
        for name in cluster.apps:
            cluster.start_app(name, chance.randrange(10**6))
        until(lambda: len(acknowledged(cluster)) > 50, "writes")
        for number, fault in enumerate(faults):
            before = acknowledged(cluster)
            old, began = apply(cluster, fault, chance)
            undone = time.time()

            def are_back(since: float = undone) -> bool:
                return any(at > since for at, _, _ in acknowledged(cluster)[-20:])

            until(are_back, "an acknowledged write", BACK_WITHIN)
            until(cluster.leader, "a leader")
            new = cluster.leader()
            gap = longest_gap([at for at, _, _ in acknowledged(cluster)], began)
            waits.append(gap)
            taken = new != old and cluster.sql(old, "CREATE TABLE taken (); DROP TABLE taken").returncode == 0
            text = f"fault {number + 1}, {fault}: {old} to {new}, no write for {gap:.1f} s"
            report(not taken, f"{text}, {len(acknowledged(cluster)) - len(before)} writes, the old leader takes none")
            until(cluster.is_whole, "the cluster to be whole", 180)
        time.sleep(15)
        for app in cluster.apps.values():
            _kill(app, "load.py")
        time.sleep(20)
        check(cluster, gateway, waits, report)
    finally:
        os.killpg(serving.pid, signal.SIGKILL)
        serving.wait()


def longest_gap(times: list[float], began: float) -> float:
    """The longest time without an acknowledged write since the fault began."""
    inside = [began, *(at for at in times if at > began)]
    return max((later - earlier for earlier, later in pairwise(inside)), default=0.0)


def check(cluster: Cluster, gateway: Path, waits: list[float], report: Any) -> None:
    leader = cluster.leader() or ""

    def column(query: str) -> list[str]:
        done = cluster.sql(leader, query, 60)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.split()

    kept = {
        "mission": set(column("SELECT stable_id FROM groups")),
        "membership": set(column("SELECT id FROM memberships")),
        "message": set(column("SELECT idempotency_key FROM engagement_message_queue")),
        "proposal": set(column("SELECT id FROM mission_fallback_items WHERE status = 'accepted'")),
        "job": set(column("SELECT args ->> 'key' FROM procrastinate_jobs WHERE task_name = 'failover.effect'")),
    }
    written = acknowledged(cluster)
    lost = [f"{kind} {key}" for _, kind, key in written if key not in kept[kind]]
    report(not lost, f"{len(lost)} of {len(written)} acknowledged writes are lost {lost[:3] or ''}")
    missions = [key for _, kind, key in written if kind == "mission"]
    report(len(missions) == len(set(missions)), f"{len(missions)} stable IDs, none twice")
    keys = gateway.read_text().split()
    sent = column("SELECT idempotency_key FROM engagement_message_queue WHERE status = 'sent'")
    unknown = [key for key in sent if key not in set(keys)]
    effects = len(set(keys)) / max(len(set(keys) | set(sent)), 1)
    text = f"{len(sent)} messages sent, {len(keys)} requests to the gateway, {effects:.2f} effects per key"
    report(not unknown and bool(sent), text)
    over = column(
        "SELECT user_id FROM engagement_message_queue WHERE attempted_at > now() - interval '7 days'"
        " AND message_type = 'tier_unlock' GROUP BY user_id HAVING count(*) > 3"
    )
    report(not over, f"{len(over)} members got more messages than the frequency cap of 3")
    accepted = column(
        "SELECT count(*) FROM projects p JOIN mission_fallback_items i ON i.project_id = p.id"
        " WHERE p.slug LIKE 'load-%' AND i.status = 'accepted' GROUP BY p.id"
    )
    full, over = (sum(compare(int(each), CAP) for each in accepted) for compare in (operator.eq, operator.gt))
    report(full and not over, f"{over} projects are over their weekly cap of {CAP}, {full} have reached it")
    keys = column("SELECT substring(name FROM 'effect-(.*)-') FROM heartbeats WHERE name LIKE 'effect-%'")
    text = f"{len(keys)} effects of {len(set(keys))} jobs, {len(keys) / max(len(set(keys)), 1):.4f} per job"
    report(len(keys) == len(set(keys)) > 0, text)
    back = sum(each <= 30 for each in waits)
    report(back >= 0.95 * len(waits), f"writes were back within 30 s after {back} of {len(waits)} faults")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=45)
    parser.add_argument("--kinds", nargs="+", choices=FAULTS, default=FAULTS, help="of the faults, in turn")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    parser.add_argument("--without", choices=["", "quorum", "fencing"], default="")
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    options = parser.parse_args()
    engines = embedded.var_dir().absolute() / "failover-engines"
    if lacking := missing(engines):
        print("The proof needs what is missing here: " + "; ".join(lacking))
        return 2
    folder = embedded.var_dir().absolute() / "failover"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    results: list[bool] = []

    def report(passed: bool, text: str) -> None:
        results.append(passed)
        print(f"{time.strftime('%H:%M:%S')} {'PASS' if passed else 'FAIL'} {text}", flush=True)

    print(f"seed {options.seed}", flush=True)
    cluster = Cluster(folder, engines, options.without)
    try:
        prove(
            cluster, [options.kinds[each % len(options.kinds)] for each in range(options.faults)], options.seed, report
        )
    except (TimeoutError, RuntimeError) as error:
        report(False, str(error))
    finally:
        cluster.remove()
    if all(results) and not options.keep:
        embedded.remove(folder / "programs")
        shutil.rmtree(folder)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
