from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.rules import DEFAULT_ROLE, MembershipStatus
from missionsite.common.constraints import (
    CheckConstraint,
    UniqueConstraint,
    choices_check,
    not_future_check,
    one_line_checks,
)
from missionsite.common.querysets import QuerySet


class MembershipQuerySet(QuerySet["Membership"]):
    def active(self) -> MembershipQuerySet:
        """Memberships that have not ended."""
        return self.filter(status=Membership.Status.ACTIVE)

    def as_of(self, instant: datetime) -> MembershipQuerySet:
        """Memberships that were active at an aware instant; a membership ends at its `left_at`, not after it."""
        return self.filter(Q(left_at__isnull=True) | Q(left_at__gt=instant), joined_at__lte=instant)


class Membership(models.Model):
    """One period in which a member belongs to a group. Re-joining adds a row."""

    Status = MembershipStatus

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    member = models.ForeignKey(
        "groups.Member", models.PROTECT, related_name="memberships", db_index=False, verbose_name=_("member")
    )
    group = models.ForeignKey(
        "groups.Group", models.PROTECT, related_name="memberships", db_index=False, verbose_name=_("mission or colony")
    )
    role = models.CharField(_("role"), max_length=50, default=DEFAULT_ROLE, db_default=DEFAULT_ROLE)
    # The member has the role until this time, and then DEFAULT_ROLE.
    role_until = models.DateTimeField(_("role until"), null=True, blank=True)
    joined_at = models.DateTimeField(_("joined at"), db_default=TransactionNow())
    left_at = models.DateTimeField(_("left at"), null=True, blank=True)
    status = models.TextField(
        _("status"), choices=MembershipStatus, default=MembershipStatus.ACTIVE, db_default=MembershipStatus.ACTIVE
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        db_table = "memberships"
        db_table_comment = "Every membership of a member in a group, one row per period, with leave tracking."
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = [F("joined_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("memberships", "role"),
            # A member may leave and re-join, but has at most one active membership per group.
            UniqueConstraint(
                fields=["member", "group"],
                condition=Q(status="active"),
                name="idx_memberships_active_unique",
                violation_error_message=_("This member already belongs to the mission."),
                violation_error_code="already_member",
                field="member",
            ),
            choices_check("memberships", "status", MembershipStatus),
            CheckConstraint(
                condition=Q(status="active", left_at__isnull=True) | Q(status="left", left_at__isnull=False),
                name="memberships_left_at_fits_status",
                violation_error_message=_("An ended membership has a leaving date. An active one has none."),
                violation_error_code="left_at_does_not_fit",
                field="left_at",
            ),
            CheckConstraint(
                condition=Q(left_at__gte=F("joined_at")) | Q(left_at__isnull=True),
                name="memberships_left_after_joining",
                violation_error_message=_("The leaving date must not be before the joining date."),
                violation_error_code="left_before_joining",
                field="left_at",
            ),
            not_future_check(
                "memberships", "joined_at", _("The joining date must not be in the future."), code="joined_in_future"
            ),
            CheckConstraint(
                condition=Q(role_until__isnull=True) | Q(role_until__gt=F("joined_at")),
                name="memberships_role_until_fits",
                violation_error_message=_("The end of a role must be after joining."),
                violation_error_code="role_until_does_not_fit",
                field="role_until",
            ),
            CheckConstraint(
                condition=~Q(role=""),
                name="memberships_role_not_empty",
                violation_error_message=_("Enter a role."),
                violation_error_code="role_missing",
                field="role",
            ),
        ]
        indexes = [
            models.Index(fields=["status"], name="idx_memberships_status"),
            models.Index(fields=["group", "status"], name="idx_memberships_group_active", condition=Q(status="active")),
            # A member's memberships; also serves the foreign key.
            models.Index(fields=["member", "group"], name="idx_memberships_member_group"),
            # The list, newest first; its deep pages use this index only.
            models.Index(F("joined_at").desc(), F("id").desc(), name="memberships_newest"),
            # The memberships of one group, newest first, all or by status; also serves the foreign key.
            models.Index(
                F("group"), F("joined_at").desc(), F("id").desc(), name="memberships_of_group", include=["status"]
            ),
            # The same by status, in one group and in all: rows of the other status may be newer and many.
            models.Index(
                F("group"), F("status"), F("joined_at").desc(), F("id").desc(), name="memberships_of_group_status"
            ),
            models.Index(F("status"), F("joined_at").desc(), F("id").desc(), name="memberships_by_status"),
            # The roles that end.
            models.Index(fields=["role_until"], name="memberships_role_terms", condition=Q(role_until__isnull=False)),
            # The number of members who left in the last days.
            models.Index(fields=["left_at"], name="memberships_left", condition=Q(status="left")),
        ]
        permissions = [("manage_memberships", _("Can add members to missions, change their roles and remove them"))]

    def __str__(self) -> str:
        return gettext("%(member)s in %(group)s") % {"member": self.member, "group": self.group}

    def audit_links(self) -> dict:
        """Return the links of events about this row."""
        return {"member": self.member, "group": self.group, "membership": str(self.pk)}

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE
