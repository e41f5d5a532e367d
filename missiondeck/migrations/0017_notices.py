import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Notices of missions, webhooks and deliveries; repositories outside of GitHub."""

    dependencies = [
        ("missiondeck", "0016_report_formats"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("run.started", "Test run started"),
                            ("run.passed", "Test run passed"),
                            ("run.failed", "Test run failed"),
                            ("run.flaky", "Many flaky tests"),
                            ("item.reopened", "Item reopened by its evidence"),
                            ("mission.completed", "Mission completed"),
                            ("deadline.near", "Deadline is near"),
                            ("deadline.passed", "Deadline passed"),
                            ("mention", "Mention in a chat"),
                        ],
                        verbose_name="kind",
                    ),
                ),
                ("subject", models.CharField(max_length=200, verbose_name="subject")),
                ("payload", models.JSONField(blank=True, db_default={}, default=dict, verbose_name="payload")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="time",
                    ),
                ),
                ("processed_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="processed")),
                (
                    "mission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="notices",
                        to="missiondeck.deckmission",
                        verbose_name="client mission",
                    ),
                ),
            ],
            options={
                "verbose_name": "notice of a mission",
                "verbose_name_plural": "notices of missions",
                "db_table": "deck_notices",
                "ordering": [models.OrderBy(models.F("id"), descending=True)],
            },
        ),
        migrations.CreateModel(
            name="Webhook",
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
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                ("url", models.CharField(max_length=500, verbose_name="URL")),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="revoked")),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
                (
                    "mission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="webhooks",
                        to="missiondeck.deckmission",
                        verbose_name="client mission",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
                "db_table": "deck_webhooks",
                "ordering": [
                    models.OrderBy(models.F("created_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
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
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                (
                    "channel",
                    models.TextField(
                        choices=[
                            ("webhook", "Webhook"),
                            ("github", "Commit status on GitHub"),
                            ("gitlab", "Commit status on GitLab"),
                        ],
                        verbose_name="channel",
                    ),
                ),
                ("body", models.TextField(blank=True, db_default="", default="", verbose_name="body")),
                (
                    "status",
                    models.TextField(
                        choices=[("pending", "Pending"), ("sent", "Sent"), ("failed", "Failed")],
                        db_default="pending",
                        default="pending",
                        verbose_name="status",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="attempts")),
                ("next_at", models.DateTimeField(blank=True, null=True, verbose_name="next attempt")),
                (
                    "answer",
                    models.CharField(blank=True, db_default="", default="", max_length=300, verbose_name="answer"),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                (
                    "notice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="deliveries",
                        to="missiondeck.notice",
                        verbose_name="notice of a mission",
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="deliveries",
                        to="missiondeck.webhook",
                        verbose_name="webhook",
                    ),
                ),
            ],
            options={
                "verbose_name": "delivery",
                "verbose_name_plural": "deliveries",
                "db_table": "deck_deliveries",
                "ordering": [
                    models.OrderBy(models.F("created_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="deckmission",
            name="deck_missions_github_url_form",
        ),
        migrations.AddConstraint(
            model_name="deckmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("github_url", ""),
                    (
                        "github_url__regex",
                        "^https://(github\\.com/[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[A-Za-z0-9._-]{1,100}|(?!(www\\.)?github\\.com[/:])[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]{1,100}){2,10})/?$",
                    ),
                    _connector="OR",
                ),
                name="deck_missions_github_url_form",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(condition=models.Q(("processed_at", None)), fields=["id"], name="deck_notices_waiting"),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(("subject__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="deck_notices_subject_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "run.started",
                            "run.passed",
                            "run.failed",
                            "run.flaky",
                            "item.reopened",
                            "mission.completed",
                            "deadline.near",
                            "deadline.passed",
                            "mention",
                        ],
                    )
                ),
                name="deck_notices_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(fields=("mission", "kind", "subject"), name="deck_notices_unique"),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(("url__regex", "^https://[!-~]+$")), name="deck_webhooks_url_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at", None)), fields=("mission", "url"), name="deck_webhooks_unique"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["next_at"], name="deck_deliveries_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("answer__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="deck_deliveries_answer_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["webhook", "github", "gitlab"])),
                name="deck_deliveries_channel_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "sent", "failed"])), name="deck_deliveries_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("channel", "webhook"), ("webhook__isnull", False)),
                    models.Q(models.Q(("channel", "webhook"), _negated=True), ("webhook", None)),
                    _connector="OR",
                ),
                name="deck_deliveries_webhook_consistent",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("next_at__isnull", False), ("status", "pending")),
                    models.Q(models.Q(("status", "pending"), _negated=True), ("next_at", None)),
                    _connector="OR",
                ),
                name="deck_deliveries_next_attempt_consistent",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                fields=("notice", "channel", "webhook"), name="deck_deliveries_unique", nulls_distinct=False
            ),
        ),
        OnDelete(
            "CASCADE",
            "deck_notices.mission_id",
            "deck_webhooks.mission_id",
            "deck_deliveries.notice_id",
            "deck_deliveries.webhook_id",
        ),
        SQLFile("missiondeck/tables/notices_grants"),
        SQLFile("missiondeck/functions/record_deck_notice"),
        SQLFile("missiondeck/triggers/test_runs_notices"),
        SQLFile("missiondeck/triggers/dod_evidence_changes"),
        SQLFile("missiondeck/triggers/deck_status_changes_notices"),
    ]
