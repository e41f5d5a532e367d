"""Personal messages: what staff write to one member."""

from uuid import uuid4

from engagement.errors import MemberBlocked
from engagement.models import EngagementMessage, MessageTemplate, UserProfile
from engagement.rules import Locale, MessageType
from engagement.selectors.blocking import why_not_written
from engagement.services.messages import enqueue
from engagement.services.rendering import fill, parameter_names
from engagement.services.templates import check_parameters
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

# The parameter of a text to one member; the unsubscribe link is added below it.
PARAMETERS = {"name"}
# They ask for an answer, or confirm one, that belongs to a state.
OF_LIFECYCLE = (MessageType.GOODBYE, MessageType.CLARIFICATION, MessageType.REMINDER, MessageType.OPT_OUT_CONFIRMATION)


@service
def write_to_member(*, actor: Member, member: Member, subject: str, body: str) -> EngagementMessage | None:
    """Queue a text to one member, within opt-out, quiet hours and frequency cap.

    Raises MemberBlocked, ParameterMissing, ParameterMiswritten.
    """
    check_parameters(key=MessageType.PERSONAL, subject=subject, body=body, known=PARAMETERS)
    if reason := why_not_written(member):
        raise MemberBlocked(reason)
    values = {"name": member.display_name}
    params = {"subject": fill(subject, values), "text": fill(body, values)}
    audit("message.written", actor=actor, member=member, message=MessageType.PERSONAL)
    return enqueue(member=member, message_type=MessageType.PERSONAL, params=params, event=f"personal:{uuid4()}")


def usable_templates(member: Member) -> list[MessageTemplate]:
    """Return the templates that can be sent as a personal message, in the member's language if there are."""
    locale = UserProfile.objects.values_list("locale", flat=True).get(pk=member.pk)
    found: dict[str, MessageTemplate] = {}
    for template in MessageTemplate.objects.filter(announcement=None, locale__in=(locale, Locale.EN)):
        if (
            template.key in OF_LIFECYCLE
            or (parameter_names(template.subject) | parameter_names(template.body)) - PARAMETERS
        ):
            continue
        if template.key not in found or template.locale == locale:
            found[template.key] = template
    return list(found.values())
