"""Transitions and limits of this app as data.

CHECK constraints, forms, services, the API and the back office are made from these tables. Where a function or trigger
of the database holds a copy, tests/engagement/test_rules.py compares the two.
"""

from datetime import timedelta

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

# --- Lifecycle ------------------------------------------------------------------------------------


class State(TextChoices):
    """Lifecycle state of a member."""

    ACTIVE = "active", _("Active")
    GOODBYE_SENT = "goodbye_sent", _("Goodbye sent")
    HELP_FLOW = "help_flow", _("Help flow")
    REMIND_LATER = "remind_later", _("Remind later")
    DORMANT = "dormant", _("Dormant")


class TransitionTrigger(TextChoices):
    """Event that changes the state of a member."""

    INACTIVITY_14D = "inactivity_14d", _("Inactive for 14 days")
    USER_MESSAGE = "user_message", _("Wrote or took part")
    GOODBYE_RESPONSE_1 = "goodbye_response_1", _("Answered 1: confused")
    GOODBYE_RESPONSE_2 = "goodbye_response_2", _("Answered 2: busy")
    GOODBYE_RESPONSE_3 = "goodbye_response_3", _("Answered 3: all good")
    GOODBYE_TIMEOUT = "goodbye_timeout", _("Did not answer")
    REMINDER_DUE = "reminder_due", _("Snooze ended")


# The ten transitions; every other pair is rejected.
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

# The response_type that the log has for a trigger after a goodbye.
RESPONSE_TYPES: dict[str, str] = {
    TransitionTrigger.GOODBYE_RESPONSE_1: "confused",
    TransitionTrigger.GOODBYE_RESPONSE_2: "busy",
    TransitionTrigger.GOODBYE_RESPONSE_3: "all_good",
    TransitionTrigger.GOODBYE_TIMEOUT: "timeout",
}

# The response_type of a goodbye, or of the reminder after a snooze, that was answered by a message and nothing else.
# Like silence it doubles the wait before the next goodbye.
MESSAGE_ONLY = "message"
# Activity on so many different days sets the wait back.
ACTIVE_DAYS = 3

# The details of a transition that its member may see.
OWN_DETAILS = ("days_inactive", "response_type", "unprompted_return")

# Replies of a member to a goodbye; the classification of texts returns the same names.
GOODBYE_REPLIES = (
    TransitionTrigger.GOODBYE_RESPONSE_1,
    TransitionTrigger.GOODBYE_RESPONSE_2,
    TransitionTrigger.GOODBYE_RESPONSE_3,
)

# Triggers caused by a message of the member; the others are caused by time.
MEMBER_TRIGGERS = (TransitionTrigger.USER_MESSAGE, *GOODBYE_REPLIES)


def possible_triggers(state: str) -> list[str]:
    """Return the triggers that are valid in a state."""
    return [trigger for before, trigger in TRANSITIONS if before == state]


# --- Messages -------------------------------------------------------------------------------------


class MessageType(TextChoices):
    """Purpose of a message."""

    WELCOME = "welcome", _("Welcome")
    TIER_UNLOCK = "tier_unlock", _("Tier unlocked")
    GOODBYE = "goodbye", _("Goodbye")
    WEEKLY_REVIEW = "weekly_review", _("Weekly review")
    REMINDER = "reminder", _("Reminder")
    HELP_RESTART = "help_restart", _("Help to restart")
    ANNOUNCEMENT = "announcement", _("Announcement")
    OPT_OUT_CONFIRMATION = "opt_out_confirmation", _("Opt-out confirmation")
    CLARIFICATION = "clarification", _("Question about a reply")
    PERSONAL = "personal", _("Personal message")
    TEST = "test", _("Test of a template")
    SEQUENCE = "sequence", _("Sequence")


# Replies to something the member has just done. All other types are unsolicited: they wait for the end of the quiet
# hours, count towards the frequency cap, and are not sent to members who opted out or are dormant.
TRANSACTIONAL_TYPES = (
    MessageType.WELCOME,
    MessageType.HELP_RESTART,
    MessageType.OPT_OUT_CONFIRMATION,
    MessageType.CLARIFICATION,
    MessageType.TEST,
)


class Topic(TextChoices):
    """What an unsolicited message is about. Members choose topics; only an opt-out stops a message without one."""

    NEWS = "news", _("News of the community")
    EVENTS = "events", _("Events and meetings")
    MISSIONS = "missions", _("Missions and ways to take part")
    GETTING_STARTED = "getting_started", _("First steps and tips")
    WEEKLY_REVIEW = "weekly_review", _("Review of my week")


