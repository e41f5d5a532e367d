"""Notifications by e-mail: preferences, quiet hours, digests, one sending each, unsubscribing, snoozing."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fallback import tasks
from fallback.errors import SnoozeInThePast
from fallback.models import Notification, NotificationPreference, NotificationSettings
from fallback.models.choices import Channel, NotificationKind
from fallback.services.notification_emails import send_due_emails, unsubscribe_url
from fallback.services.notifications import notify, snooze_notification
from fallback.services.preferences import (
    set_notification_preferences,
    set_quiet_hours,
    unsubscribe_from_emails,
)
from groups.models import Member
from tests.fallback.proposals import a_project
from tests.support.admin import client_of, page_text
from tests.support.concurrency import crowd
from tests.support.database import rejected_by
from tests.support.factories.fallback import OrganizationMembershipFactory, ProjectMemberFactory
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db
KIND = NotificationKind.RUN_FAILED
NOON = datetime(2021, 3, 1, 12, tzinfo=UTC)
NIGHT = datetime(2021, 3, 1, 23, tzinfo=UTC)
INBOX, SETTINGS = "admin:fallback_inbox", "admin:fallback_inbox_settings"


def prefers(member, *channels, organization=None) -> None:
    set_notification_preferences(actor=member, organization=organization, channels={KIND: set(channels)})


def notified(member, project, *, at=NOON, title="Run failed") -> Notification:
    return notify(actor=Member.objects.system(), member=member, kind=KIND, title=title, project=project, at=at)


@pytest.fixture
def project():
    return a_project(zone="Europe/Lisbon")


@pytest.fixture
def member(project) -> Member:
    return ProjectMemberFactory(project=project, role="maintainer", member=StaffFactory()).member


# --- Preferences ------------------------------------------------------------------------------


def test_inbox_alone_is_the_default(member, project):
    found = notified(member, project)
    assert (found.email_channel, found.email_due_at, found.archived_at) == ("", None, None)


def test_own_choice_overrides_that_of_organization(member, project):
    owner = MemberFactory()
    prefers(owner, Channel.EMAIL, organization=project.organization)
    assert notified(member, project).email_channel == Channel.EMAIL
    prefers(member, Channel.IN_APP, Channel.DIGEST)
    assert notified(member, project).email_channel == Channel.DIGEST
    # Another organisation's default does not count.
    other = StaffFactory()
    assert notified(other, a_project()).email_channel == ""
    set_notification_preferences(actor=member, channels={KIND: None})
    assert notified(member, project).email_channel == Channel.EMAIL


def test_without_inbox_it_is_not_listed(member, project):
    prefers(member)
    notified(member, project)
    assert "Run failed" not in page_text(client_of(member).get(reverse(INBOX)))
    assert client_of(member).get(reverse("admin:fallback_inbox_unread")).json() == {"unread": ""}
    assert send_due_emails(at=NOON + timedelta(days=2)) == 0


def test_preference_belongs_to_organization_or_member(member, project):
    for values in ({}, {"member": member, "organization": project.organization}):
        with rejected_by("notification_preferences_of_one"):
            NotificationPreference.objects.create(kind=KIND, **values)


def test_table_rejects_unknown_values(member, project):
    notified(member, project)
    with rejected_by("notifications_email_channel_known"):
        Notification.objects.update(email_channel="post")
    with rejected_by("notification_settings_hour_in_range"):
        NotificationSettings.objects.create(member=member, digest_hour=24)


# --- Sending ----------------------------------------------------------------------------------


def test_email_at_once_is_sent_once(member, project):
    prefers(member, Channel.IN_APP, Channel.EMAIL)
    notified(member, project, title="Run failed")
    assert [send_due_emails(at=NOON), send_due_emails(at=NOON + timedelta(hours=1))] == [1, 0]
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([member.email], "Run failed")
    assert project.name in sent.body
    assert sent.extra_headers["List-Unsubscribe"] == f"<{unsubscribe_url(member.pk)}>"
    found = Notification.objects.get()
    assert (found.emailed_at, found.email_due_at, found.email_unconfirmed) == (NOON, None, 0)


def test_digest_is_one_email_of_a_day(member, project):
    prefers(member, Channel.DIGEST)
    for _ in range(3):
        notified(member, project)
    assert send_due_emails(at=NOON) == 0
    assert send_due_emails(at=NOON + timedelta(days=1)) == 1
    (sent,) = mail.outbox
    assert sent.subject == "3 notifications"
    assert sent.body.count("- Run failed") == 3


def test_quiet_hours_of_time_zone_of_organization(member, project):
    set_quiet_hours(actor=member, quiet_from=time(22), quiet_to=time(7), digest_hour=8)
    prefers(member, Channel.EMAIL)
    found = notified(member, project, at=NIGHT)
    assert found.email_due_at == datetime(2021, 3, 2, 7, tzinfo=UTC)
    assert send_due_emails(at=NIGHT + timedelta(hours=7)) == 0
    assert send_due_emails(at=NIGHT + timedelta(hours=8)) == 1
    set_quiet_hours(actor=member, quiet_from=time(7), quiet_to=time(7), digest_hour=8)
    assert notified(member, project, at=NIGHT).email_due_at == NIGHT


def test_read_notification_is_not_sent(member, project):
    prefers(member, Channel.IN_APP, Channel.DIGEST)
    notified(member, project)
    Notification.objects.update(read_at=NOON)
    assert send_due_emails(at=NOON + timedelta(days=1)) == 0
    assert mail.outbox == []


def test_inactive_member_gets_no_email(member, project):
    prefers(member, Channel.EMAIL)
    notified(member, project)
    Member.objects.filter(pk=member.pk).update(is_active=False)
    assert send_due_emails(at=NOON) == 0
    assert Notification.objects.get().email_due_at is None


def test_failed_email_is_tried_five_times(member, project, monkeypatch):
    def fail(*_args):
        raise OSError("no server")

    monkeypatch.setattr(EmailBackend, "send_messages", fail)
    prefers(member, Channel.EMAIL)
    notified(member, project)
    for number in range(1, 7):
        send_due_emails(at=NOON + timedelta(hours=number))
    found = Notification.objects.get()
    assert (found.email_failures, found.email_due_at, found.emailed_at, found.email_unconfirmed) == (5, None, None, 0)


@pytest.mark.parametrize("kills", [1, 4])
def test_kill_between_sending_and_marking_gives_one_duplicate(member, project, monkeypatch, kills):
    class Killed(BaseException):
        """Ends the process, as a signal does: nothing catches it."""

    send = EmailBackend.send_messages
    left = [kills]

    def send_and_die(self, messages):
        send(self, messages)
        if left[0]:
            left[0] -= 1
            raise Killed

    monkeypatch.setattr(EmailBackend, "send_messages", send_and_die)
    prefers(member, Channel.EMAIL)
    notified(member, project)
    for number in range(6):
        try:
            send_due_emails(at=NOON + timedelta(hours=number))
        except Killed:
            continue
    assert len(mail.outbox) == 2
    assert len({each.extra_headers["Message-ID"] for each in mail.outbox}) == 1
    assert Notification.objects.get().email_due_at is None


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_email_once(settings):
    project = a_project()
    member = ProjectMemberFactory(project=project, role="maintainer", member=StaffFactory()).member
    prefers(member, Channel.EMAIL)
    for number in range(20):
        notified(member, project, title=f"Run {number} failed")
    mail.outbox.clear()
    with crowd(2) as workers:
        sent = workers.run(lambda _number: send_due_emails(at=NOON))
    assert sum(sent) == 20
    assert len({each.subject for each in mail.outbox}) == len(mail.outbox) == 20


def test_job_sends_due_emails(member, project):
    prefers(member, Channel.EMAIL)
    set_quiet_hours(actor=member, quiet_from=time(0), quiet_to=time(0), digest_hour=8)
    notified(member, project, at=timezone.now())
    assert tasks.send_notification_emails(0) == 1


# --- Unsubscribe link and snooze --------------------------------------------------------------


def test_unsubscribe_link_ends_emails_but_not_the_inbox(member, project, settings):
    prefers(member, Channel.IN_APP, Channel.EMAIL)
    browser, link = Client(enforce_csrf_checks=True), unsubscribe_url(member.pk).removeprefix(settings.SITE_URL)
    assert "Stop e-mails about notifications?" in page_text(browser.get(link))
    assert notified(member, project).email_channel == Channel.EMAIL
    answer = browser.post(link, {"List-Unsubscribe": "One-Click"})
    assert "E-mails about notifications are stopped" in page_text(answer)
    found = notified(member, project)
    assert (found.email_channel, found.archived_at) == ("", None)


def test_unsubscribing_stops_waiting_emails(member, project):
    prefers(member, Channel.EMAIL)
    notified(member, project)
    unsubscribe_from_emails(actor=member)
    assert send_due_emails(at=NOON) == 0


def test_snoozed_notification_comes_back(member, project):
    found = notified(member, project)
    browser = client_of(member)
    browser.post(reverse("admin:fallback_inbox_snooze"), {"notification": found.pk, "days": "1"})
    assert "Run failed" not in page_text(browser.get(reverse(INBOX)))
    assert browser.get(reverse("admin:fallback_inbox_unread")).json() == {"unread": ""}
    Notification.objects.update(snoozed_until=timezone.now() - timedelta(minutes=1))
    assert "Run failed" in page_text(browser.get(reverse(INBOX)))
    assert browser.get(reverse("admin:fallback_inbox_unread")).json() == {"unread": "1"}
    with pytest.raises(SnoozeInThePast):
        snooze_notification(actor=member, key=found.pk, until=timezone.now() - timedelta(days=1))
    other = client_of(StaffFactory())
    other.post(reverse("admin:fallback_inbox_snooze"), {"notification": found.pk, "days": "1"})
    assert Notification.objects.get().snoozed_until < timezone.now()


# --- Pages ------------------------------------------------------------------------------------


def test_page_saves_preferences(member):
    browser = client_of(member)
    page = browser.get(reverse(SETTINGS))
    assert "As the organisation says" in page_text(page)
    values = {"run_failed": "inbox_digest", "quiet_from": "21:30", "quiet_to": "07:00", "digest_hour": "9"}
    assert browser.post(reverse(SETTINGS), values).status_code == 302
    form = browser.get(reverse(SETTINGS)).context["form"]
    assert form["run_failed"].value() == "inbox_digest"
    assert form["proposal_waiting"].value() in ("", None)
    assert (form["quiet_from"].value(), form["digest_hour"].value()) == ("21:30", 9)
    rejected = browser.post(reverse(SETTINGS), values | {"quiet_from": "late", "digest_hour": "24"})
    assert set(rejected.context["form"].errors) == {"quiet_from", "digest_hour"}
    assert 'value="late"' in rejected.content.decode()


def test_owner_sets_defaults_of_organization(member, project):
    owner = StaffFactory()
    OrganizationMembershipFactory(organization=project.organization, role="owner", member=owner)
    address = reverse("admin:fallback_organization_notification-defaults", args=[project.organization.pk])
    assert client_of(owner).post(address, {"run_failed": "email"}).status_code == 302
    assert notified(member, project).email_channel == Channel.EMAIL
    assert client_of(owner).get(address).context["form"]["run_failed"].value() == "email"
