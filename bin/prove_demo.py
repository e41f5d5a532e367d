"""Runs `bin/demo` from fresh clones of the last commit and checks what it promises, one PASS or FAIL line each.

As root it runs everything twice: as root, and as an ordinary user made for this. Standard library only.
"""

# ruff: noqa: S310, S603, S607, T201 - it runs programs, asks the pages of its own demo, and prints what it found

import argparse
import contextlib
import http.cookiejar
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
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

# The Python that runs it: its program, its name, and where its library and its pip are.
DESCRIBE = """
import importlib.util, os, sys, sysconfig
print(os.path.realpath(sys.executable), "python%d.%d" % sys.version_info[:2], sysconfig.get_path("stdlib"), sep="\\n")
print(os.path.dirname(importlib.util.find_spec("pip").origin))
"""


class Broken(Exception):
    """A promise is not kept; the message says which."""


def expect(condition: object, otherwise: str) -> None:
    if not condition:
        raise Broken(otherwise)


def wait_for(condition: Callable[[], object], otherwise: str, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"{otherwise} within {seconds} s")
        time.sleep(0.1)


class Person:
    """The user a clone belongs to and is run by."""

    def __init__(self, entry: pwd.struct_passwd) -> None:
        self.name = entry.pw_name
        self.ids = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        ignored = ("DATABASE_", "MISSIONSITE_", "PYTHON", "VIRTUAL_ENV", "SECRET_KEY", "PG")
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(ignored)}
        if entry.pw_uid != os.geteuid():
            self.environment |= {"HOME": entry.pw_dir, "USER": entry.pw_name, "PATH": "/usr/local/bin:/usr/bin:/bin"}

    def folder(self) -> Path:
        """A new folder of this person's, closed to everyone else."""
        folder = Path(tempfile.mkdtemp(prefix="prove-demo-"))
        if self.ids:
            os.chown(folder, self.ids["user"], self.ids["group"])
        return folder


class Clone:
    """A fresh clone of the last commit, in a path with a space."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.base = person.folder()
        self.path = self.base / "fresh clone"
        self.environment = person.environment | {"PIP_CACHE_DIR": str(self.base / "cache")}
        subprocess.run(["git", "clone", "--quiet", CHECKOUT, self.path], check=True)
        if person.ids:
            owner = f"{person.ids['user']}:{person.ids['group']}"
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
            **self.person.ids,
            **options,
        )

    def output_of(self, script: str) -> list[str]:
        process = self.start([".venv/bin/python", "-c", script])
        output, _ = process.communicate(timeout=120)
        expect(process.returncode == 0, output)
        return output.splitlines()

    def processes(self) -> dict[int, str]:
        """Everything that runs from this clone or on its database, by process id."""
        found = {}
        places = [str(self.path), *map(str, self.data_elsewhere())]
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                # Without a command line it is a zombie: it has ended.
                if command and os.readlink(entry / "cwd").startswith(tuple(places)):
                    found[int(entry.name)] = command
        return found

    def data_elsewhere(self) -> list[Path]:
        """Where root's data live, the demo's and the tests', when they cannot live in the clone."""
        links = (self.path / "var" / "postgres", self.path / "var" / "tests" / "postgres")
        return [link.resolve() for link in links if link.is_symlink()]

    def pid_of(self, *words: str) -> int:
        """The oldest process whose command line has one of these words."""
        found = [pid for pid, command in self.processes().items() if any(word in command for word in words)]
        expect(found, f"no process with {' or '.join(words)} runs")
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
        def said() -> bool:
            ended = self.process.poll() is not None
            if ended:
                self.reader.join(5)
            expect(not ended or text in self.text(), f"bin/demo ended without saying {text!r}:\n{self.text()}")
            return text in self.text()

        wait_for(said, f"bin/demo did not say {text!r}", seconds=seconds)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.address + LOGIN, timeout=10) as page:
                return page.status == 200
        except OSError:
            return False

    def accounts(self) -> dict[str, str]:
        """The passwords it showed, by e-mail address."""
        return dict(re.findall(r"(\S+@demo\.example)\s+(\S+)$", self.text(), re.MULTILINE))

    def can_log_in(self, email: str, password: str) -> bool:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        page = browser.open(self.address + LOGIN, timeout=30).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        form = {"username": email, "password": password, "csrfmiddlewaretoken": token, "next": "/admin/"}
        asked = urllib.request.Request(
            self.address + LOGIN, urllib.parse.urlencode(form).encode(), {"Referer": self.address + LOGIN}
        )
        with browser.open(asked, timeout=30) as answer:
            return not urllib.parse.urlsplit(answer.url).path.startswith(LOGIN)

    def end(self) -> None:
        """What Ctrl-C does, and what has to be true afterwards."""
        os.kill(self.process.pid, signal.SIGINT)
        expect(self.process.wait(60) == 0, f"bin/demo ended with exit code {self.process.returncode}:\n{self.text()}")
        expect(not self.clone.processes(), f"still running after Ctrl-C: {self.clone.processes()}")


