"""`manage.py demo --reset` deletes only what someone confirmed. Run as a program, in a folder of its own."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError

from missionsite.management.commands.demo import Command


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder of the site with a database in it."""
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("0\n")
    return tmp_path


def program(folder: Path, *options: str) -> dict:
    environment = {**os.environ, "MISSIONSITE_VAR_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        environment.pop(name, None)
    return {
        "args": [sys.executable, "manage.py", "demo", "--reset", *options],
        "cwd": settings.BASE_DIR,
        "env": environment,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }


def answered(folder: Path, answer: str) -> tuple[int, str]:
    """Run it on a terminal and type an answer; exit code and output."""
    terminal, its_end = pty.openpty()
    try:
        with subprocess.Popen(**program(folder), stdin=its_end) as process:
            os.write(terminal, answer.encode())
            output, _ = process.communicate(timeout=120)
        return process.returncode, output
    finally:
        os.close(terminal)
        os.close(its_end)


def test_reset_without_terminal_asks_for_yes(folder):
    done = subprocess.run(**program(folder), stdin=subprocess.DEVNULL, check=False, timeout=120)
    assert done.returncode == 1
    assert "add --yes to go on" in done.stdout
    assert "Traceback" not in done.stdout
    assert (folder / "postgres" / "data").exists()


@pytest.mark.parametrize("answer", ["n\n", pytest.param("\x04", marks=pytest.mark.long)])
def test_reset_on_a_terminal_is_not_done_without_a_yes(folder, answer):
    code, output = answered(folder, answer)
    assert code == 1
    assert "every mission, member and account in it. Go on? [y/N]" in output
    assert "Nothing was deleted." in output
    assert (folder / "postgres" / "data").exists()


class Terminal(io.StringIO):
    """Someone at a terminal who has typed an answer."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("typed", ["\n", "maybe\n"])
def test_reset_is_not_done_after_any_other_answer(folder, settings, monkeypatch, typed):
    settings.VAR_DIR = folder
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    with pytest.raises(CommandError, match=r"^Nothing was deleted\.$"):
        Command(stdout=io.StringIO()).reset(is_confirmed=False)
    assert (folder / "postgres" / "data").exists()


@pytest.mark.parametrize(("typed", "is_confirmed"), [("y\n", False), ("YES\n", False), ("", True)])
def test_reset_deletes_after_a_yes_and_begins_again(folder, settings, monkeypatch, typed, is_confirmed):
    """The new start is not part of this test; it is the one thing that is left out."""
    settings.VAR_DIR, begun = folder, []
    monkeypatch.setattr(sys, "argv", ["manage.py", "demo", "--reset", "--yes", "--port", "9000"])
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    command = Command(stdout=io.StringIO())
    monkeypatch.setattr(command, "restart", begun.append)
    command.reset(is_confirmed=is_confirmed)
    assert not (folder / "postgres").exists()
    assert begun == [["manage.py", "demo", "--port", "9000"]]
