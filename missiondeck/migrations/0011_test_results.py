import datetime

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Results of runs as rows, and tests with an owner and a quarantine."""

    dependencies = [
        ("missiondeck", "0010_further_meaningful_rows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DeckTest",
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
                ("test", models.TextField(verbose_name="test")),
                (
                    "quarantine_reason",
                    models.TextField(blank=True, db_default="", default="", verbose_name="reason"),
                ),
                (
                    "issue_url",
                    models.CharField(blank=True, db_default="", default="", max_length=500, verbose_name="issue"),
                ),
                (
                    "quarantined_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="in quarantine since"),
                ),
                ("quarantined_until", models.DateTimeField(blank=True, null=True, verbose_name="in quarantine until")),
                (
                    "mission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="tests",
                        to="missiondeck.deckmission",
                        verbose_name="client mission",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
                (
                    "quarantined_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="put in quarantine by",
                    ),
                ),
            ],
            options={
                "verbose_name": "test of a client mission",
                "verbose_name_plural": "tests of client missions",
                "db_table": "deck_tests",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("mission"), django.db.models.functions.text.MD5("test"), name="deck_tests_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("quarantined_at", None),
                                ("quarantined_by", None),
                                ("quarantined_until", None),
                                ("issue_url", ""),
                                ("quarantine_reason", ""),
                            ),
                            models.Q(
                                ("quarantined_at__isnull", False),
                                ("quarantined_by__isnull", False),
                                ("quarantined_until__isnull", False),
                                models.Q(("quarantine_reason__regex", "^\\s*$"), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="deck_tests_quarantine_has_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("issue_url", ""), ("quarantined_until", None)),
                            ("issue_url__regex", "^https?://[!-~]+$"),
                            _connector="OR",
                        ),
                        name="deck_tests_issue_url_form",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("quarantined_until", None),
                            models.Q(
                                ("quarantined_until__gt", models.F("quarantined_at")),
                                (
                                    "quarantined_until__lte",
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("quarantined_at"), "+", models.Value(datetime.timedelta(days=90))
                                    ),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="deck_tests_quarantine_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TestResult",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run", "rank", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("rank", models.SmallIntegerField(verbose_name="rank")),
                ("number", models.IntegerField(verbose_name="number")),
                ("test", models.TextField(verbose_name="test")),
                ("test_key", models.UUIDField(verbose_name="key of the test")),
                ("duration", models.FloatField(null=True, verbose_name="seconds")),
                ("error_key", models.UUIDField(null=True, verbose_name="key of the error")),
                ("result", models.JSONField(verbose_name="result")),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="missiondeck.testrun",
                        verbose_name="test run",
                    ),
                ),
            ],
            options={
                "verbose_name": "test result",
                "verbose_name_plural": "test results",
                "db_table": "test_results",
                "ordering": ["run", "rank", "number"],
                "indexes": [models.Index(fields=["run", "test_key"], name="test_results_of_test")],
            },
        ),
        OnDelete("CASCADE", "deck_tests.mission_id", "test_results.run_id"),
        SQLFile("missiondeck/tables/test_results_grants"),
        SQLFile("missiondeck/functions/test_error_key"),
        SQLFile("missiondeck/functions/add_test_results"),
        SQLFile("missiondeck/functions/store_test_results"),
        SQLFile("missiondeck/triggers/test_runs_results"),
        SQLFile("missiondeck/functions/deck_run_counts"),
        SQLFile("missiondeck/functions/deck_gate_runs", version=2),
        SQLFile("missiondeck/functions/deck_vanished_tests_of", version=2),
        SQLFile("missiondeck/functions/flaky_tests_of", version=2),
        SQLFile("missiondeck/functions/deck_gate", version=2),
        SQLFile("missiondeck/data/existing_results"),
    ]
