from django.db import migrations, models


class Migration(migrations.Migration):
    """A transaction pays the fee of one member."""

    dependencies = [("groups", "0015_whatsapp")]

    operations = [
        migrations.AddConstraint(
            model_name="communitymember",
            constraint=models.UniqueConstraint(
                condition=models.Q(("merged_into__isnull", True)),
                fields=("registration_fee_tx_hash",),
                name="community_members_fee_tx_once",
            ),
        ),
    ]
