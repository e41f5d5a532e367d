import datetime

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Costs of missions against their budgets, with notices; clients with an older link do not see the budget."""

    dependencies = [
        ("missiondeck", "0020_dod_templates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DeckCost",
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
                ("worked_on", models.DateField(verbose_name="day")),
                ("minutes", models.PositiveIntegerField(blank=True, null=True, verbose_name="minutes")),
                (
                    "amount_cents",
                    models.PositiveBigIntegerField(db_default=0, default=0, verbose_name="amount in cents"),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("note", models.CharField(blank=True, db_default="", default="", max_length=300, verbose_name="note")),
                ("removed_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="removed at")),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="recorded by",
                    ),
                ),
                (
                    "mission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="costs",
                        to="missiondeck.deckmission",
                        verbose_name="client mission",
                    ),
                ),
            ],
            options={
                "verbose_name": "cost of a mission",
                "verbose_name_plural": "costs of missions",
                "db_table": "deck_costs",
                "ordering": [
                    models.OrderBy(models.F("worked_on"), descending=True),
                    models.OrderBy(models.F("created_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="notice",
            name="deck_notices_kind_known",
        ),
        migrations.AddField(
            model_name="clientlink",
            name="hides_budget",
            field=models.BooleanField(db_default=False, default=False, verbose_name="without budget"),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.TextField(
                choices=[
                    ("run.started", "Test run started"),
                    ("run.passed", "Test run passed"),
                    ("run.failed", "Test run failed"),
                    ("run.flaky", "Many flaky tests"),
                    ("item.reopened", "Item reopened by its evidence"),
                    ("mission.completed", "Mission completed"),
                    ("deadline.near", "Deadline is near"),
                    ("deadline.passed", "Deadline passed"),
                    ("budget.near", "Budget nearly used"),
                    ("budget.over", "Budget exceeded"),
                    ("mention", "Mention in a message or comment"),
                ],
                verbose_name="kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "run.started",
                            "run.passed",
                            "run.failed",
                            "run.flaky",
                            "item.reopened",
                            "mission.completed",
                            "deadline.near",
                            "deadline.passed",
                            "budget.near",
                            "budget.over",
                            "mention",
                        ],
                    )
                ),
                name="deck_notices_kind_known",
            ),
        ),
        migrations.AddIndex(
            model_name="deckcost",
            index=models.Index(
                models.F("mission"),
                models.OrderBy(models.F("worked_on"), descending=True),
                name="deck_costs_of_mission",
            ),
        ),
        migrations.AddConstraint(
            model_name="deckcost",
            constraint=models.CheckConstraint(
                condition=models.Q(("note__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="deck_costs_note_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="deckcost",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("currency__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                ),
                name="deck_costs_currency_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="deckcost",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "worked_on__lte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.functions.datetime.Now(), "+", models.Value(datetime.timedelta(days=1))
                        ),
                    ),
                    ("worked_on__isnull", True),
                    _connector="OR",
                ),
                name="deck_costs_worked_on_not_in_future",
            ),
        ),
        migrations.AddConstraint(
            model_name="deckcost",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("minutes", None), models.Q(("minutes__gte", 1), ("minutes__lte", 60000)), _connector="OR"
                ),
                name="deck_costs_minutes_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="deckcost",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_cents__lte", 100000000000),
                    models.Q(("minutes__isnull", False), ("amount_cents__gte", 1), _connector="OR"),
                ),
                name="deck_costs_amount_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="deckcost",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="deck_costs_currency_form"
            ),
        ),
        OnDelete("CASCADE", "deck_costs.mission_id"),
        SQLFile("missiondeck/tables/deck_costs_grants"),
        SQLFile("missiondeck/data/budget_of_links"),
        SQLFile("missiondeck/functions/record_deck_budget_notice"),
        SQLFile("missiondeck/triggers/deck_costs"),
        SQLFile("missiondeck/triggers/deck_missions_budget"),
    ]
