import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

from missionsite.common.sqlfiles import KeepTable, SQLFile


class Migration(migrations.Migration):
    """What members do on platforms, and their days. The way back sets the rows aside."""

    dependencies = [
        ("groups", "0008_directory_history"),
    ]

    operations = [
        migrations.CreateModel(
            name="MemberDailyHighlight",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("highlight_date", models.DateField(verbose_name="day")),
                ("message_count", models.IntegerField(db_default=0, default=0, verbose_name="messages")),
                ("reaction_count", models.IntegerField(db_default=0, default=0, verbose_name="reactions")),
                ("voice_minutes", models.IntegerField(db_default=0, default=0)),
                ("reputation_earned", models.IntegerField(db_default=0, default=0, verbose_name="points")),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_column="member_id",
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="highlights",
                        to="groups.communitymember",
                        to_field="member_id",
                    ),
                ),
            ],
            options={
                "verbose_name": "daily highlight",
                "db_table": "member_daily_highlights",
                "ordering": [
                    models.OrderBy(models.F("highlight_date"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
                "indexes": [
                    models.Index(
                        models.OrderBy(models.F("highlight_date"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="daily_highlights_newest",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "highlight_date"), name="highlight_member_date_idx")
                ],
            },
        ),
        migrations.CreateModel(
            name="MemberParticipation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "event_type",
                    models.CharField(
                        choices=[
                            ("MESSAGE", "Message"),
                            ("REACTION", "Reaction"),
                            ("VOICE", "Voice"),
                            ("ACTION", "Action"),
                            ("JOIN", "Joined a room"),
                            ("LEAVE", "Left a room"),
                        ],
                        max_length=50,
                        verbose_name="what",
                    ),
                ),
                (
                    "platform",
                    models.CharField(
                        choices=[
                            ("telegram", "Telegram"),
                            ("discord", "Discord"),
                            ("twitch", "Twitch"),
                            ("kick", "Kick"),
                            ("github", "GitHub"),
                        ],
                        max_length=50,
                    ),
                ),
                ("room_id", models.CharField(max_length=255, verbose_name="room")),
                ("event_metadata", models.JSONField(blank=True, null=True, verbose_name="details")),
                (
                    "occurred_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="when"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_column="member_id",
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="participation",
                        to="groups.communitymember",
                        to_field="member_id",
                    ),
                ),
            ],
            options={
                "verbose_name": "participation",
                "verbose_name_plural": "participation",
                "db_table": "member_participation",
                "ordering": [
                    models.OrderBy(models.F("occurred_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
                "indexes": [
                    models.Index(fields=["member"], name="participation_member_id_idx"),
                    models.Index(fields=["event_type"], name="participation_event_type_idx"),
                    models.Index(fields=["platform"], name="participation_platform_idx"),
                    models.Index(fields=["occurred_at"], name="participation_occurred_at_idx"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("event_type__in", ["MESSAGE", "REACTION", "VOICE", "ACTION", "JOIN", "LEAVE"])
                        ),
                        name="member_participation_type_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("platform__in", ["telegram", "discord", "twitch", "kick", "github"])),
                        name="member_participation_platform_known",
                    ),
                ],
            },
        ),
        SQLFile(__file__, "participation_changes"),
        KeepTable("member_participation"),
        KeepTable("member_daily_highlights"),
        KeepTable("participation_changes"),
        SQLFile(__file__, "participation"),
    ]
