import django.contrib.postgres.functions
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from missionsite.common.sqlfiles import KeepRows, SQLFile


class Migration(migrations.Migration):
    """What every row looked like after each change; the way back sets the rows aside."""

    dependencies = [
        ("groups", "0003_mission_counters"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
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
                        choices=[("colony", "Colony"), ("mission", "Mission")], db_default="mission", default="mission"
                    ),
                ),
                ("description", models.TextField(blank=True, db_default="", default="")),
                (
                    "status",
                    models.TextField(
                        choices=[("active", "Active"), ("archived", "Archived")], db_default="active", default="active"
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
            ],
            options={
                "db_table": "groups_history",
            },
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
                        help_text="FE-P-00001; never changes.",
                        max_length=20,
                        verbose_name="stable ID",
                    ),
                ),
                ("email", models.EmailField(help_text="The e-mail to log in with.", max_length=255)),
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
            ],
            options={
                "db_table": "members_history",
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
            ],
            options={
                "db_table": "memberships_history",
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
            ],
            options={
                "db_table": "tasks_history",
            },
        ),
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
        migrations.AddField(
            model_name="grouphistory",
            name="parent_group",
            field=models.ForeignKey(
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
        migrations.AddField(
            model_name="grouphistory",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="grouphistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="history",
                related_query_name="history",
                to="groups.group",
            ),
        ),
        migrations.AddField(
            model_name="memberhistory",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="memberhistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="history",
                related_query_name="history",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="membershiphistory",
            name="group",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="groups.group",
            ),
        ),
        migrations.AddField(
            model_name="membershiphistory",
            name="member",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="membershiphistory",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="membershiphistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="history",
                related_query_name="history",
                to="groups.membership",
            ),
        ),
        migrations.AddField(
            model_name="taskhistory",
            name="claimed_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="taskhistory",
            name="group",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="groups.group",
                verbose_name="mission",
            ),
        ),
        migrations.AddField(
            model_name="taskhistory",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="taskhistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="history",
                related_query_name="history",
                to="groups.task",
            ),
        ),
        migrations.AddIndex(
            model_name="grouphistory",
            index=models.Index(fields=["pgh_obj", "-pgh_id"], name="groups_history_of"),
        ),
        migrations.AddIndex(
            model_name="memberhistory",
            index=models.Index(fields=["pgh_obj", "-pgh_id"], name="members_history_of"),
        ),
        migrations.AddIndex(
            model_name="membershiphistory",
            index=models.Index(fields=["pgh_obj", "-pgh_id"], name="memberships_history_of"),
        ),
        migrations.AddIndex(
            model_name="taskhistory",
            index=models.Index(fields=["pgh_obj", "-pgh_id"], name="tasks_history_of"),
        ),
        SQLFile(__file__, "history_rights"),
        KeepRows("members_history"),
        KeepRows("groups_history"),
        KeepRows("memberships_history"),
        KeepRows("tasks_history"),
    ]
