from django.db import migrations, models


class Migration(migrations.Migration):
    """Imports of memberships as jobs."""

    dependencies = [("groups", "0021_phones")]

    operations = [
        migrations.AlterField(
            model_name="peoplejob",
            name="kind",
            field=models.CharField(
                choices=[
                    ("password_links", "Links to set a password"),
                    ("import_members", "Import of members"),
                    ("import_memberships", "Import of memberships"),
                ],
                editable=False,
                max_length=30,
                verbose_name="job",
            ),
        ),
        migrations.RemoveConstraint(model_name="peoplejob", name="people_jobs_kind_known"),
        migrations.AddConstraint(
            model_name="peoplejob",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["password_links", "import_members", "import_memberships"])),
                name="people_jobs_kind_known",
            ),
        ),
    ]
