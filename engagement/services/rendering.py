"""Renders templates in the member's language with the parameters of a message."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext_noop

from engagement.errors import ParameterMissing, TemplateMissing
from engagement.models import MessageTemplate
from engagement.rules import Locale

_PARAMETER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
# Parameters of every message, with the values of a preview.
COMMON_SAMPLES = {"name": "Ana Souza", "unsubscribe_url": "https://example.org/unsubscribe/…"}
# Additional parameters of a message type.
_TEXT_SAMPLES = {"subject": gettext_noop("Saturday"), "text": gettext_noop("Are you coming on Saturday?")}
SAMPLES_BY_KEY = {
    "personal": _TEXT_SAMPLES,
    "test": _TEXT_SAMPLES,
    "tier_unlock": {"tier": "1"},
    "weekly_review": {"week": "2026-W12"},
}
# What is left of a parameter that is not replaced: its braces, {name} and %name% of other programs.
_MISWRITTEN = re.compile(r"\{\{[^{}\n]{0,60}\}{0,2}|\}\}|(?<!\{)\{\s*[A-Za-z_]\w*\s*\}|%[A-Za-z_]\w*%")
# Added to an unsolicited message whose text does not contain the unsubscribe link.
UNSUBSCRIBE_FOOTER: dict[str, str] = {
    Locale.EN: 'You can stop these messages: {url} or answer "stop reminders".',
    Locale.PT_BR: 'Você pode parar estas mensagens: {url} ou responda "parar lembretes".',
}


@dataclass(frozen=True)
class RenderedText:
    subject: str
    body: str
    locale: str


@lru_cache(maxsize=500)
def _parts(text: str) -> tuple[str, ...]:
    """Split a text at its parameters: text, parameter, text, parameter, …, text."""
    return tuple(_PARAMETER.split(text))


def parameter_names(text: str) -> set[str]:
    """Return the names of the parameters in a text."""
    return set(_parts(text)[1::2])


def miswritten_parameters(text: str) -> list[str]:
    """Return what looks like a parameter in a text and would be sent unchanged, in order and without repetitions."""
    plain = "".join(_parts(text)[::2])
    return list(dict.fromkeys(found.group().strip() for found in _MISWRITTEN.finditer(plain)))


def fill(text: str, params: Mapping) -> str:
    """Return a text with its parameters replaced, without escaping. Raises ParameterMissing with all missing names."""
    parts = list(_parts(text))
    values = [params.get(name) for name in parts[1::2]]
    if None in values:
        raise ParameterMissing(names=sorted(name for name in parameter_names(text) if params.get(name) is None))
    parts[1::2] = map(str, values)
    return "".join(parts)


def samples(key: str) -> dict[str, str]:
    """Return the sample parameters for the preview of a message."""
    return COMMON_SAMPLES | SAMPLES_BY_KEY.get(key, {})


class Templates:
    """Loads each template once. A sender creates one instance per batch, so that edits apply to the next batch."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, MessageTemplate]] = {}

    def render(self, *, key: str, locale: str, params: Mapping, unsubscribe_url: str = "") -> RenderedText:
        """Return the text of a message, in English if there is no template in its language.

        unsubscribe_url: added below the text if the text does not contain it; empty for a transactional message.
        Raises TemplateMissing, ParameterMissing.
        """
        if key not in self._found:
            self._found[key] = {each.locale: each for each in MessageTemplate.objects.filter(key=key)}
        of_key = self._found[key]
        if (template := of_key.get(locale) or of_key.get(Locale.EN)) is None:
            raise TemplateMissing(key=key)
        given = {**params, "unsubscribe_url": unsubscribe_url or None}
        body = fill(template.body, given)
        if unsubscribe_url and "unsubscribe_url" not in parameter_names(template.body):
            body = f"{body}\n\n{UNSUBSCRIBE_FOOTER[template.locale].format(url=unsubscribe_url)}"
        # A subject is one line, also if a parameter contains line breaks.
        subject = " ".join(fill(template.subject, given).split())
        return RenderedText(subject, body, template.locale)
