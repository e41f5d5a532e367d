"""Factories of the engagement app. Each creates the minimum; states are reached by real transitions."""

from datetime import timedelta
from uuid import uuid4

import factory
from django.utils import timezone

from engagement.models import (
    Announcement,
    EngagementClaim,
    EngagementMessage,
    MessageTemplate,
    UserEngagementState,
    UserProfile,
)
from engagement.rules import MessageType, State, TransitionTrigger
from engagement.services.lifecycle import transition
from groups.models import Member
from tests.support.factories.groups import EntryFactory, MemberFactory

# The triggers that lead from active to each state.
WAYS: dict[str, tuple[str, ...]] = {
    State.ACTIVE: (),
    State.GOODBYE_SENT: (TransitionTrigger.INACTIVITY_14D,),
    State.HELP_FLOW: (TransitionTrigger.INACTIVITY_14D, TransitionTrigger.GOODBYE_RESPONSE_1),
    State.REMIND_LATER: (TransitionTrigger.INACTIVITY_14D, TransitionTrigger.GOODBYE_RESPONSE_2),
    State.DORMANT: (TransitionTrigger.INACTIVITY_14D, TransitionTrigger.GOODBYE_RESPONSE_3),
}


class PersonFactory(MemberFactory):
    """A member with a lifecycle state, profile and directory entry.

    state: reached by transitions at the current time, which queue their messages. None: no row. last_activity_at: set
    without a transition. profile: fields of the profile. entry: fields of the directory entry, {} for an active one;
    None for no entry.
    """

    @factory.post_generation
    def profile(self, create, extracted, **kwargs):
        if changes := (extracted or {}) | kwargs:
            UserProfile.objects.filter(pk=self.pk).update(**changes)

    @factory.post_generation
    def state(self, create, extracted, **kwargs):
        if extracted is not None:
            move_to(self, extracted, **kwargs)

    @factory.post_generation
    def last_activity_at(self, create, extracted, **kwargs):
        if extracted is not None:
            UserEngagementState.objects.get_or_create(user=self)
            UserEngagementState.objects.filter(user=self).update(last_activity_at=extracted)

    @factory.post_generation
    def entry(self, create, extracted, **kwargs):
        if extracted is not None or kwargs:
            EntryFactory(person=self, name=self.display_name, **(extracted or {}), **kwargs)


def move_to(member: Member, state: str, *, at=None) -> UserEngagementState:
    """Move an active member to a state; all transitions at `at`, by default now."""
    row, _made = UserEngagementState.objects.get_or_create(user=member)
    for trigger in WAYS[state]:
        row = transition(actor=member, member=member, trigger=trigger, at=at)
    return row


def quiet_person(*, days: float = 15, at=None, **kwargs) -> Member:
    """Return an active member whose last activity was this many days before `at`, by default now."""
    at = at or timezone.now()
    return PersonFactory(state=State.ACTIVE, last_activity_at=at - timedelta(days=days), **kwargs)


class MessageFactory(factory.django.DjangoModelFactory):
    """A pending unsolicited message, due now, to the member's own chat."""

    class Meta:
        model = EngagementMessage

    user = factory.SubFactory(PersonFactory)
    message_type = MessageType.WEEKLY_REVIEW
    message_key = factory.SelfAttribute("message_type")
    message_params = factory.LazyAttribute(
        lambda message: {"week": "2026-W10"} if message.message_type == MessageType.WEEKLY_REVIEW else {}
    )
    scheduled_for = factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=1))
    idempotency_key = factory.Sequence(lambda n: f"test:{n}")

    class Params:
        sent = factory.Trait(status="sent", sent_at=factory.LazyFunction(timezone.now))
        failed = factory.Trait(status="failed", retry_count=3, error_message="No route")
        cancelled = factory.Trait(status="cancelled", error_message="Cancelled by staff.")
        welcome = factory.Trait(message_type=MessageType.WELCOME)


class ClaimFactory(factory.django.DjangoModelFactory):
    """A claim with a lease of one minute. messages: unsolicited messages."""

    class Meta:
        model = EngagementClaim

    attempt_token = factory.LazyFunction(uuid4)
    claimed_by = "a sender"
    attempted_at = factory.LazyFunction(timezone.now)
    lease_expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=1))
    message_ids = factory.LazyAttribute(lambda claim: [message.pk for message in claim.messages])
    user_ids = factory.LazyAttribute(lambda claim: [message.user_id for message in claim.messages])

    class Params:
        messages = ()


class TemplateFactory(factory.django.DjangoModelFactory):
    """A template with its own key; the default templates exist already."""

    class Meta:
        model = MessageTemplate

    key = factory.Sequence(lambda n: f"extra-{n}")
    locale = "en"
    subject = "Hello, {{ name }}"
    body = "Hi {{ name }}, hello."


class AnnouncementFactory(factory.django.DjangoModelFactory):
    """An announcement without texts and recipients."""

    class Meta:
        model = Announcement

    title = factory.Sequence(lambda n: f"Announcement {n}")
