from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """A claim and a mark are functions, whose plans a connection keeps; a claim has room on the page of its row."""

    dependencies = [("engagement", "0004_erase")]

    operations = [SQLFile(__file__, "claims")]
