import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Which roles require a second factor."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("common", "0005_security_log"),
    ]

    operations = [
        migrations.CreateModel(
            name="RoleRequirement",
            fields=[
                (
                    "role",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="requirement",
                        serialize=False,
                        to="auth.group",
                        verbose_name="role",
                    ),
                ),
                (
                    "second_factor",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Members of this role set up a passkey or an authenticator app before they can do anything else.",
                        verbose_name="second factor required",
                    ),
                ),
            ],
            options={
                "verbose_name": "requirement of a role",
                "verbose_name_plural": "requirements of roles",
                "db_table": "role_requirements",
            },
        ),
    ]