# The topic of a message type; that of an announcement or a sequence is chosen.
TYPE_TOPICS: dict[str, Topic] = {
    MessageType.WEEKLY_REVIEW: Topic.WEEKLY_REVIEW,
    MessageType.TIER_UNLOCK: Topic.GETTING_STARTED,
}

# Messages that may go to a group chat. All others are personal: they go to the member's own chat.
GROUP_TYPES = (MessageType.ANNOUNCEMENT,)

# The message that a transition queues.
TRANSITION_MESSAGES: dict[str, MessageType] = {
    TransitionTrigger.INACTIVITY_14D: MessageType.GOODBYE,
    TransitionTrigger.GOODBYE_RESPONSE_1: MessageType.HELP_RESTART,
}


class Destination(TextChoices):
    """Chat in which a member receives messages."""

    INDIVIDUAL = "individual", _("Individual chat")
    GROUP = "group", _("Group chat")


class Status(TextChoices):
    """Delivery status of a message."""

    PENDING = "pending", _("Pending")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


# From each status, those that a message can get. A sent message fails when the provider reports that it could not
# deliver it.
MESSAGE_MOVES: dict[str, tuple[Status, ...]] = {
    Status.PENDING: (Status.SENT, Status.FAILED, Status.CANCELLED),
    Status.FAILED: (Status.PENDING, Status.CANCELLED),
    Status.SENT: (Status.FAILED,),
    Status.CANCELLED: (),
}


def statuses_before(status: Status) -> tuple[Status, ...]:
    """Return the statuses from which a message can get this one."""
    return tuple(before for before in Status if status in MESSAGE_MOVES[before])


# Statuses from which staff can retry, cancel or postpone a message.
RETRYABLE = statuses_before(Status.PENDING)
CANCELLABLE = statuses_before(Status.CANCELLED)
POSTPONABLE = (Status.PENDING,)


class WaitingFor(TextChoices):
    """Reason for which a pending message was rescheduled."""

    NOTHING = "", _("Scheduled time")
    QUIET_HOURS = "quiet_hours", _("End of quiet hours")
    FREQUENCY_CAP = "frequency_cap", _("Frequency cap")
    RETRY = "retry", _("Next attempt")
    STAFF = "staff", _("Postponed by staff")


# The name that the metadata of an e-mail has for its idempotency key.
METADATA_KEY = "key"


# The subject of an e-mail to unsubscribe, before the token of the member.
UNSUBSCRIBE_SUBJECT = "unsubscribe"


class ReceiptStatus(TextChoices):
    """What a provider reports about a message that it accepted."""

    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    BOUNCED = "bounced", _("Bounced")
    COMPLAINED = "complained", _("Complained")


class Channel(TextChoices):
    """Where a member can be reached, and writes from."""

    EMAIL = "email", _("E-mail")
    TELEGRAM = "telegram", _("Telegram")
    TELEGRAM_NAME = "telegram_name", _("Telegram name")
    WHATSAPP = "whatsapp", _("WhatsApp or phone")
    CHAT = "chat", _("Another chat")


# Channels on which the site can send; a name is no address of Telegram's API.
SENDING_CHANNELS = (Channel.EMAIL, Channel.TELEGRAM, Channel.WHATSAPP, Channel.CHAT)
# A message that bounced after it was sent goes to the next channel within this time.
FALLBACK_PERIOD = timedelta(days=2)
# A name can pass to another person, so it never becomes verified.
VERIFIABLE = (Channel.TELEGRAM, Channel.WHATSAPP, Channel.CHAT)


class AddressReport(TextChoices):
    """What was reported about an address."""

    SOFT_BOUNCE = "soft_bounce", _("Soft bounce: temporary, such as a full mailbox")
    HARD_BOUNCE = "hard_bounce", _("Hard bounce: the address does not exist")
    COMPLAINT = "complaint", _("Complaint: reported as spam")


class UnassignedReason(TextChoices):
    """Why a received message belongs to no member."""

    UNKNOWN = "unknown", _("No member has this address")
    SEVERAL = "several", _("Several members have this address")
    UNVERIFIED = "unverified", _("The address of the member is not verified")
    FORGED = "forged", _("The sender is not authenticated (DMARC)")
    UNREADABLE = "unreadable", _("The message cannot be read")


# Messages without a member are deleted after so many days; each address has so many at most that are not handled.
UNASSIGNED_DAYS = 30
UNASSIGNED_PER_SENDER = 20
UNASSIGNED_CHARACTERS = 2_000

