import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Lists with their filters and columns under a name."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("missionsite", "0013_timeline_indexes"),
        ("groups", "0003_community_directory"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("path", models.CharField(max_length=100, verbose_name="list")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("query", models.CharField(max_length=1500, verbose_name="filters")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="member",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="saved_views",
                        to="auth.group",
                        verbose_name="shared with",
                    ),
                ),
            ],
            options={
                "verbose_name": "saved view",
                "verbose_name_plural": "saved views",
                "db_table": "site_saved_views",
                "db_table_comment": "Lists of the back office with filters and columns, under names that members gave them.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("path__regex", "^/admin/[a-z_]+/[a-z_]+/$")),
                        name="site_saved_views_path_form",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("query__regex", "^[!-~]+$")), name="site_saved_views_query_form"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "^\\s*$"), _negated=True),
                        name="site_saved_views_name_not_blank",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                        ),
                        name="site_saved_views_name_one_line",
                    ),
                    models.UniqueConstraint(fields=("member", "path", "name"), name="site_saved_views_unique"),
                ],
            },
        ),
        SQLFile("missionsite/functions/erase_saved_views", version=1),
        SQLFile("missionsite/triggers/community_members", version=1),
        SQLFile("missionsite/saved_view_grants", version=1),
    ]
