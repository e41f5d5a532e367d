import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Evidence of items, which ticks and reopens them."""

    dependencies = [
        ("missiondeck", "0011_test_results"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Evidence",
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
                    "kind",
                    models.TextField(
                        choices=[
                            ("test", "Test"),
                            ("suite", "Suite"),
                            ("sign_off", "Sign-off by a role"),
                            ("link", "Link"),
                        ],
                        verbose_name="kind",
                    ),
                ),
                ("value", models.TextField(verbose_name="value")),
                ("signed_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="signed at")),
                ("removed_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="removed at")),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("met", "Met"),
                            ("failed", "Failed"),
                            ("missing", "Did not run"),
                            ("pending", "Running"),
                        ],
                        db_default="missing",
                        default="missing",
                        editable=False,
                        verbose_name="state",
                    ),
                ),
                ("checked_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="checked at")),
                (
                    "item",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="evidence",
                        to="missiondeck.doditem",
                        verbose_name="item of the definition of done",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="missiondeck.testrun",
                        verbose_name="test run",
                    ),
                ),
                (
                    "signed_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="signed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "evidence of an item",
                "verbose_name_plural": "evidence of items",
                "db_table": "dod_evidence",
                "ordering": ["item", "kind", "created_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("value__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                        ),
                        name="dod_evidence_value_one_line",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["test", "suite", "sign_off", "link"])),
                        name="dod_evidence_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["met", "failed", "missing", "pending"])),
                        name="dod_evidence_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("value__regex", "^\\s*$"), _negated=True),
                        name="dod_evidence_value_not_empty",
                    ),
                    models.UniqueConstraint(
                        models.F("item"),
                        models.F("kind"),
                        django.db.models.functions.text.MD5("value"),
                        condition=models.Q(("removed_at", None)),
                        name="dod_evidence_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "link"), _negated=True),
                            ("value__regex", "^https://[!-~]+$"),
                            _connector="OR",
                        ),
                        name="dod_evidence_link_form",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("signed_at", None), ("signed_by", None)),
                            models.Q(("kind", "sign_off"), ("signed_at__isnull", False), ("signed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="dod_evidence_signature_consistent",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EvidenceChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("completed", models.BooleanField(verbose_name="done")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="time",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="missiondeck.doditem",
                        verbose_name="item of the definition of done",
                    ),
                ),
                (
                    "mission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="missiondeck.deckmission",
                        verbose_name="client mission",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="missiondeck.testrun",
                        verbose_name="test run",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of an item by its evidence",
                "verbose_name_plural": "changes of items by their evidence",
                "db_table": "dod_evidence_changes",
                "ordering": [models.OrderBy(models.F("id"), descending=True)],
                "indexes": [
                    models.Index(
                        models.F("mission"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="dod_evidence_changes_recent",
                    ),
                    models.Index(
                        models.F("item"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="dod_evidence_changes_of_item",
                    ),
                ],
            },
        ),
        OnDelete("CASCADE", "dod_evidence.item_id", "dod_evidence_changes.mission_id", "dod_evidence_changes.item_id"),
        OnDelete("SET NULL", "dod_evidence.run_id", "dod_evidence_changes.run_id"),
        SQLFile("missiondeck/tables/dod_evidence_grants"),
        SQLFile("missiondeck/functions/deck_newest_runs"),
        SQLFile("missiondeck/functions/dod_evidence_states"),
        SQLFile("missiondeck/functions/refresh_dod_evidence"),
        SQLFile("missiondeck/functions/follow_dod_evidence"),
        SQLFile("missiondeck/functions/check_dod_evidence"),
        SQLFile("missiondeck/functions/check_dod_evidence_open"),
        SQLFile("missiondeck/triggers/dod_evidence"),
        SQLFile("missiondeck/triggers/dod_items_evidence"),
        SQLFile("missiondeck/triggers/test_runs_evidence"),
    ]
