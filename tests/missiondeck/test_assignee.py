"""The assignee of a mission follows the address it is assigned to, in any order of changes."""

import pytest

from groups.models import Member
from missiondeck.models import DeckMission
from missiondeck.services.missions import update_deck_mission
from tests.groups.test_erase import owner_session
from tests.missiondeck.helpers import mission, raw_mission
from tests.support.database import row, rows
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db


def assignee(of) -> Member | None:
    return DeckMission.objects.select_related("assignee").get(pk=getattr(of, "pk", of)).assignee


@pytest.mark.seed("001 missions.assigned_to")
def test_assignee_is_found_ignoring_case():
    member = MemberFactory(email="Emma@Example.org")
    assert assignee(mission(assigned_to="emma@example.ORG")) == member
    assert assignee(raw_mission(assigned_to="EMMA@example.org")) == member
    assert mission(assigned_to="emma@example.org").assignee == member


def test_unknown_address_has_no_assignee():
    made = mission(assigned_to="later@example.org")
    assert assignee(made) is None
    MemberFactory(email="other@example.org")
    assert assignee(made) is None
    member = MemberFactory(email="Later@example.org")
    assert assignee(made) == member
    assert DeckMission.objects.get(pk=made.pk).assigned_to == "later@example.org"


def test_bulk_created_members_get_their_missions():
    made = [mission(assigned_to=f"m{n}@example.org") for n in range(5)]
    Member.objects.bulk_create([Member(email=f"M{n}@example.org", display_name="M") for n in range(8)])
    assert [assignee(one).email for one in made] == [f"M{n}@example.org" for n in range(5)]


def test_new_address_changes_assignee():
    first, second = MemberFactory(), MemberFactory()
    made = mission(assigned_to=first.email)
    assert update_deck_mission(actor=Member.objects.system(), mission=made, assigned_to=second.email).assignee == second
    assert (
        update_deck_mission(actor=Member.objects.system(), mission=made, assigned_to="nobody@example.org").assignee
        is None
    )


def test_assignee_cannot_be_set_directly():
    """A value that is written directly is replaced by the one that follows from the address."""
    member, other = MemberFactory(), MemberFactory()
    made = raw_mission(assigned_to=member.email, assignee_id=other.pk)
    assert assignee(made) == member
    rows("UPDATE deck_missions SET assignee_id = %s WHERE id = %s", [other.pk, made])
    assert assignee(made) == member
    rows("UPDATE deck_missions SET assignee_id = NULL WHERE id = %s", [made])
    assert assignee(made) == member


def test_member_with_new_address_keeps_missions():
    member, neighbour = MemberFactory(email="old@example.org"), MemberFactory()
    theirs, others = mission(assigned_to="OLD@example.org"), mission(assigned_to=neighbour.email)
    member.email = "new@example.org"
    member.save(update_fields=["email"])
    one = DeckMission.objects.get(pk=theirs.pk)
    assert (one.assignee, one.assigned_to) == (member, "new@example.org")
    assert DeckMission.objects.get(pk=others.pk).assigned_to == neighbour.email


def test_member_with_matching_new_address_gets_missions():
    made = mission(assigned_to="waited@example.org")
    member = MemberFactory()
    rows("UPDATE members SET email = 'Waited@example.org' WHERE id = %s", [member.pk])
    assert assignee(made) == member


def test_former_address_can_match_other_member():
    first = MemberFactory(email="desk@example.org")
    made = mission(assigned_to="desk@example.org")
    rows("UPDATE members SET email = 'gone@example.org' WHERE id = %s", [first.pk])
    MemberFactory(email="desk@example.org")
    assert assignee(made) == first


def test_complete_mission_follows_new_address():
    from tests.missiondeck.helpers import complete_mission

    member = MemberFactory(email="done@example.org")
    made = complete_mission(assigned_to="done@example.org")
    rows("UPDATE members SET email = 'changed@example.org' WHERE id = %s", [member.pk])
    made.refresh_from_db()
    assert (made.status, made.assigned_to, made.assignee) == ("complete", "changed@example.org", member)


def test_deleting_member_clears_assignee():
    with owner_session() as session:
        session.execute("SET lock_timeout = '20s'")
        (member,) = session.execute(
            "INSERT INTO members (email, display_name) VALUES ('goes@example.org', 'Goes') RETURNING id"
        ).fetchone()
        (key,) = session.execute(
            """INSERT INTO deck_missions (title, client, budget, deadline, assigned_to)
               VALUES ('Bot', 'Acme', 300, now(), 'goes@example.org') RETURNING id"""
        ).fetchone()
        linked = "SELECT assignee_id FROM deck_missions WHERE id = %s"
        assert session.execute(linked, [key]).fetchone() == (member,)
        session.execute("DELETE FROM members WHERE id = %s", [member])
        assert session.execute(linked, [key]).fetchone() == (None,)
        session.rollback()


def test_assignee_always_matches_address():
    members = [MemberFactory(email=f"p{n}@example.org") for n in range(4)]
    for n in range(12):
        mission(assigned_to=f"P{n % 6}@example.org")
    for n, member in enumerate(members):
        rows("UPDATE members SET email = %s WHERE id = %s", [f"q{n}@example.org", member.pk])
    MemberFactory(email="p4@example.org")
    wrong = """
        SELECT count(*) FROM deck_missions d LEFT JOIN members m ON lower(m.email) = lower(d.assigned_to)
        WHERE d.assignee_id IS DISTINCT FROM m.id
    """
    assert row(wrong) == (0,)
    assert row("SELECT count(*) FROM deck_missions WHERE assignee_id IS NULL") == (2,)
