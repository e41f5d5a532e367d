"""The cluster of the proof: three database nodes with etcd, Patroni and PostgreSQL, two application nodes."""

# ruff: noqa: S603 - it runs programs of this machine

import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from failover.hosts import CHECKOUT, GATEWAY, NETWORK, SWITCH, Host, run
from missionsite import embedded

NODES = {"db1": 11, "db2": 12, "db3": 13}
APPS = {"app1": 21, "app2": 22}
USER = "nobody"  # PostgreSQL does not run as root.
SUPERUSER, PASSWORD = "postgres", "proof"
# Seconds a leader may be silent (the lease).
TTL = 20


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
        program = CHECKOUT / "bin/failover/load.py"
        app.start("load", sys.executable, program, "load", log, "--seed", str(seed), **site)

    def environment(self, var: Path) -> dict[str, str]:
        wait = "connect_timeout=3&keepalives_idle=3&keepalives_interval=2&keepalives_count=2&tcp_user_timeout=6000"
        return {
            "DATABASE_URL": f"postgres://missionsite_app:{PASSWORD}@127.0.0.1:5000/missionsite?{wait}",
            "DATABASE_OWNER_URL": f"postgres://missionsite_owner:{PASSWORD}@127.0.0.1:5000/missionsite",
            "DJANGO_SETTINGS_MODULE": "failover.settings",
            "PYTHONPATH": str(CHECKOUT / "bin"),
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
            "WITHOUT_FENCING": "1" if self.without == "fencing" else "",
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
