from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Overwriting what is known of a person, history and events included."""

    dependencies = [
        ("groups", "0009_participation"),
        ("common", "0004_idempotency_keys"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [SQLFile(__file__, "erase")]
