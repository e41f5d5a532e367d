from django.db import migrations, models


class Migration(migrations.Migration):
    """Downloads of own data are jobs on people."""

    dependencies = [
        ("groups", "0024_tags_and_custom_fields"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="peoplejob",
            name="people_jobs_kind_known",
        ),
        migrations.AlterField(
            model_name="peoplejob",
            name="kind",
            field=models.CharField(
                choices=[
                    ("password_links", "Links to set a password"),
                    ("import_members", "Import of members"),
                    ("import_memberships", "Import of memberships"),
                    ("own_data", "Download of own data"),
                ],
                editable=False,
                max_length=30,
                verbose_name="job",
            ),
        ),
        migrations.AddConstraint(
            model_name="peoplejob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["password_links", "import_members", "import_memberships", "own_data"])
                ),
                name="people_jobs_kind_known",
            ),
        ),
    ]
