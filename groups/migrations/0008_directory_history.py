import django.contrib.postgres.functions
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from missionsite.common.sqlfiles import KeepRows, SQLFile


class Migration(migrations.Migration):
    """What entries and invitations looked like after each change; the way back sets the rows aside."""

    dependencies = [
        ("groups", "0007_community_directory"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
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
                ("accepted_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="accepted")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "db_table": "community_invitations_history",
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
                        help_text="#247; never changes.",
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
                ("organization", models.CharField(blank=True, max_length=255, null=True, verbose_name="organisation")),
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
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="removed at")),
                ("erased_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "db_table": "community_members_history",
            },
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
        migrations.AddField(
            model_name="communityinvitationhistory",
            name="accepted_by",
            field=models.ForeignKey(
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
        migrations.AddField(
            model_name="communityinvitationhistory",
            name="created_by",
            field=models.ForeignKey(
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
        migrations.AddField(
            model_name="communityinvitationhistory",
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
            model_name="communityinvitationhistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="history",
                related_query_name="history",
                to="groups.communityinvitation",
            ),
        ),
        migrations.AddField(
            model_name="communitymemberhistory",
            name="invited_by",
            field=models.ForeignKey(
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
        migrations.AddField(
            model_name="communitymemberhistory",
            name="person",
            field=models.ForeignKey(
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
        migrations.AddField(
            model_name="communitymemberhistory",
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
            model_name="communitymemberhistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="history",
                related_query_name="history",
                to="groups.communitymember",
            ),
        ),
        migrations.AddIndex(
            model_name="communityinvitationhistory",
            index=models.Index(fields=["pgh_obj", "-pgh_id"], name="invitations_history_of"),
        ),
        migrations.AddIndex(
            model_name="communitymemberhistory",
            index=models.Index(fields=["pgh_obj", "-pgh_id"], name="community_members_history_of"),
        ),
        SQLFile(__file__, "directory_history_rights"),
        KeepRows("community_members_history"),
        KeepRows("community_invitations_history"),
    ]
