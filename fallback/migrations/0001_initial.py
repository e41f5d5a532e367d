import django.contrib.postgres.functions
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import fallback.models.base
import fallback.models.flows
import missionsite.common.audit.fields
import missionsite.common.ids
from missionsite.common.operations import OnDelete, RenderOnce
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Create projects and boards as they were before the fallback, with loop missions."""

    initial = True

    dependencies = [
        ("common", "0002_tables"),
        ("groups", "0004_operations"),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="Organization",
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
                    ("name", models.CharField(max_length=255)),
                    (
                        "slug",
                        models.SlugField(
                            help_text="Lowercase letters, digits and hyphens. Used in URLs.",
                            max_length=64,
                            unique=True,
                            verbose_name="short name",
                        ),
                    ),
                    (
                        "timezone",
                        models.TextField(
                            db_default="UTC",
                            default="UTC",
                            help_text="Defines when the weeks and months of the guardrails begin.",
                            verbose_name="time zone",
                        ),
                    ),
                    (
                        "fallback_enabled",
                        models.BooleanField(
                            db_default=True,
                            default=True,
                            help_text="If disabled, no project of this organisation gets proposals.",
                            verbose_name="fallback on",
                        ),
                    ),
                    (
                        "fallback_rollout_percent",
                        models.IntegerField(
                            db_default=100,
                            default=100,
                            help_text="The order of projects is fixed: a higher share only adds projects.",
                            verbose_name="rolled out to (% of projects)",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "organisation",
                    "db_table": "organizations",
                    "db_table_comment": "Who owns projects and workstations.",
                    "ordering": [django.db.models.functions.text.Lower("name"), "id"],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="organizations_name_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("slug__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="organizations_slug_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("timezone__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="organizations_timezone_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("name__regex", "^\\s*$"), _negated=True),
                            name="organizations_name_not_empty",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("fallback_rollout_percent__range", (0, 100))),
                            name="organizations_rollout_is_a_share",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Project",
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
                        "organization",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="projects",
                            to="fallback.organization",
                            verbose_name="organisation",
                        ),
                    ),
                    ("name", models.CharField(max_length=255)),
                    (
                        "slug",
                        models.SlugField(
                            help_text="Lowercase letters, digits and hyphens.", max_length=64, verbose_name="short name"
                        ),
                    ),
                    ("description", models.TextField(blank=True, db_default="", default="")),
                    (
                        "privacy",
                        models.TextField(
                            choices=[
                                ("private", "Private: members only"),
                                ("organization", "Organisation: everyone in it can view"),
                            ],
                            db_default="private",
                            default="private",
                        ),
                    ),
                    (
                        "status",
                        models.TextField(
                            choices=[("active", "Active"), ("archived", "Archived")],
                            db_default="active",
                            default="active",
                        ),
                    ),
                    (
                        "fallback_enabled",
                        models.BooleanField(
                            db_default=True,
                            default=True,
                            help_text="If disabled, this project gets no proposals.",
                            verbose_name="fallback on",
                        ),
                    ),
                    (
                        "rollout_bucket",
                        models.GeneratedField(
                            db_persist=True,
                            expression=models.Func(
                                models.F("id"),
                                template="mod(get_byte(decode(md5(%(expressions)s), 'hex'), 0) * 256 + get_byte(decode(md5(%(expressions)s), 'hex'), 1), 100)",
                            ),
                            output_field=models.IntegerField(),
                        ),
                    ),
                ],
                options={
                    "db_table": "projects",
                    "db_table_comment": "Where people work on missions together.",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "permissions": [("every_project", "Has access to every project, not only to own ones")],
                    "indexes": [
                        models.Index(
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="projects_newest",
                        ),
                        models.Index(
                            django.contrib.postgres.indexes.OpClass(
                                django.db.models.functions.text.Lower("name"), "text_pattern_ops"
                            ),
                            name="projects_name_prefix",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="projects_name_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("slug__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="projects_slug_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("privacy__in", ["private", "organization"])),
                            name="projects_privacy_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("status__in", ["active", "archived"])), name="projects_status_known"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("name__regex", "^\\s*$"), _negated=True), name="projects_name_not_empty"
                        ),
                        models.UniqueConstraint(fields=("organization", "slug"), name="projects_slug_once"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="ProjectRepository",
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
                            related_name="repositories",
                            to="fallback.project",
                        ),
                    ),
                    ("name", models.CharField(help_text="owner/name, as spelled by the host.", max_length=255)),
                    (
                        "url",
                        models.URLField(blank=True, db_default="", default="", max_length=500, verbose_name="address"),
                    ),
                    ("default_branch", models.CharField(db_default="main", default="main", max_length=120)),
                ],
                options={
                    "verbose_name": "repository",
                    "verbose_name_plural": "repositories",
                    "db_table": "project_repositories",
                    "ordering": [django.db.models.functions.text.Lower("name"), "id"],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="project_repositories_name_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("url__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="project_repositories_url_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("default_branch__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="project_repositories_default_branch_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("name__regex", "^\\s*$"), _negated=True),
                            name="project_repositories_name_not_empty",
                        ),
                        models.UniqueConstraint(fields=("project", "name"), name="project_repositories_once"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Flow",
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
                            related_name="flows",
                            to="fallback.project",
                        ),
                    ),
                    ("name", models.CharField(max_length=255)),
                    ("description", models.TextField(blank=True, db_default="", default="")),
                    (
                        "stages",
                        models.JSONField(
                            db_default=["clarify", "plan", "code", "review"],
                            default=fallback.models.flows.default_stages,
                            help_text="Names of the stages, in order.",
                        ),
                    ),
                ],
                options={
                    "db_table": "flows",
                    "ordering": [django.db.models.functions.text.Lower("name"), "id"],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="flows_name_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("name__regex", "^\\s*$"), _negated=True), name="flows_name_not_empty"
                        ),
                        models.UniqueConstraint(fields=("project", "name"), name="flows_name_once"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Actor",
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
                            related_name="actors",
                            to="fallback.project",
                        ),
                    ),
                    ("name", models.CharField(max_length=255)),
                    ("description", models.TextField(blank=True, db_default="", default="", verbose_name="persona")),
                ],
                options={
                    "db_table": "actors",
                    "ordering": [django.db.models.functions.text.Lower("name"), "id"],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="actors_name_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("name__regex", "^\\s*$"), _negated=True), name="actors_name_not_empty"
                        ),
                        models.UniqueConstraint(fields=("project", "name"), name="actors_name_once"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Workstation",
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
                        "organization",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="workstations",
                            to="fallback.organization",
                        ),
                    ),
                    ("name", models.CharField(max_length=255)),
                    (
                        "status",
                        models.TextField(
                            choices=[("online", "Online"), ("offline", "Offline")],
                            db_default="offline",
                            default="offline",
                        ),
                    ),
                    ("last_seen_at", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "db_table": "workstations",
                    "ordering": [django.db.models.functions.text.Lower("name"), "id"],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="workstations_name_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("status__in", ["online", "offline"])), name="workstations_status_known"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("name__regex", "^\\s*$"), _negated=True),
                            name="workstations_name_not_empty",
                        ),
                        models.UniqueConstraint(fields=("organization", "name"), name="workstations_name_once"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="ProjectWorkstation",
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
                            related_name="workstations",
                            to="fallback.project",
                        ),
                    ),
                    (
                        "workstation",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="projects",
                            to="fallback.workstation",
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                ],
                options={
                    "db_table": "project_workstations",
                    "constraints": [
                        models.UniqueConstraint(fields=("project", "workstation"), name="project_workstations_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="WorkstationSession",
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
                        "workstation",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="sessions",
                            to="fallback.workstation",
                        ),
                    ),
                    ("daemon_version", models.CharField(blank=True, db_default="", default="", max_length=64)),
                    ("started_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                    ("ended_at", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "db_table": "workstation_sessions",
                    "indexes": [
                        models.Index(
                            models.F("workstation"),
                            models.OrderBy(models.F("started_at"), descending=True),
                            name="workstation_sessions_latest",
                        )
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("daemon_version__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="workstation_sessions_daemon_version_one_line",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="WorkstationRepository",
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
                        "workstation",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="repositories",
                            to="fallback.workstation",
                        ),
                    ),
                    (
                        "repository",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="clones",
                            to="fallback.projectrepository",
                        ),
                    ),
                    ("path", models.TextField()),
                    ("cloned_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                ],
                options={
                    "db_table": "workstation_repositories",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("path__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="workstation_repositories_path_one_line",
                        ),
                        models.UniqueConstraint(
                            fields=("workstation", "repository"), name="workstation_repositories_once"
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="AuditEvent",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    ("action", models.TextField()),
                    ("actor_token", models.TextField(blank=True, db_default="", default="")),
                    (
                        "organization",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="audit_events",
                            to="fallback.organization",
                        ),
                    ),
                    (
                        "project",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="audit_events",
                            to="fallback.project",
                        ),
                    ),
                    ("payload", models.JSONField(blank=True, db_default={}, default=dict)),
                    (
                        "occurred_at",
                        models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                    ),
                ],
                options={
                    "db_table": "audit_events",
                    "ordering": [
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(
                            models.OrderBy(models.F("occurred_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="audit_events_newest",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="Mission",
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
                            related_name="missions",
                            to="fallback.project",
                        ),
                    ),
                    ("title", models.CharField(max_length=500)),
                    ("description", models.TextField(blank=True, db_default="", default="")),
                    ("clarification", models.TextField(blank=True, db_default="", default="")),
                    (
                        "priority",
                        models.IntegerField(
                            choices=[(1, "Lowest"), (2, "Low"), (3, "Normal"), (4, "High"), (5, "Highest")],
                            db_default=3,
                            default=3,
                        ),
                    ),
                    (
                        "list",
                        models.TextField(
                            choices=[
                                ("todo", "Todo"),
                                ("doing", "Doing"),
                                ("review", "Review"),
                                ("done", "Done"),
                                ("loop", "Loop"),
                            ],
                            db_default="todo",
                            default="todo",
                        ),
                    ),
                    ("is_loop", models.BooleanField(db_default=False, default=False)),
                    ("loop_schedule", models.JSONField(blank=True, null=True)),
                    (
                        "list_order",
                        models.DecimalField(
                            db_default=1000,
                            decimal_places=5,
                            default=1000,
                            editable=False,
                            max_digits=10,
                            verbose_name="place in the list",
                        ),
                    ),
                    (
                        "flow",
                        models.ForeignKey(
                            blank=True,
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="missions",
                            to="fallback.flow",
                        ),
                    ),
                    ("stage", models.CharField(db_default="clarify", default="clarify", max_length=64)),
                    ("requires_review", models.BooleanField(db_default=False, default=False)),
                    (
                        "actor",
                        models.ForeignKey(
                            blank=True,
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="missions",
                            to="fallback.actor",
                        ),
                    ),
                    (
                        "repository",
                        models.ForeignKey(
                            blank=True,
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="missions",
                            to="fallback.projectrepository",
                        ),
                    ),
                    ("target_branch", models.CharField(db_default="main", default="main", max_length=120)),
                    (
                        "pr_mode",
                        models.TextField(
                            choices=[("disabled", "Disabled"), ("enabled", "Enabled"), ("auto", "Automatic")],
                            db_default="auto",
                            default="auto",
                            verbose_name="pull request",
                        ),
                    ),
                    (
                        "pr_branch_name",
                        models.CharField(
                            blank=True,
                            db_default="",
                            default="",
                            max_length=255,
                            verbose_name="branch of the pull request",
                        ),
                    ),
                    (
                        "github_pr_number",
                        models.IntegerField(blank=True, null=True, verbose_name="number of the pull request"),
                    ),
                    (
                        "ready",
                        models.BooleanField(
                            db_default=False,
                            default=False,
                            help_text="Can be started now. Only ready missions count as backlog.",
                        ),
                    ),
                    (
                        "agent_session_status",
                        models.TextField(
                            choices=[("inactive", "Inactive"), ("pushing", "Pushing"), ("active", "Active")],
                            db_default="inactive",
                            default="inactive",
                            verbose_name="agent",
                        ),
                    ),
                    ("solution_path", models.TextField(blank=True, db_default="", default="", editable=False)),
                    ("tasks_path", models.TextField(blank=True, db_default="", default="", editable=False)),
                    (
                        "review_status",
                        models.TextField(
                            blank=True,
                            choices=[("pending", "Pending"), ("approved", "Approved"), ("rejected", "Rejected")],
                            null=True,
                        ),
                    ),
                    ("review_feedback", models.TextField(blank=True, db_default="", default="")),
                    (
                        "reviewed_by",
                        models.ForeignKey(
                            blank=True,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="reviewed_missions",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("reviewer_token", models.TextField(blank=True, db_default="", default="", editable=False)),
                    (
                        "dependency_count",
                        models.IntegerField(db_default=0, default=0, editable=False, verbose_name="dependencies"),
                    ),
                    (
                        "open_dependency_count",
                        models.IntegerField(db_default=0, default=0, editable=False, verbose_name="open dependencies"),
                    ),
                    (
                        "last_event_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last event"),
                    ),
                ],
                options={
                    "db_table": "missions",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        fallback.models.base.NamedIndex(
                            fields=["project", "list", "ready"], name="idx_missions_project_list_ready"
                        ),
                        models.Index(
                            condition=models.Q(("list", "todo"), ("open_dependency_count", 0), ("ready", True)),
                            fields=["project"],
                            name="missions_backlog",
                        ),
                        models.Index(fields=["project", "list", "list_order", "id"], name="missions_of_board"),
                        models.Index(
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="missions_newest",
                        ),
                        models.Index(
                            models.F("project"),
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="missions_of_project",
                        ),
                        models.Index(
                            django.contrib.postgres.indexes.OpClass(
                                django.db.models.functions.text.Lower("title"), "text_pattern_ops"
                            ),
                            name="missions_title_prefix",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("title__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="missions_title_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("stage__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="missions_stage_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("target_branch__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="missions_target_branch_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("pr_branch_name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="missions_pr_branch_name_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("solution_path__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="missions_solution_path_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("tasks_path__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="missions_tasks_path_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("list__in", ["todo", "doing", "review", "done", "loop"])),
                            name="missions_list_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("pr_mode__in", ["disabled", "enabled", "auto"])),
                            name="missions_pr_mode_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("agent_session_status__in", ["inactive", "pushing", "active"])),
                            name="missions_agent_session_status_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("review_status__in", ["pending", "approved", "rejected"])),
                            name="missions_review_status_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("priority__in", [1, 2, 3, 4, 5])), name="missions_priority_known"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("title__regex", "^\\s*$"), _negated=True),
                            name="missions_title_not_empty",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="MissionDependency",
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
                        "mission",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="dependencies",
                            to="fallback.mission",
                        ),
                    ),
                    (
                        "depends_on",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="dependents",
                            to="fallback.mission",
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                ],
                options={
                    "verbose_name_plural": "mission dependencies",
                    "db_table": "mission_dependencies",
                    "ordering": ["id"],
                    "constraints": [
                        models.UniqueConstraint(fields=("mission", "depends_on"), name="mission_dependencies_once"),
                        models.CheckConstraint(
                            condition=models.Q(("mission", models.F("depends_on")), _negated=True),
                            name="mission_dependencies_not_itself",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="WorkstationWorktree",
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
                        "workstation",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="worktrees",
                            to="fallback.workstation",
                        ),
                    ),
                    (
                        "repository",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="worktrees",
                            to="fallback.projectrepository",
                        ),
                    ),
                    (
                        "mission",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="worktrees",
                            to="fallback.mission",
                        ),
                    ),
                    ("path", models.TextField()),
                    ("branch", models.CharField(blank=True, db_default="", default="", max_length=255)),
                    (
                        "status",
                        models.TextField(
                            choices=[("idle", "Idle"), ("active", "Active")], db_default="idle", default="idle"
                        ),
                    ),
                ],
                options={
                    "db_table": "workstation_worktrees",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("path__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="workstation_worktrees_path_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("branch__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="workstation_worktrees_branch_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("status__in", ["idle", "active"])),
                            name="workstation_worktrees_status_known",
                        ),
                        models.UniqueConstraint(fields=("workstation", "path"), name="workstation_worktrees_path_once"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="CodeAgentSession",
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
                        "mission",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="agent_sessions",
                            to="fallback.mission",
                        ),
                    ),
                    (
                        "workstation",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="agent_sessions",
                            to="fallback.workstation",
                        ),
                    ),
                    ("agent", models.CharField(max_length=120)),
                    (
                        "status",
                        models.TextField(
                            choices=[
                                ("running", "Running"),
                                ("succeeded", "Succeeded"),
                                ("failed", "Failed"),
                                ("cancelled", "Cancelled"),
                            ],
                            db_default="running",
                            default="running",
                        ),
                    ),
                    ("log_path", models.TextField(blank=True, db_default="", default="")),
                    ("started_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                    ("ended_at", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "db_table": "code_agent_sessions",
                    "ordering": [
                        models.OrderBy(models.F("started_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(
                            models.F("mission"),
                            models.OrderBy(models.F("started_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="code_agent_sessions_of_mission",
                        )
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("agent__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="code_agent_sessions_agent_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("log_path__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="code_agent_sessions_log_path_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("status__in", ["running", "succeeded", "failed", "cancelled"])),
                            name="code_agent_sessions_status_known",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="GithubPullRequest",
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
                        "mission",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="pull_requests",
                            to="fallback.mission",
                        ),
                    ),
                    (
                        "repository",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="pull_requests",
                            to="fallback.projectrepository",
                        ),
                    ),
                    ("number", models.IntegerField()),
                    ("title", models.CharField(max_length=500)),
                    (
                        "state",
                        models.TextField(
                            choices=[("open", "Open"), ("merged", "Merged"), ("closed", "Closed")],
                            db_default="open",
                            default="open",
                        ),
                    ),
                    ("branch", models.CharField(blank=True, db_default="", default="", max_length=255)),
                    ("url", models.URLField(blank=True, db_default="", default="", max_length=500)),
                ],
                options={
                    "db_table": "github_pull_requests",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("title__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="github_pull_requests_title_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("branch__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="github_pull_requests_branch_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("url__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="github_pull_requests_url_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("state__in", ["open", "merged", "closed"])),
                            name="github_pull_requests_state_known",
                        ),
                        models.UniqueConstraint(fields=("repository", "number"), name="github_pull_requests_once"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="GithubPrComment",
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
                        "pull_request",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="comments",
                            to="fallback.githubpullrequest",
                        ),
                    ),
                    ("github_id", models.BigIntegerField(unique=True)),
                    ("author", models.CharField(max_length=255)),
                    ("body", models.TextField(blank=True, db_default="", default="")),
                    ("created_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                ],
                options={
                    "db_table": "github_pr_comments",
                    "indexes": [
                        models.Index(fields=["pull_request", "created_at"], name="github_pr_comments_of_request")
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("author__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="github_pr_comments_author_one_line",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="MissionEvent",
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
                            related_name="mission_events",
                            to="fallback.project",
                        ),
                    ),
                    (
                        "mission",
                        models.ForeignKey(
                            blank=True,
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="events",
                            to="fallback.mission",
                        ),
                    ),
                    ("type", models.TextField()),
                    (
                        "actor",
                        models.ForeignKey(
                            blank=True,
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="mission_events",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("payload", models.JSONField(blank=True, db_default={}, default=dict)),
                    (
                        "occurred_at",
                        models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                    ),
                    (
                        "changeset_id",
                        models.UUIDField(
                            blank=True,
                            db_default=missionsite.common.audit.fields.AuditChangesetId(),
                            editable=False,
                            null=True,
                        ),
                    ),
                ],
                options={
                    "db_table": "mission_events",
                    "ordering": [
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(
                            models.F("mission"),
                            models.OrderBy(models.F("occurred_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="mission_events_of_mission",
                        ),
                        models.Index(
                            models.F("project"),
                            models.OrderBy(models.F("occurred_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="mission_events_of_project",
                        ),
                        models.Index(
                            condition=models.Q(("changeset_id__isnull", False)),
                            fields=["changeset_id"],
                            name="mission_events_changeset",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="OrganizationMembership",
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
                        "organization",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="memberships",
                            to="fallback.organization",
                            verbose_name="organisation",
                        ),
                    ),
                    (
                        "member",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="organization_memberships",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "role",
                        models.TextField(
                            choices=[("owner", "Owner"), ("admin", "Administrator"), ("member", "Member")],
                            db_default="member",
                            default="member",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "organisation membership",
                    "db_table": "organization_memberships",
                    "ordering": ["organization", "id"],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("role__in", ["owner", "admin", "member"])),
                            name="organization_memberships_role_known",
                        ),
                        models.UniqueConstraint(
                            fields=("organization", "member"), name="organization_memberships_once"
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="ProjectMember",
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
                            related_name="members",
                            to="fallback.project",
                        ),
                    ),
                    (
                        "member",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="project_memberships",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "role",
                        models.TextField(
                            choices=[
                                ("viewer", "Viewer"),
                                ("contributor", "Contributor"),
                                ("reviewer", "Reviewer"),
                                ("maintainer", "Maintainer"),
                            ],
                            db_default="viewer",
                            default="viewer",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "project member",
                    "db_table": "project_members",
                    "ordering": ["project", "id"],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("role__in", ["viewer", "contributor", "reviewer", "maintainer"])),
                            name="project_members_role_known",
                        ),
                        models.UniqueConstraint(fields=("project", "member"), name="project_members_once"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="ProjectStar",
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
                            related_name="stars",
                            to="fallback.project",
                        ),
                    ),
                    (
                        "member",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="project_stars",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                ],
                options={
                    "db_table": "project_stars",
                    "constraints": [models.UniqueConstraint(fields=("project", "member"), name="project_stars_once")],
                },
            ),
            migrations.CreateModel(
                name="ProjectActivity",
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
                            related_name="activity",
                            to="fallback.project",
                        ),
                    ),
                    ("type", models.TextField()),
                    (
                        "origin",
                        models.TextField(
                            choices=[
                                ("system", "System"),
                                ("user", "Person"),
                                ("agent", "Agent"),
                                ("fallback", "Fallback"),
                            ],
                            db_default="system",
                            default="system",
                        ),
                    ),
                    (
                        "actor",
                        models.ForeignKey(
                            blank=True,
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="project_activity",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("payload", models.JSONField(blank=True, db_default={}, default=dict)),
                    (
                        "occurred_at",
                        models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                    ),
                    (
                        "changeset_id",
                        models.UUIDField(
                            blank=True,
                            db_default=missionsite.common.audit.fields.AuditChangesetId(),
                            editable=False,
                            null=True,
                        ),
                    ),
                ],
                options={
                    "verbose_name_plural": "project activity",
                    "db_table": "project_activity",
                    "ordering": [
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(
                            models.F("project"),
                            models.OrderBy(models.F("occurred_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="project_activity_of_project",
                        ),
                        models.Index(
                            condition=models.Q(("changeset_id__isnull", False)),
                            fields=["changeset_id"],
                            name="project_activity_changeset",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("origin__in", ["system", "user", "agent", "fallback"])),
                            name="project_activity_origin_known",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="Notification",
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
                        "member",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="notifications",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "project",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="notifications",
                            to="fallback.project",
                        ),
                    ),
                    (
                        "mission",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="notifications",
                            to="fallback.mission",
                        ),
                    ),
                    ("kind", models.TextField()),
                    ("title", models.CharField(max_length=500)),
                    ("payload", models.JSONField(blank=True, db_default={}, default=dict)),
                    ("read_at", models.DateTimeField(blank=True, null=True)),
                    ("archived_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                ],
                options={
                    "db_table": "notifications",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(
                            models.F("member"),
                            models.OrderBy(models.F("created_at"), descending=True),
                            name="notifications_of_member",
                        ),
                        models.Index(
                            condition=models.Q(("read_at__isnull", True)),
                            fields=["member"],
                            name="notifications_unread",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("title__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="notifications_title_one_line",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="NotificationPreference",
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
                        "organization",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="notification_preferences",
                            to="fallback.organization",
                        ),
                    ),
                    (
                        "member",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="notification_preferences",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("kind", models.TextField()),
                    (
                        "channel",
                        models.TextField(
                            choices=[("in_app", "In the back office"), ("email", "E-mail")],
                            db_default="in_app",
                            default="in_app",
                        ),
                    ),
                    ("is_enabled", models.BooleanField(db_default=True, default=True)),
                ],
                options={
                    "db_table": "notification_preferences",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("channel__in", ["in_app", "email"])),
                            name="notification_preferences_channel_known",
                        ),
                        models.UniqueConstraint(
                            fields=("organization", "member", "kind", "channel"),
                            name="notification_preferences_once",
                            nulls_distinct=False,
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="AccessRequest",
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
                            related_name="access_requests",
                            to="fallback.project",
                        ),
                    ),
                    (
                        "member",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="access_requests",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("message", models.TextField(blank=True, db_default="", default="")),
                    (
                        "status",
                        models.TextField(
                            choices=[
                                ("pending", "Pending"),
                                ("approved", "Approved"),
                                ("declined", "Declined"),
                                ("expired", "Expired"),
                            ],
                            db_default="pending",
                            default="pending",
                        ),
                    ),
                    (
                        "decided_by",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="decided_access_requests",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("decided_at", models.DateTimeField(blank=True, null=True)),
                    ("expires_at", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "db_table": "access_requests",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("status__in", ["pending", "approved", "declined", "expired"])),
                            name="access_requests_status_known",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("status", "pending")),
                            fields=("project", "member"),
                            name="access_requests_one_pending",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("decided_at__isnull", True), ("status", "pending")),
                                models.Q(("status", "pending"), _negated=True),
                                _connector="OR",
                            ),
                            name="access_requests_decision_fits_status",
                        ),
                    ],
                },
            ),
        ),
        OnDelete(
            "CASCADE",
            "organization_memberships.organization_id",
            "project_members.project_id",
            "project_stars.project_id",
            "project_repositories.project_id",
            "project_activity.project_id",
            "flows.project_id",
            "actors.project_id",
            "missions.project_id",
            "mission_dependencies.mission_id",
            "mission_dependencies.depends_on_id",
            "mission_events.project_id",
            "mission_events.mission_id",
            "code_agent_sessions.mission_id",
            "github_pull_requests.mission_id",
            "github_pr_comments.pull_request_id",
            "workstations.organization_id",
            "project_workstations.project_id",
            "project_workstations.workstation_id",
            "workstation_sessions.workstation_id",
            "workstation_repositories.workstation_id",
            "workstation_repositories.repository_id",
            "workstation_worktrees.workstation_id",
            "workstation_worktrees.repository_id",
            "notifications.project_id",
            "notifications.mission_id",
            "access_requests.project_id",
            "notification_preferences.organization_id",
        ),
        OnDelete(
            "SET NULL",
            "code_agent_sessions.workstation_id",
            "workstation_worktrees.mission_id",
        ),
        SQLFile("fallback/tables/projects"),
    ]
