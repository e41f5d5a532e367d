import datetime

import django.contrib.postgres.functions
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

import missiondeck.models.missions
from missionsite.common.operations import OnDelete, RenderOnce
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Create client missions without a repository and with one chat, as in the seed."""

    initial = True

    dependencies = [
        ("common", "0002_tables"),
        ("groups", "0004_operations"),
    ]

    operations = [
        migrations.RunSQL(
            sql="CREATE SEQUENCE deck_missions_number_seq AS bigint",
            reverse_sql="DROP SEQUENCE deck_missions_number_seq",
        ),
        SQLFile("missiondeck/functions/deck_code_blocks_valid"),
        RenderOnce(
            migrations.CreateModel(
                name="DeckMission",
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
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "number",
                        models.BigIntegerField(
                            db_default=missiondeck.models.missions.NextNumber(),
                            editable=False,
                            help_text="Assigned automatically.",
                        ),
                    ),
                    ("title", models.CharField(max_length=200)),
                    ("client", models.CharField(max_length=200)),
                    ("budget", models.PositiveIntegerField(help_text="Whole units of the currency.")),
                    (
                        "currency",
                        models.CharField(
                            db_default="USD",
                            default="USD",
                            help_text="Three-letter code (ISO 4217), such as USD, EUR or BRL.",
                            max_length=3,
                        ),
                    ),
                    ("deadline", models.DateTimeField()),
                    (
                        "status",
                        models.TextField(
                            choices=[("active", "Active"), ("qa", "In QA"), ("complete", "Complete")],
                            db_default="active",
                            default="active",
                        ),
                    ),
                    (
                        "assigned_to",
                        models.EmailField(
                            help_text="E-mail address of the person who delivers the mission.", max_length=254
                        ),
                    ),
                    (
                        "assignee",
                        models.ForeignKey(
                            blank=True,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="deck_missions",
                            to=settings.AUTH_USER_MODEL,
                            verbose_name="member",
                        ),
                    ),
                    (
                        "completed_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="completed"),
                    ),
                    (
                        "completed_by",
                        models.ForeignKey(
                            blank=True,
                            db_index=False,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="completed_deck_missions",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "override_reason",
                        models.TextField(
                            blank=True, db_default="", default="", editable=False, verbose_name="override reason"
                        ),
                    ),
                    (
                        "updated_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                ],
                options={
                    "verbose_name": "client mission",
                    "db_table": "deck_missions",
                    "db_table_comment": "Paid work for clients.",
                    "ordering": [models.OrderBy(models.F("number"), descending=True)],
                    "permissions": [
                        ("change_deckmission_status", "Can change the status of client missions"),
                        ("override_deckmission", "Can complete a client mission that is not done"),
                    ],
                    "indexes": [
                        models.Index(
                            condition=models.Q(("status", "complete"), _negated=True),
                            fields=["deadline", "number"],
                            name="deck_missions_due",
                        ),
                        models.Index(fields=["deadline"], name="deck_missions_deadline"),
                        models.Index(
                            models.F("status"),
                            models.OrderBy(models.F("number"), descending=True),
                            name="deck_missions_status",
                        ),
                        models.Index(
                            django.contrib.postgres.indexes.OpClass(
                                django.db.models.functions.text.Lower("client"), "text_pattern_ops"
                            ),
                            name="deck_missions_client_prefix",
                        ),
                        models.Index(
                            django.db.models.functions.text.Lower("assigned_to"),
                            condition=models.Q(("assignee__isnull", True)),
                            name="deck_missions_unassigned",
                        ),
                        models.Index(
                            django.contrib.postgres.indexes.OpClass(
                                django.db.models.functions.text.Lower("title"), "text_pattern_ops"
                            ),
                            name="deck_missions_title_prefix",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("title__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="deck_missions_title_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("client__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="deck_missions_client_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("currency__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="deck_missions_currency_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("assigned_to__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="deck_missions_assigned_to_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("status__in", ["active", "qa", "complete"])),
                            name="deck_missions_status_known",
                        ),
                        models.UniqueConstraint(fields=("number",), name="deck_missions_number_unique"),
                        models.CheckConstraint(
                            condition=models.Q(("title__regex", "^\\s*$"), _negated=True),
                            name="deck_missions_title_not_empty",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("client__regex", "^\\s*$"), _negated=True),
                            name="deck_missions_client_not_empty",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("number__gt", 0)), name="deck_missions_number_positive"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("budget__gt", 0)), name="deck_missions_budget_positive"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("deadline__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                                ("deadline__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ),
                            name="deck_missions_deadline_range",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="deck_missions_currency_form"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("assigned_to__regex", "^[^@\\s]+@[^@\\s]+$")),
                            name="deck_missions_assigned_to_form",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("completed_at__isnull", False), ("status", "complete")),
                                models.Q(
                                    models.Q(("status", "complete"), _negated=True),
                                    ("completed_at", None),
                                    ("completed_by", None),
                                    ("override_reason", ""),
                                ),
                                _connector="OR",
                            ),
                            name="deck_missions_completion_consistent",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("override_reason", ""),
                                models.Q(
                                    models.Q(("override_reason__regex", "^\\s*$"), _negated=True),
                                    ("completed_by__isnull", False),
                                ),
                                _connector="OR",
                            ),
                            name="deck_missions_override_reason_required",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="ChatMessage",
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
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "mission",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="chat_messages",
                            to="missiondeck.deckmission",
                        ),
                    ),
                    ("sender", models.TextField(choices=[("user", "User"), ("citizen", "Citizen")])),
                    ("message", models.TextField()),
                    ("code_blocks", models.JSONField(blank=True, db_default=[], default=list, verbose_name="code")),
                ],
                options={
                    "db_table": "chat_messages",
                    "ordering": ["created_at", "id"],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("sender__in", ["user", "citizen"])), name="chat_messages_sender_known"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("message__regex", "^\\s*$"), _negated=True),
                            name="chat_messages_message_not_empty",
                        ),
                        models.CheckConstraint(
                            condition=django.db.models.lookups.LessThanOrEqual(
                                django.db.models.functions.text.Length("message"), 100000
                            ),
                            name="chat_messages_message_length",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="DodItem",
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
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "mission",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="dod_items",
                            to="missiondeck.deckmission",
                        ),
                    ),
                    ("text", models.CharField(max_length=500)),
                    (
                        "category",
                        models.TextField(
                            choices=[
                                ("functional", "Functional"),
                                ("non-functional", "Non-functional"),
                                ("tests", "Tests"),
                            ],
                            db_default="functional",
                            default="functional",
                        ),
                    ),
                    ("completed", models.BooleanField(db_default=False, default=False, verbose_name="done")),
                    (
                        "completed_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="done at"),
                    ),
                    (
                        "completed_by",
                        models.ForeignKey(
                            blank=True,
                            db_index=False,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("position", models.PositiveIntegerField(db_default=0, default=0, verbose_name="position")),
                ],
                options={
                    "verbose_name": "item of the definition of done",
                    "verbose_name_plural": "definition of done",
                    "db_table": "dod_items",
                    "ordering": ["mission", "category", "position", "created_at", "id"],
                    "indexes": [models.Index(fields=["mission", "category", "position"], name="dod_items_of_mission")],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("text__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="dod_items_text_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("category__in", ["functional", "non-functional", "tests"])),
                            name="dod_items_category_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("text__regex", "^\\s*$"), _negated=True),
                            name="dod_items_text_not_empty",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("completed", True), ("completed_at__isnull", False)),
                                models.Q(("completed", False), ("completed_at", None), ("completed_by", None)),
                                _connector="OR",
                            ),
                            name="dod_items_completion_consistent",
                        ),
                    ],
                },
            ),
        ),
        OnDelete("CASCADE", "chat_messages.mission_id", "dod_items.mission_id"),
        OnDelete("SET NULL", "deck_missions.assignee_id"),
        SQLFile("missiondeck/tables/chat_messages"),
    ]
