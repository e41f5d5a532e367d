from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the webhook of an organisation, and when GitHub may be asked again."""

    dependencies = [
        ("fallback", "0020_github"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="github_secret_version",
            field=models.IntegerField(
                db_default=0, default=0, editable=False, verbose_name="version of the webhook's secret"
            ),
        ),
        migrations.AddField(
            model_name="projectrepository",
            name="sync_retry_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="next attempt"),
        ),
    ]
