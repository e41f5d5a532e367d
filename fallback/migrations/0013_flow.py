from django.conf import settings
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Add the functions for the flow of missions, and the index of moves they read."""

    dependencies = [
        ("fallback", "0012_further_meaningful_rows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="missionevent",
            index=models.Index(
                fields=["project", "mission"],
                name="mission_events_moves",
                condition=models.Q(("type", "mission.moved")),
            ),
        ),
        SQLFile("fallback/functions/mission_list_periods"),
        SQLFile("fallback/functions/finished_missions"),
    ]
