import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import missionsite.common.audit.fields
from missionsite.common.operations import OnDelete, RenderOnce, RunDeferredSQL
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Lifecycle states, the message queue, profiles and templates: tables, rules and row security."""

    initial = True

    dependencies = [
        ("groups", "0004_operations"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="EngagementTransport",
                fields=[
                    ("name", models.CharField(max_length=50, primary_key=True, serialize=False)),
                    ("failures", models.PositiveIntegerField(db_default=0, default=0)),
                    ("opened_at", models.DateTimeField(null=True)),
                    ("retry_at", models.DateTimeField(null=True)),
                    ("last_error", models.TextField(db_default="", default="")),
                    ("normal_per_minute", models.FloatField(db_default=0, default=0)),
                    ("counted_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                    ("is_recovering", models.BooleanField(db_default=False, default=False)),
                    ("allowance", models.FloatField(db_default=0, default=0)),
                    ("allowed_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                ],
                options={
                    "db_table": "engagement_transports",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="engagement_transports_name_one_line",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="EngagementClaim",
                fields=[
                    ("attempt_token", models.UUIDField(primary_key=True, serialize=False)),
                    ("claimed_by", models.CharField(max_length=100)),
                    ("lease_expires_at", models.DateTimeField()),
                    ("attempted_at", models.DateTimeField()),
                    (
                        "message_ids",
                        django.contrib.postgres.fields.ArrayField(
                            base_field=models.BigIntegerField(), default=list, size=None
                        ),
                    ),
                    (
                        "user_ids",
                        django.contrib.postgres.fields.ArrayField(
                            base_field=models.UUIDField(null=True), default=list, size=None
                        ),
                    ),
                ],
                options={
                    "db_table": "engagement_claims",
                },
            ),
            migrations.CreateModel(
                name="Announcement",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    ("title", models.CharField(help_text="Shown in the back office only.", max_length=200)),
                    ("audience", models.TextField(blank=True, db_default="", default="")),
                    ("recipients", models.PositiveIntegerField(db_default=0, default=0)),
                    ("skipped", models.JSONField(db_default={}, default=dict)),
                    (
                        "scheduled_for",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="due"
                        ),
                    ),
                    ("cancelled_at", models.DateTimeField(blank=True, null=True, verbose_name="cancelled")),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(),
                            editable=False,
                            verbose_name="composed",
                        ),
                    ),
                    (
                        "created_by",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                            verbose_name="by",
                        ),
                    ),
                ],
                options={
                    "db_table": "engagement_announcements",
                    "ordering": [models.OrderBy(models.F("id"), descending=True)],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("title__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="engagement_announcements_title_one_line",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="MessageTemplate",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    ("key", models.CharField(max_length=100, verbose_name="message")),
                    (
                        "locale",
                        models.TextField(
                            choices=[("en", "English"), ("pt-BR", "Portuguese (Brazil)")], verbose_name="language"
                        ),
                    ),
                    ("subject", models.CharField(help_text="Used for e-mail only.", max_length=200)),
                    ("body", models.TextField(help_text="Use {{ name }} for the member's name.", verbose_name="text")),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "updated_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "announcement",
                        models.ForeignKey(
                            blank=True,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="texts",
                            to="engagement.announcement",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "template",
                    "db_table": "message_templates",
                    "ordering": ["key", "locale"],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("key__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="message_templates_key_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("subject__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="message_templates_subject_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("locale__in", ["en", "pt-BR"])), name="message_templates_locale_known"
                        ),
                        models.UniqueConstraint(
                            fields=("key", "locale"),
                            name="message_templates_key_unique",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("body__regex", "^\\s*$"), _negated=True),
                                models.Q(("subject__regex", "^\\s*$"), _negated=True),
                            ),
                            name="message_templates_not_empty",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="UserProfile",
                fields=[
                    (
                        "user",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            primary_key=True,
                            related_name="engagement_profile",
                            serialize=False,
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "preferred_destination",
                        models.TextField(
                            choices=[("individual", "Individual chat"), ("group", "Group chat")],
                            db_default="individual",
                            default="individual",
                            verbose_name="messages go to",
                        ),
                    ),
                    (
                        "reengagement_opt_out",
                        models.BooleanField(
                            db_default=False,
                            default=False,
                            help_text="Unsolicited messages are not sent. Replies to the member's own actions still are.",
                            verbose_name="opted out",
                        ),
                    ),
                    (
                        "onboarding_tier",
                        models.IntegerField(
                            db_default=0, default=0, help_text="Completed tiers, from 0 to 3.", verbose_name="tier"
                        ),
                    ),
                    (
                        "onboarding_tier_progress",
                        models.JSONField(blank=True, db_default={}, default=dict, verbose_name="progress"),
                    ),
                    (
                        "magic_moment_at",
                        models.DateTimeField(
                            blank=True,
                            help_text="When they joined their first mission.",
                            null=True,
                            verbose_name="magic moment",
                        ),
                    ),
                    (
                        "locale",
                        models.TextField(
                            choices=[("en", "English"), ("pt-BR", "Portuguese (Brazil)")],
                            db_default="en",
                            default="en",
                            verbose_name="language",
                        ),
                    ),
                    (
                        "timezone",
                        models.CharField(
                            db_default="UTC",
                            default="UTC",
                            help_text="For example America/Sao_Paulo.",
                            max_length=64,
                            verbose_name="time zone",
                        ),
                    ),
                    (
                        "individual_jid",
                        models.CharField(
                            blank=True,
                            db_default="",
                            default="",
                            help_text="Gateway address of the member's own chat. Messages from it are attributed to the member.",
                            max_length=255,
                            verbose_name="individual address",
                        ),
                    ),
                    (
                        "group_jid",
                        models.CharField(
                            blank=True,
                            db_default="",
                            default="",
                            help_text="Gateway address of the group chat that receives the member's messages.",
                            max_length=255,
                            verbose_name="group address",
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
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
                    "verbose_name": "profile",
                    "db_table": "user_profiles",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("timezone__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="user_profiles_timezone_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("individual_jid__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="user_profiles_individual_jid_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("group_jid__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="user_profiles_group_jid_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("preferred_destination__in", ["individual", "group"])),
                            name="user_profiles_preferred_destination_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("locale__in", ["en", "pt-BR"])), name="user_profiles_locale_known"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("onboarding_tier__gte", 0), ("onboarding_tier__lte", 3)),
                            name="user_profiles_onboarding_tier_range",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("individual_jid", ""), _negated=True),
                            fields=("individual_jid",),
                            name="user_profiles_individual_jid_unique",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="UserEngagementState",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    (
                        "state",
                        models.TextField(
                            choices=[
                                ("active", "Active"),
                                ("goodbye_sent", "Goodbye sent"),
                                ("help_flow", "Help flow"),
                                ("remind_later", "Remind later"),
                                ("dormant", "Dormant"),
                            ],
                            db_default="active",
                            default="active",
                        ),
                    ),
                    ("last_activity_at", models.DateTimeField(blank=True, null=True, verbose_name="last active")),
                    ("goodbye_sent_at", models.DateTimeField(blank=True, null=True)),
                    ("goodbye_expires_at", models.DateTimeField(blank=True, null=True)),
                    ("remind_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "updated_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "user",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="engagement_state",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                ],
                options={
                    "verbose_name": "engagement state",
                    "db_table": "user_engagement_states",
                    "ordering": [models.OrderBy(models.F("id"), descending=True)],
                    "permissions": [("move_userengagementstate", "Can change the lifecycle state of a member")],
                    "indexes": [
                        models.Index(fields=["state"], name="engagement_states_state"),
                        models.Index(fields=["last_activity_at"], name="engagement_states_activity"),
                        models.Index(
                            condition=models.Q(("goodbye_expires_at__isnull", False)),
                            fields=["goodbye_expires_at"],
                            name="engagement_states_goodbye",
                        ),
                        models.Index(
                            condition=models.Q(("remind_at__isnull", False)),
                            fields=["remind_at"],
                            name="engagement_states_remind",
                        ),
                        models.Index(
                            condition=models.Q(("state", "active")),
                            fields=["last_activity_at", "id"],
                            name="engagement_states_quiet",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("state__in", ["active", "goodbye_sent", "help_flow", "remind_later", "dormant"])
                            ),
                            name="user_engagement_states_state_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(
                                    ("goodbye_expires_at__isnull", False),
                                    ("goodbye_sent_at__isnull", False),
                                    ("state", "goodbye_sent"),
                                ),
                                models.Q(
                                    models.Q(("state", "goodbye_sent"), _negated=True),
                                    ("goodbye_expires_at", None),
                                    ("goodbye_sent_at", None),
                                ),
                                _connector="OR",
                            ),
                            name="user_engagement_states_goodbye_dates",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("remind_at__isnull", False), ("state", "remind_later")),
                                models.Q(models.Q(("state", "remind_later"), _negated=True), ("remind_at", None)),
                                _connector="OR",
                            ),
                            name="user_engagement_states_reminder_date",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="EngagementStateTransition",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    (
                        "from_state",
                        models.TextField(
                            choices=[
                                ("active", "Active"),
                                ("goodbye_sent", "Goodbye sent"),
                                ("help_flow", "Help flow"),
                                ("remind_later", "Remind later"),
                                ("dormant", "Dormant"),
                            ],
                            verbose_name="from",
                        ),
                    ),
                    (
                        "to_state",
                        models.TextField(
                            choices=[
                                ("active", "Active"),
                                ("goodbye_sent", "Goodbye sent"),
                                ("help_flow", "Help flow"),
                                ("remind_later", "Remind later"),
                                ("dormant", "Dormant"),
                            ],
                            verbose_name="to",
                        ),
                    ),
                    (
                        "trigger",
                        models.TextField(
                            choices=[
                                ("inactivity_14d", "Inactive for 14 days"),
                                ("user_message", "Wrote or took part"),
                                ("goodbye_response_1", "Answered 1: confused"),
                                ("goodbye_response_2", "Answered 2: busy"),
                                ("goodbye_response_3", "Answered 3: all good"),
                                ("goodbye_timeout", "Did not answer"),
                                ("reminder_due", "Snooze ended"),
                            ],
                            verbose_name="trigger",
                        ),
                    ),
                    ("metadata", models.JSONField(db_default={}, default=dict, verbose_name="details")),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="time"
                        ),
                    ),
                    (
                        "changeset_id",
                        models.UUIDField(
                            db_default=missionsite.common.audit.fields.AuditChangesetId(), editable=False, null=True
                        ),
                    ),
                    (
                        "actor",
                        models.ForeignKey(
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "user",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="engagement_transitions",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                ],
                options={
                    "verbose_name": "transition",
                    "db_table": "engagement_state_transitions",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(fields=["created_at"], name="engagement_transitions_when"),
                        models.Index(
                            condition=models.Q(("actor__isnull", False)),
                            fields=["actor"],
                            name="engagement_transitions_actor",
                        ),
                        models.Index(
                            condition=models.Q(("changeset_id__isnull", False)),
                            fields=["changeset_id"],
                            name="engagement_transitions_changes",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(
                                    ("from_state", "active"),
                                    ("to_state", "goodbye_sent"),
                                    ("trigger", "inactivity_14d"),
                                ),
                                models.Q(
                                    ("from_state", "goodbye_sent"), ("to_state", "active"), ("trigger", "user_message")
                                ),
                                models.Q(
                                    ("from_state", "goodbye_sent"),
                                    ("to_state", "help_flow"),
                                    ("trigger", "goodbye_response_1"),
                                ),
                                models.Q(
                                    ("from_state", "goodbye_sent"),
                                    ("to_state", "remind_later"),
                                    ("trigger", "goodbye_response_2"),
                                ),
                                models.Q(
                                    ("from_state", "goodbye_sent"),
                                    ("to_state", "dormant"),
                                    ("trigger", "goodbye_response_3"),
                                ),
                                models.Q(
                                    ("from_state", "goodbye_sent"),
                                    ("to_state", "dormant"),
                                    ("trigger", "goodbye_timeout"),
                                ),
                                models.Q(
                                    ("from_state", "help_flow"), ("to_state", "active"), ("trigger", "user_message")
                                ),
                                models.Q(
                                    ("from_state", "remind_later"), ("to_state", "active"), ("trigger", "user_message")
                                ),
                                models.Q(
                                    ("from_state", "remind_later"), ("to_state", "dormant"), ("trigger", "reminder_due")
                                ),
                                models.Q(
                                    ("from_state", "dormant"), ("to_state", "active"), ("trigger", "user_message")
                                ),
                                _connector="OR",
                            ),
                            name="engagement_state_transitions_legal",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="EngagementMessage",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    (
                        "message_type",
                        models.TextField(
                            choices=[
                                ("welcome", "Welcome"),
                                ("tier_unlock", "Tier unlocked"),
                                ("goodbye", "Goodbye"),
                                ("weekly_review", "Weekly review"),
                                ("reminder", "Reminder"),
                                ("help_restart", "Help to restart"),
                                ("announcement", "Announcement"),
                                ("opt_out_confirmation", "Opt-out confirmation"),
                            ],
                            verbose_name="type",
                        ),
                    ),
                    ("message_key", models.CharField(max_length=100, verbose_name="template")),
                    (
                        "message_params",
                        models.JSONField(blank=True, db_default={}, default=dict, verbose_name="parameters"),
                    ),
                    (
                        "destination",
                        models.TextField(
                            choices=[("individual", "Individual chat"), ("group", "Group chat")],
                            db_default="individual",
                            default="individual",
                        ),
                    ),
                    (
                        "destination_jid",
                        models.CharField(blank=True, db_default="", default="", max_length=255, verbose_name="address"),
                    ),
                    (
                        "scheduled_for",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="due"
                        ),
                    ),
                    ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                    (
                        "status",
                        models.TextField(
                            choices=[
                                ("pending", "Pending"),
                                ("sent", "Sent"),
                                ("failed", "Failed"),
                                ("cancelled", "Cancelled"),
                            ],
                            db_default="pending",
                            default="pending",
                        ),
                    ),
                    (
                        "retry_count",
                        models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="failed attempts"),
                    ),
                    ("error_message", models.TextField(blank=True, db_default="", default="", verbose_name="error")),
                    ("idempotency_key", models.CharField(max_length=255, unique=True)),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(),
                            editable=False,
                            verbose_name="queued",
                        ),
                    ),
                    ("attempted_at", models.DateTimeField(blank=True, null=True, verbose_name="last attempt")),
                    (
                        "provider_message_id",
                        models.CharField(
                            blank=True, db_default="", default="", max_length=255, verbose_name="provider's message ID"
                        ),
                    ),
                    ("delivered_at", models.DateTimeField(blank=True, null=True, verbose_name="delivered")),
                    (
                        "waiting_for",
                        models.TextField(
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
                        ),
                    ),
                    (
                        "announcement",
                        models.ForeignKey(
                            blank=True,
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="messages",
                            to="engagement.announcement",
                        ),
                    ),
                    (
                        "user",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="engagement_messages",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                ],
                options={
                    "verbose_name": "message",
                    "db_table": "engagement_message_queue",
                    "ordering": [models.OrderBy(models.F("id"), descending=True)],
                    "permissions": [("handle_engagementmessage", "Can retry, cancel and postpone messages")],
                    "indexes": [
                        models.Index(
                            condition=models.Q(("status", "pending")),
                            fields=["status"],
                            name="engagement_queue_pending",
                        ),
                        models.Index(
                            condition=models.Q(("status", "pending")),
                            fields=["scheduled_for", "id"],
                            name="engagement_queue_due",
                        ),
                        models.Index(fields=["user", "attempted_at"], name="engagement_queue_frequency"),
                        models.Index(
                            condition=models.Q(("status", "failed")), fields=["id"], name="engagement_queue_failed"
                        ),
                        models.Index(
                            condition=models.Q(("provider_message_id", ""), _negated=True),
                            fields=["provider_message_id"],
                            name="engagement_queue_provider_id",
                        ),
                        models.Index(
                            condition=models.Q(("announcement__isnull", False)),
                            fields=["announcement", "id"],
                            name="engagement_queue_announcement",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("message_key__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="engagement_message_queue_message_key_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("destination_jid__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="engagement_message_queue_destination_jid_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("idempotency_key__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="engagement_message_queue_idempotency_key_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("provider_message_id__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="engagement_message_queue_provider_message_id_one_line",
                        ),
                        models.CheckConstraint(
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
                                    ],
                                )
                            ),
                            name="engagement_message_queue_message_type_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("status__in", ["pending", "sent", "failed", "cancelled"])),
                            name="engagement_message_queue_status_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("destination__in", ["individual", "group"])),
                            name="engagement_message_queue_destination_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("waiting_for__in", ["", "quiet_hours", "frequency_cap", "retry", "staff"])
                            ),
                            name="engagement_message_queue_waiting_for_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("retry_count__gte", 0)),
                            name="engagement_message_queue_retry_count_not_negative",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("status", "sent"), _negated=True), ("sent_at__isnull", False), _connector="OR"
                            ),
                            name="engagement_message_queue_sent_at_required",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="InboundMessage",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    ("platform", models.CharField(max_length=50)),
                    ("message_id", models.CharField(max_length=255)),
                    ("effect", models.CharField(db_default="", default="", max_length=50)),
                    (
                        "received_at",
                        models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                    ),
                    (
                        "user",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                ],
                options={
                    "db_table": "engagement_inbound_messages",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("platform__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="engagement_inbound_messages_platform_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("message_id__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="engagement_inbound_messages_message_id_one_line",
                        ),
                        models.UniqueConstraint(
                            fields=("platform", "message_id"), name="engagement_inbound_messages_unique"
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="UserProfileHistory",
                fields=[
                    ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                    ("pgh_label", models.TextField(help_text="The event label.")),
                    (
                        "preferred_destination",
                        models.TextField(
                            choices=[("individual", "Individual chat"), ("group", "Group chat")],
                            db_default="individual",
                            default="individual",
                            verbose_name="messages go to",
                        ),
                    ),
                    (
                        "reengagement_opt_out",
                        models.BooleanField(
                            db_default=False,
                            default=False,
                            help_text="Unsolicited messages are not sent. Replies to the member's own actions still are.",
                            verbose_name="opted out",
                        ),
                    ),
                    (
                        "onboarding_tier",
                        models.IntegerField(
                            db_default=0, default=0, help_text="Completed tiers, from 0 to 3.", verbose_name="tier"
                        ),
                    ),
                    (
                        "onboarding_tier_progress",
                        models.JSONField(blank=True, db_default={}, default=dict, verbose_name="progress"),
                    ),
                    (
                        "magic_moment_at",
                        models.DateTimeField(
                            blank=True,
                            help_text="When they joined their first mission.",
                            null=True,
                            verbose_name="magic moment",
                        ),
                    ),
                    (
                        "locale",
                        models.TextField(
                            choices=[("en", "English"), ("pt-BR", "Portuguese (Brazil)")],
                            db_default="en",
                            default="en",
                            verbose_name="language",
                        ),
                    ),
                    (
                        "timezone",
                        models.CharField(
                            db_default="UTC",
                            default="UTC",
                            help_text="For example America/Sao_Paulo.",
                            max_length=64,
                            verbose_name="time zone",
                        ),
                    ),
                    (
                        "individual_jid",
                        models.CharField(
                            blank=True,
                            db_default="",
                            default="",
                            help_text="Gateway address of the member's own chat. Messages from it are attributed to the member.",
                            max_length=255,
                            verbose_name="individual address",
                        ),
                    ),
                    (
                        "group_jid",
                        models.CharField(
                            blank=True,
                            db_default="",
                            default="",
                            help_text="Gateway address of the group chat that receives the member's messages.",
                            max_length=255,
                            verbose_name="group address",
                        ),
                    ),
                    ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "pgh_context",
                        models.ForeignKey(
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="pghistory.context",
                        ),
                    ),
                    (
                        "pgh_obj",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="history",
                            related_query_name="history",
                            to="engagement.userprofile",
                        ),
                    ),
                    (
                        "user",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            serialize=False,
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                ],
                options={
                    "db_table": "user_profiles_history",
                    "indexes": [models.Index(fields=["pgh_obj", "-pgh_id"], name="user_profiles_history_of")],
                },
            ),
            migrations.CreateModel(
                name="MessageTemplateHistory",
                fields=[
                    ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                    ("pgh_label", models.TextField(help_text="The event label.")),
                    ("id", models.BigIntegerField()),
                    ("key", models.CharField(max_length=100, verbose_name="message")),
                    (
                        "locale",
                        models.TextField(
                            choices=[("en", "English"), ("pt-BR", "Portuguese (Brazil)")], verbose_name="language"
                        ),
                    ),
                    ("subject", models.CharField(help_text="Used for e-mail only.", max_length=200)),
                    ("body", models.TextField(help_text="Use {{ name }} for the member's name.", verbose_name="text")),
                    ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "announcement",
                        models.ForeignKey(
                            blank=True,
                            db_constraint=False,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to="engagement.announcement",
                        ),
                    ),
                    (
                        "pgh_context",
                        models.ForeignKey(
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="pghistory.context",
                        ),
                    ),
                    (
                        "pgh_obj",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="history",
                            related_query_name="history",
                            to="engagement.messagetemplate",
                        ),
                    ),
                ],
                options={
                    "db_table": "message_templates_history",
                    "indexes": [models.Index(fields=["pgh_obj", "-pgh_id"], name="message_templates_history_of")],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="userprofile",
                trigger=pgtrigger.compiler.Trigger(
                    name="insert_insert",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "user_profiles_history" ("group_jid", "individual_jid", "locale", "magic_moment_at", "onboarding_tier", "onboarding_tier_progress", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preferred_destination", "reengagement_opt_out", "timezone", "user_id") SELECT new_values."group_jid", new_values."individual_jid", new_values."locale", new_values."magic_moment_at", new_values."onboarding_tier", new_values."onboarding_tier_progress", _pgh_attached_context.value, NOW(), \'insert\', new_values."user_id", new_values."preferred_destination", new_values."reengagement_opt_out", new_values."timezone", new_values."user_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="472253a9afcf8540c7c433c8436d310d275902bc",
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
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "user_profiles_history" ("group_jid", "individual_jid", "locale", "magic_moment_at", "onboarding_tier", "onboarding_tier_progress", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preferred_destination", "reengagement_opt_out", "timezone", "user_id") SELECT new_values."group_jid", new_values."individual_jid", new_values."locale", new_values."magic_moment_at", new_values."onboarding_tier", new_values."onboarding_tier_progress", _pgh_attached_context.value, NOW(), \'update\', new_values."user_id", new_values."preferred_destination", new_values."reengagement_opt_out", new_values."timezone", new_values."user_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."user_id") = (new_values."user_id") WHERE (old_values."group_jid" IS DISTINCT FROM (new_values."group_jid") OR old_values."individual_jid" IS DISTINCT FROM (new_values."individual_jid") OR old_values."locale" IS DISTINCT FROM (new_values."locale") OR old_values."magic_moment_at" IS DISTINCT FROM (new_values."magic_moment_at") OR old_values."onboarding_tier" IS DISTINCT FROM (new_values."onboarding_tier") OR old_values."onboarding_tier_progress" IS DISTINCT FROM (new_values."onboarding_tier_progress") OR old_values."preferred_destination" IS DISTINCT FROM (new_values."preferred_destination") OR old_values."reengagement_opt_out" IS DISTINCT FROM (new_values."reengagement_opt_out") OR old_values."timezone" IS DISTINCT FROM (new_values."timezone") OR old_values."user_id" IS DISTINCT FROM (new_values."user_id")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="2ae95a21012b85321b9c13a6e329bc401f35f99d",
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
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "user_profiles_history" ("group_jid", "individual_jid", "locale", "magic_moment_at", "onboarding_tier", "onboarding_tier_progress", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "preferred_destination", "reengagement_opt_out", "timezone", "user_id") SELECT old_values."group_jid", old_values."individual_jid", old_values."locale", old_values."magic_moment_at", old_values."onboarding_tier", old_values."onboarding_tier_progress", _pgh_attached_context.value, NOW(), \'delete\', old_values."user_id", old_values."preferred_destination", old_values."reengagement_opt_out", old_values."timezone", old_values."user_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                        hash="1b5c70942118e291906bc836e9b3c22cb2792d97",
                        level="STATEMENT",
                        operation="DELETE",
                        pgid="pgtrigger_delete_delete_c0073",
                        referencing="REFERENCING OLD TABLE AS old_values ",
                        table="user_profiles",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="messagetemplate",
                trigger=pgtrigger.compiler.Trigger(
                    name="insert_insert",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "message_templates_history" ("announcement_id", "body", "id", "key", "locale", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "subject") SELECT new_values."announcement_id", new_values."body", new_values."id", new_values."key", new_values."locale", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."subject" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="1a96439f46a52c715b015f6031d4c859a20b43a0",
                        level="STATEMENT",
                        operation="INSERT",
                        pgid="pgtrigger_insert_insert_22a50",
                        referencing="REFERENCING NEW TABLE AS new_values ",
                        table="message_templates",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="messagetemplate",
                trigger=pgtrigger.compiler.Trigger(
                    name="update_update",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "message_templates_history" ("announcement_id", "body", "id", "key", "locale", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "subject") SELECT new_values."announcement_id", new_values."body", new_values."id", new_values."key", new_values."locale", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."subject" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."announcement_id" IS DISTINCT FROM (new_values."announcement_id") OR old_values."body" IS DISTINCT FROM (new_values."body") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."key" IS DISTINCT FROM (new_values."key") OR old_values."locale" IS DISTINCT FROM (new_values."locale") OR old_values."subject" IS DISTINCT FROM (new_values."subject")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="31c1635bf90603261543b33a4ff17143f34c23f3",
                        level="STATEMENT",
                        operation="UPDATE",
                        pgid="pgtrigger_update_update_a9290",
                        referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                        table="message_templates",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="messagetemplate",
                trigger=pgtrigger.compiler.Trigger(
                    name="delete_delete",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "message_templates_history" ("announcement_id", "body", "id", "key", "locale", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "subject") SELECT old_values."announcement_id", old_values."body", old_values."id", old_values."key", old_values."locale", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."subject" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                        hash="50c323bafbd4b4e73fc175963c7087761f6a35e9",
                        level="STATEMENT",
                        operation="DELETE",
                        pgid="pgtrigger_delete_delete_18f5b",
                        referencing="REFERENCING OLD TABLE AS old_values ",
                        table="message_templates",
                        when="AFTER",
                    ),
                ),
            ),
            OnDelete(
                "CASCADE",
                "user_engagement_states.user_id",
                "engagement_state_transitions.user_id",
                "engagement_message_queue.user_id",
                "user_profiles.user_id",
                "engagement_inbound_messages.user_id",
            ),
            OnDelete("SET NULL", "engagement_state_transitions.actor_id"),
            RunDeferredSQL(),
            SQLFile("engagement/tables", version=1),
            SQLFile("engagement/functions/engagement_now", version=1),
            SQLFile("engagement/functions/engagement_block_text", version=1),
            SQLFile("engagement/functions/engagement_block_reason", version=1),
            SQLFile("engagement/functions/quiet_until", version=1),
            SQLFile("engagement/functions/claimed_messages", version=1),
            SQLFile("engagement/functions/reject_double_claim", version=1),
            SQLFile("engagement/functions/claim_messages", version=1),
            SQLFile("engagement/functions/release_claim", version=1),
            SQLFile("engagement/functions/mark_messages_sent", version=1),
            SQLFile("engagement/functions/cancel_announcement_messages", version=1),
            SQLFile("engagement/functions/members_over_frequency_cap", version=1),
            SQLFile("engagement/functions/log_engagement_transitions", version=1),
            SQLFile("engagement/functions/reject_state_without_history", version=1),
            SQLFile("engagement/functions/reject_state_owner_change", version=1),
            SQLFile("engagement/functions/reject_transition_change", version=1),
            SQLFile("engagement/functions/reject_message_move", version=1),
            SQLFile("engagement/functions/reject_message_change", version=1),
            SQLFile("engagement/functions/create_member_profiles", version=1),
            SQLFile("engagement/functions/check_profile_timezone", version=1),
            SQLFile("engagement/functions/redirect_pending_messages", version=1),
            SQLFile("engagement/functions/erase_person_in_engagement", version=1),
            SQLFile("engagement/triggers/community_members", version=1),
            SQLFile("engagement/triggers/engagement_claims", version=1),
            SQLFile("engagement/triggers/engagement_message_queue", version=1),
            SQLFile("engagement/triggers/engagement_state_transitions", version=1),
            SQLFile("engagement/triggers/members", version=1),
            SQLFile("engagement/triggers/message_templates", version=1),
            SQLFile("engagement/triggers/user_engagement_states", version=1),
            SQLFile("engagement/triggers/user_profiles", version=1),
            SQLFile("engagement/policies", version=1),
            SQLFile("engagement/grants", version=1),
            migrations.RunSQL(
                sql="INSERT INTO user_profiles (user_id) SELECT id FROM members ON CONFLICT DO NOTHING",
                reverse_sql="",
            ),
        ),
    ]
