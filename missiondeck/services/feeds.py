"""Calendar feeds: deadlines at a secret URL that can be revoked."""

from __future__ import annotations

import hashlib
import secrets

from django.utils import timezone

from groups.models import Member
from missiondeck.errors import TooManyFeeds
from missiondeck.models import DeckFeed
from missiondeck.rules import MAX_FEEDS
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

PERMISSION = "missiondeck.view_deckmission"


@service
def create_feed(
    *,
    actor: Member,
    name: str,
    only_own: bool = False,
    alarm_hours: int | None = None,
    hides_budget: bool = False,
    hides_addresses: bool = False,
) -> tuple[DeckFeed, str]:
    """Create a feed of the actor. Returns it with its secret, which is not stored and cannot be shown again.

    alarm_hours: remind this long before a deadline. Raises TooManyFeeds, ConstraintViolated (alarm_out_of_range).
    """
    if DeckFeed.objects.filter(member=actor, revoked_at=None).count() >= MAX_FEEDS:
        raise TooManyFeeds
    secret = secrets.token_urlsafe(32)
    feed = DeckFeed.objects.create(
        member=actor,
        name=name.strip(),
        only_own=only_own,
        alarm_hours=alarm_hours,
        hides_budget=hides_budget,
        hides_addresses=hides_addresses,
        digest=_digest(secret),
    )
    feed.refresh_from_db()
    audit("calendar_feed.created", actor=actor, member=actor, feed=str(feed.pk))
    return feed, secret


@service
def revoke_feed(*, actor: Member, feed: DeckFeed) -> DeckFeed:
    """Revoke a feed permanently."""
    if DeckFeed.objects.filter(pk=feed.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit("calendar_feed.revoked", actor=actor, member=feed.member, feed=str(feed.pk))
    feed.refresh_from_db()
    return feed


@service
def read_feed(*, secret: str) -> DeckFeed | None:
    """The feed of a secret, with last_read_at set; None if unknown, revoked, or its owner lost the permission."""
    feed = DeckFeed.objects.select_related("member").filter(digest=_digest(secret), revoked_at=None).first()
    if feed is None or not (feed.member.is_active and feed.member.is_staff and feed.member.has_perm(PERMISSION)):
        return None
    DeckFeed.objects.filter(pk=feed.pk).update(last_read_at=timezone.now())
    return feed


def _digest(secret: str) -> str:
    """The SHA-256 digest of a secret. A random value of 256 bits needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()
