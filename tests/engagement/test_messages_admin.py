"""Admin pages of the message queue: waiting reasons, texts and actions."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from engagement.models import EngagementMessage, EngagementTransport, UserProfile
from engagement.rules import MessageType, Status, WaitingFor
from groups.models import Event
from tests.engagement.members import failed, message
from tests.support.admin import client, page_text
from tests.support.factories.engagement import ClaimFactory
from tests.support.factories.groups import EntryFactory, MemberFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/engagement/engagementmessage/"


def page(obj, name: str = "change") -> str:
    return reverse(f"admin:engagement_engagementmessage_{name}", args=[obj.pk])


def later(**of) -> dict:
    local = timezone.localtime(timezone.now() + timedelta(**of))
    return {"until_0": f"{local:%Y-%m-%d}", "until_1": f"{local:%H:%M:%S}"}


@pytest.fixture
def operator():
    return client("Engagement Operator")


class TestList:
    def test_list_filters_by_status_type_and_waiting_for(self, operator):
        failed(MemberFactory(display_name="Ana"))
        message(MemberFactory(display_name="Bob"), waiting_for=WaitingFor.QUIET_HOURS)
        for query, name, other in (
            ("status__exact=failed", "Ana", "Bob"),
            ("waiting_for=quiet_hours", "Bob", "Ana"),
            ("q=bob", "Bob", "Ana"),
        ):
            shown = page_text(operator.get(f"{LIST}?{query}"))
            assert name in shown, query
            assert f">{other}<" not in shown, query
        assert operator.get(f"{LIST}?waiting_for=odd").status_code == 200
        assert "No entry matches these filters" in page_text(operator.get(f"{LIST}?message_type__exact=welcome"))

    @pytest.mark.parametrize("rows", [1, 30])
    def test_list_makes_a_fixed_number_of_queries(self, operator, rows, django_assert_num_queries):
        for _ in range(rows):
            failed()
        operator.get(LIST)
        with django_assert_num_queries(9):
            operator.get(LIST)

    def test_empty_queue_shows_hint(self, operator):
        assert "No messages yet" in page_text(operator.get(LIST))


class TestPage:
    def test_page_shows_text_in_language_of_member(self, operator):
        ana = MemberFactory(display_name="Ana <b>Souza</b>")
        UserProfile.objects.filter(pk=ana.pk).update(locale="pt-BR")
        shown = operator.get(page(message(ana))).content.decode()
        assert "Oi, Ana &lt;b&gt;Souza&lt;/b&gt;! Você pediu" in shown
        assert "parar lembretes" in shown
        assert "https://example.org/unsubscribe/…" in shown

    def test_page_shows_missing_template_or_parameter(self, operator):
        shown = page_text(operator.get(page(message(message_key="gone"))))
        assert "There is no template for gone in any language." in shown
        shown = page_text(operator.get(page(message(message_key="weekly_review"))))
        assert "No value for parameter week." in shown

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"waiting_for": WaitingFor.QUIET_HOURS}, "Quiet hours of the member (21:00 to 08:00 in UTC)"),
            (
                {"waiting_for": WaitingFor.FREQUENCY_CAP},
                "The member received the maximum of 3 unsolicited messages in 7 days",
            ),
            ({"waiting_for": WaitingFor.RETRY, "retry_count": 2}, "Attempt 2 of 3 failed. Next attempt at"),
            ({"waiting_for": WaitingFor.STAFF}, "Postponed by staff until"),
            ({}, "Scheduled for"),
        ],
    )
    def test_page_explains_waiting(self, operator, fields, expected):
        waiting = message(scheduled_for=timezone.now() + timedelta(hours=3), **fields)
        assert expected in page_text(operator.get(page(waiting)))

    @pytest.mark.parametrize("status", ["banned", "suspended"])
    def test_blocked_message_shows_coming_cancellation(self, operator, status):
        ana = MemberFactory()
        EntryFactory(person=ana, status=status)
        assert f"The member is {status}. It will be cancelled when it is due." in page_text(
            operator.get(page(message(ana)))
        )
        assert f"Cancellation: The member is {status}." in page_text(operator.get(LIST))

    def test_claimed_message_shows_its_sender(self, operator):
        claimed, lost = message(), message()
        ClaimFactory(messages=[claimed], claimed_by="host-1")
        ClaimFactory(messages=[lost], claimed_by="host-1", lease_expires_at=timezone.now() - timedelta(minutes=1))
        assert "Being sent by host-1 until" in page_text(operator.get(page(claimed)))
        assert "Its sender host-1 has stopped" in page_text(operator.get(page(lost)))

    def test_page_shows_open_circuit(self, operator, settings):
        now = timezone.now()
        EngagementTransport.objects.create(
            name=settings.ENGAGEMENT_TRANSPORT, opened_at=now, retry_at=now, last_error="Connection refused"
        )
        shown = page_text(operator.get(page(message())))
        assert "has been down since" in shown
        assert "Connection refused" in shown

    def test_messages_are_read_only(self, operator):
        assert operator.get(f"{LIST}add/").status_code == 403
        assert operator.post(page(message()), {"status": "sent"}).status_code == 403


class TestJobs:
    def test_retry_makes_failed_message_due(self, operator):
        made = failed()
        assert "due again" in page_text(operator.post(page(made, "retry"), follow=True))
        made.refresh_from_db()
        assert (made.status, made.retry_count) == (Status.PENDING, 0)
        assert Event.objects.get(type="message.retried").actor.display_name == "Engagement Operator"

    def test_cancel_stores_reason(self, operator):
        made = message()
        operator.post(page(made, "cancel"), {"reason": "They left"})
        made.refresh_from_db()
        assert (made.status, made.error_message) == (Status.CANCELLED, "They left")

    def test_postpone_reschedules_message(self, operator):
        made = message()
        answer = operator.post(page(made, "postpone"), later(days=2), follow=True)
        assert "postponed." in page_text(answer)
        made.refresh_from_db()
        assert made.waiting_for == WaitingFor.STAFF
        assert timedelta(days=1) < made.scheduled_for - timezone.now() < timedelta(days=3)

    def test_only_valid_actions_are_offered(self, operator):
        shown = operator.get(page(failed())).content.decode()
        assert "/retry/" in shown
        assert "/postpone/" not in shown
        sent = message(status=Status.SENT, sent_at=timezone.now())
        shown = operator.get(page(sent)).content.decode()
        assert not any(f"/{name}/" in shown for name in ("retry", "cancel", "postpone"))
        assert "Makes a failed message due now" in page_text(operator.get(page(sent, "retry")))
        assert "Cancels a pending or failed message" in page_text(operator.get(page(sent, "cancel")))

    @pytest.mark.parametrize(
        ("job", "values"), [("retry", {}), ("cancel", {"reason": "x"}), ("postpone", later(days=1))]
    )
    def test_sent_message_cannot_be_changed(self, operator, job, values):
        sent = message(status=Status.SENT, sent_at=timezone.now())
        answer = operator.post(page(sent, job), values)
        assert answer.status_code == 200
        assert "A message that is sent cannot be" in page_text(answer)
        sent.refresh_from_db()
        assert sent.status == Status.SENT

    def test_claimed_message_cannot_be_changed(self, operator):
        claimed = message()
        ClaimFactory(messages=[claimed])
        assert "This message is being sent" in page_text(operator.post(page(claimed, "cancel"), {"reason": "x"}))

    @pytest.mark.parametrize(
        "until", [{}, {"until_0": "x", "until_1": "y"}, {"until_0": "9999-01-01", "until_1": "00:00"}]
    )
    def test_invalid_dates_are_field_errors(self, operator, until):
        answer = operator.post(page(message(), "postpone"), until)
        assert answer.status_code == 200
        assert "until" in answer.context["form"].errors

    def test_bulk_retry_reports_each_message(self, operator):
        one, two, sent = failed(), failed(), message(status=Status.SENT, sent_at=timezone.now())
        chosen = {"action": "retry", "_selected_action": [one.pk, two.pk, sent.pk]}
        assert "3 selected" in page_text(operator.post(LIST, chosen))
        answer = operator.post(LIST, chosen | {"apply": "1"})
        assert "2 due again, 1 rejected." in page_text(answer)
        assert EngagementMessage.objects.filter(status=Status.PENDING).count() == 2

    @pytest.mark.parametrize("job", ["retry", "cancel", "postpone"])
    def test_other_roles_can_only_view(self, job):
        made = failed()
        manager = client("Community Manager")
        assert manager.get(page(made)).status_code == 200
        assert manager.post(page(made, job), {"reason": "x"} | later(days=1)).status_code == 403
        made.refresh_from_db()
        assert made.status == Status.FAILED

    def test_dashboard_counts_failed_messages(self, operator):
        failed()
        message(message_type=MessageType.WELCOME)
        cards = {card["title"]: card for card in operator.get("/admin/").context["cards"]}
        assert cards["Failed messages"]["count"] == "1"
        assert operator.get(cards["Failed messages"]["link"]).context["cl"].result_count == 1
