"""Labels of fields and models; no change of the database."""

from django.db import migrations

from missionsite.common.operations import RenderOnce


class Migration(migrations.Migration):
    dependencies = [
        ("missionsite", "0001_roles"),
    ]

    operations = [
        RenderOnce(
            migrations.AlterModelOptions(
                name="role",
                options={"verbose_name": "role", "verbose_name_plural": "roles"},
            ),
        ),
    ]
