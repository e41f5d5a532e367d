import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Add figures by day that outlive the runs, and the materialized views over them."""

    dependencies = [
        ("fallback", "0008_templates_rest"),
    ]

    operations = [
        migrations.CreateModel(
            name="MetricsRefresh",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                (
                    "refreshed_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="refreshed"
                    ),
                ),
            ],
            options={
                "verbose_name": "refresh of the metrics",
                "verbose_name_plural": "refreshes of the metrics",
                "db_table": "fallback_metrics_refreshes",
            },
        ),
        migrations.CreateModel(
            name="BacklogRollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "project", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("samples", models.IntegerField(db_default=0, verbose_name="samples")),
                ("enough", models.IntegerField(db_default=0, verbose_name="samples with enough ready missions")),
                ("backlog_sum", models.BigIntegerField(db_default=0, verbose_name="sum of ready missions")),
                ("threshold_sum", models.BigIntegerField(db_default=0, verbose_name="sum of wanted missions")),
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="backlog_rollups",
                        to="fallback.project",
                        verbose_name="project",
                    ),
                ),
            ],
            options={
                "verbose_name": "backlog of a day",
                "verbose_name_plural": "backlog by day",
                "db_table": "fallback_backlog_rollups",
            },
        ),
        migrations.CreateModel(
            name="ProposalRollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("template_id", models.CharField(db_collation="C", max_length=26, verbose_name="template")),
                ("day", models.DateField(verbose_name="day")),
                ("generated", models.IntegerField(db_default=0, verbose_name="generated")),
                ("accepted", models.IntegerField(db_default=0, verbose_name="accepted")),
                ("discarded", models.IntegerField(db_default=0, verbose_name="discarded")),
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="proposal_rollups",
                        to="fallback.project",
                        verbose_name="project",
                    ),
                ),
            ],
            options={
                "verbose_name": "proposals of a day",
                "verbose_name_plural": "proposals by day",
                "db_table": "fallback_proposal_rollups",
                "indexes": [
                    models.Index(fields=["project", "day", "template_id"], name="fallback_proposal_rollups_day")
                ],
            },
        ),
        OnDelete("CASCADE", "fallback_proposal_rollups.project_id", "fallback_backlog_rollups.project_id"),
        SQLFile("fallback/data/roll_up_history"),
        SQLFile("fallback/functions/roll_up_proposals"),
        SQLFile("fallback/functions/roll_up_samples"),
        SQLFile("fallback/triggers/mission_fallback_items_roll_up"),
        SQLFile("fallback/triggers/mission_fallback_samples"),
        SQLFile("fallback/views/mv_project_metrics_daily"),
        SQLFile("fallback/views/mv_fallback_health"),
        SQLFile("fallback/views/mv_notification_counts"),
        SQLFile("fallback/functions/refresh_fallback_metrics"),
        SQLFile("fallback/grants_metrics"),
    ]
