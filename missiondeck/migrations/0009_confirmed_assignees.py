from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Assign missions only to members who are confirmed by staff."""

    dependencies = [("missiondeck", "0008_runs_by_key")]

    operations = [SQLFile(__file__, "confirmed_assignees")]
