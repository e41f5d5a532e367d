from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile

# What the version before cannot hold: a goodbye that is not sent yet, and the new type of message.
REVERSE = """
UPDATE user_engagement_states SET goodbye_sent_at = updated_at, goodbye_expires_at = updated_at + interval '48 hours'
WHERE state = 'goodbye_sent' AND goodbye_sent_at IS NULL;
DELETE FROM engagement_message_queue WHERE message_type = 'clarification';
DELETE FROM message_templates WHERE key = 'clarification';
"""


class Migration(migrations.Migration):
    """The time to reply starts when a message is sent; a second question and a reminder have dates."""

    dependencies = [
        ("engagement", "0003_reply_phrases"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="engagementmessage",
            name="engagement_message_queue_message_type_known",
        ),
        migrations.RemoveConstraint(
            model_name="userengagementstate",
            name="user_engagement_states_goodbye_dates",
        ),
        migrations.AddField(
            model_name="userengagementstate",
            name="asked_again_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="asked again"),
        ),
        migrations.AddField(
            model_name="userengagementstate",
            name="reminder_expires_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="reply to the reminder expected until"),
        ),
        migrations.AddField(
            model_name="userengagementstate",
            name="reminder_queued_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="reminder queued"),
        ),
        migrations.AlterField(
            model_name="engagementmessage",
            name="message_type",
            field=models.TextField(
                choices=[
                    ("welcome", "Welcome"),
                    ("tier_unlock", "Tier unlocked"),
                    ("goodbye", "Goodbye"),
                    ("weekly_review", "Weekly review"),
                    ("reminder", "Reminder"),
                    ("help_restart", "Help to restart"),
                    ("announcement", "Announcement"),
                    ("opt_out_confirmation", "Opt-out confirmation"),
                    ("clarification", "Question about a reply"),
                ],
                verbose_name="type",
            ),
        ),
        migrations.AddIndex(
            model_name="userengagementstate",
            index=models.Index(
                condition=models.Q(("reminder_expires_at__isnull", False)),
                fields=["reminder_expires_at"],
                name="engagement_states_reminder",
            ),
        ),
        migrations.AddConstraint(
            model_name="engagementmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "message_type__in",
                        [
                            "welcome",
                            "tier_unlock",
                            "goodbye",
                            "weekly_review",
                            "reminder",
                            "help_restart",
                            "announcement",
                            "opt_out_confirmation",
                            "clarification",
                        ],
                    )
                ),
                name="engagement_message_queue_message_type_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="userengagementstate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("goodbye_expires_at__isnull", False),
                        ("goodbye_sent_at__isnull", False),
                        ("state", "goodbye_sent"),
                    ),
                    models.Q(("goodbye_expires_at", None), ("goodbye_sent_at", None)),
                    _connector="OR",
                ),
                name="user_engagement_states_goodbye_dates",
            ),
        ),
        migrations.AddConstraint(
            model_name="userengagementstate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "goodbye_sent"), ("asked_again_at", None), _connector="OR"),
                    models.Q(
                        ("state", "remind_later"),
                        models.Q(("reminder_expires_at", None), ("reminder_queued_at", None)),
                        _connector="OR",
                    ),
                ),
                name="user_engagement_states_question_dates",
            ),
        ),
        SQLFile("engagement/functions/reply_deadline"),
        SQLFile("engagement/functions/set_reply_deadline"),
        SQLFile("engagement/functions/engagement_block_reason", version=2),
        SQLFile("engagement/functions/members_over_frequency_cap", version=2),
        SQLFile("engagement/triggers/engagement_message_queue", version=2),
        migrations.RunSQL("", REVERSE),
    ]
