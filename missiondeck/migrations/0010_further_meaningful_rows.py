import datetime

import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Further constraints against rows that mean nothing."""

    dependencies = [
        ("missiondeck", "0009_feed_options"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="chatmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "created_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.functions.datetime.Now(), "+", models.Value(datetime.timedelta(days=1))
                        ),
                    ),
                    ("created_at__isnull", True),
                    _connector="OR",
                ),
                name="chat_messages_created_at_not_in_future",
            ),
        ),
        migrations.AddConstraint(
            model_name="deckmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "completed_at__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("created_at"), "-", models.Value(datetime.timedelta(days=1))
                        ),
                    ),
                    ("completed_at__isnull", True),
                    _connector="OR",
                ),
                name="deck_missions_completed_at_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="doditem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "completed_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.functions.datetime.Now(), "+", models.Value(datetime.timedelta(days=1))
                        ),
                    ),
                    ("completed_at__isnull", True),
                    _connector="OR",
                ),
                name="dod_items_completed_at_not_in_future",
            ),
        ),
    ]
