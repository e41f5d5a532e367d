"""Prove that the site keeps every acknowledged write through failures of its database nodes.

Network namespaces are the hosts: three database nodes (etcd, Patroni, PostgreSQL with quorum commit) and two
application nodes (HAProxy, a worker, and a load of missions, joins and messages). The switch between them is a
namespace too, so nothing leaves this machine. A gateway on the switch keeps the idempotency keys of messages.

Faults, in turn: the leader is killed, its link is taken down, it freezes for 25 seconds, one etcd is killed, an
application node is killed. After each: writes are acknowledged again, and the node that was the leader takes no write.
At the end: no acknowledged write is lost, no stable ID is there twice, no member got more messages than the frequency
cap allows, each message had one effect. `--without quorum` is the negative control: there a killed leader may take
acknowledged writes with it. Exits with 2 where the engines cannot be installed, and names what is missing.
"""

# ruff: noqa: S603, S607, T201 - it runs programs of this machine and prints results

import argparse
import contextlib
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from missionsite import embedded  # noqa: E402

SWITCH, NETWORK = "msf-switch", "10.77.0"
NODES = {"db1": 11, "db2": 12, "db3": 13}
APPS = {"app1": 21, "app2": 22}
GATEWAY = f"{NETWORK}.1"
USER = "nobody"  # PostgreSQL does not run as root.
SUPERUSER, PASSWORD = "postgres", "proof"
DEBS = ("etcd-server", "haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1")
# Seconds a leader may be silent (the lease), the longest time until writes are back, and the freeze.
TTL, BACK_WITHIN, FREEZE = 20, 60, 25
FAULTS = ("kill", "partition", "freeze", "etcd", "application")


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess:
    return subprocess.run([str(each) for each in command], check=True, capture_output=True, text=True, **options)


def missing(folder: Path) -> list[str]:
    """Fetch the engines into a folder, and name what could not be had."""
    found = []
    if os.geteuid() != 0:
        return ["root, to make network namespaces"]
    for program in ("ip", "apt-get", "dpkg", "runuser", "/usr/bin/python3"):
        if not shutil.which(program):
            found.append(program)
    if found:
        return found
    packages, python = folder / "packages", folder / "python"
    packages.mkdir(parents=True, exist_ok=True)
    try:
        if not (folder / "root/usr/bin/etcd").exists():
            run("apt-get", "-qq", "update")
            run("apt-get", "-qq", "download", *DEBS, cwd=packages)
            for each in packages.glob("*.deb"):
                run("dpkg", "-x", each, folder / "root")
        if not (python / "patroni").exists():
            names = ("patroni[etcd3]", "psycopg[binary]")
            run(
                "/usr/bin/python3",
                "-m",
                "pip",
                "install",
                "-q",
                "--no-warn-script-location",
                "--target",
                python,
                *names,
            )
        run("ip", "netns", "add", "msf-try")
        run("ip", "netns", "delete", "msf-try")
    except subprocess.CalledProcessError as error:
        found.append(f"{' '.join(error.cmd[:4])}: {error.stderr.strip()[-300:]}")
    return found


