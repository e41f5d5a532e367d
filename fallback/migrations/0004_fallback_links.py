from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Foreign keys of proposals. Migrating backwards moves their rows to backup tables; forward restores them."""

    dependencies = [("fallback", "0003_fallback_tables")]

    operations = [SQLFile(__file__, "fallback_links")]
