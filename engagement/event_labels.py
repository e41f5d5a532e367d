"""The labels of the event types of this app in the log of the community."""

from django.utils.translation import gettext_lazy as _

from engagement.rules import (
    AddressReport,
    Destination,
    Language,
    Locale,
    Match,
    MessageType,
    Reading,
    SequenceCondition,
    SequenceStart,
    Topic,
)
from missionsite.common.audit.events import EventField

EVENT_LABELS = {
    "address.restored": _("Messages to an address allowed again"),
    "address.suppressed": _("Address suppressed"),
    "announcement.cancelled": _("Announcement cancelled"),
    "announcement.made": _("Announcement created"),
    "message.cancelled": _("Message cancelled"),
    "message.postponed": _("Message postponed"),
    "message.retried": _("Message sent again"),
    "message.written": _("Personal message written"),
    "phrase.changed": _("Reply phrase edited"),
    "phrase.created": _("Reply phrase added"),
    "profile.changed": _("Engagement profile edited"),
    "profile.step_completed": _("Onboarding step completed"),
    "reply.asked_again": _("Asked again after an unclear reply"),
    "sequence.changed": _("Sequence edited"),
    "sequence.created": _("Sequence added"),
    "sequence.step_added": _("Step of a sequence added"),
    "sequence.step_changed": _("Step of a sequence edited"),
    "template.changed": _("Message template edited"),
    "template.created": _("Message template added"),
    "template.tested": _("Test of a template sent"),
}

EVENT_FIELDS: dict[str, EventField] = {
    "body": _("Text"),
    "group_jid": _("Group address"),
    "individual_jid": _("Individual address"),
    "locale": (_("Language"), Locale),
    "message": (_("Message"), MessageType),
    "is_enabled": _("In use"),
    "language": (_("Language"), Language),
    "match": (_("Found in"), Match),
    "muted_topics": _("Unwanted topics"),
    "phrase": _("Phrase"),
    "reading": (_("Meaning"), Reading),
    "word_list": _("Word list"),
    "preferred_destination": (_("Messages go to"), Destination),
    "recipients": _("Recipients"),
    "report": (_("Report"), AddressReport),
    "reengagement_opt_out": _("Opted out"),
    "sequence": _("Sequence"),
    "start": (_("Starts with"), SequenceStart),
    "step": _("Step"),
    "template_key": _("Template"),
    "delay_days": _("Days after the start"),
    "condition": (_("Condition"), SequenceCondition),
    "topic": (_("Topic"), Topic),
    "subject": _("Subject"),
    "template": (_("Template"), MessageType),
    "withdrawn": _("Cancelled messages"),
}
