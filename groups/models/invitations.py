from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q

# No letters and digits that are taken for one another: 0 and O, 1, I and L.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 16


class InvitationStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    ACCEPTED = "accepted", "Accepted"
    EXPIRED = "expired", "Expired"
    CANCELLED = "cancelled", "Cancelled"


class CommunityInvitation(models.Model):
    """A code that lets one person register; it works once, until it expires or is cancelled."""

    invitation_id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    invitation_code = models.CharField("code", max_length=CODE_LENGTH, editable=False)
    created_by = models.ForeignKey(
        "groups.CommunityMember",
        models.PROTECT,
        to_field="member_id",
        db_column="created_by",
        related_name="invitations",
        db_index=False,
        verbose_name="invited by",
    )
    invited_telegram_username = models.CharField("Telegram name", max_length=255, null=True, blank=True)
    status = models.CharField(
        max_length=20,
        choices=InvitationStatus,
        default=InvitationStatus.PENDING,
        db_default=InvitationStatus.PENDING,
        editable=False,
    )
    expires_at = models.DateTimeField("expires")
    accepted_by = models.OneToOneField(
        "groups.CommunityMember",
        models.PROTECT,
        to_field="member_id",
        db_column="accepted_by",
        null=True,
        blank=True,
        related_name="invitation",
        editable=False,
    )
    accepted_at = models.DateTimeField("accepted", null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "community_invitations"
        verbose_name = "invitation"
        ordering = [F("created_at").desc(), F("invitation_id").desc()]
        constraints = [
            models.UniqueConstraint(fields=["invitation_code"], name="invitation_code_idx"),
            models.CheckConstraint(
                condition=Q(invitation_code__regex=rf"^[{ALPHABET}]{{{CODE_LENGTH}}}$"),
                name="community_invitations_code_format",
            ),
            models.CheckConstraint(
                condition=Q(status__in=InvitationStatus.values), name="community_invitations_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="accepted", accepted_by__isnull=False, accepted_at__isnull=False)
                | (~Q(status="accepted") & Q(accepted_by__isnull=True, accepted_at__isnull=True)),
                name="community_invitations_accepted_fits",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")),
                name="community_invitations_expires_later",
                violation_error_message="An invitation expires after it was made.",
            ),
            models.CheckConstraint(
                condition=Q(accepted_by__isnull=True) | ~Q(accepted_by=F("created_by")),
                name="community_invitations_not_by_self",
            ),
        ]
        indexes = [
            models.Index(fields=["status"], name="invitation_status_idx"),
            models.Index(fields=["created_by"], name="invitation_created_by_idx"),
            models.Index(fields=["expires_at"], name="invitation_expires_at_idx"),
            # The list, newest first.
            models.Index(F("created_at").desc(), F("invitation_id").desc(), name="invitations_newest"),
        ]
        permissions = [("invite_many", "Can invite many people at once")]

    def __str__(self) -> str:
        return self.spelled_code

    @property
    def spelled_code(self) -> str:
        """The code in four groups of four, as people read it aloud."""
        code = self.invitation_code
        return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
