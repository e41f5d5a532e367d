import django.contrib.postgres.functions
from django.db import migrations, models

from missionsite.common.operations import RenderOnce
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Let templates rest after a discard, limit what is open of one, and schedule them."""

    dependencies = [
        ("fallback", "0007_labels"),
    ]

    operations = [
        RenderOnce(
            migrations.RemoveConstraint(
                model_name="missionfallbackitem",
                name="mission_fallback_items_reason_known",
            ),
            migrations.AddField(
                model_name="missionfallbackitem",
                name="rest_until",
                field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="template rests until"),
            ),
            migrations.AddField(
                model_name="missionfallbacktemplate",
                name="auto_accept",
                field=models.BooleanField(
                    db_default=False,
                    default=False,
                    help_text="Its proposals become missions immediately, as long as its acceptance record is good enough.",
                    verbose_name="accept automatically",
                ),
            ),
            migrations.AddField(
                model_name="missionfallbacktemplate",
                name="edited_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="content edited",
                ),
            ),
            migrations.AddField(
                model_name="missionfallbacktemplate",
                name="last_scheduled_on",
                field=models.DateField(blank=True, editable=False, null=True, verbose_name="last scheduled day"),
            ),
            migrations.AddField(
                model_name="missionfallbacktemplate",
                name="max_open",
                field=models.IntegerField(
                    db_default=1,
                    default=1,
                    help_text="Maximum of open proposals and unfinished missions from this template.",
                    verbose_name="open at a time",
                ),
            ),
            migrations.AddField(
                model_name="missionfallbacktemplate",
                name="schedule",
                field=models.TextField(
                    blank=True,
                    choices=[("weekly", "Every week"), ("monthly", "Every month")],
                    db_default="",
                    default="",
                    help_text="One proposal on its day, even with enough ready missions. Without a schedule: when work runs low.",
                    verbose_name="schedule",
                ),
            ),
            migrations.AddField(
                model_name="missionfallbacktemplate",
                name="schedule_day",
                field=models.IntegerField(
                    blank=True,
                    help_text="1 (Monday) to 7 (Sunday) for every week; 1 to 31 for every month.",
                    null=True,
                    verbose_name="day of the schedule",
                ),
            ),
            migrations.AlterField(
                model_name="missionfallbackitem",
                name="reason",
                field=models.TextField(
                    blank=True,
                    choices=[
                        ("not_needed", "Not needed now"),
                        ("wrong_time", "Wrong time: not before a date"),
                        ("duplicate", "Duplicate of another mission"),
                        ("too_large", "Too large"),
                        ("unclear", "Unclear"),
                        ("wrong_template", "Template out of date"),
                        ("run_cancelled", "Run cancelled"),
                        ("other", "Other (see feedback)"),
                    ],
                    null=True,
                    verbose_name="reason",
                ),
            ),
            migrations.AddIndex(
                model_name="missionfallbackitem",
                index=models.Index(
                    condition=models.Q(("rest_until__isnull", False)),
                    fields=["template", "rest_until"],
                    name="mission_fallback_items_rest",
                ),
            ),
            migrations.AddIndex(
                model_name="missionfallbackitem",
                index=models.Index(
                    condition=models.Q(("reason__in", ("too_large", "unclear", "wrong_template"))),
                    fields=["template", "reviewed_at"],
                    name="fallback_items_rest_edited",
                ),
            ),
            migrations.AddIndex(
                model_name="missionfallbacktemplate",
                index=models.Index(
                    condition=models.Q(("enabled", True), models.Q(("schedule", ""), _negated=True)),
                    fields=["project"],
                    name="fallback_templates_scheduled",
                ),
            ),
            migrations.AddConstraint(
                model_name="missionfallbackitem",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        (
                            "reason__in",
                            [
                                "not_needed",
                                "wrong_time",
                                "duplicate",
                                "too_large",
                                "unclear",
                                "wrong_template",
                                "run_cancelled",
                                "other",
                            ],
                        )
                    ),
                    name="mission_fallback_items_reason_known",
                ),
            ),
            migrations.AddConstraint(
                model_name="missionfallbackitem",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("rest_until__isnull", True), ("status", "discarded"), _connector="OR"),
                        models.Q(
                            models.Q(
                                ("reason", "wrong_time"),
                                ("reason__isnull", False),
                                ("status", "discarded"),
                                _negated=True,
                            ),
                            ("rest_until__isnull", False),
                            _connector="OR",
                        ),
                    ),
                    name="mission_fallback_items_wrong_time_has_end",
                ),
            ),
            migrations.AddConstraint(
                model_name="missionfallbacktemplate",
                constraint=models.CheckConstraint(
                    condition=models.Q(("max_open__range", (1, 100))),
                    name="mission_fallback_templates_max_open_in_range",
                ),
            ),
            migrations.AddConstraint(
                model_name="missionfallbacktemplate",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("schedule", ""), ("schedule_day__isnull", True)),
                        models.Q(
                            ("schedule", "weekly"), ("schedule_day__isnull", False), ("schedule_day__range", (1, 7))
                        ),
                        models.Q(
                            ("schedule", "monthly"), ("schedule_day__isnull", False), ("schedule_day__range", (1, 31))
                        ),
                        _connector="OR",
                    ),
                    name="mission_fallback_templates_schedule_has_day",
                ),
            ),
        ),
        SQLFile("fallback/functions/touch_edited_at"),
        SQLFile("fallback/data/rest_of_discards"),
        SQLFile("fallback/triggers/mission_fallback_templates", version=2),
        SQLFile("fallback/functions/due_fallback_schedules"),
    ]
