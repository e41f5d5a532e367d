import django.contrib.postgres.functions
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Merging two people, and possible duplicates."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("groups", "0009_invitation_uses"),
    ]

    operations = [
        migrations.CreateModel(
            name="MemberMerge",
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
                    "reason",
                    models.CharField(blank=True, db_default="", default="", max_length=500, verbose_name="reason"),
                ),
                (
                    "merged_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="merged at",
                    ),
                ),
                ("undone_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="undone at")),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
                "db_table": "member_merges",
                "ordering": [
                    models.OrderBy(models.F("merged_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
            },
        ),
        migrations.CreateModel(
            name="MergedRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("step", models.IntegerField(verbose_name="step")),
                ("table_name", models.CharField(max_length=63, verbose_name="table")),
                ("row_key", models.CharField(max_length=64, verbose_name="key")),
                ("before", models.JSONField(verbose_name="before")),
                ("after", models.JSONField(verbose_name="after")),
            ],
            options={
                "verbose_name": "merged row",
                "verbose_name_plural": "merged rows",
                "db_table": "member_merge_rows",
            },
        ),
        migrations.CreateModel(
            name="PossibleDuplicate",
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
                ("first", models.UUIDField(editable=False, verbose_name="first person")),
                ("second", models.UUIDField(editable=False, verbose_name="second person")),
                ("reasons", models.JSONField(default=list, editable=False, verbose_name="in common")),
                (
                    "score",
                    models.IntegerField(
                        editable=False, help_text="How likely they are the same, from 0 to 100.", verbose_name="score"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "To decide"),
                            ("not_same", "Not the same"),
                            ("merged", "Merged"),
                            ("outdated", "No longer alike"),
                        ],
                        db_default="open",
                        default="open",
                        editable=False,
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                (
                    "found_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="found at",
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="decided at")),
            ],
            options={
                "verbose_name": "possible duplicate",
                "verbose_name_plural": "possible duplicates",
                "db_table": "possible_duplicates",
                "ordering": [models.OrderBy(models.F("score"), descending=True), models.F("id")],
            },
        ),
        migrations.AlterModelOptions(
            name="communitymember",
            options={
                "ordering": [
                    models.OrderBy(models.F("created_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
                "permissions": [
                    ("approve_communitymember", "Can approve, suspend, reinstate and ban members"),
                    ("verify_communitymember", "Can verify GitHub accounts"),
                    ("import_communitymember", "Can import members"),
                    ("export_communitymember", "Can export the directory"),
                    ("remove_communitymember", "Can remove members from the directory and restore them"),
                    ("merge_communitymember", "Can merge people and decide about possible duplicates"),
                    ("erase_communitymember", "Can erase personal data"),
                ],
                "verbose_name": "directory entry",
                "verbose_name_plural": "directory",
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="communitymember",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="communitymember",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="communitymember",
            name="delete_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="member",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="member",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="member",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="communitymember",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                db_column="merged_into",
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="absorbed",
                to="groups.communitymember",
                to_field="member_id",
                verbose_name="merged into",
            ),
        ),
        migrations.AddField(
            model_name="communitymemberhistory",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                db_column="merged_into",
                db_constraint=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="groups.communitymember",
                to_field="member_id",
                verbose_name="merged into",
            ),
        ),
        migrations.AddField(
            model_name="member",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="absorbed",
                to=settings.AUTH_USER_MODEL,
                verbose_name="merged into",
            ),
        ),
        migrations.AddField(
            model_name="memberhistory",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="merged into",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="communitymember",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_members_history" ("country", "deleted_at", "erased_at", "github_profile_data", "github_username", "github_verified", "github_verified_at", "id", "invited_by", "member_id", "merged_into", "name", "organization", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "primary_role", "profile_data", "registration_fee_paid", "registration_fee_tx_hash", "reputation_score", "status", "telegram_id", "telegram_username") SELECT new_values."country", new_values."deleted_at", new_values."erased_at", new_values."github_profile_data", new_values."github_username", new_values."github_verified", new_values."github_verified_at", new_values."id", new_values."invited_by", new_values."member_id", new_values."merged_into", new_values."name", new_values."organization", new_values."person_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."primary_role", new_values."profile_data", new_values."registration_fee_paid", new_values."registration_fee_tx_hash", new_values."reputation_score", new_values."status", new_values."telegram_id", new_values."telegram_username" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="7065a2e87edf77b3917cd4505bf8a25c9ded04e1",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_members_history" ("country", "deleted_at", "erased_at", "github_profile_data", "github_username", "github_verified", "github_verified_at", "id", "invited_by", "member_id", "merged_into", "name", "organization", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "primary_role", "profile_data", "registration_fee_paid", "registration_fee_tx_hash", "reputation_score", "status", "telegram_id", "telegram_username") SELECT new_values."country", new_values."deleted_at", new_values."erased_at", new_values."github_profile_data", new_values."github_username", new_values."github_verified", new_values."github_verified_at", new_values."id", new_values."invited_by", new_values."member_id", new_values."merged_into", new_values."name", new_values."organization", new_values."person_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."primary_role", new_values."profile_data", new_values."registration_fee_paid", new_values."registration_fee_tx_hash", new_values."reputation_score", new_values."status", new_values."telegram_id", new_values."telegram_username" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."country" IS DISTINCT FROM (new_values."country") OR old_values."deleted_at" IS DISTINCT FROM (new_values."deleted_at") OR old_values."erased_at" IS DISTINCT FROM (new_values."erased_at") OR old_values."github_profile_data" IS DISTINCT FROM (new_values."github_profile_data") OR old_values."github_username" IS DISTINCT FROM (new_values."github_username") OR old_values."github_verified" IS DISTINCT FROM (new_values."github_verified") OR old_values."github_verified_at" IS DISTINCT FROM (new_values."github_verified_at") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."invited_by" IS DISTINCT FROM (new_values."invited_by") OR old_values."member_id" IS DISTINCT FROM (new_values."member_id") OR old_values."merged_into" IS DISTINCT FROM (new_values."merged_into") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."organization" IS DISTINCT FROM (new_values."organization") OR old_values."person_id" IS DISTINCT FROM (new_values."person_id") OR old_values."primary_role" IS DISTINCT FROM (new_values."primary_role") OR old_values."profile_data" IS DISTINCT FROM (new_values."profile_data") OR old_values."registration_fee_paid" IS DISTINCT FROM (new_values."registration_fee_paid") OR old_values."registration_fee_tx_hash" IS DISTINCT FROM (new_values."registration_fee_tx_hash") OR old_values."reputation_score" IS DISTINCT FROM (new_values."reputation_score") OR old_values."status" IS DISTINCT FROM (new_values."status") OR old_values."telegram_id" IS DISTINCT FROM (new_values."telegram_id") OR old_values."telegram_username" IS DISTINCT FROM (new_values."telegram_username")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="c87b98e83bbc389e0c977c1877c0578afbf4af93",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_members_history" ("country", "deleted_at", "erased_at", "github_profile_data", "github_username", "github_verified", "github_verified_at", "id", "invited_by", "member_id", "merged_into", "name", "organization", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "primary_role", "profile_data", "registration_fee_paid", "registration_fee_tx_hash", "reputation_score", "status", "telegram_id", "telegram_username") SELECT old_values."country", old_values."deleted_at", old_values."erased_at", old_values."github_profile_data", old_values."github_username", old_values."github_verified", old_values."github_verified_at", old_values."id", old_values."invited_by", old_values."member_id", old_values."merged_into", old_values."name", old_values."organization", old_values."person_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."primary_role", old_values."profile_data", old_values."registration_fee_paid", old_values."registration_fee_tx_hash", old_values."reputation_score", old_values."status", old_values."telegram_id", old_values."telegram_username" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="8a78ab63c6a5d344043602d063e8405489ddf2b6",
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
            model_name="member",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "members_history" ("display_name", "email", "id", "is_active", "is_staff", "is_superuser", "member_id", "merged_into_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "trust_score") SELECT new_values."display_name", new_values."email", new_values."id", new_values."is_active", new_values."is_staff", new_values."is_superuser", new_values."member_id", new_values."merged_into_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."trust_score" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="687f1b8eda15dfae76999b85a2f50d408b50de0e",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "members_history" ("display_name", "email", "id", "is_active", "is_staff", "is_superuser", "member_id", "merged_into_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "trust_score") SELECT new_values."display_name", new_values."email", new_values."id", new_values."is_active", new_values."is_staff", new_values."is_superuser", new_values."member_id", new_values."merged_into_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."trust_score" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."display_name" IS DISTINCT FROM (new_values."display_name") OR old_values."email" IS DISTINCT FROM (new_values."email") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."is_active" IS DISTINCT FROM (new_values."is_active") OR old_values."is_staff" IS DISTINCT FROM (new_values."is_staff") OR old_values."is_superuser" IS DISTINCT FROM (new_values."is_superuser") OR old_values."member_id" IS DISTINCT FROM (new_values."member_id") OR old_values."merged_into_id" IS DISTINCT FROM (new_values."merged_into_id") OR old_values."trust_score" IS DISTINCT FROM (new_values."trust_score")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="144b1c55b9944bd06f93c5cd237b75ad53006560",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "members_history" ("display_name", "email", "id", "is_active", "is_staff", "is_superuser", "member_id", "merged_into_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "trust_score") SELECT old_values."display_name", old_values."email", old_values."id", old_values."is_active", old_values."is_staff", old_values."is_superuser", old_values."member_id", old_values."merged_into_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."trust_score" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="e16a39cd3aa35bd1de107f63db71bfe2e1835bc7",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_d2525",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="members",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="communitymember",
            constraint=models.CheckConstraint(
                condition=models.Q(("merged_into__isnull", True), ("deleted_at__isnull", False), _connector="OR"),
                name="community_members_merged_is_removed",
            ),
        ),
        migrations.AddConstraint(
            model_name="communitymember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into__isnull", True),
                    models.Q(("merged_into", models.F("member_id")), _negated=True),
                    _connector="OR",
                ),
                name="community_members_not_merged_into_self",
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(("merged_into__isnull", True), ("is_active", False), _connector="OR"),
                name="members_merged_is_closed",
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into__isnull", True),
                    models.Q(("merged_into", models.F("id")), _negated=True),
                    _connector="OR",
                ),
                name="members_not_merged_into_self",
            ),
        ),
        migrations.AddField(
            model_name="membermerge",
            name="absorbed",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="absorbed account",
            ),
        ),
        migrations.AddField(
            model_name="membermerge",
            name="absorbed_entry",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="groups.communitymember",
                to_field="member_id",
                verbose_name="absorbed entry",
            ),
        ),
        migrations.AddField(
            model_name="membermerge",
            name="kept",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="kept account",
            ),
        ),
        migrations.AddField(
            model_name="membermerge",
            name="kept_entry",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="groups.communitymember",
                to_field="member_id",
                verbose_name="kept entry",
            ),
        ),
        migrations.AddField(
            model_name="membermerge",
            name="merged_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="merged by",
            ),
        ),
        migrations.AddField(
            model_name="membermerge",
            name="undone_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="undone by",
            ),
        ),
        migrations.AddField(
            model_name="mergedrow",
            name="merge",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rows",
                to="groups.membermerge",
                verbose_name="merge",
            ),
        ),
        migrations.AddField(
            model_name="possibleduplicate",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="decided by",
            ),
        ),
        migrations.AddConstraint(
            model_name="membermerge",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="member_merges_reason_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="membermerge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kept__isnull", True),
                    ("absorbed__isnull", True),
                    models.Q(("kept", models.F("absorbed")), _negated=True),
                    _connector="OR",
                ),
                name="member_merges_two_accounts",
            ),
        ),
        migrations.AddConstraint(
            model_name="membermerge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("undone_at__isnull", True), ("undone_by__isnull", True)),
                    models.Q(("undone_at__isnull", False), ("undone_by__isnull", False)),
                    _connector="OR",
                ),
                name="member_merges_undone_fits",
            ),
        ),
        migrations.AddIndex(
            model_name="possibleduplicate",
            index=models.Index(
                models.F("status"),
                models.OrderBy(models.F("score"), descending=True),
                models.F("id"),
                name="possible_duplicates_list",
            ),
        ),
        migrations.AddConstraint(
            model_name="possibleduplicate",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "not_same", "merged", "outdated"])),
                name="possible_duplicates_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="possibleduplicate",
            constraint=models.CheckConstraint(
                condition=models.Q(("first__lt", models.F("second"))), name="possible_duplicates_in_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="possibleduplicate",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__gte", 0), ("score__lte", 100)), name="possible_duplicates_score_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="possibleduplicate",
            constraint=models.UniqueConstraint(fields=("first", "second"), name="possible_duplicates_pair_once"),
        ),
        SQLFile("groups/functions/erase_directory_entry", version=3),
        SQLFile("groups/functions/name_key", version=1),
        SQLFile("groups/functions/name_query", version=1),
        SQLFile("groups/functions/email_key", version=1),
        SQLFile("groups/functions/guard_member_merge", version=1),
        SQLFile("groups/functions/guard_entry_merge", version=1),
        SQLFile("groups/triggers/members_merge", version=1),
        SQLFile("groups/triggers/community_members_merge", version=1),
        SQLFile("groups/policies_merges", version=1),
    ]
