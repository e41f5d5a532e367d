import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """What was chosen for the columns of imported files."""

    dependencies = [("groups", "0016_registration_fees")]

    operations = [
        migrations.CreateModel(
            name="ImportMapping",
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
                    "shape",
                    models.CharField(
                        db_collation="C", editable=False, max_length=64, unique=True, verbose_name="shape"
                    ),
                ),
                (
                    "columns",
                    models.JSONField(db_default={}, default=dict, editable=False, verbose_name="columns"),
                ),
                ("roles", models.JSONField(db_default={}, default=dict, editable=False, verbose_name="roles")),
                (
                    "saved_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="saved at",
                    ),
                ),
                (
                    "saved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="saved by",
                    ),
                ),
            ],
            options={
                "verbose_name": "remembered columns of imports",
                "verbose_name_plural": "remembered columns of imports",
                "db_table": "import_mappings",
                "ordering": [
                    models.OrderBy(models.F("saved_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("shape__regex", "^[0-9a-f]{64}$")), name="import_mappings_shape_format"
                    )
                ],
            },
        ),
        SQLFile("groups/policies_import_mappings", version=1),
    ]
