"""Choose how notifications arrive: per kind and channel, for a member or as the default of an organisation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import time
from typing import Any

from fallback.models import Notification, NotificationPreference, NotificationSettings, Organization
from fallback.models.choices import Channel, NotificationKind
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.changes import apply_changes
from missionsite.common.interfaces import notification_kinds
from missionsite.common.transactions import service


@service
def set_notification_preferences(
    *,
    actor: Member,
    channels: Mapping[str, Collection[str] | None],
    organization: Organization | None = None,
) -> None:
    """Choose the channels (of Channel) of kinds: for the actor, or as the default of an organisation.

    None instead of channels: as the organisation says, or, for an organisation, as the site does.
    """
    member = None if organization else actor
    for kind, chosen in channels.items():
        for channel in Channel:
            NotificationPreference.objects.update_or_create(
                organization=organization,
                member=member,
                kind=kind,
                channel=channel,
                defaults={"is_enabled": None if chosen is None else channel in chosen},
            )
    payload: dict[str, Any] = {"organization": organization.pk} if organization else {"member": actor}
    audit("notification.preferences_changed", actor=actor, kinds=sorted(channels), **payload)


@service
def set_quiet_hours(*, actor: Member, quiet_from: time, quiet_to: time, digest_hour: int) -> NotificationSettings:
    """Choose when no e-mail is sent to the actor (equal times: never), and the hour of the daily e-mail."""
    values = {"quiet_from": quiet_from, "quiet_to": quiet_to, "digest_hour": digest_hour}
    settings, _is_new = NotificationSettings.objects.get_or_create(member=actor)
    if changed := apply_changes(settings, values):
        audit("notification.times_changed", actor=actor, member=actor, changed=changed)
    return settings


@service
def unsubscribe_from_emails(*, actor: Member) -> None:
    """Send the actor no e-mails about notifications any more, of any kind. The inbox stays as it is."""
    for kind in (*NotificationKind, *notification_kinds()):
        for channel in (Channel.EMAIL, Channel.DIGEST):
            NotificationPreference.objects.update_or_create(
                organization=None, member=actor, kind=kind, channel=channel, defaults={"is_enabled": False}
            )
    Notification.objects.filter(member=actor, email_due_at__isnull=False).update(email_due_at=None)
    audit("notification.unsubscribed", actor=actor, member=actor)
