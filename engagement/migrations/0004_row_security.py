from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Row security, forced, of every table."""

    dependencies = [("engagement", "0003_templates")]

    operations = [SQLFile(__file__, "row_security")]
