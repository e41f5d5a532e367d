from django.db import migrations

from missionsite.common.sqlfiles import add_one_line_checks


class Migration(migrations.Migration):
    """Names of API tokens have a single line."""

    dependencies = [("common", "0004_idempotency_keys")]

    operations = [
        *add_one_line_checks("ApiToken", "api_tokens", "name"),
        migrations.AlterModelTableComment(
            "IdempotencyKey", "Responses to API requests and forms that may be repeated."
        ),
    ]
