from django.db import migrations, models


class Migration(migrations.Migration):
    """The lists of memberships and tasks by status, and of the few members of staff or deactivated ones."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("groups", "0010_merges"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("is_staff", True)),
                name="members_staff",
            ),
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("is_active", False)),
                name="members_inactive",
            ),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(
                models.F("group"),
                models.F("status"),
                models.OrderBy(models.F("joined_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="memberships_of_group_status",
            ),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(
                models.F("status"),
                models.OrderBy(models.F("joined_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="memberships_by_status",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                models.F("state"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="tasks_by_state",
            ),
        ),
    ]
