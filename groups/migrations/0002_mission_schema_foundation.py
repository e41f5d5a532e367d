import django.db.models.deletion
from django.contrib.postgres.functions import RandomUUID
from django.db import migrations, models
from django.db.models import F, Q

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Stable IDs and thresholds on groups, leave tracking on memberships, and the functions that read them.

    The counters are part of it, because get_active_missions returns counts.
    """

    dependencies = [("groups", "0001_initial")]

    operations = [
        migrations.AddField(
            "group",
            "stable_id",
            models.TextField(verbose_name="stable ID", unique=True, null=True, db_default=None, editable=False),
        ),
        migrations.AddField(
            "group",
            "min_trust_score",
            models.IntegerField(
                verbose_name="trust score to join",
                null=True,
                blank=True,
                default=0,
                db_default=0,
                help_text="Points a member needs to join; with 0 every member can join.",
                db_comment="Trust score a member needs to join this mission."
                " NULL for a colony: joining it has no threshold.",
            ),
        ),
        SQLFile("groups/data/groups_backfill", version=1),
        migrations.AlterField(
            "group",
            "stable_id",
            models.TextField(
                verbose_name="stable ID",
                unique=True,
                db_default=None,
                editable=False,
                db_comment="Stable identifier that outlives this database:"
                " FE-G-00001 for a colony, FE-M-00001 for a mission.",
            ),
        ),
        migrations.AlterModelTableComment(
            "group", "Every container of people: the colony at the root and the missions in it. Each has a stable ID."
        ),
        migrations.AddConstraint(
            "group",
            models.CheckConstraint(
                condition=Q(type="colony", stable_id__regex=r"^FE-G-([0-9]{5}|[1-9][0-9]{5,13})$")
                | Q(type="mission", stable_id__regex=r"^FE-M-([0-9]{5}|[1-9][0-9]{5,13})$"),
                name="groups_stable_id_fits_type",
            ),
        ),
        migrations.AddConstraint(
            "group",
            models.CheckConstraint(
                condition=Q(type="mission") | Q(min_trust_score__isnull=True),
                name="groups_colony_has_no_threshold",
            ),
        ),
        migrations.AddConstraint(
            "group",
            models.CheckConstraint(
                condition=Q(min_trust_score__gte=0) | Q(min_trust_score__isnull=True),
                name="groups_threshold_not_negative",
            ),
        ),
        migrations.AddIndex(
            "group",
            models.Index(
                F("min_trust_score"),
                F("name"),
                F("id"),
                name="idx_groups_active_missions",
                condition=Q(type="mission", status="active"),
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[SQLFile("groups/data/membership_periods", version=1)],
            state_operations=[
                migrations.RemoveField("membership", "pk"),
                migrations.AddField(
                    "membership",
                    "id",
                    models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False, serialize=False),
                ),
                migrations.AddField("membership", "left_at", models.DateTimeField(null=True, blank=True)),
                migrations.AddField(
                    "membership",
                    "status",
                    models.TextField(
                        choices=[("active", "Active"), ("left", "Left")], default="active", db_default="active"
                    ),
                ),
                migrations.AlterModelOptions(
                    "membership",
                    {
                        "ordering": [F("joined_at").desc(), F("id").desc()],
                        "permissions": [
                            ("manage_memberships", "Can add members to missions, change their roles and remove them")
                        ],
                    },
                ),
            ],
        ),
        migrations.AlterModelTableComment(
            "membership", "Every membership of a member in a group, one row per period, with leave tracking."
        ),
        migrations.AddConstraint(
            "membership",
            models.UniqueConstraint(
                fields=["member", "group"],
                condition=Q(status="active"),
                name="idx_memberships_active_unique",
            ),
        ),
        migrations.AddConstraint(
            "membership",
            models.CheckConstraint(condition=Q(status__in=["active", "left"]), name="memberships_status_known"),
        ),
        migrations.AddConstraint(
            "membership",
            models.CheckConstraint(
                condition=Q(status="active", left_at__isnull=True) | Q(status="left", left_at__isnull=False),
                name="memberships_left_at_fits_status",
            ),
        ),
        migrations.AddConstraint(
            "membership",
            models.CheckConstraint(
                condition=Q(left_at__gte=F("joined_at")) | Q(left_at__isnull=True),
                name="memberships_left_after_joining",
            ),
        ),
        migrations.AddConstraint(
            "membership",
            models.CheckConstraint(
                condition=~Q(role=""),
                name="memberships_role_not_empty",
            ),
        ),
        migrations.AddIndex("membership", models.Index(fields=["status"], name="idx_memberships_status")),
        migrations.AddIndex(
            "membership",
            models.Index(fields=["group", "status"], name="idx_memberships_group_active", condition=Q(status="active")),
        ),
        migrations.AddIndex(
            "membership", models.Index(fields=["member", "group"], name="idx_memberships_member_group")
        ),
        migrations.AddIndex(
            "membership", models.Index(F("joined_at").desc(), F("id").desc(), name="memberships_newest")
        ),
        migrations.AddIndex(
            "membership",
            models.Index(
                F("group"), F("joined_at").desc(), F("id").desc(), include=["status"], name="memberships_of_group"
            ),
        ),
        migrations.AddIndex(
            "membership", models.Index(fields=["left_at"], name="memberships_left", condition=Q(status="left"))
        ),
        migrations.AddConstraint(
            "membership",
            models.CheckConstraint(
                condition=~Q(role__regex=r"[\u0001-\u001f\u007f-\u009f\u2028\u2029]"),
                name="memberships_role_one_line",
            ),
        ),
        migrations.CreateModel(
            "MissionCounter",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "group", "slot", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slot", models.IntegerField()),
                ("member_count", models.IntegerField(default=0, db_default=0)),
                ("membership_count", models.IntegerField(default=0, db_default=0)),
                ("open_task_count", models.IntegerField(default=0, db_default=0)),
                (
                    "group",
                    models.ForeignKey(
                        to="groups.group",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counters",
                        db_index=False,
                    ),
                ),
            ],
            options={"db_table": "mission_counters"},
        ),
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
        SQLFile("groups/tables/mission_counters", version=1),
        SQLFile("groups/views/mission_counts", version=1),
        SQLFile("groups/functions/assign_group_stable_id", version=1),
        SQLFile("groups/functions/check_group", version=1),
        SQLFile("groups/functions/active_missions", version=1),
        SQLFile("groups/functions/get_active_missions", version=1),
        SQLFile("groups/functions/get_mission_members", version=1),
        SQLFile("groups/functions/reject_merged_count_change", version=1),
        SQLFile("groups/functions/count_memberships", version=1),
        SQLFile("groups/functions/count_open_tasks", version=1),
        SQLFile("groups/functions/reset_counts", version=1),
        SQLFile("groups/functions/merge_mission_counters", version=1),
        SQLFile("groups/functions/mission_counter_drift", version=1),
        SQLFile("groups/triggers/groups", version=1),
        SQLFile("groups/triggers/memberships", version=1),
        SQLFile("groups/triggers/tasks_counts", version=1),
    ]
