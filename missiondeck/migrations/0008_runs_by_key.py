from django.db import migrations, models
from django.db.models import F, Q

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Import the same report under another key, or after another run, as a new run."""

    dependencies = [("missiondeck", "0007_erase")]

    operations = [
        migrations.RemoveConstraint(model_name="testrun", name="test_runs_file_unique"),
        migrations.AddField(
            model_name="testrun",
            name="import_key",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=255),
        ),
        migrations.AddConstraint(
            model_name="testrun",
            constraint=models.UniqueConstraint(
                fields=["mission", "import_key"],
                name="test_runs_key_unique",
                condition=~Q(import_key=""),
            ),
        ),
        migrations.AddConstraint(
            model_name="testrun",
            constraint=models.CheckConstraint(
                condition=Q(import_key="") | Q(import_key__regex="^[!-~]+$"),
                name="test_runs_key_form",
            ),
        ),
        migrations.AddIndex(
            model_name="testrun",
            index=models.Index(F("mission"), F("finished_at").desc(), name="test_runs_ended"),
        ),
        SQLFile(__file__, "runs_by_key"),
    ]
