from django.db import migrations

from missionsite.common.sql_loader import SQLFile

REDIRECT = """
UPDATE engagement_message_queue q SET destination = 'individual', destination_jid = p.individual_jid
FROM user_profiles p
WHERE p.user_id = q.user_id AND q.destination = 'group' AND q.message_type <> 'announcement'
    AND q.status IN ('pending', 'failed')
"""


class Migration(migrations.Migration):
    """Only announcements go to a group chat."""

    dependencies = [
        ("engagement", "0015_answering_programs"),
    ]

    operations = [
        SQLFile("engagement/functions/redirect_pending_messages", version=2),
        migrations.RunSQL(REDIRECT, ""),
    ]
