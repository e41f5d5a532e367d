import django.db.models.deletion
from django.db import migrations, models

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Counts of members and open tasks that need no counting, so that a list of missions costs what it shows."""

    dependencies = [("groups", "0002_mission_schema_foundation")]

    operations = [
        migrations.CreateModel(
            "MissionCounter",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "group", "slot", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        to="groups.group",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counters",
                        db_index=False,
                    ),
                ),
                ("slot", models.IntegerField()),
                ("member_count", models.IntegerField(default=0, db_default=0)),
                ("membership_count", models.IntegerField(default=0, db_default=0)),
                ("open_task_count", models.IntegerField(default=0, db_default=0)),
            ],
            options={"db_table": "mission_counters"},
        ),
        SQLFile(__file__, "mission_counters"),
        migrations.CreateModel(
            "MissionCount",
            fields=[
                (
                    "group",
                    models.OneToOneField(
                        to="groups.group",
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        serialize=False,
                        related_name="counts",
                        db_constraint=False,
                    ),
                ),
                ("member_count", models.IntegerField()),
                ("membership_count", models.IntegerField()),
                ("open_task_count", models.IntegerField()),
            ],
            options={"db_table": "mission_counts", "managed": False},
        ),
        SQLFile(__file__, "active_missions"),
    ]
