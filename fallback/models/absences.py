from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fallback.models.base import TimestampedModel
from missionsite.common.constraints import CheckConstraint


class MemberAbsence(TimestampedModel):
    """A time in which another member, the deputy, also gets the notifications of a member and decides for them."""

    member = models.ForeignKey(
        "groups.Member", models.PROTECT, related_name="absences", db_index=False, verbose_name=_("absent member")
    )
    deputy = models.ForeignKey(
        "groups.Member", models.PROTECT, related_name="deputyships", db_index=False, verbose_name=_("deputy")
    )
    starts_at = models.DateTimeField(_("from"))
    # Exclusive. The same as starts_at for an absence that was cancelled.
    ends_at = models.DateTimeField(_("until"))

    class Meta:
        db_table = "member_absences"
        db_table_comment = "When a deputy stands in for a member."
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering = [F("starts_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=~Q(member=F("deputy")),
                name="member_absences_not_own_deputy",
                violation_error_code="own_deputy",
                violation_error_message=_("Choose another member as deputy."),
                field="deputy",
            ),
            CheckConstraint(
                condition=Q(ends_at__gte=F("starts_at")),
                name="member_absences_ends_after_start",
                violation_error_code="ends_before_start",
                violation_error_message=_("The last day must not be before the first day."),
                field="ends_at",
            ),
        ]
        indexes = [
            # For whom a member stands in now, and who stands in for a member.
            models.Index(fields=["deputy", "ends_at"], name="member_absences_deputy"),
            models.Index(fields=["member", "ends_at"], name="member_absences_member"),
        ]

    def __str__(self) -> str:
        return gettext("{member}, deputy {deputy}").format(member=self.member, deputy=self.deputy)
