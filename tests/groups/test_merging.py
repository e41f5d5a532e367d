"""Merging two people and undoing it: every reference is registered, moves once and comes back."""

import random

import pytest
from django.apps import apps
from django.contrib.auth.models import Group as Role
from django.urls import reverse
from django.utils import timezone

from fallback.models import AccessRequest, MemberAbsence, MissionAssignment, MissionComment, MissionStar, ProjectMember
from groups.merge_errors import MergeNotUndone, MergeRejected
from groups.models import CommunityMember, Event, JoinRequest, Member, MemberMerge, Membership
from groups.selectors.people import Person, find_person, numbers_of, person_of_account, person_of_entry, resolve_entry
from groups.services import merging
from groups.services.erasure import erase
from groups.services.join_requests import request_to_join
from groups.services.merging import merge_people, undo_merge
from missionsite.common.errors import DomainError
from missionsite.common.references import Moves, Stays, references
from tests.support.admin import client, client_of, page_text, staff
from tests.support.concurrency import CONTROL_ROUNDS, ROUNDS, crowd
from tests.support.database import rejected_by, rows
from tests.support.factories.directory import EntryFactory
from tests.support.factories.fallback import MissionFactory as BoardMissionFactory
from tests.support.factories.fallback import ProjectFactory, ProjectMemberFactory
from tests.support.factories.groups import MemberFactory, MembershipFactory, MissionFactory, TaskFactory
from tests.support.sample import asks_all

pytestmark = pytest.mark.django_db

# Tables that say what happened; everything else is the same after undoing a merge.
LOGS = ("events", "django_admin_log", "security_events", "member_merges", "member_merge_rows", "pghistory_context")


def system() -> Member:
    return Member.objects.system()


def merge(kept: Person, absorbed: Person, **options) -> MemberMerge:
    return merge_people(actor=system(), kept=kept, absorbed=absorbed, **options)


def person(**fields) -> Person:
    return person_of_entry(EntryFactory(with_account=True, **fields))


# Triggers write these rows again, with other IDs.
DERIVED = {"member_addresses": "- 'id'"}


def dump() -> dict[str, list[str]]:
    """Return all rows of all tables, without logs, history, and the time of the last change of a row."""
    tables = rows("""
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
            AND c.relname NOT LIKE '%%history' AND has_table_privilege(c.oid, 'SELECT')
    """)
    return {
        table: sorted(
            row for (row,) in rows(f"SELECT (to_jsonb(t) - 'updated_at' {DERIVED.get(table, '')})::text FROM {table} t")
        )
        for (table,) in tables
        if table not in LOGS and not table.startswith(("procrastinate", "audit_")) and table != "mission_counters"
    }


# --- What is registered -------------------------------------------------------------------------


def test_every_reference_to_a_person_is_registered():
    known = {(reference.model.lower(), reference.field) for reference in references()}
    found = {
        (model._meta.label_lower, field.name)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_fields
        if field.related_model in (Member, CommunityMember) and not model._meta.proxy
    }
    assert found == known
    assert all(str(reference.why) for reference in references() if isinstance(reference, Stays))
    assert any(isinstance(reference, Moves) for reference in references())


# --- Merging ------------------------------------------------------------------------------------


def test_memberships_tasks_roles_and_projects_move():
    kept, absorbed = person(name="Ana"), person(name="Ana S", organization="Lab", telegram_username="ana_s")
    both, one = MissionFactory(), MissionFactory()
    for account in (kept.account, absorbed.account):
        MembershipFactory(member=account, group=both)
    MembershipFactory(member=absorbed.account, group=one)
    task = TaskFactory(group=one, claimed_by=absorbed.account, state="claimed")
    project = ProjectFactory()
    ProjectMemberFactory(project=project, member=absorbed.account)
    Member.objects.filter(pk=absorbed.account.pk).update(trust_score=70)
    merge(kept, absorbed, reason="Same person")
    active = Membership.objects.active().filter(member=kept.account)
    assert {membership.group for membership in active} == {both, one}
    assert not Membership.objects.active().filter(member=absorbed.account).exists()
    task.refresh_from_db()
    assert task.claimed_by == kept.account
    assert ProjectMember.objects.get(project=project).member == kept.account
    now = find_person(kept.reference)
    assert (now.account.trust_score, now.entry.organization, now.entry.telegram_username) == (70, "Lab", "ana_s")
    gone = find_person(absorbed.reference)
    assert gone.is_merged
    assert (gone.account.is_active, gone.entry.is_removed) == (False, True)
    assert resolve_entry(gone.entry) == kept.entry
    assert numbers_of(kept.entry) == [kept.reference, absorbed.reference]
    event = Event.objects.get(type="member.merged")
    assert (event.member, event.payload["absorbed"]) == (kept.account, absorbed.reference)


