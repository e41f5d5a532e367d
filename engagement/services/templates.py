"""Templates: message texts that staff edit, checked against the parameters of each message."""

from engagement.errors import ParameterMissing
from engagement.models import MessageTemplate
from engagement.services.rendering import parameter_names, samples
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.transactions import service


def check_parameters(*, key: str, subject: str, body: str) -> None:
    """Raise ParameterMissing if a text uses a parameter that its message does not have."""
    for field, text in (("subject", subject), ("body", body)):
        if unknown := sorted(parameter_names(text) - samples(key).keys()):
            raise ParameterMissing(names=unknown, known=sorted(samples(key)), field=field)


@service
def add_template(*, actor: Member, key: str, locale: str, subject: str, body: str) -> MessageTemplate:
    """Add the text of a message in a language. Raises ParameterMissing."""
    check_parameters(key=key, subject=subject, body=body)
    template = MessageTemplate.objects.create(key=key, locale=locale, subject=subject, body=body)
    audit("template.created", actor=actor, template=key, locale=locale)
    return template


@service
def change_template(*, actor: Member, template: MessageTemplate, **changes: str) -> MessageTemplate:
    """Change the text of messages that are sent from now on. Raises ParameterMissing."""
    current = MessageTemplate.objects.lock(template.pk)
    check_fields(changes, "subject", "body")
    check_parameters(key=current.key, **{"subject": current.subject, "body": current.body} | changes)
    changed = apply_changes(current, changes)
    if changed:
        event_changes = dict.fromkeys(changed, "changed")
        audit("template.changed", actor=actor, template=current.key, locale=current.locale, changed=event_changes)
    return current
