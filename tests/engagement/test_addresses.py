"""Addresses of members per channel: how they are set and verified, and what a message from them may do."""

from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone

from engagement.models import EngagementMessage, InboundMessage, MemberAddress, UnassignedMessage, UserProfile
from engagement.rules import State
from engagement.selectors.members import claims_of, state_of
from engagement.services.addresses import verify_address
from engagement.services.incoming_mail import receive_mail
from engagement.services.profiles import update_profile
from engagement.services.senders import code_of, receive_text
from engagement.services.unassigned import assign_message
from groups.models import Event
from missionsite.common.accounts.addresses import add_unconfirmed_address
from missionsite.common.errors import DomainError
from tests.engagement.owner_connection import owner
from tests.engagement.raw_mail import mail
from tests.support.factories.engagement import MessageFactory, PersonFactory

pytestmark = pytest.mark.django_db

CHAT = "718281828"


def person(telegram=CHAT, **fields):
    return PersonFactory(entry={"telegram_id": telegram}, **fields)


def of(member) -> set[tuple[str, str, bool]]:
    rows = MemberAddress.objects.filter(user=member)
    return {(row.channel, row.address, row.verified_at is not None) for row in rows}


def receive(text, number="1", *, sender=CHAT, platform="telegram"):
    return receive_text(platform=platform, sender=sender, text=text, message_id=number)


# --- Where they come from -------------------------------------------------------------------------


def test_account_entry_and_profile_set_addresses():
    ana = PersonFactory(email="Ana@Example.org", entry={"telegram_id": CHAT, "telegram_username": "Ana_S"})
    update_profile(actor=ana, member=ana, individual_jid="+5511999990000@c.us")
    known = {("telegram", CHAT, False), ("telegram_name", "ana_s", False)}
    assert of(ana) == known | {("email", "ana@example.org", True), ("whatsapp", "5511999990000", True)}
    # Until its owner has confirmed it.
    add_unconfirmed_address(ana)
    update_profile(actor=ana, member=ana, individual_jid="room@discord")
    assert of(ana) == known | {("email", "ana@example.org", False), ("chat", "room@discord", True)}
    type(ana.community).objects.filter(pk=ana.community.pk).update(telegram_username=None, telegram_id="42")
    ana.email = "new@example.org"
    ana.save()
    assert of(ana) == {("telegram", "42", False), ("email", "new@example.org", True), ("chat", "room@discord", True)}


def test_second_member_with_address_has_it_unverified():
    first, second = PersonFactory(), PersonFactory()
    update_profile(actor=first, member=first, individual_jid="5511999990000@c.us")
    update_profile(actor=second, member=second, individual_jid="+5511999990000@s.whatsapp.net")
    assert ("whatsapp", "5511999990000", True) in of(first)
    assert ("whatsapp", "5511999990000", False) in of(second)
    found = claims_of(platform="whatsapp", sender="5511999990000")
    assert [each.user for each in found] == [first]


@pytest.mark.rule(
    "member_addresses_address_required",
    "member_addresses_channel_known",
    "member_addresses_name_unverified",
    "member_addresses_unique",
    "member_addresses_verified_unique",
)
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"address": ""}, "member_addresses_address_required"),
        ({"address": "a\nb"}, "member_addresses_address_one_line"),
        ({"channel": "fax"}, "member_addresses_channel_known"),
        ({"channel": "email", "address": "b@rules.example"}, "member_addresses_unique"),
        ({"channel": "telegram_name", "verified": True}, "member_addresses_name_unverified"),
        ({"channel": "email", "address": "a@rules.example", "verified": True}, "member_addresses_verified_unique"),
    ],
)
def test_database_rejects_wrong_rows(values, rule):
    values = {"channel": "chat", "address": "room", "verified": False} | values
    with owner() as session, session.transaction(force_rollback=True):
        for name in "ab":
            [who] = session.execute(
                "INSERT INTO members (email, display_name) VALUES (%s, 'X') RETURNING id", [f"{name}@rules.example"]
            ).fetchone()
        with pytest.raises(psycopg.IntegrityError) as caught:
            session.execute(
                "INSERT INTO member_addresses (user_id, channel, address, verified_at)"
                " VALUES (%(who)s, %(channel)s, %(address)s, CASE WHEN %(verified)s THEN now() END)",
                values | {"who": who},
            )
    assert caught.value.diag.constraint_name == rule


