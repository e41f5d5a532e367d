"""A fresh clone of the last commit, its demo, and a client that writes to its database. Standard library only."""

# ruff: noqa: S310, S603, S607 - it runs programs and requests pages of its own demo

import contextlib
import http.cookiejar
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
USER = "missionsite-prover"
START_SECONDS = 300
LOGIN = "/admin/login/"
# Prints each number once its row is committed, until the connection breaks.
WRITER = """
import pathlib, psycopg
from missionsite import embedded
with psycopg.connect(embedded.urls(pathlib.Path("var").absolute())[1], autocommit=True) as owner:
    owner.execute("CREATE TABLE IF NOT EXISTS prove_rows (id bigint GENERATED ALWAYS AS IDENTITY, run int, number int)")
    [run] = owner.execute("SELECT coalesce(max(run), 0) + 1 FROM prove_rows").fetchone()
    for number in range(10_000_000):
        owner.execute("INSERT INTO prove_rows (run, number) VALUES (%s, %s)", [run, number])
        print(run, number, flush=True)
"""
READER = """
import pathlib, psycopg
from missionsite import embedded
with psycopg.connect(embedded.urls(pathlib.Path("var").absolute())[1]) as owner:
    for run, number in owner.execute("SELECT run, number FROM prove_rows"):
        print(run, number)
"""


class CheckFailed(Exception):
    """A check failed; the message names it."""


def expect(condition: object, message: str) -> None:
    """Raise CheckFailed with a message unless the condition is true."""
    if not condition:
        raise CheckFailed(message)


def wait_for(condition: Callable[[], object], message: str, *, seconds: float = 60) -> None:
    """Wait until the condition is true; raise CheckFailed after some seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"{message} within {seconds} s")
        time.sleep(0.1)


class Account:
    """The user who owns and runs a clone."""

    def __init__(self, entry: pwd.struct_passwd) -> None:
        self.name = entry.pw_name
        self.ids = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        ignored = ("DATABASE_", "MISSIONSITE_", "PYTHON", "VIRTUAL_ENV", "SECRET_KEY", "PG")
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(ignored)}
        if entry.pw_uid != os.geteuid():
            self.environment |= {"HOME": entry.pw_dir, "USER": entry.pw_name, "PATH": "/usr/local/bin:/usr/bin:/bin"}

    def folder(self) -> Path:
        """Create a folder that only this user can read."""
        folder = Path(tempfile.mkdtemp(prefix="prove-demo-"))
        if self.ids:
            os.chown(folder, self.ids["user"], self.ids["group"])
        return folder


class Clone:
    """A fresh clone of the last commit, in a path with a space."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.base = account.folder()
        self.path = self.base / "fresh clone"
        self.environment = account.environment | {"PIP_CACHE_DIR": str(self.base / "cache")}
        subprocess.run(["git", "clone", "--quiet", CHECKOUT, self.path], check=True)
        if account.ids:
            owner = f"{account.ids['user']}:{account.ids['group']}"
            subprocess.run(["chown", "-R", owner, self.path], check=True)

    def start(self, command: list, **options) -> subprocess.Popen:
        return subprocess.Popen(
            command,
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **self.account.ids,
            **options,
        )

    def output_of(self, script: str) -> list[str]:
        process = self.start([".venv/bin/python", "-c", script])
        output, _ = process.communicate(timeout=120)
        expect(process.returncode == 0, output)
        return output.splitlines()

    def processes(self) -> dict[int, str]:
        """Return the commands of all processes of this clone and its database, by process id."""
        found = {}
        folders = [str(self.path), *map(str, self.data_elsewhere())]
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                # A process without a command line is a zombie.
                if command and os.readlink(entry / "cwd").startswith(tuple(folders)):
                    found[int(entry.name)] = command
        return found

    def data_elsewhere(self) -> list[Path]:
        """Return the data folders of demo and tests outside the clone, which root needs."""
        links = (self.path / "var" / "postgres", self.path / "var" / "tests" / "postgres")
        return [link.resolve() for link in links if link.is_symlink()]

    def pid_of(self, *parts: str) -> int:
        """Return the oldest process whose command line contains one of these texts."""
        found = [pid for pid, command in self.processes().items() if any(part in command for part in parts)]
        expect(found, f"no process with {' or '.join(parts)} runs")
        return min(found)

    def remove(self) -> None:
        kill(*self.processes())
        for folder in self.data_elsewhere():
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(self.base, ignore_errors=True)


class Demo:
    """A running `bin/demo`."""

    def __init__(self, clone: Clone, *options: str, wait: bool = True) -> None:
        self.clone = clone
        self.lines: list[str] = []
        began = time.monotonic()
        self.process = clone.start(["bin/demo", *options])
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if wait:
            self.wait_for_line("The site is at ", seconds=START_SECONDS)
            self.seconds = time.monotonic() - began
            self.address = re.search(r"The site is at (\S+)", self.text())[1].rstrip("/")

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def text(self) -> str:
        return "\n".join(self.lines)

    def wait_for_line(self, text: str, *, seconds: float) -> None:
        def is_printed() -> bool:
            ended = self.process.poll() is not None
            if ended:
                self.reader.join(5)
            expect(not ended or text in self.text(), f"bin/demo ended before it printed {text!r}:\n{self.text()}")
            return text in self.text()

        wait_for(is_printed, f"bin/demo did not print {text!r}", seconds=seconds)

    def responds(self) -> bool:
        """Return whether the log-in page is served."""
        try:
            with urllib.request.urlopen(self.address + LOGIN, timeout=10) as page:
                return page.status == 200
        except OSError:
            return False

    def accounts(self) -> dict[str, str]:
        """Return the printed passwords by e-mail address."""
        return dict(re.findall(r"(\S+@demo\.example)\s+(\S+)$", self.text(), re.MULTILINE))

    def can_log_in(self, email: str, password: str) -> bool:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        page = browser.open(self.address + LOGIN, timeout=30).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        form = {"username": email, "password": password, "csrfmiddlewaretoken": token, "next": "/admin/"}
        request = urllib.request.Request(
            self.address + LOGIN, urllib.parse.urlencode(form).encode(), {"Referer": self.address + LOGIN}
        )
        with browser.open(request, timeout=30) as response:
            return not urllib.parse.urlsplit(response.url).path.startswith(LOGIN)

    def end(self) -> None:
        """Stop the demo like Ctrl-C, and check that nothing is left running."""
        os.kill(self.process.pid, signal.SIGINT)
        expect(self.process.wait(60) == 0, f"bin/demo ended with exit code {self.process.returncode}:\n{self.text()}")
        expect(not self.clone.processes(), f"still running after Ctrl-C: {self.clone.processes()}")


class Writing:
    """A process that commits rows; `check` looks for each of them afterwards."""

    def __init__(self, clone: Clone) -> None:
        self.clone = clone
        self.process = clone.start([".venv/bin/python", "-u", "-c", WRITER])
        self.committed: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        wait_for(lambda: len(self.committed) > 200, "200 rows were not committed")

    def _read(self) -> None:
        for line in self.process.stdout:
            if re.fullmatch(r"\d+ \d+\n", line):
                self.committed.append(line.strip())

    def check(self) -> str:
        self.process.kill()
        self.process.wait(30)
        self.reader.join(30)
        missing = set(self.committed) - set(self.clone.output_of(READER))
        expect(not missing, f"{len(missing)} of {len(self.committed)} committed rows are lost")
        return f"all {len(self.committed)} committed rows exist"


def kill(*pids: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