def test_requests_to_join_move_or_are_withdrawn():
    kept, absorbed = person(), person()
    both, member_of, one = (MissionFactory(join_policy="request") for _ in range(3))
    for account, mission in ((kept.account, both), (absorbed.account, both), (absorbed.account, member_of),
                             (absorbed.account, one)):  # fmt: skip
        request_to_join(actor=account, mission=mission)
    MembershipFactory(member=kept.account, group=member_of)
    before = dump()
    done = merge(kept, absorbed)
    found = {(each.member, each.group): each.status for each in JoinRequest.objects.order_by("decided_at")}
    assert found == {
        (kept.account, both): "open",
        (kept.account, member_of): "withdrawn",
        (kept.account, one): "open",
    }
    assert JoinRequest.objects.filter(group=both, status="withdrawn").count() == 1
    # A decided one changes only by undoing the merge.
    with rejected_by("join_requests_decided_once"):
        rows("UPDATE join_requests SET status = 'accepted' WHERE status = 'withdrawn'")
    assert undo_merge(actor=system(), merge=done) == 0
    assert dump() == before


def test_rows_of_projects_move_and_come_back():
    kept, absorbed, third = person(), person(), MemberFactory()
    project = ProjectFactory()
    mission, other = BoardMissionFactory(project=project), BoardMissionFactory(project=project)
    times = {"starts_at": timezone.now(), "ends_at": timezone.now()}
    for member, deputy in ((absorbed.account, third), (third, absorbed.account), (absorbed.account, kept.account)):
        MemberAbsence.objects.create(member=member, deputy=deputy, **times)
    for account in (kept.account, absorbed.account):
        AccessRequest.objects.create(project=project, member=account)
        MissionStar.objects.create(mission=mission, member=account)
    MissionStar.objects.create(mission=other, member=absorbed.account)
    MissionAssignment.objects.create(mission=mission, kind="work", member=absorbed.account)
    comment = MissionComment.objects.create(mission=mission, author=absorbed.account, body="Seen")
    before = dump()
    done = merge(kept, absorbed)
    pairs = {(each.member, each.deputy) for each in MemberAbsence.objects.all()}
    assert pairs == {(kept.account, third), (third, kept.account), (absorbed.account, kept.account)}
    asked = AccessRequest.objects.order_by("status")
    assert [(each.member, each.status) for each in asked] == [(kept.account, "expired"), (kept.account, "pending")]
    assert set(MissionStar.objects.filter(member=kept.account).values_list("mission", flat=True)) == {
        mission.pk,
        other.pk,
    }
    assert MissionAssignment.objects.get().member == kept.account
    comment.refresh_from_db()
    assert comment.author == kept.account
    assert undo_merge(actor=system(), merge=done) == 0
    assert dump() == before


def test_entry_without_account_takes_the_account():
    entry, other = person_of_entry(EntryFactory()), person(name="Rui")
    done = merge(entry, other)
    assert find_person(entry.reference).account == other.account
    assert find_person(other.reference).account is None
    undo_merge(actor=system(), merge=done)
    assert find_person(other.reference).account == other.account


def test_account_without_entry_takes_the_entry():
    account, entry = person_of_account(MemberFactory()), person_of_entry(EntryFactory())
    done = merge(account, entry)
    assert person_of_account(account.account).entry == entry.entry
    undo_merge(actor=system(), merge=done)
    assert person_of_account(account.account).entry is None


def test_merge_rejects_what_cannot_be_merged():
    ana, rui, banned = person(), person(), person(status="banned")
    office = person_of_account(staff("Auditor"))
    for kept, absorbed, text in (
        (ana, ana, "same person"),
        (ana, banned, "banned"),
        (ana, office, "administrator"),
        (ana, person_of_account(system()), "system"),
    ):
        with pytest.raises(MergeRejected, match=text):
            merge(kept, absorbed)
    merge(ana, rui)
    with pytest.raises(MergeRejected, match="merged"):
        merge(banned, rui)


