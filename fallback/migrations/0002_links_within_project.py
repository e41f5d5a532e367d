from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Links stay within a project, and rows go with what they belong to, also for raw SQL."""

    dependencies = [("fallback", "0001_initial")]

    operations = [SQLFile(__file__, "links_within_project")]
