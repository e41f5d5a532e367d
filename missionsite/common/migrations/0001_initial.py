from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Database roles. Runs first, so that default privileges apply to every table."""

    initial = True
    dependencies = []
    run_before = [
        ("contenttypes", "0001_initial"),
        ("sessions", "0001_initial"),
        ("pghistory", "0001_initial"),
        ("procrastinate", "0001_initial"),
        ("groups", "0001_initial"),
    ]
    operations = [SQLFile(__file__, "database_roles")]
