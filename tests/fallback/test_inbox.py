"""Notifications of runs, the inbox, and access requests: asked, decided, expired."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from fallback.errors import AccessNotNeeded, ProjectArchived, RequestDecided, RequestOwn
from fallback.models import AccessRequest, Notification, ProjectMember
from fallback.models.choices import AccessRequestStatus, ProjectRole, ProjectStatus, RunStatus
from fallback.services.access import decide_access_request, expire_access_requests, request_access
from fallback.services.notifications import mark_notifications_read, notify
from fallback.services.runs import run_fallback
from groups.models import Member
from tests.fallback.proposals import a_project, full_week
from tests.support.admin import client_of, page_text
from tests.support.factories.fallback import (
    OrganizationMembershipFactory,
    ProjectFactory,
    ProjectMemberFactory,
    TemplateFactory,
)
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db
INBOX = "admin:fallback_inbox"


def person(project, role: str) -> Member:
    """A member of staff with a role in a project."""
    return ProjectMemberFactory(project=project, role=role, member=StaffFactory()).member


def kinds(member: Member) -> list[str]:
    return sorted(Notification.objects.filter(member=member).values_list("kind", flat=True))


# --- Notifications ----------------------------------------------------------------------------


def test_run_notifies_reviewers_but_not_its_actor():
    project = a_project(templates=1, backlog_threshold=1)
    viewer, reviewer, maintainer = (person(project, role) for role in ("viewer", "reviewer", "maintainer"))
    owner = OrganizationMembershipFactory(organization=project.organization, role="owner").member
    run = run_fallback(actor=maintainer, project=project)
    assert run.status == RunStatus.AWAITING_REVIEW
    assert [kinds(each) for each in (viewer, reviewer, owner, maintainer)] == [
        [],
        ["proposal.waiting"],
        ["proposal.waiting"],
        [],
    ]


def test_unread_notification_of_project_is_not_repeated():
    project = a_project(backlog_threshold=1)
    reviewer = person(project, "reviewer")
    TemplateFactory.create_batch(3, project=project)
    system = Member.objects.system()
    for threshold in (1, 2):
        project.fallback_config.backlog_threshold = threshold
        project.fallback_config.save()
        assert run_fallback(actor=system, project=project)
    assert kinds(reviewer) == ["proposal.waiting"]
    assert mark_notifications_read(actor=reviewer) == 1
    project.fallback_config.backlog_threshold = 3
    project.fallback_config.save()
    assert run_fallback(actor=system, project=project)
    assert kinds(reviewer) == ["proposal.waiting"] * 2


def test_failed_run_and_reached_guardrail_notify_maintainers():
    project = a_project()
    reviewer, maintainer = person(project, "reviewer"), person(project, "maintainer")
    assert run_fallback(actor=Member.objects.system(), project=project).status == RunStatus.ERRORED
    assert (kinds(reviewer), kinds(maintainer)) == ([], ["run.failed"])
    TemplateFactory(project=project)
    full_week(project, at=timezone.now())
    run_fallback(actor=Member.objects.system(), project=project)
    assert (kinds(reviewer), kinds(maintainer)) == ([], ["guardrail.reached", "run.failed"])


def test_member_marks_only_own_notifications_as_read():
    first, second = StaffFactory(), StaffFactory()
    notes = [notify(actor=MemberFactory(), member=each, kind="x.y", title="A title") for each in (first, second)]
    assert mark_notifications_read(actor=first, keys=[note.pk for note in notes]) == 1
    assert list(Notification.objects.filter(read_at=None)) == [notes[1]]


def test_inbox_shows_notification_until_it_is_read():
    project = a_project(templates=1, backlog_threshold=1)
    reviewer = person(project, "reviewer")
    browser = client_of(reviewer)
    unread = reverse("admin:fallback_inbox_unread")
    assert browser.get(unread).json() == {"unread": ""}
    run_fallback(actor=Member.objects.system(), project=project)
    assert browser.get(unread).json() == {"unread": "1"}
    answer = browser.get(reverse(INBOX))
    (note,) = answer.context["notifications"]
    assert "Proposals wait for review" in page_text(answer)
    assert browser.get(note["url"]).status_code == 200
    browser.post(reverse("admin:fallback_inbox_read"), {"notification": note["id"]})
    assert browser.get(unread).json() == {"unread": ""}
    assert "No notifications yet" in page_text(client_of(StaffFactory()).get(reverse(INBOX)))


# --- Access requests --------------------------------------------------------------------------


@pytest.mark.seed("004 access requests")
def test_access_is_requested_and_granted_in_the_browser():
    project = ProjectFactory()
    viewer, maintainer = person(project, "viewer"), person(project, "maintainer")
    ask = reverse("admin:fallback_project_request-access", args=[project.pk])
    assert client_of(viewer).post(ask, {"message": "I would like to help."}).status_code == 302
    (asked,) = AccessRequest.objects.all()
    assert (asked.status, asked.message, kinds(maintainer)) == (
        "pending",
        "I would like to help.",
        ["access.requested"],
    )
    inbox = client_of(maintainer)
    assert "I would like to help." in page_text(inbox.get(reverse(INBOX)))
    assert "I would like to help." not in page_text(client_of(viewer).get(reverse(INBOX)))
    decide = reverse("admin:fallback_access_decide", args=[asked.pk])
    assert client_of(viewer).post(decide, {"role": "maintainer"}).status_code == 302
    asked.refresh_from_db()
    assert asked.status == AccessRequestStatus.PENDING, "viewers may not decide"
    inbox.post(decide, {"role": "contributor"})
    asked.refresh_from_db()
    assert (asked.status, asked.decided_by) == (AccessRequestStatus.APPROVED, maintainer)
    assert ProjectMember.objects.get(project=project, member=viewer).role == ProjectRole.CONTRIBUTOR
    assert kinds(viewer) == ["access.decided"]


def test_declined_request_gives_no_role_and_can_be_repeated():
    project, member = ProjectFactory(), MemberFactory()
    asked = request_access(actor=member, project=project)
    assert request_access(actor=member, project=project) == asked
    decide_access_request(actor=MemberFactory(), request=asked)
    assert not ProjectMember.objects.exists()
    with pytest.raises(RequestDecided):
        decide_access_request(actor=MemberFactory(), request=asked, role="viewer")
    assert request_access(actor=member, project=project) != asked


@pytest.mark.seed("004 access requests")
def test_request_expires_after_its_time():
    asked = request_access(actor=MemberFactory(), project=ProjectFactory())
    system = Member.objects.system()
    assert expire_access_requests(actor=system, at=asked.expires_at - timedelta(seconds=1)) == 0
    assert expire_access_requests(actor=system, at=asked.expires_at) == 1
    asked.refresh_from_db()
    assert (asked.status, asked.decided_at) == (AccessRequestStatus.EXPIRED, asked.expires_at)


def test_invalid_requests_are_rejected():
    project = ProjectFactory()
    with pytest.raises(AccessNotNeeded):
        request_access(actor=person(project, "maintainer"), project=project)
    member = MemberFactory()
    with pytest.raises(RequestOwn):
        decide_access_request(actor=member, request=request_access(actor=member, project=project), role="viewer")
    project.status = ProjectStatus.ARCHIVED
    project.save()
    with pytest.raises(ProjectArchived):
        request_access(actor=MemberFactory(), project=project)
