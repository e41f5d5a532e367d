from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Delete entries of the security log after 400 days."""

    dependencies = [
        ("common", "0008_retention_run_labels"),
    ]

    operations = [
        SQLFile("common/functions/reject_security_event_change", version=2),
        SQLFile("common/functions/delete_old_security_events"),
    ]
