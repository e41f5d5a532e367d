from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Erase engagement data with the directory entry of a person."""

    dependencies = [("engagement", "0003_row_security")]

    operations = [SQLFile(__file__, "erase")]
