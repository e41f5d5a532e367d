from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The gate reads the counts of finished runs from their summaries, and compares tests by their keys."""

    dependencies = [("missiondeck", "0021_costs")]

    operations = [
        SQLFile("missiondeck/functions/deck_run_counts", version=2),
        SQLFile("missiondeck/functions/deck_vanished_tests_of", version=3),
        SQLFile("missiondeck/functions/deck_missing_of"),
        SQLFile("missiondeck/functions/deck_mission_missing", version=3),
    ]
