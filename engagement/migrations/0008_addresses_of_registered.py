from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Set the address of members who registered before the Telegram ID was copied to the profile."""

    dependencies = [("engagement", "0007_one_line"), ("groups", "0011_invitation_code_digests")]

    operations = [SQLFile(__file__, "addresses")]
