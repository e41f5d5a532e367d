"""Labels of fields and models; no change of the database."""

import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import missionsite.common.audit.fields
from missionsite.common.operations import RenderOnce


class Migration(migrations.Migration):
    dependencies = [
        ("engagement", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        RenderOnce(
            migrations.AlterModelOptions(
                name="announcement",
                options={
                    "ordering": [models.OrderBy(models.F("id"), descending=True)],
                    "verbose_name": "announcement",
                    "verbose_name_plural": "announcements",
                },
            ),
            migrations.AlterModelOptions(
                name="engagementmessage",
                options={
                    "ordering": [models.OrderBy(models.F("id"), descending=True)],
                    "permissions": [("handle_engagementmessage", "Can retry, cancel and postpone messages")],
                    "verbose_name": "message",
                    "verbose_name_plural": "messages",
                },
            ),
            migrations.AlterModelOptions(
                name="engagementstatetransition",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "transition",
                    "verbose_name_plural": "transitions",
                },
            ),
            migrations.AlterModelOptions(
                name="messagetemplate",
                options={
                    "ordering": ["key", "locale"],
                    "verbose_name": "message template",
                    "verbose_name_plural": "message templates",
                },
            ),
            migrations.AlterModelOptions(
                name="userengagementstate",
                options={
                    "ordering": [models.OrderBy(models.F("id"), descending=True)],
                    "permissions": [("move_userengagementstate", "Can change the lifecycle state of a member")],
                    "verbose_name": "engagement state",
                    "verbose_name_plural": "engagement states",
                },
            ),
            migrations.AlterModelOptions(
                name="userprofile",
                options={"verbose_name": "profile", "verbose_name_plural": "profiles"},
            ),
            migrations.AlterField(
                model_name="announcement",
                name="audience",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="audience"),
            ),
            migrations.AlterField(
                model_name="announcement",
                name="recipients",
                field=models.PositiveIntegerField(db_default=0, default=0, verbose_name="recipients"),
            ),
            migrations.AlterField(
                model_name="announcement",
                name="skipped",
                field=models.JSONField(db_default={}, default=dict, verbose_name="skipped"),
            ),
            migrations.AlterField(
                model_name="announcement",
                name="title",
                field=models.CharField(
                    help_text="Shown in the back office only.", max_length=200, verbose_name="title"
                ),
            ),
            migrations.AlterField(
                model_name="engagementmessage",
                name="announcement",
                field=models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="messages",
                    to="engagement.announcement",
                    verbose_name="announcement",
                ),
            ),
            migrations.AlterField(
                model_name="engagementmessage",
                name="destination",
                field=models.TextField(
                    choices=[("individual", "Individual chat"), ("group", "Group chat")],
                    db_default="individual",
                    default="individual",
                    verbose_name="destination",
                ),
            ),
            migrations.AlterField(
                model_name="engagementmessage",
                name="idempotency_key",
                field=models.CharField(max_length=255, unique=True, verbose_name="idempotency key"),
            ),
            migrations.AlterField(
                model_name="engagementmessage",
                name="status",
                field=models.TextField(
                    choices=[
                        ("pending", "Pending"),
                        ("sent", "Sent"),
                        ("failed", "Failed"),
                        ("cancelled", "Cancelled"),
                    ],
                    db_default="pending",
                    default="pending",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="engagementmessage",
                name="user",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="engagement_messages",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="engagementmessage",
                name="waiting_for",
                field=models.TextField(
                    blank=True,
                    choices=[
                        ("", "Scheduled time"),
                        ("quiet_hours", "End of quiet hours"),
                        ("frequency_cap", "Frequency cap"),
                        ("retry", "Next attempt"),
                        ("staff", "Postponed by staff"),
                    ],
                    db_default="",
                    default="",
                    verbose_name="waiting for",
                ),
            ),
            migrations.AlterField(
                model_name="engagementstatetransition",
                name="actor",
                field=models.ForeignKey(
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="actor",
                ),
            ),
            migrations.AlterField(
                model_name="engagementstatetransition",
                name="changeset_id",
                field=models.UUIDField(
                    db_default=missionsite.common.audit.fields.AuditChangesetId(),
                    editable=False,
                    null=True,
                    verbose_name="changeset ID",
                ),
            ),
            migrations.AlterField(
                model_name="engagementstatetransition",
                name="user",
                field=models.ForeignKey(
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="engagement_transitions",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="messagetemplate",
                name="announcement",
                field=models.ForeignKey(
                    blank=True,
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="texts",
                    to="engagement.announcement",
                    verbose_name="announcement",
                ),
            ),
            migrations.AlterField(
                model_name="messagetemplate",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="messagetemplate",
                name="subject",
                field=models.CharField(help_text="Used for e-mail only.", max_length=200, verbose_name="subject"),
            ),
            migrations.AlterField(
                model_name="messagetemplate",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="changed",
                ),
            ),
            migrations.AlterField(
                model_name="messagetemplatehistory",
                name="announcement",
                field=models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    related_query_name="+",
                    to="engagement.announcement",
                    verbose_name="announcement",
                ),
            ),
            migrations.AlterField(
                model_name="messagetemplatehistory",
                name="subject",
                field=models.CharField(help_text="Used for e-mail only.", max_length=200, verbose_name="subject"),
            ),
            migrations.AlterField(
                model_name="userengagementstate",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="userengagementstate",
                name="goodbye_expires_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="reply expected until"),
            ),
            migrations.AlterField(
                model_name="userengagementstate",
                name="goodbye_sent_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="goodbye sent"),
            ),
            migrations.AlterField(
                model_name="userengagementstate",
                name="remind_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="snoozed until"),
            ),
            migrations.AlterField(
                model_name="userengagementstate",
                name="state",
                field=models.TextField(
                    choices=[
                        ("active", "Active"),
                        ("goodbye_sent", "Goodbye sent"),
                        ("help_flow", "Help flow"),
                        ("remind_later", "Remind later"),
                        ("dormant", "Dormant"),
                    ],
                    db_default="active",
                    default="active",
                    verbose_name="state",
                ),
            ),
            migrations.AlterField(
                model_name="userengagementstate",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="changed",
                ),
            ),
            migrations.AlterField(
                model_name="userengagementstate",
                name="user",
                field=models.OneToOneField(
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="engagement_state",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="userprofile",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="userprofile",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="changed",
                ),
            ),
            migrations.AlterField(
                model_name="userprofile",
                name="user",
                field=models.OneToOneField(
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    primary_key=True,
                    related_name="engagement_profile",
                    serialize=False,
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="userprofilehistory",
                name="user",
                field=models.ForeignKey(
                    db_constraint=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    related_query_name="+",
                    serialize=False,
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
        ),
    ]
