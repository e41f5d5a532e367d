import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The rate of an announcement, and its approval by a second person."""

    dependencies = [
        ("engagement", "0012_sequences"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="announcement",
            name="approved_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="approved"),
        ),
        migrations.AddField(
            model_name="announcement",
            name="approved_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="approved by",
            ),
        ),
        migrations.AddField(
            model_name="announcement",
            name="needs_approval",
            field=models.BooleanField(db_default=False, default=False, verbose_name="needs approval"),
        ),
        migrations.AddField(
            model_name="announcement",
            name="per_hour",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Spreads the messages over time. If empty, all are due at once.",
                null=True,
                verbose_name="messages per hour",
            ),
        ),
        migrations.AddField(
            model_name="announcement",
            name="waiting_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), db_default=[], default=list, size=None, verbose_name="recipients to be"
            ),
        ),
        migrations.AddConstraint(
            model_name="announcement",
            constraint=models.CheckConstraint(
                condition=models.Q(("per_hour", None), ("per_hour__gt", 0), _connector="OR"),
                name="engagement_announcements_per_hour_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="announcement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by", None),
                    models.Q(("approved_by", models.F("created_by")), _negated=True),
                    _connector="OR",
                ),
                name="engagement_announcements_second_person",
            ),
        ),
        SQLFile("engagement/functions/reject_unapproved_messages"),
        SQLFile("engagement/triggers/engagement_message_queue_approval"),
    ]
