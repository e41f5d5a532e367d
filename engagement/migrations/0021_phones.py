from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The phone of a directory entry is an address of its member."""

    dependencies = [
        ("engagement", "0020_send_time"),
        ("groups", "0021_phones"),
    ]

    operations = [
        SQLFile("engagement/functions/wanted_addresses", version=2),
        SQLFile("engagement/triggers/community_members_addresses", version=2),
    ]
