from django.db import migrations

from missionsite.common.sqlfiles import add_one_line_checks


class Migration(migrations.Migration):
    """Reject line breaks in single-line texts; replace control characters in existing rows by blanks."""

    dependencies = [("engagement", "0006_block_reason")]

    operations = [
        *add_one_line_checks("UserProfile", "user_profiles", "timezone", "individual_jid", "group_jid"),
        *add_one_line_checks("Announcement", "engagement_announcements", "title"),
        *add_one_line_checks("MessageTemplate", "message_templates", "key", "subject"),
        *add_one_line_checks("InboundMessage", "engagement_inbound_messages", "platform", "message_id"),
        *add_one_line_checks(
            "EngagementMessage",
            "engagement_message_queue",
            "message_key",
            "destination_jid",
            "idempotency_key",
            "provider_message_id",
        ),
        *add_one_line_checks("EngagementTransport", "engagement_transports", "name"),
    ]
