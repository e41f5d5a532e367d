from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """A mission is assigned to the member who has its address only where staff stand behind that member."""

    dependencies = [("missiondeck", "0008_runs_by_key")]

    operations = [SQLFile(__file__, "confirmed_assignees")]
