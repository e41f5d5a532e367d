import django.contrib.postgres.functions
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import RenderOnce
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Row history, row security and privileges, and erasing personal data; pages of missions and colonies."""

    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("common", "0002_tables"),
        ("groups", "0003_community_directory"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="Colony",
                fields=[],
                options={
                    "verbose_name_plural": "colonies",
                    "proxy": True,
                    "indexes": [],
                    "constraints": [],
                },
                bases=("groups.group",),
            ),
            migrations.CreateModel(
                name="Mission",
                fields=[],
                options={
                    "proxy": True,
                    "indexes": [],
                    "constraints": [],
                },
                bases=("groups.group",),
            ),
            migrations.CreateModel(
                name="MemberHistory",
                fields=[
                    ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                    ("pgh_label", models.TextField(help_text="The event label.")),
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, serialize=False
                        ),
                    ),
                    (
                        "member_id",
                        models.CharField(
                            db_default=None,
                            editable=False,
                            help_text="Never changes.",
                            max_length=20,
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
                    ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "pgh_context",
                        models.ForeignKey(
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="pghistory.context",
                        ),
                    ),
                    (
                        "pgh_obj",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="history",
                            related_query_name="history",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                ],
                options={
                    "db_table": "members_history",
                    "indexes": [models.Index(fields=["pgh_obj", "-pgh_id"], name="members_history_of")],
                },
            ),
            migrations.CreateModel(
                name="GroupHistory",
                fields=[
                    ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                    ("pgh_label", models.TextField(help_text="The event label.")),
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, serialize=False
                        ),
                    ),
                    (
                        "stable_id",
                        models.TextField(
                            db_comment="Stable identifier that outlives this database: FE-G-00001 for a colony, FE-M-00001 for a mission.",
                            db_default=None,
                            editable=False,
                            verbose_name="stable ID",
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
                        "min_trust_score",
                        models.IntegerField(
                            blank=True,
                            db_comment="Trust score a member needs to join this mission. NULL for a colony: joining it has no threshold.",
                            db_default=0,
                            default=0,
                            help_text="Points a member needs to join; with 0 every member can join.",
                            null=True,
                            verbose_name="trust score to join",
                        ),
                    ),
                    ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "parent_group",
                        models.ForeignKey(
                            blank=True,
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to="groups.group",
                            verbose_name="colony",
                        ),
                    ),
                    (
                        "pgh_context",
                        models.ForeignKey(
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="pghistory.context",
                        ),
                    ),
                    (
                        "pgh_obj",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="history",
                            related_query_name="history",
                            to="groups.group",
                        ),
                    ),
                ],
                options={
                    "db_table": "groups_history",
                    "indexes": [models.Index(fields=["pgh_obj", "-pgh_id"], name="groups_history_of")],
                },
            ),
            migrations.CreateModel(
                name="MembershipHistory",
                fields=[
                    ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                    ("pgh_label", models.TextField(help_text="The event label.")),
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, serialize=False
                        ),
                    ),
                    ("role", models.CharField(db_default="Member", default="Member", max_length=50)),
                    ("joined_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                    ("left_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "status",
                        models.TextField(
                            choices=[("active", "Active"), ("left", "Left")], db_default="active", default="active"
                        ),
                    ),
                    ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "group",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to="groups.group",
                        ),
                    ),
                    (
                        "member",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "pgh_context",
                        models.ForeignKey(
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="pghistory.context",
                        ),
                    ),
                    (
                        "pgh_obj",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="history",
                            related_query_name="history",
                            to="groups.membership",
                        ),
                    ),
                ],
                options={
                    "db_table": "memberships_history",
                    "indexes": [models.Index(fields=["pgh_obj", "-pgh_id"], name="memberships_history_of")],
                },
            ),
            migrations.CreateModel(
                name="TaskHistory",
                fields=[
                    ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                    ("pgh_label", models.TextField(help_text="The event label.")),
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, serialize=False
                        ),
                    ),
                    ("stable_id", models.TextField(db_default=None, editable=False, verbose_name="stable ID")),
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
                    ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "claimed_by",
                        models.ForeignKey(
                            blank=True,
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "group",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to="groups.group",
                            verbose_name="mission",
                        ),
                    ),
                    (
                        "pgh_context",
                        models.ForeignKey(
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="pghistory.context",
                        ),
                    ),
                    (
                        "pgh_obj",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="history",
                            related_query_name="history",
                            to="groups.task",
                        ),
                    ),
                ],
                options={
                    "db_table": "tasks_history",
                    "indexes": [models.Index(fields=["pgh_obj", "-pgh_id"], name="tasks_history_of")],
                },
            ),
            migrations.CreateModel(
                name="CommunityMemberHistory",
                fields=[
                    ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                    ("pgh_label", models.TextField(help_text="The event label.")),
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, serialize=False
                        ),
                    ),
                    (
                        "member_id",
                        models.CharField(
                            db_default=None,
                            editable=False,
                            help_text="Never changes.",
                            max_length=20,
                            verbose_name="number",
                        ),
                    ),
                    (
                        "telegram_id",
                        models.CharField(
                            help_text="The person's numeric ID in Telegram, which never changes.",
                            max_length=255,
                            verbose_name="Telegram ID",
                        ),
                    ),
                    (
                        "telegram_username",
                        models.CharField(blank=True, max_length=255, null=True, verbose_name="Telegram name"),
                    ),
                    ("name", models.CharField(max_length=255)),
                    (
                        "primary_role",
                        models.CharField(
                            choices=[
                                ("student", "Student"),
                                ("developer", "Developer"),
                                ("designer", "Designer"),
                                ("researcher", "Researcher"),
                                ("founder", "Founder"),
                                ("investor", "Investor"),
                                ("community_manager", "Community manager"),
                                ("content_creator", "Content creator"),
                                ("other", "Other"),
                            ],
                            max_length=50,
                            verbose_name="role",
                        ),
                    ),
                    (
                        "organization",
                        models.CharField(blank=True, max_length=255, null=True, verbose_name="organisation"),
                    ),
                    ("country", models.CharField(blank=True, max_length=100, null=True)),
                    (
                        "github_username",
                        models.CharField(blank=True, max_length=255, null=True, verbose_name="GitHub name"),
                    ),
                    ("github_verified", models.BooleanField(db_default=False, default=False, verbose_name="verified")),
                    (
                        "github_verified_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="verified at"),
                    ),
                    (
                        "github_profile_data",
                        models.JSONField(blank=True, editable=False, null=True, verbose_name="GitHub profile"),
                    ),
                    (
                        "status",
                        models.CharField(
                            choices=[
                                ("not_member", "Not a member"),
                                ("pending", "Waiting for approval"),
                                ("active", "Active"),
                                ("suspended", "Suspended"),
                                ("banned", "Banned"),
                            ],
                            db_default="not_member",
                            default="not_member",
                            editable=False,
                            max_length=20,
                        ),
                    ),
                    (
                        "reputation_score",
                        models.IntegerField(db_default=0, default=0, editable=False, verbose_name="reputation"),
                    ),
                    (
                        "registration_fee_paid",
                        models.BooleanField(db_default=False, default=False, verbose_name="fee paid"),
                    ),
                    (
                        "registration_fee_tx_hash",
                        models.CharField(blank=True, max_length=255, null=True, verbose_name="fee transaction"),
                    ),
                    ("profile_data", models.JSONField(blank=True, editable=False, null=True)),
                    (
                        "deleted_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="removed at"),
                    ),
                    ("erased_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "invited_by",
                        models.ForeignKey(
                            blank=True,
                            db_column="invited_by",
                            db_constraint=False,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to="groups.communitymember",
                            to_field="member_id",
                        ),
                    ),
                    (
                        "person",
                        models.ForeignKey(
                            blank=True,
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to=settings.AUTH_USER_MODEL,
                            verbose_name="account",
                        ),
                    ),
                    (
                        "pgh_context",
                        models.ForeignKey(
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="pghistory.context",
                        ),
                    ),
                    (
                        "pgh_obj",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="history",
                            related_query_name="history",
                            to="groups.communitymember",
                        ),
                    ),
                ],
                options={
                    "db_table": "community_members_history",
                    "indexes": [models.Index(fields=["pgh_obj", "-pgh_id"], name="community_members_history_of")],
                },
            ),
            migrations.CreateModel(
                name="CommunityInvitationHistory",
                fields=[
                    ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                    ("pgh_label", models.TextField(help_text="The event label.")),
                    (
                        "invitation_id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, serialize=False
                        ),
                    ),
                    ("invitation_code", models.CharField(editable=False, max_length=16, verbose_name="code")),
                    (
                        "invited_telegram_username",
                        models.CharField(blank=True, max_length=255, null=True, verbose_name="Telegram name"),
                    ),
                    (
                        "status",
                        models.CharField(
                            choices=[
                                ("pending", "Pending"),
                                ("accepted", "Accepted"),
                                ("expired", "Expired"),
                                ("cancelled", "Cancelled"),
                            ],
                            db_default="pending",
                            default="pending",
                            editable=False,
                            max_length=20,
                        ),
                    ),
                    ("expires_at", models.DateTimeField(verbose_name="expires")),
                    (
                        "accepted_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="accepted"),
                    ),
                    ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "pgh_context",
                        models.ForeignKey(
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="pghistory.context",
                        ),
                    ),
                    (
                        "pgh_obj",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="history",
                            related_query_name="history",
                            to="groups.communityinvitation",
                        ),
                    ),
                    (
                        "accepted_by",
                        models.ForeignKey(
                            blank=True,
                            db_column="accepted_by",
                            db_constraint=False,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to="groups.communitymember",
                            to_field="member_id",
                        ),
                    ),
                    (
                        "created_by",
                        models.ForeignKey(
                            db_column="created_by",
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to="groups.communitymember",
                            to_field="member_id",
                            verbose_name="invited by",
                        ),
                    ),
                ],
                options={
                    "db_table": "community_invitations_history",
                    "indexes": [models.Index(fields=["pgh_obj", "-pgh_id"], name="invitations_history_of")],
                },
            ),
            SQLFile("groups/data/history", version=1),
            pgtrigger.migrations.AddTrigger(
                model_name="group",
                trigger=pgtrigger.compiler.Trigger(
                    name="insert_insert",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "groups_history" ("description", "id", "min_trust_score", "name", "parent_group_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "stable_id", "status", "type") SELECT new_values."description", new_values."id", new_values."min_trust_score", new_values."name", new_values."parent_group_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."stable_id", new_values."status", new_values."type" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="4c68eb2b1cf95176ff60ef37491845fac700bfd5",
                        level="STATEMENT",
                        operation="INSERT",
                        pgid="pgtrigger_insert_insert_6026d",
                        referencing="REFERENCING NEW TABLE AS new_values ",
                        table="groups",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="group",
                trigger=pgtrigger.compiler.Trigger(
                    name="update_update",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "groups_history" ("description", "id", "min_trust_score", "name", "parent_group_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "stable_id", "status", "type") SELECT new_values."description", new_values."id", new_values."min_trust_score", new_values."name", new_values."parent_group_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."stable_id", new_values."status", new_values."type" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."description" IS DISTINCT FROM (new_values."description") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."min_trust_score" IS DISTINCT FROM (new_values."min_trust_score") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."parent_group_id" IS DISTINCT FROM (new_values."parent_group_id") OR old_values."stable_id" IS DISTINCT FROM (new_values."stable_id") OR old_values."status" IS DISTINCT FROM (new_values."status") OR old_values."type" IS DISTINCT FROM (new_values."type")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="65e542802ab291b42805cd943df5aa75c6843c33",
                        level="STATEMENT",
                        operation="UPDATE",
                        pgid="pgtrigger_update_update_02517",
                        referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                        table="groups",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="group",
                trigger=pgtrigger.compiler.Trigger(
                    name="delete_delete",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "groups_history" ("description", "id", "min_trust_score", "name", "parent_group_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "stable_id", "status", "type") SELECT old_values."description", old_values."id", old_values."min_trust_score", old_values."name", old_values."parent_group_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."stable_id", old_values."status", old_values."type" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                        hash="8af5e56f4a99132d5f828bb121ec9b53cbc8f726",
                        level="STATEMENT",
                        operation="DELETE",
                        pgid="pgtrigger_delete_delete_13da0",
                        referencing="REFERENCING OLD TABLE AS old_values ",
                        table="groups",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="member",
                trigger=pgtrigger.compiler.Trigger(
                    name="insert_insert",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "members_history" ("display_name", "email", "id", "is_active", "is_staff", "is_superuser", "member_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "trust_score") SELECT new_values."display_name", new_values."email", new_values."id", new_values."is_active", new_values."is_staff", new_values."is_superuser", new_values."member_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."trust_score" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="6895de25365d15f877a3b8c6cd098f2ac3f0dd0a",
                        level="STATEMENT",
                        operation="INSERT",
                        pgid="pgtrigger_insert_insert_cd594",
                        referencing="REFERENCING NEW TABLE AS new_values ",
                        table="members",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="member",
                trigger=pgtrigger.compiler.Trigger(
                    name="update_update",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "members_history" ("display_name", "email", "id", "is_active", "is_staff", "is_superuser", "member_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "trust_score") SELECT new_values."display_name", new_values."email", new_values."id", new_values."is_active", new_values."is_staff", new_values."is_superuser", new_values."member_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."trust_score" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."display_name" IS DISTINCT FROM (new_values."display_name") OR old_values."email" IS DISTINCT FROM (new_values."email") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."is_active" IS DISTINCT FROM (new_values."is_active") OR old_values."is_staff" IS DISTINCT FROM (new_values."is_staff") OR old_values."is_superuser" IS DISTINCT FROM (new_values."is_superuser") OR old_values."member_id" IS DISTINCT FROM (new_values."member_id") OR old_values."trust_score" IS DISTINCT FROM (new_values."trust_score")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="f282c9b2a0d6c62d9284be6332a1e57bf2547129",
                        level="STATEMENT",
                        operation="UPDATE",
                        pgid="pgtrigger_update_update_0ddb3",
                        referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                        table="members",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="member",
                trigger=pgtrigger.compiler.Trigger(
                    name="delete_delete",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "members_history" ("display_name", "email", "id", "is_active", "is_staff", "is_superuser", "member_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "trust_score") SELECT old_values."display_name", old_values."email", old_values."id", old_values."is_active", old_values."is_staff", old_values."is_superuser", old_values."member_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."trust_score" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                        hash="e80532c78311a3e16a85be8db20d31388626115c",
                        level="STATEMENT",
                        operation="DELETE",
                        pgid="pgtrigger_delete_delete_d2525",
                        referencing="REFERENCING OLD TABLE AS old_values ",
                        table="members",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="communitymember",
                trigger=pgtrigger.compiler.Trigger(
                    name="insert_insert",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_members_history" ("country", "deleted_at", "erased_at", "github_profile_data", "github_username", "github_verified", "github_verified_at", "id", "invited_by", "member_id", "name", "organization", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "primary_role", "profile_data", "registration_fee_paid", "registration_fee_tx_hash", "reputation_score", "status", "telegram_id", "telegram_username") SELECT new_values."country", new_values."deleted_at", new_values."erased_at", new_values."github_profile_data", new_values."github_username", new_values."github_verified", new_values."github_verified_at", new_values."id", new_values."invited_by", new_values."member_id", new_values."name", new_values."organization", new_values."person_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."primary_role", new_values."profile_data", new_values."registration_fee_paid", new_values."registration_fee_tx_hash", new_values."reputation_score", new_values."status", new_values."telegram_id", new_values."telegram_username" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="ff0aab9747575bc7a5356e7cc15aa4482a173897",
                        level="STATEMENT",
                        operation="INSERT",
                        pgid="pgtrigger_insert_insert_57dc2",
                        referencing="REFERENCING NEW TABLE AS new_values ",
                        table="community_members",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="communitymember",
                trigger=pgtrigger.compiler.Trigger(
                    name="update_update",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_members_history" ("country", "deleted_at", "erased_at", "github_profile_data", "github_username", "github_verified", "github_verified_at", "id", "invited_by", "member_id", "name", "organization", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "primary_role", "profile_data", "registration_fee_paid", "registration_fee_tx_hash", "reputation_score", "status", "telegram_id", "telegram_username") SELECT new_values."country", new_values."deleted_at", new_values."erased_at", new_values."github_profile_data", new_values."github_username", new_values."github_verified", new_values."github_verified_at", new_values."id", new_values."invited_by", new_values."member_id", new_values."name", new_values."organization", new_values."person_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."primary_role", new_values."profile_data", new_values."registration_fee_paid", new_values."registration_fee_tx_hash", new_values."reputation_score", new_values."status", new_values."telegram_id", new_values."telegram_username" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."country" IS DISTINCT FROM (new_values."country") OR old_values."deleted_at" IS DISTINCT FROM (new_values."deleted_at") OR old_values."erased_at" IS DISTINCT FROM (new_values."erased_at") OR old_values."github_profile_data" IS DISTINCT FROM (new_values."github_profile_data") OR old_values."github_username" IS DISTINCT FROM (new_values."github_username") OR old_values."github_verified" IS DISTINCT FROM (new_values."github_verified") OR old_values."github_verified_at" IS DISTINCT FROM (new_values."github_verified_at") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."invited_by" IS DISTINCT FROM (new_values."invited_by") OR old_values."member_id" IS DISTINCT FROM (new_values."member_id") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."organization" IS DISTINCT FROM (new_values."organization") OR old_values."person_id" IS DISTINCT FROM (new_values."person_id") OR old_values."primary_role" IS DISTINCT FROM (new_values."primary_role") OR old_values."profile_data" IS DISTINCT FROM (new_values."profile_data") OR old_values."registration_fee_paid" IS DISTINCT FROM (new_values."registration_fee_paid") OR old_values."registration_fee_tx_hash" IS DISTINCT FROM (new_values."registration_fee_tx_hash") OR old_values."reputation_score" IS DISTINCT FROM (new_values."reputation_score") OR old_values."status" IS DISTINCT FROM (new_values."status") OR old_values."telegram_id" IS DISTINCT FROM (new_values."telegram_id") OR old_values."telegram_username" IS DISTINCT FROM (new_values."telegram_username")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="f806e531ff77dcf4fdc0d23cff1ba755a983ea5a",
                        level="STATEMENT",
                        operation="UPDATE",
                        pgid="pgtrigger_update_update_9274a",
                        referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                        table="community_members",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="communitymember",
                trigger=pgtrigger.compiler.Trigger(
                    name="delete_delete",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_members_history" ("country", "deleted_at", "erased_at", "github_profile_data", "github_username", "github_verified", "github_verified_at", "id", "invited_by", "member_id", "name", "organization", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "primary_role", "profile_data", "registration_fee_paid", "registration_fee_tx_hash", "reputation_score", "status", "telegram_id", "telegram_username") SELECT old_values."country", old_values."deleted_at", old_values."erased_at", old_values."github_profile_data", old_values."github_username", old_values."github_verified", old_values."github_verified_at", old_values."id", old_values."invited_by", old_values."member_id", old_values."name", old_values."organization", old_values."person_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."primary_role", old_values."profile_data", old_values."registration_fee_paid", old_values."registration_fee_tx_hash", old_values."reputation_score", old_values."status", old_values."telegram_id", old_values."telegram_username" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                        hash="32f5736f19d4f995a43b33d664fe121a3b9e3a10",
                        level="STATEMENT",
                        operation="DELETE",
                        pgid="pgtrigger_delete_delete_abcb5",
                        referencing="REFERENCING OLD TABLE AS old_values ",
                        table="community_members",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="communityinvitation",
                trigger=pgtrigger.compiler.Trigger(
                    name="insert_insert",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_invitations_history" ("accepted_at", "accepted_by", "created_by", "expires_at", "invitation_code", "invitation_id", "invited_telegram_username", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status") SELECT new_values."accepted_at", new_values."accepted_by", new_values."created_by", new_values."expires_at", new_values."invitation_code", new_values."invitation_id", new_values."invited_telegram_username", _pgh_attached_context.value, NOW(), \'insert\', new_values."invitation_id", new_values."status" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="39b3633ce73d2642929fcd79cffa3dd0e60828e0",
                        level="STATEMENT",
                        operation="INSERT",
                        pgid="pgtrigger_insert_insert_6bc64",
                        referencing="REFERENCING NEW TABLE AS new_values ",
                        table="community_invitations",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="communityinvitation",
                trigger=pgtrigger.compiler.Trigger(
                    name="update_update",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_invitations_history" ("accepted_at", "accepted_by", "created_by", "expires_at", "invitation_code", "invitation_id", "invited_telegram_username", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status") SELECT new_values."accepted_at", new_values."accepted_by", new_values."created_by", new_values."expires_at", new_values."invitation_code", new_values."invitation_id", new_values."invited_telegram_username", _pgh_attached_context.value, NOW(), \'update\', new_values."invitation_id", new_values."status" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."invitation_id") = (new_values."invitation_id") WHERE (old_values."accepted_at" IS DISTINCT FROM (new_values."accepted_at") OR old_values."accepted_by" IS DISTINCT FROM (new_values."accepted_by") OR old_values."created_by" IS DISTINCT FROM (new_values."created_by") OR old_values."expires_at" IS DISTINCT FROM (new_values."expires_at") OR old_values."invitation_code" IS DISTINCT FROM (new_values."invitation_code") OR old_values."invitation_id" IS DISTINCT FROM (new_values."invitation_id") OR old_values."invited_telegram_username" IS DISTINCT FROM (new_values."invited_telegram_username") OR old_values."status" IS DISTINCT FROM (new_values."status")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="8aef8f7fdb6b0aa4a711161fecf69b398d6e5982",
                        level="STATEMENT",
                        operation="UPDATE",
                        pgid="pgtrigger_update_update_b6bc4",
                        referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                        table="community_invitations",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="communityinvitation",
                trigger=pgtrigger.compiler.Trigger(
                    name="delete_delete",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_invitations_history" ("accepted_at", "accepted_by", "created_by", "expires_at", "invitation_code", "invitation_id", "invited_telegram_username", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status") SELECT old_values."accepted_at", old_values."accepted_by", old_values."created_by", old_values."expires_at", old_values."invitation_code", old_values."invitation_id", old_values."invited_telegram_username", _pgh_attached_context.value, NOW(), \'delete\', old_values."invitation_id", old_values."status" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                        hash="8a1239e1c9f8b3cf5a58690fa0cae94c2d24c48d",
                        level="STATEMENT",
                        operation="DELETE",
                        pgid="pgtrigger_delete_delete_f6ded",
                        referencing="REFERENCING OLD TABLE AS old_values ",
                        table="community_invitations",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="membership",
                trigger=pgtrigger.compiler.Trigger(
                    name="insert_insert",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "memberships_history" ("group_id", "id", "joined_at", "left_at", "member_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "status") SELECT new_values."group_id", new_values."id", new_values."joined_at", new_values."left_at", new_values."member_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."role", new_values."status" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="03bd51358ca41083fae7a6f28d0f00cb090aa901",
                        level="STATEMENT",
                        operation="INSERT",
                        pgid="pgtrigger_insert_insert_de82e",
                        referencing="REFERENCING NEW TABLE AS new_values ",
                        table="memberships",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="membership",
                trigger=pgtrigger.compiler.Trigger(
                    name="update_update",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "memberships_history" ("group_id", "id", "joined_at", "left_at", "member_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "status") SELECT new_values."group_id", new_values."id", new_values."joined_at", new_values."left_at", new_values."member_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."role", new_values."status" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="834c534aa8832c76be73019a26cf34c4eccd459d",
                        level="STATEMENT",
                        operation="UPDATE",
                        pgid="pgtrigger_update_update_e3575",
                        referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                        table="memberships",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="membership",
                trigger=pgtrigger.compiler.Trigger(
                    name="delete_delete",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "memberships_history" ("group_id", "id", "joined_at", "left_at", "member_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "status") SELECT old_values."group_id", old_values."id", old_values."joined_at", old_values."left_at", old_values."member_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."role", old_values."status" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                        hash="abe48b2f4b9c632f9e755cb91e6abcc053d89897",
                        level="STATEMENT",
                        operation="DELETE",
                        pgid="pgtrigger_delete_delete_5e7a8",
                        referencing="REFERENCING OLD TABLE AS old_values ",
                        table="memberships",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="task",
                trigger=pgtrigger.compiler.Trigger(
                    name="insert_insert",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "tasks_history" ("claimed_by_id", "description", "due_on", "group_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reward_points", "stable_id", "state", "title") SELECT new_values."claimed_by_id", new_values."description", new_values."due_on", new_values."group_id", new_values."id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."reward_points", new_values."stable_id", new_values."state", new_values."title" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="94158b3a627423122f1b0e71efe2df525f3f4ec8",
                        level="STATEMENT",
                        operation="INSERT",
                        pgid="pgtrigger_insert_insert_0037d",
                        referencing="REFERENCING NEW TABLE AS new_values ",
                        table="tasks",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="task",
                trigger=pgtrigger.compiler.Trigger(
                    name="update_update",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "tasks_history" ("claimed_by_id", "description", "due_on", "group_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reward_points", "stable_id", "state", "title") SELECT new_values."claimed_by_id", new_values."description", new_values."due_on", new_values."group_id", new_values."id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."reward_points", new_values."stable_id", new_values."state", new_values."title" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."claimed_by_id" IS DISTINCT FROM (new_values."claimed_by_id") OR old_values."description" IS DISTINCT FROM (new_values."description") OR old_values."due_on" IS DISTINCT FROM (new_values."due_on") OR old_values."group_id" IS DISTINCT FROM (new_values."group_id") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."reward_points" IS DISTINCT FROM (new_values."reward_points") OR old_values."stable_id" IS DISTINCT FROM (new_values."stable_id") OR old_values."state" IS DISTINCT FROM (new_values."state") OR old_values."title" IS DISTINCT FROM (new_values."title")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="4a2e145897da9a10fab7be9f237d0526322af19d",
                        level="STATEMENT",
                        operation="UPDATE",
                        pgid="pgtrigger_update_update_74618",
                        referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                        table="tasks",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="task",
                trigger=pgtrigger.compiler.Trigger(
                    name="delete_delete",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "tasks_history" ("claimed_by_id", "description", "due_on", "group_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reward_points", "stable_id", "state", "title") SELECT old_values."claimed_by_id", old_values."description", old_values."due_on", old_values."group_id", old_values."id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."reward_points", old_values."stable_id", old_values."state", old_values."title" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                        hash="70270171ccb7ba2d860135ba48940b488c037409",
                        level="STATEMENT",
                        operation="DELETE",
                        pgid="pgtrigger_delete_delete_c60f0",
                        referencing="REFERENCING OLD TABLE AS old_values ",
                        table="tasks",
                        when="AFTER",
                    ),
                ),
            ),
            SQLFile("groups/functions/current_member_groups", version=1),
            SQLFile("groups/functions/current_member_may_join", version=1),
            SQLFile("groups/functions/erase_directory_entry", version=1),
            SQLFile("groups/policies", version=1),
            SQLFile("groups/grants", version=1),
            SQLFile("groups/data/system_member", version=1),
        ),
    ]
