"""Tags of people, missions and colonies, and notes about them. Only staff see both."""

from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length, Lower
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext_lazy as _

from groups.models.subjects import AboutSubject, one_subject_check, unique_per_subject
from groups.rules import MAX_NOTE, MAX_TAG
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, not_blank_check, one_line_checks
from missionsite.common.querysets import QuerySet


class Tag(models.Model):
    """A word that staff put on people and missions to find them again."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    name = models.CharField(_("name"), max_length=MAX_TAG)
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)

    objects = QuerySet["Tag"].as_manager()

    class Meta:
        db_table = "tags"
        db_table_comment = "Words that staff put on people, missions and colonies."
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = [Lower("name"), F("id")]
        constraints = [
            *one_line_checks("tags", "name"),
            not_blank_check("tags", "name", _("Enter a name.")),
            # Cells of a file list several tags.
            CheckConstraint(
                condition=~Q(name__regex="[;,]"),
                name="tags_name_without_separator",
                violation_error_message=_("A tag has no comma and no semicolon."),
                field="name",
            ),
            UniqueConstraint(
                Lower("name"),
                name="tags_name_unique",
                violation_error_message=_("There is a tag with this name already."),
                violation_error_code="tag_exists",
                field="name",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def audit_links(self) -> dict:
        """Return the links of events about this row."""
        return {}


class Tagging(AboutSubject):
    """A tag of a subject."""

    tag = models.ForeignKey(Tag, models.CASCADE, related_name="taggings", editable=False, verbose_name=_("tag"))

    objects = QuerySet["Tagging"].as_manager()

    class Meta:
        db_table = "taggings"
        db_table_comment = "The tags of people, missions and colonies."
        verbose_name = _("tagging")
        verbose_name_plural = _("taggings")
        ordering = [F("id")]
        constraints = [one_subject_check("taggings"), *unique_per_subject("taggings", "tag")]

    def __str__(self) -> str:
        return str(self.tag)


class Note(AboutSubject):
    """What staff wrote down about a subject. It is erased with the person."""

    text = models.TextField(_("text"), editable=False)
    author = models.ForeignKey(
        "groups.Member", models.PROTECT, related_name="+", editable=False, verbose_name=_("author")
    )
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)

    objects = QuerySet["Note"].as_manager()

    class Meta:
        db_table = "notes"
        db_table_comment = "Notes of staff about people, missions and colonies."
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            one_subject_check("notes"),
            not_blank_check("notes", "text", _("Enter a text.")),
            CheckConstraint(
                condition=LessThanOrEqual(Length("text"), MAX_NOTE),
                name="notes_text_not_too_long",
                violation_error_message=_("A note has at most 4,000 characters."),
                field="text",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]
