from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """The first words of every message."""

    dependencies = [("engagement", "0002_rules")]

    operations = [SQLFile(__file__, "templates")]
