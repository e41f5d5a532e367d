"""Models: lifecycle states, the message queue, templates, announcements and profiles."""

from engagement.models.choices import (
    ABORTABLE,
    RETRYABLE,
    TRANSACTIONAL_TYPES,
    TRANSITIONS,
    Destination,
    Locale,
    MessageType,
    State,
    Status,
    TransitionTrigger,
    WaitingFor,
    possible_triggers,
)
from engagement.models.history import MessageTemplateHistory, UserProfileHistory
from engagement.models.inbound import InboundMessage
from engagement.models.profiles import UserProfile
from engagement.models.queue import EngagementClaim, EngagementMessage, EngagementTransport
from engagement.models.states import EngagementStateTransition, UserEngagementState
from engagement.models.templates import Announcement, MessageTemplate

__all__ = [
    "ABORTABLE",
    "RETRYABLE",
    "TRANSACTIONAL_TYPES",
    "TRANSITIONS",
    "Announcement",
    "Destination",
    "EngagementClaim",
    "EngagementMessage",
    "EngagementStateTransition",
    "EngagementTransport",
    "InboundMessage",
    "Locale",
    "MessageTemplate",
    "MessageTemplateHistory",
    "MessageType",
    "State",
    "Status",
    "TransitionTrigger",
    "UserEngagementState",
    "UserProfile",
    "UserProfileHistory",
    "WaitingFor",
    "possible_triggers",
]
