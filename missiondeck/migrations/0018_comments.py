import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Authors of chat messages, and comments on items."""

    dependencies = [
        ("missiondeck", "0017_notices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DodComment",
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
                ("text", models.TextField(verbose_name="text")),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="written by",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="comments",
                        to="missiondeck.doditem",
                        verbose_name="item of the definition of done",
                    ),
                ),
            ],
            options={
                "verbose_name": "comment on an item",
                "verbose_name_plural": "comments on items",
                "db_table": "dod_comments",
                "ordering": ["created_at", "id"],
            },
        ),
        migrations.AddField(
            model_name="chatmessage",
            name="author",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="written by",
            ),
        ),
        migrations.AddField(
            model_name="chatmessage",
            name="author_name",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=200, verbose_name="author in the source"
            ),
        ),
        migrations.AlterField(
            model_name="chatmessage",
            name="sender",
            field=models.TextField(choices=[("user", "User"), ("citizen", "Citizen")], verbose_name="sender"),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.TextField(
                choices=[
                    ("run.started", "Test run started"),
                    ("run.passed", "Test run passed"),
                    ("run.failed", "Test run failed"),
                    ("run.flaky", "Many flaky tests"),
                    ("item.reopened", "Item reopened by its evidence"),
                    ("mission.completed", "Mission completed"),
                    ("deadline.near", "Deadline is near"),
                    ("deadline.passed", "Deadline passed"),
                    ("mention", "Mention in a message or comment"),
                ],
                verbose_name="kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="chatmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("author_name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                ),
                name="chat_messages_author_name_one_line",
            ),
        ),
        migrations.AddIndex(
            model_name="dodcomment",
            index=models.Index(fields=["item", "created_at"], name="dod_comments_of_item"),
        ),
        migrations.AddConstraint(
            model_name="dodcomment",
            constraint=models.CheckConstraint(
                condition=models.Q(("text__regex", "^\\s*$"), _negated=True), name="dod_comments_text_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="dodcomment",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.LessThanOrEqual(
                    django.db.models.functions.text.Length("text"), 5000
                ),
                name="dod_comments_text_length",
            ),
        ),
        OnDelete("CASCADE", "dod_comments.item_id"),
        SQLFile("missiondeck/tables/dod_comments_grants"),
    ]
