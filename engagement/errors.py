"""Errors of this app, each with its message; `constraint` names the database rule that raises it."""

from missionsite.common.errors import DomainError


class TransitionRejected(DomainError):
    """This transition does not exist."""

    code = "transition_rejected"
    constraint = "engagement_state_transitions_legal"
    field = "trigger"

    def __init__(self, *, state: str = "", trigger: str = "", possible: list[str] | None = None) -> None:
        """state, trigger: the rejected pair. possible: the triggers that are valid in this state."""
        self.possible = possible or []
        message = None
        if state:
            message = (
                f"The trigger {trigger} is not valid in state {state}. Valid triggers: {', '.join(self.possible)}."
            )
        super().__init__(message)


class TriggerMissing(DomainError):
    """A state changes only with a trigger. Choose one."""

    code = "trigger_missing"
    constraint = "user_engagement_states_trigger_required"


class InitialStateNotActive(DomainError):
    """A member's first state must be active."""

    code = "initial_state_not_active"
    constraint = "user_engagement_states_initial_active"


class StateOwnerImmutable(DomainError):
    """A state cannot be moved to another member."""

    code = "state_owner_immutable"
    constraint = "user_engagement_states_owner_immutable"


class TransitionsImmutable(DomainError):
    """Transitions cannot be changed or deleted."""

    code = "transitions_immutable"
    constraint = "engagement_state_transitions_append_only"


class GoodbyeDatesInvalid(DomainError):
    """The state "Goodbye sent" needs the date it was sent and the date it expires; other states have neither."""

    code = "goodbye_dates_invalid"
    constraint = "user_engagement_states_goodbye_dates"


class ReminderDateInvalid(DomainError):
    """The state "Remind later" needs a reminder date; other states have none."""

    code = "reminder_date_invalid"
    constraint = "user_engagement_states_reminder_date"


class MessageQueuedAlready(DomainError):
    """A message with this idempotency key already exists."""

    code = "message_queued_already"
    constraint = "engagement_message_queue_idempotency_key_key"


class MessageMoveRejected(DomainError):
    """The status of a sent or cancelled message cannot be changed."""

    code = "message_move_rejected"
    constraint = "engagement_message_queue_moves"

    def __init__(self, *, status: str = "", verb: str = "") -> None:
        super().__init__(f"A message that is {status} cannot be {verb}." if status else None)


class MessageBeingSent(DomainError):
    """This message is being sent. Try again in a minute."""

    code = "message_being_sent"


class MessageImmutable(DomainError):
    """The recipient, type and key of a message cannot be changed."""

    code = "message_immutable"
    constraint = "engagement_message_queue_immutable"


class ParametersNotObject(DomainError):
    """Message parameters must be a JSON object."""

    code = "parameters_not_object"
    constraint = "engagement_message_queue_params_object"
    field = "message_params"
    status = 422


class MessageClaimedTwice(DomainError):
    """This message is already claimed by another sender."""

    code = "message_claimed_twice"
    constraint = "engagement_claims_exclusive"


class ClaimLengthsDiffer(DomainError):
    """A claim needs one entry in user_ids for each entry in message_ids."""

    code = "claim_lengths_differ"
    constraint = "engagement_claims_lengths_match"


class SentDateMissing(DomainError):
    """A sent message needs the time it was sent."""

    code = "sent_date_missing"
    constraint = "engagement_message_queue_sent_at_required"


class TimezoneUnknown(DomainError):
    """Unknown time zone. Enter a name such as America/Sao_Paulo."""

    code = "profile_timezone_unknown"
    constraint = "user_profiles_timezone_known"
    field = "timezone"
    status = 422


class LocaleUnknown(DomainError):
    """Unsupported language. Choose en or pt-BR."""

    code = "profile_locale_unknown"
    field = "locale"
    status = 422


class AddressTaken(DomainError):
    """Another member already has this address."""

    code = "address_taken"
    constraint = "user_profiles_individual_jid_unique"
    field = "individual_jid"


class TierOutOfRange(DomainError):
    """The tier must be a number from 0 to 3."""

    code = "tier_out_of_range"
    constraint = "user_profiles_onboarding_tier_range"
    field = "onboarding_tier"
    status = 422


class ActionUnknown(DomainError):
    """This onboarding step does not exist."""

    code = "action_unknown"
    field = "action"
    status = 422


class TemplateTaken(DomainError):
    """A template for this message and language already exists."""

    code = "template_taken"
    constraint = "message_templates_key_unique"
    field = "locale"


class TemplateEmpty(DomainError):
    """A template needs a subject and a text."""

    code = "template_empty"
    constraint = "message_templates_not_empty"
    field = "body"
    status = 422


class TemplateMissing(DomainError):
    """There is no template for this message."""

    code = "template_missing"
    field = "message_key"

    def __init__(self, *, key: str = "") -> None:
        super().__init__(f"There is no template for {key} in any language." if key else None)


class ParameterMissing(DomainError):
    """The template uses a parameter that this message does not have."""

    code = "parameter_missing"
    field = "body"
    status = 422

    def __init__(self, *, names: list[str] | None = None) -> None:
        self.names = names or []
        super().__init__(f"No value for parameter {', '.join(self.names)}." if self.names else None)


class AudienceChanged(DomainError):
    """The list of recipients changed. Review it, then send again."""

    code = "audience_changed"


class NoRecipients(DomainError):
    """No one in this list can receive the announcement."""

    code = "no_recipients"


class AnnouncementAlreadyCancelled(DomainError):
    """This announcement is already cancelled."""

    code = "announcement_already_cancelled"


class SenderUnknown(DomainError):
    """No member has this address."""

    code = "sender_unknown"
    field = "sender"
    status = 404


class TransportUnknown(DomainError):
    """This transport does not exist."""

    code = "transport_unknown"


class TransportNotConfigured(DomainError):
    """The transport is not configured."""

    code = "transport_not_configured"
