from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    dependencies = [("common", "0002_api_tokens_and_workers")]

    operations = [SQLFile(__file__, "ulid")]
