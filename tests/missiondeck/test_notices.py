"""What people and other systems are told about missions: notifications, webhooks and commit statuses."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core import mail
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from fallback.models import Notification
from fallback.services.notification_emails import send_due_emails
from fallback.services.preferences import set_notification_preferences
from groups.models import Member
from missiondeck.errors import TooManyWebhooks
from missiondeck.models import DeckMission, Delivery, Notice, Webhook
from missiondeck.rules import DELIVERY_PAUSES, MAX_WEBHOOKS, repository_of
from missiondeck.services.chats import add_message
from missiondeck.services.deliveries import create_webhook, resend_delivery, revoke_webhook, send_due_deliveries
from missiondeck.services.evidence import add_evidence
from missiondeck.services.notices import process_notices, record_deadline_notices
from missiondeck.services.runs import CiRun, finish_run, import_report, start_run
from missiondeck.tasks import send_deck_notices
from missionsite.common import outbound
from missionsite.common.api.signatures import HEADER, is_signed
from missionsite.common.errors import ConstraintViolated
from missionsite.common.outbound import is_public
from tests.missiondeck.helpers import FAILED, PASSED, complete_mission, import_results, report
from tests.missiondeck.helpers import mission as any_mission
from tests.missiondeck.workspace_helpers import address, make_item
from tests.support.admin import client, client_of, page_text, staff
from tests.support.database import rejected_by

pytestmark = pytest.mark.django_db
COMMIT = "c" * 40


@pytest.fixture
def lead() -> Member:
    return staff("Delivery Lead", display_name="Dora")


def mission(**values) -> DeckMission:
    """A mission that is not due soon."""
    return any_mission(**({"deadline": timezone.now() + timedelta(days=30)} | values))


def titles(of: Member) -> list[str]:
    return list(Notification.objects.filter(member=of).order_by("created_at", "pk").values_list("title", flat=True))


def kinds() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("kind", flat=True))


# --- People -----------------------------------------------------------------------------------------


def test_red_run_is_told_to_leads(lead):
    auditor = staff("Auditor")
    made = mission(title="Shop")
    import_results(made, [PASSED])
    import_report(actor=lead, mission=made, file=report([FAILED]), ci=CiRun(job="unit"))
    assert kinds() == ["run.passed", "run.failed"]
    assert process_notices() == 2
    assert titles(lead) == [f"#{made.number} Shop: unit failed"]
    assert titles(auditor) == []
    (told,) = Notification.objects.filter(member=lead)
    assert told.payload["url"].startswith(f"/admin/missiondeck/deckmission/{made.pk}/workspace/?citizen=sofia&run=")
    assert process_notices() == 0


def test_notification_is_in_inbox_and_mailed(lead):
    set_notification_preferences(actor=lead, channels={"deck.run.failed": {"in_app", "email"}})
    made = mission(title="Shop")
    import_results(made, [FAILED])
    process_notices()
    page = client_of(lead).get(reverse("admin:fallback_inbox")).content.decode()
    assert f"#{made.number} Shop: test run failed" in page
    assert f"/admin/missiondeck/deckmission/{made.pk}/workspace/" in page
    assert "Test run failed" in page
    assert send_due_emails(at=timezone.now() + timedelta(days=1)) == 1
    assert mail.outbox[0].subject == f"#{made.number} Shop: test run failed"


def test_run_is_told_once_for_each_state(lead):
    made = mission()
    ci = {"commit": COMMIT, "job": "unit", "shards": 2}
    start_run(actor=lead, mission=made, ci=CiRun(**ci))
    for shard in (1, 2):
        import_report(actor=lead, mission=made, file=report([FAILED]), ci=CiRun(**ci, shard=shard))
    assert kinds() == ["run.started", "run.failed"]


def test_reopened_item_and_completion_are_told(lead):
    made = mission()
    item = make_item(made, "It pays")
    add_evidence(actor=lead, item=item, kind="test", value=PASSED["name"])
    import_results(made, [PASSED])
    import_results(made, [FAILED | {"name": PASSED["name"]}])
    done = complete_mission(title="Bot")
    process_notices()
    assert f"#{made.number} Bot: reopened by its evidence: It pays" in titles(lead)
    assert f"#{done.number} Bot is complete" in titles(lead)


def test_deadlines_are_told_once(lead):
    now = timezone.now()
    mission(title="Later", deadline=now + timedelta(days=3))
    near = mission(title="Near", deadline=now + timedelta(hours=3))
    mission(title="Late", deadline=now - timedelta(hours=3))
    assert (record_deadline_notices(), record_deadline_notices()) == (2, 0)
    DeckMission.objects.filter(pk=near.pk).update(deadline=now + timedelta(hours=5))
    assert record_deadline_notices() == 1
    process_notices()
    told = [title.split(" ", 1)[1].split(" on ")[0].split(" since ")[0] for title in titles(lead)]
    assert sorted(told) == ["Late is overdue", "Near is due", "Near is due"]


def test_many_flaky_tests_are_told(lead):
    made = mission()
    names = [{"name": f"test_{number}"} for number in range(3)]
    for status in ("failed", "passed", "failed"):
        import_results(made, [each | {"status": status, "error": "x"} for each in names])
    process_notices()
    assert f"#{made.number} Bot: 3 flaky tests failed in test run" in titles(lead)


def test_mention_is_told_to_the_member(lead):
    writer, made = staff("Delivery Lead", display_name="Omar"), mission()
    text = f"Ask @{lead.member_id}, not @Omar and @rafael"
    add_message(actor=writer, mission=made, citizen="rafael", sender="user", message=text)
    process_notices()
    assert titles(lead) == [f"#{made.number} Bot: you are mentioned in a message or comment"]
    assert titles(writer) == []
    add_message(actor=writer, mission=made, citizen="rafael", sender="user", message="mail x@Dora.example @Doraemon")
    assert process_notices() == 0


# --- Webhooks ---------------------------------------------------------------------------------------


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.end_headers()

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    """A local server that counts as public, by http."""
    made = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    made.received, made.answers = [], []
    made.url = f"http://127.0.0.1:{made.server_address[1]}"
    threading.Thread(target=made.serve_forever, daemon=True).start()
    real = outbound.request
    monkeypatch.setattr(
        "missiondeck.services.deliveries.request",
        lambda url, **options: real(
            url.replace("https://hooks.example.org", made.url), **options | {"schemes": ("http", "https")}
        ),
    )
    monkeypatch.setattr(outbound, "is_public", lambda found: str(found) == "127.0.0.1" or is_public(found))
    yield made
    made.shutdown()
    made.server_close()


def hook(of: DeckMission, lead: Member, url: str = "https://hooks.example.org/deck") -> Webhook:
    return create_webhook(actor=lead, mission=of, url=url)


def test_webhook_receives_signed_notice(server, lead):
    made = mission(title="Shop")
    webhook = hook(made, lead)
    import_results(made, [FAILED])
    assert send_deck_notices(timestamp=0) == 1
    ((path, headers, body),) = server.received
    assert path == "/deck"
    assert is_signed(headers[HEADER], body, [webhook.secret])
    assert not is_signed(headers[HEADER], body + b" ", [webhook.secret])
    data = json.loads(body)
    assert (data["kind"], data["mission"]["number"], data["text"]) == (
        "run.failed",
        made.number,
        f"#{made.number} Shop: test run failed",
    )
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.answer) == ("sent", 1, "200")
    assert headers["Idempotency-Key"] == str(delivery.pk)


def test_delivery_is_retried_and_then_failed_and_sent_again(server, lead):
    made = mission()
    hook(made, lead)
    import_results(made, [FAILED])
    process_notices()
    server.answers = [500] * (len(DELIVERY_PAUSES) + 1)
    at = timezone.now()
    assert send_due_deliveries(at=at) == 0
    assert send_due_deliveries(at=at + timedelta(seconds=59)) == 0
    assert len(server.received) == 1
    for pause in DELIVERY_PAUSES:
        at += pause
        send_due_deliveries(at=at)
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.answer) == ("failed", len(DELIVERY_PAUSES) + 1, "500")
    resend_delivery(actor=lead, delivery=delivery)
    assert send_due_deliveries(at=timezone.now() + timedelta(seconds=1)) == 1


def test_address_that_is_not_public_receives_nothing(lead):
    made = mission()
    hook(made, lead, "https://169.254.169.254/latest")
    import_results(made, [FAILED])
    process_notices()
    assert send_due_deliveries() == 0
    assert Delivery.objects.get().answer == "The address is not public."


def test_revoked_webhook_receives_nothing(server, lead):
    made = mission()
    webhook = hook(made, lead)
    import_results(made, [FAILED])
    process_notices()
    revoke_webhook(actor=lead, webhook=webhook)
    assert send_due_deliveries() == 0
    assert server.received == []
    assert Delivery.objects.get().status == "failed"
    import_results(made, [PASSED])
    process_notices()
    assert Delivery.objects.count() == 1


@pytest.mark.rule("deck_webhooks_unique", "deck_webhooks_url_form")
def test_webhooks_are_bounded_and_valid(lead):
    made = mission()
    with pytest.raises(ConstraintViolated, match="starts with https://"):
        hook(made, lead, "http://hooks.example.org")
    for number in range(MAX_WEBHOOKS):
        hook(made, lead, f"https://hooks.example.org/{number}")
    with pytest.raises(TooManyWebhooks):
        hook(made, lead)
    revoke_webhook(actor=lead, webhook=Webhook.objects.get(url="https://hooks.example.org/1"))
    with pytest.raises(ConstraintViolated, match="already"):
        hook(made, lead, "https://hooks.example.org/0")


def test_webhooks_on_page(server):
    browser, made = client("Delivery Lead"), mission()
    page = browser.post(address(made, "_webhooks"), {"url": "http://x"}).content.decode()
    assert "starts with https://" in page
    assert 'value="http://x"' in page
    page = browser.post(address(made, "_webhooks"), {"url": "https://hooks.example.org/deck"}).content.decode()
    webhook = Webhook.objects.get()
    assert webhook.secret in page
    import_results(made, [FAILED])
    send_deck_notices(timestamp=0)
    page = page_text(browser.get(address(made, "_webhooks")))
    assert webhook.secret not in page
    assert "Sent: 200" in page
    auditor = client("Auditor")
    assert "Send again" not in page_text(auditor.get(address(made, "_webhooks")))
    delivery = Delivery.objects.get()
    assert auditor.post(address(made, "_webhooks"), {"resend": delivery.pk}).status_code == 403
    browser.post(address(made, "_webhooks"), {"resend": delivery.pk})
    delivery.refresh_from_db()
    assert delivery.status == "pending"
    browser.post(address(made, "_webhooks"), {"revoke": webhook.pk})
    assert "No webhooks yet" in page_text(browser.get(address(made, "_webhooks")))
    assert "does not exist" in page_text(browser.post(address(made, "_webhooks"), {"revoke": "x"}, follow=True))


# --- Commit statuses --------------------------------------------------------------------------------


@pytest.mark.parametrize("of", ["github", "gitlab"])
def test_commit_status_is_sent(server, settings, lead, of):
    settings.GITHUB_API_URL = settings.GITLAB_API_URL = server.url
    settings.GITHUB_TOKEN, settings.GITLAB_TOKEN = "gh-token", "gl-token"
    made = mission(github_url=f"https://{of}.com/acme/shop")
    run = start_run(actor=lead, mission=made, ci=CiRun(commit=COMMIT, job="unit"))
    send_deck_notices(timestamp=0)
    import_report(actor=lead, mission=made, file=report([PASSED]), ci=CiRun(commit=COMMIT, job="unit"))
    finish_run(actor=lead, run=run)
    send_deck_notices(timestamp=0)
    (path, headers, first), (_path, _headers, second) = server.received
    link = json.loads(first)["target_url"]
    assert str(run.pk) in link
    if of == "github":
        assert path == f"/repos/acme/shop/statuses/{COMMIT}"
        assert headers["Authorization"] == "Bearer gh-token"
        assert json.loads(first) == {"state": "pending", "target_url": link, "context": "missionsite/unit"}
        assert json.loads(second)["state"] == "success"
    else:
        assert path == f"/projects/acme%2Fshop/statuses/{COMMIT}"
        assert headers["PRIVATE-TOKEN"] == "gl-token"
        assert json.loads(first) == {"state": "running", "target_url": link, "name": "missionsite/unit"}
        assert json.loads(second)["state"] == "success"


def test_late_retry_sends_present_state(server, settings, lead):
    settings.GITHUB_API_URL, settings.GITHUB_TOKEN = server.url, "token"
    made = mission(github_url="https://github.com/acme/shop")
    start_run(actor=lead, mission=made, ci=CiRun(commit=COMMIT, shards=1))
    server.answers = [502]
    send_deck_notices(timestamp=0)
    import_report(actor=lead, mission=made, file=report([FAILED]), ci=CiRun(commit=COMMIT, shard=1, shards=1))
    process_notices()
    send_due_deliveries(at=timezone.now() + timedelta(minutes=2))
    assert [json.loads(body)["state"] for _path, _headers, body in server.received] == ["pending", "failure", "failure"]


def test_commit_status_needs_token_and_commit(server, settings, lead):
    settings.GITHUB_API_URL, settings.GITHUB_TOKEN = server.url, ""
    made = mission(github_url="https://github.com/acme/shop")
    import_results(made, [FAILED])
    import_report(actor=lead, mission=made, file=report([FAILED]), ci=CiRun(commit=COMMIT))
    send_deck_notices(timestamp=0)
    assert server.received == []
    (delivery,) = Delivery.objects.all()
    assert (delivery.status, delivery.answer) == ("failed", "The site has no token for this host.")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/acme/shop", ("github.com", "acme/shop")),
        ("https://gitlab.com/acme/web/shop/", ("gitlab.com", "acme/web/shop")),
        ("https://codeberg.org/acme/shop", ("codeberg.org", "acme/shop")),
    ],
)
def test_repositories_of_other_hosts_are_stored(url, expected):
    assert repository_of(mission(github_url=url).github_url) == expected


@pytest.mark.parametrize(
    "url", ["https://gitlab.com", "https://gitlab.com/acme", "https://github.com/a/b/c", "http://gitlab.com/a/b"]
)
def test_other_urls_are_no_repository(url):
    with pytest.raises(ConstraintViolated, match="URL of a repository"):
        mission(github_url=url)


# --- Rules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("channel = 'pigeon'", "deck_deliveries_channel_known"),
        ("status = 'lost', next_at = NULL", "deck_deliveries_status_known"),
        ("channel = 'github'", "deck_deliveries_webhook_consistent"),
        ("next_at = NULL", "deck_deliveries_next_attempt_consistent"),
        ("answer = E'a\\nb'", "deck_deliveries_answer_one_line"),
    ],
)
def test_database_rejects_odd_deliveries(lead, change, rule):
    made = mission()
    hook(made, lead)
    import_results(made, [FAILED])
    process_notices()
    with rejected_by(rule), connection.cursor() as cursor:
        cursor.execute(f"UPDATE deck_deliveries SET {change}")


@pytest.mark.parametrize(
    ("kind", "subject", "rule"),
    [
        ("rumour", "1", "deck_notices_kind_known"),
        ("mention", "a\nb", "deck_notices_subject_one_line"),
        ("mention", "1", "deck_notices_unique"),
    ],
)
def test_database_rejects_odd_notices(kind, subject, rule):
    made = mission()
    Notice.objects.create(mission=made, kind="mention", subject="1")
    with rejected_by(rule), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO deck_notices (mission_id, kind, subject) VALUES (%s, %s, %s)", [made.pk, kind, subject]
        )


@pytest.mark.rule("deck_deliveries_unique")
def test_notice_is_delivered_once_to_each_webhook(lead):
    made = mission()
    webhook = hook(made, lead)
    import_results(made, [FAILED])
    process_notices()
    with rejected_by("deck_deliveries_unique"):
        Delivery.objects.create(notice=Notice.objects.get(), channel="webhook", webhook=webhook, next_at=timezone.now())


def test_site_cannot_change_notices_and_webhooks(lead):
    made = mission()
    hook(made, lead)
    import_results(made, [FAILED])
    for statement in (
        "UPDATE deck_notices SET kind = 'mention'",
        "DELETE FROM deck_notices",
        "UPDATE deck_webhooks SET url = 'https://other.example.org'",
        "DELETE FROM deck_webhooks",
        "DELETE FROM deck_deliveries",
    ):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)
