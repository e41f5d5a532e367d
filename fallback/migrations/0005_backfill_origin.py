from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Sets the origin of existing missions to `manual`."""

    dependencies = [("fallback", "0004_fallback_links")]

    operations = [SQLFile(__file__, "origin_backfill")]
