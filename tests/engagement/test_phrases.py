"""Reply phrases: their small language, services and admin pages with the try-it box."""

import pytest
from django.db import IntegrityError, connection, transaction

from engagement.errors import PhraseInvalid, WordListInUse
from engagement.models import ReplyPhrase
from engagement.rules import Language, Match, Reading
from engagement.services.default_phrases import create_default_phrases, default_phrases
from engagement.services.intents import classify_text
from engagement.services.phrases import add_phrase, change_phrase
from groups.models import Event
from tests.support.admin import client, page_text
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/engagement/replyphrase/"


def add(phrase, reading=Reading.OPTED_OUT, **more):
    return add_phrase(actor=StaffFactory(), reading=reading, language=Language.EN, phrase=phrase, **more)


def test_table_is_filled_with_default_phrases():
    rows = ReplyPhrase.objects.values_list("reading", "language", "phrase", "match", "word_list")
    assert set(rows) == {tuple(row) for row in default_phrases()}


def test_phrases_of_staff_survive_migrate():
    ReplyPhrase.objects.filter(phrase="baja").update(phrase="baja ya")
    create_default_phrases()
    assert not ReplyPhrase.objects.filter(phrase="baja").exists()


@pytest.mark.parametrize(
    ("phrase", "text", "matches"),
    [
        ("halt", "HALT!", True),
        ("halt", "we halt tomorrow", False),
        ("halt (right) now", "halt now", True),
        ("halt (right) now", "halt right now", True),
        ("halt {fruit}", "halt apple tart", True),
        ("halt {fruit}", "halt", False),
        ("halt ({fruit})", "halt", True),
        ("🐙", "🐙🐙", True),
        ("Çessár", "cessar", True),
    ],
)
def test_phrase_is_matched_by_whole_text(phrase, text, matches):
    add("apple", Reading.WORD, word_list="fruit")
    add("apple tart", Reading.WORD, word_list="fruit")
    assert classify_text(text) not in ("opted_out",)
    add(phrase)
    assert (classify_text(text) == "opted_out") is matches


def test_gap_of_automatic_reply_has_at_most_four_words():
    add("gone ... fishing", Reading.AUTO_REPLY, match=Match.ANYWHERE)
    assert classify_text("hello, gone with all my fishing friends") == "auto_reply"
    assert classify_text("gone with all of my old fishing friends") == "user_message"


def test_phrase_that_is_not_in_use_is_not_matched():
    row = ReplyPhrase.objects.get(phrase="baja")
    assert classify_text("BAJA") == "opted_out"
    change_phrase(actor=StaffFactory(), row=row, is_enabled=False)
    assert classify_text("BAJA") == "user_message"


@pytest.mark.parametrize(
    "phrase", ["halt (now", "halt) now", "halt ((right) now)", "halt {now", "{nothing}", "(halt)", "..."]
)
def test_unreadable_phrase_is_rejected(phrase):
    with pytest.raises(PhraseInvalid):
        add(phrase)


def test_word_list_in_use_cannot_be_emptied():
    row = add("apple", Reading.WORD, word_list="fruit")
    add("halt {fruit}")
    with pytest.raises(WordListInUse) as rejection:
        change_phrase(actor=StaffFactory(), row=row, is_enabled=False)
    assert "halt {fruit}" in rejection.value.message


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"reading": "guess"}, "reply_phrases_reading_known"),
        ({"language": "de"}, "reply_phrases_language_known"),
        ({"match": "regex"}, "reply_phrases_match_known"),
        ({"match": "anywhere"}, "reply_phrases_whole_text"),
        ({"phrase": " "}, "reply_phrases_not_empty"),
        ({"phrase": "stop"}, "reply_phrases_unique"),
        ({"phrase": "a\nb"}, "reply_phrases_phrase_one_line"),
        ({"reading": "word", "word_list": "a\nb"}, "reply_phrases_word_list_one_line"),
        ({"word_list": "fruit"}, "reply_phrases_word_list"),
        ({"reading": "word"}, "reply_phrases_word_list"),
    ],
)
def test_database_rejects_invalid_phrase(values, rule):
    row = {"reading": "opted_out", "language": "en", "phrase": "halt"} | values
    insert = f"INSERT INTO reply_phrases ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})"
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match=rule), transaction.atomic():
        cursor.execute(insert, [*row.values()])


class TestPages:
    FORM = {"reading": "opted_out", "language": "en", "match": "whole", "word_list": "", "is_enabled": "on"}

    @pytest.fixture
    def operator(self):
        return client("Engagement Operator")

    def test_added_phrase_is_read_at_once(self, operator):
        assert "Ordinary message" in page_text(operator.post(f"{LIST}try/", {"text": "Halt, please"}))
        answer = operator.post(f"{LIST}add/", self.FORM | {"phrase": "halt"}, follow=True)
        assert "was added successfully" in page_text(answer)
        assert "Stop messages" in page_text(operator.post(f"{LIST}try/", {"text": "Halt, please"}))
        assert Event.objects.get(type="phrase.created").actor.display_name == "Engagement Operator"

    def test_unreadable_phrase_is_a_field_error(self, operator):
        answer = operator.post(f"{LIST}add/", self.FORM | {"phrase": "halt {thing}"})
        (error,) = answer.context["adminform"].form.errors["phrase"]
        assert "no word list" in error

    def test_list_is_filtered_and_searched(self, operator):
        answer = operator.get(f"{LIST}?language__exact=es&q=baja")
        shown = {phrase.phrase for phrase in answer.context["cl"].result_list}
        assert "darme de baja" in shown
        assert all("baja" in phrase for phrase in shown)

    def test_try_box_is_empty_without_text(self, operator):
        assert "Try" in page_text(operator.get(f"{LIST}try/"))
        assert operator.post(f"{LIST}try/", {"text": ""}).context["form"].errors
