import django.contrib.postgres.functions
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import missionsite.common.audit.fields
from missionsite.common.operations import RenderOnce
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The schema before the mission schema migration: no stable IDs on groups, no thresholds, one row per member and group."""

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("common", "0001_initial"),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="Member",
                fields=[
                    ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(),
                            editable=False,
                            primary_key=True,
                            serialize=False,
                        ),
                    ),
                    (
                        "member_id",
                        models.CharField(
                            db_default=None,
                            editable=False,
                            help_text="Never changes.",
                            max_length=20,
                            unique=True,
                            verbose_name="stable ID",
                        ),
                    ),
                    (
                        "email",
                        models.EmailField(
                            help_text="The e-mail to log in with.", max_length=255, verbose_name="e-mail"
                        ),
                    ),
                    ("display_name", models.CharField(max_length=255, verbose_name="name")),
                    (
                        "trust_score",
                        models.IntegerField(
                            db_default=0, default=0, help_text="Points earned so far; missions can require a minimum."
                        ),
                    ),
                    (
                        "is_active",
                        models.BooleanField(
                            db_default=True,
                            default=True,
                            help_text="Switch off to block the login and keep the history.",
                            verbose_name="active",
                        ),
                    ),
                    (
                        "is_staff",
                        models.BooleanField(
                            db_default=False,
                            default=False,
                            help_text="Can log in to the back office.",
                            verbose_name="staff",
                        ),
                    ),
                    (
                        "is_superuser",
                        models.BooleanField(
                            db_default=False,
                            default=False,
                            help_text="Has every permission.",
                            verbose_name="administrator",
                        ),
                    ),
                    ("password", models.CharField(db_default="!", default="!", editable=False, max_length=128)),
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
                        "groups",
                        models.ManyToManyField(
                            blank=True,
                            help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                            related_name="user_set",
                            related_query_name="user",
                            to="auth.group",
                            verbose_name="groups",
                        ),
                    ),
                    (
                        "user_permissions",
                        models.ManyToManyField(
                            blank=True,
                            help_text="Specific permissions for this user.",
                            related_name="user_set",
                            related_query_name="user",
                            to="auth.permission",
                            verbose_name="user permissions",
                        ),
                    ),
                ],
                options={
                    "db_table": "members",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "permissions": [("grant_access", "Can grant and revoke staff rights")],
                    "indexes": [
                        models.Index(
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="members_newest",
                        ),
                        models.Index(
                            django.contrib.postgres.indexes.OpClass(
                                django.db.models.functions.text.Lower("email"), "text_pattern_ops"
                            ),
                            name="members_email_prefix",
                        ),
                        models.Index(
                            django.contrib.postgres.indexes.OpClass(
                                django.db.models.functions.text.Lower("display_name"), "text_pattern_ops"
                            ),
                            name="members_name_prefix",
                        ),
                        django.contrib.postgres.indexes.GinIndex(
                            django.contrib.postgres.search.SearchVector("display_name", config="simple"),
                            name="members_name_words",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("email__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="members_email_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("display_name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="members_display_name_one_line",
                        ),
                        models.UniqueConstraint(
                            django.db.models.functions.text.Lower("email"),
                            name="members_email_unique",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("trust_score__gte", 0)),
                            name="members_trust_score_not_negative",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("member_id__regex", "^FE-P-([0-9]{5}|[1-9][0-9]{5,13})$")),
                            name="members_member_id_format",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("id", "00000000-0000-0000-0000-000000000000"), _negated=True),
                                models.Q(("is_staff", False), ("is_superuser", False), ("password__startswith", "!")),
                                _connector="OR",
                            ),
                            name="members_system_cannot_log_in",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Group",
                fields=[
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(),
                            editable=False,
                            primary_key=True,
                            serialize=False,
                        ),
                    ),
                    ("name", models.CharField(max_length=255)),
                    (
                        "type",
                        models.TextField(
                            choices=[("colony", "Colony"), ("mission", "Mission")],
                            db_default="mission",
                            default="mission",
                        ),
                    ),
                    ("description", models.TextField(blank=True, db_default="", default="")),
                    (
                        "status",
                        models.TextField(
                            choices=[("active", "Active"), ("archived", "Archived")],
                            db_default="active",
                            default="active",
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
                        "parent_group",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="missions",
                            to="groups.group",
                            verbose_name="colony",
                        ),
                    ),
                ],
                options={
                    "db_table": "groups",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "permissions": [("archive_group", "Can archive and restore missions and colonies")],
                    "indexes": [
                        models.Index(
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="groups_newest",
                        ),
                        models.Index(
                            django.contrib.postgres.indexes.OpClass(
                                django.db.models.functions.text.Lower("name"), "text_pattern_ops"
                            ),
                            name="groups_name_prefix",
                        ),
                        django.contrib.postgres.indexes.GinIndex(
                            django.contrib.postgres.search.SearchVector("name", config="simple"),
                            name="groups_name_words",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="groups_name_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("type__in", ["colony", "mission"])), name="groups_type_known"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("status__in", ["active", "archived"])), name="groups_status_known"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("parent_group__isnull", True), ("type", "colony")),
                                models.Q(("parent_group__isnull", False), ("type", "mission")),
                                _connector="OR",
                            ),
                            name="groups_parent_fits_type",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Event",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    ("type", models.TextField()),
                    ("payload", models.JSONField(blank=True, db_default={}, default=dict)),
                    (
                        "occurred_at",
                        models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                    ),
                    (
                        "changeset_id",
                        models.UUIDField(
                            db_default=missionsite.common.audit.fields.AuditChangesetId(), editable=False, null=True
                        ),
                    ),
                    (
                        "actor",
                        models.ForeignKey(
                            blank=True,
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="caused_events",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "group",
                        models.ForeignKey(
                            blank=True,
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="events",
                            to="groups.group",
                        ),
                    ),
                    (
                        "member",
                        models.ForeignKey(
                            blank=True,
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="events",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                ],
                options={
                    "db_table": "events",
                    "ordering": [
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(
                            models.OrderBy(models.F("occurred_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="events_newest",
                        ),
                        models.Index(
                            models.F("member"),
                            models.OrderBy(models.F("occurred_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="events_of_member",
                        ),
                        models.Index(
                            models.F("group"),
                            models.OrderBy(models.F("occurred_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="events_of_group",
                        ),
                        models.Index(
                            models.F("actor"),
                            models.OrderBy(models.F("occurred_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="events_by_actor",
                        ),
                        models.Index(
                            models.F("type"),
                            models.OrderBy(models.F("occurred_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="events_of_type",
                        ),
                        models.Index(
                            condition=models.Q(("changeset_id__isnull", False)),
                            fields=["changeset_id"],
                            name="events_of_changeset",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("type__regex", "^[a-z_]+(\\.[a-z_]+)+$")),
                            name="events_type_format",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="Membership",
                fields=[
                    (
                        "pk",
                        models.CompositePrimaryKey(
                            "member", "group", blank=True, editable=False, primary_key=True, serialize=False
                        ),
                    ),
                    ("role", models.CharField(db_default="Member", default="Member", max_length=50)),
                    ("joined_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                    (
                        "member",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="memberships",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "group",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="memberships",
                            to="groups.group",
                        ),
                    ),
                ],
                options={
                    "db_table": "memberships",
                },
            ),
            migrations.CreateModel(
                name="Task",
                fields=[
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(),
                            editable=False,
                            primary_key=True,
                            serialize=False,
                        ),
                    ),
                    (
                        "stable_id",
                        models.TextField(db_default=None, editable=False, unique=True, verbose_name="stable ID"),
                    ),
                    ("title", models.CharField(max_length=255)),
                    ("description", models.TextField(blank=True, db_default="", default="")),
                    (
                        "state",
                        models.TextField(
                            choices=[
                                ("open", "Open"),
                                ("claimed", "Claimed"),
                                ("done", "Done"),
                                ("cancelled", "Cancelled"),
                            ],
                            db_default="open",
                            default="open",
                        ),
                    ),
                    (
                        "reward_points",
                        models.IntegerField(
                            db_default=0, default=0, help_text="Trust score points for the member who completes it."
                        ),
                    ),
                    ("due_on", models.DateField(blank=True, null=True, verbose_name="due")),
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
                        "claimed_by",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="tasks",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "group",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="tasks",
                            to="groups.group",
                            verbose_name="mission",
                        ),
                    ),
                ],
                options={
                    "db_table": "tasks",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(
                            condition=models.Q(("state", "open")),
                            fields=["group", "state"],
                            name="idx_tasks_group_state",
                        ),
                        models.Index(
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="tasks_newest",
                        ),
                        models.Index(
                            models.F("group"),
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="tasks_of_group",
                        ),
                        models.Index(
                            django.contrib.postgres.indexes.OpClass(
                                django.db.models.functions.text.Lower("title"), "text_pattern_ops"
                            ),
                            name="tasks_title_prefix",
                        ),
                        django.contrib.postgres.indexes.GinIndex(
                            django.contrib.postgres.search.SearchVector("title", config="simple"),
                            name="tasks_title_words",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("title__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="tasks_title_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("state__in", ["open", "claimed", "done", "cancelled"])),
                            name="tasks_state_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("stable_id__regex", "^FE-T-([0-9]{5}|[1-9][0-9]{5,13})$")),
                            name="tasks_stable_id_format",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("claimed_by__isnull", True), ("state", "open")),
                                models.Q(("claimed_by__isnull", False), ("state__in", ["claimed", "done"])),
                                ("state", "cancelled"),
                                _connector="OR",
                            ),
                            name="tasks_claimed_by_fits_state",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("reward_points__gte", 0)),
                            name="tasks_reward_not_negative",
                        ),
                    ],
                },
            ),
            SQLFile("groups/tables/stable_ids", version=1),
            SQLFile("groups/functions/next_stable_id", version=1),
            SQLFile("groups/functions/claim_stable_id", version=1),
            SQLFile("groups/functions/assign_member_id", version=1),
            SQLFile("groups/functions/assign_stable_id", version=1),
            SQLFile("groups/functions/reject_member_id_change", version=1),
            SQLFile("groups/functions/reject_stable_id_change", version=1),
            SQLFile("groups/functions/retire_stable_ids", version=1),
            SQLFile("groups/functions/reject_retired_stable_ids", version=1),
            SQLFile("groups/functions/touch_updated_at", version=1),
            SQLFile("groups/functions/check_open_group", version=1),
            SQLFile("groups/functions/reject_event_change", version=1),
            SQLFile("groups/triggers/members", version=1),
            SQLFile("groups/triggers/tasks", version=1),
            SQLFile("groups/triggers/events", version=1),
        ),
    ]
