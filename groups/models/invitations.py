from __future__ import annotations

import hashlib
import re

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.rules import MAX_USES, InvitationStatus
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet

# Without characters that look alike: 0 and O, 1, I and L.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 16
_CODE = re.compile(rf"[{ALPHABET}]{{{CODE_LENGTH}}}")


def plain_code(typed: str) -> str:
    """Normalize a typed code: upper case, without hyphens and spaces."""
    return re.sub(r"[\s\-]", "", typed).upper()


def spell_code(code: str) -> str:
    """Format a code in four groups of four characters."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def digest_of_code(typed: str) -> str | None:
    """Return the digest of a code: 16 characters of its SHA-256, in the alphabet of codes; None for an invalid code.

    The SHA-256 is read as a number and written in base 31, the last 16 digits, lowest first. A code has 79 random bits,
    which cannot be guessed from the digest, so a slow hash is not needed.
    """
    code = plain_code(typed)
    if not _CODE.fullmatch(code):
        return None
    number, digest = int.from_bytes(hashlib.sha256(code.encode("ascii")).digest()), ""
    for _place in range(CODE_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digest += ALPHABET[digit]
    return digest


class CommunityInvitation(models.Model):
    """An invitation to register with a code, which works `max_uses` times, until it expires or is cancelled."""

    # The code itself, only on an object whose code was just created; the database stores its digest.
    code: str | None = None

    invitation_id = models.UUIDField(_("ID"), primary_key=True, db_default=RandomUUID(), editable=False)
    # The digest of the code; see digest_of_code.
    invitation_code = models.CharField(_("code"), max_length=CODE_LENGTH, editable=False)
    created_by = models.ForeignKey(
        "groups.CommunityMember",
        models.PROTECT,
        to_field="member_id",
        db_column="created_by",
        related_name="invitations",
        db_index=False,
        verbose_name=_("invited by"),
    )
    invited_telegram_username = models.CharField(_("Telegram name"), max_length=255, null=True, blank=True)
    invited_email = models.EmailField(_("e-mail"), max_length=255, null=True, blank=True)
    invited_name = models.CharField(_("name"), max_length=255, null=True, blank=True)
    max_uses = models.IntegerField(
        _("number of people"),
        default=1,
        db_default=1,
        help_text=_("How many people can register with it. Each registration is listed."),
    )
    # Counted by a trigger on community_invitation_uses.
    uses = models.IntegerField(_("registered"), default=0, db_default=0, editable=False)
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=InvitationStatus,
        default=InvitationStatus.PENDING,
        db_default=InvitationStatus.PENDING,
        editable=False,
    )
    expires_at = models.DateTimeField(_("expires"))
    # People who return register again, so one entry may have accepted several.
    accepted_by = models.ForeignKey(
        "groups.CommunityMember",
        models.PROTECT,
        to_field="member_id",
        db_column="accepted_by",
        db_index=False,
        null=True,
        blank=True,
        related_name="accepted_invitations",
        editable=False,
        verbose_name=_("accepted by"),
    )
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(_("updated at"), db_default=TransactionNow(), editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "community_invitations"
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = [F("created_at").desc(), F("invitation_id").desc()]
        constraints = [
            *one_line_checks("community_invitations", "invited_telegram_username", "invited_email", "invited_name"),
            CheckConstraint(
                condition=Q(max_uses__gte=1, max_uses__lte=MAX_USES),
                name="community_invitations_max_uses_range",
                violation_error_message=_("An invitation is for 1 to 500 people."),
                violation_error_code="max_uses_out_of_range",
                field="max_uses",
            ),
            CheckConstraint(
                condition=Q(uses__gte=0, uses__lte=F("max_uses")),
                name="community_invitations_uses_within_limit",
                violation_error_message=_("More people registered with this invitation than it is for."),
                violation_error_code="invitation_used_up",
                field="max_uses",
            ),
            UniqueConstraint(fields=["invitation_code"], name="invitation_code_idx"),
            CheckConstraint(
                condition=Q(invitation_code__regex=rf"^[{ALPHABET}]{{{CODE_LENGTH}}}$"),
                name="community_invitations_code_format",
            ),
            choices_check("community_invitations", "status", InvitationStatus),
            CheckConstraint(
                condition=Q(status="accepted", accepted_by__isnull=False, accepted_at__isnull=False, max_uses=1)
                | Q(status="accepted", accepted_by__isnull=True, accepted_at__isnull=False, max_uses__gt=1)
                | (~Q(status="accepted") & Q(accepted_by__isnull=True, accepted_at__isnull=True)),
                name="community_invitations_accepted_fits",
            ),
            CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")),
                name="community_invitations_expires_later",
                violation_error_message=_("An invitation must expire after it is created."),
                violation_error_code="invitation_expires_before",
                field="expires_at",
            ),
            CheckConstraint(
                condition=Q(accepted_by__isnull=True) | ~Q(accepted_by=F("created_by")),
                name="community_invitations_not_by_self",
            ),
        ]
        indexes = [
            models.Index(fields=["status"], name="invitation_status_idx"),
            models.Index(fields=["created_by"], name="invitation_created_by_idx"),
            models.Index(fields=["expires_at"], name="invitation_expires_at_idx"),
            models.Index(fields=["accepted_by"], name="invitation_accepted_by_idx"),
            # The list, newest first.
            models.Index(F("created_at").desc(), F("invitation_id").desc(), name="invitations_newest"),
        ]
        permissions = [("invite_many", _("Can invite many people at once"))]

    def __str__(self) -> str:
        # Also stored in the admin log, so without the invited person's name.
        return gettext("Invitation %(id)s by %(number)s") % {"id": str(self.pk)[:8], "number": self.created_by_id}

    @property
    def for_whom(self) -> str:
        """The recipient's name, user name or e-mail, or a text for an open invitation."""
        telegram = f"@{self.invited_telegram_username}" if self.invited_telegram_username else ""
        if recipient := self.invited_name or telegram or self.invited_email:
            return recipient
        if self.max_uses > 1:
            return gettext("up to %(count)d people with the link") % {"count": self.max_uses}
        return gettext("anyone with the code")

    @property
    def is_open(self) -> bool:
        """Whether it can be changed, extended and sent again."""
        return self.status in (InvitationStatus.PENDING, InvitationStatus.EXPIRED)

    @property
    def spelled_code(self) -> str:
        """The code in groups of four; empty unless it was just created."""
        return spell_code(self.code or "")


class CommunityInvitationUse(models.Model):
    """One registration with an invitation. Append-only; triggers count it on the invitation."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    invitation = models.ForeignKey(
        CommunityInvitation, models.PROTECT, related_name="registrations", verbose_name=_("invitation")
    )
    member = models.ForeignKey(
        "groups.CommunityMember",
        models.PROTECT,
        to_field="member_id",
        db_index=False,
        related_name="registrations",
        verbose_name=_("member"),
    )
    used_at = models.DateTimeField(_("registered at"), db_default=TransactionNow(), editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "community_invitation_uses"
        verbose_name = _("registration with an invitation")
        verbose_name_plural = _("registrations with an invitation")
        ordering = ["used_at", "id"]
        constraints = [UniqueConstraint(fields=["invitation", "member"], name="community_invitation_uses_member_once")]
        indexes = [models.Index(fields=["member"], name="community_invitation_uses_of")]

    def __str__(self) -> str:
        return f"{self.invitation_id} {self.member_id}"
