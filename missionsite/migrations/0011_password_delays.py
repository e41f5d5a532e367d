from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The growing delay of wrong passwords."""

    dependencies = [("missionsite", "0010_site_figures")]

    operations = [
        SQLFile("missionsite/tables/password_delays", version=1),
        SQLFile("missionsite/functions/count_failure", version=1),
        SQLFile("missionsite/password_grants", version=1),
    ]
