"""Services of members, groups, memberships and tasks: results, errors and events."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups.errors import (
    ColonyArchived,
    ColonyHasActiveMissions,
    GroupIsActive,
    GroupIsArchived,
    MemberInactive,
    MembershipEnded,
    MissionArchived,
    NotAMember,
    ParentIsNoColony,
    TaskMissionArchived,
    TaskStateRejected,
    TrustTooLow,
)
from groups.models import Event, Member, Membership, Task
from groups.services import groups, members, memberships, tasks
from missionsite.common.accounts.addresses import is_address_unconfirmed
from missionsite.common.audit.history import LaterChange, NothingToRevert, changes_of, revert_change
from missionsite.common.models import SecurityEvent
from tests.support.errors import violates
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


@pytest.mark.seed("000 events membership.created and membership.ended")
def test_join_adds_membership_and_event():
    member, mission, ana = MemberFactory(), MissionFactory(), StaffFactory()
    membership = memberships.join_mission(member=member, mission=mission, actor=ana, role=" Host ", reason="asked to")
    assert (membership.status, membership.left_at, membership.role) == ("active", None, "Host")
    event = last_event()
    assert (event.type, event.actor, event.member, event.group) == ("membership.created", ana, member, mission)
    assert event.payload == {"membership": str(membership.pk), "role": "Host", "reason": "asked to"}


def test_joining_and_leaving_make_few_queries(django_assert_num_queries, django_capture_on_commit_callbacks):
    member, mission = MemberFactory(), MissionFactory()
    with django_capture_on_commit_callbacks(execute=True):
        memberships.join_mission(actor=member, member=member, mission=mission)
    # Savepoint, update, event, release.
    with django_assert_num_queries(4):
        memberships.leave_mission(actor=member, member=member, mission=mission)
    # Savepoint, mission and member, membership, event, open request, release; after it, the completed step.
    with django_assert_num_queries(7), django_capture_on_commit_callbacks(execute=True):
        memberships.join_mission(actor=member, member=member, mission=mission)


def test_join_rejects_archived_mission():
    with pytest.raises(MissionArchived):
        memberships.join_mission(
            actor=Member.objects.system(), member=MemberFactory(), mission=MissionFactory(status="archived")
        )


def test_join_rejects_low_trust_with_missing_points():
    member, mission = MemberFactory(trust_score=120), MissionFactory(min_trust_score=250)
    with pytest.raises(TrustTooLow, match="250; this member has 120, 130 too few") as rejected:
        memberships.join_mission(actor=member, member=member, mission=mission)
    assert rejected.value.missing == 130
    assert not Membership.objects.exists()
    assert not Event.objects.exists()


def test_join_accepts_trust_at_threshold():
    memberships.join_mission(
        actor=Member.objects.system(),
        member=MemberFactory(trust_score=250),
        mission=MissionFactory(min_trust_score=250),
    )


def test_join_reads_current_rows():
    member, mission = MemberFactory(trust_score=10), MissionFactory(min_trust_score=10)
    Member.objects.filter(pk=member.pk).update(trust_score=9)
    with pytest.raises(TrustTooLow):
        memberships.join_mission(actor=member, member=member, mission=mission)


def test_join_rejects_current_member_and_transaction_continues():
    membership = MembershipFactory()
    with violates("idx_memberships_active_unique") as rejected:
        memberships.join_mission(actor=membership.member, member=membership.member, mission=membership.group)
    assert rejected.value.field == "member"
    assert Membership.objects.count() == 1


def test_join_rejects_deactivated_member():
    with pytest.raises(MemberInactive):
        memberships.join_mission(
            actor=Member.objects.system(), member=MemberFactory(is_active=False), mission=MissionFactory()
        )


def test_join_requires_role():
    with violates("memberships_role_not_empty"):
        memberships.join_mission(
            actor=Member.objects.system(), member=MemberFactory(), mission=MissionFactory(), role="  "
        )


@pytest.mark.seed("000 AC3", "000 leaving and joining again")
def test_leave_keeps_row_and_rejoin_adds_row():
    member, mission = MemberFactory(), MissionFactory()
    first = memberships.join_mission(actor=member, member=member, mission=mission)
    left = memberships.leave_mission(actor=member, member=member, mission=mission, reason="moved away")
    assert (left.pk, left.status) == (first.pk, "left")
    assert (last_event().type, last_event().payload["reason"]) == ("membership.ended", "moved away")
    second = memberships.join_mission(actor=member, member=member, mission=mission)
    assert second.pk != first.pk
    assert list(member.memberships.order_by("status").values_list("status", flat=True)) == ["active", "left"]


def test_leave_rejects_non_member():
    membership = MembershipFactory(ended=True)
    with pytest.raises(NotAMember):
        memberships.leave_mission(actor=membership.member, member=membership.member, mission=membership.group)


def test_leave_rejects_date_before_joining():
    membership = MembershipFactory()
    with violates("memberships_left_after_joining"):
        memberships.leave_mission(
            actor=membership.member,
            member=membership.member,
            mission=membership.group,
            left_at=timezone.now() - timedelta(days=1),
        )
    membership.refresh_from_db()
    assert membership.is_active


def test_change_role_event_contains_old_role():
    membership = MembershipFactory(role="Member")
    memberships.change_role(actor=Member.objects.system(), membership=membership, role="Editor")
    membership.refresh_from_db()
    assert membership.role == "Editor"
    assert last_event().payload["changed"] == {"role": ["Member", "Editor"]}


def test_change_role_to_same_role_records_no_event():
    memberships.change_role(actor=Member.objects.system(), membership=MembershipFactory(role="Host"), role="Host")
    assert last_event() is None


def test_change_role_rejects_ended_membership():
    with pytest.raises(MembershipEnded):
        memberships.change_role(actor=Member.objects.system(), membership=MembershipFactory(ended=True), role="Host")


def test_as_of_returns_memberships_active_then():
    now = timezone.now()
    membership = MembershipFactory(
        joined_at=now - timedelta(days=20), left_at=now - timedelta(days=10), status=Membership.Status.LEFT
    )
    again = MembershipFactory(member=membership.member, group=membership.group, joined_at=now - timedelta(days=5))
    found = {days: list(Membership.objects.as_of(now - timedelta(days=days))) for days in (21, 20, 15, 10, 7, 5, 0)}
    assert found == {21: [], 20: [membership], 15: [membership], 10: [], 7: [], 5: [again], 0: [again]}


# --- Missions and colonies --------------------------------------------------------------------


def test_create_mission():
    mission = groups.create_mission(
        actor=Member.objects.system(), name="Night watch", colony=ColonyFactory(), min_trust_score=40
    )
    assert (mission.status, mission.min_trust_score, last_event().type) == ("active", 40, "group.created")


def test_colony_has_no_threshold():
    assert groups.create_colony(actor=Member.objects.system(), name="Root").min_trust_score is None


def test_create_mission_rejects_archived_colony():
    with pytest.raises(ColonyArchived):
        groups.create_mission(actor=Member.objects.system(), name="X", colony=ColonyFactory(status="archived"))
    with pytest.raises(ParentIsNoColony):
        groups.create_mission(actor=Member.objects.system(), name="X", colony=MissionFactory())


def test_threshold_rejects_negative_value():
    with violates("groups_threshold_not_negative") as rejected:
        groups.create_mission(actor=Member.objects.system(), name="X", colony=ColonyFactory(), min_trust_score=-1)
    assert rejected.value.field == "min_trust_score"


def test_update_group_event_contains_old_and_new_values():
    mission = MissionFactory(name="Old", min_trust_score=5)
    groups.update_group(actor=Member.objects.system(), group=mission, name="New", min_trust_score=5)
    assert last_event().payload == {"changed": {"name": ["Old", "New"]}}


def test_archive_and_restore_group():
    membership = MembershipFactory()
    groups.archive_group(actor=Member.objects.system(), group=membership.group, reason="season over")
    assert last_event().payload == {"reason": "season over"}
    with pytest.raises(GroupIsArchived):
        groups.archive_group(actor=Member.objects.system(), group=membership.group)
    groups.restore_group(actor=Member.objects.system(), group=membership.group)
    assert last_event().type == "group.restored"
    assert membership.group.memberships.active().count() == 1
    with pytest.raises(GroupIsActive):
        groups.restore_group(actor=Member.objects.system(), group=membership.group)


def test_archive_rejects_colony_with_active_missions():
    mission = MissionFactory()
    with pytest.raises(ColonyHasActiveMissions):
        groups.archive_group(actor=Member.objects.system(), group=mission.parent_group)
    groups.archive_group(actor=Member.objects.system(), group=mission)
    groups.archive_group(actor=Member.objects.system(), group=mission.parent_group)
    with pytest.raises(ColonyArchived):
        groups.restore_group(actor=Member.objects.system(), group=mission)


# --- Members ----------------------------------------------------------------------------------


def test_email_is_unique_in_any_case():
    MemberFactory(email="ana@example.org")
    with violates("members_email_unique") as rejected:
        members.create_member(actor=Member.objects.system(), email="ANA@example.org", display_name="Ana")
    assert rejected.value.field == "email"


def test_edit_event_contains_no_personal_data():
    member = MemberFactory()
    members.update_member(
        actor=Member.objects.system(), member=member, email="new@example.org", display_name="New", trust_score=7
    )
    assert last_event().payload["changed"] == {
        "email": "changed",
        "display_name": "changed",
        "trust_score": [0, 7],
    }


def test_trust_score_rejects_negative_value():
    with violates("members_trust_score_not_negative"):
        members.update_member(actor=Member.objects.system(), member=MemberFactory(), trust_score=-1)


def test_login_accepts_email_in_any_case(client):
    MemberFactory(email="Ana@example.org", password="correct horse battery staple")
    assert client.login(username="ana@EXAMPLE.org", password="correct horse battery staple")


def test_system_member_cannot_get_password():
    system = Member.objects.system()
    with violates("members_system_cannot_log_in"):
        members.update_member(actor=Member.objects.system(), member=system, is_staff=True)


# --- Tasks ------------------------------------------------------------------------------------


def test_complete_task_adds_reward_to_trust_score():
    membership = MembershipFactory()
    task = tasks.create_task(actor=Member.objects.system(), group=membership.group, title="Write", reward_points=30)
    tasks.claim_task(actor=membership.member, task=task, member=membership.member)
    done = tasks.complete_task(actor=Member.objects.system(), task=task)
    assert (done.state, done.claimed_by) == ("done", membership.member)
    membership.member.refresh_from_db()
    assert membership.member.trust_score == 30
    with pytest.raises(TaskStateRejected, match="This task is “Done”"):
        tasks.complete_task(actor=Member.objects.system(), task=task)


def test_claim_task_rejects_non_member():
    task = TaskFactory()
    with pytest.raises(NotAMember, match="Add them to the mission first"):
        tasks.claim_task(actor=Member.objects.system(), task=task, member=MemberFactory())
    membership = MembershipFactory(group=task.group, member=MemberFactory(is_active=False))
    with pytest.raises(MemberInactive):
        tasks.claim_task(actor=membership.member, task=task, member=membership.member)


def test_reopen_accepts_cancelled_task():
    task = TaskFactory()
    tasks.cancel_task(actor=Member.objects.system(), task=task, reason="not needed")
    assert tasks.reopen_task(actor=Member.objects.system(), task=task).state == Task.State.OPEN


def test_create_task_rejects_archived_mission():
    with pytest.raises(TaskMissionArchived):
        tasks.create_task(actor=Member.objects.system(), group=MissionFactory(status="archived"), title="Late")


def test_reopen_task_rejects_archived_mission():
    task = TaskFactory()
    tasks.cancel_task(actor=Member.objects.system(), task=task)
    groups.archive_group(actor=Member.objects.system(), group=task.group)
    with pytest.raises(TaskMissionArchived):
        tasks.reopen_task(actor=Member.objects.system(), task=task)


def test_reward_rejects_negative_value():
    with violates("tasks_reward_not_negative"):
        tasks.update_task(actor=Member.objects.system(), task=TaskFactory(), reward_points=-5)


# --- History ----------------------------------------------------------------------------------


def test_history_records_every_write_path():
    mission = MissionFactory(name="One")
    groups.update_group(actor=Member.objects.system(), group=mission, name="Two")
    type(mission).objects.filter(pk=mission.pk).update(min_trust_score=9, name="Three")
    newest, older, first = changes_of(mission)
    assert {(f.name, f.before, f.after) for f in newest.fields} == {
        ("name", "Two", "Three"),
        ("min_trust_score", 0, 9),
    }
    assert [(f.name, f.before, f.after) for f in older.fields] == [("name", "One", "Two")]
    assert (first.label, first.fields) == ("insert", [])


def test_revert_changes_only_its_fields():
    mission = MissionFactory(name="One")
    groups.update_group(actor=Member.objects.system(), group=mission, name="Two")
    groups.update_group(actor=Member.objects.system(), group=mission, min_trust_score=9)
    renamed = changes_of(mission)[1]
    reverted = revert_change(actor=Member.objects.system(), change=renamed)
    assert (reverted.name, reverted.min_trust_score) == ("One", 9)
    assert last_event().type == "group.reverted"


def test_revert_rejects_later_edit():
    mission = MissionFactory(name="One")
    groups.update_group(actor=Member.objects.system(), group=mission, name="Two")
    groups.update_group(actor=Member.objects.system(), group=mission, name="Three")
    with pytest.raises(LaterChange, match="A later edit changed name"):
        revert_change(actor=Member.objects.system(), change=changes_of(mission)[1])
    mission.refresh_from_db()
    assert mission.name == "Three"


def test_revert_rejects_first_entry():
    with pytest.raises(NothingToRevert):
        revert_change(actor=Member.objects.system(), change=changes_of(MissionFactory())[0])


def test_revert_respects_constraints():
    membership = MembershipFactory()
    memberships.leave_mission(actor=membership.member, member=membership.member, mission=membership.group)
    memberships.join_mission(actor=membership.member, member=membership.member, mission=membership.group)
    with violates("idx_memberships_active_unique"):
        revert_change(actor=Member.objects.system(), change=changes_of(membership)[0])


def test_login_and_password_add_no_history():
    member = MemberFactory(password="correct horse battery staple")
    entries = len(changes_of(member))
    member.last_login = timezone.now()
    member.set_password("another one entirely")
    member.save()
    assert len(changes_of(member)) == entries


def test_reverted_rights_and_address_have_consequences():
    root, member = StaffFactory(is_superuser=True), MemberFactory(email="ana@example.org")
    members.update_member(actor=root, member=member, is_staff=True)
    staff = changes_of(member)[0]
    members.update_member(actor=root, member=member, email="new@example.org")
    members.revert_member(actor=root, change=changes_of(member)[0])
    assert is_address_unconfirmed(Member.objects.get(pk=member.pk))
    members.revert_member(actor=root, change=staff)
    rows = SecurityEvent.objects.filter(member=member).order_by("pk").values_list("type", "payload")
    assert list(rows)[-3:] == [
        ("member.changed", {"changed": {"email": "changed"}}),
        ("member.changed", {"changed": {"is_staff": [True, False]}}),
        ("access.ended", {"reason": "is_staff"}),
    ]
