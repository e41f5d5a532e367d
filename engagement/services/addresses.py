"""Addresses of members: bounces and complaints, after which they get no more messages, and verification."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from engagement.errors import AddressNotSuppressed
from engagement.models import BouncedAddress, MemberAddress
from engagement.rules import AddressReport
from engagement.transports.sanitize import sanitize_text
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

LONGEST_ADDRESS = 255


@service
def report_address(
    *, member: Member, address: str, report: AddressReport, detail: str = "", at: datetime
) -> BouncedAddress | None:
    """Record a bounce or a complaint; suppress the address, after a soft bounce only if it is one of several in a row.

    address: as messages use it, an e-mail address in lower case. detail: the provider's text. Returns None without an
    address.
    """
    address = _normal(address)
    if not address:
        return None
    BouncedAddress.objects.bulk_create(
        [BouncedAddress(user=member, address=address, reason=report, reported_at=at)], ignore_conflicts=True
    )
    row = _lock(member, address)
    if report == AddressReport.SOFT_BOUNCE:
        row.soft_bounces += 1
    # A suppressed address keeps the reason, unless its owner complains.
    if row.suppressed_at is None or report == AddressReport.COMPLAINT:
        row.reason, row.detail = report, sanitize_text(detail, address)
    row.reported_at = max(row.reported_at, at)
    is_bad = report != AddressReport.SOFT_BOUNCE or row.soft_bounces >= settings.ENGAGEMENT_SOFT_BOUNCES
    is_new = is_bad and row.suppressed_at is None
    if is_new:
        row.suppressed_at = at
    row.save(update_fields=["soft_bounces", "reason", "detail", "reported_at", "suppressed_at"])
    if is_new:
        # Addresses are not copied to the event log.
        audit("address.suppressed", actor=Member.objects.system(), member=member, report=row.reason)
    return row


@service
def record_delivery(*, member: Member, address: str) -> None:
    """Start the count of soft bounces again after a delivery."""
    BouncedAddress.objects.filter(user=member, address=_normal(address), soft_bounces__gt=0).update(soft_bounces=0)


@service
def restore_address(*, actor: Member, row: BouncedAddress, reason: str = "") -> BouncedAddress:
    """Allow messages to a suppressed address again. Raises AddressNotSuppressed."""
    current = BouncedAddress.objects.lock(row.pk, "user")
    if current.suppressed_at is None:
        raise AddressNotSuppressed
    current.suppressed_at, current.soft_bounces = None, 0
    current.save(update_fields=["suppressed_at", "soft_bounces"])
    audit("address.restored", actor=actor, member=current.user, report=current.reason, reason=reason)
    return current


@service
def verify_address(*, actor: Member, row: MemberAddress, at: datetime | None = None) -> MemberAddress:
    """Record that an address belongs to its member. Raises a DomainError if another member has verified it."""
    current = MemberAddress.objects.select_for_update(of=("self",), no_key=True).select_related("user").get(pk=row.pk)
    if current.verified_at is None:
        current.verified_at = at or timezone.now()
        current.save(update_fields=["verified_at"])
        # Addresses are not copied to the event log.
        audit("address.verified", actor=actor, member=current.user, channel=current.channel)
    return current


def _normal(address: str) -> str:
    """Return an address without control characters, in the length of the column."""
    return "".join(each for each in address if each.isprintable()).strip()[:LONGEST_ADDRESS]


def _lock(member: Member, address: str) -> BouncedAddress:
    return BouncedAddress.objects.select_for_update(of=("self",)).get(user=member, address=address)
