from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE, TimestampedModel
from fallback.models.choices import AssignmentKind
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check
from missionsite.common.ids import UlidField
from missionsite.common.querysets import QuerySet


class MissionAssignment(TimestampedModel):
    """The person who works on a mission, reviews it, or decides on a proposal."""

    mission = models.ForeignKey(
        "fallback.Mission",
        BY_DATABASE,
        null=True,
        blank=True,
        db_index=False,
        related_name="assignments",
        verbose_name=_("mission"),
    )
    item = models.ForeignKey(
        "fallback.MissionFallbackItem",
        BY_DATABASE,
        null=True,
        blank=True,
        db_index=False,
        related_name="assignments",
        verbose_name=_("proposal"),
    )
    kind = models.TextField(_("for"), choices=AssignmentKind)
    member = models.ForeignKey(
        "groups.Member", models.PROTECT, related_name="mission_assignments", verbose_name=_("member")
    )

    class Meta:
        db_table = "mission_assignments"
        db_table_comment = "Who works on a mission, reviews it, or decides on a proposal."
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering = ["id"]
        constraints = [
            choices_check("mission_assignments", "kind", AssignmentKind),
            CheckConstraint(
                condition=Q(mission__isnull=True, item__isnull=False, kind=AssignmentKind.REVIEW)
                | Q(mission__isnull=False, item__isnull=True),
                name="mission_assignments_of_one",
                violation_error_message=_("An assignment belongs to a mission, or to a proposal that is reviewed."),
            ),
            UniqueConstraint(
                fields=["mission", "kind"],
                condition=Q(mission__isnull=False),
                name="mission_assignments_of_mission",
                violation_error_message=_("The mission is assigned to another member already."),
            ),
            UniqueConstraint(
                fields=["item"],
                condition=Q(item__isnull=False),
                name="mission_assignments_of_item",
                violation_error_message=_("The proposal is assigned to another member already."),
            ),
        ]

    def __str__(self) -> str:
        return gettext("{member} for {subject}").format(member=self.member, subject=self.mission or self.item)


class MissionStar(models.Model):
    """A board mission that a member has starred."""

    id = UlidField()
    mission = models.ForeignKey(
        "fallback.Mission", BY_DATABASE, related_name="stars", db_index=False, verbose_name=_("mission")
    )
    member = models.ForeignKey("groups.Member", models.CASCADE, related_name="mission_stars", verbose_name=_("member"))
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "mission_stars"
        db_table_comment = "Board missions that members have starred."
        verbose_name = _("star of a mission")
        verbose_name_plural = _("stars of missions")
        constraints = [
            UniqueConstraint(
                fields=["mission", "member"],
                name="mission_stars_once",
                violation_error_message=_("The mission is starred already."),
            )
        ]
