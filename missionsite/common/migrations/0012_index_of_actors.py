from django.db import migrations, models


class Migration(migrations.Migration):
    """Leave entries without an actor out of the index of actors."""

    dependencies = [
        ("common", "0011_cheaper_audit"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="auditentry", name="audit_entries_of_actor"),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("actor__isnull", False)),
                fields=["actor", "occurred_at", "id"],
                name="audit_entries_of_actor",
            ),
        ),
    ]
