"""Templates: message texts that staff edit, checked against the parameters of each message."""

from engagement.errors import ParameterMissing
from engagement.models import MessageTemplate
from engagement.services.rendering import parameter_names, samples
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.changes import apply_changes
from missionsite.common.transactions import service


def check_parameters(*, key: str, subject: str, body: str) -> None:
    """Raise ParameterMissing if a text uses a parameter that its message does not have."""
    for field, text in (("subject", subject), ("body", body)):
        if unknown := sorted(parameter_names(text) - samples(key).keys()):
            known = ", ".join(f"{{{{ {name} }}}}" for name in sorted(samples(key)))
            rejection = ParameterMissing(names=unknown)
            rejection.field = field
            rejection.message += f" Available parameters: {known}."
            raise rejection


@service
def add_template(*, actor: Member, key: str, locale: str, subject: str, body: str) -> MessageTemplate:
    """Add the text of a message in a language. Raises TemplateTaken, TemplateEmpty, ParameterMissing."""
    check_parameters(key=key, subject=subject, body=body)
    template = MessageTemplate.objects.create(key=key, locale=locale, subject=subject, body=body)
    audit("template.created", actor=actor, template=key, locale=locale)
    return template


@service
def change_template(*, actor: Member, template: MessageTemplate, **changes: str) -> MessageTemplate:
    """Change the text of messages that are sent from now on. Raises TemplateEmpty, ParameterMissing."""
    current = MessageTemplate.objects.select_for_update().get(pk=template.pk)
    after = {"subject": current.subject, "body": current.body} | changes
    check_parameters(key=current.key, **after)
    changed = apply_changes(current, {name: after[name] for name in ("subject", "body")})
    if changed:
        event_changes = dict.fromkeys(changed, "changed")
        audit("template.changed", actor=actor, template=current.key, locale=current.locale, changed=event_changes)
    return current
