import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import RenderOnce


class Migration(migrations.Migration):
    """What tells a program that answers every message: the digest of the text, and whether it followed a message."""

    dependencies = [
        ("engagement", "0014_control_group"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        RenderOnce(
            migrations.AddField(
                model_name="inboundmessage",
                name="text_digest",
                field=models.CharField(db_default="", default="", max_length=64),
            ),
            migrations.AddField(
                model_name="inboundmessage",
                name="follows_ours",
                field=models.BooleanField(db_default=False, default=False),
            ),
            migrations.AlterField(
                model_name="inboundmessage",
                name="user",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            migrations.AddIndex(
                model_name="inboundmessage",
                index=models.Index(fields=["user", "received_at"], name="inbound_messages_of_member"),
            ),
        ),
    ]
