from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Comments of the tables of the seed and of their columns."""

    dependencies = [
        ("engagement", "0016_personal_messages"),
    ]

    operations = [
        SQLFile("engagement/comments"),
    ]
