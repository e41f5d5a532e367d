"""Choices of this app's columns; CHECK constraints hold the same lists."""

from django.db import models


class State(models.TextChoices):
    """Lifecycle state of a member."""

    ACTIVE = "active", "Active"
    GOODBYE_SENT = "goodbye_sent", "Goodbye sent"
    HELP_FLOW = "help_flow", "Help flow"
    REMIND_LATER = "remind_later", "Remind later"
    DORMANT = "dormant", "Dormant"


class TransitionTrigger(models.TextChoices):
    """Event that changes the state of a member."""

    INACTIVITY_14D = "inactivity_14d", "Inactive for 14 days"
    USER_MESSAGE = "user_message", "Wrote or took part"
    GOODBYE_RESPONSE_1 = "goodbye_response_1", "Answered 1: confused"
    GOODBYE_RESPONSE_2 = "goodbye_response_2", "Answered 2: busy"
    GOODBYE_RESPONSE_3 = "goodbye_response_3", "Answered 3: all good"
    GOODBYE_TIMEOUT = "goodbye_timeout", "Did not answer"
    REMINDER_DUE = "reminder_due", "Snooze ended"


class MessageType(models.TextChoices):
    """Purpose of a message."""

    WELCOME = "welcome", "Welcome"
    TIER_UNLOCK = "tier_unlock", "Tier unlocked"
    GOODBYE = "goodbye", "Goodbye"
    WEEKLY_REVIEW = "weekly_review", "Weekly review"
    REMINDER = "reminder", "Reminder"
    HELP_RESTART = "help_restart", "Help to restart"
    ANNOUNCEMENT = "announcement", "Announcement"
    OPT_OUT_CONFIRMATION = "opt_out_confirmation", "Opt-out confirmation"


# Replies to something the member has just done. All other types are unsolicited: they wait for the end of the quiet
# hours, count towards the frequency cap, and are not sent to members who opted out or are dormant.
TRANSACTIONAL_TYPES = (MessageType.WELCOME, MessageType.HELP_RESTART, MessageType.OPT_OUT_CONFIRMATION)


class Destination(models.TextChoices):
    """Chat in which a member receives messages."""

    INDIVIDUAL = "individual", "Individual chat"
    GROUP = "group", "Group chat"


class Status(models.TextChoices):
    """Delivery status of a message."""

    PENDING = "pending", "Pending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


# Statuses from which staff can retry or cancel a message.
RETRYABLE = (Status.FAILED,)
ABORTABLE = (Status.PENDING, Status.FAILED)


class WaitingFor(models.TextChoices):
    """Reason for which a pending message was rescheduled."""

    NOTHING = "", "Scheduled time"
    QUIET_HOURS = "quiet_hours", "End of quiet hours"
    FREQUENCY_CAP = "frequency_cap", "Frequency cap"
    RETRY = "retry", "Next attempt"
    STAFF = "staff", "Postponed by staff"


class Locale(models.TextChoices):
    """Language of messages."""

    EN = "en", "English"
    PT_BR = "pt-BR", "Portuguese (Brazil)"


# --- The ten transitions; every other pair is rejected --------------------------------------------

TRANSITIONS: dict[tuple[str, str], str] = {
    (State.ACTIVE, TransitionTrigger.INACTIVITY_14D): State.GOODBYE_SENT,
    (State.GOODBYE_SENT, TransitionTrigger.USER_MESSAGE): State.ACTIVE,
    (State.GOODBYE_SENT, TransitionTrigger.GOODBYE_RESPONSE_1): State.HELP_FLOW,
    (State.GOODBYE_SENT, TransitionTrigger.GOODBYE_RESPONSE_2): State.REMIND_LATER,
    (State.GOODBYE_SENT, TransitionTrigger.GOODBYE_RESPONSE_3): State.DORMANT,
    (State.GOODBYE_SENT, TransitionTrigger.GOODBYE_TIMEOUT): State.DORMANT,
    (State.HELP_FLOW, TransitionTrigger.USER_MESSAGE): State.ACTIVE,
    (State.REMIND_LATER, TransitionTrigger.USER_MESSAGE): State.ACTIVE,
    (State.REMIND_LATER, TransitionTrigger.REMINDER_DUE): State.DORMANT,
    (State.DORMANT, TransitionTrigger.USER_MESSAGE): State.ACTIVE,
}


def possible_triggers(state: str) -> list[str]:
    """Return the triggers that are valid in a state."""
    return [trigger for before, trigger in TRANSITIONS if before == state]
