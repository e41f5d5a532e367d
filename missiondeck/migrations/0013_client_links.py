import datetime

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The page of a client: links, codes, signatures and comments."""

    dependencies = [
        ("missiondeck", "0012_evidence"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ClientLink",
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
                ("name", models.CharField(help_text="Who gets the link.", max_length=100, verbose_name="name")),
                (
                    "email",
                    models.EmailField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="To let this person sign the delivery with a code sent to the address; empty to view only.",
                        max_length=254,
                        verbose_name="e-mail address",
                    ),
                ),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                (
                    "hides_deadline",
                    models.BooleanField(db_default=False, default=False, verbose_name="without deadline"),
                ),
                (
                    "hides_evidence",
                    models.BooleanField(db_default=False, default=False, verbose_name="without evidence"),
                ),
                ("hides_tests", models.BooleanField(db_default=False, default=False, verbose_name="without test runs")),
                ("digest", models.CharField(editable=False, max_length=64, unique=True, verbose_name="digest")),
                ("last_read_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last read")),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="revoked")),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
                (
                    "mission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="client_links",
                        to="missiondeck.deckmission",
                        verbose_name="client mission",
                    ),
                ),
            ],
            options={
                "verbose_name": "link for a client",
                "verbose_name_plural": "links for clients",
                "db_table": "deck_client_links",
                "ordering": [
                    models.OrderBy(models.F("created_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClientComment",
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
                    "link",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="comments",
                        to="missiondeck.clientlink",
                        verbose_name="link for a client",
                    ),
                ),
            ],
            options={
                "verbose_name": "comment of a client",
                "verbose_name_plural": "comments of clients",
                "db_table": "deck_client_comments",
                "ordering": ["created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="ClientCode",
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
                ("digest", models.CharField(editable=False, max_length=64, verbose_name="digest")),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        db_default=0, default=0, editable=False, verbose_name="wrong attempts"
                    ),
                ),
                ("used_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="used")),
                (
                    "link",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="codes",
                        to="missiondeck.clientlink",
                        verbose_name="link for a client",
                    ),
                ),
            ],
            options={
                "verbose_name": "code for a signature",
                "verbose_name_plural": "codes for signatures",
                "db_table": "deck_client_codes",
                "ordering": [
                    models.OrderBy(models.F("created_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClientSignature",
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
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                ("facts", models.JSONField(verbose_name="signed facts")),
                (
                    "link",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="signatures",
                        to="missiondeck.clientlink",
                        verbose_name="link for a client",
                    ),
                ),
            ],
            options={
                "verbose_name": "signature of a client",
                "verbose_name_plural": "signatures of clients",
                "db_table": "deck_client_signatures",
                "ordering": [
                    models.OrderBy(models.F("created_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="clientlink",
            index=models.Index(
                models.F("mission"),
                models.OrderBy(models.F("created_at"), descending=True),
                name="deck_client_links_of_mission",
            ),
        ),
        migrations.AddConstraint(
            model_name="clientlink",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="deck_client_links_name_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="clientlink",
            constraint=models.CheckConstraint(
                condition=models.Q(("email__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="deck_client_links_email_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="clientlink",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "^\\s*$"), _negated=True), name="deck_client_links_name_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="clientlink",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at__gt", models.F("created_at")),
                    (
                        "expires_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("created_at"), "+", models.Value(datetime.timedelta(days=365, seconds=3600))
                        ),
                    ),
                ),
                name="deck_client_links_expiry_range",
            ),
        ),
        migrations.AddIndex(
            model_name="clientcomment",
            index=models.Index(fields=["link", "created_at"], name="deck_client_comments_of_link"),
        ),
        migrations.AddConstraint(
            model_name="clientcomment",
            constraint=models.CheckConstraint(
                condition=models.Q(("text__regex", "^\\s*$"), _negated=True), name="deck_client_comments_text_not_empty"
            ),
        ),
        migrations.AddIndex(
            model_name="clientcode",
            index=models.Index(
                models.F("link"),
                models.OrderBy(models.F("created_at"), descending=True),
                name="deck_client_codes_of_link",
            ),
        ),
        migrations.AddIndex(
            model_name="clientsignature",
            index=models.Index(
                models.F("link"),
                models.OrderBy(models.F("created_at"), descending=True),
                name="deck_client_signatures_of_link",
            ),
        ),
        migrations.AddConstraint(
            model_name="clientsignature",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="deck_client_signatures_name_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="clientsignature",
            constraint=models.CheckConstraint(
                condition=models.Q(("email__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="deck_client_signatures_email_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="clientsignature",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "^\\s*$"), _negated=True),
                name="deck_client_signatures_name_not_empty",
            ),
        ),
        OnDelete(
            "CASCADE",
            "deck_client_links.mission_id",
            "deck_client_codes.link_id",
            "deck_client_signatures.link_id",
            "deck_client_comments.link_id",
        ),
        SQLFile("missiondeck/tables/client_link_grants"),
    ]
