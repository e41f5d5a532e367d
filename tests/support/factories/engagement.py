"""Factories of the engagement app. Each makes the least that is valid; states are reached by the machine itself."""

from datetime import timedelta
from uuid import uuid4

import factory
from django.utils import timezone

from engagement.models import (
    Announcement,
    EngagementClaim,
    EngagementMessage,
    MessageTemplate,
    MessageType,
    State,
    TransitionTrigger,
    UserEngagementState,
    UserProfile,
)
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
    """A member as the machine sees them.

    state: where they stand; they get there now, by the machine, with the messages that go with it. None: no row yet.
    last_activity_at: set without waking them. profile: fields of the profile. entry: values of an entry of the
    directory, {} for an active one; None for none.
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
    """Take a member who is active to a state, all its moves at `at` (now when left out)."""
    row, _made = UserEngagementState.objects.get_or_create(user=member)
    for trigger in WAYS[state]:
        row = transition(member=member, trigger=trigger, at=at)
    return row


def quiet_person(*, days: float = 15, at=None, **kwargs) -> Member:
    """An active member last heard of so many days before `at` (now when left out)."""
    at = at or timezone.now()
    return PersonFactory(state=State.ACTIVE, last_activity_at=at - timedelta(days=days), **kwargs)


class MessageFactory(factory.django.DjangoModelFactory):
    """A pending message no one asked for, due now, to the member's own chat."""

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
    """What a sender has in hand, for a minute from now. messages: all of them unsolicited."""

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
    """A template of its own; those of every type are there already, in both languages."""

    class Meta:
        model = MessageTemplate

    key = factory.Sequence(lambda n: f"extra-{n}")
    locale = "en"
    subject = "Hello, {{ name }}"
    body = "Hi {{ name }}, hello."


class AnnouncementFactory(factory.django.DjangoModelFactory):
    """An announcement without texts and recipients; the service makes whole ones."""

    class Meta:
        model = Announcement

    title = factory.Sequence(lambda n: f"Announcement {n}")
