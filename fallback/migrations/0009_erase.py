from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Deletes personal data in projects when the directory erases a member."""

    dependencies = [("fallback", "0008_rules"), ("groups", "0004_operations")]

    operations = [SQLFile(__file__, "erase")]
