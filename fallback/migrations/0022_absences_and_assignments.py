import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import missionsite.common.ids
from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Add deputies, assignments of missions and proposals, and stars of missions."""

    dependencies = [
        ("fallback", "0021_github_secrets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MemberAbsence",
            fields=[
                (
                    "id",
                    missionsite.common.ids.UlidField(
                        db_collation="C",
                        db_default=missionsite.common.ids.Ulid(),
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="updated",
                    ),
                ),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(verbose_name="until")),
                (
                    "deputy",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deputyships",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="deputy",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="absences",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="absent member",
                    ),
                ),
            ],
            options={
                "verbose_name": "absence",
                "verbose_name_plural": "absences",
                "db_table": "member_absences",
                "db_table_comment": "When a deputy stands in for a member.",
                "ordering": [
                    models.OrderBy(models.F("starts_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
                "indexes": [
                    models.Index(fields=["deputy", "ends_at"], name="member_absences_deputy"),
                    models.Index(fields=["member", "ends_at"], name="member_absences_member"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("member", models.F("deputy")), _negated=True),
                        name="member_absences_not_own_deputy",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gte", models.F("starts_at"))),
                        name="member_absences_ends_after_start",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MissionAssignment",
            fields=[
                (
                    "id",
                    missionsite.common.ids.UlidField(
                        db_collation="C",
                        db_default=missionsite.common.ids.Ulid(),
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="updated",
                    ),
                ),
                ("kind", models.TextField(choices=[("work", "Work"), ("review", "Review")], verbose_name="for")),
                (
                    "item",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="assignments",
                        to="fallback.missionfallbackitem",
                        verbose_name="proposal",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mission_assignments",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="member",
                    ),
                ),
                (
                    "mission",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="assignments",
                        to="fallback.mission",
                        verbose_name="mission",
                    ),
                ),
            ],
            options={
                "verbose_name": "assignment",
                "verbose_name_plural": "assignments",
                "db_table": "mission_assignments",
                "db_table_comment": "Who works on a mission, reviews it, or decides on a proposal.",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["work", "review"])), name="mission_assignments_kind_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("item__isnull", False), ("kind", "review"), ("mission__isnull", True)),
                            models.Q(("item__isnull", True), ("mission__isnull", False)),
                            _connector="OR",
                        ),
                        name="mission_assignments_of_one",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("mission__isnull", False)),
                        fields=("mission", "kind"),
                        name="mission_assignments_of_mission",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("item__isnull", False)),
                        fields=("item",),
                        name="mission_assignments_of_item",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MissionStar",
            fields=[
                (
                    "id",
                    missionsite.common.ids.UlidField(
                        db_collation="C",
                        db_default=missionsite.common.ids.Ulid(),
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mission_stars",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="member",
                    ),
                ),
                (
                    "mission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="stars",
                        to="fallback.mission",
                        verbose_name="mission",
                    ),
                ),
            ],
            options={
                "verbose_name": "star of a mission",
                "verbose_name_plural": "stars of missions",
                "db_table": "mission_stars",
                "db_table_comment": "Board missions that members have starred.",
                "constraints": [models.UniqueConstraint(fields=("mission", "member"), name="mission_stars_once")],
            },
        ),
        OnDelete(
            "CASCADE", "mission_assignments.mission_id", "mission_assignments.item_id", "mission_stars.mission_id"
        ),
        SQLFile("fallback/tables/absences"),
        SQLFile("fallback/functions/members_deputised_by"),
        SQLFile("fallback/functions/deputies_of_member"),
        SQLFile("fallback/triggers/member_absences"),
        SQLFile("fallback/triggers/mission_assignments"),
        SQLFile("fallback/functions/erase_person_in_projects", version=4),
    ]
