"""Run `bin/demo` from fresh clones of the last commit and print PASS or FAIL for each of its guarantees.

As root it runs everything twice: as root, and as an ordinary user created for this. Standard library only.
"""

# ruff: noqa: S603, S607, T201 - it runs programs, requests pages of its own demo, and prints results

import argparse
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from demo_clone import READER, USER, Account, CheckFailed, Clone, Demo, Writing, expect, kill, wait_for

# Prints the Python executable, its name, and the folders of its library and of pip.
DESCRIBE = """
import importlib.util, os, sys, sysconfig
print(os.path.realpath(sys.executable), "python%d.%d" % sys.version_info[:2], sysconfig.get_path("stdlib"), sep="\\n")
print(os.path.dirname(importlib.util.find_spec("pip").origin))
"""

# --- Checks, in this order -------------------------------------------------------------------------


def first_start(clone: Clone) -> str:
    """A fresh clone starts with an empty package cache; an account logs in; Ctrl-C leaves nothing running."""
    demo = Demo(clone)
    expect(demo.responds(), "the page is not served")
    expect(len(demo.accounts()) == 9, f"nine accounts were not printed:\n{demo.text()}")
    clone.accounts = demo.accounts()
    expect(demo.can_log_in(*next(iter(clone.accounts.items()))), "the administrator cannot log in")
    demo.end()
    return f"{demo.seconds:.1f} s to the page"


def second_start(clone: Clone) -> str:
    """The second start keeps the data and prints no password."""
    demo = Demo(clone)
    expect(not demo.accounts(), "passwords were printed again")
    expect(demo.can_log_in(*next(iter(clone.accounts.items()))), "the administrator cannot log in any more")
    demo.end()
    return f"{demo.seconds:.1f} s to the page"


def warm_start(clone: Clone) -> str:
    """A second clone installs from the package cache."""
    later = Clone(clone.account)
    later.environment["PIP_CACHE_DIR"] = clone.environment["PIP_CACHE_DIR"]
    try:
        demo = Demo(later)
        demo.end()
    finally:
        later.remove()
    return f"{demo.seconds:.1f} s to the page"


def interrupted_install(clone: Clone) -> str:
    """An installation that was killed is completed by the next start."""
    later = Clone(clone.account)
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
    return "the next start completed it"


def killed_postgres(clone: Clone) -> str:
    """The demo restarts a killed PostgreSQL with every committed row."""
    demo, writing = Demo(clone), Writing(clone)
    kill(clone.pid_of("bin/postgres"))
    demo.wait_for_line("PostgreSQL ended", seconds=30)
    wait_for(lambda: not _fails(clone.output_of, READER), "the database did not come back")
    expect(demo.responds(), "the page is not served")
    found = writing.check()
    expect(demo.can_log_in(*next(iter(clone.accounts.items()))), "no log-in works afterwards")
    demo.end()
    return found


def killed_web(clone: Clone) -> str:
    """The demo restarts a killed web server at the same address."""
    demo = Demo(clone)
    before = clone.pid_of("granian")
    kill(before)
    demo.wait_for_line("The web server ended", seconds=30)
    wait_for(demo.responds, "the page did not come back")
    expect(clone.pid_of("granian") != before, "the killed process is still there")
    demo.end()
    return "the page is served again"


def killed_worker(clone: Clone) -> str:
    """The demo restarts a killed worker."""
    demo = Demo(clone)
    before = clone.pid_of("manage.py worker")
    kill(before)
    demo.wait_for_line("The background worker ended", seconds=30)
    wait_for(lambda: not _fails(clone.pid_of, "manage.py worker"), "no new worker")
    expect(clone.pid_of("manage.py worker") != before, "the killed process is still there")
    demo.end()
    return "a new worker runs"


def killed_demo(clone: Clone) -> str:
    """A killed demo leaves no processes, and the next one starts at the same port with every row."""
    demo, writing = Demo(clone), Writing(clone)
    kill(demo.process.pid)
    demo.process.wait()
    again = Demo(clone)
    expect(again.address == demo.address, f"it moved from {demo.address} to {again.address}")
    found = writing.check()
    kill(again.process.pid)
    again.process.wait()
    wait_for(lambda: not clone.processes(), "processes remain")
    return found


def killed_group(clone: Clone) -> str:
    """The next start has every row after a kill of the demo's process group."""
    demo, writing = Demo(clone), Writing(clone)
    os.killpg(demo.process.pid, signal.SIGKILL)
    demo.process.wait()
    again = Demo(clone)
    found = writing.check()
    again.end()
    return found


def killed_everything(clone: Clone) -> str:
    """The next start has every row after a kill of all processes at once, including PostgreSQL and the watcher."""
    demo, writing = Demo(clone), Writing(clone)
    kill(*clone.processes())
    demo.process.wait()
    again = Demo(clone)
    found = writing.check()
    again.end()
    return found


def terminated(clone: Clone) -> str:
    """SIGTERM stops it like Ctrl-C, also while it starts."""
    for line in ("Starting PostgreSQL", "Migrating", "Starting the web server"):
        demo = Demo(clone, wait=False)
        demo.wait_for_line(line, seconds=60)
        os.kill(demo.process.pid, signal.SIGTERM)
        demo.process.wait(60)
        wait_for(lambda: not clone.processes(), f"processes remain after SIGTERM at {line!r}")
        expect("Traceback" not in demo.text(), demo.text())
    demo = Demo(clone)
    demo.end()
    return "at three points of the start"


