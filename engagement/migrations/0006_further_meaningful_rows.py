from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Further constraints against rows that mean nothing."""

    dependencies = [
        ("engagement", "0005_meaningful_rows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="messagetemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "body__regex",
                            "\\{\\{\\s*(?!(name|tier|unsubscribe_url|week)\\s*\\}\\})[A-Za-z_][A-Za-z0-9_]*\\s*\\}\\}",
                        ),
                        _negated=True,
                    ),
                    models.Q(
                        (
                            "subject__regex",
                            "\\{\\{\\s*(?!(name|tier|unsubscribe_url|week)\\s*\\}\\})[A-Za-z_][A-Za-z0-9_]*\\s*\\}\\}",
                        ),
                        _negated=True,
                    ),
                ),
                name="message_templates_parameters_known",
            ),
        ),
    ]