def test_database_rejects_half_a_merge():
    ana, rui = person(), person()
    with rejected_by("members_merged_is_closed"):
        rows("UPDATE members SET merged_into_id = %s WHERE id = %s", [rui.account.pk, ana.account.pk])
    with rejected_by("community_members_merged_is_removed"):
        rows("UPDATE community_members SET merged_into = %s WHERE id = %s", [rui.entry.member_id, ana.entry.pk])
    done = merge(rui, ana)
    with rejected_by("members_merge_target"):
        rows(
            "UPDATE members SET is_active = false, merged_into_id = %s WHERE id = %s", [ana.account.pk, rui.account.pk]
        )
    assert done.undone_at is None


@pytest.mark.rule("members_not_merged_into_self", "community_members_not_merged_into_self")
def test_database_rejects_merge_into_itself():
    ana = person()
    with rejected_by("members_not_merged_into_self"):
        rows("UPDATE members SET is_active = false, merged_into_id = id WHERE id = %s", [ana.account.pk])
    with rejected_by("community_members_not_merged_into_self"):
        rows("UPDATE community_members SET deleted_at = now(), merged_into = member_id WHERE id = %s", [ana.entry.pk])


def test_database_rejects_merge_into_merged_entry():
    ana, rui, eva = person(), person(), person()
    merge(rui, ana)
    with rejected_by("community_members_merge_target"):
        rows("UPDATE community_members SET merged_into = %s WHERE id = %s", [ana.entry.member_id, eva.entry.pk])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("absorbed_id = kept_id", "member_merges_two_accounts"),
        ("undone_at = now()", "member_merges_undone_fits"),
    ],
)
def test_record_of_merge_is_consistent(change, rule):
    merge(person(), person())
    with rejected_by(rule):
        rows(f"UPDATE member_merges SET {change}")


# --- Undoing ------------------------------------------------------------------------------------


def test_undo_keeps_what_changed_since():
    kept, absorbed = person(), person()
    membership = MembershipFactory(member=absorbed.account)
    other = MembershipFactory(member=absorbed.account)
    done = merge(kept, absorbed)
    rows("UPDATE memberships SET role = 'Lead' WHERE id = %s", [membership.pk])
    third = MemberFactory()
    rows("UPDATE memberships SET member_id = %s WHERE id = %s", [third.pk, other.pk])
    assert undo_merge(actor=system(), merge=done) == 1
    membership.refresh_from_db()
    other.refresh_from_db()
    assert (membership.member, membership.role, other.member) == (absorbed.account, "Lead", third)
    with pytest.raises(MergeNotUndone, match="already"):
        undo_merge(actor=system(), merge=done)


def test_undo_is_possible_for_90_days_and_in_order():
    a, b, c = person(), person(), person()
    first = merge(b, a)
    second = merge(c, b)
    with pytest.raises(MergeNotUndone, match="later merge"):
        undo_merge(actor=system(), merge=first)
    MemberMerge.objects.filter(pk=second.pk).update(merged_at=timezone.now() - timezone.timedelta(days=91))
    with pytest.raises(MergeNotUndone, match="90 days"):
        undo_merge(actor=system(), merge=second)


@pytest.mark.parametrize("seed", range(40 if asks_all() else 3))
def test_merged_and_unmerged_pairs_leave_no_trace(seed):
    draw = random.Random(seed)
    groups = [MissionFactory() for _ in range(3)]
    people = [draw.choice((person, lambda: person_of_entry(EntryFactory())))() for _ in range(4)]
    people.append(person_of_account(MemberFactory(trust_score=draw.randrange(100))))
    role = Role.objects.first()
    for each in people:
        if each.entry and draw.random() < 0.5:
            rows(
                "UPDATE community_members SET github_username = %s, organization = %s WHERE id = %s",
                [f"gh-{draw.randrange(10**6)}", draw.choice((None, "Lab")), each.entry.pk],
            )
        if each.account:
            for group in draw.sample(groups, draw.randrange(4)):
                MembershipFactory(member=each.account, group=group)
            TaskFactory(group=groups[0], claimed_by=each.account, state="claimed")
            each.account.groups.add(role)
    before = dump()
    done = []
    for _turn in range(3):
        kept, absorbed = (find_person(str(each.key)) for each in draw.sample(people, 2))
        if not kept.is_merged and not absorbed.is_merged and kept.key != absorbed.key:
            done.append(merge(kept, absorbed))
    assert done
    assert dump() != before
    for each in reversed(done):
        assert undo_merge(actor=system(), merge=each) == 0
    assert dump() == before


# --- Concurrency ----------------------------------------------------------------------------------


