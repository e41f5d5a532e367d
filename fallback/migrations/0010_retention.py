from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Let the site delete old runs, and no others."""

    dependencies = [("fallback", "0009_metrics")]

    operations = [SQLFile("fallback/functions/delete_old_fallback_runs")]
