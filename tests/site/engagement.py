"""Engagement objects for the site-wide tests: states, messages, templates and form values."""

from django.utils import timezone

from engagement.models import MessageTemplate, ReplyPhrase, Sequence, SequenceStep, UnassignedMessage
from engagement.rules import AddressReport, Language, MessageType, Reading, State
from engagement.selectors.announcements import audience_of
from engagement.services.addresses import report_address
from engagement.services.announcements import announce
from engagement.services.lifecycle import record_activities
from engagement.services.phrases import change_phrase
from engagement.services.profiles import update_profile
from engagement.services.templates import change_template
from engagement.services.unsubscribe import unsubscribe_url
from groups.models import CommunityMember, Member
from tests.support.database import allow_delete
from tests.support.factories.engagement import AnnouncementFactory, MessageFactory, PersonFactory, move_to

TEXTS = {"subject": "Hello, {{ name }}", "body": "Hi {{ name }}, there is news."}

PHRASE = {"reading": "opted_out", "language": "en", "match": "whole", "word_list": "", "is_enabled": "on"}


def add_engagement(things: dict[str, object], people: dict[str, Member]) -> None:
    """Create an active member, one in `goodbye_sent`, messages, an announcement, and edits to revert."""
    # Everyone was active: the first request of a person does not add their state.
    record_activities(seen={person.pk: timezone.now() for person in people.values()})
    active = PersonFactory(display_name="Quiet", state=State.ACTIVE)
    things["quiet member"] = active
    things["engagement state"] = active.engagement_state
    gone = PersonFactory(display_name="Gone")
    move_to(gone, State.GOODBYE_SENT)
    things["transition"] = gone.engagement_transitions.get()
    things["message"] = MessageFactory(user=active)
    things["failed message"] = MessageFactory(user=active, failed=True)
    things["profile"] = update_profile(actor=active, member=active, locale="pt-BR")
    template = MessageTemplate.objects.get(key=MessageType.WELCOME, locale="en")
    things["message template"] = change_template(actor=gone, template=template, **TEXTS)
    phrase = ReplyPhrase.objects.get(reading=Reading.OPTED_OUT, language=Language.EN, phrase="stop")
    things["reply phrase"] = change_phrase(actor=gone, row=phrase, phrase="stop it all")
    # So that this template can be added.
    allow_delete("message_templates")
    MessageTemplate.objects.filter(key=MessageType.REMINDER, locale="pt-BR").delete()
    things["bounced address"] = report_address(
        member=active, address="quiet@example.org", report=AddressReport.HARD_BOUNCE, at=timezone.now()
    )
    things["unassigned message"] = UnassignedMessage.objects.create(
        platform="email", message_id="<1@example.org>", sender="ana@example.org", text="2", reason="unknown"
    )
    things["sequence"] = Sequence.objects.first()
    things["sequence step"] = SequenceStep.objects.get(template_key="welcome")
    MessageTemplate.objects.create(key="sequence_other", locale="en", **TEXTS)
    entries = CommunityMember.objects.filter(deleted_at=None)
    things["announcement"] = announce(actor=gone, entries=entries, title="News", texts={"en": tuple(TEXTS.values())})
    things["waiting announcement"] = AnnouncementFactory(needs_approval=True, waiting_ids=[active.pk])
    things["recipients"] = audience_of(entries).recipients


# The object of a URL by model, URL name or parameter name.
OBJECTS = {
    "engagement/userengagementstate": "engagement state",
    "engagement/engagementstatetransition": "transition",
    "engagement/engagementmessage": "message",
    "engagement/userprofile": "profile",
    "engagement/messagetemplate": "message template",
    "engagement/replyphrase": "reply phrase",
    "engagement/announcement": "announcement",
    "engagement/bouncedaddress": "bounced address",
    "engagement/unassignedmessage": "unassigned message",
    "engagement/sequence": "sequence",
    "engagement/sequencestep": "sequence step",
    "engagement_engagementmessage_retry": "failed message",
    "engagement_announcement_approve": "waiting announcement",
}
PARTS = ("member_id", "message_id", "token", "provider")
CHOSEN = {
    "engagement/userengagementstate move": "engagement state",
    "engagement/bouncedaddress restore": "bounced address",
    "engagement/unassignedmessage dismiss": "unassigned message",
    "engagement/engagementmessage retry": "failed message",
    "engagement/engagementmessage cancel": "message",
    "engagement/engagementmessage postpone": "message",
}
UNTIL = {"until_0": "2099-01-01", "until_1": "09:00:00"}
ACTION_BODY = {"trigger": "inactivity_14d", **UNTIL}


