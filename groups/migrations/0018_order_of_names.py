from django.db import migrations, models

from missionsite.common.search_words import NameSortKey
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Lists by name, in the order in which people sort names."""

    dependencies = [("groups", "0017_import_mappings")]

    operations = [
        SQLFile("groups/functions/name_sort_key", version=1),
        migrations.AddIndex(
            model_name="communitymember",
            index=models.Index(NameSortKey("name"), models.F("id"), name="community_members_by_name"),
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(NameSortKey("display_name"), models.F("id"), name="members_by_name"),
        ),
    ]
