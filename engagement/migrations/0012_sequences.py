import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import OnDelete, RenderOnce, RunDeferredSQL
from missionsite.common.sql_loader import SQLFile

# What the version before cannot have: the messages of sequences.
REVERSE = """
DELETE FROM engagement_message_queue WHERE message_type = 'sequence';
DELETE FROM message_templates WHERE key LIKE 'sequence\\_%';
"""


class Migration(migrations.Migration):
    """Sequences of messages, their steps, and the members they started for."""

    dependencies = [
        ("engagement", "0011_topics"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="Sequence",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    ("name", models.CharField(max_length=100, verbose_name="name")),
                    (
                        "start",
                        models.TextField(
                            choices=[
                                ("approved", "Registration approved"),
                                ("first_mission", "Joined the first mission"),
                            ],
                            verbose_name="starts with",
                        ),
                    ),
                    (
                        "topic",
                        models.TextField(
                            choices=[
                                ("news", "News of the community"),
                                ("events", "Events and meetings"),
                                ("missions", "Missions and ways to take part"),
                                ("getting_started", "First steps and tips"),
                                ("weekly_review", "Review of my week"),
                            ],
                            default="getting_started",
                            verbose_name="topic",
                        ),
                    ),
                    (
                        "is_enabled",
                        models.BooleanField(
                            db_default=False,
                            default=False,
                            help_text="A sequence that is not in use sends nothing.",
                            verbose_name="in use",
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(),
                            editable=False,
                            verbose_name="created",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "sequence",
                    "verbose_name_plural": "sequences",
                    "db_table": "engagement_sequences",
                    "ordering": ["name", "id"],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="engagement_sequences_name_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("start__in", ["approved", "first_mission"])),
                            name="engagement_sequences_start_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("topic__in", ["news", "events", "missions", "getting_started", "weekly_review"])
                            ),
                            name="engagement_sequences_topic_known",
                        ),
                        models.UniqueConstraint(fields=("name",), name="engagement_sequences_name_unique"),
                        models.CheckConstraint(
                            condition=models.Q(("name__regex", "^\\s*$"), _negated=True),
                            name="engagement_sequences_name_not_empty",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="SequenceStep",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    (
                        "delay_days",
                        models.PositiveSmallIntegerField(
                            db_default=0, default=0, help_text="0 is sent at once.", verbose_name="days after the start"
                        ),
                    ),
                    (
                        "condition",
                        models.TextField(
                            choices=[
                                ("always", "Always"),
                                ("no_mission", "Has not joined a mission yet"),
                                ("first_tier_open", "Has not completed the first tier"),
                            ],
                            db_default="always",
                            default="always",
                            help_text="Checked on the day of the step. If it is not true then, the step is skipped.",
                            verbose_name="condition",
                        ),
                    ),
                    ("template_key", models.CharField(max_length=100, verbose_name="template")),
                    (
                        "is_enabled",
                        models.BooleanField(
                            db_default=True,
                            default=True,
                            help_text="A step that is not in use is skipped.",
                            verbose_name="in use",
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(),
                            editable=False,
                            verbose_name="created",
                        ),
                    ),
                    (
                        "sequence",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="steps",
                            to="engagement.sequence",
                            verbose_name="sequence",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "step of a sequence",
                    "verbose_name_plural": "steps of sequences",
                    "db_table": "engagement_sequence_steps",
                    "ordering": ["sequence", "delay_days", "id"],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("template_key__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="engagement_sequence_steps_template_key_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("condition__in", ["always", "no_mission", "first_tier_open"])),
                            name="engagement_sequence_steps_condition_known",
                        ),
                        models.UniqueConstraint(
                            fields=("sequence", "template_key"), name="engagement_sequence_steps_unique"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("delay_days__lte", 365)), name="engagement_sequence_steps_delay_limit"
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="SequenceMember",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    ("started_at", models.DateTimeField(verbose_name="started")),
                    ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                    (
                        "end_reason",
                        models.TextField(
                            blank=True,
                            choices=[
                                ("finished", "All steps are over"),
                                ("opted_out", "Opted out"),
                                ("dormant", "Dormant"),
                                ("left", "No longer a member"),
                            ],
                            db_default="",
                            default="",
                            verbose_name="reason of the end",
                        ),
                    ),
                    (
                        "sequence",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="members",
                            to="engagement.sequence",
                            verbose_name="sequence",
                        ),
                    ),
                    (
                        "user",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="engagement_sequences",
                            to=settings.AUTH_USER_MODEL,
                            verbose_name="member",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "member of a sequence",
                    "verbose_name_plural": "members of sequences",
                    "db_table": "engagement_sequence_members",
                    "ordering": ["id"],
                    "indexes": [
                        models.Index(
                            condition=models.Q(("ended_at", None)), fields=["id"], name="engagement_sequence_open"
                        )
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("end_reason", ""), ("ended_at", None)),
                                models.Q(
                                    ("end_reason__in", ["finished", "opted_out", "dormant", "left"]),
                                    ("ended_at__isnull", False),
                                ),
                                _connector="OR",
                            ),
                            name="engagement_sequence_members_end",
                        ),
                        models.UniqueConstraint(fields=("sequence", "user"), name="engagement_sequence_members_unique"),
                    ],
                },
            ),
            OnDelete("CASCADE", "engagement_sequence_members.user_id"),
            RunDeferredSQL(),
        ),
        migrations.RemoveConstraint(model_name="engagementmessage", name="engagement_message_queue_message_type_known"),
        migrations.AlterField(
            model_name="engagementmessage",
            name="message_type",
            field=models.TextField(
                choices=[
                    ("welcome", "Welcome"),
                    ("tier_unlock", "Tier unlocked"),
                    ("goodbye", "Goodbye"),
                    ("weekly_review", "Weekly review"),
                    ("reminder", "Reminder"),
                    ("help_restart", "Help to restart"),
                    ("announcement", "Announcement"),
                    ("opt_out_confirmation", "Opt-out confirmation"),
                    ("clarification", "Question about a reply"),
                    ("personal", "Personal message"),
                    ("test", "Test of a template"),
                    ("sequence", "Sequence"),
                ],
                verbose_name="type",
            ),
        ),
        migrations.AddField(
            model_name="engagementmessage",
            name="step",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="engagement.sequencestep",
                verbose_name="step of a sequence",
            ),
        ),
        migrations.AddConstraint(
            model_name="engagementmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "message_type__in",
                        [
                            "welcome",
                            "tier_unlock",
                            "goodbye",
                            "weekly_review",
                            "reminder",
                            "help_restart",
                            "announcement",
                            "opt_out_confirmation",
                            "clarification",
                            "personal",
                            "test",
                            "sequence",
                        ],
                    )
                ),
                name="engagement_message_queue_message_type_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="engagementmessage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("step__isnull", False)),
                fields=("step", "user"),
                name="engagement_message_queue_step_once",
            ),
        ),
        SQLFile("engagement/policies_sequences"),
        migrations.RunSQL("", REVERSE),
    ]
