import django.contrib.postgres.functions
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The figures of each day, for the plots of the home page."""

    dependencies = [("missionsite", "0004_accounts")]

    operations = [
        migrations.CreateModel(
            name="SiteFigure",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "name", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.TextField(verbose_name="name")),
                ("day", models.DateField(verbose_name="day")),
                ("value", models.BigIntegerField(verbose_name="value")),
                (
                    "refreshed_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="refreshed"
                    ),
                ),
            ],
            options={
                "verbose_name": "figure of a day",
                "verbose_name_plural": "figures by day",
                "db_table": "site_figures",
                "db_table_comment": "Numbers of the whole site by day, for the plots of the home page.",
                "indexes": [models.Index(fields=["day"], name="site_figures_day")],
            },
        ),
        SQLFile("missionsite/figure_grants", version=1),
    ]
