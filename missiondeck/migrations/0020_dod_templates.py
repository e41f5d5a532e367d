import django.contrib.postgres.functions
import django.db.models.functions.text
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Templates of definitions of done."""

    dependencies = [
        ("missiondeck", "0019_citizens"),
    ]

    operations = [
        migrations.AlterField(
            model_name="deckmission",
            name="github_url",
            field=models.URLField(
                blank=True,
                db_default="",
                default="",
                help_text="Optional, on any host. Example: https://gitlab.example.org/group/name",
                verbose_name="repository",
            ),
        ),
        migrations.AlterField(
            model_name="deckmissionhistory",
            name="github_url",
            field=models.URLField(
                blank=True,
                db_default="",
                default="",
                help_text="Optional, on any host. Example: https://gitlab.example.org/group/name",
                verbose_name="repository",
            ),
        ),
        migrations.CreateModel(
            name="DodTemplate",
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
                    "name",
                    models.CharField(help_text="Such as: Online shop.", max_length=100, verbose_name="kind of client"),
                ),
                (
                    "description",
                    models.CharField(blank=True, db_default="", default="", max_length=500, verbose_name="description"),
                ),
                ("items", models.JSONField(db_default=[], default=list, verbose_name="items")),
                (
                    "is_enabled",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="Whether it is offered for missions.",
                        verbose_name="enabled",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="updated at",
                    ),
                ),
            ],
            options={
                "verbose_name": "definition of done template",
                "verbose_name_plural": "definition of done templates",
                "db_table": "deck_dod_templates",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                        ),
                        name="deck_dod_templates_name_one_line",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("description__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                        ),
                        name="deck_dod_templates_description_one_line",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "^\\s*$"), _negated=True),
                        name="deck_dod_templates_name_not_empty",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"), name="deck_dod_templates_name_unique"
                    ),
                ],
            },
        ),
        SQLFile("missiondeck/functions/dod_template_items_valid"),
        SQLFile("missiondeck/tables/deck_dod_templates"),
        SQLFile("missiondeck/triggers/deck_dod_templates"),
    ]
