from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Rules of lifecycle states and of the queue, and a profile for every member."""

    dependencies = [("engagement", "0001_initial")]

    operations = [SQLFile(__file__, "lifecycle"), SQLFile(__file__, "queue")]
