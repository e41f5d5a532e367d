"""Block reasons: every caller of engagement_block_reason, over every combination of facts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product

import pytest
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from engagement.admin.waiting import explain_waiting
from engagement.models import BouncedAddress, EngagementMessage, UserEngagementState, UserProfile
from engagement.rules import BLOCK_REASONS, TRANSACTIONAL_TYPES, MessageType, State, TransitionTrigger
from engagement.selectors.announcements import SKIP_REASONS as LABELS
from engagement.selectors.announcements import with_reason
from engagement.selectors.blocking import with_block_reason
from engagement.selectors.claims import find_blocked
from engagement.services import claims
from engagement.services.lifecycle import OWN, transition_context
from engagement.services.sweeps import sweep_daily, sweep_weekly
from groups.models import CommunityMember, Member
from groups.rules import CommunityStatus
from tests.engagement.fake_provider import NOON
from tests.support.database import rows, shared_rows
from tests.support.factories.engagement import AnnouncementFactory, ClaimFactory, MessageFactory, PersonFactory

pytestmark = pytest.mark.django_db

TEXTS = {reason: str(text) for reason, text in BLOCK_REASONS.items()}
STATES = (None, State.ACTIVE, State.GOODBYE_SENT, State.DORMANT)
# One type of each kind that the rule distinguishes.
TYPES = (
    "weekly_review",
    "goodbye",
    "reminder",
    "clarification",
    "announcement",
    "cancelled announcement",
    "welcome",
)


@dataclass(frozen=True)
class Facts:
    """The facts of a member that the rule uses. status: of the directory entry; None for no entry."""

    is_active: bool
    status: str | None
    is_removed: bool
    has_opted_out: bool
    state: str | None
    is_suppressed: bool = False
    is_muted: bool = False


ALL = [
    Facts(*facts)
    for facts in product((True, False), (None, *CommunityStatus.values), (False, True), (False, True), STATES)
    if facts[1] or not facts[2]
]
# The address does not depend on the status.
ALL += [
    replace(facts, **{more: True})
    for facts in ALL
    for more in ("is_suppressed", "is_muted")
    if facts.status in (None, CommunityStatus.ACTIVE)
]
# The topic of each type; the others have none.
TOPICS = {"weekly_review": "weekly_review", "announcement": "news", "cancelled announcement": "news"}


def reason_for(facts: Facts, what: str) -> str | None:
    """Compute the reason in Python: all that apply, then the first of them."""
    applies = {
        "locked": not facts.is_active,
        "banned": facts.status == "banned",
        "suspended": facts.status == "suspended",
        "removed": facts.is_removed,
        "suppressed": facts.is_suppressed,
    }
    if what == "clarification":
        applies["returned"] = facts.state != "goodbye_sent"
    if what not in TRANSACTIONAL_TYPES:
        applies |= {
            "opted_out": facts.has_opted_out,
            "muted": facts.is_muted and what in TOPICS,
            "dormant": facts.state == "dormant",
            "returned": (what == "goodbye" and facts.state != "goodbye_sent")
            or (what == "reminder" and facts.state == "active"),
            "not_approved": what.endswith("announcement") and facts.status in ("not_member", "pending"),
            "announcement_cancelled": what == "cancelled announcement",
        }
    return next((reason for reason in BLOCK_REASONS if applies.get(reason)), None)


@pytest.fixture(scope="module")
def people(django_db_setup, django_db_blocker) -> Iterator[dict[str, Facts]]:
    """Create a member for every combination of facts, once for the module; return them by e-mail."""
    with shared_rows(django_db_blocker):
        with django_db_blocker.unblock():
            kinds = make_people()
        yield kinds


def make_people() -> dict[str, Facts]:
    kinds = {f"kind-{number}@example.org": facts for number, facts in enumerate(ALL)}
    Member.objects.bulk_create(
        Member(email=email, display_name=email, is_active=facts.is_active) for email, facts in kinds.items()
    )
    by_email = {member.email: member for member in Member.objects.filter(email__in=kinds)}
    CommunityMember.objects.bulk_create(
        CommunityMember(
            person=by_email[email],
            name=email,
            telegram_id=email,
            primary_role="developer",
            status=facts.status,
            deleted_at=NOON if facts.is_removed else None,
        )
        for email, facts in kinds.items()
        if facts.status
    )
    opted_out = [by_email[email].pk for email, facts in kinds.items() if facts.has_opted_out]
    UserProfile.objects.filter(pk__in=opted_out).update(reengagement_opt_out=True)
    muted = [by_email[email].pk for email, facts in kinds.items() if facts.is_muted]
    UserProfile.objects.filter(pk__in=muted).update(muted_topics=["news", "weekly_review"])
    bounced = [email for email, facts in kinds.items() if facts.is_suppressed]
    UserProfile.objects.filter(user__email__in=kinds).update(
        individual_jid=Subquery(Member.objects.filter(pk=OuterRef("pk")).values("email"))
    )
    BouncedAddress.objects.bulk_create(
        BouncedAddress(user=by_email[email], address=email, reason="complaint", reported_at=NOON, suppressed_at=NOON)
        for email in bounced
    )
    system = Member.objects.system()
    for state in filter(None, STATES):
        members = [by_email[email] for email, facts in kinds.items() if facts.state == state]
        UserEngagementState.objects.bulk_create(
            UserEngagementState(user=member, last_activity_at=NOON - timedelta(days=3)) for member in members
        )
        moved = UserEngagementState.objects.filter(user__in=members)
        if state != State.ACTIVE:
            with transition_context(TransitionTrigger.INACTIVITY_14D, actor=system, at=NOON):
                moved.update(state="goodbye_sent", goodbye_sent_at=NOON, goodbye_expires_at=NOON + timedelta(days=90))
        if state == State.DORMANT:
            with transition_context(TransitionTrigger.GOODBYE_RESPONSE_3, actor=OWN, at=NOON):
                moved.update(state="dormant", goodbye_sent_at=None, goodbye_expires_at=None)
    return kinds


@pytest.fixture
def messages(people, settings) -> dict[int, str | None]:
    """Queue a due message of every type to each member; return the expected reason texts."""
    settings.ENGAGEMENT_FREQUENCY_CAP = 1000
    announcements = {
        "announcement": AnnouncementFactory(),
        "cancelled announcement": AnnouncementFactory(cancelled_at=NOON),
    }
    pairs = [(member, what) for member in Member.objects.filter(email__in=people) for what in TYPES]
    made = EngagementMessage.objects.bulk_create(
        EngagementMessage(
            user=member,
            message_type=what.removeprefix("cancelled "),
            message_key="welcome",
            scheduled_for=NOON - timedelta(hours=1),
            idempotency_key=f"{member.pk}:{what}",
            announcement=announcements.get(what),
            destination_jid=member.email,
            topic=TOPICS.get(what, ""),
        )
        for member, what in pairs
    )
    reasons = [reason_for(people[member.email], what) for member, what in pairs]
    # With channels, another reason: test_channels.py.
    assert set(reasons) == {None, *BLOCK_REASONS} - {"unreachable"}
    rows("ANALYZE engagement_message_queue, members, user_profiles, community_members, user_engagement_states")
    return {message.pk: TEXTS.get(reason) for message, reason in zip(made, reasons, strict=True)}


@pytest.mark.seed("002 opt-out, dormancy and cancelling count until the last moment")
def test_claim_follows_the_rule(messages):
    claimed, after = set(), None
    while (batch := claims.claim(sender="test", at=NOON, most=200, lease=timedelta(minutes=1), after=after)).handled:
        assert batch.deferred == 0
        claimed |= {message.id for message in batch.messages}
        after = batch.last
        claims.finish(token=batch.token)
    assert claimed == {pk for pk, text in messages.items() if text is None}
    cancelled = EngagementMessage.objects.filter(status="cancelled").values_list("pk", "error_message")
    assert dict(cancelled) == {pk: text for pk, text in messages.items() if text}


def test_check_during_batch_follows_the_rule(messages):
    claim = ClaimFactory(messages=list(EngagementMessage.objects.filter(pk__in=messages)))
    found = find_blocked(token=claim.attempt_token)
    assert found == {pk: text for pk, text in messages.items() if text}


def test_pages_follow_the_rule(messages):
    shown = with_block_reason(EngagementMessage.objects.filter(pk__in=messages)).values_list("pk", "block_reason")
    assert {pk: TEXTS.get(reason) for pk, reason in shown} == messages


def test_audience_follows_the_rule(people):
    shown = dict(with_reason(CommunityMember.objects.all(), topic="news").values_list("person__email", "reason"))
    assert shown == {email: reason_for(facts, "announcement") or "" for email, facts in people.items() if facts.status}
    assert set(shown.values()) - {""} <= set(LABELS)


def test_daily_sweep_follows_the_rule(people):
    sweep_daily(at=NOON + timedelta(days=14))
    queued = EngagementMessage.objects.filter(message_type=MessageType.GOODBYE).values_list("user__email", flat=True)
    # In this state the goodbye has no other block reason; it has no topic.
    assert set(queued) == {
        email
        for email, facts in people.items()
        if facts.state == "active" and reason_for(replace(facts, is_muted=False), "weekly_review") is None
    }


def test_weekly_sweep_follows_the_rule(people):
    # NOON is a Monday, three days after the last activity.
    UserEngagementState.objects.update(took_part_week=NOON.date() - timedelta(days=7))
    sweep_weekly(at=NOON)
    queued = EngagementMessage.objects.filter(message_type=MessageType.WEEKLY_REVIEW)
    assert set(queued.values_list("user__email", flat=True)) == {
        email
        for email, facts in people.items()
        if facts.state == "active" and reason_for(facts, "weekly_review") is None
    }


def test_every_caller_uses_the_one_function():
    """No function contains a copy of the rule."""
    [[whole]] = rows("SELECT pg_get_functiondef('claim_messages'::regproc)")
    assert "engagement_block_reason(" in whole
    assert "dormant" not in whole


# --- Texts ----------------------------------------------------------------------------------------

KINDS = {
    "locked": {"is_active": False},
    "banned": {"entry": {"status": "banned"}},
    "suspended": {"entry": {"status": "suspended"}},
    "removed": {"entry": {"deleted_at": NOON}},
    "opted_out": {"profile": {"reengagement_opt_out": True}},
    "dormant": {"state": "dormant"},
}


@pytest.mark.parametrize(("reason", "values"), KINDS.items(), ids=KINDS)
def test_pending_message_shows_block_reason(reason, values):
    message = MessageFactory(user=PersonFactory(**values))
    assert explain_waiting(message, profile=None) == f"{TEXTS[reason]} It will be cancelled when it is due."


def test_future_message_shows_block_reason_and_due_time():
    message = MessageFactory(
        user=PersonFactory(entry={"status": "banned"}), scheduled_for=timezone.now() + timedelta(hours=1)
    )
    assert explain_waiting(message, profile=None).startswith(
        "The member is banned. It will be cancelled when it is due at "
    )


def test_claimed_message_shows_sender_and_block_reason():
    message = MessageFactory(user=PersonFactory(is_active=False))
    ClaimFactory(messages=[message], claimed_by="host-1")
    text = explain_waiting(message, profile=None)
    assert text.startswith("Being sent by host-1 until ")
    assert text.endswith("The account is locked. It is cancelled unless it is already sent.")
