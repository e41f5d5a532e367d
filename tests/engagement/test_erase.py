"""Erasure: unsent messages are cancelled, and only counts and dates remain.

tests/groups/test_erase.py proves for the whole catalog that no text remains.
"""

import pytest
from django.utils import timezone

from engagement.models import BouncedAddress, EngagementMessage, InboundMessage, UserProfile
from engagement.rules import AddressReport
from engagement.selectors.claims import find_blocked
from engagement.services.addresses import report_address
from engagement.services.inbound import handle_inbound
from engagement.services.profiles import update_profile
from groups.models import CommunityMember, Member
from groups.services.erasure import erase
from tests.engagement.owner_connection import owner
from tests.support.factories.engagement import ClaimFactory, MessageFactory, PersonFactory

pytestmark = pytest.mark.django_db(transaction=True)

WORD = "kanarie"


def lived(word):
    """Create a member with a marker word in every column of this app."""
    person = PersonFactory(entry={})
    update_profile(actor=person, member=person, individual_jid=f"{word}-old@chat")
    update_profile(
        actor=person,
        member=person,
        individual_jid=f"{word}@chat",
        group_jid=f"{word}-group@chat",
        timezone="Asia/Tokyo",
    )
    handle_inbound(actor=person, text=f"I am {word}", platform="telegram", message_id=f"{word}-1")
    report_address(
        member=person, address=f"{word}@chat", report=AddressReport.COMPLAINT, detail=word, at=timezone.now()
    )
    for trait in ("sent", "failed", "cancelled", "plain"):
        MessageFactory(
            user=person,
            idempotency_key=f"{person.pk}:{trait}",
            message_params={"who": word},
            destination_jid=f"{word}@chat",
            provider_message_id=f"{word}-p",
            **({} if trait == "plain" else {trait: True}),
        )
    return person


def places(word):
    """Return the tables of this app that contain a word."""
    with owner() as session:
        tables = session.execute(
            """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                 AND relname ~ '^(engagement|user_|message_template|reply_phrase|bounced|unassigned|member_address)'"""
        ).fetchall()
        return {
            table
            for (table,) in tables
            if session.execute(f"SELECT 1 FROM {table} t WHERE t::text ILIKE %s LIMIT 1", [f"%{word}%"]).fetchone()
        }


@pytest.mark.seed("002 nothing of an erased person stays")
def test_erasure_removes_all_data_and_cancels_messages():
    person, neighbour = lived(WORD), lived("nachbar")
    everywhere = {
        "engagement_message_queue",
        "engagement_inbound_messages",
        "user_profiles",
        "user_profiles_history",
        "bounced_addresses",
        "member_addresses",
    }
    assert places(WORD) == places("nachbar") == everywhere
    erase(actor=Member.objects.system(), entry=CommunityMember.objects.get(person=person))
    assert places(WORD) == set()
    assert places("nachbar") == everywhere
    now = EngagementMessage.objects.filter(user=person).order_by("idempotency_key").values_list("status", flat=True)
    assert list(now) == ["cancelled", "cancelled", "cancelled", "sent"]
    profile = UserProfile.objects.get(pk=person.pk)
    assert (profile.reengagement_opt_out, profile.individual_jid, profile.group_jid) == (True, "", "")
    assert not InboundMessage.objects.filter(user=person).exists()
    assert not BouncedAddress.objects.filter(user=person).exists()
    assert UserProfile.objects.get(pk=neighbour.pk).individual_jid == "nachbar@chat"
    # The address can be used again.
    update_profile(actor=neighbour, member=neighbour, individual_jid=f"{WORD}@chat")


def test_erasure_cancels_claimed_message():
    person = lived(WORD)
    [message] = EngagementMessage.objects.filter(user=person, status="pending")
    claim = ClaimFactory(messages=[message])
    erase(actor=Member.objects.system(), entry=CommunityMember.objects.get(person=person))
    assert not EngagementMessage.objects.filter(user=person, status="pending").exists()
    assert find_blocked(token=claim.attempt_token) == {message.pk: "Erased"}
