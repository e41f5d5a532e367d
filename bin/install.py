"""Make `.venv` and install the requirements files named as arguments, unless that is done already.

Runs on the machine's own Python 3.11 or newer, with nothing but the standard library.
"""

# ruff: noqa: S603, T201 - it runs programs and talks to the person at the terminal

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
# There while an install runs: found at the start, the one before was interrupted and may have left half a package.
UNFINISHED = VENV / "unfinished"
NO_PIP = (
    "This Python can neither make a virtual environment with pip nor bring its own: install one of the two "
    "(Debian: apt install python3-venv) and run this again."
)


def main(*names: str) -> None:
    with only_one_at_a_time():
        wanted = {name: fingerprint(name) for name in names}
        if not usable():
            print(f"Making {VENV.name} with Python {sys.version.split()[0]} ...", flush=True)
            make()
        for name, value in wanted.items():
            stamp = VENV / f"{name}.installed"
            if stamp.exists() and stamp.read_text() == value:
                continue
            print(f"Installing {name} (the first time takes about a minute) ...", flush=True)
            UNFINISHED.touch()
            if run(*pip(), "install", "--require-hashes", "--requirement", name).returncode:
                sys.exit(
                    f"Installing {name} failed, see above. Check the network and the free disk space, run it again."
                )
            stamp.write_text(value)
            UNFINISHED.unlink()


def usable() -> bool:
    """Whether .venv has a Python that still runs and is new enough, and no install in it was interrupted."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return (
        PYTHON.exists()
        and not UNFINISHED.exists()
        and run(PYTHON, "-c", check, stderr=subprocess.DEVNULL).returncode == 0
    )


def make() -> None:
    """Make .venv anew. Without pip in it, since some Pythons cannot add that; `pip()` finds another."""
    for module, *options in (("venv", "--clear", "--without-pip"), ("virtualenv", "--quiet", "--clear")):
        if importlib.util.find_spec(module) and run(sys.executable, "-m", module, *options, VENV).returncode == 0:
            return
    sys.exit(NO_PIP)


def pip() -> list:
    """The command that installs into .venv: its own pip, else the one of the machine's Python."""
    options = ["--disable-pip-version-check", "--no-input", "--quiet", "--quiet"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    own = [PYTHON, "-m", "pip"]
    if run(*own, "--version", **quiet).returncode == 0 or run(PYTHON, "-m", "ensurepip", **quiet).returncode == 0:
        return [*own, *options]
    hosts = [sys.executable, "-m", "pip", "--python", PYTHON]
    if run(*hosts, "--version", **quiet).returncode == 0:
        return [*hosts, *options]
    if (
        importlib.util.find_spec("virtualenv")
        and run(sys.executable, "-m", "virtualenv", VENV, **quiet).returncode == 0
    ):
        return [*own, *options]
    sys.exit(NO_PIP)


def fingerprint(name: str) -> str:
    """Changes when the pins or the Python do."""
    content = (CHECKOUT / name).read_bytes()
    return f"{hashlib.sha256(content).hexdigest()} {sys.version_info.major}.{sys.version_info.minor}"


def run(*command: str | Path, **options) -> subprocess.CompletedProcess:
    environment = os.environ | {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    return subprocess.run(command, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, check=False, **options)


@contextlib.contextmanager
def only_one_at_a_time() -> Iterator[None]:
    folder = CHECKOUT / "var"
    folder.mkdir(exist_ok=True)
    with open(folder / "install.lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except PermissionError as error:
        sys.exit(
            f"{error.filename} is not yours to change: the site was installed here by another user. Run this as that "
            "user, or in a copy of your own."
        )
