import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

from missionsite.common.operations import OnDelete


class Migration(migrations.Migration):
    """Add the limits of boards, and the stored forecasts."""

    dependencies = [
        ("fallback", "0013_flow"),
    ]

    operations = [
        migrations.CreateModel(
            name="MissionForecast",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("made_on", models.DateField(verbose_name="made on")),
                (
                    "made_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="made",
                    ),
                ),
                ("backlog", models.IntegerField(verbose_name="ready missions")),
                ("p50_on", models.DateField(verbose_name="P50")),
                ("p85_on", models.DateField(verbose_name="P85")),
                ("emptied_on", models.DateField(blank=True, null=True, verbose_name="reached zero on")),
                ("closed_on", models.DateField(blank=True, null=True, verbose_name="closed on")),
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="forecasts",
                        to="fallback.project",
                        verbose_name="project",
                    ),
                ),
            ],
            options={
                "verbose_name": "forecast",
                "verbose_name_plural": "forecasts",
                "db_table": "mission_forecasts",
            },
        ),
        OnDelete("CASCADE", "mission_forecasts.project_id"),
        migrations.AddField(
            model_name="project",
            name="doing_limit",
            field=models.IntegerField(blank=True, null=True, verbose_name="limit of Doing"),
        ),
        migrations.AddField(
            model_name="project",
            name="review_limit",
            field=models.IntegerField(
                blank=True,
                help_text="A list with more missions is marked on the board. Empty: no limit.",
                null=True,
                verbose_name="limit of Review",
            ),
        ),
        migrations.AddField(
            model_name="project",
            name="stale_after_days",
            field=models.IntegerField(
                db_default=14,
                default=14,
                help_text="A mission in Doing or Review is marked after so many days without an event.",
                verbose_name="days without movement",
            ),
        ),
        migrations.AddField(
            model_name="project",
            name="todo_limit",
            field=models.IntegerField(blank=True, null=True, verbose_name="limit of Todo"),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(("todo_limit__range", (1, 1000))), name="projects_todo_limit_in_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(("doing_limit__range", (1, 1000))), name="projects_doing_limit_in_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(("review_limit__range", (1, 1000))), name="projects_review_limit_in_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(("stale_after_days__range", (1, 365))), name="projects_stale_after_in_range"
            ),
        ),
        migrations.AddIndex(
            model_name="missionforecast",
            index=models.Index(
                condition=models.Q(("closed_on__isnull", True), ("emptied_on__isnull", True)),
                fields=["project"],
                name="mission_forecasts_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="missionforecast",
            constraint=models.UniqueConstraint(fields=("project", "made_on"), name="mission_forecasts_once_a_day"),
        ),
        migrations.AddConstraint(
            model_name="missionforecast",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("backlog__gt", 0),
                    ("p50_on__gte", models.F("made_on")),
                    ("p85_on__gte", models.F("p50_on")),
                    models.Q(("emptied_on__isnull", True), ("closed_on__isnull", True), _connector="OR"),
                ),
                name="mission_forecasts_in_order",
            ),
        ),
    ]