class Writing:
    """Rows being committed while the block runs; `check` finds every one of them again."""

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
        expect(not missing, f"{len(missing)} of {len(self.committed)} committed rows are gone")
        return f"all {len(self.committed)} committed rows are there"


def kill(*pids: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


# --- What is proven, in this order -----------------------------------------------------------------


def first_start(clone: Clone) -> str:
    """A fresh clone comes up with an empty package cache; an account logs in; Ctrl-C leaves nothing running."""
    demo = Demo(clone)
    expect(demo.answers(), "the page does not answer")
    expect(len(demo.accounts()) == 9, f"nine accounts were not shown:\n{demo.text()}")
    clone.accounts = demo.accounts()
    expect(demo.can_log_in(*next(iter(clone.accounts.items()))), "the administrator cannot log in")
    demo.end()
    return f"{demo.seconds:.1f} s to the page"


def second_start(clone: Clone) -> str:
    """The second run keeps the data, shows no password, and is quick."""
    demo = Demo(clone)
    expect(not demo.accounts(), "passwords were shown again")
    expect(demo.can_log_in(*next(iter(clone.accounts.items()))), "the administrator cannot log in any more")
    demo.end()
    return f"{demo.seconds:.1f} s to the page"


def warm_start(clone: Clone) -> str:
    """A clone made later finds the packages in the cache."""
    later = Clone(clone.person)
    later.environment["PIP_CACHE_DIR"] = clone.environment["PIP_CACHE_DIR"]
    try:
        demo = Demo(later)
        demo.end()
    finally:
        later.remove()
    return f"{demo.seconds:.1f} s to the page"


def interrupted_install(clone: Clone) -> str:
    """An install that is killed half-way is made good by the next run."""
    later = Clone(clone.person)
    later.environment["PIP_CACHE_DIR"] = clone.environment["PIP_CACHE_DIR"]
    try:
        demo = Demo(later, wait=False)
        demo.wait_for_line("Installing requirements.txt", seconds=60)
        installed = later.path / ".venv" / "lib"
        wait_for(lambda: list(installed.glob("*/site-packages/django")), "no package appeared")
        os.killpg(demo.process.pid, signal.SIGKILL)
        demo.process.wait()
        demo = Demo(later)
        demo.end()
    finally:
        later.remove()
    return "it came up"


def killed_postgres(clone: Clone) -> str:
    """The demo starts a killed PostgreSQL again, with every committed row."""
    demo, writing = Demo(clone), Writing(clone)
    kill(clone.pid_of("bin/postgres"))
    demo.wait_for_line("PostgreSQL ended", seconds=30)
    wait_for(lambda: not _fails(clone.output_of, READER), "the database did not come back")
    expect(demo.answers(), "the page does not answer")
    found = writing.check()
    expect(demo.can_log_in(*next(iter(clone.accounts.items()))), "nobody can log in afterwards")
    demo.end()
    return found


def killed_web(clone: Clone) -> str:
    """The demo starts a killed web server again at the same address."""
    demo = Demo(clone)
    before = clone.pid_of("granian")
    kill(before)
    demo.wait_for_line("The web server ended", seconds=30)
    wait_for(demo.answers, "the page did not come back")
    expect(clone.pid_of("granian") != before, "the killed process is still there")
    demo.end()
    return "the page answers again"


def killed_worker(clone: Clone) -> str:
    """The demo starts a killed worker again."""
    demo = Demo(clone)
    before = clone.pid_of("manage.py worker")
    kill(before)
    demo.wait_for_line("The background worker ended", seconds=30)
    wait_for(lambda: not _fails(clone.pid_of, "manage.py worker"), "no new worker")
    expect(clone.pid_of("manage.py worker") != before, "the killed process is still there")
    demo.end()
    return "a new one runs"


def killed_demo(clone: Clone) -> str:
    """Nothing lingers when the demo itself is killed, and the next one comes up at the same port with every row."""
    demo, writing = Demo(clone), Writing(clone)
    kill(demo.process.pid)
    demo.process.wait()
    again = Demo(clone)
    expect(again.address == demo.address, f"it moved from {demo.address} to {again.address}")
    found = writing.check()
    kill(again.process.pid)
    again.process.wait()
    wait_for(lambda: not clone.processes(), "processes linger")
    return found


def killed_group(clone: Clone) -> str:
    """The same after a kill of the demo's process group."""
    demo, writing = Demo(clone), Writing(clone)
    os.killpg(demo.process.pid, signal.SIGKILL)
    demo.process.wait()
    again = Demo(clone)
    found = writing.check()
    again.end()
    return found


def killed_everything(clone: Clone) -> str:
    """The same after a kill of every process at once, PostgreSQL's and the cleaning one included."""
    demo, writing = Demo(clone), Writing(clone)
    kill(*clone.processes())
    demo.process.wait()
    again = Demo(clone)
    found = writing.check()
    again.end()
    return found


def terminated(clone: Clone) -> str:
    """SIGTERM ends it like Ctrl-C, also in the middle of starting."""
    for line in ("Starting PostgreSQL", "Migrating", "Starting the web server"):
        demo = Demo(clone, wait=False)
        demo.wait_for_line(line, seconds=60)
        os.kill(demo.process.pid, signal.SIGTERM)
        demo.process.wait(60)
        wait_for(lambda: not clone.processes(), f"processes linger after SIGTERM at {line!r}")
        expect("Traceback" not in demo.text(), demo.text())
    demo = Demo(clone)
    demo.end()
    return "at three moments"


def taken_port(clone: Clone) -> str:
    """A taken port is left alone, and the next one is named."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo = Demo(clone, "--port", str(port))
        expect(f"Port {port} is taken; using " in demo.text(), demo.text())
        expect(demo.answers(), "the page does not answer")
        demo.end()
    return f"{port} was taken, {demo.address} answered"


def second_demo(clone: Clone) -> str:
    """A second demo in the same folder is rejected in one sentence, and the first goes on."""
    demo = Demo(clone)
    second = clone.start(["bin/demo"])
    output, _ = second.communicate(timeout=60)
    expect(second.returncode == 1 and "running already" in output and "Traceback" not in output, output)
    expect(demo.answers(), "the first does not answer any more")
    demo.end()
    return output.strip().splitlines()[-1]


def bad_options(clone: Clone) -> str:
    """Options that make no sense are rejected in words."""
    for options in (["--port", "0"], ["--port", "x"], ["--port", "70000"], ["--nonsense"]):
        process = clone.start(["bin/demo", *options])
        output, _ = process.communicate(timeout=60)
        expect(process.returncode == 2 and "Traceback" not in output, output)
    return "four of them"


def new_passwords(clone: Clone) -> str:
    """Passwords can be made anew, and the old ones stop working."""
    email, old = next(iter(clone.accounts.items()))
    demo = Demo(clone, "--new-passwords")
    expect(len(demo.accounts()) == 9, demo.text())
    expect(demo.can_log_in(email, demo.accounts()[email]), "the new password does not work")
    expect(not demo.can_log_in(email, old), "the old password still works")
    clone.accounts = demo.accounts()
    demo.end()
    return "nine of them"


def reset(clone: Clone) -> str:
    """--reset needs --yes without a terminal, says what it deletes and starts over."""
    process = clone.start(["bin/demo", "--reset"])
    output, _ = process.communicate(timeout=60)
    expect(process.returncode == 1 and "--yes" in output and "Traceback" not in output, output)
    expect((clone.path / "var" / "postgres" / "data").exists(), "the database is gone though no one confirmed")
    demo = Demo(clone, "--reset", "--yes")
    expect("Deleting the database in " in demo.text(), demo.text())
    expect(len(demo.accounts()) == 9, "no new accounts were shown")
    expect(_fails(clone.output_of, READER), "the old rows are still there")
    demo.end()
    return "the rows are gone, nine new accounts"


def without_ensurepip(clone: Clone) -> str:
    """A Python without ensurepip installs with its pip; one without either says what to install."""
    with _python(clone, with_pip=True) as python:
        later = Clone(clone.person)
        later.environment |= {"PIP_CACHE_DIR": clone.environment["PIP_CACHE_DIR"], "PYTHON": str(python)}
        try:
            Demo(later).end()
        finally:
            later.remove()
    with _python(clone, with_pip=False) as python:
        later = Clone(clone.person)
        later.environment["PYTHON"] = str(python)
        try:
            process = later.start(["bin/demo"])
            output, _ = process.communicate(timeout=60)
        finally:
            later.remove()
    expect(process.returncode == 1 and "apt install python3-venv" in output and "Traceback" not in output, output)
    return output.strip().splitlines()[-1]


def suite(clone: Clone) -> str:
    """bin/test passes."""
    process = clone.start(["bin/test", "-q", *clone.test_arguments])
    output, _ = process.communicate(timeout=3600)
    expect(process.returncode == 0, output)
    wait_for(lambda: not clone.processes(), "processes linger after bin/test")
    return output.strip().splitlines()[-1]


def _fails(action: Callable, *arguments) -> bool:
    try:
        action(*arguments)
    except Broken:
        return True
    return False


@contextlib.contextmanager
def _python(clone: Clone, *, with_pip: bool) -> Iterator[Path]:
    """A Python whose library lacks ensurepip, virtualenv, and where asked pip."""
    process = clone.start(["sh", "-c", '. bin/lib.sh; "$(find_python)" -c "$1"', "sh", DESCRIBE])
    executable, name, library, pip = process.communicate(timeout=60)[0].splitlines()
    folder = clone.person.folder()
    copy = folder / "lib" / name
    left_out = shutil.ignore_patterns("ensurepip", "site-packages", "test", "idlelib", "tkinter", "__pycache__")
    shutil.copytree(library, copy, ignore=left_out)
    for packages in (copy / "site-packages", folder / "lib" / "python3" / "dist-packages"):
        packages.mkdir(parents=True)
        if with_pip:
            shutil.copytree(pip, packages / "pip")
    (folder / "bin").mkdir()
    python = folder / "bin" / name
    shutil.copy(executable, python)
    if clone.person.ids:
        subprocess.run(["chown", "-R", str(clone.person.ids["user"]), folder], check=True)
    try:
        yield python
    finally:
        shutil.rmtree(folder)


PROOFS = (
    first_start, second_start, warm_start, interrupted_install, killed_postgres, killed_web, killed_worker, killed_demo,
    killed_group, killed_everything, terminated, taken_port, second_demo, bad_options, new_passwords, without_ensurepip,
    reset, suite,
)  # fmt: skip


def people() -> Iterator[Person]:
    """Root and an ordinary user when run as root, otherwise whoever runs it."""
    yield Person(pwd.getpwuid(os.geteuid()))
    if os.geteuid() == 0:
        subprocess.run(["useradd", "--create-home", USER], check=True)
        try:
            yield Person(pwd.getpwnam(USER))
        finally:
            subprocess.run(["userdel", "--remove", USER], check=False, stderr=subprocess.DEVNULL)


def main() -> int:
    names = [proof.__name__ for proof in PROOFS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("proof", nargs="*", help=f"only these after the first start: {', '.join(names)}")
    parser.add_argument("--tests", nargs="+", default=[], metavar="PATH", help="what `suite` hands to bin/test")
    arguments = parser.parse_args()
    chosen = arguments.proof
    if unknown := set(chosen) - set(names):
        parser.error(f"there is no proof called {', '.join(sorted(unknown))}; choose from {', '.join(names)}")
    failures = 0
    for person in people():
        clone = Clone(person)
        clone.test_arguments = arguments.tests
        try:
            for proof in PROOFS:
                if chosen and proof is not first_start and proof.__name__ not in chosen:
                    continue
                try:
                    print(f"PASS {proof.__name__} as {person.name}: {proof(clone)}", flush=True)
                except (Broken, OSError, subprocess.SubprocessError) as error:
                    failures += 1
                    print(f"FAIL {proof.__name__} as {person.name}: {error}", flush=True)
                    kill(*clone.processes())
        finally:
            clone.remove()
    print(f"{failures} failed" if failures else "All passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
