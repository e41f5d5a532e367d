"""Outbox page: the files of the file transport and no other files."""

import json
import os

import pytest

from engagement.transports import Outgoing
from engagement.transports.file import FileTransport
from tests.support.admin import client, page_text

OUTBOX = "/admin/engagement/engagementmessage/outbox/"
pytestmark = pytest.mark.django_db


def outgoing(key: str = "1", **fields) -> Outgoing:
    values = {
        "idempotency_key": key,
        "message_type": "reminder",
        "destination": "individual",
        "address": "551199@chat",
        "email": "ana@example.org",
        "name": "Ana",
        "locale": "en",
        "subject": "A short reminder",
        "body": "Hi Ana. Stop: https://site.example/stop/secret",
        "unsubscribe_url": "https://site.example/stop/secret",
    }
    return Outgoing(**(values | fields))


@pytest.fixture
def outbox(settings, tmp_path):
    settings.ENGAGEMENT_TRANSPORT = "file"
    settings.ENGAGEMENT_OUTBOX = tmp_path / "outbox"
    return FileTransport(settings.ENGAGEMENT_OUTBOX)


def test_outbox_shows_messages_as_text(outbox):
    outbox.send(outgoing(subject="<img src=x>", body="<script>alert(1)</script>"))
    page = client("Engagement Operator").get(OUTBOX).content.decode()
    assert "&lt;img src=x&gt;" in page
    assert "<script>alert(1)</script>" not in page
    assert "551199@chat" in page


def test_empty_or_missing_outbox_shows_hint(outbox):
    assert "The outbox is empty" in page_text(client("Auditor").get(OUTBOX))


def test_unsubscribe_link_needs_change_profile_permission(outbox):
    outbox.send(outgoing())
    assert "stop/secret" in page_text(client("Engagement Operator").get(OUTBOX))
    seen = page_text(client("Auditor").get(OUTBOX))
    assert "Hi Ana." in seen
    assert "stop/secret" not in seen


def test_outbox_shows_newest_fifty(outbox):
    for number in range(55):
        receipt = outbox.send(outgoing(str(number), subject=f"Subject {number}."))
        path = outbox.folder / receipt.provider_message_id
        os.utime(path, (1_700_000_000 + number,) * 2)
    seen = page_text(client("Engagement Operator").get(OUTBOX))
    assert seen.index("Subject 54.") < seen.index("Subject 53.") < seen.index("Subject 5.")
    assert "Subject 4." not in seen


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"subject": {"a": []}}', b"null", b"[" * 100_000, b'{"sent_at": "x"}']
)
def test_broken_files_are_listed(outbox, content):
    folder = outbox.folder / "2026-03-01"
    folder.mkdir(parents=True)
    (folder / "odd.json").write_bytes(content)
    outbox.send(outgoing())
    answer = client("Engagement Operator").get(OUTBOX)
    assert answer.status_code == 200
    assert "A short reminder" in page_text(answer)


def test_symbolic_links_are_not_followed(outbox, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret.json").write_text(json.dumps({"subject": "Not for you", "body": "x"}))
    day = outbox.folder / "2026-03-01"
    day.mkdir(parents=True)
    (day / "link.json").symlink_to(elsewhere / "secret.json")
    (outbox.folder / "2026-03-02").symlink_to(elsewhere)
    (outbox.folder / "secret.json").write_text(json.dumps({"subject": "Not for you", "body": "x"}))
    assert "Not for you" not in page_text(client("Engagement Operator").get(OUTBOX))


def test_outbox_needs_a_role(outbox):
    assert client().get(OUTBOX).status_code == 403
