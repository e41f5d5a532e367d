import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Store claims in a table of their own, and count the frequency cap from the messages."""

    dependencies = [("engagement", "0004_erase")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[SQLFile(__file__, "frequency_cap")],
            state_operations=[migrations.DeleteModel(name="EngagementAttention")],
        ),
        migrations.RemoveConstraint(
            model_name="engagementmessage",
            name="engagement_message_queue_lease_whole",
        ),
        migrations.RemoveField(model_name="engagementmessage", name="attempt_token"),
        migrations.RemoveField(model_name="engagementmessage", name="claimed_by"),
        migrations.RemoveField(model_name="engagementmessage", name="lease_expires_at"),
        migrations.AddField(
            model_name="engagementclaim",
            name="attempted_at",
            # The table is empty.
            field=models.DateTimeField(default=timezone.now),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="engagementclaim",
            name="user_ids",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(null=True), default=list),
        ),
        # The SQL file drops the index. Django's AlterField would drop ON DELETE CASCADE of the foreign key.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="engagementmessage",
                    name="user",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="engagement_messages",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="engagementmessage",
            index=models.Index(fields=["user", "attempted_at"], name="engagement_queue_frequency"),
        ),
        SQLFile(__file__, "claims"),
    ]
