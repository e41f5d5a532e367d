from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE
from missionsite.common.constraints import CheckConstraint, not_blank_check
from missionsite.common.ids import UlidField
from missionsite.common.querysets import QuerySet


class MissionComment(models.Model):
    """A comment on a mission or on a proposal. A removed one keeps its place, without its text being shown."""

    id = UlidField()
    mission = models.ForeignKey(
        "fallback.Mission",
        BY_DATABASE,
        null=True,
        blank=True,
        db_index=False,
        related_name="comments",
        verbose_name=_("mission"),
    )
    item = models.ForeignKey(
        "fallback.MissionFallbackItem",
        BY_DATABASE,
        null=True,
        blank=True,
        db_index=False,
        related_name="comments",
        verbose_name=_("proposal"),
    )
    author = models.ForeignKey(
        "groups.Member", models.PROTECT, related_name="mission_comments", db_index=False, verbose_name=_("author")
    )
    body = models.TextField(_("comment"))
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)
    edited_at = models.DateTimeField(_("edited"), null=True, blank=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "mission_comments"
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["created_at", "id"]
        constraints = [
            not_blank_check("mission_comments", "body", _("Enter a comment.")),
            CheckConstraint(
                condition=Q(mission__isnull=True, item__isnull=False) | Q(mission__isnull=False, item__isnull=True),
                name="mission_comments_of_one",
                violation_error_message=_("A comment belongs to a mission or to a proposal."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["mission", "created_at", "id"],
                name="mission_comments_of_mission",
                condition=Q(mission__isnull=False),
            ),
            models.Index(
                fields=["item", "created_at", "id"], name="mission_comments_of_item", condition=Q(item__isnull=False)
            ),
            # The comments of a person who is erased.
            models.Index(fields=["author"], name="mission_comments_author"),
        ]

    def __str__(self) -> str:
        return self.body[:60]
