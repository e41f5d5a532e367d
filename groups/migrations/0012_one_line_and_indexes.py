import django.db.models.deletion
from django.db import migrations, models

from missionsite.common.sqlfiles import add_one_line_checks


class Migration(migrations.Migration):
    """Texts of one line, and indexes for the rows of one group, newest first."""

    dependencies = [
        ("groups", "0011_invitation_code_digests"),
    ]

    operations = [
        # The new indexes serve the foreign keys too, so they come before the old ones go.
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(
                models.F("group"),
                models.OrderBy(models.F("joined_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                include=("status",),
                name="memberships_of_group",
            ),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(condition=models.Q(("status", "left")), fields=["left_at"], name="memberships_left"),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                models.F("group"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="tasks_of_group",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="group",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="memberships",
                to="groups.group",
            ),
        ),
        migrations.AlterField(
            model_name="task",
            name="group",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tasks",
                to="groups.group",
                verbose_name="mission",
            ),
        ),
        # Texts that are typed on one line have one; older ones get blanks in place of control characters.
        *add_one_line_checks(
            "CommunityMember",
            "community_members",
            "telegram_id",
            "telegram_username",
            "name",
            "organization",
            "country",
            "github_username",
            "registration_fee_tx_hash",
        ),
        *add_one_line_checks("Group", "groups", "name"),
        *add_one_line_checks("CommunityInvitation", "community_invitations", "invited_telegram_username"),
        *add_one_line_checks("Member", "members", "email", "display_name"),
        *add_one_line_checks("Membership", "memberships", "role"),
        *add_one_line_checks("Task", "tasks", "title"),
        *add_one_line_checks("MemberParticipation", "member_participation", "room_id"),
        *add_one_line_checks("MemberRelationship", "member_relationships", "entity_id_a", "entity_id_b"),
    ]