class Host:
    """A network namespace with an address on the switch, and the processes started in it."""

    def __init__(self, name: str, number: int, folder: Path) -> None:
        self.name, self.address = name, f"{NETWORK}.{number}"
        self.netns, self.port = f"msf-{name}", f"p-{name}"
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.processes: dict[str, subprocess.Popen] = {}
        run("ip", "netns", "add", self.netns)
        run("ip", "-n", SWITCH, "link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", self.netns)
        run("ip", "-n", SWITCH, "link", "set", self.port, "master", "bridge", "up")
        run("ip", "-n", self.netns, "address", "add", f"{self.address}/24", "dev", "eth0")
        for link in ("eth0", "lo"):
            run("ip", "-n", self.netns, "link", "set", link, "up")

    def link(self, state: str) -> None:
        run("ip", "-n", SWITCH, "link", "set", self.port, state)

    def start(self, what: str, *command: str | Path, user: str = "", **environment: str) -> None:
        as_user = ("runuser", "-u", user, "--") if user else ()
        with open(self.folder / f"{what}.log", "ab") as log:
            self.processes[what] = subprocess.Popen(
                ["ip", "netns", "exec", self.netns, *as_user, *map(str, command)],
                env=os.environ | environment,
                cwd=CHECKOUT if not user else self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def pids(self) -> list[int]:
        """All processes in this namespace."""
        return [int(pid) for pid in run("ip", "netns", "pids", self.netns).stdout.split()]

    def signal(self, number: int, *, but: str = "") -> None:
        """Signal all processes of the host, except those whose command has this word."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                if not but or but not in Path(f"/proc/{pid}/cmdline").read_text():
                    os.kill(pid, number)

    def remove(self) -> None:
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGKILL)
        for each in self.processes.values():
            each.wait()
        run("ip", "netns", "delete", self.netns)


class Cluster:
    """The hosts, and what runs on them."""

    def __init__(self, folder: Path, engines: Path, without: str) -> None:
        self.folder, self.engines, self.without = folder, engines, without
        run("ip", "netns", "add", SWITCH)
        run("ip", "-n", SWITCH, "link", "add", "bridge", "type", "bridge")
        run("ip", "-n", SWITCH, "address", "add", f"{GATEWAY}/24", "dev", "bridge")
        for link in ("bridge", "lo"):
            run("ip", "-n", SWITCH, "link", "set", link, "up")
        self.nodes = {name: Host(name, number, folder) for name, number in NODES.items()}
        self.apps = {name: Host(name, number, folder) for name, number in APPS.items()}
        self.binaries = self._programs()

    def _programs(self) -> Path:
        """PostgreSQL's programs where the other user can run them."""
        server = embedded.start(self.folder / "programs")
        del server
        embedded.stop(self.folder / "programs")
        home = (self.folder / "programs" / "postgres").resolve()
        copies = list(home.glob("programs/*/complete"))
        return next(copies[0].parent.rglob("bin")) if copies else embedded.psql_path().parent

    def start_etcd(self, name: str) -> None:
        node, data = self.nodes[name], self.nodes[name].folder / "etcd"
        all_nodes = ",".join(f"{each}=http://{host.address}:2380" for each, host in self.nodes.items())
        node.start(
            "etcd",
            self.engines / "root/usr/bin/etcd",
            *("--name", name, "--data-dir", data, "--initial-cluster", all_nodes, "--initial-cluster-state", "new"),
            *("--listen-peer-urls", f"http://{node.address}:2380"),
            *("--initial-advertise-peer-urls", f"http://{node.address}:2380"),
            *("--listen-client-urls", f"http://{node.address}:2379"),
            *("--advertise-client-urls", f"http://{node.address}:2379", "--logger", "zap"),
        )

    def start_patroni(self, name: str) -> None:
        node = self.nodes[name]
        quorum = self.without != "quorum"
        config = {
            "scope": "missionsite",
            "name": name,
            "restapi": {"listen": f"{node.address}:8008", "connect_address": f"{node.address}:8008"},
            "etcd3": {"hosts": [f"{each.address}:2379" for each in self.nodes.values()]},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL,
                    "loop_wait": 5,
                    "retry_timeout": 5,
                    "synchronous_mode": "quorum" if quorum else "off",
                    "synchronous_mode_strict": quorum,
                    # Any distance, so that the control without quorum has a leader too.
                    "maximum_lag_on_failover": 1048576 if quorum else 10**9,
                    "postgresql": {"use_pg_rewind": True, "use_slots": True},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"{node.address}:5432",
                "connect_address": f"{node.address}:5432",
                "data_dir": str(node.folder / "data"),
                "bin_dir": str(self.binaries),
                "pgpass": str(node.folder / "pgpass"),
                "authentication": {
                    "superuser": {"username": SUPERUSER, "password": PASSWORD},
                    "replication": {"username": "replicator", "password": PASSWORD},
                    "rewind": {"username": "rewinder", "password": PASSWORD},
                },
                "pg_hba": [
                    "local all all trust",
                    f"host replication replicator {NETWORK}.0/24 scram-sha-256",
                    f"host all all {NETWORK}.0/24 scram-sha-256",
                ],
                "parameters": {
                    "unix_socket_directories": str(node.folder),
                    "max_connections": 100,
                    "wal_log_hints": "on",
                    "wal_keep_size": "512MB",
                    "synchronous_commit": "on" if quorum else "local",
                },
            },
        }
        file = node.folder / "patroni.json"
        # YAML is a superset of JSON.
        file.write_text(json.dumps(config))
        for each in (node.folder, file):
            shutil.chown(each, USER)
        node.start(
            "patroni",
            *("/usr/bin/python3", "-m", "patroni", file),
            user=USER,
            PYTHONPATH=str(self.engines / "python"),
            HOME=str(node.folder),
        )

    def start_app(self, name: str, seed: int) -> None:
        app = self.apps[name]
        servers = "\n".join(
            f"    server {each} {host.address}:5432 check port 8008" for each, host in self.nodes.items()
        )
        (app.folder / "haproxy.cfg").write_text(f"""
global
    maxconn 200
defaults
    mode tcp
    timeout connect 2s
    timeout client 30m
    timeout server 30m
    timeout check 2s
listen database
    bind 127.0.0.1:5000
    option httpchk OPTIONS /primary
    http-check expect status 200
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
""")
        libraries = self.engines / "root/usr/lib/x86_64-linux-gnu"
        app.start(
            "haproxy",
            *(self.engines / "root/usr/sbin/haproxy", "-db", "-f", app.folder / "haproxy.cfg"),
            LD_LIBRARY_PATH=str(libraries),
        )
        site = self.environment(app.folder)
        app.start("worker", sys.executable, "manage.py", "worker", "--stale-after", "10", **site)
        log = app.folder / "acknowledged"
        app.start("load", sys.executable, __file__, "--load", str(log), "--seed", str(seed), **site)

    def environment(self, var: Path) -> dict[str, str]:
        wait = "connect_timeout=3&keepalives_idle=3&keepalives_interval=2&keepalives_count=2&tcp_user_timeout=6000"
        return {
            "DATABASE_URL": f"postgres://missionsite_app:{PASSWORD}@127.0.0.1:5000/missionsite?{wait}",
            "DATABASE_OWNER_URL": f"postgres://missionsite_owner:{PASSWORD}@127.0.0.1:5000/missionsite",
            "DJANGO_SETTINGS_MODULE": "missionsite.settings",
            "MISSIONSITE_VAR_DIR": str(var),
            "SECRET_KEY": "of-the-proof",
            "LOG_LEVEL": "WARNING",
            "CONN_MAX_AGE": "60",
            "ENGAGEMENT_TRANSPORT": "webhook",
            "ENGAGEMENT_WEBHOOK_URL": f"http://{GATEWAY}:8080/messages",
            "ENGAGEMENT_WEBHOOK_SECRET": "of-the-proof-of-the-proof-of-the-proof",
            "ENGAGEMENT_QUIET_FROM": "00:00",
            "ENGAGEMENT_QUIET_TO": "00:00",
            "ENGAGEMENT_LEASE": "PT10S",
            "ENGAGEMENT_RETRY_AFTER": "PT2S",
        }

    def states(self) -> dict[str, dict[str, Any]]:
        """The state that the Patroni of each reachable node reports of the cluster's members, by name."""
        for host in self.nodes.values():
            try:
                asked = ("curl", "-s", "-m", "2", f"http://{host.address}:8008/cluster")
                shown = run("ip", "netns", "exec", SWITCH, *asked).stdout
                return {each["name"]: each for each in json.loads(shown)["members"]}
            except (subprocess.CalledProcessError, ValueError, KeyError):
                continue
        return {}

    def leader(self) -> str | None:
        for name, host in self.nodes.items():
            asked = (
                "curl",
                "-s",
                "-m",
                "2",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                f"http://{host.address}:8008/primary",
            )
            with contextlib.suppress(subprocess.CalledProcessError):
                if run("ip", "netns", "exec", SWITCH, *asked).stdout == "200":
                    return name
        return None

    def is_whole(self) -> bool:
        """Whether there is a leader and two replicas that stream."""
        states = [each.get("state") for each in self.states().values()]
        return self.leader() is not None and sorted(states) == ["running", "streaming", "streaming"]

    def sql(self, name: str, statement: str, seconds: int = 10) -> subprocess.CompletedProcess:
        """Run a statement on one node, as the superuser."""
        target = f"postgres://{SUPERUSER}:{PASSWORD}@{self.nodes[name].address}/missionsite?connect_timeout=3"
        command = [
            "timeout",
            str(seconds),
            str(self.binaries / "psql"),
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            statement,
        ]
        full = ["ip", "netns", "exec", SWITCH, *command, target]
        return subprocess.run(full, capture_output=True, text=True, check=False)

    def remove(self) -> None:
        for host in (*self.apps.values(), *self.nodes.values()):
            with contextlib.suppress(subprocess.CalledProcessError):
                host.remove()
        with contextlib.suppress(subprocess.CalledProcessError):
            run("ip", "netns", "delete", SWITCH)


