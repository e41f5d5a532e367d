from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """What is kept of a person in projects goes when the directory erases them."""

    dependencies = [("fallback", "0008_rules"), ("groups", "0010_erase")]

    operations = [SQLFile(__file__, "erase")]
