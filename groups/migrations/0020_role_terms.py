import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Roles of memberships that end."""

    dependencies = [
        ("groups", "0019_join_requests"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="membership",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="membership",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="membership",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="membership",
            name="role_until",
            field=models.DateTimeField(blank=True, null=True, verbose_name="role until"),
        ),
        migrations.AddField(
            model_name="membershiphistory",
            name="role_until",
            field=models.DateTimeField(blank=True, null=True, verbose_name="role until"),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(
                condition=models.Q(("role_until__isnull", False)), fields=["role_until"], name="memberships_role_terms"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "memberships_history" ("group_id", "id", "joined_at", "left_at", "member_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "role_until", "status") SELECT new_values."group_id", new_values."id", new_values."joined_at", new_values."left_at", new_values."member_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."role", new_values."role_until", new_values."status" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="037d20c63124c7492076f365b826e1f0ed28b00e",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "memberships_history" ("group_id", "id", "joined_at", "left_at", "member_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "role_until", "status") SELECT new_values."group_id", new_values."id", new_values."joined_at", new_values."left_at", new_values."member_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."role", new_values."role_until", new_values."status" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="7860e0e0611e993026554be8e379dbe4e53b2d0e",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "memberships_history" ("group_id", "id", "joined_at", "left_at", "member_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "role_until", "status") SELECT old_values."group_id", old_values."id", old_values."joined_at", old_values."left_at", old_values."member_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."role", old_values."role_until", old_values."status" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="c323aa705639e8aec20ec760f589707655f4c713",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_5e7a8",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="memberships",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("role_until__isnull", True), ("role_until__gt", models.F("joined_at")), _connector="OR"
                ),
                name="memberships_role_until_fits",
            ),
        ),
        SQLFile("groups/grants_role_terms", version=1),
    ]
