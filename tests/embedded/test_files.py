"""Secrets, locks and `.env`."""

import json
import os
import stat
import subprocess
import sys

import pytest

from missionsite import embedded
from missionsite.embedded import files
from missionsite.embedded.errors import EmbeddedError

ASK_FOR_A_SECRET = """
import sys, uuid
from pathlib import Path
from missionsite import embedded
print("ready", flush=True)
sys.stdin.readline()
print(embedded.secret(Path(sys.argv[1]), "key", lambda: uuid.uuid4().hex))
"""


def test_processes_that_ask_at_once_get_the_same_secret(tmp_path):
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", ASK_FOR_A_SECRET, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    for process in asking:
        assert process.stdout.readline() == "ready\n"
    for process in asking:
        process.stdin.write("go\n")
        process.stdin.flush()
    secrets = {process.communicate(timeout=120)[0] for process in asking}
    assert len(secrets) == 1
    assert len(secrets.pop().strip()) == 32


def test_a_secret_is_readable_by_its_owner_alone(tmp_path):
    embedded.secret(tmp_path / "var", "key", lambda: "s")
    assert stat.S_IMODE((tmp_path / "var" / "key").stat().st_mode) == 0o600


def test_a_secret_is_made_once(tmp_path):
    assert embedded.secret(tmp_path, "key", lambda: "first") == "first"
    assert embedded.secret(tmp_path, "key", lambda: "second") == "first"


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "note"
    files.write_private(path, "old")
    with pytest.raises(UnicodeEncodeError):
        files.write_private(path, "\ud800")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["note"]


def test_a_file_that_is_not_json_is_named(tmp_path):
    (tmp_path / "postgres.json").write_text("{")
    with pytest.raises(EmbeddedError, match=r"postgres\.json is not readable as JSON"):
        files.read_json(tmp_path / "postgres.json")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("KEY=value", {"KEY": "value"}),
        ("  KEY = value ", {"KEY": "value"}),
        ("export KEY=value", {"KEY": "value"}),
        ("KEY='a value'", {"KEY": "a value"}),
        ('KEY="a=b"', {"KEY": "a=b"}),
        ("KEY=", {"KEY": ""}),
        ("# KEY=value", {}),
        ("no equals sign", {}),
        ("", {}),
    ],
)
def test_lines_of_a_dotenv(tmp_path, line, expected):
    (tmp_path / ".env").write_text(line + "\n")
    assert files.read_dotenv(tmp_path / ".env") == expected


def test_unused_means_no_other_process_holds_the_lock(tmp_path):
    path = tmp_path / "in-use.lock"
    ran = []
    with files.locked(path, shared=True), files.locked(path, shared=True):
        files.if_unused(path, lambda: ran.append("while held"))
    files.if_unused(path, lambda: ran.append("after"))
    assert ran == ["after"]


def test_urls_before_the_first_start_have_the_right_shape(tmp_path):
    app, owner = embedded.urls(tmp_path)
    assert app.startswith("postgres://missionsite_app:")
    assert owner.startswith("postgres://missionsite_owner:")


def test_urls_come_from_the_connection_file(tmp_path):
    connection = {"port": 20001, "app_password": "a", "owner_password": "o"}
    (tmp_path / "postgres.json").write_text(json.dumps(connection))
    assert embedded.urls(tmp_path) == (
        "postgres://missionsite_app:a@127.0.0.1:20001/missionsite",
        "postgres://missionsite_owner:o@127.0.0.1:20001/missionsite",
    )


def test_nothing_starts_when_there_is_a_database_url(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/missionsite")
    monkeypatch.setenv("MISSIONSITE_VAR_DIR", str(tmp_path / "var"))
    embedded.start_if_default()
    assert not (tmp_path / "var").exists()


def test_a_database_url_in_dotenv_counts(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setattr(embedded, "CHECKOUT", tmp_path)
    assert embedded.is_default()
    (tmp_path / ".env").write_text("DATABASE_URL=postgres://elsewhere/missionsite\n")
    assert not embedded.is_default()


def test_an_empty_variable_wins_over_dotenv(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "CHECKOUT", tmp_path)
    (tmp_path / ".env").write_text("DATABASE_URL=postgres://elsewhere/missionsite\n")
    monkeypatch.setenv("DATABASE_URL", "")
    assert embedded.is_default()
