from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Row security, forced, of every table."""

    dependencies = [("engagement", "0002_rules")]

    operations = [SQLFile(__file__, "row_security")]
