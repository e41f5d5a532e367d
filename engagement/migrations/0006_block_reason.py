from django.db import migrations, models

from missionsite.common.sqlfiles import SQLFile

MESSAGE_TYPES = [
    ("welcome", "Welcome"),
    ("tier_unlock", "Tier unlocked"),
    ("goodbye", "Goodbye"),
    ("weekly_review", "Weekly review"),
    ("reminder", "Reminder"),
    ("help_restart", "Help to restart"),
    ("announcement", "Announcement"),
    ("opt_out_confirmation", "Opt-out confirmation"),
]


class Migration(migrations.Migration):
    """One SQL function for whether a member may be sent a message, and the message type `opt_out_confirmation`."""

    dependencies = [("engagement", "0005_claims_apart")]

    operations = [
        migrations.RemoveConstraint(
            model_name="engagementmessage",
            name="engagement_message_queue_message_type_known",
        ),
        migrations.AlterField(
            model_name="engagementmessage",
            name="message_type",
            field=models.TextField(choices=MESSAGE_TYPES, verbose_name="what"),
        ),
        migrations.AddConstraint(
            model_name="engagementmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(("message_type__in", [value for value, _label in MESSAGE_TYPES])),
                name="engagement_message_queue_message_type_known",
            ),
        ),
        # Last, so that the reverse migration deletes the confirmations before it restores the earlier constraint.
        SQLFile(__file__, "block_reason"),
    ]
