import django.contrib.postgres.fields
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile

# Functions with another list of parameters: both would exist.
OLD_RULE = (
    "DROP FUNCTION engagement_block_reason(text, boolean, boolean, text, timestamptz, boolean, text, timestamptz,"
    " boolean, boolean)"
)
OLD_CLAIM = (
    "DROP FUNCTION claim_messages(text, uuid, timestamptz, integer, interval, timestamptz, bigint, text[], time, time,"
    " integer, interval, boolean, boolean)"
)
OLD_MARK = "DROP FUNCTION mark_messages_sent(uuid, bigint[], timestamptz[], text[])"
NEW_RULE = OLD_RULE.removesuffix(")") + ", boolean)"
NEW_CLAIM = OLD_CLAIM.removesuffix(")") + ", text, text[])"
NEW_MARK = OLD_MARK.removesuffix(")") + ", text, text[])"


class Migration(migrations.Migration):
    """Several channels at once, in the order that each member chooses."""

    dependencies = [
        ("engagement", "0021_phones"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="userprofile",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="userprofile",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="userprofile",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="engagementclaim",
            name="channel",
            field=models.TextField(db_default="", default=""),
        ),
        migrations.AddField(
            model_name="engagementmessage",
            name="channel",
            field=models.TextField(
                blank=True,
                choices=[
                    ("email", "E-mail"),
                    ("telegram", "Telegram"),
                    ("telegram_name", "Telegram name"),
                    ("whatsapp", "WhatsApp or phone"),
                    ("chat", "Another chat"),
                ],
                db_default="",
                default="",
                verbose_name="channel",
            ),
        ),
        migrations.AddField(
            model_name="userprofile",
            name="channels",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(
                    choices=[
                        ("email", "E-mail"),
                        ("telegram", "Telegram"),
                        ("telegram_name", "Telegram name"),
                        ("whatsapp", "WhatsApp or phone"),
                        ("chat", "Another chat"),
                    ]
                ),
                blank=True,
                db_default=[],
                default=list,
                help_text="In this order: the next one is used if the one before has no verified address, or it bounced.",
                size=None,
                verbose_name="channels",
            ),
        ),
        migrations.AddField(
            model_name="userprofilehistory",
            name="channels",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(
                    choices=[
                        ("email", "E-mail"),
                        ("telegram", "Telegram"),
                        ("telegram_name", "Telegram name"),
                        ("whatsapp", "WhatsApp or phone"),
                        ("chat", "Another chat"),
                    ]
                ),
                blank=True,
                db_default=[],
                default=list,
                help_text="In this order: the next one is used if the one before has no verified address, or it bounced.",
                size=None,
                verbose_name="channels",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userprofile",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "user_profiles_history" ("channels", "group_jid", "individual_jid", "locale", "magic_moment_at", "muted_topics", "onboarding_tier", "onboarding_tier_progress", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preferred_destination", "reengagement_opt_out", "timezone", "user_id") SELECT new_values."channels", new_values."group_jid", new_values."individual_jid", new_values."locale", new_values."magic_moment_at", new_values."muted_topics", new_values."onboarding_tier", new_values."onboarding_tier_progress", _pgh_attached_context.value, NOW(), \'insert\', new_values."user_id", new_values."preferred_destination", new_values."reengagement_opt_out", new_values."timezone", new_values."user_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="2ae0ff88bb323055647923a1d8dc9442de89ff83",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_ddae4",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="user_profiles",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userprofile",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "user_profiles_history" ("channels", "group_jid", "individual_jid", "locale", "magic_moment_at", "muted_topics", "onboarding_tier", "onboarding_tier_progress", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preferred_destination", "reengagement_opt_out", "timezone", "user_id") SELECT new_values."channels", new_values."group_jid", new_values."individual_jid", new_values."locale", new_values."magic_moment_at", new_values."muted_topics", new_values."onboarding_tier", new_values."onboarding_tier_progress", _pgh_attached_context.value, NOW(), \'update\', new_values."user_id", new_values."preferred_destination", new_values."reengagement_opt_out", new_values."timezone", new_values."user_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."user_id") = (new_values."user_id") WHERE (old_values."channels" IS DISTINCT FROM (new_values."channels") OR old_values."group_jid" IS DISTINCT FROM (new_values."group_jid") OR old_values."individual_jid" IS DISTINCT FROM (new_values."individual_jid") OR old_values."locale" IS DISTINCT FROM (new_values."locale") OR old_values."magic_moment_at" IS DISTINCT FROM (new_values."magic_moment_at") OR old_values."muted_topics" IS DISTINCT FROM (new_values."muted_topics") OR old_values."onboarding_tier" IS DISTINCT FROM (new_values."onboarding_tier") OR old_values."onboarding_tier_progress" IS DISTINCT FROM (new_values."onboarding_tier_progress") OR old_values."preferred_destination" IS DISTINCT FROM (new_values."preferred_destination") OR old_values."reengagement_opt_out" IS DISTINCT FROM (new_values."reengagement_opt_out") OR old_values."timezone" IS DISTINCT FROM (new_values."timezone") OR old_values."user_id" IS DISTINCT FROM (new_values."user_id")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="a0f55dd0f0a55919122ec4976d29dbde608619ee",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_65c2c",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="user_profiles",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userprofile",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "user_profiles_history" ("channels", "group_jid", "individual_jid", "locale", "magic_moment_at", "muted_topics", "onboarding_tier", "onboarding_tier_progress", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preferred_destination", "reengagement_opt_out", "timezone", "user_id") SELECT old_values."channels", old_values."group_jid", old_values."individual_jid", old_values."locale", old_values."magic_moment_at", old_values."muted_topics", old_values."onboarding_tier", old_values."onboarding_tier_progress", _pgh_attached_context.value, NOW(), \'delete\', old_values."user_id", old_values."preferred_destination", old_values."reengagement_opt_out", old_values."timezone", old_values."user_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="428b7a0b224cf22644b1d719c12809b4ea18db0c",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_c0073",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="user_profiles",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="engagementclaim",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["", "email", "telegram", "whatsapp", "chat"])),
                name="engagement_claims_channel_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="engagementmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["", "email", "telegram", "whatsapp", "chat"])),
                name="engagement_message_queue_channel_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="userprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("channels__contained_by", ["email", "telegram", "whatsapp", "chat"]), ("channels__len__lte", 4)
                ),
                name="user_profiles_channels_known",
            ),
        ),
        SQLFile("engagement/grants", version=3),
        SQLFile("engagement/functions/message_routes"),
        SQLFile("engagement/functions/has_message_route"),
        migrations.RunSQL([OLD_RULE, OLD_CLAIM, OLD_MARK], ""),
        SQLFile("engagement/functions/engagement_block_text", version=4),
        SQLFile("engagement/functions/engagement_block_reason", version=5),
        SQLFile("engagement/functions/claim_messages", version=5),
        SQLFile("engagement/functions/mark_messages_sent", version=2),
        migrations.RunSQL("", [NEW_RULE, NEW_CLAIM, NEW_MARK]),
    ]
