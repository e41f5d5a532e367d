"""Every rejection of this app in words."""

from missionsite.common.errors import DomainError


class TransitionRejected(DomainError):
    """The machine has no such transition."""

    code = "transition_rejected"
    constraint = "engagement_state_transitions_legal"
    field = "trigger"

    def __init__(self, *, state: str = "", trigger: str = "", possible: list[str] | None = None) -> None:
        """state, trigger: what was asked for. possible: the triggers this state knows."""
        self.possible = possible or []
        words = None
        if state:
            words = f"A member who is in {state} does not move by {trigger}. Possible: {', '.join(self.possible)}."
        super().__init__(words)


class TriggerNotNamed(DomainError):
    """A state moves by a trigger; say which."""

    code = "trigger_not_named"
    constraint = "user_engagement_states_trigger_named"


class StateBeginsActive(DomainError):
    """Every member begins active."""

    code = "state_begins_active"
    constraint = "user_engagement_states_begin_active"


class StateStays(DomainError):
    """The state of one member cannot become that of another."""

    code = "state_stays"
    constraint = "user_engagement_states_stay_with_member"


class TransitionsStay(DomainError):
    """Transitions are never changed."""

    code = "transitions_stay"
    constraint = "engagement_state_transitions_append_only"


class StateNotDated(DomainError):
    """The dates of a state do not fit it."""

    code = "state_not_dated"
    constraint = "user_engagement_states_goodbye_dated"


class ReminderNotDated(DomainError):
    """Only who asked to be reminded later has a date for it."""

    code = "reminder_not_dated"
    constraint = "user_engagement_states_reminder_dated"


class MessageQueuedAlready(DomainError):
    """There is a message of this kind to this member already."""

    code = "message_queued_already"
    constraint = "engagement_message_queue_idempotency_key_key"


class MessageMoveRejected(DomainError):
    """A message that was sent or cancelled stays as it is."""

    code = "message_move_rejected"
    constraint = "engagement_message_queue_moves"

    def __init__(self, *, status: str = "", verb: str = "") -> None:
        super().__init__(f"A message that is {status} cannot be {verb}." if status else None)


class MessageUnderWay(DomainError):
    """A sender has this message right now. Try again in a minute."""

    code = "message_under_way"


class MessageStays(DomainError):
    """To whom a message goes and what it is about cannot change."""

    code = "message_stays"
    constraint = "engagement_message_queue_stays"


class ParametersNotNamed(DomainError):
    """The parameters of a message are a set of named values."""

    code = "parameters_not_named"
    constraint = "engagement_message_queue_params_are_named"
    field = "message_params"
    status = 422


class MessageClaimedTwice(DomainError):
    """A message is in one sender's hands at most."""

    code = "message_claimed_twice"
    constraint = "engagement_claims_apart"


class ClaimNotEven(DomainError):
    """A claim says of each of its messages whose attention it takes."""

    code = "claim_not_even"
    constraint = "engagement_claims_even"


class SentNotDated(DomainError):
    """A message that was sent says when."""

    code = "sent_not_dated"
    constraint = "engagement_message_queue_sent_dated"


class TimezoneUnknown(DomainError):
    """This is no time zone; they look like America/Sao_Paulo."""

    code = "profile_timezone_unknown"
    constraint = "user_profiles_timezone_known"
    field = "timezone"
    status = 422


class LocaleUnknown(DomainError):
    """Messages are written in no such language; there are en and pt-BR."""

    code = "profile_locale_unknown"
    field = "locale"
    status = 422


class AddressTaken(DomainError):
    """Another member has this address."""

    code = "address_taken"
    constraint = "user_profiles_individual_jid_once"
    field = "individual_jid"


class TierOutOfRange(DomainError):
    """A tier is a number from 0 to 3."""

    code = "tier_out_of_range"
    constraint = "user_profiles_onboarding_tier_range"
    field = "onboarding_tier"
    status = 422


class ActionUnknown(DomainError):
    """The onboarding has no such step."""

    code = "action_unknown"
    field = "action"
    status = 422


class TemplateTaken(DomainError):
    """This message has a template in this language already."""

    code = "template_taken"
    constraint = "message_templates_key_once"
    field = "locale"


class TemplateEmpty(DomainError):
    """A message has a subject and a text."""

    code = "template_empty"
    constraint = "message_templates_not_empty"
    field = "body"
    status = 422


class TemplateMissing(DomainError):
    """There is no template for this message."""

    code = "template_missing"
    field = "message_key"

    def __init__(self, *, key: str = "") -> None:
        super().__init__(f"There is no template {key} in any language." if key else None)


class ParameterMissing(DomainError):
    """The template asks for something the message does not bring."""

    code = "parameter_missing"
    field = "body"
    status = 422

    def __init__(self, *, names: list[str] | None = None) -> None:
        self.names = names or []
        super().__init__(f"Nothing is given for {', '.join(self.names)}." if self.names else None)


class AudienceChanged(DomainError):
    """The list changed since it was shown. Look at it again, then send."""

    code = "audience_changed"


class NoRecipients(DomainError):
    """None of these people can be written to."""

    code = "no_one_to_tell"


class AnnouncementOver(DomainError):
    """This announcement was cancelled before."""

    code = "announcement_over"


class SenderUnknown(DomainError):
    """No member has this address."""

    code = "sender_unknown"
    field = "sender"
    status = 404


class TransportUnknown(DomainError):
    """There is no such way of sending."""

    code = "transport_unknown"


class TransportUnset(DomainError):
    """The way of sending is not set up."""

    code = "transport_unset"
