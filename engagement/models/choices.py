"""The words the tables of this app may hold; the database holds the same lists in its CHECKs."""

from django.db import models


class State(models.TextChoices):
    """How a member stands with the community's messages."""

    ACTIVE = "active", "Active"
    GOODBYE_SENT = "goodbye_sent", "Goodbye sent"
    HELP_FLOW = "help_flow", "Help flow"
    REMIND_LATER = "remind_later", "Remind later"
    DORMANT = "dormant", "Dormant"


class Trigger(models.TextChoices):
    """What moves a member from one state to the next."""

    INACTIVITY_14D = "inactivity_14d", "Quiet for two weeks"
    USER_MESSAGE = "user_message", "Wrote or took part"
    GOODBYE_RESPONSE_1 = "goodbye_response_1", "Answered 1: confused"
    GOODBYE_RESPONSE_2 = "goodbye_response_2", "Answered 2: busy"
    GOODBYE_RESPONSE_3 = "goodbye_response_3", "Answered 3: all good"
    GOODBYE_TIMEOUT = "goodbye_timeout", "Did not answer"
    REMINDER_DUE = "reminder_due", "Asked to be left until now"


class MessageType(models.TextChoices):
    """What a message is for."""

    WELCOME = "welcome", "Welcome"
    TIER_UNLOCK = "tier_unlock", "Tier unlocked"
    GOODBYE = "goodbye", "Goodbye"
    WEEKLY_REVIEW = "weekly_review", "Weekly review"
    REMINDER = "reminder", "Reminder"
    HELP_RESTART = "help_restart", "Help to restart"
    ANNOUNCEMENT = "announcement", "Announcement"
    OPT_OUT_CONFIRMATION = "opt_out_confirmation", "Opt-out confirmation"


# Answers to what the member has just done. Every other message comes unasked: it waits for the end of the quiet hours,
# counts against the attention budget, and is not sent to who opted out or is dormant.
ANSWERS = (MessageType.WELCOME, MessageType.HELP_RESTART, MessageType.OPT_OUT_CONFIRMATION)


class Destination(models.TextChoices):
    """Where a member wants messages."""

    INDIVIDUAL = "individual", "Individual chat"
    GROUP = "group", "Group chat"


class Status(models.TextChoices):
    """What became of a message."""

    PENDING = "pending", "Pending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


# What staff may send again, and what they may take back.
RETRYABLE = (Status.FAILED,)
ABORTABLE = (Status.PENDING, Status.FAILED)


class WaitingFor(models.TextChoices):
    """Why a pending message is due later than it was."""

    NOTHING = "", "Its turn"
    QUIET_HOURS = "quiet_hours", "The end of the quiet hours"
    ATTENTION_BUDGET = "attention_budget", "Room in the attention budget"
    RETRY = "retry", "Another try"
    STAFF = "staff", "Staff postponed it"


class Locale(models.TextChoices):
    """The languages messages are written in."""

    EN = "en", "English"
    PT_BR = "pt-BR", "Portuguese (Brazil)"


# --- The machine: ten transitions, nothing else ---------------------------------------------------

TRANSITIONS: dict[tuple[str, str], str] = {
    (State.ACTIVE, Trigger.INACTIVITY_14D): State.GOODBYE_SENT,
    (State.GOODBYE_SENT, Trigger.USER_MESSAGE): State.ACTIVE,
    (State.GOODBYE_SENT, Trigger.GOODBYE_RESPONSE_1): State.HELP_FLOW,
    (State.GOODBYE_SENT, Trigger.GOODBYE_RESPONSE_2): State.REMIND_LATER,
    (State.GOODBYE_SENT, Trigger.GOODBYE_RESPONSE_3): State.DORMANT,
    (State.GOODBYE_SENT, Trigger.GOODBYE_TIMEOUT): State.DORMANT,
    (State.HELP_FLOW, Trigger.USER_MESSAGE): State.ACTIVE,
    (State.REMIND_LATER, Trigger.USER_MESSAGE): State.ACTIVE,
    (State.REMIND_LATER, Trigger.REMINDER_DUE): State.DORMANT,
    (State.DORMANT, Trigger.USER_MESSAGE): State.ACTIVE,
}


def possible(state: str) -> list[str]:
    """The triggers a state knows."""
    return [trigger for before, trigger in TRANSITIONS if before == state]
