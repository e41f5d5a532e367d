"""Erasing a member: their addresses are removed from client missions, and their work is kept.

That no text at all is left is proved over the whole catalog in tests/groups/test_erase.py.
"""

import pytest

from groups.models import CommunityMember, Member
from groups.services.erasure import erase
from missiondeck.models import DeckFeed, DeckMission, DeckStatusChange, DodItem
from missiondeck.services.checklist import tick_item
from missiondeck.services.feeds import create_feed
from missiondeck.services.missions import change_status, update_deck_mission
from tests.groups.test_erase import owner_session
from tests.missiondeck.helpers import items_of, mission, mission_in_qa
from tests.support.database import rows
from tests.support.factories.groups import EntryFactory, MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)

MARKER = "kanarie"
ADDRESSES = {"deck_missions", "deck_missions_history"}


def create_member_with_data(marker):
    """A member with two addresses over time, and with data in every table."""
    person = MemberFactory(email=f"old-{marker}@example.org", display_name=marker)
    EntryFactory(person=person, name=marker)
    made = mission_in_qa(assigned_to=f"OLD-{marker}@example.org")
    person.email = f"{marker}@example.org"
    person.save()
    # Assigned to a former address that no member has now.
    mission(title="Waits", assigned_to=f"old-{marker}@example.org")
    moved_on = mission(title="Moved on", assigned_to=f"{marker}@example.org")
    update_deck_mission(actor=Member.objects.system(), mission=moved_on, assigned_to="neighbour@example.org")
    for item in items_of(made):
        tick_item(item=item, done=False, actor=person)
        tick_item(item=item, done=True, actor=person)
    change_status(mission=made, to="complete", actor=person)
    create_feed(actor=person, name=f"{marker}'s phone")
    return person


def tables_containing(marker):
    """The tables of this app that contain a text."""
    with owner_session() as session:
        tables = session.execute(
            """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                 AND relname ~ '^(deck_|dod_|chat_mess|test_run)'"""
        ).fetchall()
        return {
            table
            for (table,) in tables
            if session.execute(f"SELECT 1 FROM {table} t WHERE t::text ILIKE %s LIMIT 1", [f"%{marker}%"]).fetchone()
        }


@pytest.mark.seed("001 nothing of an erased person's address stays")
def test_erasing_removes_address_everywhere():
    person, neighbour = create_member_with_data(MARKER), create_member_with_data("nachbar")
    assert tables_containing(MARKER) == tables_containing("nachbar") == ADDRESSES | {"deck_feeds"}
    erase(actor=Member.objects.system(), entry=CommunityMember.objects.get(person=person))
    assert tables_containing(MARKER) == set()
    assert tables_containing("nachbar") == ADDRESSES | {"deck_feeds"}
    assert DeckFeed.objects.filter(member=neighbour).count() == 1
    person.refresh_from_db()
    # Also missions that were assigned to a former address.
    theirs = DeckMission.objects.exclude(assigned_to__contains="nachbar").exclude(assigned_to__contains="neighbour")
    assert set(theirs.values_list("assigned_to", "assignee")) == {(person.email, None)}
    assert "erased" in person.email


def test_erasing_keeps_completed_work():
    person = create_member_with_data(MARKER)
    erase(actor=Member.objects.system(), entry=CommunityMember.objects.get(person=person))
    done = DeckMission.objects.get(status="complete")
    assert done.completed_by_id == person.pk
    assert DeckStatusChange.objects.get(mission=done, to_status="complete").by_id == person.pk
    assert set(DodItem.objects.filter(mission=done).values_list("completed_by", flat=True)) == {person.pk}


def test_history_keeps_valid_addresses():
    person = create_member_with_data(MARKER)
    erase(actor=Member.objects.system(), entry=CommunityMember.objects.get(person=person))
    wrong = rows("SELECT assigned_to FROM deck_missions_history WHERE assigned_to !~ '^[^@[:space:]]+@[^@[:space:]]+$'")
    assert wrong == []


def test_erased_address_can_be_reused_without_missions():
    person = create_member_with_data(MARKER)
    erase(actor=Member.objects.system(), entry=CommunityMember.objects.get(person=person))
    other = MemberFactory(email=f"old-{MARKER}@example.org")
    assert not DeckMission.objects.filter(assignee=other).exists()
