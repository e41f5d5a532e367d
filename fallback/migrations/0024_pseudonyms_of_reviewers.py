from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Replace an erased reviewer of missions and proposals by a pseudonym."""

    dependencies = [
        ("fallback", "0023_library"),
    ]

    operations = [
        SQLFile("fallback/functions/erase_person_in_projects", version=5),
    ]
