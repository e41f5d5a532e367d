from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Erase the data of a member when the directory erases their entry."""

    dependencies = [("missiondeck", "0006_rules")]

    operations = [SQLFile(__file__, "erase")]
