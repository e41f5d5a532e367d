from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import RenderOnce
from missionsite.common.sql_loader import SQLFile

# The reviews of the first Monday: the week of the last activity.
WEEKS = """
UPDATE user_engagement_states s
SET took_part_week = date_trunc('week', s.last_activity_at AT TIME ZONE p.timezone)::date
FROM user_profiles p
WHERE p.user_id = s.user_id AND s.state = 'active' AND s.last_activity_at > now() - interval '21 days'
"""


class Migration(migrations.Migration):
    """Goodbyes in a row without an answer, and the weeks in which a member took part."""

    dependencies = [
        ("engagement", "0009_templates_and_tests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        RenderOnce(
            migrations.AddField(
                model_name="userengagementstate",
                name="unanswered_goodbyes",
                field=models.PositiveSmallIntegerField(
                    db_default=0, default=0, verbose_name="goodbyes without an answer"
                ),
            ),
            migrations.AddField(
                model_name="userengagementstate",
                name="active_days",
                field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="active days since"),
            ),
            migrations.AddField(
                model_name="userengagementstate",
                name="active_on",
                field=models.DateField(blank=True, null=True, verbose_name="last day counted"),
            ),
            migrations.AddField(
                model_name="userengagementstate",
                name="took_part_week",
                field=models.DateField(blank=True, null=True, verbose_name="took part in the week of"),
            ),
            migrations.AddField(
                model_name="userengagementstate",
                name="took_part_week_before",
                field=models.DateField(blank=True, null=True, verbose_name="and before in the week of"),
            ),
            migrations.AddConstraint(
                model_name="userengagementstate",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        ("active_days__lt", 3),
                        models.Q(
                            ("unanswered_goodbyes__gt", 0),
                            models.Q(("active_days", 0), ("active_on", None)),
                            _connector="OR",
                        ),
                    ),
                    name="user_engagement_states_active_days",
                ),
            ),
            migrations.AddConstraint(
                model_name="userengagementstate",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        ("took_part_week_before", None),
                        models.Q(
                            ("took_part_week__gt", models.F("took_part_week_before")),
                            ("took_part_week__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="user_engagement_states_weeks_order",
                ),
            ),
        ),
        SQLFile("engagement/functions/wait_before_goodbye"),
        SQLFile("engagement/functions/count_unanswered_goodbyes"),
        SQLFile("engagement/triggers/user_engagement_states", version=2),
        migrations.RunSQL(WEEKS, ""),
    ]
