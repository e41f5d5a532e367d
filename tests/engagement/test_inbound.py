"""Inbound messages in both languages, with the spellings of phones."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engagement.models import (
    EngagementMessage,
    EngagementStateTransition,
    InboundMessage,
    UserEngagementState,
    UserProfile,
)
from engagement.rules import State
from engagement.selectors.members import claims_of, state_of
from engagement.services.inbound import handle_inbound
from engagement.services.intents import INTENTS
from engagement.services.profiles import opt_out
from engagement.services.sweeps import sweep_daily, sweep_weekly
from groups.models import Event
from tests.engagement.fake_provider import Clock, Provider, sender
from tests.engagement.transition_table import STATES
from tests.support.database import rows
from tests.support.factories.engagement import PersonFactory, move_to
from tests.support.sample import examples

pytestmark = pytest.mark.django_db

THEN = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = THEN + timedelta(hours=3)

GOODBYE_REPLIES = {
    "goodbye_response_1": [
        "1", " 1 ", "1.", "1️⃣", "1️⃣!", "①", "\uff11", "confused", "Confused", "CONFUSED!!", "confuso", "Confusa.",
        "confúso", "\n1\n", '"1"', "(1)", "1\ufe0f\u20e3",
    ],
    "goodbye_response_2": ["2", "2️⃣", "2)", "busy", "Busy…", "ocupado", "OCUPADA!", "ocupádo", "\u200b2", "\uff12"],
    "goodbye_response_3": [
        "3", "3️⃣", "3!",
        "all good", "All  Good.", "ALL\nGOOD", "tudo certo", "Tudo certo!", "TUDO CERTO", "\u00a03\u00a0",
    ],
}  # fmt: skip
EFFECTS = {
    "opted_out": [
        "stop reminders", "Stop Reminders.", "STOP  REMINDERS!", "parar lembretes", "Parar lembretes…", "stop",
        "stop reminders please",
    ],
    "opted_in": [
        "start reminders",
        "começar lembretes",
        "COMEÇAR LEMBRETES!",
        "comecar lembretes",
        "iniciar lembretes",
    ],
    "to_group": ["switch to group", "Switch to group.", "mudar para grupo", "MUDAR PARA GRUPO"],
    "to_individual": ["switch to individual", "mudar para individual", "Mudar  para\tindividual?"],
}  # fmt: skip
# Similar to requests, but ordinary messages.
OTHER = [
    "", " ", ".", "4", "0", "11", "12", "1 2", "1️⃣2️⃣", "-1", "I am busy today", "not confused",
    "all good?!x",
    "tudo", "certo tudo", "👍", "🦉" * 50, "1" * 300, "½",
    "¹x", "olá", "نعم", "ok\x07", "a" * 10_000,
]  # fmt: skip


def person_in(state):
    person = PersonFactory()
    move_to(person, state, at=THEN)
    return person


def say(person, text, **kwargs):
    return handle_inbound(actor=person, text=text, at=NOW, **kwargs)


@pytest.mark.seed("002 what members write, in two languages; a replay does nothing")
@pytest.mark.parametrize(
    ("answer", "text"), [(answer, text) for answer, texts in GOODBYE_REPLIES.items() for text in texts]
)
def test_goodbye_reply_changes_state(answer, text):
    person = person_in("goodbye_sent")
    handled = say(person, text)
    after = {"1": State.HELP_FLOW, "2": State.REMIND_LATER, "3": State.DORMANT}[answer[-1]]
    assert (handled.effect, handled.state, state_of(person)) == (answer, after, after)
    log = EngagementStateTransition.objects.filter(user=person).order_by("-pk").first()
    assert (log.trigger, log.created_at) == (answer, NOW)


@pytest.mark.parametrize("state", [state for state in STATES if state != "goodbye_sent"])
@pytest.mark.parametrize("text", ["1", "2️⃣", "tudo certo"])
def test_reply_without_goodbye_is_ordinary_message(state, text):
    person = person_in(state)
    handled = say(person, text)
    assert (handled.effect, handled.state) == ("user_message", "active")
    assert UserEngagementState.objects.get(user=person).last_activity_at == NOW


@pytest.mark.seed("002 what members write, in two languages; a replay does nothing")
@pytest.mark.parametrize(("effect", "text"), [(effect, text) for effect, texts in EFFECTS.items() for text in texts])
def test_switch_request_changes_destination(effect, text):
    person = PersonFactory(
        profile={
            "reengagement_opt_out": effect == "opted_in",
            "preferred_destination": "group" if effect == "to_individual" else "individual",
        }
    )
    assert say(person, text).effect == effect
    profile = UserProfile.objects.get(pk=person.pk)
    assert profile.reengagement_opt_out == (effect == "opted_out")
    assert profile.preferred_destination == ("group" if effect == "to_group" else "individual")
    event = Event.objects.get(type="profile.changed", member=person)
    assert event.actor_id == person.pk


@pytest.mark.parametrize("state", STATES)
def test_opt_out_keeps_state(state):
    person = person_in(state)
    before = rows("SELECT * FROM user_engagement_states WHERE user_id = %s", [person.pk])
    handled = say(person, "stop")
    assert (handled.effect, handled.state) == ("opted_out", state)
    assert rows("SELECT * FROM user_engagement_states WHERE user_id = %s", [person.pk]) == before


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("effect", sorted(EFFECTS.keys() - {"opted_out"}))
def test_other_requests_are_activity(state, effect):
    person = person_in(state)
    handled = say(person, EFFECTS[effect][0])
    assert (handled.effect, handled.state) == (effect, "active")
    assert UserEngagementState.objects.get(user=person).last_activity_at == NOW


def test_opting_in_prevents_goodbye_in_next_sweep():
    person = PersonFactory(
        state="active", last_activity_at=NOW - timedelta(days=60), profile={"reengagement_opt_out": True}
    )
    assert say(person, "iniciar lembretes").effect == "opted_in"
    sweep_daily(at=NOW)
    assert state_of(person) == State.ACTIVE
    assert not EngagementMessage.objects.filter(user=person).exists()


def test_opt_out_is_confirmed_once():
    person = PersonFactory(profile={"locale": "pt-BR"})
    assert say(person, "sair").effect == "opted_out"
    assert say(person, "parar").effect == "opted_out"
    [confirmation] = EngagementMessage.objects.filter(user=person)
    assert (confirmation.message_type, confirmation.status) == ("opt_out_confirmation", "pending")
    provider = Provider()
    sender(provider, Clock(NOW.replace(hour=23))).drain()
    [sent] = provider.taken
    assert 'responda "iniciar lembretes"' in sent.body
    assert sent.unsubscribe_url == ""
    assert say(person, "iniciar lembretes").effect == "opted_in"
    assert UserProfile.objects.get(pk=person.pk).reengagement_opt_out is False


def test_opt_out_on_other_channels_is_not_confirmed():
    person = PersonFactory()
    opt_out(member=person, actor=person)
    assert say(person, "stop").effect == "opted_out"
    assert not EngagementMessage.objects.filter(user=person).exists()


@pytest.mark.seed("002 what members write, in two languages; a replay does nothing")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("text", "header"),
    [("Resposta automática: estou de férias até 15/01", None), ("2", "auto-replied"), ("stop", True)],
)
def test_automatic_reply_changes_nothing(state, text, header):
    person = person_in(state)
    tables = ("user_engagement_states", "user_profiles", "engagement_state_transitions", "engagement_message_queue")
    before = [rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables]
    handled = say(person, text, auto_submitted=header, platform="email", message_id="1")
    assert (handled.effect, handled.state) == ("auto_reply", state)
    assert [rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables] == before
    assert InboundMessage.objects.get().effect == "auto_reply"


@pytest.mark.deletes("engagement_inbound_messages")
@pytest.mark.parametrize(("text", "reviews"), [("hello", 1), ("Automatic reply: away", 0)])
def test_automatic_reply_does_not_count_for_weekly_review(text, reviews):
    """Active since Monday; in the previous week only this message."""
    person = PersonFactory(state="active", last_activity_at=NOW - timedelta(hours=1))
    InboundMessage.objects.all().delete()
    handle_inbound(actor=person, text=text, platform="email", message_id="1", at=NOW - timedelta(days=3))
    sweep_weekly(at=NOW)
    assert EngagementMessage.objects.filter(user=person, message_type="weekly_review").count() == reviews


@pytest.mark.parametrize("text", OTHER)
@pytest.mark.parametrize("state", ["goodbye_sent", "dormant"])
def test_other_text_reactivates_member(state, text):
    person = PersonFactory()
    # In the week after "leave me be", thanks are no return.
    move_to(person, state, at=NOW - timedelta(days=8))
    assert say(person, text) == type(say(person, text))("user_message", "active")
    assert EngagementStateTransition.objects.filter(user=person, trigger="user_message").count() == 1
    profile = UserProfile.objects.get(pk=person.pk)
    assert (profile.reengagement_opt_out, profile.preferred_destination) == (False, "individual")


@pytest.mark.seed("002 what members write, in two languages; a replay does nothing")
@pytest.mark.parametrize("state", STATES)
def test_repeated_message_has_no_effect(state):
    person = person_in(state)
    first = say(person, "2", platform="whatsapp", message_id="wamid.1")
    stored = rows("SELECT * FROM user_engagement_states"), rows("SELECT * FROM engagement_state_transitions")
    again = handle_inbound(
        actor=person, text="2", platform="whatsapp", message_id="wamid.1", at=NOW + timedelta(days=1)
    )
    assert (again.effect, again.state) == ("repeated", first.state)
    assert stored == (rows("SELECT * FROM user_engagement_states"), rows("SELECT * FROM engagement_state_transitions"))
    assert list(InboundMessage.objects.values_list("effect", "received_at")) == [(first.effect, NOW)]


def test_message_id_is_unique_per_platform():
    person = PersonFactory()
    effects = [say(person, "hi", platform=each, message_id="1").effect for each in ("telegram", "whatsapp", "telegram")]
    assert effects == ["user_message", "user_message", "repeated"]


def test_text_is_not_stored():
    person = person_in("goodbye_sent")
    say(person, "my secret is kanarie", platform="telegram", message_id="9")
    for table in ("engagement_inbound_messages", "engagement_state_transitions", "events", "engagement_message_queue"):
        assert not rows(f"SELECT 1 FROM {table} t WHERE t::text LIKE '%%kanarie%%'"), table


def test_rejected_message_can_be_sent_again():
    person = PersonFactory()
    with pytest.raises(Exception, match="too long for its field"):
        say(person, "hello", platform="p" * 51, message_id="1")
    assert say(person, "hello", platform="p" * 50, message_id="1").effect == "user_message"


def test_sender_is_found_by_individual_address():
    person = PersonFactory(profile={"individual_jid": "55@chat", "group_jid": "us@chat"})
    assert [each.user for each in claims_of(platform="discord", sender="55@chat")] == [person]
    for address in ("us@chat", "", "56@chat"):
        assert not claims_of(platform="discord", sender=address)


@given(
    st.one_of(
        st.text(max_size=400),
        st.sampled_from([*(texts[0] for texts in EFFECTS.values()), "1", "2", "3"])
        .flatmap(
            lambda word: st.tuples(
                st.sampled_from(["", " ", ".", "\t"]), st.just(word), st.sampled_from(["", "!", "?\n"])
            )
        )
        .map("".join),
    )
)
@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_has_one_effect(text):
    person = person_in("goodbye_sent")
    handled = say(person, text)
    assert handled.effect in INTENTS
    assert state_of(person) == handled.state
