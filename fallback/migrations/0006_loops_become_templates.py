from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """A mission that looped becomes a template, which proposes it anew, and one mission to do."""

    dependencies = [("fallback", "0005_backfill_origin")]

    operations = [SQLFile(__file__, "loops_become_templates")]
