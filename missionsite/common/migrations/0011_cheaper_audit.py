from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Make entries of the audit cheaper to write: digests are inlined, and indexes grow at their end."""

    dependencies = [
        ("common", "0010_token_kind"),
    ]

    operations = [
        SQLFile("common/functions/audit_digest", version=2),
        SQLFile("common/triggers/audit_entries", version=2),
        migrations.RemoveIndex(model_name="auditentry", name="audit_entries_newest"),
        migrations.RemoveIndex(model_name="auditentry", name="audit_entries_of_app"),
        migrations.RemoveIndex(model_name="auditentry", name="audit_entries_of_action"),
        migrations.RemoveIndex(model_name="auditentry", name="audit_entries_of_actor"),
        migrations.RemoveIndex(model_name="auditentry", name="audit_entries_of_object"),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["occurred_at", "id"], name="audit_entries_newest"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["app", "occurred_at", "id"], name="audit_entries_of_app"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["action", "occurred_at", "id"], name="audit_entries_of_action"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["actor", "occurred_at", "id"], name="audit_entries_of_actor"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["object_id", "occurred_at", "id"], name="audit_entries_of_object"),
        ),
    ]
