from django.db import migrations, models

from missionsite.common.operations import RenderOnce


class Migration(migrations.Migration):
    """Drop the columns and the list of loop missions; the origin of a mission becomes required."""

    dependencies = [
        ("fallback", "0004_loops_become_templates"),
    ]

    operations = [
        RenderOnce(
            migrations.RemoveConstraint(
                model_name="mission",
                name="missions_list_known",
            ),
            migrations.RemoveField(
                model_name="mission",
                name="is_loop",
            ),
            migrations.RemoveField(
                model_name="mission",
                name="loop_schedule",
            ),
            migrations.AlterField(
                model_name="mission",
                name="list",
                field=models.TextField(
                    choices=[("todo", "Todo"), ("doing", "Doing"), ("review", "Review"), ("done", "Done")],
                    db_default="todo",
                    default="todo",
                ),
            ),
            migrations.AlterField(
                model_name="mission",
                name="origin",
                field=models.TextField(
                    choices=[("manual", "Manual"), ("fallback", "Fallback"), ("imported", "Imported")],
                    db_default="manual",
                    default="manual",
                ),
            ),
            migrations.AddConstraint(
                model_name="mission",
                constraint=models.CheckConstraint(
                    condition=models.Q(("list__in", ["todo", "doing", "review", "done"])), name="missions_list_known"
                ),
            ),
        ),
    ]
