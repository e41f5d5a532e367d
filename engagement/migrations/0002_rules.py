from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """What the database holds of the machine and the queue, and a profile for every member."""

    dependencies = [("engagement", "0001_initial")]

    operations = [SQLFile(__file__, "machine"), SQLFile(__file__, "queue")]
