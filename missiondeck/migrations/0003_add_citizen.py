from django.db import migrations, models

from missionsite.common.operations import RenderOnce


class Migration(migrations.Migration):
    """Add the citizen of a chat message; existing messages belong to Rafael."""

    dependencies = [
        ("missiondeck", "0002_add_github_url"),
    ]

    operations = [
        RenderOnce(
            migrations.AddField(
                model_name="chatmessage",
                name="citizen",
                field=models.TextField(
                    choices=[
                        ("emma", "Emma"),
                        ("inna", "Inna"),
                        ("rafael", "Rafael"),
                        ("sofia", "Sofia"),
                        ("maya", "Maya"),
                    ],
                    db_default="rafael",
                    default="rafael",
                ),
            ),
            migrations.AddIndex(
                model_name="chatmessage",
                index=models.Index(fields=["mission", "citizen"], name="idx_chat_mission_citizen"),
            ),
            migrations.AddConstraint(
                model_name="chatmessage",
                constraint=models.CheckConstraint(
                    condition=models.Q(("citizen__in", ["emma", "inna", "rafael", "sofia", "maya"])),
                    name="chat_messages_citizen_known",
                ),
            ),
        ),
    ]
