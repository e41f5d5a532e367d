from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Let the undoing of a merge take back the withdrawal of a join request."""

    dependencies = [
        ("groups", "0022_import_of_memberships"),
    ]

    operations = [
        SQLFile("groups/functions/guard_join_requests", version=2),
    ]
