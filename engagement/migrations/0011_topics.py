import django.contrib.postgres.fields
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile

# A function with another list of parameters: both would exist.
OLD_RULE = "DROP FUNCTION engagement_block_reason(text, boolean, boolean, text, timestamptz, boolean, text, timestamptz, boolean)"
NEW_RULE = OLD_RULE.removesuffix(")") + ", boolean)"


class Migration(migrations.Migration):
    """Topics of messages, and those that a member does not want."""

    dependencies = [
        ("engagement", "0010_growing_pauses"),
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
            model_name="announcement",
            name="topic",
            field=models.TextField(
                choices=[
                    ("news", "News of the community"),
                    ("events", "Events and meetings"),
                    ("missions", "Missions and ways to take part"),
                    ("getting_started", "First steps and tips"),
                    ("weekly_review", "Review of my week"),
                ],
                db_default="news",
                default="news",
                help_text="Members who do not want this topic are skipped.",
                verbose_name="topic",
            ),
        ),
        migrations.AddField(
            model_name="engagementmessage",
            name="topic",
            field=models.TextField(
                blank=True,
                choices=[
                    ("news", "News of the community"),
                    ("events", "Events and meetings"),
                    ("missions", "Missions and ways to take part"),
                    ("getting_started", "First steps and tips"),
                    ("weekly_review", "Review of my week"),
                ],
                db_default="",
                default="",
                verbose_name="topic",
            ),
        ),
        migrations.AddField(
            model_name="userprofile",
            name="muted_topics",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(
                    choices=[
                        ("news", "News of the community"),
                        ("events", "Events and meetings"),
                        ("missions", "Missions and ways to take part"),
                        ("getting_started", "First steps and tips"),
                        ("weekly_review", "Review of my week"),
                    ]
                ),
                blank=True,
                db_default=[],
                default=list,
                help_text="Announcements, sequences and reviews on these topics are not sent.",
                size=None,
                verbose_name="unwanted topics",
            ),
        ),
        migrations.AddField(
            model_name="userprofilehistory",
            name="muted_topics",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(
                    choices=[
                        ("news", "News of the community"),
                        ("events", "Events and meetings"),
                        ("missions", "Missions and ways to take part"),
                        ("getting_started", "First steps and tips"),
                        ("weekly_review", "Review of my week"),
                    ]
                ),
                blank=True,
                db_default=[],
                default=list,
                help_text="Announcements, sequences and reviews on these topics are not sent.",
                size=None,
                verbose_name="unwanted topics",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userprofile",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "user_profiles_history" ("group_jid", "individual_jid", "locale", "magic_moment_at", "muted_topics", "onboarding_tier", "onboarding_tier_progress", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preferred_destination", "reengagement_opt_out", "timezone", "user_id") SELECT new_values."group_jid", new_values."individual_jid", new_values."locale", new_values."magic_moment_at", new_values."muted_topics", new_values."onboarding_tier", new_values."onboarding_tier_progress", _pgh_attached_context.value, NOW(), \'insert\', new_values."user_id", new_values."preferred_destination", new_values."reengagement_opt_out", new_values."timezone", new_values."user_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="17cd46df2227c789347fe87de10cbac93bf0b91a",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "user_profiles_history" ("group_jid", "individual_jid", "locale", "magic_moment_at", "muted_topics", "onboarding_tier", "onboarding_tier_progress", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preferred_destination", "reengagement_opt_out", "timezone", "user_id") SELECT new_values."group_jid", new_values."individual_jid", new_values."locale", new_values."magic_moment_at", new_values."muted_topics", new_values."onboarding_tier", new_values."onboarding_tier_progress", _pgh_attached_context.value, NOW(), \'update\', new_values."user_id", new_values."preferred_destination", new_values."reengagement_opt_out", new_values."timezone", new_values."user_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."user_id") = (new_values."user_id") WHERE (old_values."group_jid" IS DISTINCT FROM (new_values."group_jid") OR old_values."individual_jid" IS DISTINCT FROM (new_values."individual_jid") OR old_values."locale" IS DISTINCT FROM (new_values."locale") OR old_values."magic_moment_at" IS DISTINCT FROM (new_values."magic_moment_at") OR old_values."muted_topics" IS DISTINCT FROM (new_values."muted_topics") OR old_values."onboarding_tier" IS DISTINCT FROM (new_values."onboarding_tier") OR old_values."onboarding_tier_progress" IS DISTINCT FROM (new_values."onboarding_tier_progress") OR old_values."preferred_destination" IS DISTINCT FROM (new_values."preferred_destination") OR old_values."reengagement_opt_out" IS DISTINCT FROM (new_values."reengagement_opt_out") OR old_values."timezone" IS DISTINCT FROM (new_values."timezone") OR old_values."user_id" IS DISTINCT FROM (new_values."user_id")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="c8ed9a7e63ab27fe233d7ea91003f90b49aaa994",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "user_profiles_history" ("group_jid", "individual_jid", "locale", "magic_moment_at", "muted_topics", "onboarding_tier", "onboarding_tier_progress", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preferred_destination", "reengagement_opt_out", "timezone", "user_id") SELECT old_values."group_jid", old_values."individual_jid", old_values."locale", old_values."magic_moment_at", old_values."muted_topics", old_values."onboarding_tier", old_values."onboarding_tier_progress", _pgh_attached_context.value, NOW(), \'delete\', old_values."user_id", old_values."preferred_destination", old_values."reengagement_opt_out", old_values."timezone", old_values."user_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="5af3f8a0771e9d45ba2e22088c13f4da373671b1",
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
            model_name="announcement",
            constraint=models.CheckConstraint(
                condition=models.Q(("topic__in", ["news", "events", "missions", "getting_started", "weekly_review"])),
                name="engagement_announcements_topic_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="engagementmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("topic__in", ["", "news", "events", "missions", "getting_started", "weekly_review"])
                ),
                name="engagement_message_queue_topic_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="userprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("muted_topics__contained_by", ["news", "events", "missions", "getting_started", "weekly_review"])
                ),
                name="user_profiles_muted_topics_known",
            ),
        ),
        SQLFile("engagement/grants", version=2),
        migrations.RunSQL(OLD_RULE, ""),
        SQLFile("engagement/functions/engagement_block_text", version=3),
        SQLFile("engagement/functions/engagement_block_reason", version=4),
        SQLFile("engagement/functions/claim_messages", version=3),
        migrations.RunSQL("", NEW_RULE),
    ]
