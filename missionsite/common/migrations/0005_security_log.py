import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import missionsite.common.audit.fields
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The security log: append-only, with time and actor set by the database."""

    dependencies = [
        ("common", "0004_database_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SecurityEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("type", models.TextField(verbose_name="type")),
                ("address", models.GenericIPAddressField(blank=True, null=True, verbose_name="address")),
                ("user_agent", models.TextField(blank=True, db_default="", default="", verbose_name="browser")),
                ("request_id", models.TextField(blank=True, db_default="", default="", verbose_name="request")),
                ("payload", models.JSONField(blank=True, db_default={}, default=dict, verbose_name="details")),
                (
                    "occurred_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="when"
                    ),
                ),
                (
                    "changeset_id",
                    models.UUIDField(
                        db_default=missionsite.common.audit.fields.AuditChangesetId(),
                        editable=False,
                        null=True,
                        verbose_name="changeset",
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "security event",
                "verbose_name_plural": "security log",
                "db_table": "security_events",
                "db_table_comment": "The security log; append-only.",
                "ordering": [
                    models.OrderBy(models.F("occurred_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
                "indexes": [
                    models.Index(
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="security_events_newest",
                    ),
                    models.Index(
                        models.F("member"),
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="security_events_of_member",
                    ),
                    models.Index(
                        models.F("actor"),
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="security_events_by_actor",
                    ),
                    models.Index(
                        models.F("address"),
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        name="security_events_of_address",
                    ),
                    models.Index(
                        models.F("type"),
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="security_events_of_type",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("type__regex", "^[a-z_]+(\\.[a-z_]+)+$")),
                        name="security_events_type_format",
                    )
                ],
            },
        ),
        SQLFile("common/tables/security_events", version=1),
        SQLFile("common/functions/reject_security_event_change", version=1),
        SQLFile("common/triggers/security_events", version=1),
    ]
