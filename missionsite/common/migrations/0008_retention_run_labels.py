from django.db import migrations, models


class Migration(migrations.Migration):
    """Plain names of the rows of the retention page."""

    dependencies = [
        ("common", "0007_sealed_audit"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="retentionrun",
            options={
                "ordering": [models.OrderBy(models.F("id"), descending=True)],
                "permissions": [("apply_retention", "Can apply retention rules")],
                "verbose_name": "retention run",
                "verbose_name_plural": "retention runs",
            },
        ),
    ]
