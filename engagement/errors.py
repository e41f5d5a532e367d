"""Errors that Python and triggers raise; the other rules are constraints of the models, with their message."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from missionsite.common.errors import DomainError


class TransitionRejected(DomainError):
    """The trigger is not valid in the state. possible: the triggers that are."""

    message = gettext_lazy("This transition does not exist.")
    code = "transition_rejected"
    field = "trigger"

    def __init__(self, *, state: str, trigger: str, possible: list[str]) -> None:
        self.possible = possible
        super().__init__(
            _("The trigger {trigger} is not valid in state {state}. Valid triggers: {possible}.").format(
                trigger=trigger, state=state, possible=", ".join(possible)
            )
        )


class TriggerMissing(DomainError):
    message = gettext_lazy("A state changes only with a trigger. Choose one.")
    code = "trigger_missing"
    constraint = "user_engagement_states_trigger_required"


class InitialStateNotActive(DomainError):
    message = gettext_lazy("A member's first state must be active.")
    code = "initial_state_not_active"
    constraint = "user_engagement_states_initial_active"


class StateOwnerImmutable(DomainError):
    message = gettext_lazy("A state cannot be moved to another member.")
    code = "state_owner_immutable"
    constraint = "user_engagement_states_owner_immutable"


class TransitionsImmutable(DomainError):
    message = gettext_lazy("Transitions cannot be changed or deleted.")
    code = "transitions_immutable"
    constraint = "engagement_state_transitions_append_only"


class MessageQueuedAlready(DomainError):
    message = gettext_lazy("A message with this idempotency key already exists.")
    code = "message_queued_already"
    constraint = "engagement_message_queue_idempotency_key_key"


class MessageMoveRejected(DomainError):
    """A message in its status cannot be changed so: see rules.MESSAGE_MOVES."""

    message = gettext_lazy("The status of a sent or cancelled message cannot be changed.")
    code = "message_move_rejected"
    constraint = "engagement_message_queue_moves"


class MessageBeingSent(DomainError):
    message = gettext_lazy("This message is being sent. Try again in a minute.")
    code = "message_being_sent"


class MessageImmutable(DomainError):
    message = gettext_lazy("The recipient, type and key of a message cannot be changed.")
    code = "message_immutable"
    constraint = "engagement_message_queue_immutable"


class ParametersNotObject(DomainError):
    message = gettext_lazy("Message parameters must be a JSON object.")
    code = "parameters_not_object"
    constraint = "engagement_message_queue_params_object"
    field = "message_params"
    status = 422


class MessageClaimedTwice(DomainError):
    message = gettext_lazy("This message is already claimed by another sender.")
    code = "message_claimed_twice"
    constraint = "engagement_claims_exclusive"


class ClaimLengthsDiffer(DomainError):
    message = gettext_lazy("A claim needs one entry in user_ids for each entry in message_ids.")
    code = "claim_lengths_differ"
    constraint = "engagement_claims_lengths_match"


class AddressNotSuppressed(DomainError):
    message = gettext_lazy("This address is not suppressed. Messages are sent to it.")
    code = "address_not_suppressed"


class TimezoneUnknown(DomainError):
    message = gettext_lazy("Unknown time zone. Enter a name such as America/Sao_Paulo.")
    code = "profile_timezone_unknown"
    constraint = "user_profiles_timezone_known"
    field = "timezone"
    status = 422


class LocaleUnknown(DomainError):
    message = gettext_lazy("Unsupported language. Choose en or pt-BR.")
    code = "profile_locale_unknown"
    field = "locale"
    status = 422


class ActionUnknown(DomainError):
    """There is no such onboarding step. known: the steps there are."""

    message = gettext_lazy("This onboarding step does not exist.")
    code = "action_unknown"
    field = "action"
    status = 422

    def __init__(self, *, action: str, known: Iterable[str]) -> None:
        super().__init__(
            _("The onboarding step {action} does not exist. Choose one of: {known}.").format(
                action=action, known=", ".join(known)
            )
        )


class TemplateMissing(DomainError):
    """A message has no template, not even in English."""

    message = gettext_lazy("There is no template for this message in any language.")
    code = "template_missing"
    field = "message_key"

    def __init__(self, *, key: str) -> None:
        super().__init__(_("There is no template for {key} in any language.").format(key=key))


class ParameterMissing(DomainError):
    """A text uses parameters that its message does not have. known: those it has, for the author of the text."""

    message = gettext_lazy("The text uses a parameter that this message does not have.")
    code = "parameter_missing"
    field = "body"
    status = 422

    def __init__(self, *, names: Iterable[str], known: Iterable[str] = (), field: str | None = None) -> None:
        self.names = list(names)
        message = _("No value for parameter {names}.").format(names=", ".join(self.names))
        if available := ", ".join(f"{{{{ {name} }}}}" for name in known):
            message += " " + _("Available parameters: {names}.").format(names=available)
        super().__init__(message, field=field)


class ParameterMiswritten(DomainError):
    """A text has something like a parameter that is not replaced. known: the parameters of its message."""

    message = gettext_lazy("The text has a parameter that would be sent unchanged. Write parameters as {{ name }}.")
    code = "parameter_miswritten"
    field = "body"
    status = 422

    def __init__(self, *, written: Iterable[str], known: Iterable[str], field: str) -> None:
        super().__init__(
            _(
                "{written} would be sent unchanged. Write parameters as {example}, without filters."
                " Available parameters: {names}."
            ).format(
                written=", ".join(written),
                example="{{ name }}",
                names=", ".join(f"{{{{ {name} }}}}" for name in known),
            ),
            field=field,
        )


class MemberBlocked(DomainError):
    """No message is sent to the member now; the error has the reason."""

    message = gettext_lazy("No message can be sent to this member.")
    code = "member_blocked"


class AudienceChanged(DomainError):
    """The audience of an announcement is not the one its author was shown."""

    message = gettext_lazy("The number of recipients changed. Review the list and send again.")
    code = "audience_changed"

    def __init__(self, *, expected: int, found: int) -> None:
        super().__init__(
            _("The number of recipients changed from {expected} to {found}. Review the list and send again.").format(
                expected=expected, found=found
            )
        )


class NoRecipients(DomainError):
    message = gettext_lazy("No one in this list can receive the announcement.")
    code = "no_recipients"


class AnnouncementAlreadyCancelled(DomainError):
    message = gettext_lazy("This announcement is already cancelled.")
    code = "announcement_already_cancelled"


class AnnouncementNotWaiting(DomainError):
    message = gettext_lazy("This announcement does not wait for approval.")
    code = "announcement_not_waiting"


class AnnouncementNotApproved(DomainError):
    message = gettext_lazy("A second person must approve this announcement before its messages are queued.")
    code = "announcement_not_approved"
    constraint = "engagement_message_queue_announcement_approved"


class TransportUnknown(DomainError):
    """The error names the transports there are."""

    message = gettext_lazy("This transport does not exist.")
    code = "transport_unknown"


class ChannelUnknown(DomainError):
    """The error names the channels there are."""

    message = gettext_lazy("This channel does not exist.")
    code = "channel_unknown"


class TransportNotConfigured(DomainError):
    """The error names the setting that is missing."""

    message = gettext_lazy("The transport is not configured.")
    code = "transport_not_configured"


class PhraseInvalid(DomainError):
    """A reply phrase cannot be read. reason: a key of REASONS. name: the unknown list."""

    message = gettext_lazy("This phrase cannot be read.")
    code = "phrase_invalid"
    field = "phrase"

    REASONS = {
        "unpaired": gettext_lazy("Each parenthesis needs its pair, and parentheses cannot be nested."),
        "list": gettext_lazy('There is no word list "{name}". Add a word to it first.'),
        "empty": gettext_lazy("A phrase needs at least one word that is not optional."),
        "word": gettext_lazy("A word of a list has letters and digits only."),
    }

    def __init__(self, reason: str, name: str = "") -> None:
        super().__init__(str(self.REASONS[reason]).format(name=name))


class WordListInUse(DomainError):
    message = gettext_lazy("A phrase uses this word list.")
    code = "word_list_in_use"
    field = "is_enabled"

    def __init__(self, *, name: str, phrase: str) -> None:
        super().__init__(
            _('The phrase "{phrase}" uses the word list {name}, which would be empty. Change the phrase first.').format(
                phrase=phrase, name=name
            )
        )


class MessageHandledAlready(DomainError):
    message = gettext_lazy("This message has been handled already. Reload the page.")
    code = "message_handled_already"


class MailboxNotConfigured(DomainError):
    message = gettext_lazy("ENGAGEMENT_MAILBOX must be imaps://user:password@server/folder, with @ in the user as %40.")
    code = "mailbox_not_configured"


class MailboxUnavailable(DomainError):
    message = gettext_lazy("The mailbox cannot be read.")
    code = "mailbox_unavailable"

    def __init__(self, detail: str) -> None:
        super().__init__(_("The mailbox cannot be read: {detail}").format(detail=detail))
