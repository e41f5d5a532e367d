"""File transport: one complete file per key, inside the outbox folder; console transport."""

import json
import os
import subprocess
import sys
from dataclasses import asdict

import pytest

from engagement.errors import TransportUnknown
from engagement.transports import Unavailable, make_transport
from engagement.transports.file import FileTransport
from tests.engagement.outgoing_message import outgoing


def written(folder) -> list:
    return sorted(each for each in folder.rglob("*.json") if not each.name.startswith("."))


@pytest.mark.seed("002 transports: file, console, e-mail, webhook")
def test_receipt_names_file_of_message(tmp_path):
    receipt = FileTransport(tmp_path).send(outgoing())
    [found] = written(tmp_path)
    assert found == tmp_path / receipt.provider_message_id
    kept = json.loads(found.read_text())
    assert kept.pop("sent_at")
    assert kept == asdict(outgoing())
    assert found.parent.stat().st_mode & 0o077 == 0


def test_same_key_is_one_file_on_any_day(tmp_path):
    sender = FileTransport(tmp_path)
    first = sender.send(outgoing())
    assert sender.send(outgoing(body="again")) == first
    [found] = written(tmp_path)
    # Sent again on another day.
    yesterday = tmp_path / "2026-01-01"
    yesterday.mkdir()
    found.rename(yesterday / found.name)
    assert sender.send(outgoing()).provider_message_id == f"2026-01-01/{found.name}"
    assert len(written(tmp_path)) == 1
    sender.send(outgoing(idempotency_key="another"))
    assert len(written(tmp_path)) == 2


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "a/b", "..", "*", "é" * 255, "a\x00b", ""])
def test_no_key_leaves_outbox_folder(tmp_path, key):
    outbox = tmp_path / "deep" / "outbox"
    FileTransport(outbox).send(outgoing(idempotency_key=key))
    assert len(written(outbox)) == 1
    assert sorted(each.name for each in tmp_path.rglob("*") if each.is_file()) == [written(outbox)[0].name]


def test_interrupted_write_leaves_no_message(tmp_path):
    """Kill a process after it wrote the temporary file and before it renamed it."""
    script = """
import os, pathlib, signal, django
django.setup()
from engagement.transports.file import FileTransport
from tests.engagement.outgoing_message import outgoing
pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
FileTransport(pathlib.Path(os.environ["OUTBOX"])).send(outgoing())
"""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "missionsite.settings", "OUTBOX": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, timeout=60)
    assert done.returncode == -9
    assert len([each for each in tmp_path.rglob("*") if each.is_file()]) == 1
    assert written(tmp_path) == []
    FileTransport(tmp_path).send(outgoing())
    [found] = written(tmp_path)
    assert json.loads(found.read_text())["body"] == outgoing().body


def test_unwritable_outbox_is_unavailable(tmp_path):
    blocked = tmp_path / "outbox"
    blocked.write_text("a file stands where the folder should be")
    with pytest.raises(Unavailable, match="Cannot write to the outbox") as trouble:
        FileTransport(blocked).send(outgoing())
    assert trouble.value.maybe_taken is False
    blocked.unlink()
    FileTransport(blocked).send(outgoing())
    assert len(written(blocked)) == 1


def test_console_prints_message_and_unsubscribe_link(capsys):
    make_transport("console").send(outgoing())
    output = capsys.readouterr().out
    for text in (outgoing().subject, outgoing().body, outgoing().unsubscribe_url, outgoing().address):
        assert text in output


def test_unknown_transport_error_lists_transports():
    with pytest.raises(TransportUnknown, match=r"pigeon.*console, email, file, webhook"):
        make_transport("pigeon")
