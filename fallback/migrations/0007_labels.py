import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import fallback.models.flows
import missionsite.common.audit.fields
from missionsite.common.operations import RenderOnce


class Migration(migrations.Migration):
    """Name models and fields by texts that are translated; the database stays as it is."""

    dependencies = [
        ("fallback", "0006_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        RenderOnce(
            migrations.AlterModelOptions(
                name="accessrequest",
                options={"verbose_name": "access request", "verbose_name_plural": "access requests"},
            ),
            migrations.AlterModelOptions(
                name="actor",
                options={
                    "ordering": [django.db.models.functions.text.Lower("name"), "id"],
                    "verbose_name": "actor",
                    "verbose_name_plural": "actors",
                },
            ),
            migrations.AlterModelOptions(
                name="auditevent",
                options={
                    "ordering": [
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "audit event",
                    "verbose_name_plural": "audit events",
                },
            ),
            migrations.AlterModelOptions(
                name="codeagentsession",
                options={
                    "ordering": [
                        models.OrderBy(models.F("started_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "agent session",
                    "verbose_name_plural": "agent sessions",
                },
            ),
            migrations.AlterModelOptions(
                name="flow",
                options={
                    "ordering": [django.db.models.functions.text.Lower("name"), "id"],
                    "verbose_name": "flow",
                    "verbose_name_plural": "flows",
                },
            ),
            migrations.AlterModelOptions(
                name="githubprcomment",
                options={"verbose_name": "pull request comment", "verbose_name_plural": "pull request comments"},
            ),
            migrations.AlterModelOptions(
                name="githubpullrequest",
                options={"verbose_name": "pull request", "verbose_name_plural": "pull requests"},
            ),
            migrations.AlterModelOptions(
                name="mission",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "board mission",
                    "verbose_name_plural": "board missions",
                },
            ),
            migrations.AlterModelOptions(
                name="missiondependency",
                options={
                    "ordering": ["id"],
                    "verbose_name": "mission dependency",
                    "verbose_name_plural": "mission dependencies",
                },
            ),
            migrations.AlterModelOptions(
                name="missionevent",
                options={
                    "ordering": [
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "mission event",
                    "verbose_name_plural": "mission events",
                },
            ),
            migrations.AlterModelOptions(
                name="missionfallbackallowance",
                options={"verbose_name": "used guardrail", "verbose_name_plural": "used guardrails"},
            ),
            migrations.AlterModelOptions(
                name="missionfallbackconfig",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "fallback configuration",
                    "verbose_name_plural": "fallback configurations",
                },
            ),
            migrations.AlterModelOptions(
                name="missionfallbackitem",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "permissions": [("review_missionfallbackitem", "Decides on proposals")],
                    "verbose_name": "proposal",
                    "verbose_name_plural": "proposals",
                },
            ),
            migrations.AlterModelOptions(
                name="missionfallbackrun",
                options={
                    "ordering": [
                        models.OrderBy(models.F("started_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "fallback run",
                    "verbose_name_plural": "fallback runs",
                },
            ),
            migrations.AlterModelOptions(
                name="missionfallbacksample",
                options={"verbose_name": "backlog sample", "verbose_name_plural": "backlog samples"},
            ),
            migrations.AlterModelOptions(
                name="missionfallbacktemplate",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "fallback template",
                    "verbose_name_plural": "fallback templates",
                },
            ),
            migrations.AlterModelOptions(
                name="notification",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "notification",
                    "verbose_name_plural": "notifications",
                },
            ),
            migrations.AlterModelOptions(
                name="notificationpreference",
                options={"verbose_name": "notification preference", "verbose_name_plural": "notification preferences"},
            ),
            migrations.AlterModelOptions(
                name="organization",
                options={
                    "ordering": [django.db.models.functions.text.Lower("name"), "id"],
                    "verbose_name": "organisation",
                    "verbose_name_plural": "organisations",
                },
            ),
            migrations.AlterModelOptions(
                name="organizationmembership",
                options={
                    "ordering": ["organization", "id"],
                    "verbose_name": "organisation membership",
                    "verbose_name_plural": "organisation memberships",
                },
            ),
            migrations.AlterModelOptions(
                name="project",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "permissions": [("every_project", "Has access to every project, not only to own ones")],
                    "verbose_name": "project",
                    "verbose_name_plural": "projects",
                },
            ),
            migrations.AlterModelOptions(
                name="projectactivity",
                options={
                    "ordering": [
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "project activity",
                    "verbose_name_plural": "project activity",
                },
            ),
            migrations.AlterModelOptions(
                name="projectmember",
                options={
                    "ordering": ["project", "id"],
                    "verbose_name": "project member",
                    "verbose_name_plural": "project members",
                },
            ),
            migrations.AlterModelOptions(
                name="projectstar",
                options={"verbose_name": "project star", "verbose_name_plural": "project stars"},
            ),
            migrations.AlterModelOptions(
                name="projectworkstation",
                options={"verbose_name": "workstation of a project", "verbose_name_plural": "workstations of projects"},
            ),
            migrations.AlterModelOptions(
                name="workstation",
                options={
                    "ordering": [django.db.models.functions.text.Lower("name"), "id"],
                    "verbose_name": "workstation",
                    "verbose_name_plural": "workstations",
                },
            ),
            migrations.AlterModelOptions(
                name="workstationrepository",
                options={
                    "verbose_name": "repository on a workstation",
                    "verbose_name_plural": "repositories on workstations",
                },
            ),
            migrations.AlterModelOptions(
                name="workstationsession",
                options={"verbose_name": "workstation session", "verbose_name_plural": "workstation sessions"},
            ),
            migrations.AlterModelOptions(
                name="workstationworktree",
                options={"verbose_name": "work tree", "verbose_name_plural": "work trees"},
            ),
            migrations.AlterField(
                model_name="accessrequest",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="accessrequest",
                name="decided_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="decided"),
            ),
            migrations.AlterField(
                model_name="accessrequest",
                name="decided_by",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="decided_access_requests",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="decided by",
                ),
            ),
            migrations.AlterField(
                model_name="accessrequest",
                name="expires_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="expires"),
            ),
            migrations.AlterField(
                model_name="accessrequest",
                name="member",
                field=models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="access_requests",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="accessrequest",
                name="message",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="message"),
            ),
            migrations.AlterField(
                model_name="accessrequest",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="access_requests",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="accessrequest",
                name="status",
                field=models.TextField(
                    choices=[
                        ("pending", "Pending"),
                        ("approved", "Approved"),
                        ("declined", "Declined"),
                        ("expired", "Expired"),
                    ],
                    db_default="pending",
                    default="pending",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="accessrequest",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="actor",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="actor",
                name="name",
                field=models.CharField(max_length=255, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="actor",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="actors",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="actor",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="auditevent",
                name="action",
                field=models.TextField(verbose_name="action"),
            ),
            migrations.AlterField(
                model_name="auditevent",
                name="actor_token",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="pseudonym of the actor"),
            ),
            migrations.AlterField(
                model_name="auditevent",
                name="occurred_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="occurred"
                ),
            ),
            migrations.AlterField(
                model_name="auditevent",
                name="organization",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="audit_events",
                    to="fallback.organization",
                    verbose_name="organisation",
                ),
            ),
            migrations.AlterField(
                model_name="auditevent",
                name="payload",
                field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name="payload"),
            ),
            migrations.AlterField(
                model_name="auditevent",
                name="project",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="audit_events",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="codeagentsession",
                name="agent",
                field=models.CharField(max_length=120, verbose_name="agent"),
            ),
            migrations.AlterField(
                model_name="codeagentsession",
                name="ended_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="ended"),
            ),
            migrations.AlterField(
                model_name="codeagentsession",
                name="log_path",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="path of the log"),
            ),
            migrations.AlterField(
                model_name="codeagentsession",
                name="mission",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="agent_sessions",
                    to="fallback.mission",
                    verbose_name="mission",
                ),
            ),
            migrations.AlterField(
                model_name="codeagentsession",
                name="started_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="started"
                ),
            ),
            migrations.AlterField(
                model_name="codeagentsession",
                name="status",
                field=models.TextField(
                    choices=[
                        ("running", "Running"),
                        ("succeeded", "Succeeded"),
                        ("failed", "Failed"),
                        ("cancelled", "Cancelled"),
                    ],
                    db_default="running",
                    default="running",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="codeagentsession",
                name="workstation",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="agent_sessions",
                    to="fallback.workstation",
                    verbose_name="workstation",
                ),
            ),
            migrations.AlterField(
                model_name="flow",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="flow",
                name="description",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="description"),
            ),
            migrations.AlterField(
                model_name="flow",
                name="name",
                field=models.CharField(max_length=255, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="flow",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="flows",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="flow",
                name="stages",
                field=models.JSONField(
                    db_default=["clarify", "plan", "code", "review"],
                    default=fallback.models.flows.default_stages,
                    help_text="Names of the stages, in order.",
                    verbose_name="stages",
                ),
            ),
            migrations.AlterField(
                model_name="flow",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="githubprcomment",
                name="author",
                field=models.CharField(max_length=255, verbose_name="author"),
            ),
            migrations.AlterField(
                model_name="githubprcomment",
                name="body",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="body"),
            ),
            migrations.AlterField(
                model_name="githubprcomment",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="created"
                ),
            ),
            migrations.AlterField(
                model_name="githubprcomment",
                name="github_id",
                field=models.BigIntegerField(unique=True, verbose_name="GitHub ID"),
            ),
            migrations.AlterField(
                model_name="githubprcomment",
                name="pull_request",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="comments",
                    to="fallback.githubpullrequest",
                    verbose_name="pull request",
                ),
            ),
            migrations.AlterField(
                model_name="githubpullrequest",
                name="branch",
                field=models.CharField(blank=True, db_default="", default="", max_length=255, verbose_name="branch"),
            ),
            migrations.AlterField(
                model_name="githubpullrequest",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="githubpullrequest",
                name="mission",
                field=models.ForeignKey(
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="pull_requests",
                    to="fallback.mission",
                    verbose_name="mission",
                ),
            ),
            migrations.AlterField(
                model_name="githubpullrequest",
                name="number",
                field=models.IntegerField(verbose_name="number"),
            ),
            migrations.AlterField(
                model_name="githubpullrequest",
                name="repository",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="pull_requests",
                    to="fallback.projectrepository",
                    verbose_name="repository",
                ),
            ),
            migrations.AlterField(
                model_name="githubpullrequest",
                name="state",
                field=models.TextField(
                    choices=[("open", "Open"), ("merged", "Merged"), ("closed", "Closed")],
                    db_default="open",
                    default="open",
                    verbose_name="state",
                ),
            ),
            migrations.AlterField(
                model_name="githubpullrequest",
                name="title",
                field=models.CharField(max_length=500, verbose_name="title"),
            ),
            migrations.AlterField(
                model_name="githubpullrequest",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="githubpullrequest",
                name="url",
                field=models.URLField(blank=True, db_default="", default="", max_length=500, verbose_name="address"),
            ),
            migrations.AlterField(
                model_name="mission",
                name="actor",
                field=models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="missions",
                    to="fallback.actor",
                    verbose_name="actor",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="clarification",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="clarification"),
            ),
            migrations.AlterField(
                model_name="mission",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="description",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="description"),
            ),
            migrations.AlterField(
                model_name="mission",
                name="fallback_item",
                field=models.OneToOneField(
                    blank=True,
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="created_mission",
                    to="fallback.missionfallbackitem",
                    verbose_name="proposal",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="flow",
                field=models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="missions",
                    to="fallback.flow",
                    verbose_name="flow",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="list",
                field=models.TextField(
                    choices=[("todo", "Todo"), ("doing", "Doing"), ("review", "Review"), ("done", "Done")],
                    db_default="todo",
                    default="todo",
                    verbose_name="list",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="origin",
                field=models.TextField(
                    choices=[("manual", "Manual"), ("fallback", "Fallback"), ("imported", "Imported")],
                    db_default="manual",
                    default="manual",
                    verbose_name="origin",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="priority",
                field=models.IntegerField(
                    choices=[(1, "Lowest"), (2, "Low"), (3, "Normal"), (4, "High"), (5, "Highest")],
                    db_default=3,
                    default=3,
                    verbose_name="priority",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="missions",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="ready",
                field=models.BooleanField(
                    db_default=False,
                    default=False,
                    help_text="Can be started now. Only ready missions count as backlog.",
                    verbose_name="ready",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="repository",
                field=models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="missions",
                    to="fallback.projectrepository",
                    verbose_name="repository",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="requires_review",
                field=models.BooleanField(db_default=False, default=False, verbose_name="requires review"),
            ),
            migrations.AlterField(
                model_name="mission",
                name="review_feedback",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="feedback"),
            ),
            migrations.AlterField(
                model_name="mission",
                name="review_status",
                field=models.TextField(
                    blank=True,
                    choices=[("pending", "Pending"), ("approved", "Approved"), ("rejected", "Rejected")],
                    null=True,
                    verbose_name="review",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="reviewed_by",
                field=models.ForeignKey(
                    blank=True,
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="reviewed_missions",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="reviewed by",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="reviewer_token",
                field=models.TextField(
                    blank=True, db_default="", default="", editable=False, verbose_name="pseudonym of the reviewer"
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="solution_path",
                field=models.TextField(
                    blank=True, db_default="", default="", editable=False, verbose_name="path of the solution"
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="stage",
                field=models.CharField(db_default="clarify", default="clarify", max_length=64, verbose_name="stage"),
            ),
            migrations.AlterField(
                model_name="mission",
                name="target_branch",
                field=models.CharField(db_default="main", default="main", max_length=120, verbose_name="target branch"),
            ),
            migrations.AlterField(
                model_name="mission",
                name="tasks_path",
                field=models.TextField(
                    blank=True, db_default="", default="", editable=False, verbose_name="path of the tasks"
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="title",
                field=models.CharField(max_length=500, verbose_name="title"),
            ),
            migrations.AlterField(
                model_name="mission",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="missiondependency",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="missiondependency",
                name="depends_on",
                field=models.ForeignKey(
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="dependents",
                    to="fallback.mission",
                    verbose_name="depends on",
                ),
            ),
            migrations.AlterField(
                model_name="missiondependency",
                name="mission",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="dependencies",
                    to="fallback.mission",
                    verbose_name="mission",
                ),
            ),
            migrations.AlterField(
                model_name="missionevent",
                name="actor",
                field=models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="mission_events",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="by",
                ),
            ),
            migrations.AlterField(
                model_name="missionevent",
                name="changeset_id",
                field=models.UUIDField(
                    blank=True,
                    db_default=missionsite.common.audit.fields.AuditChangesetId(),
                    editable=False,
                    null=True,
                    verbose_name="changeset",
                ),
            ),
            migrations.AlterField(
                model_name="missionevent",
                name="mission",
                field=models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="events",
                    to="fallback.mission",
                    verbose_name="mission",
                ),
            ),
            migrations.AlterField(
                model_name="missionevent",
                name="occurred_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="occurred"
                ),
            ),
            migrations.AlterField(
                model_name="missionevent",
                name="origin",
                field=models.TextField(
                    choices=[("system", "System"), ("user", "Person"), ("agent", "Agent"), ("fallback", "Fallback")],
                    db_default="system",
                    default="system",
                    verbose_name="origin",
                ),
            ),
            migrations.AlterField(
                model_name="missionevent",
                name="payload",
                field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name="payload"),
            ),
            migrations.AlterField(
                model_name="missionevent",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="mission_events",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="missionevent",
                name="type",
                field=models.TextField(verbose_name="event"),
            ),
            migrations.AlterField(
                model_name="missionfallbackallowance",
                name="allowed",
                field=models.IntegerField(verbose_name="allowed"),
            ),
            migrations.AlterField(
                model_name="missionfallbackallowance",
                name="period",
                field=models.TextField(choices=[("week", "Week"), ("month", "Month")], verbose_name="period"),
            ),
            migrations.AlterField(
                model_name="missionfallbackallowance",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="allowances",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackallowance",
                name="starts_on",
                field=models.DateField(verbose_name="starts on"),
            ),
            migrations.AlterField(
                model_name="missionfallbackallowance",
                name="used",
                field=models.IntegerField(db_default=0, default=0, verbose_name="used"),
            ),
            migrations.AlterField(
                model_name="missionfallbackconfig",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackconfig",
                name="project",
                field=models.OneToOneField(
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="fallback_config",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackconfig",
                name="snoozed_until",
                field=models.DateTimeField(blank=True, null=True, verbose_name="snoozed until"),
            ),
            migrations.AlterField(
                model_name="missionfallbackconfig",
                name="status",
                field=models.TextField(
                    choices=[("active", "Active"), ("paused", "Paused"), ("snoozed", "Snoozed")],
                    db_default="active",
                    default="active",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackconfig",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="actor",
                field=models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="fallback.actor",
                    verbose_name="actor",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="counted_month",
                field=models.DateField(blank=True, editable=False, null=True, verbose_name="month it counts in"),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="counted_week",
                field=models.DateField(blank=True, editable=False, null=True, verbose_name="week it counts in"),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="description",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="description"),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="duplicate_of",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="duplicate_items",
                    to="fallback.mission",
                    verbose_name="duplicate of",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="feedback",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="feedback"),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="flow",
                field=models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="fallback.flow",
                    verbose_name="flow",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="mission",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="fallback_items",
                    to="fallback.mission",
                    verbose_name="mission",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="priority",
                field=models.IntegerField(
                    choices=[(1, "Lowest"), (2, "Low"), (3, "Normal"), (4, "High"), (5, "Highest")],
                    db_default=3,
                    default=3,
                    verbose_name="priority",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="fallback_items",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="reason",
                field=models.TextField(
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
                    verbose_name="reason",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="repository",
                field=models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="fallback.projectrepository",
                    verbose_name="repository",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="reviewed_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="reviewed"),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="reviewed_by",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="reviewed_fallback_items",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="reviewed by",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="reviewer_token",
                field=models.TextField(
                    blank=True, db_default="", default="", editable=False, verbose_name="pseudonym of the reviewer"
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="run",
                field=models.ForeignKey(
                    db_column="mission_fallback_run_id",
                    db_constraint=False,
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="items",
                    to="fallback.missionfallbackrun",
                    verbose_name="run",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="snoozed_until",
                field=models.DateTimeField(blank=True, null=True, verbose_name="snoozed until"),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="status",
                field=models.TextField(
                    choices=[("proposed", "Proposed"), ("accepted", "Accepted"), ("discarded", "Discarded")],
                    db_default="proposed",
                    default="proposed",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="template",
                field=models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="items",
                    to="fallback.missionfallbacktemplate",
                    verbose_name="template",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="title",
                field=models.CharField(max_length=500, verbose_name="title"),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackrun",
                name="error",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="error"),
            ),
            migrations.AlterField(
                model_name="missionfallbackrun",
                name="payload",
                field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name="payload"),
            ),
            migrations.AlterField(
                model_name="missionfallbackrun",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="fallback_runs",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackrun",
                name="report_path",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="path of the report"),
            ),
            migrations.AlterField(
                model_name="missionfallbackrun",
                name="skipped",
                field=models.JSONField(blank=True, db_default=[], default=list, verbose_name="skipped"),
            ),
            migrations.AlterField(
                model_name="missionfallbackrun",
                name="started_by",
                field=models.ForeignKey(
                    blank=True,
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="fallback_runs",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="started by",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackrun",
                name="status",
                field=models.TextField(
                    choices=[
                        ("pending", "Pending"),
                        ("awaiting_review", "Awaiting review"),
                        ("completed", "Completed"),
                        ("cancelled", "Cancelled"),
                        ("errored", "Errored"),
                    ],
                    db_default="awaiting_review",
                    default="awaiting_review",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackrun",
                name="triggered_by",
                field=models.TextField(
                    choices=[("automatic", "Automatic"), ("manual", "Manual"), ("api", "API")], verbose_name="triggered"
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbacksample",
                name="backlog_count",
                field=models.IntegerField(verbose_name="ready"),
            ),
            migrations.AlterField(
                model_name="missionfallbacksample",
                name="backlog_threshold",
                field=models.IntegerField(verbose_name="wanted"),
            ),
            migrations.AlterField(
                model_name="missionfallbacksample",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="backlog_samples",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbacksample",
                name="sampled_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="checked"
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbacktemplate",
                name="acceptance_criteria",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="acceptance criteria"),
            ),
            migrations.AlterField(
                model_name="missionfallbacktemplate",
                name="actor",
                field=models.ForeignKey(
                    db_constraint=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="templates",
                    to="fallback.actor",
                    verbose_name="actor",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbacktemplate",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbacktemplate",
                name="description",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="description"),
            ),
            migrations.AlterField(
                model_name="missionfallbacktemplate",
                name="enabled",
                field=models.BooleanField(
                    db_default=True,
                    default=True,
                    help_text="If disabled, no proposals are made from this template.",
                    verbose_name="enabled",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbacktemplate",
                name="flow",
                field=models.ForeignKey(
                    db_constraint=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="templates",
                    to="fallback.flow",
                    verbose_name="flow",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbacktemplate",
                name="name",
                field=models.CharField(max_length=255, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="missionfallbacktemplate",
                name="priority",
                field=models.IntegerField(
                    choices=[(1, "Lowest"), (2, "Low"), (3, "Normal"), (4, "High"), (5, "Highest")],
                    db_default=3,
                    default=3,
                    verbose_name="priority",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbacktemplate",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="fallback_templates",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbacktemplate",
                name="repository",
                field=models.ForeignKey(
                    db_constraint=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="templates",
                    to="fallback.projectrepository",
                    verbose_name="repository",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbacktemplate",
                name="tags",
                field=models.JSONField(
                    blank=True,
                    db_default=[],
                    default=list,
                    verbose_name="tags",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbacktemplate",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="notification",
                name="archived_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="archived"),
            ),
            migrations.AlterField(
                model_name="notification",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="notification",
                name="kind",
                field=models.TextField(verbose_name="kind"),
            ),
            migrations.AlterField(
                model_name="notification",
                name="member",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="notifications",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="notification",
                name="mission",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="notifications",
                    to="fallback.mission",
                    verbose_name="mission",
                ),
            ),
            migrations.AlterField(
                model_name="notification",
                name="payload",
                field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name="payload"),
            ),
            migrations.AlterField(
                model_name="notification",
                name="project",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="notifications",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="notification",
                name="read_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="read"),
            ),
            migrations.AlterField(
                model_name="notification",
                name="title",
                field=models.CharField(max_length=500, verbose_name="title"),
            ),
            migrations.AlterField(
                model_name="notificationpreference",
                name="channel",
                field=models.TextField(
                    choices=[("in_app", "In the back office"), ("email", "E-mail")],
                    db_default="in_app",
                    default="in_app",
                    verbose_name="channel",
                ),
            ),
            migrations.AlterField(
                model_name="notificationpreference",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="notificationpreference",
                name="is_enabled",
                field=models.BooleanField(db_default=True, default=True, verbose_name="enabled"),
            ),
            migrations.AlterField(
                model_name="notificationpreference",
                name="kind",
                field=models.TextField(verbose_name="kind"),
            ),
            migrations.AlterField(
                model_name="notificationpreference",
                name="member",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="notification_preferences",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="notificationpreference",
                name="organization",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="notification_preferences",
                    to="fallback.organization",
                    verbose_name="organisation",
                ),
            ),
            migrations.AlterField(
                model_name="notificationpreference",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="organization",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="organization",
                name="name",
                field=models.CharField(max_length=255, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="organization",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="organizationmembership",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="organizationmembership",
                name="member",
                field=models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="organization_memberships",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="organizationmembership",
                name="role",
                field=models.TextField(
                    choices=[("owner", "Owner"), ("admin", "Administrator"), ("member", "Member")],
                    db_default="member",
                    default="member",
                    verbose_name="role",
                ),
            ),
            migrations.AlterField(
                model_name="organizationmembership",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="project",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="project",
                name="description",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="description"),
            ),
            migrations.AlterField(
                model_name="project",
                name="name",
                field=models.CharField(max_length=255, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="project",
                name="privacy",
                field=models.TextField(
                    choices=[
                        ("private", "Private: members only"),
                        ("organization", "Organisation: everyone in it can view"),
                    ],
                    db_default="private",
                    default="private",
                    verbose_name="privacy",
                ),
            ),
            migrations.AlterField(
                model_name="project",
                name="rollout_bucket",
                field=models.GeneratedField(
                    db_persist=True,
                    expression=models.Func(
                        models.F("id"),
                        template="mod(get_byte(decode(md5(%(expressions)s), 'hex'), 0) * 256 + get_byte(decode(md5(%(expressions)s), 'hex'), 1), 100)",
                    ),
                    output_field=models.IntegerField(),
                    verbose_name="place in the roll-out",
                ),
            ),
            migrations.AlterField(
                model_name="project",
                name="status",
                field=models.TextField(
                    choices=[("active", "Active"), ("archived", "Archived")],
                    db_default="active",
                    default="active",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="project",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="projectactivity",
                name="actor",
                field=models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="project_activity",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="by",
                ),
            ),
            migrations.AlterField(
                model_name="projectactivity",
                name="changeset_id",
                field=models.UUIDField(
                    blank=True,
                    db_default=missionsite.common.audit.fields.AuditChangesetId(),
                    editable=False,
                    null=True,
                    verbose_name="changeset",
                ),
            ),
            migrations.AlterField(
                model_name="projectactivity",
                name="occurred_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="occurred"
                ),
            ),
            migrations.AlterField(
                model_name="projectactivity",
                name="origin",
                field=models.TextField(
                    choices=[("system", "System"), ("user", "Person"), ("agent", "Agent"), ("fallback", "Fallback")],
                    db_default="system",
                    default="system",
                    verbose_name="origin",
                ),
            ),
            migrations.AlterField(
                model_name="projectactivity",
                name="payload",
                field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name="payload"),
            ),
            migrations.AlterField(
                model_name="projectactivity",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="activity",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="projectactivity",
                name="type",
                field=models.TextField(verbose_name="event"),
            ),
            migrations.AlterField(
                model_name="projectmember",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="projectmember",
                name="member",
                field=models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="project_memberships",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="projectmember",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="members",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="projectmember",
                name="role",
                field=models.TextField(
                    choices=[
                        ("viewer", "Viewer"),
                        ("contributor", "Contributor"),
                        ("reviewer", "Reviewer"),
                        ("maintainer", "Maintainer"),
                    ],
                    db_default="viewer",
                    default="viewer",
                    verbose_name="role",
                ),
            ),
            migrations.AlterField(
                model_name="projectmember",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="projectrepository",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="projectrepository",
                name="default_branch",
                field=models.CharField(
                    db_default="main", default="main", max_length=120, verbose_name="default branch"
                ),
            ),
            migrations.AlterField(
                model_name="projectrepository",
                name="name",
                field=models.CharField(
                    help_text="owner/name, as spelled by the host.", max_length=255, verbose_name="name"
                ),
            ),
            migrations.AlterField(
                model_name="projectrepository",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="repositories",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="projectrepository",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="projectstar",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="projectstar",
                name="member",
                field=models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="project_stars",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="projectstar",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="stars",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="projectworkstation",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="projectworkstation",
                name="project",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="workstations",
                    to="fallback.project",
                    verbose_name="project",
                ),
            ),
            migrations.AlterField(
                model_name="projectworkstation",
                name="workstation",
                field=models.ForeignKey(
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="projects",
                    to="fallback.workstation",
                    verbose_name="workstation",
                ),
            ),
            migrations.AlterField(
                model_name="workstation",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="workstation",
                name="last_seen_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="last seen"),
            ),
            migrations.AlterField(
                model_name="workstation",
                name="name",
                field=models.CharField(max_length=255, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="workstation",
                name="organization",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="workstations",
                    to="fallback.organization",
                    verbose_name="organisation",
                ),
            ),
            migrations.AlterField(
                model_name="workstation",
                name="status",
                field=models.TextField(
                    choices=[("online", "Online"), ("offline", "Offline")],
                    db_default="offline",
                    default="offline",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="workstation",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="workstationrepository",
                name="cloned_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="cloned"
                ),
            ),
            migrations.AlterField(
                model_name="workstationrepository",
                name="path",
                field=models.TextField(verbose_name="path"),
            ),
            migrations.AlterField(
                model_name="workstationrepository",
                name="repository",
                field=models.ForeignKey(
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="clones",
                    to="fallback.projectrepository",
                    verbose_name="repository",
                ),
            ),
            migrations.AlterField(
                model_name="workstationrepository",
                name="workstation",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="repositories",
                    to="fallback.workstation",
                    verbose_name="workstation",
                ),
            ),
            migrations.AlterField(
                model_name="workstationsession",
                name="daemon_version",
                field=models.CharField(
                    blank=True, db_default="", default="", max_length=64, verbose_name="version of the daemon"
                ),
            ),
            migrations.AlterField(
                model_name="workstationsession",
                name="ended_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="ended"),
            ),
            migrations.AlterField(
                model_name="workstationsession",
                name="started_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="started"
                ),
            ),
            migrations.AlterField(
                model_name="workstationsession",
                name="workstation",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="sessions",
                    to="fallback.workstation",
                    verbose_name="workstation",
                ),
            ),
            migrations.AlterField(
                model_name="workstationworktree",
                name="branch",
                field=models.CharField(blank=True, db_default="", default="", max_length=255, verbose_name="branch"),
            ),
            migrations.AlterField(
                model_name="workstationworktree",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="workstationworktree",
                name="mission",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="worktrees",
                    to="fallback.mission",
                    verbose_name="mission",
                ),
            ),
            migrations.AlterField(
                model_name="workstationworktree",
                name="path",
                field=models.TextField(verbose_name="path"),
            ),
            migrations.AlterField(
                model_name="workstationworktree",
                name="repository",
                field=models.ForeignKey(
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="worktrees",
                    to="fallback.projectrepository",
                    verbose_name="repository",
                ),
            ),
            migrations.AlterField(
                model_name="workstationworktree",
                name="status",
                field=models.TextField(
                    choices=[("idle", "Idle"), ("active", "Active")],
                    db_default="idle",
                    default="idle",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="workstationworktree",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated",
                ),
            ),
            migrations.AlterField(
                model_name="workstationworktree",
                name="workstation",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="worktrees",
                    to="fallback.workstation",
                    verbose_name="workstation",
                ),
            ),
        )
    ]
