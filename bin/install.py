"""Create `.venv` and install the requirements files named as arguments, unless that is already done.

Runs on the system's Python 3.11 or newer, with the standard library only.
"""

# ruff: noqa: S603, T201 - it runs programs and prints to the terminal

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
# Exists during an installation. Found at the start, the last one was interrupted and may have left half a package.
UNFINISHED = VENV / "unfinished"
NO_PIP = (
    "This Python has neither venv with pip nor virtualenv: install one of them "
    "(Debian: apt install python3-venv) and run this again."
)


def main(*names: str) -> None:
    with only_one_at_a_time():
        wanted = {name: fingerprint(name) for name in names}
        if not usable():
            print(f"Creating {VENV.name} with Python {sys.version.split()[0]} ...", flush=True)
            make()
        for name, value in wanted.items():
            stamp = VENV / f"{name}.installed"
            if stamp.exists() and stamp.read_text() == value:
                continue
            print(f"Installing {name} (the first time takes about a minute) ...", flush=True)
            UNFINISHED.touch()
            if run(*pip(), "install", "--require-hashes", "--requirement", name).returncode:
                sys.exit(
                    f"Installing {name} failed, see above. Check network and free disk space, then run this again."
                )
            stamp.write_text(value)
            UNFINISHED.unlink()


def usable() -> bool:
    """Return whether .venv has a working Python that is new enough, and no interrupted installation."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return (
        PYTHON.exists()
        and not UNFINISHED.exists()
        and run(PYTHON, "-c", check, stderr=subprocess.DEVNULL).returncode == 0
    )


def make() -> None:
    """Create .venv. Without pip, since some Pythons cannot add it; `pip()` finds another."""
    for module, *options in (("venv", "--clear", "--without-pip"), ("virtualenv", "--quiet", "--clear")):
        if importlib.util.find_spec(module) and run(sys.executable, "-m", module, *options, VENV).returncode == 0:
            return
    sys.exit(NO_PIP)


def pip() -> list:
    """Return the command that installs into .venv: its own pip, otherwise that of the system's Python."""
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
    """Return a text that changes with the pinned versions and the Python version."""
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
            f"You may not change {error.filename}: another user installed the site here. Run this as that user, or "
            "in your own copy."
        )
