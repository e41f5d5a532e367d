from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The lists of board missions, proposals and runs by status, and the runs that skipped templates."""

    dependencies = [
        ("fallback", "0018_agents"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="mission",
            index=models.Index(
                models.F("list"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="missions_by_list",
            ),
        ),
        migrations.AddIndex(
            model_name="missionfallbackitem",
            index=models.Index(
                models.F("status"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="mission_fallback_items_status",
            ),
        ),
        migrations.AddIndex(
            model_name="missionfallbackrun",
            index=models.Index(
                models.F("status"),
                models.OrderBy(models.F("started_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="mission_fallback_runs_status",
            ),
        ),
        migrations.AddIndex(
            model_name="missionfallbackrun",
            index=models.Index(
                models.OrderBy(models.F("started_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("skipped", []), _negated=True),
                name="fallback_runs_skipped",
            ),
        ),
    ]
