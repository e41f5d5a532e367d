import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

import missionsite.common.ids
from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Add the versions of documents of missions."""

    dependencies = [
        ("fallback", "0016_comments"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MissionDocumentVersion",
            fields=[
                (
                    "id",
                    missionsite.common.ids.UlidField(
                        db_collation="C",
                        db_default=missionsite.common.ids.Ulid(),
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField(verbose_name="document")),
                ("version", models.IntegerField(verbose_name="version")),
                ("content", models.TextField(blank=True, verbose_name="text")),
                (
                    "origin",
                    models.TextField(
                        choices=[
                            ("system", "System"),
                            ("user", "Person"),
                            ("agent", "Agent"),
                            ("fallback", "Fallback"),
                        ],
                        db_default="user",
                        default="user",
                        verbose_name="origin",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                ("removed_at", models.DateTimeField(blank=True, null=True, verbose_name="text removed")),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mission_documents",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "mission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="document_versions",
                        to="fallback.mission",
                        verbose_name="mission",
                    ),
                ),
            ],
            options={
                "verbose_name": "version of a document",
                "verbose_name_plural": "versions of documents",
                "db_table": "mission_document_versions",
                "db_table_comment": "Documents of missions: every version, of which the latest is also a file.",
                "ordering": [
                    models.OrderBy(models.F("created_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
                "indexes": [models.Index(fields=["author"], name="mission_documents_author")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "^(solution|tasks/[1-9][0-9]{0,2})\\.md$")),
                        name="mission_document_versions_name_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__range", (1, 1000000))),
                        name="mission_document_versions_version_in_range",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.LessThanOrEqual(
                            django.db.models.functions.text.Length("content"), 200000
                        ),
                        name="mission_document_versions_content_length",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("removed_at__isnull", True), ("content", ""), _connector="OR"),
                        name="mission_document_versions_removed_is_empty",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("origin__in", ["system", "user", "agent", "fallback"])),
                        name="mission_document_versions_origin_known",
                    ),
                    models.UniqueConstraint(
                        fields=("mission", "name", "version"), name="mission_document_versions_once"
                    ),
                ],
            },
        ),
        OnDelete("CASCADE", "mission_document_versions.mission_id"),
        SQLFile("fallback/tables/mission_document_versions"),
    ]
