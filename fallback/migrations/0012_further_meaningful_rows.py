import datetime

import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Further constraints against rows that mean nothing."""

    dependencies = [
        ("fallback", "0011_meaningful_rows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="mission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("review_status__isnull", True),
                    ("review_status", "pending"),
                    ("reviewed_by__isnull", False),
                    models.Q(("reviewer_token", ""), _negated=True),
                    _connector="OR",
                ),
                name="missions_review_has_reviewer",
            ),
        ),
        migrations.AddConstraint(
            model_name="missionfallbackitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "reviewed_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.functions.datetime.Now(), "+", models.Value(datetime.timedelta(days=1))
                        ),
                    ),
                    ("reviewed_at__isnull", True),
                    _connector="OR",
                ),
                name="mission_fallback_items_reviewed_at_not_in_future",
            ),
        ),
        migrations.AddConstraint(
            model_name="missionfallbackrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "completed_at__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("started_at"), "-", models.Value(datetime.timedelta(days=1))
                        ),
                    ),
                    ("completed_at__isnull", True),
                    _connector="OR",
                ),
                name="mission_fallback_runs_completed_at_order",
            ),
        ),
    ]
