"""The words of a message: its parameters, its language, and the way out."""

import pytest

from engagement.errors import ParameterMissing, TemplateMissing
from engagement.models import MessageTemplate
from engagement.services.rendering import Templates, fill
from tests.engagement.fake_provider import Provider, sender
from tests.support.factories.engagement import MessageFactory, PersonFactory, TemplateFactory

pytestmark = pytest.mark.django_db

URL = "https://example.org/unsubscribe/abc"


def words(**values):
    return Templates().render(**{"key": "goodbye", "locale": "en", "params": {"name": "Ana"}, **values})


def test_parameters_are_put_in_as_they_are():
    assert fill("{{name}} & {{ name }}", {"name": "<b>{{ week }}</b>"}) == "<b>{{ week }}</b> & <b>{{ week }}</b>"


def test_all_missing_parameters_are_named():
    with pytest.raises(ParameterMissing) as rejection:
        fill("{{ b }} {{ a }} {{ name }}", {"name": "Ana", "b": None})
    assert "a" in rejection.value.message
    assert "b" in rejection.value.message


def test_message_comes_in_the_members_language():
    assert "tempo" in words(locale="pt-BR").body
    assert words(locale="pt-BR").locale == "pt-BR"


def test_english_stands_in_for_a_language_without_words():
    MessageTemplate.objects.filter(key="goodbye", locale="pt-BR").delete()
    found = words(locale="pt-BR", unsubscribe_url=URL)
    assert found.locale == "en"
    assert "You can stop these messages" in found.body


def test_template_that_is_nowhere_is_named():
    with pytest.raises(TemplateMissing) as rejection:
        words(key="nothing-like-it")
    assert "nothing-like-it" in rejection.value.message


@pytest.mark.parametrize(("locale", "says"), [("en", '"stop reminders"'), ("pt-BR", '"parar lembretes"')])
def test_way_out_is_put_below_in_the_same_language(locale, says):
    *_text, last = words(locale=locale, unsubscribe_url=URL).body.splitlines()
    assert URL in last
    assert says in last


def test_way_out_that_the_text_shows_is_not_repeated():
    template = TemplateFactory(body="Hi {{ name }}. Out: {{ unsubscribe_url }}")
    assert words(key=template.key, unsubscribe_url=URL).body == f"Hi Ana. Out: {URL}"


def test_subject_stays_one_line_whatever_the_name_is():
    found = words(params={"name": "Ana\r\nBcc: everyone@example.org"})
    assert found.subject.splitlines() == [found.subject]


def test_every_unasked_message_has_a_way_out_and_no_answer_has():
    person, provider = PersonFactory(), Provider()
    for kind in ("welcome", "weekly_review"):
        MessageFactory(user=person, message_type=kind, scheduled_for=sender().clock())
    sender(provider).drain()
    ways = {message.message_type: (message.unsubscribe_url, message.body) for message in provider.taken}
    assert ways["welcome"][0] == ""
    assert ways["weekly_review"][0].startswith("http")
    assert ways["weekly_review"][0] in ways["weekly_review"][1]
