"""Labels of fields and models; no change of the database."""

import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import RenderOnce


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0002_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        RenderOnce(
            migrations.AlterModelOptions(
                name="apitoken",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "API token",
                    "verbose_name_plural": "API tokens",
                },
            ),
            migrations.AlterField(
                model_name="apitoken",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created",
                ),
            ),
            migrations.AlterField(
                model_name="apitoken",
                name="created_by",
                field=models.ForeignKey(
                    db_index=False,
                    editable=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="created by",
                ),
            ),
            migrations.AlterField(
                model_name="apitoken",
                name="digest",
                field=models.CharField(
                    editable=False, help_text="SHA-256 of the token, hexadecimal.", max_length=64, verbose_name="digest"
                ),
            ),
            migrations.AlterField(
                model_name="apitoken",
                name="name",
                field=models.CharField(
                    help_text="What uses this token, so that you know what to revoke.",
                    max_length=100,
                    verbose_name="name",
                ),
            ),
            migrations.AlterField(
                model_name="apitoken",
                name="owner",
                field=models.ForeignKey(
                    db_index=False,
                    editable=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="api_tokens",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="owner",
                ),
            ),
            migrations.AlterField(
                model_name="apitoken",
                name="prefix",
                field=models.CharField(
                    editable=False, help_text="How the token begins.", max_length=12, verbose_name="prefix"
                ),
            ),
            migrations.AlterField(
                model_name="apitoken",
                name="scopes",
                field=django.contrib.postgres.fields.ArrayField(
                    base_field=models.TextField(),
                    help_text="What this token may be used for.",
                    size=None,
                    verbose_name="scopes",
                ),
            ),
        ),
    ]
