from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The control group, with which the measures compare the effect of sequences."""

    dependencies = [
        ("engagement", "0013_announcement_rate_and_approval"),
    ]

    operations = [
        SQLFile("engagement/functions/in_control_group"),
    ]
