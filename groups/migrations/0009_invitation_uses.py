import django.contrib.postgres.functions
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Invitations for several people, with a list of who registered; their recipients."""

    dependencies = [
        ("groups", "0008_further_meaningful_rows"),
    ]

    operations = [
        migrations.CreateModel(
            name="CommunityInvitationUse",
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
                    "used_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="registered at",
                    ),
                ),
            ],
            options={
                "verbose_name": "registration with an invitation",
                "verbose_name_plural": "registrations with an invitation",
                "db_table": "community_invitation_uses",
                "ordering": ["used_at", "id"],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="communityinvitation",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="communityinvitation",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="communityinvitation",
            name="delete_delete",
        ),
        migrations.RemoveConstraint(
            model_name="communityinvitation",
            name="community_invitations_accepted_fits",
        ),
        migrations.AddField(
            model_name="communityinvitation",
            name="invited_email",
            field=models.EmailField(blank=True, max_length=255, null=True, verbose_name="e-mail"),
        ),
        migrations.AddField(
            model_name="communityinvitation",
            name="invited_name",
            field=models.CharField(blank=True, max_length=255, null=True, verbose_name="name"),
        ),
        migrations.AddField(
            model_name="communityinvitation",
            name="max_uses",
            field=models.IntegerField(
                db_default=1,
                default=1,
                help_text="How many people can register with it. Each registration is listed.",
                verbose_name="number of people",
            ),
        ),
        migrations.AddField(
            model_name="communityinvitation",
            name="uses",
            field=models.IntegerField(db_default=0, default=0, editable=False, verbose_name="registered"),
        ),
        migrations.AddField(
            model_name="communityinvitationhistory",
            name="invited_email",
            field=models.EmailField(blank=True, max_length=255, null=True, verbose_name="e-mail"),
        ),
        migrations.AddField(
            model_name="communityinvitationhistory",
            name="invited_name",
            field=models.CharField(blank=True, max_length=255, null=True, verbose_name="name"),
        ),
        migrations.AddField(
            model_name="communityinvitationhistory",
            name="max_uses",
            field=models.IntegerField(
                db_default=1,
                default=1,
                help_text="How many people can register with it. Each registration is listed.",
                verbose_name="number of people",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="communityinvitation",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_invitations_history" ("accepted_at", "accepted_by", "created_by", "expires_at", "invitation_code", "invitation_id", "invited_email", "invited_name", "invited_telegram_username", "max_uses", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status") SELECT new_values."accepted_at", new_values."accepted_by", new_values."created_by", new_values."expires_at", new_values."invitation_code", new_values."invitation_id", new_values."invited_email", new_values."invited_name", new_values."invited_telegram_username", new_values."max_uses", _pgh_attached_context.value, NOW(), \'insert\', new_values."invitation_id", new_values."status" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="32187bc3d1bb9a305e059998755418c1297d0fcc",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_invitations_history" ("accepted_at", "accepted_by", "created_by", "expires_at", "invitation_code", "invitation_id", "invited_email", "invited_name", "invited_telegram_username", "max_uses", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status") SELECT new_values."accepted_at", new_values."accepted_by", new_values."created_by", new_values."expires_at", new_values."invitation_code", new_values."invitation_id", new_values."invited_email", new_values."invited_name", new_values."invited_telegram_username", new_values."max_uses", _pgh_attached_context.value, NOW(), \'update\', new_values."invitation_id", new_values."status" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."invitation_id") = (new_values."invitation_id") WHERE (old_values."accepted_at" IS DISTINCT FROM (new_values."accepted_at") OR old_values."accepted_by" IS DISTINCT FROM (new_values."accepted_by") OR old_values."created_by" IS DISTINCT FROM (new_values."created_by") OR old_values."expires_at" IS DISTINCT FROM (new_values."expires_at") OR old_values."invitation_code" IS DISTINCT FROM (new_values."invitation_code") OR old_values."invitation_id" IS DISTINCT FROM (new_values."invitation_id") OR old_values."invited_email" IS DISTINCT FROM (new_values."invited_email") OR old_values."invited_name" IS DISTINCT FROM (new_values."invited_name") OR old_values."invited_telegram_username" IS DISTINCT FROM (new_values."invited_telegram_username") OR old_values."max_uses" IS DISTINCT FROM (new_values."max_uses") OR old_values."status" IS DISTINCT FROM (new_values."status")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="daab788dca886b860c9da7abbfa65021ed092b43",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "community_invitations_history" ("accepted_at", "accepted_by", "created_by", "expires_at", "invitation_code", "invitation_id", "invited_email", "invited_name", "invited_telegram_username", "max_uses", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status") SELECT old_values."accepted_at", old_values."accepted_by", old_values."created_by", old_values."expires_at", old_values."invitation_code", old_values."invitation_id", old_values."invited_email", old_values."invited_name", old_values."invited_telegram_username", old_values."max_uses", _pgh_attached_context.value, NOW(), \'delete\', old_values."invitation_id", old_values."status" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="d19d828cbb882ee61f31c9fc544324ed48533081",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_f6ded",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="community_invitations",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="communityinvitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("invited_email__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                ),
                name="community_invitations_invited_email_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="communityinvitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("invited_name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                ),
                name="community_invitations_invited_name_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="communityinvitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_uses__gte", 1), ("max_uses__lte", 500)),
                name="community_invitations_max_uses_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="communityinvitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("uses__gte", 0), ("uses__lte", models.F("max_uses"))),
                name="community_invitations_uses_within_limit",
            ),
        ),
        migrations.AddConstraint(
            model_name="communityinvitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("accepted_at__isnull", False),
                        ("accepted_by__isnull", False),
                        ("max_uses", 1),
                        ("status", "accepted"),
                    ),
                    models.Q(
                        ("accepted_at__isnull", False),
                        ("accepted_by__isnull", True),
                        ("max_uses__gt", 1),
                        ("status", "accepted"),
                    ),
                    models.Q(
                        models.Q(("status", "accepted"), _negated=True),
                        ("accepted_at__isnull", True),
                        ("accepted_by__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="community_invitations_accepted_fits",
            ),
        ),
        migrations.AddField(
            model_name="communityinvitationuse",
            name="invitation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="registrations",
                to="groups.communityinvitation",
                verbose_name="invitation",
            ),
        ),
        migrations.AddField(
            model_name="communityinvitationuse",
            name="member",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="registration",
                to="groups.communitymember",
                to_field="member_id",
                verbose_name="member",
            ),
        ),
        SQLFile("groups/functions/guard_community_invitations", version=2),
        SQLFile("groups/functions/erase_directory_entry", version=2),
        SQLFile("groups/functions/record_invitation_use", version=1),
        SQLFile("groups/functions/count_invitation_use", version=1),
        SQLFile("groups/triggers/community_invitation_uses", version=1),
        SQLFile("groups/triggers/community_invitations_uses", version=1),
        SQLFile("groups/policies_invitation_uses", version=1),
        SQLFile("groups/data/invitation_uses", version=1),
    ]
