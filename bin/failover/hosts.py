"""Network namespaces as hosts, and the engines that run in them."""

# ruff: noqa: S603, S607 - it runs programs of this machine

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
SWITCH, NETWORK = "msf-switch", "10.77.0"
GATEWAY = f"{NETWORK}.1"
DEBS = ("etcd-server", "haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1")


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


def until(condition: Any, what: str, seconds: float = 120) -> float:
    """Wait until the condition holds; return the seconds. Exits with an error after this many."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.5)
    return time.monotonic() - began
