import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import RenderOnce
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """API tokens, request counts, repeated requests and background workers."""

    dependencies = [
        ("common", "0001_initial"),
        ("groups", "__first__"),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="Heartbeat",
                fields=[
                    ("name", models.CharField(max_length=100, primary_key=True, serialize=False)),
                    (
                        "reported_at",
                        models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                    ),
                    ("worker", models.TextField(blank=True, db_default="", default="")),
                ],
                options={
                    "db_table": "heartbeats",
                    "ordering": ["name"],
                },
            ),
            migrations.CreateModel(
                name="WorkerProcess",
                fields=[
                    ("tag", models.CharField(max_length=40, primary_key=True, serialize=False)),
                    ("worker_id", models.BigIntegerField()),
                    ("host", models.CharField(max_length=255)),
                    ("pid", models.IntegerField()),
                    ("concurrency", models.IntegerField()),
                    ("started_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                ],
                options={
                    "verbose_name": "worker",
                    "db_table": "worker_processes",
                    "ordering": ["started_at", "tag"],
                    "constraints": [
                        models.UniqueConstraint(fields=("worker_id",), name="worker_processes_worker_unique"),
                        models.CheckConstraint(
                            condition=models.Q(("concurrency__gt", 0)), name="worker_processes_concurrency_positive"
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="ApiToken",
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
                        "name",
                        models.CharField(
                            help_text="What uses this token, so that you know what to revoke.", max_length=100
                        ),
                    ),
                    ("prefix", models.CharField(editable=False, help_text="How the token begins.", max_length=12)),
                    (
                        "digest",
                        models.CharField(editable=False, help_text="SHA-256 of the token, hexadecimal.", max_length=64),
                    ),
                    (
                        "scopes",
                        django.contrib.postgres.fields.ArrayField(
                            base_field=models.TextField(), help_text="What this token may be used for.", size=None
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    ("expires_at", models.DateTimeField(verbose_name="expires")),
                    (
                        "last_used_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last used"),
                    ),
                    ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="revoked")),
                    (
                        "created_by",
                        models.ForeignKey(
                            db_index=False,
                            editable=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "owner",
                        models.ForeignKey(
                            db_index=False,
                            editable=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="api_tokens",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                ],
                options={
                    "verbose_name": "API token",
                    "db_table": "api_tokens",
                    "db_table_comment": "Personal API tokens, stored as digests.",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="api_tokens_newest",
                        ),
                        models.Index(
                            models.F("owner"),
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="api_tokens_of_owner",
                        ),
                    ],
                    "constraints": [
                        models.UniqueConstraint(fields=("digest",), name="api_tokens_digest_unique"),
                        models.CheckConstraint(
                            condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")), name="api_tokens_digest_format"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("name", ""), _negated=True),
                            name="api_tokens_name_not_empty",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("expires_at__gt", models.F("created_at"))),
                            name="api_tokens_expires_after_creation",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("revoked_at__gte", models.F("created_at")),
                                ("revoked_at__isnull", True),
                                _connector="OR",
                            ),
                            name="api_tokens_revoked_after_creation",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="api_tokens_name_one_line",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="IdempotencyKey",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    ("operation", models.CharField(max_length=100)),
                    ("key", models.CharField(db_collation="C", max_length=255)),
                    (
                        "fingerprint",
                        models.CharField(help_text="SHA-256 of method, address and body, hexadecimal.", max_length=64),
                    ),
                    ("status", models.SmallIntegerField()),
                    ("headers", models.JSONField()),
                    ("body", models.TextField()),
                    ("created_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                    (
                        "owner",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                ],
                options={
                    "db_table": "api_idempotency_keys",
                    "db_table_comment": "Responses to API requests and forms that may be repeated.",
                    "indexes": [models.Index(fields=["created_at"], name="api_idempotency_keys_by_age")],
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("owner", "operation", "key"), name="api_idempotency_keys_unique"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("fingerprint__regex", "^[0-9a-f]{64}$")),
                            name="api_idempotency_keys_fingerprint_format",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("status__gte", 200), ("status__lt", 400)),
                            name="api_idempotency_keys_of_success",
                        ),
                    ],
                },
            ),
            SQLFile("common/tables/api_tokens", version=1),
            SQLFile("common/tables/api_request_counts", version=1),
            SQLFile("common/functions/count_request", version=1),
            SQLFile("common/functions/reject_api_token_change", version=1),
            SQLFile("common/triggers/api_tokens", version=1),
        ),
    ]
