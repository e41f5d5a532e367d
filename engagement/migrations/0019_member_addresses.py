import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import OnDelete, RenderOnce, RunDeferredSQL
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Addresses of members per channel, verified or not, by which received messages find their member."""

    dependencies = [
        ("engagement", "0018_received_mail"),
        ("groups", "0011_lists_by_status"),
        ("account", "0009_emailaddress_unique_primary_email"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="MemberAddress",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    (
                        "channel",
                        models.TextField(
                            choices=[
                                ("email", "E-mail"),
                                ("telegram", "Telegram"),
                                ("telegram_name", "Telegram name"),
                                ("whatsapp", "WhatsApp or phone"),
                                ("chat", "Another chat"),
                            ],
                            verbose_name="channel",
                        ),
                    ),
                    ("address", models.CharField(max_length=255, verbose_name="address")),
                    ("verified_at", models.DateTimeField(blank=True, null=True, verbose_name="verified")),
                    (
                        "user",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="addresses",
                            to=settings.AUTH_USER_MODEL,
                            verbose_name="member",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "address of a member",
                    "verbose_name_plural": "addresses of members",
                    "db_table": "member_addresses",
                    "ordering": [models.OrderBy(models.F("channel")), models.OrderBy(models.F("address"))],
                    "indexes": [models.Index(fields=["address", "channel"], name="member_addresses_sender")],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("address__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="member_addresses_address_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("channel__in", ["email", "telegram", "telegram_name", "whatsapp", "chat"])
                            ),
                            name="member_addresses_channel_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("address", ""), _negated=True),
                            name="member_addresses_address_required",
                        ),
                        models.UniqueConstraint(fields=("user", "channel", "address"), name="member_addresses_unique"),
                        models.UniqueConstraint(
                            condition=models.Q(("verified_at__isnull", False)),
                            fields=("channel", "address"),
                            name="member_addresses_verified_unique",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("verified_at__isnull", True),
                                models.Q(("channel", "telegram_name"), _negated=True),
                                _connector="OR",
                            ),
                            name="member_addresses_name_unverified",
                        ),
                    ],
                },
            ),
            OnDelete("CASCADE", "member_addresses.user_id"),
            RunDeferredSQL(),
            SQLFile("engagement/policies_member_addresses"),
            SQLFile("engagement/functions/wanted_addresses"),
            SQLFile("engagement/functions/sync_member_addresses"),
            SQLFile("engagement/functions/sync_new_addresses"),
            SQLFile("engagement/functions/sync_addresses"),
            SQLFile("engagement/triggers/members_addresses"),
            SQLFile("engagement/triggers/community_members_addresses"),
            SQLFile("engagement/triggers/user_profiles_addresses"),
            SQLFile("engagement/triggers/account_emailaddress_addresses"),
            migrations.RunSQL("SELECT sync_member_addresses(ARRAY[id]) FROM members", ""),
        ),
    ]
