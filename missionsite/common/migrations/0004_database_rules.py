import datetime

from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The longest life of an API token, and what the database itself writes into logs."""

    dependencies = [
        ("common", "0003_labels"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "expires_at__lte",
                        models.F("created_at")
                        + models.Value(datetime.timedelta(days=366))
                        + models.Value(datetime.timedelta(days=1)),
                    )
                ),
                name="api_tokens_lifetime",
            ),
        ),
        SQLFile("common/functions/current_member_id", version=2),
        SQLFile("common/functions/stamp_log_row", version=1),
    ]
