from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile

# What the version before cannot have: the new types of messages, with their templates.
REVERSE = """
DELETE FROM engagement_message_queue WHERE message_type IN ('personal', 'test');
DELETE FROM message_templates WHERE key IN ('personal', 'test');
"""


class Migration(migrations.Migration):
    """Personal messages and tests of templates; parameters that would be sent unchanged are rejected."""

    dependencies = [
        ("engagement", "0007_bounced_addresses"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="engagementmessage",
            name="engagement_message_queue_message_type_known",
        ),
        migrations.RemoveConstraint(
            model_name="messagetemplate",
            name="message_templates_parameters_known",
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
                    ("personal", "Personal message"),
                    ("test", "Test of a template"),
                ],
                verbose_name="type",
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
                            "personal",
                            "test",
                        ],
                    )
                ),
                name="engagement_message_queue_message_type_known",
            ),
        ),
        # Texts of sent announcements may contain such a parameter; they are never changed.
        AddConstraintNotValid(
            model_name="messagetemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "body__regex",
                            "\\{\\{(?!\\s*(?:name|subject|text|tier|unsubscribe_url|week)\\s*\\}\\})|(?<!\\{)\\{\\s*[A-Za-z_][A-Za-z0-9_]*\\s*\\}|%[A-Za-z_][A-Za-z0-9_]*%",
                        ),
                        _negated=True,
                    ),
                    models.Q(
                        (
                            "subject__regex",
                            "\\{\\{(?!\\s*(?:name|subject|text|tier|unsubscribe_url|week)\\s*\\}\\})|(?<!\\{)\\{\\s*[A-Za-z_][A-Za-z0-9_]*\\s*\\}|%[A-Za-z_][A-Za-z0-9_]*%",
                        ),
                        _negated=True,
                    ),
                ),
                name="message_templates_parameters_known",
            ),
        ),
        SQLFile("engagement/functions/members_over_frequency_cap", version=3),
        migrations.RunSQL("", REVERSE),
    ]
