from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """What is kept here of a person goes when the directory erases them."""

    dependencies = [("missiondeck", "0006_rules")]

    operations = [SQLFile(__file__, "erase")]
