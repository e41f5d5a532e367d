from django.db import migrations

from missionsite.common.sql_loader import SQLFile

# A function with another list of parameters: both would exist.
OLD_CLAIM = (
    "DROP FUNCTION claim_messages(text, uuid, timestamptz, integer, interval, timestamptz, bigint, text[], time, time,"
    " integer, interval, boolean)"
)
NEW_CLAIM = OLD_CLAIM.removesuffix(")") + ", boolean)"


class Migration(migrations.Migration):
    """Unsolicited messages may wait for the end of the weekend."""

    dependencies = [
        ("engagement", "0019_member_addresses"),
    ]

    operations = [
        SQLFile("engagement/functions/send_not_before"),
        migrations.RunSQL(OLD_CLAIM, ""),
        SQLFile("engagement/functions/claim_messages", version=4),
        migrations.RunSQL("", NEW_CLAIM),
    ]
