"""Words: a template in the member's language with its parameters put in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from engagement.errors import ParameterMissing, TemplateMissing
from engagement.models import Locale, MessageTemplate

_PLACE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
# What every message brings by itself, with what a preview shows for it.
ALWAYS = {"name": "Ana Souza", "unsubscribe_url": "https://example.org/unsubscribe/…"}
# What else a kind of message brings.
BROUGHT = {"tier_unlock": {"tier": "1"}, "weekly_review": {"week": "2026-W12"}}
# Below a message no one asked for whose text does not show the way out itself.
WAY_OUT = {
    Locale.EN: 'You can stop these messages: {url} or answer "stop reminders".',
    Locale.PT_BR: 'Você pode parar estas mensagens: {url} ou responda "parar lembretes".',
}


@dataclass(frozen=True)
class Words:
    subject: str
    body: str
    locale: str


@lru_cache(maxsize=500)
def _parts(text: str) -> tuple[str, ...]:
    """A text cut at its places: words, parameter, words, parameter, …, words."""
    return tuple(_PLACE.split(text))


def places(text: str) -> set[str]:
    """The parameters a text asks for."""
    return set(_parts(text)[1::2])


def fill(text: str, params: Mapping) -> str:
    """A text with its parameters put in, as they are. Raises ParameterMissing, which names all that are."""
    parts = list(_parts(text))
    values = [params.get(name) for name in parts[1::2]]
    if None in values:
        raise ParameterMissing(names=sorted(name for name in places(text) if params.get(name) is None))
    parts[1::2] = map(str, values)
    return "".join(parts)


def samples(key: str) -> dict[str, str]:
    """Parameters a preview of a message is shown with."""
    return ALWAYS | BROUGHT.get(key, {})


class Templates:
    """Templates read once each; a sender makes a new one for every batch, so that edits count at once."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, MessageTemplate]] = {}

    def words(self, *, key: str, locale: str, params: Mapping, unsubscribe_url: str = "") -> Words:
        """The words of a message; English where its language has none.

        unsubscribe_url: the way out, put below the text where the text does not show it; empty for an answer.
        Raises TemplateMissing, ParameterMissing.
        """
        if key not in self._found:
            self._found[key] = {each.locale: each for each in MessageTemplate.objects.filter(key=key)}
        of_key = self._found[key]
        if (template := of_key.get(locale) or of_key.get(Locale.EN)) is None:
            raise TemplateMissing(key=key)
        given = {**params, "unsubscribe_url": unsubscribe_url or None}
        body = fill(template.body, given)
        if unsubscribe_url and "unsubscribe_url" not in places(template.body):
            body = f"{body}\n\n{WAY_OUT[template.locale].format(url=unsubscribe_url)}"
        # A subject is one line, whatever a name has in it.
        subject = " ".join(fill(template.subject, given).split())
        return Words(subject, body, template.locale)
