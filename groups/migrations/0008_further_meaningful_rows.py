import datetime

import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models


class Migration(migrations.Migration):
    """Further constraints against rows that mean nothing."""

    dependencies = [
        ("groups", "0007_meaningful_rows"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="communitymember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "deleted_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.functions.datetime.Now(), "+", models.Value(datetime.timedelta(days=1))
                        ),
                    ),
                    ("deleted_at__isnull", True),
                    _connector="OR",
                ),
                name="community_members_deleted_at_not_in_future",
            ),
        ),
        migrations.AddConstraint(
            model_name="memberparticipation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("event_metadata__isnull", True),
                    django.db.models.lookups.LessThanOrEqual(
                        django.db.models.functions.text.Length(
                            django.db.models.functions.comparison.Cast("event_metadata", models.TextField())
                        ),
                        100000,
                    ),
                    _connector="OR",
                ),
                name="member_participation_details_length",
            ),
        ),
        migrations.AddConstraint(
            model_name="memberparticipation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "occurred_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.functions.datetime.Now(), "+", models.Value(datetime.timedelta(days=1))
                        ),
                    ),
                    ("occurred_at__isnull", True),
                    _connector="OR",
                ),
                name="member_participation_occurred_at_not_in_future",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "joined_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.functions.datetime.Now(), "+", models.Value(datetime.timedelta(days=1))
                        ),
                    ),
                    ("joined_at__isnull", True),
                    _connector="OR",
                ),
                name="memberships_joined_at_not_in_future",
            ),
        ),
    ]
