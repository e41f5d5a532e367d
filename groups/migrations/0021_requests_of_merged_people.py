from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Let the undoing of a merge take back the withdrawal of a join request."""

    dependencies = [
        ("groups", "0020_role_terms"),
    ]

    operations = [
        SQLFile("groups/functions/guard_join_requests", version=2),
    ]
