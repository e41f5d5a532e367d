from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Forced row security of every table."""

    dependencies = [("engagement", "0002_rules")]

    operations = [SQLFile(__file__, "row_security")]
