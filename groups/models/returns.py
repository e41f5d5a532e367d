"""Registrations of people who have an account or a directory entry already."""

from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet


class ReturnStatus(models.TextChoices):
    OPEN = "open", _("To decide")
    ACCEPTED = "accepted", _("Returned")
    DECLINED = "declined", _("Declined")


class CommunityReturn(models.Model):
    """A registration with the e-mail or Telegram ID of an old account or entry. What was entered is kept until decided.

    Whoever opens the link that is sent to the verified address of the account gets the old entry back, unless a manager
    must confirm: needs_manager. The registering person learns nothing about the old entry before.
    """

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    invitation = models.ForeignKey(
        "groups.CommunityInvitation", models.PROTECT, related_name="returns", verbose_name=_("invitation")
    )
    # The old entry and account; one of them may be missing.
    entry = models.ForeignKey(
        "groups.CommunityMember",
        models.PROTECT,
        to_field="member_id",
        null=True,
        blank=True,
        db_index=False,
        related_name="returns",
        verbose_name=_("directory entry"),
    )
    account = models.ForeignKey(
        "groups.Member", models.PROTECT, null=True, blank=True, related_name="returns", verbose_name=_("account")
    )
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=ReturnStatus,
        default=ReturnStatus.OPEN,
        db_default=ReturnStatus.OPEN,
        editable=False,
    )
    needs_manager = models.BooleanField(
        _("a manager must confirm"), default=True, db_default=True, help_text=_("No link is sent.")
    )
    name = models.CharField(_("name"), max_length=255, default="", db_default="", blank=True)
    email = models.CharField(_("e-mail"), max_length=255, default="", db_default="", blank=True)
    telegram_id = models.CharField(_("Telegram ID"), max_length=255, default="", db_default="", blank=True)
    # The other fields of the registration form.
    details = models.JSONField(_("details"), default=dict, db_default={}, editable=False)
    # SHA-256 of the secret part of the link.
    link_digest = models.CharField(
        _("digest of the link"), max_length=64, null=True, blank=True, unique=True, editable=False
    )
    link_expires_at = models.DateTimeField(_("link works until"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("registered at"), db_default=TransactionNow(), editable=False)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("decided by"),
    )

    objects = QuerySet["CommunityReturn"].as_manager()

    class Meta:
        db_table = "community_returns"
        verbose_name = _("returning person")
        verbose_name_plural = _("returning people")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("community_returns", "name", "email", "telegram_id"),
            choices_check("community_returns", "status", ReturnStatus),
            CheckConstraint(
                condition=Q(entry__isnull=False) | Q(account__isnull=False), name="community_returns_has_target"
            ),
            CheckConstraint(
                condition=Q(status="open", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(status="open") & Q(decided_at__isnull=False)),
                name="community_returns_decided_fits",
            ),
            CheckConstraint(
                condition=~Q(status="accepted") | Q(needs_manager=False) | Q(decided_by__isnull=False),
                name="community_returns_manager_confirms",
                violation_error_message=_("A manager must confirm this return."),
                violation_error_code="manager_must_confirm",
            ),
            CheckConstraint(
                condition=Q(needs_manager=False) | Q(link_digest__isnull=True),
                name="community_returns_no_link_for_manager",
            ),
            CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(account__isnull=True) | ~Q(decided_by=F("account")),
                name="community_returns_not_by_self",
                violation_error_message=_("Another member must confirm this return."),
                violation_error_code="return_by_self",
            ),
            # Decided returns have no personal data.
            CheckConstraint(
                condition=Q(status="open") | Q(name="", email="", telegram_id="", details={}, link_digest__isnull=True),
                name="community_returns_decided_is_empty",
            ),
            UniqueConstraint(
                fields=["invitation", "entry"], condition=Q(status="open"), name="community_returns_open_entry_once"
            ),
            UniqueConstraint(
                fields=["invitation", "account"], condition=Q(status="open"), name="community_returns_open_account_once"
            ),
        ]
        indexes = [
            # The list by status, newest first.
            models.Index(F("status"), F("created_at").desc(), F("id").desc(), name="community_returns_list"),
            models.Index(fields=["entry"], name="community_returns_of_entry"),
        ]

    def __str__(self) -> str:
        # Also stored in the admin log, so without what was entered.
        return gettext("Return of %(who)s") % {"who": self.entry_id or self.account}

    def audit_links(self) -> dict:
        """Return the links of events about this row."""
        return {"member": self.account, "number": self.entry_id}