def part(things: dict[str, object], name: str, route: str):
    """Return the value of a URL parameter; route: name of the URL."""
    match name:
        case "member_id":
            return things["quiet member"].member_id
        case "message_id":
            return things["failed message" if route == "retry_message" else "message"].pk
        case "provider":
            return "postmark"
        case _:
            return unsubscribe_url(things["quiet member"].pk).rstrip("/").rsplit("/", 1)[1]


def forms(things: dict[str, object]) -> dict[str, dict]:
    """Return valid form values by URL name."""
    reason = {"reason": "Because it is time"}
    return {
        "engagement_compose": {
            "title": "More news",
            "subject_en": TEXTS["subject"],
            "body_en": TEXTS["body"],
            "expected": things["recipients"],
        },
        "engagement_announcement_cancel": reason,
        "engagement_bouncedaddress_restore": reason,
        "engagement_unassignedmessage_assign": {"member": things["quiet member"].member_id},
        "engagement_unassignedmessage_dismiss": reason,
        "engagement_userengagementstate_move": {"trigger": "inactivity_14d"},
        "engagement_userprofile_change": {
            "preferred_destination": "individual",
            "locale": "en",
            "timezone": "Europe/Lisbon",
            "individual_jid": "",
            "group_jid": "",
        },
        "engagement_userprofile_write": {"subject": "Hello", "body": "Hi {{ name }}"},
        "engagement_userprofile_complete-step": {"step": "introduce_yourself"},
        "engagement_engagementmessage_cancel": reason,
        "engagement_engagementmessage_postpone": UNTIL,
        "engagement_messagetemplate_add": {"key": MessageType.REMINDER.value, "locale": "pt-BR", **TEXTS},
        "engagement_messagetemplate_change": {"subject": "Welcome!", "body": "Hi {{ name }}, welcome."},
        "engagement_sequence_add": {"name": "Another", "start": "approved", "topic": "news"},
        "engagement_sequence_change": {"name": "Renamed", "start": "approved", "topic": "news"},
        "engagement_sequencestep_add": {
            "sequence": things["sequence"].pk,
            "delay_days": "4",
            "condition": "always",
            "template_key": "sequence_other",
        },
        "engagement_sequencestep_change": {"delay_days": "5", "condition": "always", "template_key": "welcome"},
        "engagement_replyphrase_add": PHRASE | {"phrase": "halt"},
        "engagement_replyphrase_change": PHRASE | {"phrase": "stop it now"},
        "engagement_try_phrase": {"text": "stop"},
        "engagement_preview": {"key": "welcome", "locale": "en", **TEXTS},
    }


def bodies(things: dict[str, object]) -> dict[tuple[str, str], dict]:
    """Return valid request bodies of API operations by path and method."""
    return {
        ("api/engagement/me/profile", "PATCH"): {"timezone": "Europe/Lisbon"},
        ("api/engagement/members/<member_id>/transitions", "POST"): {"trigger": "inactivity_14d"},
        ("api/engagement/messages/<message_id>/cancel", "POST"): {"reason": "Sent by mistake"},
        ("api/engagement/inbound", "POST"): {
            "platform": "whatsapp",
            "message_id": "1",
            "sender": "nobody@example",
            "text": "2",
        },
        ("api/engagement/receipts", "POST"): {"provider_message_id": "1", "status": "delivered"},
    }
