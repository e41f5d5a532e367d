from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The site deletes only where the product does; the database stamps the rows of logs."""

    dependencies = [
        ("missionsite", "0002_labels"),
        ("common", "0004_database_rules"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("engagement", "0001_initial"),
        ("fallback", "0006_rules"),
        ("groups", "0004_operations"),
        ("missiondeck", "0005_workspace"),
        ("pghistory", "0007_auto_20250421_0444"),
        ("procrastinate", "0041_post_retry_failed_job"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        SQLFile("groups/functions/active_missions", version=2),
        SQLFile("groups/triggers/events_stamp", version=1),
        SQLFile("fallback/triggers/mission_events", version=1),
        SQLFile("fallback/triggers/project_activity", version=1),
        # Members no longer write history themselves.
        SQLFile("groups/policies", version=2),
        SQLFile("engagement/policies", version=2),
        SQLFile("missionsite/grants", version=1),
    ]
