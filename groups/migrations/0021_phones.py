import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Phone numbers of people in the directory."""

    dependencies = [
        ("groups", "0020_role_terms"),
    ]

    operations = [
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
        migrations.AddField(
            model_name="communitymember",
            name="phone",
            field=models.CharField(
                blank=True,
                help_text="With the country's prefix, such as +55 11 91234-5678. Not shown to other members.",
                max_length=16,
                null=True,
                verbose_name="phone",
            ),
        ),
        migrations.AddField(
            model_name="communitymemberhistory",
            name="phone",
            field=models.CharField(
                blank=True,
                help_text="With the country's prefix, such as +55 11 91234-5678. Not shown to other members.",
                max_length=16,
                null=True,
                verbose_name="phone",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="communitymember",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_members_history" ("country", "deleted_at", "erased_at", "github_profile_data", "github_username", "github_verified", "github_verified_at", "id", "invited_by", "member_id", "merged_into", "name", "organization", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "primary_role", "profile_data", "registration_fee_paid", "registration_fee_tx_hash", "reputation_score", "status", "telegram_id", "telegram_username") SELECT new_values."country", new_values."deleted_at", new_values."erased_at", new_values."github_profile_data", new_values."github_username", new_values."github_verified", new_values."github_verified_at", new_values."id", new_values."invited_by", new_values."member_id", new_values."merged_into", new_values."name", new_values."organization", new_values."person_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."phone", new_values."primary_role", new_values."profile_data", new_values."registration_fee_paid", new_values."registration_fee_tx_hash", new_values."reputation_score", new_values."status", new_values."telegram_id", new_values."telegram_username" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="7a929e969d92d8e85bdf5f770cd2492f03a7e43b",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_members_history" ("country", "deleted_at", "erased_at", "github_profile_data", "github_username", "github_verified", "github_verified_at", "id", "invited_by", "member_id", "merged_into", "name", "organization", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "primary_role", "profile_data", "registration_fee_paid", "registration_fee_tx_hash", "reputation_score", "status", "telegram_id", "telegram_username") SELECT new_values."country", new_values."deleted_at", new_values."erased_at", new_values."github_profile_data", new_values."github_username", new_values."github_verified", new_values."github_verified_at", new_values."id", new_values."invited_by", new_values."member_id", new_values."merged_into", new_values."name", new_values."organization", new_values."person_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."phone", new_values."primary_role", new_values."profile_data", new_values."registration_fee_paid", new_values."registration_fee_tx_hash", new_values."reputation_score", new_values."status", new_values."telegram_id", new_values."telegram_username" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."country" IS DISTINCT FROM (new_values."country") OR old_values."deleted_at" IS DISTINCT FROM (new_values."deleted_at") OR old_values."erased_at" IS DISTINCT FROM (new_values."erased_at") OR old_values."github_profile_data" IS DISTINCT FROM (new_values."github_profile_data") OR old_values."github_username" IS DISTINCT FROM (new_values."github_username") OR old_values."github_verified" IS DISTINCT FROM (new_values."github_verified") OR old_values."github_verified_at" IS DISTINCT FROM (new_values."github_verified_at") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."invited_by" IS DISTINCT FROM (new_values."invited_by") OR old_values."member_id" IS DISTINCT FROM (new_values."member_id") OR old_values."merged_into" IS DISTINCT FROM (new_values."merged_into") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."organization" IS DISTINCT FROM (new_values."organization") OR old_values."person_id" IS DISTINCT FROM (new_values."person_id") OR old_values."phone" IS DISTINCT FROM (new_values."phone") OR old_values."primary_role" IS DISTINCT FROM (new_values."primary_role") OR old_values."profile_data" IS DISTINCT FROM (new_values."profile_data") OR old_values."registration_fee_paid" IS DISTINCT FROM (new_values."registration_fee_paid") OR old_values."registration_fee_tx_hash" IS DISTINCT FROM (new_values."registration_fee_tx_hash") OR old_values."reputation_score" IS DISTINCT FROM (new_values."reputation_score") OR old_values."status" IS DISTINCT FROM (new_values."status") OR old_values."telegram_id" IS DISTINCT FROM (new_values."telegram_id") OR old_values."telegram_username" IS DISTINCT FROM (new_values."telegram_username")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="032e63075d3934fd41924e626725abefd41d1fcd",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_members_history" ("country", "deleted_at", "erased_at", "github_profile_data", "github_username", "github_verified", "github_verified_at", "id", "invited_by", "member_id", "merged_into", "name", "organization", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "primary_role", "profile_data", "registration_fee_paid", "registration_fee_tx_hash", "reputation_score", "status", "telegram_id", "telegram_username") SELECT old_values."country", old_values."deleted_at", old_values."erased_at", old_values."github_profile_data", old_values."github_username", old_values."github_verified", old_values."github_verified_at", old_values."id", old_values."invited_by", old_values."member_id", old_values."merged_into", old_values."name", old_values."organization", old_values."person_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."phone", old_values."primary_role", old_values."profile_data", old_values."registration_fee_paid", old_values."registration_fee_tx_hash", old_values."reputation_score", old_values."status", old_values."telegram_id", old_values."telegram_username" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="81cb36bb836ba4550f0ca2e5ebcf20a9989962f5",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_abcb5",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="community_members",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="communitymember",
            constraint=models.CheckConstraint(
                condition=models.Q(("phone__isnull", True), ("phone__regex", "^\\+[1-9][0-9]{6,14}$"), _connector="OR"),
                name="community_members_phone_format",
            ),
        ),
        SQLFile("groups/functions/erase_directory_entry", version=4),
    ]
