import django.db.models.lookups
from django.db import migrations, models


class Migration(migrations.Migration):
    """Constraints against rows that mean nothing."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("groups", "0006_search_without_accents"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="communitymember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("github_profile_data__isnull", True),
                    django.db.models.lookups.Exact(
                        models.Func(
                            models.F("github_profile_data"), function="jsonb_typeof", output_field=models.TextField()
                        ),
                        models.Value("object"),
                    ),
                    _connector="OR",
                ),
                name="community_members_github_profile_object",
            ),
        ),
        migrations.AddConstraint(
            model_name="group",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "^\\s*$"), _negated=True), name="groups_name_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(("email__regex", "^[^@\\s]+@[^@\\s]+$")), name="members_email_format"
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(("display_name__regex", "^\\s*$"), _negated=True),
                name="members_display_name_not_empty",
            ),
        ),
        migrations.AddConstraint(
            model_name="memberparticipation",
            constraint=models.CheckConstraint(
                condition=models.Q(("room_id", ""), _negated=True), name="member_participation_room_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.CheckConstraint(
                condition=models.Q(("title__regex", "^\\s*$"), _negated=True), name="tasks_title_not_empty"
            ),
        ),
    ]
