from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """A limit of items of a mission."""

    dependencies = [("missiondeck", "0013_client_links")]

    operations = [SQLFile("missiondeck/functions/check_dod_limit"), SQLFile("missiondeck/triggers/dod_items_limit")]
