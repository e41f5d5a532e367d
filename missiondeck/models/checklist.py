from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from missiondeck.models.base import BY_DATABASE, TimestampedModel
from missiondeck.models.choices import Category
from missiondeck.rules import COMMENT_LENGTH, ITEM_LENGTH
from missionsite.common.constraints import (
    CheckConstraint,
    choices_check,
    not_blank_check,
    not_future_check,
    one_line_checks,
)
from missionsite.common.querysets import QuerySet


class DodItem(TimestampedModel):  # type: ignore[django-manager-missing]  # see models/history.py
    """An item of the definition of done: something that must be true before a client mission is complete."""

    mission = models.ForeignKey(
        "missiondeck.DeckMission",
        BY_DATABASE,
        related_name="dod_items",
        db_index=False,
        verbose_name=_("client mission"),
    )
    text = models.CharField(_("text"), max_length=ITEM_LENGTH)
    category = models.TextField(
        _("category"), choices=Category, default=Category.FUNCTIONAL, db_default=Category.FUNCTIONAL
    )
    completed = models.BooleanField(_("done"), default=False, db_default=False)
    completed_at = models.DateTimeField(_("done at"), null=True, blank=True, editable=False)
    completed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        db_index=False,
        verbose_name=_("done by"),
    )
    position = models.PositiveIntegerField(_("position"), default=0, db_default=0)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "dod_items"
        verbose_name = _("item of the definition of done")
        verbose_name_plural = _("definition of done")
        ordering = ["mission", "category", "position", "created_at", "id"]
        constraints = [
            *one_line_checks("dod_items", "text"),
            choices_check("dod_items", "category", Category),
            not_blank_check("dod_items", "text", _("Enter the text of the item."), code="item_empty"),
            CheckConstraint(
                condition=Q(completed=True, completed_at__isnull=False)
                | Q(completed=False, completed_at=None, completed_by=None),
                name="dod_items_completion_consistent",
                violation_error_message=_("A done item needs a completion time; an open item must not have one."),
                violation_error_code="item_completion_inconsistent",
            ),
            not_future_check(
                "dod_items", "completed_at", _("An item cannot be done in the future."), code="item_done_in_future"
            ),
        ]
        indexes = [models.Index(fields=["mission", "category", "position"], name="dod_items_of_mission")]

    def __str__(self) -> str:
        return self.text


class DodComment(TimestampedModel):
    """A comment on an item of the definition of done, in CommonMark; append-only."""

    item = models.ForeignKey(
        DodItem, BY_DATABASE, related_name="comments", db_index=False, verbose_name=_("item of the definition of done")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("written by"),
    )
    text = models.TextField(_("text"))

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "dod_comments"
        verbose_name = _("comment on an item")
        verbose_name_plural = _("comments on items")
        ordering = ["created_at", "id"]
        constraints = [
            not_blank_check("dod_comments", "text", _("Enter a comment."), code="comment_missing"),
            CheckConstraint(
                condition=LessThanOrEqual(Length("text"), COMMENT_LENGTH),
                name="dod_comments_text_length",
                violation_error_message=format_lazy(
                    _("A comment can have at most {limit:,} characters."), limit=COMMENT_LENGTH
                ),
                violation_error_code="comment_too_long",
                field="text",
            ),
        ]
        indexes = [models.Index(fields=["item", "created_at"], name="dod_comments_of_item")]

    def __str__(self) -> str:
        return self.text[:50]