def everyone_merges(people, size):
    """One round: each thread merges its person into the next one of a circle."""
    circle = [person() for _ in range(size)]
    for each in circle:
        MembershipFactory(member=each.account)
    results = people.run(lambda number: merge(circle[(number + 1) % size], circle[number]))
    return circle, results


@pytest.mark.django_db(transaction=True)
def test_overlapping_merges_lose_no_row_and_never_deadlock():
    size = 50 if asks_all() else 10
    with crowd(size) as people:
        for _round in range(ROUNDS):
            circle, results = everyone_merges(people, size)
            assert {type(result) for result in results} <= {MemberMerge, MergeRejected}
            left = [each for each in circle if not find_person(str(each.key)).is_merged]
            assert len(left) == size - sum(isinstance(result, MemberMerge) for result in results)
            assert left
            accounts = [each.account.pk for each in left]
            assert Membership.objects.active().filter(member__in=accounts).count() == size


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_merges_collide_without_lock_and_guard(monkeypatch):
    monkeypatch.setattr(merging, "_wait_for_turn", lambda: None)
    monkeypatch.setattr(merging, "_lock_rows", lambda people: None)
    with crowd(10) as people:
        for _round in range(CONTROL_ROUNDS * 2):
            _circle, results = everyone_merges(people, 10)
            if any(isinstance(result, Exception) and not isinstance(result, MergeRejected) for result in results):
                return
    pytest.fail("Nothing went wrong without the locks.")


# --- Pages --------------------------------------------------------------------------------------


def test_manager_compares_merges_and_undoes():
    office = client("Community Manager")
    ana, rui = person(name="Ana Lima"), person(name="Ana M. Lima")
    start = office.post(reverse("admin:groups_communitymember_merge", args=[ana.entry.pk]), {"other": rui.reference})
    shown = office.get(start["Location"])
    assert {"Ana Lima", "Ana M. Lima"} <= {value for line in shown.context["lines"] for value in line.values}
    done = office.post(start["Location"], {"keep": str(ana.key), "reason": ""}, follow=True)
    assert "was merged into Ana Lima" in page_text(done)
    tab = office.get(reverse("admin:groups_communitymember_merges", args=[ana.entry.pk]))
    assert "Undo merge" in page_text(tab)
    absorbed = office.get(reverse("admin:groups_communitymember_merges", args=[rui.entry.pk]))
    assert "This person was merged into" in page_text(absorbed)
    undo = reverse("admin:groups_possibleduplicate_undo", args=[MemberMerge.objects.get().pk])
    assert client("Auditor").post(undo).status_code == 403
    assert "The merge was undone." in page_text(office.post(undo, follow=True))
    assert not find_person(rui.reference).is_merged


def test_comparison_rejects_unknown_people():
    office = client("Community Manager")
    address = reverse("admin:groups_possibleduplicate_compare")
    for query in ({}, {"first": "#1", "second": "FE-P-99999"}, {"first": "#", "second": "²"}):
        assert "Choose two different people." in page_text(office.get(address, query, follow=True))
    ana = person()
    page = reverse("admin:groups_communitymember_merge", args=[ana.entry.pk])
    assert "There is no such person." in page_text(office.post(page, {"other": "#999999"}))


def test_number_of_an_absorbed_entry_leads_to_the_kept_one():
    ana, rui = person(name="Ana"), person(name="Rui")
    merge(ana, rui)
    member = client_of(ana.account)
    answer = member.get(f"/directory/{rui.reference[1:]}/")
    assert answer["Location"] == f"/directory/{ana.reference[1:]}/"


def test_restore_rejects_merged_entry():
    from groups.services.directory import restore_entry

    ana, rui = person(), person()
    merge(ana, rui)
    with pytest.raises(DomainError, match="merged"):
        restore_entry(actor=system(), entry=rui.entry)


def test_erasing_the_kept_person_erases_the_absorbed_ones():
    kept, absorbed = person(name="Ana"), person(name="Ana Kanarie", organization="Kanarie Lab")
    account = person_of_account(MemberFactory(display_name="A. Kanarie", email="kanarie@example.org"))
    done = merge(kept, absorbed, reason="Kanarie said so")
    merge(kept, account)
    erase(actor=system(), entry=find_person(kept.reference).entry)
    texts = [str(row) for table in ("members", "community_members", "member_merges", "member_merge_rows")
             for row in rows(f"SELECT to_jsonb(t)::text FROM {table} t")]  # fmt: skip
    assert not [text for text in texts if "anarie" in text]
    with pytest.raises(MergeNotUndone, match="erased"):
        undo_merge(actor=system(), merge=done)
