from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Constraints against rows that mean nothing."""

    dependencies = [
        ("fallback", "0010_retention"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="githubpullrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gt", 0)), name="github_pull_requests_number_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="mission",
            constraint=models.CheckConstraint(
                condition=models.Q(("list_order__lt", 100000)), name="missions_list_order_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="mission",
            constraint=models.CheckConstraint(
                condition=models.Q(("solution_path__regex", "(^/|(^|/)\\.\\.(/|$))"), _negated=True),
                name="missions_solution_path_inside",
            ),
        ),
    ]
