"""Receivers of the events of groups."""

import pytest

from engagement.models import EngagementMessage, UserEngagementState, UserProfile
from engagement.services.messages import enqueue
from engagement.services.profiles import opt_in, opt_out
from engagement.services.sending import MessageSender
from engagement.transports.file import FileTransport
from groups.models import Member
from groups.services import directory
from groups.services.erasure import erase
from groups.services.memberships import change_role, join_mission
from groups.services.tasks import claim_task, complete_task, create_task
from tests.support.factories.directory import EntryFactory
from tests.support.factories.groups import MemberFactory, MissionFactory, StaffFactory

pytestmark = pytest.mark.django_db


def steps_of(member):
    return {
        step
        for steps in UserProfile.objects.get(pk=member.pk).onboarding_tier_progress.values()
        for step in steps
        if step != "completed_at"
    }


def test_approval_queues_welcome_once(django_capture_on_commit_callbacks):
    entry = EntryFactory(person=MemberFactory(), status="pending")
    with django_capture_on_commit_callbacks(execute=True):
        directory.approve(entry=entry, actor=StaffFactory())
    assert EngagementMessage.objects.get(user=entry.person).message_type == "welcome"
    assert UserEngagementState.objects.get(user=entry.person).state == "active"
    with django_capture_on_commit_callbacks(execute=True):
        directory.suspend(actor=Member.objects.system(), entry=entry)
        directory.reinstate(actor=Member.objects.system(), entry=entry)
    assert EngagementMessage.objects.filter(user=entry.person).count() == 1


@pytest.mark.seed("002 Subtask 5.5")
def test_first_mission_sets_magic_moment(django_capture_on_commit_callbacks):
    member = MemberFactory()
    with django_capture_on_commit_callbacks(execute=True):
        first = join_mission(actor=member, member=member, mission=MissionFactory())
    profile = UserProfile.objects.get(pk=member.pk)
    assert profile.magic_moment_at == first.joined_at
    with django_capture_on_commit_callbacks(execute=True):
        join_mission(actor=member, member=member, mission=MissionFactory())
    profile.refresh_from_db()
    assert profile.magic_moment_at == first.joined_at
    assert steps_of(member) == {"join_mission"}


def test_roles_and_tasks_complete_steps(django_capture_on_commit_callbacks):
    member, mission = MemberFactory(), MissionFactory()
    with django_capture_on_commit_callbacks(execute=True):
        membership = join_mission(actor=member, member=member, mission=mission, role="Lead")
        change_role(actor=Member.objects.system(), membership=membership, role="Mentor")
        task = create_task(actor=Member.objects.system(), group=mission, title="Water the plants")
        claim_task(task=task, member=member, actor=member)
        complete_task(task=task, actor=member)
    assert steps_of(member) == {"join_mission", "lead_mission", "mentor_member", "complete_task"}


def test_adding_a_member_by_staff_is_no_activity(django_capture_on_commit_callbacks):
    member = MemberFactory()
    with django_capture_on_commit_callbacks(execute=True):
        join_mission(member=member, mission=MissionFactory(), actor=StaffFactory())
    assert not UserEngagementState.objects.filter(user=member).exists()


@pytest.mark.parametrize(
    ("change", "by_member", "is_activity"),
    [
        (opt_in, True, True),
        (opt_in, False, False),
        (opt_out, True, False),
    ],
)
def test_opting_in_again_is_activity(django_capture_on_commit_callbacks, change, by_member, is_activity):
    """By the unsubscribe page, the API or a message."""
    member = MemberFactory()
    UserProfile.objects.filter(pk=member.pk).update(reengagement_opt_out=change is opt_in)
    with django_capture_on_commit_callbacks(execute=True):
        change(member=member, actor=member if by_member else StaffFactory())
    assert UserEngagementState.objects.filter(user=member).exists() == is_activity


def test_erasure_deletes_outbox_files(django_capture_on_commit_callbacks, tmp_path, settings):
    settings.ENGAGEMENT_OUTBOX = tmp_path
    entry, other = (EntryFactory(person=MemberFactory()) for _ in range(2))
    for each in (entry, other):
        enqueue(member=each.person, message_type="welcome")
    assert MessageSender(FileTransport()).drain().sent == 2
    assert len(list(tmp_path.glob("*/*.json"))) == 2
    with django_capture_on_commit_callbacks(execute=True):
        erase(entry=entry, actor=StaffFactory())
    (left,) = tmp_path.glob("*/*.json")
    assert other.person.display_name in left.read_text()
