import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The pages that members have marked with a star. The site deletes the rows, as the default privileges allow."""

    dependencies = [("missionsite", "0011_password_delays"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="Favourite",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("path", models.CharField(max_length=310, verbose_name="address")),
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
                        related_name="favourites",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "favourite",
                "verbose_name_plural": "favourites",
                "db_table": "site_favourites",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("path__regex", "^/admin/[!-~]*$")), name="site_favourites_path_form"
                    ),
                    models.UniqueConstraint(fields=("member", "path"), name="site_favourites_unique"),
                ],
            },
        )
    ]
