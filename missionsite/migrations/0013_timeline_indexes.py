from django.db import migrations


class Migration(migrations.Migration):
    """The work of a person, newest first, for the timeline on their page."""

    dependencies = [
        ("missionsite", "0012_favourites"),
        ("fallback", "0006_rules"),
        ("missiondeck", "0005_workspace"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX mission_events_by_actor ON mission_events (actor_id, occurred_at DESC, id DESC)"
            " WHERE actor_id IS NOT NULL",
            "DROP INDEX mission_events_by_actor",
        ),
        migrations.RunSQL(
            "CREATE INDEX deck_status_changes_by ON deck_status_changes (by_id, created_at DESC, id DESC)"
            " WHERE by_id IS NOT NULL",
            "DROP INDEX deck_status_changes_by",
        ),
    ]
