"""What the services do, what they reject in words, and the event each leaves."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups.errors import (
    AlreadyMember,
    ColonyArchived,
    ColonyHasActiveMissions,
    EmailTaken,
    GroupIsActive,
    GroupIsArchived,
    LaterChange,
    LeftBeforeJoining,
    MemberInactive,
    MembershipEnded,
    MissionArchived,
    NotAMember,
    NothingToRevert,
    ParentIsNoColony,
    RewardNegative,
    RoleMissing,
    SystemMemberLocked,
    TaskMissionArchived,
    TaskStateRejected,
    ThresholdNegative,
    TrustScoreNegative,
    TrustTooLow,
)
from groups.models import Event, Member, Membership, Task
from groups.models.members import SYSTEM_MEMBER_ID
from groups.services import groups, members, memberships, tasks
from groups.services.history import changes_of, revert_change
from tests.support.factories.groups import (
    ColonyFactory,
    MemberFactory,
    MembershipFactory,
    MissionFactory,
    StaffFactory,
    TaskFactory,
)

pytestmark = pytest.mark.django_db


def last_event():
    return Event.objects.order_by("-pk").first()


# --- Memberships ------------------------------------------------------------------------------------


def test_join_adds_membership_and_event():
    member, mission, ana = MemberFactory(), MissionFactory(), StaffFactory()
    membership = memberships.join_mission(member=member, mission=mission, actor=ana, role=" Host ", reason="asked to")
    assert (membership.status, membership.left_at, membership.role) == ("active", None, "Host")
    event = last_event()
    assert (event.type, event.actor, event.member, event.group) == ("membership.created", ana, member, mission)
    assert event.payload == {"membership": str(membership.pk), "role": "Host", "reason": "asked to"}


def test_joining_an_archived_mission_is_rejected():
    with pytest.raises(MissionArchived):
        memberships.join_mission(member=MemberFactory(), mission=MissionFactory(status="archived"))


def test_joining_below_the_threshold_says_by_how_much():
    member, mission = MemberFactory(trust_score=120), MissionFactory(min_trust_score=250)
    with pytest.raises(TrustTooLow, match="250; this member has 120, 130 too few") as rejected:
        memberships.join_mission(member=member, mission=mission)
    assert rejected.value.missing == 130
    assert not Membership.objects.exists()
    assert not Event.objects.exists()


def test_joining_at_the_threshold_works():
    memberships.join_mission(member=MemberFactory(trust_score=250), mission=MissionFactory(min_trust_score=250))


def test_joining_goes_by_the_rows_not_by_old_copies_of_them():
    member, mission = MemberFactory(trust_score=10), MissionFactory(min_trust_score=10)
    Member.objects.filter(pk=member.pk).update(trust_score=9)
    with pytest.raises(TrustTooLow):
        memberships.join_mission(member=member, mission=mission)


def test_joining_twice_is_rejected_and_the_transaction_goes_on():
    membership = MembershipFactory()
    with pytest.raises(AlreadyMember) as rejected:
        memberships.join_mission(member=membership.member, mission=membership.group)
    assert rejected.value.field == "member"
    assert Membership.objects.count() == 1


def test_a_deactivated_member_joins_nothing():
    with pytest.raises(MemberInactive):
        memberships.join_mission(member=MemberFactory(is_active=False), mission=MissionFactory())


def test_join_requires_role():
    with pytest.raises(RoleMissing):
        memberships.join_mission(member=MemberFactory(), mission=MissionFactory(), role="  ")


def test_leaving_keeps_the_row_and_rejoining_makes_another():
    member, mission = MemberFactory(), MissionFactory()
    first = memberships.join_mission(member=member, mission=mission)
    left = memberships.leave_mission(member=member, mission=mission, reason="moved away")
    assert (left.pk, left.status) == (first.pk, "left")
    assert (last_event().type, last_event().payload["reason"]) == ("membership.ended", "moved away")
    second = memberships.join_mission(member=member, mission=mission)
    assert second.pk != first.pk
    assert list(member.memberships.order_by("status").values_list("status", flat=True)) == ["active", "left"]


def test_leave_rejects_non_member():
    membership = MembershipFactory(ended=True)
    with pytest.raises(NotAMember):
        memberships.leave_mission(member=membership.member, mission=membership.group)


def test_no_one_leaves_before_they_joined():
    membership = MembershipFactory()
    with pytest.raises(LeftBeforeJoining):
        memberships.leave_mission(
            member=membership.member, mission=membership.group, left_at=timezone.now() - timedelta(days=1)
        )
    membership.refresh_from_db()
    assert membership.is_active


def test_changing_a_role_says_what_it_was():
    membership = MembershipFactory(role="Member")
    memberships.change_role(membership=membership, role="Editor")
    membership.refresh_from_db()
    assert membership.role == "Editor"
    assert last_event().payload["changed"] == {"role": ["Member", "Editor"]}


def test_changing_a_role_to_itself_leaves_no_event():
    memberships.change_role(membership=MembershipFactory(role="Host"), role="Host")
    assert last_event() is None


def test_change_role_rejects_ended_membership():
    with pytest.raises(MembershipEnded):
        memberships.change_role(membership=MembershipFactory(ended=True), role="Host")


def test_who_was_there_on_a_day():
    now = timezone.now()
    membership = MembershipFactory(
        joined_at=now - timedelta(days=20), left_at=now - timedelta(days=10), status=Membership.Status.LEFT
    )
    again = MembershipFactory(member=membership.member, group=membership.group, joined_at=now - timedelta(days=5))
    found = {days: list(Membership.objects.as_of(now - timedelta(days=days))) for days in (21, 20, 15, 10, 7, 5, 0)}
    assert found == {21: [], 20: [membership], 15: [membership], 10: [], 7: [], 5: [again], 0: [again]}


# --- Missions and colonies --------------------------------------------------------------------


def test_creating_a_mission():
    mission = groups.create_mission(name="Night watch", colony=ColonyFactory(), min_trust_score=40)
    assert (mission.status, mission.min_trust_score, last_event().type) == ("active", 40, "group.created")


def test_a_colony_has_no_threshold():
    assert groups.create_colony(name="Root").min_trust_score is None


def test_a_mission_belongs_to_an_active_colony():
    with pytest.raises(ColonyArchived):
        groups.create_mission(name="X", colony=ColonyFactory(status="archived"))
    with pytest.raises(ParentIsNoColony):
        groups.create_mission(name="X", colony=MissionFactory())


def test_a_threshold_is_not_negative():
    with pytest.raises(ThresholdNegative) as rejected:
        groups.create_mission(name="X", colony=ColonyFactory(), min_trust_score=-1)
    assert rejected.value.field == "min_trust_score"


def test_editing_a_mission_records_before_and_after():
    mission = MissionFactory(name="Old", min_trust_score=5)
    groups.update_group(group=mission, name="New", min_trust_score=5)
    assert last_event().payload == {"changed": {"name": ["Old", "New"]}}


def test_archiving_and_restoring():
    membership = MembershipFactory()
    groups.archive_group(group=membership.group, reason="season over")
    assert last_event().payload == {"reason": "season over"}
    with pytest.raises(GroupIsArchived):
        groups.archive_group(group=membership.group)
    groups.restore_group(group=membership.group)
    assert last_event().type == "group.restored"
    assert membership.group.memberships.active().count() == 1
    with pytest.raises(GroupIsActive):
        groups.restore_group(group=membership.group)


def test_a_colony_is_archived_after_its_missions_and_restored_before_them():
    mission = MissionFactory()
    with pytest.raises(ColonyHasActiveMissions):
        groups.archive_group(group=mission.parent_group)
    groups.archive_group(group=mission)
    groups.archive_group(group=mission.parent_group)
    with pytest.raises(ColonyArchived):
        groups.restore_group(group=mission)


# --- Members ----------------------------------------------------------------------------------


def test_an_email_is_taken_whatever_its_case():
    MemberFactory(email="ana@example.org")
    with pytest.raises(EmailTaken) as rejected:
        members.create_member(email="ANA@example.org", display_name="Ana")
    assert rejected.value.field == "email"


def test_the_event_of_an_edit_holds_no_personal_data():
    member = MemberFactory()
    members.update_member(member=member, email="new@example.org", display_name="New", trust_score=7)
    assert last_event().payload["changed"] == {
        "email": "changed",
        "display_name": "changed",
        "trust_score": [0, 7],
    }


def test_a_trust_score_is_not_negative():
    with pytest.raises(TrustScoreNegative):
        members.update_member(member=MemberFactory(), trust_score=-1)


def test_log_in_by_email_whatever_its_case(client):
    MemberFactory(email="Ana@example.org", password="correct horse battery staple")
    assert client.login(username="ana@EXAMPLE.org", password="correct horse battery staple")


def test_the_system_member_cannot_be_given_a_way_in():
    system = MemberFactory(id=SYSTEM_MEMBER_ID)
    with pytest.raises(SystemMemberLocked):
        members.update_member(member=system, is_staff=True)


# --- Tasks ------------------------------------------------------------------------------------


def test_a_task_from_open_to_done_pays_its_reward():
    membership = MembershipFactory()
    task = tasks.create_task(group=membership.group, title="Write", reward_points=30)
    tasks.claim_task(task=task, member=membership.member)
    done = tasks.complete_task(task=task)
    assert (done.state, done.claimed_by) == ("done", membership.member)
    membership.member.refresh_from_db()
    assert membership.member.trust_score == 30
    with pytest.raises(TaskStateRejected, match="This task is done"):
        tasks.complete_task(task=task)


def test_only_people_of_the_mission_claim_its_tasks():
    task = TaskFactory()
    with pytest.raises(NotAMember, match="Add them to the mission first"):
        tasks.claim_task(task=task, member=MemberFactory())
    membership = MembershipFactory(group=task.group, member=MemberFactory(is_active=False))
    with pytest.raises(MemberInactive):
        tasks.claim_task(task=task, member=membership.member)


def test_a_cancelled_task_can_be_opened_again():
    task = TaskFactory()
    tasks.cancel_task(task=task, reason="not needed")
    assert tasks.reopen_task(task=task).state == Task.State.OPEN


def test_an_archived_mission_takes_no_new_task():
    with pytest.raises(TaskMissionArchived):
        tasks.create_task(group=MissionFactory(status="archived"), title="Late")


def test_an_archived_mission_reopens_no_task():
    task = TaskFactory()
    tasks.cancel_task(task=task)
    groups.archive_group(group=task.group)
    with pytest.raises(TaskMissionArchived):
        tasks.reopen_task(task=task)


def test_a_reward_is_not_negative():
    with pytest.raises(RewardNegative):
        tasks.update_task(task=TaskFactory(), reward_points=-5)


# --- History ----------------------------------------------------------------------------------


def test_history_sees_every_door_field_by_field():
    mission = MissionFactory(name="One")
    groups.update_group(group=mission, name="Two")
    type(mission).objects.filter(pk=mission.pk).update(min_trust_score=9, name="Three")
    newest, older, first = changes_of(mission)
    assert {(f.name, f.before, f.after) for f in newest.fields} == {
        ("name", "Two", "Three"),
        ("min_trust_score", 0, 9),
    }
    assert [(f.name, f.before, f.after) for f in older.fields] == [("name", "One", "Two")]
    assert (first.label, first.fields) == ("insert", [])


def test_reverting_one_change_leaves_the_others():
    mission = MissionFactory(name="One")
    groups.update_group(group=mission, name="Two")
    groups.update_group(group=mission, min_trust_score=9)
    renamed = changes_of(mission)[1]
    reverted = revert_change(change=renamed)
    assert (reverted.name, reverted.min_trust_score) == ("One", 9)
    assert last_event().type == "group.reverted"


def test_a_later_edit_is_reported_not_overwritten():
    mission = MissionFactory(name="One")
    groups.update_group(group=mission, name="Two")
    groups.update_group(group=mission, name="Three")
    with pytest.raises(LaterChange, match="A later edit changed name"):
        revert_change(change=changes_of(mission)[1])
    mission.refresh_from_db()
    assert mission.name == "Three"


def test_the_first_entry_cannot_be_taken_back():
    with pytest.raises(NothingToRevert):
        revert_change(change=changes_of(MissionFactory())[0])


def test_reverting_cannot_break_a_rule():
    membership = MembershipFactory()
    memberships.leave_mission(member=membership.member, mission=membership.group)
    memberships.join_mission(member=membership.member, mission=membership.group)
    with pytest.raises(AlreadyMember):
        revert_change(change=changes_of(membership)[0])


def test_logging_in_and_passwords_leave_no_history():
    member = MemberFactory(password="correct horse battery staple")
    entries = len(changes_of(member))
    member.last_login = timezone.now()
    member.set_password("another one entirely")
    member.save()
    assert len(changes_of(member)) == entries
