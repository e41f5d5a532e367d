import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import OnDelete, RenderOnce
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Create test runs with results and logs."""

    dependencies = [
        ("missiondeck", "0003_add_citizen"),
    ]

    operations = [
        # The constraints of the table call these, so they are dropped after it.
        SQLFile("missiondeck/functions/test_summary_valid"),
        SQLFile("missiondeck/functions/test_results_valid"),
        SQLFile("missiondeck/functions/test_run_outcome"),
        SQLFile("missiondeck/functions/test_summary_fits"),
        RenderOnce(
            migrations.CreateModel(
                name="TestRun",
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
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "mission",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="test_runs",
                            to="missiondeck.deckmission",
                        ),
                    ),
                    (
                        "status",
                        models.TextField(choices=[("running", "Running"), ("passed", "Passed"), ("failed", "Failed")]),
                    ),
                    ("summary", models.JSONField(blank=True, null=True)),
                    ("results", models.JSONField(blank=True, null=True)),
                    ("logs", models.TextField(blank=True, null=True)),
                    ("name", models.CharField(blank=True, db_default="", default="", max_length=255)),
                    (
                        "source",
                        models.TextField(
                            choices=[("manual", "Manual"), ("junit", "JUnit XML"), ("json", "JSON")],
                            db_default="manual",
                            default="manual",
                        ),
                    ),
                    (
                        "digest",
                        models.CharField(
                            blank=True,
                            db_default="",
                            default="",
                            max_length=64,
                            verbose_name="SHA-256 digest of the file",
                        ),
                    ),
                    (
                        "import_key",
                        models.CharField(blank=True, db_default="", default="", editable=False, max_length=255),
                    ),
                    ("warnings", models.JSONField(blank=True, db_default=[], default=list)),
                    (
                        "flaky_tests",
                        django.contrib.postgres.fields.ArrayField(
                            base_field=models.TextField(),
                            blank=True,
                            db_default=[],
                            default=list,
                            editable=False,
                            size=None,
                        ),
                    ),
                    (
                        "finished_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="finished"),
                    ),
                    (
                        "created_by",
                        models.ForeignKey(
                            blank=True,
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                ],
                options={
                    "db_table": "test_runs",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(
                            models.F("mission"),
                            models.OrderBy(models.F("created_at"), descending=True),
                            name="idx_test_runs_mission",
                        ),
                        models.Index(
                            models.F("mission"),
                            models.OrderBy(models.F("finished_at"), descending=True),
                            name="test_runs_ended",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("status__in", ["running", "passed", "failed"])),
                            name="test_runs_status_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("source__in", ["manual", "junit", "json"])),
                            name="test_runs_source_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("digest", ""), ("digest__regex", "^[0-9a-f]{64}$"), _connector="OR"),
                            name="test_runs_digest_form",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("import_key", ""), _negated=True),
                            fields=("mission", "import_key"),
                            name="test_runs_key_unique",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("import_key", ""), ("import_key__regex", "^[!-~]+$"), _connector="OR"),
                            name="test_runs_key_form",
                        ),
                    ],
                },
            ),
        ),
        OnDelete("CASCADE", "test_runs.mission_id"),
        SQLFile("missiondeck/tables/test_runs"),
    ]
