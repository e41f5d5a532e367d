from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from missiondeck.models.base import TimestampedModel
from missionsite.common.constraints import one_line_checks
from missionsite.common.querysets import QuerySet


class DeckFeed(TimestampedModel):
    """A calendar feed at a secret URL; only a digest of the secret is stored."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="deck_feeds", verbose_name=_("member")
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("Where you use it, such as phone or laptop."))
    only_own = models.BooleanField(
        _("only my missions"),
        default=False,
        db_default=False,
        help_text=_("Include only missions that are assigned to you."),
    )
    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False)
    last_read_at = models.DateTimeField(_("last read"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_feeds"
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")
        constraints = [*one_line_checks("deck_feeds", "name")]
        ordering = [F("created_at").desc(), F("id").desc()]

    def __str__(self) -> str:
        return self.name
