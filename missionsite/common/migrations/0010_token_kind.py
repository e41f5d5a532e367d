from django.db import migrations, models

# The scopes of programs until now.
MARK = """
UPDATE api_tokens SET kind = 'person'
WHERE NOT scopes && ARRAY['deck:import', 'participation:write', 'directory:register', 'fallback:run']
"""


class Migration(migrations.Migration):
    """Who acts with a token: its owner, or a program that runs by itself."""

    dependencies = [
        ("common", "0009_security_log_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="kind",
            field=models.TextField(
                choices=[
                    ("program", "A program that runs by itself: CI job, gateway, daemon"),
                    ("person", "The owner, with a script or an app that they start"),
                ],
                db_default="program",
                default="program",
                help_text="Only what the owner does with it counts as their activity.",
                verbose_name="used by",
            ),
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["program", "person"])), name="api_tokens_kind_known"
            ),
        ),
        migrations.RunSQL(MARK, ""),
    ]
