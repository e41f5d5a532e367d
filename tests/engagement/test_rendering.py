"""Rendering: parameters, language and unsubscribe link."""

import pytest

from engagement.errors import ParameterMissing, TemplateMissing
from engagement.models import MessageTemplate
from engagement.services.rendering import Templates, fill
from tests.engagement.fake_provider import Provider, sender
from tests.support.factories.engagement import MessageFactory, PersonFactory, TemplateFactory

pytestmark = pytest.mark.django_db

URL = "https://example.org/unsubscribe/abc"


def render(**values):
    return Templates().render(**{"key": "goodbye", "locale": "en", "params": {"name": "Ana"}, **values})


@pytest.mark.seed("002 Note 8")
def test_parameters_are_replaced_without_escaping():
    assert fill("{{name}} & {{ name }}", {"name": "<b>{{ week }}</b>"}) == "<b>{{ week }}</b> & <b>{{ week }}</b>"


def test_error_names_all_missing_parameters():
    with pytest.raises(ParameterMissing) as rejection:
        fill("{{ b }} {{ a }} {{ name }}", {"name": "Ana", "b": None})
    assert "a" in rejection.value.message
    assert "b" in rejection.value.message


def test_message_uses_language_of_member():
    assert "tempo" in render(locale="pt-BR").body
    assert render(locale="pt-BR").locale == "pt-BR"


@pytest.mark.deletes("message_templates")
def test_english_replaces_missing_language():
    MessageTemplate.objects.filter(key="goodbye", locale="pt-BR").delete()
    found = render(locale="pt-BR", unsubscribe_url=URL)
    assert found.locale == "en"
    assert "You can stop these messages" in found.body


def test_missing_template_is_named():
    with pytest.raises(TemplateMissing) as rejection:
        render(key="nothing-like-it")
    assert "nothing-like-it" in rejection.value.message


@pytest.mark.parametrize(("locale", "expected"), [("en", '"stop reminders"'), ("pt-BR", '"parar lembretes"')])
def test_unsubscribe_link_is_added_in_same_language(locale, expected):
    *_text, last = render(locale=locale, unsubscribe_url=URL).body.splitlines()
    assert URL in last
    assert expected in last


def test_unsubscribe_link_in_text_is_not_repeated():
    template = TemplateFactory(body="Hi {{ name }}. Out: {{ unsubscribe_url }}")
    assert render(key=template.key, unsubscribe_url=URL).body == f"Hi Ana. Out: {URL}"


def test_subject_is_one_line():
    found = render(params={"name": "Ana\r\nBcc: everyone@example.org"})
    assert found.subject.splitlines() == [found.subject]


def test_only_unsolicited_messages_have_unsubscribe_link():
    person, provider = PersonFactory(), Provider()
    for kind in ("welcome", "weekly_review"):
        MessageFactory(user=person, message_type=kind, scheduled_for=sender().clock())
    sender(provider).drain()
    ways = {message.message_type: (message.unsubscribe_url, message.body) for message in provider.taken}
    assert ways["welcome"][0] == ""
    assert ways["weekly_review"][0].startswith("http")
    assert ways["weekly_review"][0] in ways["weekly_review"][1]
