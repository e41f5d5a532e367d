from django.conf import settings
from django.db import migrations, models

# A finished run is immutable, and the earlier version knows none of these formats.
_BACK = """
    ALTER TABLE test_runs DISABLE TRIGGER USER;
    UPDATE test_runs SET source = 'json' WHERE source NOT IN ('manual', 'junit', 'json');
    ALTER TABLE test_runs ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    """The source of a run names the format of its report."""

    dependencies = [
        ("missiondeck", "0015_outside_evidence"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="testrun",
            name="test_runs_source_known",
        ),
        migrations.RunSQL(migrations.RunSQL.noop, _BACK),
        migrations.AlterField(
            model_name="testrun",
            name="source",
            field=models.TextField(
                choices=[
                    ("manual", "Manual"),
                    ("junit", "JUnit XML"),
                    ("json", "JSON"),
                    ("trx", "Visual Studio (TRX)"),
                    ("nunit", "NUnit"),
                    ("xunit", "xUnit.net"),
                    ("robot", "Robot Framework"),
                    ("tap", "TAP"),
                    ("go", "go test"),
                    ("ctrf", "CTRF"),
                    ("playwright", "Playwright"),
                    ("jest", "Jest"),
                    ("mocha", "Mocha"),
                    ("cucumber", "Cucumber"),
                ],
                db_default="manual",
                default="manual",
                verbose_name="source",
            ),
        ),
        migrations.AddConstraint(
            model_name="testrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "source__in",
                        [
                            "manual",
                            "junit",
                            "json",
                            "trx",
                            "nunit",
                            "xunit",
                            "robot",
                            "tap",
                            "go",
                            "ctrf",
                            "playwright",
                            "jest",
                            "mocha",
                            "cucumber",
                        ],
                    )
                ),
                name="test_runs_source_known",
            ),
        ),
    ]
