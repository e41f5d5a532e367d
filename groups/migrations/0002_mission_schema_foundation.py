from django.contrib.postgres.functions import RandomUUID
from django.db import migrations, models
from django.db.models import F, Q

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Stable IDs and thresholds on groups, leave tracking on memberships, and the functions that read them."""

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
        SQLFile(__file__, "groups_backfill"),
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
            database_operations=[SQLFile(__file__, "membership_periods")],
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
                migrations.AlterModelOptions("membership", {"ordering": [F("joined_at").desc(), F("id").desc()]}),
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
        SQLFile(__file__, "group_rules"),
        SQLFile(__file__, "mission_functions"),
    ]
