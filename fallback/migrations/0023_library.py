import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

import missionsite.common.ids
from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Add the library of templates, and the order of templates by score."""

    dependencies = [
        ("fallback", "0022_absences_and_assignments"),
    ]

    operations = [
        migrations.CreateModel(
            name="TemplateCopy",
            fields=[
                (
                    "id",
                    missionsite.common.ids.UlidField(
                        db_collation="C",
                        db_default=missionsite.common.ids.Ulid(),
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="updated",
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="copies",
                        to="fallback.missionfallbacktemplate",
                        verbose_name="origin",
                    ),
                ),
                (
                    "template",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="copied_from",
                        to="fallback.missionfallbacktemplate",
                        verbose_name="template",
                    ),
                ),
                (
                    "content",
                    models.JSONField(blank=True, db_default={}, default=dict, verbose_name="content of the origin"),
                ),
            ],
            options={
                "verbose_name": "copy of a template",
                "verbose_name_plural": "copies of templates",
                "db_table": "template_copies",
                "db_table_comment": "Templates that were copied from the library, with what the origin was then.",
            },
        ),
        migrations.AddField(
            model_name="missionfallbackconfig",
            name="by_score",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Templates with the best acceptance score come first, instead of taking turns.",
                verbose_name="order by score",
            ),
        ),
        migrations.AddField(
            model_name="missionfallbacktemplate",
            name="published_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="published"),
        ),
        migrations.AddIndex(
            model_name="missionfallbacktemplate",
            index=models.Index(
                django.db.models.functions.text.Lower("name"),
                condition=models.Q(("published_at__isnull", False)),
                name="fallback_templates_library",
            ),
        ),
        OnDelete("CASCADE", "template_copies.template_id"),
        OnDelete("SET NULL", "template_copies.origin_id"),
        SQLFile("fallback/tables/library"),
        SQLFile("fallback/triggers/template_copies"),
    ]
