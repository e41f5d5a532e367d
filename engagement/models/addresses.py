from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from engagement.models.base import BY_DATABASE
from engagement.rules import AddressReport, Channel
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet


class BouncedAddress(models.Model):
    """An address of a member that bounced or whose owner complained; no message is sent to a suppressed one.

    address: as messages use it, an e-mail address in lower case. reason, detail, reported_at: of the last report.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        BY_DATABASE,
        related_name="bounced_addresses",
        # The unique constraint begins with it.
        db_index=False,
        verbose_name=_("member"),
    )
    address = models.CharField(_("address"), max_length=255)
    reason = models.TextField(_("reason"), choices=AddressReport)
    detail = models.TextField(_("provider's text"), default="", db_default="", blank=True)
    # Since the last delivery.
    soft_bounces = models.PositiveSmallIntegerField(_("soft bounces"), default=0, db_default=0)
    reported_at = models.DateTimeField(_("reported"))
    suppressed_at = models.DateTimeField(_("suppressed since"), null=True, blank=True)

    objects = QuerySet["BouncedAddress"].as_manager()

    class Meta:
        db_table = "bounced_addresses"
        verbose_name = _("bounced address")
        verbose_name_plural = _("bounced addresses")
        ordering = [F("reported_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("bounced_addresses", "address"),
            choices_check("bounced_addresses", "reason", AddressReport),
            CheckConstraint(
                condition=~Q(address=""),
                name="bounced_addresses_address_required",
                violation_error_message=_("Enter the address that bounced."),
                violation_error_code="address_missing",
                field="address",
            ),
            UniqueConstraint(
                fields=["user", "address"],
                name="bounced_addresses_unique",
                violation_error_message=_("This address of the member is already in the list."),
                violation_error_code="address_listed",
                field="address",
            ),
        ]
        indexes = [
            # The list of all bounced addresses, newest first.
            models.Index(fields=["reported_at", "id"], name="bounced_addresses_reported"),
        ]

    def __str__(self) -> str:
        return _("Address of {member}").format(member=self.user)


class MemberAddress(models.Model):
    """An address of a member on a channel. Triggers set the rows from account, directory entry and profile.

    address: in lower case without a leading @; of WhatsApp, the digits of the number. verified_at: when it was proven
    that it belongs to the member; a message from an unverified address can only stop messages.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        BY_DATABASE,
        related_name="addresses",
        # The unique constraint begins with it.
        db_index=False,
        verbose_name=_("member"),
    )
    channel = models.TextField(_("channel"), choices=Channel)
    address = models.CharField(_("address"), max_length=255)
    verified_at = models.DateTimeField(_("verified"), null=True, blank=True)

    objects = QuerySet["MemberAddress"].as_manager()

    class Meta:
        db_table = "member_addresses"
        verbose_name = _("address of a member")
        verbose_name_plural = _("addresses of members")
        ordering = [F("channel").asc(), F("address").asc()]
        constraints = [
            *one_line_checks("member_addresses", "address"),
            choices_check("member_addresses", "channel", Channel),
            CheckConstraint(
                condition=~Q(address=""),
                name="member_addresses_address_required",
                violation_error_message=_("Enter an address."),
                violation_error_code="address_missing",
                field="address",
            ),
            UniqueConstraint(fields=["user", "channel", "address"], name="member_addresses_unique"),
            UniqueConstraint(
                fields=["channel", "address"],
                condition=Q(verified_at__isnull=False),
                name="member_addresses_verified_unique",
                violation_error_message=_("Another member has verified this address."),
                violation_error_code="address_verified_by_another",
                field="address",
            ),
            CheckConstraint(
                condition=Q(verified_at__isnull=True) | ~Q(channel=Channel.TELEGRAM_NAME),
                name="member_addresses_name_unverified",
                violation_error_message=_("A Telegram name cannot be verified: it can pass to another person."),
                violation_error_code="name_not_verifiable",
                field="verified_at",
            ),
        ]
        indexes = [
            # Received messages are matched by it.
            models.Index(fields=["address", "channel"], name="member_addresses_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.address}"
