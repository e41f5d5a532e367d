from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.rules import MAX_STORED_METADATA_CHARACTERS
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, not_future_check, one_line_checks


class ParticipationType(models.TextChoices):
    MESSAGE = "MESSAGE", _("Message")
    REACTION = "REACTION", _("Reaction")
    VOICE = "VOICE", _("Voice")
    ACTION = "ACTION", _("Action")
    JOIN = "JOIN", _("Joined a room")
    LEAVE = "LEAVE", _("Left a room")


class Platform(models.TextChoices):
    TELEGRAM = "telegram", _("Telegram")
    DISCORD = "discord", _("Discord")
    TWITCH = "twitch", _("Twitch")
    KICK = "kick", _("Kick")
    GITHUB = "github", _("GitHub")
    WHATSAPP = "whatsapp", _("WhatsApp")


class MemberParticipation(models.Model):
    """One action of a member on a platform. Counted columns never change.

    The id of a platform message is a digest of its platform, room and message id, so a repeated message is the same
    row; see `services.participation`. Without a message id it is random.
    """

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    member = models.ForeignKey(
        "groups.CommunityMember",
        models.PROTECT,
        to_field="member_id",
        db_column="member_id",
        related_name="participation",
        db_index=False,
        verbose_name=_("member"),
    )
    event_type = models.CharField(_("type"), max_length=50, choices=ParticipationType)
    platform = models.CharField(_("platform"), max_length=50, choices=Platform)
    room_id = models.CharField(_("room"), max_length=255)
    # Of VOICE: {"minutes": 12}.
    event_metadata = models.JSONField(_("details"), null=True, blank=True)
    occurred_at = models.DateTimeField(_("time"), db_default=TransactionNow())

    class Meta:
        db_table = "member_participation"
        verbose_name = _("participation")
        verbose_name_plural = _("participation")
        ordering = [F("occurred_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=~Q(room_id=""),
                name="member_participation_room_not_empty",
                violation_error_message=_("Name the room."),
                violation_error_code="room_empty",
                field="room_id",
            ),
            CheckConstraint(
                condition=Q(event_metadata__isnull=True)
                | LessThanOrEqual(Length(Cast("event_metadata", models.TextField())), MAX_STORED_METADATA_CHARACTERS),
                name="member_participation_details_length",
                violation_error_message=format_lazy(
                    _("The stored details can have at most {limit:,} characters."), limit=MAX_STORED_METADATA_CHARACTERS
                ),
                violation_error_code="details_too_long",
                field="event_metadata",
            ),
            not_future_check(
                "member_participation", "occurred_at", _("The time must not be in the future."), code="time_in_future"
            ),
            *one_line_checks("member_participation", "room_id"),
            CheckConstraint(
                condition=Q(event_type__in=ParticipationType.values), name="member_participation_type_known"
            ),
            CheckConstraint(condition=Q(platform__in=Platform.values), name="member_participation_platform_known"),
        ]
        indexes = [
            models.Index(fields=["member"], name="participation_member_id_idx"),
            # These two serve rare types and platforms; for common ones the planner scans the table.
            models.Index(fields=["event_type"], name="participation_event_type_idx"),
            models.Index(fields=["platform"], name="participation_platform_idx"),
            # The list, newest first, and the days of a rebuild. A BRIN index is smaller but gives no order.
            models.Index(fields=["occurred_at"], name="participation_occurred_at_idx"),
        ]

    def __str__(self) -> str:
        return gettext("%(number)s: %(type)s on %(platform)s") % {
            "number": self.member_id,
            "type": self.get_event_type_display(),
            "platform": self.get_platform_display(),
        }


class MemberDailyHighlight(models.Model):
    """The participation of one member on one day (UTC), summed up by the database; never edited."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    member = models.ForeignKey(
        "groups.CommunityMember",
        models.PROTECT,
        to_field="member_id",
        db_column="member_id",
        related_name="highlights",
        db_index=False,
        verbose_name=_("member"),
    )
    highlight_date = models.DateField(_("day"))
    message_count = models.IntegerField(_("messages"), default=0, db_default=0)
    reaction_count = models.IntegerField(_("reactions"), default=0, db_default=0)
    voice_minutes = models.IntegerField(_("voice minutes"), default=0, db_default=0)
    reputation_earned = models.IntegerField(_("points"), default=0, db_default=0)
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "member_daily_highlights"
        verbose_name = _("daily highlight")
        verbose_name_plural = _("daily highlights")
        ordering = [F("highlight_date").desc(), F("id").desc()]
        constraints = [
            # The seed's index, made unique: one row per member and day.
            UniqueConstraint(fields=["member", "highlight_date"], name="highlight_member_date_idx"),
        ]
        indexes = [
            # The days of all members, newest first.
            models.Index(F("highlight_date").desc(), F("id").desc(), name="daily_highlights_newest"),
        ]

    def __str__(self) -> str:
        return gettext("%(number)s on %(date)s") % {"number": self.member_id, "date": self.highlight_date}
