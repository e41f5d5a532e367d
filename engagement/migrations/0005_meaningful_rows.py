from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Constraints against rows that mean nothing."""

    dependencies = [
        ("engagement", "0004_reply_deadlines"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="userengagementstate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("goodbye_expires_at__isnull", True),
                    ("goodbye_expires_at__gte", models.F("goodbye_sent_at")),
                    _connector="OR",
                ),
                name="user_engagement_states_goodbye_order",
            ),
        ),
    ]
