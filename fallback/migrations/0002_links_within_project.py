from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Foreign keys within a project, and cascading deletions, also for raw SQL."""

    dependencies = [("fallback", "0001_initial")]

    operations = [SQLFile(__file__, "links_within_project")]
