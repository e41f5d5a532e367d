from django.db import migrations, models


class Migration(migrations.Migration):
    """WhatsApp as a platform of participation."""

    dependencies = [
        ("groups", "0014_people_without_telegram"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="memberparticipation",
            name="member_participation_platform_known",
        ),
        migrations.AlterField(
            model_name="memberparticipation",
            name="platform",
            field=models.CharField(
                choices=[
                    ("telegram", "Telegram"),
                    ("discord", "Discord"),
                    ("twitch", "Twitch"),
                    ("kick", "Kick"),
                    ("github", "GitHub"),
                    ("whatsapp", "WhatsApp"),
                ],
                max_length=50,
                verbose_name="platform",
            ),
        ),
        migrations.AddConstraint(
            model_name="memberparticipation",
            constraint=models.CheckConstraint(
                condition=models.Q(("platform__in", ["telegram", "discord", "twitch", "kick", "github", "whatsapp"])),
                name="member_participation_platform_known",
            ),
        ),
    ]
