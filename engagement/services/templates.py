"""Templates: the words staff edit, checked against what a message brings."""

from engagement.errors import ParameterMissing
from engagement.models import MessageTemplate
from engagement.services.rendering import places, samples
from groups.models import Member
from groups.services.events import record
from missionsite.common.changes import apply_changes
from missionsite.common.transactions import service


def check_places(*, key: str, subject: str, body: str) -> None:
    """Reject a text that asks for what no message of its kind brings. Raises ParameterMissing."""
    for field, text in (("subject", subject), ("body", body)):
        if unknown := sorted(places(text) - samples(key).keys()):
            known = ", ".join(f"{{{{ {name} }}}}" for name in sorted(samples(key)))
            rejection = ParameterMissing(names=unknown)
            rejection.field = field
            rejection.message += f" This message brings {known}."
            raise rejection


@service
def add_template(*, key: str, locale: str, subject: str, body: str, actor: Member | None = None) -> MessageTemplate:
    """Write a message in one more language. Raises TemplateTaken, TemplateEmpty, ParameterMissing."""
    check_places(key=key, subject=subject, body=body)
    template = MessageTemplate.objects.create(key=key, locale=locale, subject=subject, body=body)
    record("template.created", actor=actor, template=key, locale=locale)
    return template


@service
def change_template(*, template: MessageTemplate, actor: Member | None = None, **changes) -> MessageTemplate:
    """Change the words; messages sent from now on have them. Raises TemplateEmpty, ParameterMissing."""
    current = MessageTemplate.objects.select_for_update().get(pk=template.pk)
    after = {"subject": current.subject, "body": current.body} | changes
    check_places(key=current.key, **after)
    changed = apply_changes(current, {name: after[name] for name in ("subject", "body")})
    if changed:
        told = dict.fromkeys(changed, "changed")
        record("template.changed", actor=actor, template=current.key, locale=current.locale, changed=told)
    return current
