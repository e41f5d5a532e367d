from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """What the database holds of client missions: moves, what complete means, and runs that tell the truth."""

    dependencies = [("missiondeck", "0005_workspace")]

    operations = [SQLFile(__file__, "missions"), SQLFile(__file__, "runs")]
