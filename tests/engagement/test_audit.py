"""What each service of this app records: every one that takes an actor is called once."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pkgutil import walk_packages

import pytest
from django.utils import timezone

import engagement.services
from engagement.models import (
    EngagementStateTransition,
    MemberAddress,
    MessageTemplate,
    MessageTemplateHistory,
    ReplyPhrase,
    ReplyPhraseHistory,
    Sequence,
    SequenceStep,
    UnassignedMessage,
    UserEngagementState,
    UserProfile,
    UserProfileHistory,
)
from engagement.rules import AddressReport, MessageType, TransitionTrigger
from engagement.services import (
    addresses,
    announcements,
    inbound,
    lifecycle,
    messages,
    onboarding,
    personal,
    phrases,
    profiles,
    sequences,
    templates,
    unassigned,
)
from engagement.tasks import sweep
from groups.models import CommunityMember, Event, Member
from missionsite.common.audit.context import changeset
from tests.support.database import allow_delete
from tests.support.factories.engagement import AnnouncementFactory, MessageFactory, PersonFactory, quiet_person
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db

# Services without an actor, with the reason.
WITHOUT_ACTOR = {
    "enqueue": "The message is the record; what queues it has an actor.",
    "record_activity": "A time at which the member was active.",
    "record_activities": "Times at which members were active.",
    "record_delivery": "The provider of a transport reports a delivery.",
    "report_address": "The provider reports it; the event has the system as its actor.",
    "start_sequences": "It follows from an event, which has an actor.",
    "receive_mail": "The member who wrote the e-mail is the actor of its effect.",
    "keep_message": "No member is known.",
    "receive_text": "The member who wrote is the actor of its effect.",
    "record_receipt": "The provider of a transport reports what happened to a message.",
}

TEXT = {"subject": "Hello", "body": "Hi {{ name }}"}


def person(**fields) -> Member:
    return PersonFactory(state="active", **fields)


def a_suppressed_address() -> dict:
    return {
        "row": addresses.report_address(
            member=PersonFactory(), address="a@example.org", report=AddressReport.COMPLAINT, at=timezone.now()
        )
    }


def an_announcement() -> dict:
    person(entry={})
    return {"entries": CommunityMember.objects.all(), "title": "News", "texts": {"en": tuple(TEXT.values())}}


def a_waiting_announcement() -> dict:
    return {"announcement": AnnouncementFactory(needs_approval=True, waiting_ids=[PersonFactory().pk])}


def a_member_in_first_tier() -> dict:
    member = PersonFactory(profile={"onboarding_tier": 1, "onboarding_tier_progress": {"1": {"join_mission": "2026"}}})
    return {"member": member}


def a_registration() -> dict:
    return {"member": PersonFactory(), "address": "123", "locale": "pt-BR", "timezone": "Asia/Tokyo"}


def an_unclear_reply() -> dict:
    member = PersonFactory(state="goodbye_sent")
    row = UserEngagementState.objects.filter(user=member)
    row.update(goodbye_sent_at=timezone.now(), goodbye_expires_at=timezone.now())
    return {"member": member, "at": timezone.now()}


def a_missing_template() -> dict:
    allow_delete("message_templates")
    MessageTemplate.objects.filter(key=MessageType.REMINDER, locale="en").delete()
    return {"key": MessageType.REMINDER, "locale": "en", **TEXT}


def an_unverified_address() -> MemberAddress:
    member = PersonFactory(entry={"telegram_id": "4711"})
    return MemberAddress.objects.get(user=member, channel="telegram")


def an_unassigned_message() -> UnassignedMessage:
    return UnassignedMessage.objects.create(
        platform="email", message_id="<1@x>", text="stop", reason="unknown", received_at=timezone.now()
    )


# The least data with which each service changes something.
ARRANGE: dict[Callable, Callable[[], dict]] = {
    addresses.verify_address: lambda: {"row": an_unverified_address()},
    addresses.restore_address: a_suppressed_address,
    announcements.announce: an_announcement,
    announcements.approve_announcement: a_waiting_announcement,
    announcements.cancel_announcement: lambda: {"announcement": AnnouncementFactory()},
    # The actor is the member who wrote.
    lifecycle.ask_again: an_unclear_reply,
    inbound.handle_inbound: lambda: {"text": "stop"},
    lifecycle.transition: lambda: {"member": person(), "trigger": TransitionTrigger.INACTIVITY_14D},
    messages.cancel_message: lambda: {"message": MessageFactory(), "reason": "Wrong week"},
    messages.postpone_message: lambda: {"message": MessageFactory(), "until": MessageFactory().scheduled_for},
    messages.retry_message: lambda: {"message": MessageFactory(failed=True)},
    onboarding.complete_action: lambda: {"member": PersonFactory(), "action": "join_mission"},
    onboarding.record_magic_moment: lambda: {"member": PersonFactory()},
    onboarding.restart_onboarding: a_member_in_first_tier,
    personal.write_to_member: lambda: {"member": PersonFactory(), "subject": "Hi", "body": "Hi {{ name }}"},
    phrases.add_phrase: lambda: {"reading": "opted_out", "language": "en", "phrase": "halt"},
    phrases.change_phrase: lambda: {"row": ReplyPhrase.objects.get(phrase="stop"), "is_enabled": False},
    profiles.start_profile: a_registration,
    profiles.update_profile: lambda: {"member": PersonFactory(), "locale": "pt-BR"},
    sequences.add_sequence: lambda: {"name": "Another", "start": "approved", "topic": "news"},
    sequences.change_sequence: lambda: {"sequence": Sequence.objects.get(), "name": "Renamed"},
    sequences.add_step: lambda: {"sequence": Sequence.objects.get(), "template_key": "reminder"},
    sequences.change_step: lambda: {"step": SequenceStep.objects.first(), "delay_days": 200},
    unassigned.delete_old_messages: lambda: {"at": an_unassigned_message().received_at + timedelta(days=31)},
    unassigned.assign_message: lambda: {"row": an_unassigned_message(), "member": PersonFactory()},
    unassigned.dismiss_message: lambda: {"row": an_unassigned_message()},
    templates.add_template: a_missing_template,
    templates.send_test: lambda: {"template": MessageTemplate.objects.first()},
    templates.change_template: lambda: {"template": MessageTemplate.objects.first(), **TEXT},
}


def services() -> dict[str, Callable]:
    """Return the functions of this app that are marked as services, by name."""
    found = {}
    for module in walk_packages(engagement.services.__path__, "engagement.services."):
        for value in vars(import_module(module.name)).values():
            if hasattr(value, "is_service") and value.__module__.startswith("engagement."):
                found[value.__name__] = value
    return found


def records_of(actor: Member) -> int:
    """Return how many events, transitions and versions name this actor."""
    in_changeset = {"pgh_context__metadata__user": str(actor.pk)}
    return (
        Event.objects.filter(actor=actor).count()
        + EngagementStateTransition.objects.filter(metadata__by=actor.member_id).count()
        + UserProfileHistory.objects.filter(**in_changeset).count()
        + ReplyPhraseHistory.objects.filter(**in_changeset).count()
        + MessageTemplateHistory.objects.filter(**in_changeset).count()
    )


@pytest.mark.parametrize("name", sorted(services()))
def test_service_requires_actor(name):
    actor = inspect.signature(services()[name]).parameters.get("actor")
    if name in WITHOUT_ACTOR:
        assert actor is None
    else:
        assert actor is not None
        assert (actor.kind, actor.default) == (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.empty)


def test_each_service_with_actor_is_called_here():
    assert {service.__name__ for service in ARRANGE} == services().keys() - WITHOUT_ACTOR.keys()


@pytest.mark.parametrize("service", ARRANGE, ids=lambda service: service.__name__)
def test_service_records_its_actor(service):
    actor, values = StaffFactory(), ARRANGE[service]()
    before = records_of(actor)
    service(actor=actor, **values)
    assert records_of(actor) > before


def test_transition_of_member_or_system_names_no_one_else():
    member = person()
    lifecycle.transition(actor=Member.objects.system(), member=member, trigger=TransitionTrigger.INACTIVITY_14D)
    lifecycle.transition(actor=member, member=member, trigger=TransitionTrigger.GOODBYE_RESPONSE_2)
    assert not EngagementStateTransition.objects.filter(user=member, metadata__has_key="by").exists()


def test_snooze_by_staff_names_them_in_log():
    member, staff = PersonFactory(state="goodbye_sent"), StaffFactory()
    lifecycle.transition(actor=staff, member=member, trigger=TransitionTrigger.GOODBYE_RESPONSE_2)
    log = EngagementStateTransition.objects.filter(user=member).latest("pk")
    assert (log.to_state, log.metadata["by"]) == ("remind_later", staff.member_id)


def test_step_completed_by_system_has_no_event_of_its_own():
    member = PersonFactory()
    onboarding.complete_action(actor=Member.objects.system(), member=member, action="join_mission")
    assert not Event.objects.filter(type="profile.step_completed").exists()
    version = UserProfileHistory.objects.filter(pgh_obj=member.pk).latest("pgh_id")
    assert version.pgh_context.metadata["user"] == str(Member.objects.system().pk)


def test_changes_of_one_changeset_share_it():
    member, staff = PersonFactory(), StaffFactory()
    with changeset(job="test") as number:
        profiles.update_profile(actor=staff, member=member, locale="pt-BR")
        onboarding.record_magic_moment(actor=staff, member=member)
    versions = UserProfileHistory.objects.filter(pgh_obj=member.pk).order_by("-pgh_id")[:2]
    assert [version.pgh_context_id for version in versions] == [number, number]
    assert UserProfile.objects.get(pk=member.pk).locale == "pt-BR"


def test_sweep_is_recorded_with_triggers_of_time():
    member = quiet_person()
    assert sweep.func(0) == 1
    log = EngagementStateTransition.objects.get(user=member)
    assert (log.trigger, log.metadata) == ("inactivity_14d", {"days_inactive": 15})
