"""Templates: message texts that staff edit, checked against the parameters of each message."""

from collections.abc import Collection
from uuid import uuid4

from engagement.errors import ParameterMissing, ParameterMiswritten
from engagement.models import EngagementMessage, MessageTemplate
from engagement.rules import MessageType
from engagement.services.messages import enqueue
from engagement.services.rendering import fill, miswritten_parameters, parameter_names, samples
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.transactions import service


def check_parameters(*, key: str, subject: str, body: str, known: Collection[str] = ()) -> None:
    """Check the parameters of a text. known: by default those of the message.

    Raises ParameterMissing for one that the message does not have, and ParameterMiswritten for one that would be sent
    unchanged.
    """
    names = sorted(known or samples(key))
    for field, text in (("subject", subject), ("body", body)):
        if unknown := sorted(parameter_names(text) - set(names)):
            raise ParameterMissing(names=unknown, known=names, field=field)
        if written := miswritten_parameters(text):
            raise ParameterMiswritten(written=written, known=names, field=field)


@service
def add_template(*, actor: Member, key: str, locale: str, subject: str, body: str) -> MessageTemplate:
    """Add the text of a message in a language. Raises ParameterMissing, ParameterMiswritten."""
    check_parameters(key=key, subject=subject, body=body)
    template = MessageTemplate.objects.create(key=key, locale=locale, subject=subject, body=body)
    audit("template.created", actor=actor, template=key, locale=locale)
    return template


@service
def change_template(*, actor: Member, template: MessageTemplate, **changes: str) -> MessageTemplate:
    """Change the text of messages that are sent from now on. Raises ParameterMissing, ParameterMiswritten."""
    current = MessageTemplate.objects.lock(template.pk)
    check_fields(changes, "subject", "body")
    check_parameters(key=current.key, **{"subject": current.subject, "body": current.body} | changes)
    changed = apply_changes(current, changes)
    if changed:
        event_changes = dict.fromkeys(changed, "changed")
        audit("template.changed", actor=actor, template=current.key, locale=current.locale, changed=event_changes)
    return current


@service
def send_test(*, actor: Member, template: MessageTemplate) -> EngagementMessage | None:
    """Queue the saved text with sample values to the actor. It is marked as a test and counted nowhere."""
    values = samples(template.key) | {"name": actor.display_name}
    params = {"subject": fill(template.subject, values), "text": fill(template.body, values)}
    audit("template.tested", actor=actor, template=template.key, locale=template.locale)
    return enqueue(member=actor, message_type=MessageType.TEST, params=params, event=f"test:{uuid4()}")
