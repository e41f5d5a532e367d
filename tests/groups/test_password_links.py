"""Links to set a password, for one member and for a filtered list as a job."""

import re

import pytest
from django.core import mail
from django.test import Client

from groups.errors import JobEnded, NoOneToMail, PasswordLinkRejected, TooManyPeople
from groups.models import Event, Member, PeopleJob
from groups.services import people_jobs
from groups.services.passwords import queue_password_link, send_password_link
from groups.services.people_jobs import cancel_job, start_password_links
from groups.tasks import run_people_job as run_job
from tests.support.admin import client, page_text
from tests.support.database import rejected_by, rows
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor():
    return StaffFactory()


def address_of():
    return re.search(r"https?://[^/]+(/account/\S+)", mail.outbox[0].body)[1]


def test_link_sets_password_once(actor):
    member = MemberFactory(email="ivo@example.org")
    queue_password_link(actor=actor, member=member)
    assert send_password_link(member_id=str(member.pk), language="en") == "sent"
    assert mail.outbox[0].to == ["ivo@example.org"]
    form = Client().get(address_of(), follow=True)
    browser = Client()
    page = browser.get(address_of(), follow=True).redirect_chain[-1][0]
    password = "purple-otter-climbs-77"
    browser.post(page, {"password1": password, "password2": password})
    assert form.status_code == 200
    assert Client().login(username="ivo@example.org", password=password)
    assert "password1" not in Client().get(address_of(), follow=True).content.decode()
    assert Event.objects.filter(type="member.password_link_sent", member=member).count() == 1


def test_link_expires(settings):
    member = MemberFactory()
    send_password_link(member_id=str(member.pk), language="pt-br")
    assert mail.outbox[0].subject == "Defina a sua senha"
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "password1" not in Client().get(address_of(), follow=True).content.decode()


def test_no_link_for_closed_account(actor):
    with pytest.raises(PasswordLinkRejected):
        queue_password_link(actor=actor, member=MemberFactory(is_active=False))
    with pytest.raises(PasswordLinkRejected):
        queue_password_link(actor=actor, member=Member.objects.system())
    assert send_password_link(member_id=str(MemberFactory(is_active=False).pk), language="en") == "gone"


def test_filtered_list_is_mailed_by_job():
    for number in range(3):
        MemberFactory(display_name=f"Imported {number}")
    MemberFactory(display_name="Imported with password", password="purple-otter-climbs-77")
    MemberFactory(display_name="Someone else")
    office = client("Community Manager")
    assert "3 members of the list have no password" in page_text(
        office.get("/admin/groups/member/password-links/?q=imported")
    )
    answer = office.post("/admin/groups/member/password-links/?q=imported")
    job = PeopleJob.objects.get()
    assert answer["Location"] == f"/admin/groups/peoplejob/{job.pk}/change/"
    # One set a password meanwhile.
    late = Member.objects.get(display_name="Imported 2")
    late.set_password("purple-otter-climbs-77")
    late.save()
    assert "0 of 3" in page_text(office.get(answer["Location"]))
    assert run_job(str(job.pk)) == "done"
    job.refresh_from_db()
    assert (job.results, job.done, job.work) == ({"sent": 2, "skipped": 1}, 3, {})
    assert len(mail.outbox) == 2
    assert "2 sent, 1 left out" in page_text(office.get(answer["Location"]))
    assert run_job(str(job.pk)) == "ended"


def test_job_goes_on_after_kill_and_counts_failures(actor, monkeypatch):
    MemberFactory.create_batch(3)
    job = start_password_links(actor=actor, members=Member.objects.all())
    PeopleJob.objects.update(done=1, results={"sent": 1}, status="running")
    monkeypatch.setattr("groups.services.passwords.password_mail", lambda member, language: _Broken())
    run_job(str(job.pk))
    job.refresh_from_db()
    assert job.results == {"sent": 1, "failed": 2}


class _Broken:
    def send(self):
        raise OSError


def test_job_is_cancelled_while_waiting_and_running(actor, monkeypatch):
    MemberFactory.create_batch(3)
    job = cancel_job(actor=actor, job=start_password_links(actor=actor, members=Member.objects.all()))
    assert (job.status, run_job(str(job.pk))) == ("cancelled", "ended")
    with pytest.raises(JobEnded):
        cancel_job(actor=actor, job=job)
    job = start_password_links(actor=actor, members=Member.objects.all())

    def mail_and_cancel(*, actor, member):
        cancel_job(actor=actor, job=job)

    monkeypatch.setattr(people_jobs, "mail_password_link", mail_and_cancel)
    assert run_job(str(job.pk)) == "cancelled"
    job.refresh_from_db()
    assert (job.done, job.status) == (1, "cancelled")


def test_job_is_for_someone_and_not_for_too_many(actor, monkeypatch):
    with pytest.raises(NoOneToMail):
        start_password_links(actor=actor, members=Member.objects.filter(is_staff=True))
    MemberFactory.create_batch(2)
    monkeypatch.setattr(people_jobs, "MAX_PASSWORD_LINKS", 1)
    with pytest.raises(TooManyPeople, match="at most 1 people"):
        start_password_links(actor=actor, members=Member.objects.all())


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("needs_approval = true", "people_jobs_approved_first"),
        ("needs_approval = true, approved_by_id = started_by_id", "people_jobs_two_people"),
        ("status = 'done'", "people_jobs_ended_fits"),
        ("status = 'done', ended_at = now()", "people_jobs_ended_fits"),
        ("done = -1", "people_jobs_numbers_not_negative"),
        ("status = 'maybe'", "people_jobs_status_known"),
        ("kind = 'maybe'", "people_jobs_kind_known"),
    ],
)
def test_database_rejects(actor, change, constraint):
    MemberFactory()
    start_password_links(actor=actor, members=Member.objects.all())
    with rejected_by(constraint):
        rows(f"UPDATE people_jobs SET {change}")
