from django.db import migrations


class Migration(migrations.Migration):
    """Set the origin of missions that are older than the fallback to `manual`."""

    dependencies = [("fallback", "0002_fallback_tables")]

    operations = [
        migrations.RunSQL("UPDATE missions SET origin = 'manual' WHERE origin IS NULL", migrations.RunSQL.noop)
    ]
