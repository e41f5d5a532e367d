import django.db.models.deletion
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

import missiondeck.models.evidence
from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Pull requests, addresses and files as evidence."""

    dependencies = [
        ("missiondeck", "0014_limit_of_items"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EvidenceFile",
            fields=[
                (
                    "evidence",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="file",
                        serialize=False,
                        to="missiondeck.evidence",
                        verbose_name="evidence",
                    ),
                ),
                ("content", models.BinaryField(verbose_name="content")),
                ("digest", models.CharField(max_length=64, verbose_name="SHA-256 digest of the file")),
            ],
            options={
                "verbose_name": "file of an item",
                "verbose_name_plural": "files of items",
                "db_table": "dod_evidence_files",
            },
        ),
        migrations.RemoveConstraint(
            model_name="evidence",
            name="dod_evidence_kind_known",
        ),
        migrations.RemoveConstraint(
            model_name="evidence",
            name="dod_evidence_link_form",
        ),
        migrations.AddField(
            model_name="evidence",
            name="detail",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=300, verbose_name="detail"
            ),
        ),
        migrations.AddField(
            model_name="evidence",
            name="observed",
            field=models.TextField(
                blank=True,
                choices=[("met", "Met"), ("failed", "Failed")],
                db_default="",
                default="",
                editable=False,
                verbose_name="observed",
            ),
        ),
        migrations.AddField(
            model_name="evidence",
            name="observed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="observed at"),
        ),
        migrations.AlterField(
            model_name="evidence",
            name="kind",
            field=models.TextField(
                choices=[
                    ("test", "Test"),
                    ("suite", "Suite"),
                    ("sign_off", "Sign-off by a role"),
                    ("pull_request", "Merged pull request"),
                    ("address", "Address that answers"),
                    ("file", "File"),
                    ("link", "Link"),
                ],
                verbose_name="kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(
                condition=models.Q(("detail__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="dod_evidence_detail_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["test", "suite", "sign_off", "pull_request", "address", "file", "link"])
                ),
                name="dod_evidence_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["link", "address"]), _negated=True),
                    ("value__regex", "^https://[!-~]+$"),
                    _connector="OR",
                ),
                name="dod_evidence_link_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "pull_request"), _negated=True),
                    (
                        "value__regex",
                        "^https://github\\.com/[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[A-Za-z0-9._-]{1,100}/pull/[1-9][0-9]{0,8}$",
                    ),
                    _connector="OR",
                ),
                name="dod_evidence_pull_request_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("observed", ""), ("observed_at", None)),
                    models.Q(
                        ("kind__in", ["pull_request", "address"]),
                        ("observed__in", ["", "met", "failed"]),
                        ("observed_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="dod_evidence_observation_consistent",
            ),
        ),
        migrations.AddField(
            model_name="evidencefile",
            name="added_by",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="added by",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidencefile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    django.db.models.lookups.GreaterThan(missiondeck.models.evidence.OctetLength("content"), 0),
                    django.db.models.lookups.LessThanOrEqual(
                        missiondeck.models.evidence.OctetLength("content"), 5242880
                    ),
                ),
                name="dod_evidence_files_size",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidencefile",
            constraint=models.CheckConstraint(
                condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")), name="dod_evidence_files_digest_form"
            ),
        ),
        OnDelete("CASCADE", "dod_evidence_files.evidence_id"),
        SQLFile("missiondeck/tables/dod_evidence_files_grants"),
        SQLFile("missiondeck/functions/dod_evidence_states", version=2),
        SQLFile("missiondeck/functions/refresh_dod_evidence", version=2),
        SQLFile("missiondeck/functions/check_dod_evidence", version=2),
        SQLFile("missiondeck/triggers/dod_evidence", version=2),
    ]
