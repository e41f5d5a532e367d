import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Add what agents and workstations report, and the rules about it."""

    dependencies = [
        ("fallback", "0017_documents"),
        # Which takes all rights to delete.
        ("missionsite", "0003_database_privileges"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="codeagentsession",
            name="code_agent_sessions_status_known",
        ),
        migrations.AddField(
            model_name="codeagentsession",
            name="error",
            field=models.TextField(blank=True, db_default="", default="", verbose_name="error"),
        ),
        migrations.AddField(
            model_name="codeagentsession",
            name="last_heartbeat_at",
            field=models.DateTimeField(
                db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="last heartbeat"
            ),
        ),
        migrations.AddField(
            model_name="codeagentsession",
            name="log_bytes",
            field=models.IntegerField(db_default=0, default=0, verbose_name="size of the log"),
        ),
        migrations.AddField(
            model_name="workstation",
            name="registered_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="workstations",
                to=settings.AUTH_USER_MODEL,
                verbose_name="registered by",
            ),
        ),
        migrations.AlterField(
            model_name="codeagentsession",
            name="status",
            field=models.TextField(
                choices=[
                    ("running", "Running"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                    ("cancelled", "Cancelled"),
                    ("timed_out", "Timed out"),
                ],
                db_default="running",
                default="running",
                verbose_name="status",
            ),
        ),
        migrations.AddIndex(
            model_name="codeagentsession",
            index=models.Index(
                condition=models.Q(("status", "running")),
                fields=["last_heartbeat_at"],
                name="code_agent_sessions_running",
            ),
        ),
        migrations.AddConstraint(
            model_name="codeagentsession",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["running", "succeeded", "failed", "cancelled", "timed_out"])),
                name="code_agent_sessions_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="codeagentsession",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "running")), fields=("mission",), name="code_agent_sessions_one_running"
            ),
        ),
        migrations.AddConstraint(
            model_name="codeagentsession",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("status", "running")),
                    models.Q(models.Q(("status", "running"), _negated=True), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="code_agent_sessions_end_fits_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="codeagentsession",
            constraint=models.CheckConstraint(
                condition=models.Q(("log_bytes__range", (0, 2000000))), name="code_agent_sessions_log_size"
            ),
        ),
        migrations.AddConstraint(
            model_name="workstationsession",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("workstation",),
                name="workstation_sessions_one_open",
            ),
        ),
        SQLFile("fallback/tables/workstations"),
    ]
