from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Addresses for members who registered before their Telegram ID was taken over."""

    dependencies = [("engagement", "0007_one_line"), ("groups", "0011_invitation_code_digests")]

    operations = [SQLFile(__file__, "addresses")]
