"""Deputies during an absence, assignments, and the hand-over of open work."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from fallback.errors import AbsenceInThePast, AbsenceTooLong, AssigneeLacksRight, HandOverToSame
from fallback.models import AccessRequest, MemberAbsence, Mission, MissionAssignment, Notification, Project
from fallback.selectors.rights import Right, Rights
from fallback.services.absences import add_absence, end_absence
from fallback.services.access import request_access
from fallback.services.assignments import assign_item, assign_mission, hand_over
from fallback.services.comments import add_comment
from fallback.services.notifications import notify_people
from groups.models import Member
from missionsite.common.errors import ConstraintViolated
from tests.support.admin import client_of, page_text
from tests.support.database import rejected_by
from tests.support.factories.fallback import ItemFactory, MissionFactory, ProjectFactory, ProjectMemberFactory
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db
ABSENCES, HAND_OVER = "admin:fallback_absences", "admin:fallback_hand_over"


@pytest.fixture
def project():
    return ProjectFactory()


def person(project, role: str, **fields):
    return ProjectMemberFactory(project=project, role=role, member=StaffFactory(**fields)).member


def away(member, deputy, *, first: int = 0, last: int = 3):
    today = timezone.localdate()
    return add_absence(
        actor=member,
        member=member,
        deputy=deputy,
        first=today + timedelta(days=first),
        last=today + timedelta(days=last),
    )


def kinds(member) -> list[str]:
    return sorted(Notification.objects.filter(member=member).values_list("kind", flat=True))


# --- Rights and notifications -----------------------------------------------------------------


@pytest.mark.seed("004 Notifications")
def test_deputy_decides_and_is_notified_during_the_absence(project):
    absent, deputy = person(project, "reviewer"), person(project, "viewer")
    item = ItemFactory(run__project=project)
    accept = reverse("admin:fallback_item_discard", args=[item.pk])
    values = {"reason": "not_needed"}
    assert not Rights(deputy).allows(Right.REVIEW, project)
    client_of(deputy).post(accept, values)
    item.refresh_from_db()
    assert item.status == "proposed"
    absence = away(absent, deputy)
    assert Rights(deputy).allows(Right.REVIEW, project)
    notify_people(
        actor=Member.objects.system(),
        project=project,
        roles=("reviewer",),
        kind="proposal.waiting",
        title="Proposals",
        payload={},
    )
    assert kinds(absent) == ["proposal.waiting"]
    assert kinds(deputy) == ["deputy.named", "proposal.waiting"]
    inbox = page_text(client_of(deputy).get(reverse("admin:fallback_inbox")))
    assert f'as deputy of <span dir="auto">{absent.display_name}</span>' in inbox
    client_of(deputy).post(accept, values)
    item.refresh_from_db()
    assert (item.status, item.reviewed_by) == ("discarded", deputy)
    end_absence(actor=absent, absence=absence)
    assert not Rights(deputy).allows(Right.REVIEW, project)


def test_deputy_of_maintainer_decides_but_does_not_maintain(project):
    absent, deputy = person(project, "maintainer"), person(project, "viewer")
    away(absent, deputy)
    assert Rights(deputy).allows(Right.REVIEW, project)
    assert not Rights(deputy).allows(Right.MAINTAIN, project)
    assert Rights(deputy).maintained_organizations() == []


@pytest.mark.seed("004 access requests")
def test_deputy_of_maintainer_decides_access_requests(project):
    hidden = ProjectFactory(privacy="private")
    absent, deputy, asker = person(project, "maintainer"), person(project, "viewer"), MemberFactory()
    ProjectMemberFactory(project=hidden, role="maintainer", member=absent)
    asked, other, own = (
        request_access(actor=actor, project=each)
        for actor, each in ((asker, project), (asker, hidden), (deputy, project))
    )
    decide = reverse("admin:fallback_access_decide", args=[asked.pk])
    inbox = reverse("admin:fallback_inbox")
    client_of(deputy).post(decide, {"role": "reviewer"})
    assert decide not in page_text(client_of(deputy).get(inbox))
    away(absent, deputy)
    shown = page_text(client_of(deputy).get(inbox))
    assert [reverse("admin:fallback_access_decide", args=[each.pk]) in shown for each in (asked, other, own)] == [
        True,
        False,
        False,
    ]
    assert 'value="reviewer"' in shown
    assert 'value="maintainer"' not in shown
    answer = client_of(deputy).post(decide, {"role": "maintainer"}, follow=True)
    assert "Only maintainers give this role." in page_text(answer)
    for each in (other, own):
        client_of(deputy).post(reverse("admin:fallback_access_decide", args=[each.pk]), {"role": "viewer"})
    assert AccessRequest.objects.filter(status="pending").count() == 3
    client_of(deputy).post(decide, {"role": "reviewer"})
    asked.refresh_from_db()
    assert (asked.status, asked.decided_by) == ("approved", deputy)
    assert Rights(asker).allows(Right.REVIEW, project)


@pytest.mark.parametrize("right", Right)
def test_filter_of_projects_agrees_with_each_project(right):
    visible, hidden, other = ProjectFactory(), ProjectFactory(), ProjectFactory()
    absent, deputy = person(visible, "reviewer"), person(visible, "viewer")
    ProjectMemberFactory(project=hidden, role="maintainer", member=absent)
    ProjectMemberFactory(project=other, role="viewer", member=deputy)
    away(absent, deputy)
    rights = Rights(deputy)
    allowed = {each.pk for each in Project.objects.all() if rights.allows(right, each)}
    assert set(rights.projects(right).values_list("pk", flat=True)) == allowed
    assert rights.in_any_project(right) == bool(allowed)
    # A project that the deputy cannot see stays hidden.
    assert hidden.pk not in allowed


# os-zhuang, objectstack pull request 3235: chains and circles of deputies.
def test_deputy_of_an_absent_deputy_stands_in_for_both(project):
    first, second, third = (person(project, role) for role in ("reviewer", "viewer", "viewer"))
    away(first, second)
    away(second, third)
    # A circle ends.
    away(third, first)
    assert Rights(third).allows(Right.REVIEW, project)
    add_comment(
        actor=person(project, "contributor"), mission=MissionFactory(project=project), body=f"@{first.member_id}"
    )
    assert [kinds(each).count("mention") for each in (first, second, third)] == [1, 1, 1]


def test_deputy_who_is_notified_anyway_gets_one(project):
    absent, deputy = person(project, "reviewer"), person(project, "reviewer")
    away(absent, deputy)
    for _time in range(2):
        notify_people(
            actor=Member.objects.system(),
            project=project,
            roles=("reviewer",),
            kind="proposal.waiting",
            title="Proposals",
            payload={},
        )
    assert kinds(deputy).count("proposal.waiting") == 1


@pytest.mark.parametrize(("first", "last", "active"), [(1, 3, False), (-3, 0, True), (0, 0, True)])
def test_absence_counts_on_its_days_only(project, first, last, active):
    absent, deputy = person(project, "reviewer"), person(project, "viewer")
    away(absent, deputy, first=first, last=last)
    assert Rights(deputy).allows(Right.REVIEW, project) == active


def test_inactive_member_gives_no_rights(project):
    absent, deputy = person(project, "reviewer"), person(project, "viewer")
    away(absent, deputy)
    Member.objects.filter(pk=absent.pk).update(is_active=False)
    assert not Rights(deputy).allows(Right.REVIEW, project)


def test_absence_is_rejected(project):
    absent, deputy = MemberFactory(), MemberFactory()
    now = timezone.now()
    with rejected_by("member_absences_not_own_deputy"):
        MemberAbsence.objects.create(member=absent, deputy=absent, starts_at=now, ends_at=now)
    with rejected_by("member_absences_ends_after_start"):
        MemberAbsence.objects.create(member=absent, deputy=deputy, starts_at=now, ends_at=now - timedelta(days=1))
    with pytest.raises(ConstraintViolated, match="must not be before"):
        away(absent, deputy, first=2, last=1)
    with pytest.raises(AbsenceInThePast):
        away(absent, deputy, first=-5, last=-1)
    with pytest.raises(AbsenceTooLong):
        away(absent, deputy, last=366)
    assert away(absent, deputy) == away(absent, deputy)
    assert MemberAbsence.objects.count() == 1


def test_member_enters_and_ends_own_absence(project):
    absent, deputy = person(project, "reviewer"), person(project, "viewer")
    today = timezone.localdate()
    values = {"deputy": deputy.member_id, "first": today, "last": today}
    page = reverse(ABSENCES)
    assert "No active member" in page_text(client_of(absent).post(page, values | {"deputy": "FE-P-99999"}))
    assert "Choose another member" in page_text(client_of(absent).post(page, values | {"deputy": absent.member_id}))
    # Only administrators enter one for others.
    assert client_of(absent).post(page, values | {"member": deputy.member_id}).status_code == 302
    absence = MemberAbsence.objects.get()
    assert absence.member == absent
    end = reverse("admin:fallback_absence_end", args=[absence.pk])
    assert client_of(deputy).post(end).status_code == 403
    assert client_of(person(project, "maintainer")).post(end).status_code == 404
    assert deputy.display_name in page_text(client_of(absent).get(page))
    client_of(absent).post(end)
    assert "No absences." in page_text(client_of(absent).get(page))
    chief = StaffFactory(is_superuser=True)
    assert client_of(chief).post(page, values | {"member": absent.email}).status_code == 302
    assert MemberAbsence.objects.filter(member=absent, ends_at__gt=timezone.now()).count() == 1


# --- Assignments and hand-over ----------------------------------------------------------------


def work_of(member, project) -> tuple[Mission, Mission, object]:
    """A mission to work on, one to review, and a proposal to decide on."""
    first, second = MissionFactory(project=project), MissionFactory(project=project)
    item = ItemFactory(run__project=project)
    system = Member.objects.system()
    assign_mission(actor=system, mission=first, kind="work", member=member)
    assign_mission(actor=system, mission=second, kind="review", member=member)
    assign_item(actor=system, item=item, member=member)
    return first, second, item


@pytest.mark.seed("004 Notifications")
def test_assignment_and_request_of_review_notify_also_the_deputy(project):
    member, deputy = person(project, "reviewer"), person(project, "viewer")
    away(member, deputy)
    work_of(member, project)
    assert kinds(member) == ["mission.assigned", "review.requested", "review.requested"]
    # One for a proposal and one for a mission.
    assert kinds(deputy) == ["deputy.named", *kinds(member)]
    with pytest.raises(AssigneeLacksRight):
        assign_item(actor=member, item=ItemFactory(run__project=project), member=person(project, "contributor"))


def test_assignment_is_changed_and_removed_on_the_page(project):
    member, other = person(project, "contributor"), person(project, "contributor")
    mission = MissionFactory(project=project)
    page = reverse("admin:fallback_mission_assign", args=[mission.pk])
    for given, expected in ((member, [member.pk]), (other, [other.pk]), (None, [])):
        values = {"kind": "work", "member": given.member_id if given else ""}
        assert client_of(member).post(page, values).status_code == 302
        assert list(mission.assignments.values_list("member", flat=True)) == expected
    outsider = StaffFactory()
    answer = client_of(member).post(page, {"kind": "work", "member": outsider.member_id})
    assert "has no role in the project" in page_text(answer)
    assert project.activity.filter(type="assignment.changed").count() == 3


@pytest.mark.seed("004 Notifications")
def test_hand_over_moves_open_work_and_leaves_the_rest(project):
    leaver, heir, chief = person(project, "reviewer"), person(project, "reviewer"), person(project, "maintainer")
    first, second, item = work_of(leaver, project)
    done = MissionFactory(project=project)
    assign_mission(actor=chief, mission=done, kind="work", member=leaver)
    Mission.objects.filter(pk=done.pk).update(list="done")
    # Neither in a project that the maintainer does not maintain, nor in one where the heir has no role.
    foreign, narrow = ProjectFactory(), ProjectFactory()
    for each in (foreign, narrow):
        ProjectMemberFactory(project=each, role="reviewer", member=leaver)
        work_of(leaver, each)
    ProjectMemberFactory(project=narrow, role="maintainer", member=chief)
    browser, page = client_of(chief), reverse(HAND_OVER)
    values = {"member": leaver.email, "to": heir.member_id}
    preview = page_text(browser.post(page, values | {"step": "preview"}))
    assert "6 open assignments" in preview
    assert "has no right to do it" in preview
    assert foreign.name not in preview
    assert MissionAssignment.objects.filter(member=heir).count() == 0
    answer = browser.post(page, values, follow=True)
    assert "3 assignments handed over. 3 were left." in page_text(answer)
    moved = MissionAssignment.objects.filter(member=heir)
    assert {(each.mission, each.item) for each in moved} == {(first, None), (second, None), (None, item)}
    assert project.activity.filter(type="assignment.handed_over").count() == 3
    assert kinds(heir) == ["mission.assigned", "review.requested", "review.requested"]
    assert hand_over(actor=chief, member=leaver, to=heir) == (0, 3)
    with pytest.raises(HandOverToSame):
        hand_over(actor=chief, member=leaver, to=leaver)
    assert client_of(leaver).get(page).status_code == 403


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"kind": "lost"}, "mission_assignments_kind_known"),
        ({"kind": "work", "both": True}, "mission_assignments_of_one"),
        ({"kind": "work", "twice": True}, "mission_assignments_of_mission"),
        ({"kind": "review", "item": True, "twice": True}, "mission_assignments_of_item"),
    ],
)
def test_table_rejects(project, values, constraint):
    item = ItemFactory(run__project=project)
    row = {"member": MemberFactory(), "kind": values["kind"]}
    if not values.get("item"):
        row["mission"] = MissionFactory(project=project)
    if values.get("item") or values.get("both"):
        row["item"] = item
    if values.get("twice"):
        MissionAssignment.objects.create(**row)
    with rejected_by(constraint):
        MissionAssignment.objects.create(**row)
