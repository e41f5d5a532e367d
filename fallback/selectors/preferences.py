"""How the members of an organisation are notified: own settings, defaults of the organisation, defaults of the site."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from fallback import rules
from fallback.models import NotificationPreference, NotificationSettings, Organization
from fallback.models.choices import Channel
from groups.models import Member

Choices = dict[str, frozenset[str]]


def own_channels(*, member: Member | None = None, organization: Organization | None = None) -> Choices:
    """The channels that a member, or an organisation for its members, has chosen, by kind. Others are omitted."""
    rows = NotificationPreference.objects.filter(member=member, organization=organization).exclude(is_enabled=None)
    found: dict[str, set[str]] = {}
    for kind, channel, is_enabled in rows.values_list("kind", "channel", "is_enabled"):
        found.setdefault(kind, set()).update({channel} if is_enabled else ())
    return {kind: frozenset(channels) for kind, channels in found.items()}


def channels_of(members: Iterable[UUID], kind: str, organization: str | None) -> dict[UUID, frozenset[str]]:
    """The channels by which a kind of notification reaches each of these members. organization: of the project."""
    keys = list(members)
    rows = NotificationPreference.objects.filter(
        Q(member__in=keys) | Q(organization=organization, organization__isnull=False), kind=kind
    ).exclude(is_enabled=None)
    found: dict[UUID | None, set[str]] = {}
    for member, channel, is_enabled in rows.values_list("member_id", "channel", "is_enabled"):
        found.setdefault(member, set()).update({channel} if is_enabled else ())
    default = frozenset(found.get(None, rules.NOTIFICATION_CHANNELS))
    return {key: frozenset(found[key]) if key in found else default for key in keys}


def settings_of(member: Member) -> NotificationSettings:
    """The quiet hours and the hour of the digest of a member; the defaults if not chosen."""
    return NotificationSettings.objects.filter(pk=member.pk).first() or NotificationSettings(member=member)


def is_quiet(settings: NotificationSettings, at: datetime) -> bool:
    """Whether a local time is in the quiet hours. Equal times are none."""
    start, end, now = settings.quiet_from, settings.quiet_to, at.time()
    return start <= now < end if start <= end else now >= start or now < end


def email_due_at(settings: NotificationSettings, channel: str, at: datetime, zone: ZoneInfo) -> datetime:
    """When an e-mail is due: at once or at the end of the quiet hours; a digest at its hour, or after them."""
    local = at.astimezone(zone)
    if channel == Channel.DIGEST:
        due = local.replace(hour=settings.digest_hour, minute=0, second=0, microsecond=0)
        local = due if due > local else due + timedelta(days=1)
    if is_quiet(settings, local):
        end = datetime.combine(local.date(), settings.quiet_to, zone)
        local = end if end > local else datetime.combine(local.date() + timedelta(days=1), settings.quiet_to, zone)
    return local
