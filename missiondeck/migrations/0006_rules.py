from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Install triggers and constraints: status changes, completion, and the outcome of test runs."""

    dependencies = [("missiondeck", "0005_workspace")]

    operations = [SQLFile(__file__, "missions"), SQLFile(__file__, "runs")]
