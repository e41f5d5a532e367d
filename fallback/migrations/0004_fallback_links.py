from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """The same for proposals; on the way back their rows are set aside, and return on the way forward."""

    dependencies = [("fallback", "0003_fallback_tables")]

    operations = [SQLFile(__file__, "fallback_links")]
