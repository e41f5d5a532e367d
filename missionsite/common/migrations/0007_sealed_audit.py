import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The sealed audit, its details and blocks, and the applications of retention rules."""

    dependencies = [
        ("common", "0006_role_requirements"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditActor",
            fields=[
                (
                    "token",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("erased_at", models.DateTimeField(editable=False, null=True, verbose_name="erased")),
                (
                    "member",
                    models.OneToOneField(
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="audit_actor",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "pseudonym",
                "verbose_name_plural": "pseudonyms",
                "db_table": "audit_actors",
                "db_table_comment": "Pseudonyms of members in the audit.",
            },
        ),
        migrations.CreateModel(
            name="AuditBlock",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), null=True, size=None
                    ),
                ),
                ("leaves", models.BinaryField(null=True)),
                ("entries", models.IntegerField(verbose_name="entries")),
                ("newest_at", models.DateTimeField(verbose_name="newest entry")),
                ("content", models.BinaryField(max_length=32)),
                ("previous", models.BinaryField(max_length=32)),
                ("digest", models.BinaryField(max_length=32)),
                (
                    "sealed_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="sealed"
                    ),
                ),
                ("deleted_at", models.DateTimeField(null=True, verbose_name="entries deleted")),
            ],
            options={
                "verbose_name": "block of the audit",
                "verbose_name_plural": "blocks of the audit",
                "db_table": "audit_blocks",
                "db_table_comment": "Sealed blocks of the audit, chained.",
                "ordering": ["number"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("entries__gt", 0)), name="audit_blocks_entries_positive"
                    ),
                    models.UniqueConstraint(fields=("previous",), name="audit_blocks_chain_unique"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "occurred_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="when"
                    ),
                ),
                ("app", models.TextField(verbose_name="app")),
                ("action", models.TextField(verbose_name="action")),
                (
                    "outcome",
                    models.TextField(
                        choices=[("done", "Done"), ("failed", "Failed"), ("denied", "Denied")],
                        db_default="done",
                        default="done",
                        verbose_name="outcome",
                    ),
                ),
                ("object_type", models.TextField(db_default="", default="", verbose_name="kind of object")),
                ("object_id", models.TextField(db_default="", default="", verbose_name="object")),
                ("changeset_id", models.UUIDField(null=True, verbose_name="changeset")),
                ("origin_digest", models.BinaryField(max_length=32, verbose_name="digest of the origin")),
                ("content_digest", models.BinaryField(max_length=32, verbose_name="digest of the details")),
                ("leaf", models.BinaryField(max_length=32, verbose_name="digest")),
                (
                    "actor",
                    models.ForeignKey(
                        db_column="actor_token",
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="common.auditactor",
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit",
                "db_table": "audit_entries",
                "db_table_comment": "The sealed audit; append-only.",
                "ordering": [
                    models.OrderBy(models.F("occurred_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
            },
        ),
        migrations.CreateModel(
            name="RetentionRun",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("rule", models.TextField(verbose_name="rule")),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        db_default="waiting",
                        default="waiting",
                        verbose_name="status",
                    ),
                ),
                ("due", models.BigIntegerField(db_default=0, default=0, verbose_name="due")),
                ("treated", models.BigIntegerField(db_default=0, default=0, verbose_name="treated")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="started"
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                (
                    "started_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="started by",
                    ),
                ),
            ],
            options={
                "verbose_name": "application of a retention rule",
                "verbose_name_plural": "applications of retention rules",
                "db_table": "retention_runs",
                "db_table_comment": "When retention rules were applied, and to how many rows.",
                "ordering": [models.OrderBy(models.F("id"), descending=True)],
                "permissions": [("apply_retention", "Can apply retention rules")],
            },
        ),
        migrations.CreateModel(
            name="AuditDetails",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="details",
                        serialize=False,
                        to="common.auditentry",
                    ),
                ),
                ("salt", models.UUIDField()),
                ("origin", models.JSONField(null=True, verbose_name="from where")),
                ("content", models.JSONField(null=True, verbose_name="details")),
                (
                    "erased_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="common.auditentry",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_constraint=False,
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
                "verbose_name": "details of an audit entry",
                "verbose_name_plural": "details of audit entries",
                "db_table": "audit_details",
                "db_table_comment": "Details of audit entries; emptied when a person is erased.",
            },
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                models.OrderBy(models.F("occurred_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="audit_entries_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                models.F("app"),
                models.OrderBy(models.F("occurred_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="audit_entries_of_app",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                models.F("action"),
                models.OrderBy(models.F("occurred_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="audit_entries_of_action",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                models.F("actor"),
                models.OrderBy(models.F("occurred_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="audit_entries_of_actor",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                models.F("object_id"),
                models.OrderBy(models.F("occurred_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="audit_entries_of_object",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("changeset_id__isnull", False)),
                fields=["changeset_id"],
                name="audit_entries_of_changeset",
            ),
        ),
        migrations.AddConstraint(
            model_name="auditentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["done", "failed", "denied"])), name="audit_entries_outcome_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="auditentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("action__regex", "^[a-z_]+(\\.[a-z_]+)+$")), name="audit_entries_action_format"
            ),
        ),
        migrations.AddIndex(
            model_name="retentionrun",
            index=models.Index(
                models.F("rule"), models.OrderBy(models.F("id"), descending=True), name="retention_runs_of_rule"
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["waiting", "running", "done", "failed"])),
                name="retention_runs_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("due__gte", 0), ("treated__gte", 0)), name="retention_runs_numbers_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["waiting", "running"])),
                fields=("rule",),
                name="retention_runs_one_at_a_time",
            ),
        ),
        migrations.AddIndex(
            model_name="auditdetails",
            index=models.Index(
                condition=models.Q(("member__isnull", False)), fields=["member"], name="audit_details_of_member"
            ),
        ),
        SQLFile("common/functions/audit_leaf", version=1),
        SQLFile("common/functions/audit_digest", version=1),
        SQLFile("common/functions/audit_block_digest", version=1),
        SQLFile("common/functions/audit_context", version=1),
        SQLFile("common/functions/stamp_audit_entry", version=1),
        SQLFile("common/functions/reject_audit_change", version=1),
        SQLFile("common/tables/audit", version=1),
        SQLFile("common/functions/add_audit_entry", version=1),
        SQLFile("common/functions/seal_audit", version=1),
        SQLFile("common/functions/delete_old_audit", version=1),
        SQLFile("common/functions/erase_audit", version=1),
        SQLFile("common/triggers/audit_entries", version=1),
        SQLFile("common/triggers/audit_details", version=1),
        SQLFile("common/triggers/audit_actors", version=1),
        SQLFile("common/triggers/audit_blocks", version=1),
    ]