def until(condition: Any, what: str, seconds: float = 120) -> float:
    """Wait until the condition holds; return the seconds. Exits with an error after this many."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.5)
    return time.monotonic() - began


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

    from engagement.rules import MessageType
    from engagement.services.messages import enqueue
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
            except DomainError:
                pass
            except DatabaseError as error:
                if not is_unavailable(error):
                    raise
                connections.close_all()
                time.sleep(0.2)
            time.sleep(0.05)


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
    people = (
        "from groups.models import Member\n"
        "from groups.services.groups import create_colony\n"
        "create_colony(actor=Member.objects.system(), name='Load')\n"
        "from engagement.models import UserProfile\n"
        "for n in range(200):\n"
        "    member = Member.objects.create_user(f'load-{n}@example.org', display_name=f'Load {n}')\n"
        "    UserProfile.objects.filter(pk=member.pk).update(individual_jid=f'load-{n}@gateway.example')\n"
    )
    run(*manage, "shell", "-c", people, env=os.environ | site, cwd=CHECKOUT)


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
    else:
        name = chance.choice(list(cluster.apps))
        cluster.apps[name].signal(signal.SIGKILL)
        time.sleep(5)
        cluster.start_app(name, chance.randrange(10**6))
    return leader, began


def _kill(host: Host, word: str) -> None:
    for pid in host.pids():
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            if word in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)


def prove(cluster: Cluster, faults: int, seed: int, report: Any) -> None:
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
    serve = ["ip", "netns", "exec", SWITCH, sys.executable, __file__, "--gateway", str(gateway)]
    serving = subprocess.Popen(serve, start_new_session=True)
    waits: list[float] = []
    try:
        for name in cluster.apps:
            cluster.start_app(name, chance.randrange(10**6))
        until(lambda: len(acknowledged(cluster)) > 50, "writes")
        for number in range(faults):
            fault = FAULTS[number % len(FAULTS)]
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
            _kill(app, "--load")
        time.sleep(10)
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
    back = sum(each <= 30 for each in waits)
    report(back >= 0.95 * len(waits), f"writes were back within 30 s after {back} of {len(waits)} faults")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=45)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    parser.add_argument("--without", choices=["", "quorum"], default="")
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--gateway", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        load(options.load, options.seed)
    if options.gateway:
        Gateway.serve(options.gateway)
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
        prove(cluster, options.faults, options.seed, report)
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
