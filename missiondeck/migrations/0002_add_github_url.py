from django.db import migrations, models

from missionsite.common.operations import RenderOnce


class Migration(migrations.Migration):
    """Add the repository of a mission."""

    dependencies = [
        ("missiondeck", "0001_initial"),
    ]

    operations = [
        RenderOnce(
            migrations.AddField(
                model_name="deckmission",
                name="github_url",
                field=models.URLField(
                    blank=True,
                    db_default="",
                    default="",
                    help_text="Optional. Example: https://github.com/owner/name",
                    verbose_name="repository",
                ),
            ),
            migrations.AddConstraint(
                model_name="deckmission",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        ("github_url", ""),
                        (
                            "github_url__regex",
                            "^https://github\\.com/[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[A-Za-z0-9._-]{1,100}/?$",
                        ),
                        _connector="OR",
                    ),
                    name="deck_missions_github_url_form",
                ),
            ),
            migrations.AddConstraint(
                model_name="deckmission",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        ("github_url__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                    ),
                    name="deck_missions_github_url_one_line",
                ),
            ),
        ),
    ]
