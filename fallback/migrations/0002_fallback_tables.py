import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import fallback.models.base
import missionsite.common.ids
from missionsite.common.operations import OnDelete, RenderOnce
from missionsite.common.sql_loader import SQLFile, read_sql


class Migration(migrations.Migration):
    """Create the tables of the fallback, and the origin of missions and events."""

    dependencies = [
        ("fallback", "0001_initial"),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="MissionFallbackConfig",
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
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "updated_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "project",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="fallback_config",
                            to="fallback.project",
                        ),
                    ),
                    (
                        "backlog_threshold",
                        models.IntegerField(
                            db_default=5,
                            default=5,
                            help_text="Proposals are made when fewer missions are ready.",
                            verbose_name="ready missions wanted",
                        ),
                    ),
                    (
                        "check_cadence_minutes",
                        models.IntegerField(db_default=15, default=15, verbose_name="check interval (minutes)"),
                    ),
                    (
                        "auto_accept",
                        models.BooleanField(
                            db_default=False,
                            default=False,
                            help_text="Proposals become missions immediately, within the guardrails.",
                            verbose_name="accept automatically",
                        ),
                    ),
                    (
                        "monthly_target_hours",
                        models.IntegerField(
                            db_default=120,
                            default=120,
                            help_text="Maximum of estimated hours accepted in a calendar month.",
                            verbose_name="hours per month",
                        ),
                    ),
                    (
                        "weekly_mission_cap",
                        models.IntegerField(
                            db_default=20,
                            default=20,
                            help_text="Maximum accepted from Monday to Sunday, in the organisation's time zone.",
                            verbose_name="missions per week",
                        ),
                    ),
                    (
                        "status",
                        models.TextField(
                            choices=[("active", "Active"), ("paused", "Paused"), ("snoozed", "Snoozed")],
                            db_default="active",
                            default="active",
                        ),
                    ),
                    ("snoozed_until", models.DateTimeField(blank=True, null=True)),
                    (
                        "last_run_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last checked"),
                    ),
                ],
                options={
                    "verbose_name": "fallback configuration",
                    "db_table": "mission_fallback_configs",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("status__in", ["active", "paused", "snoozed"])),
                            name="mission_fallback_configs_status_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("backlog_threshold__range", (0, 1000))),
                            name="mission_fallback_configs_threshold_in_range",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("check_cadence_minutes__range", (1, 10080))),
                            name="mission_fallback_configs_cadence_in_range",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("monthly_target_hours__range", (0, 100000))),
                            name="mission_fallback_configs_hours_in_range",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("weekly_mission_cap__range", (0, 10000))),
                            name="mission_fallback_configs_cap_in_range",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("snoozed_until__isnull", False), ("status", "snoozed")),
                                models.Q(
                                    models.Q(("status", "snoozed"), _negated=True), ("snoozed_until__isnull", True)
                                ),
                                _connector="OR",
                            ),
                            name="mission_fallback_configs_snooze_has_end",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="MissionFallbackAllowance",
                fields=[
                    (
                        "pk",
                        models.CompositePrimaryKey(
                            "project",
                            "period",
                            "starts_on",
                            blank=True,
                            editable=False,
                            primary_key=True,
                            serialize=False,
                        ),
                    ),
                    (
                        "project",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="allowances",
                            to="fallback.project",
                        ),
                    ),
                    ("period", models.TextField(choices=[("week", "Week"), ("month", "Month")])),
                    ("starts_on", models.DateField()),
                    ("used", models.IntegerField(db_default=0, default=0)),
                    ("allowed", models.IntegerField()),
                ],
                options={
                    "db_table": "mission_fallback_allowances",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("period__in", ["week", "month"])),
                            name="mission_fallback_allowances_period_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("used__gte", 0), ("used__lte", models.F("allowed"))),
                            name="mission_fallback_allowances_not_overdrawn",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="MissionFallbackSample",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "project",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="backlog_samples",
                            to="fallback.project",
                        ),
                    ),
                    ("backlog_count", models.IntegerField()),
                    ("backlog_threshold", models.IntegerField()),
                    ("sampled_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                ],
                options={
                    "db_table": "mission_fallback_samples",
                    "indexes": [
                        models.Index(
                            models.F("project"),
                            models.OrderBy(models.F("sampled_at"), descending=True),
                            name="mission_fallback_samples_of",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="MissionFallbackTemplate",
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
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "updated_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "project",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="fallback_templates",
                            to="fallback.project",
                        ),
                    ),
                    ("name", models.CharField(max_length=255)),
                    ("description", models.TextField(blank=True, db_default="", default="")),
                    (
                        "flow",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="templates",
                            to="fallback.flow",
                        ),
                    ),
                    (
                        "actor",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="templates",
                            to="fallback.actor",
                        ),
                    ),
                    (
                        "repository",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="templates",
                            to="fallback.projectrepository",
                        ),
                    ),
                    (
                        "priority",
                        models.IntegerField(
                            choices=[(1, "Lowest"), (2, "Low"), (3, "Normal"), (4, "High"), (5, "Highest")],
                            db_default=3,
                            default=3,
                        ),
                    ),
                    ("estimated_effort_minutes", models.IntegerField(verbose_name="estimated effort (minutes)")),
                    ("acceptance_criteria", models.TextField(blank=True, db_default="", default="")),
                    (
                        "enabled",
                        models.BooleanField(
                            db_default=True,
                            default=True,
                            help_text="If disabled, no proposals are made from this template.",
                        ),
                    ),
                    (
                        "tags",
                        models.JSONField(
                            blank=True,
                            db_default=[],
                            default=list,
                            help_text='A list of words, such as ["docs", "small"].',
                        ),
                    ),
                ],
                options={
                    "verbose_name": "fallback template",
                    "db_table": "mission_fallback_templates",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(
                            models.F("project"),
                            django.db.models.functions.text.Lower("name"),
                            condition=models.Q(("enabled", True)),
                            name="mission_fallback_templates_of",
                        ),
                        models.Index(
                            models.F("project"),
                            models.OrderBy(models.F("created_at"), descending=True),
                            name="fallback_templates_of_project",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="mission_fallback_templates_name_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("name__regex", "^\\s*$"), _negated=True),
                            name="mission_fallback_templates_name_not_empty",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("priority__in", [1, 2, 3, 4, 5])),
                            name="mission_fallback_templates_priority_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("estimated_effort_minutes__range", (1, 100000))),
                            name="mission_fallback_templates_effort_in_range",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="MissionFallbackRun",
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
                        "project",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="fallback_runs",
                            to="fallback.project",
                        ),
                    ),
                    (
                        "triggered_by",
                        models.TextField(choices=[("automatic", "Automatic"), ("manual", "Manual"), ("api", "API")]),
                    ),
                    (
                        "started_by",
                        models.ForeignKey(
                            blank=True,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="fallback_runs",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("backlog_count_before", models.IntegerField(blank=True, null=True, verbose_name="ready before")),
                    ("backlog_threshold", models.IntegerField(blank=True, null=True, verbose_name="wanted")),
                    ("generated_count", models.IntegerField(db_default=0, default=0, verbose_name="generated")),
                    ("accepted_count", models.IntegerField(db_default=0, default=0, verbose_name="accepted")),
                    ("discarded_count", models.IntegerField(db_default=0, default=0, verbose_name="discarded")),
                    (
                        "status",
                        models.TextField(
                            choices=[
                                ("pending", "Pending"),
                                ("awaiting_review", "Awaiting review"),
                                ("completed", "Completed"),
                                ("cancelled", "Cancelled"),
                                ("errored", "Errored"),
                            ],
                            db_default="awaiting_review",
                            default="awaiting_review",
                        ),
                    ),
                    ("skipped", models.JSONField(blank=True, db_default=[], default=list)),
                    ("error", models.TextField(blank=True, db_default="", default="")),
                    ("payload", models.JSONField(blank=True, db_default={}, default=dict)),
                    ("report_path", models.TextField(blank=True, db_default="", default="")),
                    (
                        "started_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="started"
                        ),
                    ),
                    ("completed_at", models.DateTimeField(blank=True, null=True, verbose_name="completed")),
                ],
                options={
                    "verbose_name": "fallback run",
                    "db_table": "mission_fallback_runs",
                    "ordering": [
                        models.OrderBy(models.F("started_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        fallback.models.base.NamedIndex(
                            models.F("project"),
                            models.OrderBy(models.F("started_at"), descending=True),
                            include=("status",),
                            name="idx_mission_fallback_runs_project",
                        ),
                        models.Index(
                            models.OrderBy(models.F("started_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="mission_fallback_runs_newest",
                        ),
                        models.Index(
                            condition=models.Q(
                                ("report_path", ""), ("status__in", ["completed", "cancelled", "errored"])
                            ),
                            fields=["id"],
                            name="fallback_runs_unwritten",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("triggered_by__in", ["automatic", "manual", "api"])),
                            name="mission_fallback_runs_triggered_by_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("status__in", ["pending", "awaiting_review", "completed", "cancelled", "errored"])
                            ),
                            name="mission_fallback_runs_status_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("accepted_count__gte", 0),
                                ("discarded_count__gte", 0),
                                ("generated_count__gte", 0),
                                (
                                    "generated_count__gte",
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("accepted_count"), "+", models.F("discarded_count")
                                    ),
                                ),
                            ),
                            name="mission_fallback_runs_counts_add_up",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("status", "pending")),
                            fields=("project",),
                            name="mission_fallback_runs_one_pending",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="MissionFallbackItem",
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
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "updated_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "run",
                        models.ForeignKey(
                            db_column="mission_fallback_run_id",
                            db_constraint=False,
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="items",
                            to="fallback.missionfallbackrun",
                        ),
                    ),
                    (
                        "template",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="items",
                            to="fallback.missionfallbacktemplate",
                        ),
                    ),
                    (
                        "project",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="fallback_items",
                            to="fallback.project",
                        ),
                    ),
                    ("title", models.CharField(max_length=500)),
                    ("description", models.TextField(blank=True, db_default="", default="")),
                    (
                        "flow",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="fallback.flow",
                        ),
                    ),
                    (
                        "actor",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="fallback.actor",
                        ),
                    ),
                    (
                        "repository",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="fallback.projectrepository",
                        ),
                    ),
                    (
                        "priority",
                        models.IntegerField(
                            choices=[(1, "Lowest"), (2, "Low"), (3, "Normal"), (4, "High"), (5, "Highest")],
                            db_default=3,
                            default=3,
                        ),
                    ),
                    (
                        "estimated_effort_minutes",
                        models.IntegerField(db_default=60, default=60, verbose_name="estimated effort (minutes)"),
                    ),
                    (
                        "status",
                        models.TextField(
                            choices=[("proposed", "Proposed"), ("accepted", "Accepted"), ("discarded", "Discarded")],
                            db_default="proposed",
                            default="proposed",
                        ),
                    ),
                    (
                        "mission",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="fallback_items",
                            to="fallback.mission",
                        ),
                    ),
                    ("feedback", models.TextField(blank=True, db_default="", default="")),
                    (
                        "reason",
                        models.TextField(
                            blank=True,
                            choices=[
                                ("not_needed", "Not needed now"),
                                ("duplicate", "Duplicate of another mission"),
                                ("too_large", "Too large"),
                                ("unclear", "Unclear"),
                                ("wrong_template", "Template out of date"),
                                ("run_cancelled", "Run cancelled"),
                                ("other", "Other (see feedback)"),
                            ],
                            null=True,
                        ),
                    ),
                    (
                        "duplicate_of",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="duplicate_items",
                            to="fallback.mission",
                        ),
                    ),
                    ("snoozed_until", models.DateTimeField(blank=True, null=True)),
                    (
                        "reviewed_by",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="reviewed_fallback_items",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("reviewer_token", models.TextField(blank=True, db_default="", default="", editable=False)),
                    ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                    ("counted_week", models.DateField(blank=True, editable=False, null=True)),
                    ("counted_month", models.DateField(blank=True, editable=False, null=True)),
                ],
                options={
                    "verbose_name": "proposal",
                    "db_table": "mission_fallback_items",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "permissions": [("review_missionfallbackitem", "Decides on proposals")],
                    "indexes": [
                        fallback.models.base.NamedIndex(
                            fields=["run", "status"], name="idx_mission_fallback_items_run_status"
                        ),
                        models.Index(
                            condition=models.Q(("status", "proposed")),
                            fields=["project", "created_at", "id"],
                            name="mission_fallback_items_waiting",
                        ),
                        models.Index(
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="mission_fallback_items_newest",
                        ),
                        models.Index(
                            models.F("project"),
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="mission_fallback_items_of",
                        ),
                        models.Index(
                            models.F("template"),
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.F("status"),
                            name="mission_fallback_items_record",
                        ),
                        models.Index(
                            models.F("reviewed_by"),
                            models.OrderBy(models.F("reviewed_at"), descending=True),
                            condition=models.Q(("reviewed_at__isnull", False)),
                            name="mission_fallback_items_decided",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("title__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="mission_fallback_items_title_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("status__in", ["proposed", "accepted", "discarded"])),
                            name="mission_fallback_items_status_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "reason__in",
                                    [
                                        "not_needed",
                                        "duplicate",
                                        "too_large",
                                        "unclear",
                                        "wrong_template",
                                        "run_cancelled",
                                        "other",
                                    ],
                                )
                            ),
                            name="mission_fallback_items_reason_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("priority__in", [1, 2, 3, 4, 5])),
                            name="mission_fallback_items_priority_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("title__regex", "^\\s*$"), _negated=True),
                            name="mission_fallback_items_title_not_empty",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("estimated_effort_minutes__range", (1, 100000))),
                            name="mission_fallback_items_effort_in_range",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("reviewed_at__isnull", True), ("status", "proposed")),
                                models.Q(("reviewed_at__isnull", False), ("status__in", ["accepted", "discarded"])),
                                _connector="OR",
                            ),
                            name="mission_fallback_items_decision_has_time",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("mission__isnull", True), ("status", "accepted"), _connector="OR"),
                            name="mission_fallback_items_mission_if_accepted",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("status", "discarded"), _negated=True),
                                ("reason__isnull", False),
                                ("feedback__regex", "\\S"),
                                _connector="OR",
                            ),
                            name="mission_fallback_items_discard_has_reason",
                        ),
                        models.UniqueConstraint(fields=("mission",), name="mission_fallback_items_mission_once"),
                    ],
                },
            ),
            migrations.AddField(
                model_name="mission",
                name="origin",
                field=models.TextField(
                    choices=[("manual", "Manual"), ("fallback", "Fallback"), ("imported", "Imported")], null=True
                ),
            ),
            migrations.AddField(
                model_name="mission",
                name="fallback_item",
                field=models.OneToOneField(
                    blank=True,
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="created_mission",
                    to="fallback.missionfallbackitem",
                ),
            ),
            migrations.AddConstraint(
                model_name="mission",
                constraint=models.CheckConstraint(
                    condition=models.Q(("fallback_item__isnull", True), ("origin", "fallback"), _connector="OR"),
                    name="missions_fallback_item_fits_origin",
                ),
            ),
            migrations.AddConstraint(
                model_name="mission",
                constraint=models.CheckConstraint(
                    condition=models.Q(("origin__in", ["manual", "fallback", "imported"])), name="missions_origin_known"
                ),
            ),
            migrations.AddField(
                model_name="missionevent",
                name="origin",
                field=models.TextField(
                    choices=[("system", "System"), ("user", "Person"), ("agent", "Agent"), ("fallback", "Fallback")],
                    db_default="system",
                    default="system",
                ),
            ),
            migrations.AddConstraint(
                model_name="missionevent",
                constraint=models.CheckConstraint(
                    condition=models.Q(("origin__in", ["system", "user", "agent", "fallback"])),
                    name="mission_events_origin_known",
                ),
            ),
        ),
        OnDelete(
            "CASCADE",
            "mission_fallback_configs.project_id",
            "mission_fallback_templates.project_id",
            "mission_fallback_runs.project_id",
            "mission_fallback_items.project_id",
            "mission_fallback_allowances.project_id",
            "mission_fallback_samples.project_id",
        ),
        OnDelete(
            "SET NULL",
            "mission_fallback_items.mission_id",
            "mission_fallback_items.duplicate_of_id",
        ),
        migrations.RunSQL(read_sql("fallback/tables/mission_loops_converted", 1), "DROP TABLE mission_loops_converted"),
        SQLFile("fallback/tables/proposals"),
    ]
