from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from engagement.rules import Language, Match, Reading
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet


class ReplyPhrase(models.Model):
    """A phrase that members write, and what it means. Accents, case and punctuation do not matter.

    `(words)` are optional, `{name}` stands for any word of that list, `...` for up to four words. The word lists are
    the rows with the reading "word".
    """

    made_by_database = True

    reading = models.TextField(_("meaning"), choices=Reading)
    language = models.TextField(_("language"), choices=Language)
    phrase = models.CharField(
        _("phrase"),
        max_length=200,
        help_text=_("(words) in parentheses are optional, {name} is any word of that list, ... is up to four words."),
    )
    match = models.TextField(
        _("found in"),
        choices=Match,
        default=Match.WHOLE,
        db_default=Match.WHOLE,
        help_text=_("Automatic replies may be recognised by a part of the text; everything else by the whole text."),
    )
    word_list = models.CharField(
        _("word list"),
        max_length=50,
        default="",
        db_default="",
        blank=True,
        help_text=_("The list that a word belongs to; empty for a phrase."),
    )
    is_enabled = models.BooleanField(
        _("in use"), default=True, db_default=True, help_text=_("A phrase that is not in use is never matched.")
    )
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(_("changed"), db_default=TransactionNow(), editable=False)

    objects = QuerySet["ReplyPhrase"].as_manager()

    class Meta:
        db_table = "reply_phrases"
        verbose_name = _("reply phrase")
        verbose_name_plural = _("reply phrases")
        ordering = ["reading", "language", "word_list", "phrase"]
        constraints = [
            *one_line_checks("reply_phrases", "phrase", "word_list"),
            choices_check("reply_phrases", "reading", Reading),
            choices_check("reply_phrases", "language", Language),
            choices_check("reply_phrases", "match", Match),
            UniqueConstraint(
                fields=["reading", "language", "word_list", "phrase"],
                name="reply_phrases_unique",
                violation_error_message=_("This phrase already exists."),
                violation_error_code="phrase_taken",
                field="phrase",
            ),
            CheckConstraint(
                condition=~Q(phrase__regex=r"^\s*$"),
                name="reply_phrases_not_empty",
                violation_error_message=_("Enter a phrase."),
                violation_error_code="phrase_empty",
                field="phrase",
            ),
            # A sentence that only contains a keyword is no request.
            CheckConstraint(
                condition=Q(match=Match.WHOLE) | Q(reading=Reading.AUTO_REPLY),
                name="reply_phrases_whole_text",
                violation_error_message=_("Only automatic replies may be recognised by a part of the text."),
                violation_error_code="phrase_match_invalid",
                field="match",
            ),
            CheckConstraint(
                condition=(Q(reading=Reading.WORD) & ~Q(word_list="")) | (~Q(reading=Reading.WORD) & Q(word_list="")),
                name="reply_phrases_word_list",
                violation_error_message=_("A word needs the name of its list; other phrases have none."),
                violation_error_code="word_list_invalid",
                field="word_list",
            ),
        ]

    def __str__(self) -> str:
        return self.phrase
