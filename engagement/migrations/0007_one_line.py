from django.db import migrations

from missionsite.common.sqlfiles import one_line_rules


class Migration(migrations.Migration):
    """Texts that are typed on one line have one; older ones get blanks in place of control characters."""

    dependencies = [("engagement", "0006_block_reason")]

    operations = [
        *one_line_rules("UserProfile", "user_profiles", "timezone", "individual_jid", "group_jid"),
        *one_line_rules("Announcement", "engagement_announcements", "title"),
        *one_line_rules("MessageTemplate", "message_templates", "key", "subject"),
        *one_line_rules("InboundMessage", "engagement_inbound_messages", "platform", "message_id"),
        *one_line_rules(
            "EngagementMessage",
            "engagement_message_queue",
            "message_key",
            "destination_jid",
            "idempotency_key",
            "provider_message_id",
        ),
        *one_line_rules("EngagementTransport", "engagement_transports", "name"),
    ]