# --- What a message may do ------------------------------------------------------------------------


def test_unverified_address_can_only_opt_out():
    ana = person(state=State.GOODBYE_SENT)
    assert receive("2").effect == "kept"
    assert state_of(ana) == State.GOODBYE_SENT
    row = UnassignedMessage.objects.get()
    assert (row.reason, row.text) == ("unverified", "2")
    assert not InboundMessage.objects.exists()
    assert receive("stop", "2").effect == "opted_out"
    assert UserProfile.objects.get(pk=ana.pk).reengagement_opt_out
    assert receive("start reminders", "3").effect == "kept"
    assert UserProfile.objects.get(pk=ana.pk).reengagement_opt_out


def test_two_claimants_get_nothing():
    ana, bia = person(state=State.GOODBYE_SENT), PersonFactory(state=State.ACTIVE)
    update_profile(actor=bia, member=bia, individual_jid=CHAT)
    MemberAddress.objects.filter(user=bia, channel="chat").update(verified_at=None)
    before = EngagementMessage.objects.count()
    assert receive("stop").effect == "kept"
    assert UnassignedMessage.objects.get().reason == "several"
    assert not UserProfile.objects.filter(reengagement_opt_out=True).exists()
    assert EngagementMessage.objects.count() == before
    # Staff decide, and the address is verified with it.
    handled = assign_message(actor=PersonFactory(), row=UnassignedMessage.objects.get(), member=ana)
    assert handled.effect == "opted_out"
    assert ("telegram", CHAT, True) in of(ana)
    assert receive("start reminders", "2").effect == "opted_in"
    event = Event.objects.get(type="address.verified")
    assert (event.member, CHAT in str(event.payload)) == (ana, False)


def test_stranger_of_chat_is_ignored():
    assert receive("stop").effect == "ignored"
    assert not UnassignedMessage.objects.exists()


def test_telegram_name_is_found_and_stays_unverified():
    ana = PersonFactory(entry={"telegram_username": "ana_s"}, state=State.ACTIVE)
    assert receive("hello", sender="@Ana_S").effect == "kept"
    assert receive("stop", "2", sender="ana_s").effect == "opted_out"
    assert receive(f"code {code_of(ana)}", "3", sender="ana_s").effect == "kept"
    [row] = MemberAddress.objects.filter(user=ana, channel="telegram_name")
    with pytest.raises(DomainError):
        verify_address(actor=ana, row=row)


# --- Verification ---------------------------------------------------------------------------------


def test_code_verifies_address():
    ana = person(state=State.GOODBYE_SENT)
    other = PersonFactory()
    for wrong in (code_of(other), code_of(ana)[:-1] + "1", code_of(ana, on=timezone.now().date() - timedelta(days=3))):
        assert receive(wrong, wrong).effect == "kept"
    # From another chat it says nothing.
    assert receive(code_of(ana), sender="999").effect == "ignored"
    assert receive(f"Hi! {code_of(ana).upper()}", "2").effect == "address_verified"
    assert ("telegram", CHAT, True) in of(ana)
    # It is activity, and from now on messages have their effect.
    assert state_of(ana) == State.ACTIVE
    assert receive("to the group please", "3").effect == "user_message"
    update_profile(actor=ana, member=ana, locale="pt-BR")
    assert ("telegram", CHAT, True) in of(ana)


def test_reply_to_own_message_proves_email():
    ana = PersonFactory(email="ana@example.org", state=State.GOODBYE_SENT)
    add_unconfirmed_address(ana)
    assert receive_mail(message=mail("2")) == "kept"
    MessageFactory(user=ana, sent=True, provider_message_id="<ours@example.org>")
    reply = mail("2", Message_ID="<2@x>", References="<a@b> <ours@example.org>")
    assert receive_mail(message=reply) == "goodbye_response_2"
