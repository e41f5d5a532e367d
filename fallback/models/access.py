from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE, TimestampedModel
from fallback.models.choices import AccessRequestStatus
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check


class AccessRequest(TimestampedModel):
    """A member's request to join a project."""

    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="access_requests", db_index=False, verbose_name=_("project")
    )
    member = models.ForeignKey(
        "groups.Member", models.CASCADE, related_name="access_requests", verbose_name=_("member")
    )
    message = models.TextField(_("message"), blank=True, default="", db_default="")
    status = models.TextField(
        _("status"),
        choices=AccessRequestStatus,
        default=AccessRequestStatus.PENDING,
        db_default=AccessRequestStatus.PENDING,
    )
    decided_by = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="decided_access_requests",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    class Meta:
        db_table = "access_requests"
        verbose_name = _("access request")
        verbose_name_plural = _("access requests")
        constraints = [
            choices_check("access_requests", "status", AccessRequestStatus),
            UniqueConstraint(
                fields=["project", "member"],
                name="access_requests_one_pending",
                condition=Q(status="pending"),
                violation_error_message=_("This member has already requested access to the project."),
                violation_error_code="access_requested_already",
            ),
            CheckConstraint(
                condition=Q(status="pending", decided_at__isnull=True) | ~Q(status="pending"),
                name="access_requests_decision_fits_status",
                violation_error_message=_("A pending request has no decision yet."),
                violation_error_code="decision_invalid",
            ),
        ]
