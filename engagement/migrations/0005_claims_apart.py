import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """What a sender has in hand stands in its claim alone, a member's attention in the messages; both are functions."""

    dependencies = [("engagement", "0004_erase")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[SQLFile(__file__, "attention")],
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
            # There is no row.
            field=models.DateTimeField(default=timezone.now),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="engagementclaim",
            name="user_ids",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(null=True), default=list),
        ),
        # The index went with the file; altered by Django, the link would lose what becomes of it with its member.
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
            index=models.Index(fields=["user", "attempted_at"], name="engagement_queue_attention"),
        ),
        SQLFile(__file__, "claims"),
    ]
