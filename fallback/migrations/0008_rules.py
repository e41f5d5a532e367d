from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Triggers and functions for timelines, counts, guardrails and the check of the backlog."""

    dependencies = [("fallback", "0007_loop_columns_go")]

    operations = [SQLFile(__file__, "mission_rules"), SQLFile(__file__, "fallback_rules")]
