from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Privileges of the database roles, and functions that tables need. Runs first, so that default privileges apply to all."""

    initial = True
    dependencies = []
    run_before = [
        ("contenttypes", "0001_initial"),
        ("sessions", "0001_initial"),
        ("pghistory", "0001_initial"),
        ("procrastinate", "0001_initial"),
        ("groups", "0001_initial"),
    ]
    operations = [
        SQLFile("common/grants", version=1),
        SQLFile("common/functions/current_member_id", version=1),
        SQLFile("common/functions/ulid", version=1),
        SQLFile("common/functions/audit_actor_id", version=1),
        SQLFile("common/functions/audit_origin", version=1),
        SQLFile("common/functions/audit_reason", version=1),
        SQLFile("common/functions/audit_changeset_id", version=1),
    ]
