"""Models: lifecycle states, the message queue, templates, reply phrases, announcements and profiles."""

from engagement.models.addresses import BouncedAddress, MemberAddress
from engagement.models.history import MessageTemplateHistory, ReplyPhraseHistory, UserProfileHistory
from engagement.models.inbound import InboundMessage, Mailbox, UnassignedMessage
from engagement.models.phrases import ReplyPhrase
from engagement.models.profiles import UserProfile
from engagement.models.queue import EngagementClaim, EngagementMessage, EngagementTransport
from engagement.models.sequences import Sequence, SequenceMember, SequenceStep
from engagement.models.states import EngagementStateTransition, UserEngagementState
from engagement.models.templates import Announcement, MessageTemplate

__all__ = [
    "Announcement",
    "BouncedAddress",
    "EngagementClaim",
    "EngagementMessage",
    "EngagementStateTransition",
    "EngagementTransport",
    "InboundMessage",
    "Mailbox",
    "MemberAddress",
    "MessageTemplate",
    "MessageTemplateHistory",
    "ReplyPhrase",
    "ReplyPhraseHistory",
    "Sequence",
    "SequenceMember",
    "SequenceStep",
    "UnassignedMessage",
    "UserEngagementState",
    "UserProfile",
    "UserProfileHistory",
]
