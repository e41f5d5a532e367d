from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Converts each loop mission to a template and a mission in Todo."""

    dependencies = [("fallback", "0005_backfill_origin")]

    operations = [SQLFile(__file__, "loops_become_templates")]
