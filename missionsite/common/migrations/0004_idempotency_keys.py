import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Stored responses to API requests that may be repeated."""

    dependencies = [
        ("common", "0003_ulid"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                "db_table_comment": "Responses to API requests that may be repeated.",
                "indexes": [models.Index(fields=["created_at"], name="api_idempotency_keys_by_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("owner", "operation", "key"), name="api_idempotency_keys_unique"),
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
    ]
