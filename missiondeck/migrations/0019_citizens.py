import django.contrib.postgres.functions
import django.db.models.functions.text
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Citizens as rows; before, they were choices."""

    dependencies = [
        ("missiondeck", "0018_comments"),
    ]

    operations = [
        migrations.CreateModel(
            name="Citizen",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                (
                    "key",
                    models.TextField(
                        help_text="Lower-case letters, digits and hyphens, such as rafael. It cannot be changed later.",
                        verbose_name="key",
                    ),
                ),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "role",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Such as: The Specifier.",
                        max_length=200,
                        verbose_name="role",
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Citizens are listed by position, then by name.",
                        verbose_name="position",
                    ),
                ),
                ("is_enabled", models.BooleanField(db_default=True, default=True, verbose_name="enabled")),
            ],
            options={
                "verbose_name": "citizen",
                "verbose_name_plural": "citizens",
                "db_table": "deck_citizens",
                "ordering": ["position", "name", "key"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="chatmessage",
            name="chat_messages_citizen_known",
        ),
        migrations.AlterField(
            model_name="chatmessage",
            name="citizen",
            field=models.TextField(db_default="rafael", default="rafael", verbose_name="citizen"),
        ),
        migrations.AddConstraint(
            model_name="citizen",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="deck_citizens_name_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="citizen",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="deck_citizens_role_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="citizen",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "^\\s*$"), _negated=True), name="deck_citizens_name_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="citizen",
            constraint=models.CheckConstraint(
                condition=models.Q(("key__regex", "^[a-z][a-z0-9-]{0,39}$")), name="deck_citizens_key_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="citizen",
            constraint=models.UniqueConstraint(fields=("key",), name="deck_citizens_key_unique"),
        ),
        migrations.AddConstraint(
            model_name="citizen",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"), name="deck_citizens_name_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="citizen",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("key", "sofia"), _negated=True), ("is_enabled", True), _connector="OR"),
                name="deck_citizens_tester_enabled",
            ),
        ),
        SQLFile("missiondeck/data/citizens"),
        SQLFile("missiondeck/tables/chat_messages_citizen"),
    ]
