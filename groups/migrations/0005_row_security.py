from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """What a member's own requests may see and do, held by the database."""

    dependencies = [("groups", "0004_history")]

    operations = [SQLFile(__file__, "row_security")]