# Reasons against sending a message, in the order of their precedence, with the text that is stored with the cancelled
# message. The SQL functions engagement_block_reason and engagement_block_text decide and translate.
BLOCK_REASONS: dict[str, str | Promise] = {
    "locked": _("The account is locked."),
    "banned": _("The member is banned."),
    "suspended": _("The member is suspended."),
    "removed": _("The member was removed from the directory."),
    "suppressed": _("The address is suppressed after a bounce or a complaint."),
    "unreachable": _("No channel has a verified address of the member that works."),
    "opted_out": _("The member has opted out."),
    "muted": _("The member does not want messages on this topic."),
    "dormant": _("The member is dormant."),
    "returned": _("The member is active again."),
    "not_approved": _("The member is not approved."),
    "announcement_cancelled": _("The announcement was cancelled."),
}


# --- Sequences --------------------------------------------------------------------------------------


class SequenceStart(TextChoices):
    """What starts a sequence for a member."""

    APPROVED = "approved", _("Registration approved")
    FIRST_MISSION = "first_mission", _("Joined the first mission")


class SequenceCondition(TextChoices):
    """What must be true on the day of a step; otherwise the step is skipped."""

    ALWAYS = "always", _("Always")
    NO_MISSION = "no_mission", _("Has not joined a mission yet")
    FIRST_TIER_OPEN = "first_tier_open", _("Has not completed the first tier")


class SequenceEnd(TextChoices):
    """Why a sequence ended for a member."""

    FINISHED = "finished", _("All steps are over")
    OPTED_OUT = "opted_out", _("Opted out")
    DORMANT = "dormant", _("Dormant")
    LEFT = "left", _("No longer a member")


# Stored as the error of a step that a member of the control group is not sent.
CONTROL_GROUP = gettext_noop("Not sent: the member is in the control group.")
# What counts as the effect of a message happens within so many days after it.
EFFECT_DAYS = 14
# After its day a step is still sent for so many days, for example after an outage.
STEP_GRACE_DAYS = 3

# --- Replies ----------------------------------------------------------------------------------------


class Language(TextChoices):
    """Language of a phrase. Texts are compared with the phrases of all languages."""

    EN = "en", _("English")
    PT = "pt", _("Portuguese")
    ES = "es", _("Spanish")


class Reading(TextChoices):
    """What a text that matches a phrase means; for the last ones, how it is a part of other phrases."""

    OPTED_OUT = "opted_out", _("Stop messages")
    OPTED_IN = "opted_in", _("Start messages again")
    TO_GROUP = "to_group", _("Switch to the group chat")
    TO_INDIVIDUAL = "to_individual", _("Switch to the individual chat")
    ANSWER_1 = "goodbye_response_1", _("Answer 1: confused")
    ANSWER_2 = "goodbye_response_2", _("Answer 2: busy")
    ANSWER_3 = "goodbye_response_3", _("Answer 3: all good")
    NUMBER_1 = "number_1", _("Number 1")
    NUMBER_2 = "number_2", _("Number 2")
    NUMBER_3 = "number_3", _("Number 3")
    UNCLEAR = "unclear", _("Not clear: ask again")
    AUTO_REPLY = "auto_reply", _("Automatic reply")
    COURTESY = "courtesy", _("Courtesy, ignored at both ends")
    GREETING = "greeting", _("Greeting, ignored at both ends")
    BEFORE_NUMBER = "before_number", _("Words before a number")
    CHOOSING = "choosing", _("Words of choosing, before a digit")
    WORD = "word", _("Word of a list")


class Match(TextChoices):
    """Where a text must contain a phrase."""

    WHOLE = "whole", _("Whole text")
    START = "start", _("Start of the text")
    ANYWHERE = "anywhere", _("Anywhere")


# --- Profiles -------------------------------------------------------------------------------------


class Locale(TextChoices):
    """Language of messages."""

    EN = "en", _("English")
    PT_BR = "pt-BR", _("Portuguese (Brazil)")


# Tiers of the onboarding, completed one after the other.
TIERS = 3

# --- Templates ------------------------------------------------------------------------------------

# What `{{ name }}` may stand for in a text, in any message.
PARAMETERS = ("name", "subject", "text", "tier", "unsubscribe_url", "week")
# Finds what would be sent unchanged: any other name, a filter, and the parameters of other programs, {name} and %name%.
# The same meaning in PostgreSQL and Python.
UNKNOWN_PARAMETER = (
    r"\{\{(?!\s*(?:"
    + "|".join(PARAMETERS)
    + r")\s*\}\})|(?<!\{)\{\s*[A-Za-z_][A-Za-z0-9_]*\s*\}|%[A-Za-z_][A-Za-z0-9_]*%"
)
