import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import missionsite.common.ids
from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Add comments on missions and proposals, and erase those of an erased person."""

    dependencies = [
        ("fallback", "0015_notification_emails"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MissionComment",
            fields=[
                (
                    "id",
                    missionsite.common.ids.UlidField(
                        db_collation="C",
                        db_default=missionsite.common.ids.Ulid(),
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("body", models.TextField(verbose_name="comment")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                ("edited_at", models.DateTimeField(blank=True, null=True, verbose_name="edited")),
                ("removed_at", models.DateTimeField(blank=True, null=True, verbose_name="removed")),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mission_comments",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="comments",
                        to="fallback.missionfallbackitem",
                        verbose_name="proposal",
                    ),
                ),
                (
                    "mission",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="comments",
                        to="fallback.mission",
                        verbose_name="mission",
                    ),
                ),
            ],
            options={
                "verbose_name": "comment",
                "verbose_name_plural": "comments",
                "db_table": "mission_comments",
                "ordering": ["created_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("mission__isnull", False)),
                        fields=["mission", "created_at", "id"],
                        name="mission_comments_of_mission",
                    ),
                    models.Index(
                        condition=models.Q(("item__isnull", False)),
                        fields=["item", "created_at", "id"],
                        name="mission_comments_of_item",
                    ),
                    models.Index(fields=["author"], name="mission_comments_author"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("body__regex", "^\\s*$"), _negated=True),
                        name="mission_comments_body_not_empty",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("item__isnull", False), ("mission__isnull", True)),
                            models.Q(("item__isnull", True), ("mission__isnull", False)),
                            _connector="OR",
                        ),
                        name="mission_comments_of_one",
                    ),
                ],
            },
        ),
        OnDelete("CASCADE", "mission_comments.mission_id", "mission_comments.item_id"),
        SQLFile("fallback/functions/erase_person_in_projects", version=2),
    ]
