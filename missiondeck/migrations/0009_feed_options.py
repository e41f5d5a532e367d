from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """A feed may have reminders, and leave out budgets and addresses."""

    dependencies = [
        ("missiondeck", "0008_ci_runs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="deckfeed",
            name="alarm_hours",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Hours before a deadline; empty for no reminder.",
                null=True,
                verbose_name="reminder in hours",
            ),
        ),
        migrations.AddField(
            model_name="deckfeed",
            name="hides_addresses",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Leave out who delivers a mission.",
                verbose_name="without e-mail addresses",
            ),
        ),
        migrations.AddField(
            model_name="deckfeed",
            name="hides_budget",
            field=models.BooleanField(db_default=False, default=False, verbose_name="without budgets"),
        ),
        migrations.AddConstraint(
            model_name="deckfeed",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("alarm_hours", None), models.Q(("alarm_hours__gte", 1), ("alarm_hours__lte", 720)), _connector="OR"
                ),
                name="deck_feeds_alarm_range",
            ),
        ),
    ]
