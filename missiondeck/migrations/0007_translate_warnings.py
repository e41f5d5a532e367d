from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Warnings of a test run may be messages, which are translated when they are shown."""

    dependencies = [("missiondeck", "0006_labels")]

    operations = [SQLFile("missiondeck/tables/test_run_warnings")]
