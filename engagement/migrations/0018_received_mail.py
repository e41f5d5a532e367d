import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import OnDelete, RenderOnce, RunDeferredSQL
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Received messages without a member, and how far a mailbox was read."""

    dependencies = [
        ("engagement", "0017_comments"),
        ("missionsite", "0003_database_privileges"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="Mailbox",
                fields=[
                    ("name", models.CharField(max_length=255, primary_key=True, serialize=False)),
                    ("uid_validity", models.BigIntegerField()),
                    ("last_uid", models.BigIntegerField(db_default=0, default=0)),
                    ("read_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                ],
                options={
                    "db_table": "engagement_mailboxes",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="engagement_mailboxes_name_one_line",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="UnassignedMessage",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    ("platform", models.CharField(max_length=50, verbose_name="platform")),
                    ("message_id", models.CharField(max_length=255, verbose_name="message ID")),
                    ("sender", models.CharField(db_default="", default="", max_length=255, verbose_name="sender")),
                    ("sender_name", models.CharField(db_default="", default="", max_length=200, verbose_name="name")),
                    ("text", models.TextField(db_default="", default="", verbose_name="text")),
                    (
                        "reason",
                        models.TextField(
                            choices=[
                                ("unknown", "No member has this address"),
                                ("several", "Several members have this address"),
                                ("unverified", "The address of the member is not verified"),
                                ("forged", "The sender is not authenticated (DMARC)"),
                                ("unreadable", "The message cannot be read"),
                            ],
                            verbose_name="reason",
                        ),
                    ),
                    (
                        "received_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="received"
                        ),
                    ),
                    ("handled_at", models.DateTimeField(blank=True, null=True, verbose_name="handled")),
                    (
                        "user",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                            verbose_name="member",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "unassigned message",
                    "verbose_name_plural": "unassigned messages",
                    "db_table": "unassigned_messages",
                    "ordering": [
                        models.OrderBy(models.F("received_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [models.Index(fields=["received_at", "id"], name="unassigned_messages_received")],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("platform__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="unassigned_messages_platform_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("message_id__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="unassigned_messages_message_id_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("sender__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="unassigned_messages_sender_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("sender_name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="unassigned_messages_sender_name_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("reason__in", ["unknown", "several", "unverified", "forged", "unreadable"])
                            ),
                            name="unassigned_messages_reason_known",
                        ),
                        models.UniqueConstraint(fields=("platform", "message_id"), name="unassigned_messages_unique"),
                        models.CheckConstraint(
                            condition=models.Q(("handled_at__isnull", True), ("text", ""), _connector="OR"),
                            name="unassigned_messages_text_removed",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("user__isnull", True), ("handled_at__isnull", False), _connector="OR"),
                            name="unassigned_messages_member_handled",
                        ),
                    ],
                },
            ),
            OnDelete("CASCADE", "unassigned_messages.user_id"),
            RunDeferredSQL(),
            SQLFile("engagement/policies_unassigned_messages"),
            SQLFile("engagement/functions/erase_person_in_engagement", version=3),
        ),
    ]
