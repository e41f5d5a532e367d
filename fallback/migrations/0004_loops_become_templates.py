from django.db import migrations

from missionsite.common.sql_loader import read_sql


class Migration(migrations.Migration):
    """Convert each loop mission to a template and a mission in Todo; reversed, restore the loop missions."""

    dependencies = [("fallback", "0003_backfill_origin")]

    operations = [
        migrations.RunSQL(
            read_sql("fallback/data/loops_become_templates", 1), read_sql("fallback/data/templates_become_loops", 1)
        )
    ]
