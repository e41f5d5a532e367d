"""Reading a mailbox by IMAP: each message once, a limited number per run, over a real connection."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from engagement.errors import MailboxNotConfigured, MailboxUnavailable
from engagement.models import InboundMessage, Mailbox, UnassignedMessage
from engagement.services import incoming_mail
from engagement.services.mailbox import read_mailbox
from engagement.tasks import fetch_mail
from engagement.transports.imap import MailboxReader
from tests.engagement.raw_mail import raw
from tests.support.factories.engagement import PersonFactory
from tests.support.imap_server import PASSWORD, imap_server

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def connected():
    with imap_server() as server:
        yield server


@pytest.fixture
def server(connected):
    connected.messages, connected.old, connected.commands, connected.uid_validity = {}, set(), [], 1
    return connected


@pytest.fixture
def ana():
    return PersonFactory(email="ana@example.org", state="active")


def put(server, *uids, **more):
    for uid in uids:
        server.messages[uid] = raw(f"hello {uid}", Message_ID=f"<{uid}@example.org>", **more)


def read(server, **options):
    return read_mailbox(reader=MailboxReader(server.url, server.context), **options)


def handled() -> list[str]:
    return sorted(InboundMessage.objects.values_list("message_id", flat=True))


def test_each_message_is_read_once(server, ana):
    put(server, 3, 5)
    assert [read(server), read(server)] == [2, 0]
    put(server, 9)
    assert [read(server), read(server), read(server)] == [1, 0, 0]
    assert handled() == ["<3@example.org>", "<5@example.org>", "<9@example.org>"]
    # Nothing in the mailbox changes, and a message is not fetched again to be counted.
    assert {each.split()[0] for each in server.commands} == {"EXAMINE", "UID"}
    fetched = [each for each in server.commands if "FETCH" in each]
    assert len(fetched) == 3
    assert all("BODY.PEEK" in each for each in fetched)


def test_run_is_limited_and_continues(server, ana):
    """ohdearquant/khive, issue 449: a limit must not choose the same messages again."""
    put(server, *range(1, 8))
    assert [read(server, most=3) for _ in range(4)] == [3, 3, 1, 0]
    assert len(handled()) == 7


def test_interrupted_run_continues(server, ana):
    put(server, 1, 2, 3)
    server.hangs_up_at = 2
    with pytest.raises(MailboxUnavailable):
        read(server)
    assert handled() == ["<1@example.org>"]
    assert read(server) == 2


def test_unreadable_message_does_not_stop_the_others(server, ana, monkeypatch):
    """n8n-io/n8n, issue 36681: it must not be skipped silently either."""
    real = incoming_mail.read_mail

    def fails(message):
        if message["Message-ID"] == "<2@example.org>":
            raise RecursionError
        return real(message)

    monkeypatch.setattr(incoming_mail, "read_mail", fails)
    put(server, 1, 2, 3)
    assert read(server) == 3
    assert handled() == ["<1@example.org>", "<3@example.org>"]
    row = UnassignedMessage.objects.get()
    assert (row.reason, row.message_id.endswith("/INBOX:1:2")) == ("unreadable", True)


def test_first_run_reads_recent_messages_only(server, ana):
    put(server, 1, 2, 7, 8)
    server.old = {1, 2}
    assert read(server) == 2
    assert handled() == ["<7@example.org>", "<8@example.org>"]
    Mailbox.objects.update(uid_validity=99)
    server.old = {1, 2, 7, 8}
    assert read(server) == 0
    put(server, 9)
    assert read(server) == 1


def test_new_uids_read_no_message_twice(server, ana):
    put(server, 40, 41)
    read(server)
    server.uid_validity, server.messages = 2, {1: server.messages[40], 2: server.messages[41]}
    put(server, 3)
    assert read(server) == 3
    assert handled() == ["<3@example.org>", "<40@example.org>", "<41@example.org>"]


def test_other_process_reads_no_message_twice(server, ana):
    put(server, 1, 2)

    class Slow(MailboxReader):
        def fetch(self, uid):
            Mailbox.objects.update(last_uid=2)
            return super().fetch(uid)

    assert read_mailbox(reader=Slow(server.url, server.context)) == 0


def test_large_message_is_read_to_its_limit(server, ana, monkeypatch):
    monkeypatch.setattr("engagement.transports.imap.LARGEST", 500)
    put(server, 1)
    read(server)
    assert "<0.500>" in next(each for each in server.commands if "FETCH" in each)


def test_wrong_password_and_folder_are_named(server):
    for url in (server.url.replace("long", "wrong"), server.url.replace("INBOX", "Other")):
        with pytest.raises(MailboxUnavailable) as caught:
            read_mailbox(reader=MailboxReader(url, server.context))
        assert PASSWORD not in caught.value.message
        assert "example.org" not in caught.value.message
    # A certificate that no authority signed.
    with pytest.raises(MailboxUnavailable):
        read_mailbox(reader=MailboxReader(server.url))


@pytest.mark.parametrize(
    "url", ["", "pop3://a:b@c", "imaps://c", "imaps://a@c", "imaps://a:b@c:x/", 'imaps://a:b@c/a"b']
)
def test_wrong_setting_is_named(url):
    with pytest.raises(MailboxNotConfigured):
        MailboxReader(url)


def test_command_and_job(settings, server, monkeypatch, ana):
    settings.ENGAGEMENT_MAILBOX = ""
    assert fetch_mail(timestamp=0) == 0
    with pytest.raises(CommandError, match="ENGAGEMENT_MAILBOX"):
        call_command("fetch_mail")
    settings.ENGAGEMENT_MAILBOX = server.url
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("fetch_mail")
    monkeypatch.setattr("engagement.transports.imap.ssl.create_default_context", lambda: server.context)
    put(server, 1)
    out = StringIO()
    call_command("fetch_mail", stdout=out)
    assert out.getvalue() == "1 messages read\n"
