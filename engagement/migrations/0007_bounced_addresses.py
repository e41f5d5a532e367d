import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import OnDelete, RenderOnce, RunDeferredSQL
from missionsite.common.sql_loader import SQLFile

# Functions with another list of parameters: both would exist.
OLD_RULE = (
    "DROP FUNCTION engagement_block_reason(text, boolean, boolean, text, timestamptz, boolean, text, timestamptz)"
)
NEW_RULE = OLD_RULE.removesuffix(")") + ", boolean)"
OLD_CLAIM = (
    "DROP FUNCTION claim_messages(text, uuid, timestamptz, integer, interval, timestamptz, bigint, text[], time, time,"
    " integer, interval)"
)
NEW_CLAIM = OLD_CLAIM.removesuffix(")") + ", boolean)"


class Migration(migrations.Migration):
    """Addresses that bounced; no message is sent to a suppressed one."""

    dependencies = [
        ("engagement", "0006_further_meaningful_rows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="BouncedAddress",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    ("address", models.CharField(max_length=255, verbose_name="address")),
                    (
                        "reason",
                        models.TextField(
                            choices=[
                                ("soft_bounce", "Soft bounce: temporary, such as a full mailbox"),
                                ("hard_bounce", "Hard bounce: the address does not exist"),
                                ("complaint", "Complaint: reported as spam"),
                            ],
                            verbose_name="reason",
                        ),
                    ),
                    ("detail", models.TextField(blank=True, db_default="", default="", verbose_name="provider's text")),
                    (
                        "soft_bounces",
                        models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="soft bounces"),
                    ),
                    ("reported_at", models.DateTimeField(verbose_name="reported")),
                    ("suppressed_at", models.DateTimeField(blank=True, null=True, verbose_name="suppressed since")),
                    (
                        "user",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="bounced_addresses",
                            to=settings.AUTH_USER_MODEL,
                            verbose_name="member",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "bounced address",
                    "verbose_name_plural": "bounced addresses",
                    "db_table": "bounced_addresses",
                    "ordering": [
                        models.OrderBy(models.F("reported_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [models.Index(fields=["reported_at", "id"], name="bounced_addresses_reported")],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("address__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="bounced_addresses_address_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("reason__in", ["soft_bounce", "hard_bounce", "complaint"])),
                            name="bounced_addresses_reason_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("address", ""), _negated=True),
                            name="bounced_addresses_address_required",
                        ),
                        models.UniqueConstraint(fields=("user", "address"), name="bounced_addresses_unique"),
                    ],
                },
            ),
            OnDelete("CASCADE", "bounced_addresses.user_id"),
            RunDeferredSQL(),
            SQLFile("engagement/policies_bounced_addresses"),
            migrations.RunSQL(f"{OLD_RULE}; {OLD_CLAIM}", ""),
            SQLFile("engagement/functions/engagement_block_text", version=2),
            SQLFile("engagement/functions/engagement_block_reason", version=3),
            SQLFile("engagement/functions/claim_messages", version=2),
            SQLFile("engagement/functions/erase_person_in_engagement", version=2),
            migrations.RunSQL("", f"{NEW_RULE}; {NEW_CLAIM}"),
        ),
    ]
