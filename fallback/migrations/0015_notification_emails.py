import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add e-mails and snoozes of notifications, and preferences of members and organisations."""

    dependencies = [
        ("fallback", "0014_board_and_forecasts"),
        ("groups", "0009_invitation_uses"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="NotificationSettings",
            fields=[
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="notification_settings",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="member",
                    ),
                ),
                (
                    "quiet_from",
                    models.TimeField(
                        db_default=datetime.time(21, 0), default=datetime.time(21, 0), verbose_name="no e-mail from"
                    ),
                ),
                (
                    "quiet_to",
                    models.TimeField(db_default=datetime.time(8, 0), default=datetime.time(8, 0), verbose_name="until"),
                ),
                ("digest_hour", models.IntegerField(db_default=8, default=8, verbose_name="hour of the daily e-mail")),
            ],
            options={
                "verbose_name": "times of notifications",
                "verbose_name_plural": "times of notifications",
                "db_table": "notification_settings",
            },
        ),
        migrations.RemoveConstraint(
            model_name="notificationpreference",
            name="notification_preferences_channel_known",
        ),
        migrations.AddField(
            model_name="notification",
            name="email_channel",
            field=models.TextField(
                blank=True,
                choices=[("in_app", "In the back office"), ("email", "E-mail at once"), ("digest", "Daily e-mail")],
                db_default="",
                default="",
                verbose_name="e-mail",
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="email_due_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="e-mail due"),
        ),
        migrations.AddField(
            model_name="notification",
            name="email_failures",
            field=models.SmallIntegerField(db_default=0, default=0, verbose_name="failed e-mails"),
        ),
        migrations.AddField(
            model_name="notification",
            name="email_unconfirmed",
            field=models.SmallIntegerField(db_default=0, default=0, verbose_name="unconfirmed e-mails"),
        ),
        migrations.AddField(
            model_name="notification",
            name="emailed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="e-mail sent"),
        ),
        migrations.AddField(
            model_name="notification",
            name="snoozed_until",
            field=models.DateTimeField(blank=True, null=True, verbose_name="snoozed until"),
        ),
        migrations.AlterField(
            model_name="notificationpreference",
            name="channel",
            field=models.TextField(
                choices=[("in_app", "In the back office"), ("email", "E-mail at once"), ("digest", "Daily e-mail")],
                db_default="in_app",
                default="in_app",
                verbose_name="channel",
            ),
        ),
        migrations.AlterField(
            model_name="notificationpreference",
            name="is_enabled",
            field=models.BooleanField(blank=True, db_default=True, default=True, null=True, verbose_name="enabled"),
        ),
        migrations.AlterField(
            model_name="notificationpreference",
            name="organization",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="notification_preferences",
                to="fallback.organization",
                verbose_name="organisation",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("email_due_at__isnull", False)),
                fields=["email_due_at"],
                name="notifications_email_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(("email_channel__in", ["", "email", "digest"])),
                name="notifications_email_channel_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="notificationpreference",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["in_app", "email", "digest"])),
                name="notification_preferences_channel_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="notificationpreference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("member__isnull", False), ("organization__isnull", True)),
                    models.Q(("member__isnull", True), ("organization__isnull", False)),
                    _connector="OR",
                ),
                name="notification_preferences_of_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="notificationsettings",
            constraint=models.CheckConstraint(
                condition=models.Q(("digest_hour__range", (0, 23))), name="notification_settings_hour_in_range"
            ),
        ),
    ]
