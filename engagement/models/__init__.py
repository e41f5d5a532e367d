"""Members as the re-engagement machine sees them, the messages to them, and what those say."""

from engagement.models.choices import (
    ABORTABLE,
    ANSWERS,
    RETRYABLE,
    TRANSITIONS,
    Destination,
    Locale,
    MessageType,
    State,
    Status,
    Trigger,
    WaitingFor,
    possible,
)
from engagement.models.history import MessageTemplateHistory, UserProfileHistory
from engagement.models.inbound import InboundMessage
from engagement.models.profiles import UserProfile
from engagement.models.queue import EngagementClaim, EngagementMessage, EngagementTransport
from engagement.models.states import EngagementStateTransition, UserEngagementState
from engagement.models.templates import Announcement, MessageTemplate

__all__ = [
    "ABORTABLE",
    "ANSWERS",
    "RETRYABLE",
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
    "Trigger",
    "UserEngagementState",
    "UserProfile",
    "UserProfileHistory",
    "WaitingFor",
    "possible",
]
