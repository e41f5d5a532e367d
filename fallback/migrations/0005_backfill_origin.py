from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Every mission there was is one someone made."""

    dependencies = [("fallback", "0004_fallback_links")]

    operations = [SQLFile(__file__, "origin_backfill")]