def taken_port(clone: Clone) -> str:
    """An occupied port is not used; the next free one is used and printed."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo = Demo(clone, "--port", str(port))
        expect(f"Port {port} is taken; using " in demo.text(), demo.text())
        expect(demo.responds(), "the page is not served")
        demo.end()
    return f"{port} was occupied, {demo.address} was used"


def second_demo(clone: Clone) -> str:
    """A second demo in the same folder is rejected with a message, and the first continues."""
    demo = Demo(clone)
    second = clone.start(["bin/demo"])
    output, _ = second.communicate(timeout=60)
    expect(second.returncode == 1 and "running already" in output and "Traceback" not in output, output)
    expect(demo.responds(), "the first demo is not served any more")
    demo.end()
    return output.strip().splitlines()[-1]


def bad_options(clone: Clone) -> str:
    """Invalid options are rejected with a message."""
    for options in (["--port", "0"], ["--port", "x"], ["--port", "70000"], ["--nonsense"]):
        process = clone.start(["bin/demo", *options])
        output, _ = process.communicate(timeout=60)
        expect(process.returncode == 2 and "Traceback" not in output, output)
    return "four invalid options"


def new_passwords(clone: Clone) -> str:
    """--new-passwords replaces all passwords."""
    email, old = next(iter(clone.accounts.items()))
    demo = Demo(clone, "--new-passwords")
    expect(len(demo.accounts()) == 9, demo.text())
    expect(demo.can_log_in(email, demo.accounts()[email]), "the new password does not work")
    expect(not demo.can_log_in(email, old), "the old password still works")
    clone.accounts = demo.accounts()
    demo.end()
    return "nine new passwords"


def reset(clone: Clone) -> str:
    """--reset needs --yes without a terminal, prints what it deletes and starts again."""
    process = clone.start(["bin/demo", "--reset"])
    output, _ = process.communicate(timeout=60)
    expect(process.returncode == 1 and "--yes" in output and "Traceback" not in output, output)
    expect((clone.path / "var" / "postgres" / "data").exists(), "the database was deleted without confirmation")
    demo = Demo(clone, "--reset", "--yes")
    expect("Deleting the database in " in demo.text(), demo.text())
    expect(len(demo.accounts()) == 9, "no new accounts were printed")
    expect(_fails(clone.output_of, READER), "the old rows are still there")
    demo.end()
    return "the rows are deleted, nine new accounts"


def without_ensurepip(clone: Clone) -> str:
    """A Python without ensurepip installs with its pip; one without either prints what to install."""
    with _python(clone, with_pip=True) as python:
        later = Clone(clone.account)
        later.environment |= {"PIP_CACHE_DIR": clone.environment["PIP_CACHE_DIR"], "PYTHON": str(python)}
        try:
            Demo(later).end()
        finally:
            later.remove()
    with _python(clone, with_pip=False) as python:
        later = Clone(clone.account)
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
    wait_for(lambda: not clone.processes(), "processes remain after bin/test")
    return output.strip().splitlines()[-1]


def _fails(action: Callable, *arguments) -> bool:
    try:
        action(*arguments)
    except CheckFailed:
        return True
    return False


@contextlib.contextmanager
def _python(clone: Clone, *, with_pip: bool) -> Iterator[Path]:
    """Create a Python whose library lacks ensurepip, virtualenv and, without with_pip, pip."""
    process = clone.start(["sh", "-c", '. bin/lib.sh; "$(find_python)" -c "$1"', "sh", DESCRIBE])
    executable, name, library, pip = process.communicate(timeout=60)[0].splitlines()
    folder = clone.account.folder()
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
    if clone.account.ids:
        subprocess.run(["chown", "-R", str(clone.account.ids["user"]), folder], check=True)
    try:
        yield python
    finally:
        shutil.rmtree(folder)


PROOFS = (
    first_start, second_start, warm_start, interrupted_install, killed_postgres, killed_web, killed_worker, killed_demo,
    killed_group, killed_everything, terminated, taken_port, second_demo, bad_options, new_passwords, without_ensurepip,
    reset, suite,
)  # fmt: skip


def accounts() -> Iterator[Account]:
    """Yield the current user and, as root, an ordinary user."""
    yield Account(pwd.getpwuid(os.geteuid()))
    if os.geteuid() == 0:
        subprocess.run(["useradd", "--create-home", USER], check=True)
        try:
            yield Account(pwd.getpwnam(USER))
        finally:
            subprocess.run(["userdel", "--remove", USER], check=False, stderr=subprocess.DEVNULL)


def main() -> int:
    names = [proof.__name__ for proof in PROOFS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("proof", nargs="*", help=f"run only these after first_start: {', '.join(names)}")
    parser.add_argument("--tests", nargs="+", default=[], metavar="PATH", help="arguments of bin/test for `suite`")
    arguments = parser.parse_args()
    chosen = arguments.proof
    if unknown := set(chosen) - set(names):
        parser.error(f"unknown proof: {', '.join(sorted(unknown))}; choose from {', '.join(names)}")
    failures = 0
    for account in accounts():
        clone = Clone(account)
        clone.test_arguments = arguments.tests
        try:
            for proof in PROOFS:
                if chosen and proof is not first_start and proof.__name__ not in chosen:
                    continue
                try:
                    print(f"PASS {proof.__name__} as {account.name}: {proof(clone)}", flush=True)
                except (CheckFailed, OSError, subprocess.SubprocessError) as error:
                    failures += 1
                    print(f"FAIL {proof.__name__} as {account.name}: {error}", flush=True)
                    kill(*clone.processes())
        finally:
            clone.remove()
    print(f"{failures} failed" if failures else "All passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
