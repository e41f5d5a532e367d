import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import missionsite.common.audit.fields
from missionsite.common.operations import RenderOnce


class Migration(migrations.Migration):
    dependencies = [
        ("groups", "0004_operations"),
    ]

    operations = [
        RenderOnce(
            migrations.AlterModelOptions(
                name="colony",
                options={"verbose_name": "colony", "verbose_name_plural": "colonies"},
            ),
            migrations.AlterModelOptions(
                name="communityinvitation",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("invitation_id"), descending=True),
                    ],
                    "permissions": [("invite_many", "Can invite many people at once")],
                    "verbose_name": "invitation",
                    "verbose_name_plural": "invitations",
                },
            ),
            migrations.AlterModelOptions(
                name="event",
                options={
                    "ordering": [
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "event",
                    "verbose_name_plural": "events",
                },
            ),
            migrations.AlterModelOptions(
                name="group",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "permissions": [("archive_group", "Can archive and restore missions and colonies")],
                    "verbose_name": "group",
                    "verbose_name_plural": "groups",
                },
            ),
            migrations.AlterModelOptions(
                name="member",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "permissions": [("grant_access", "Can grant and revoke staff rights")],
                    "verbose_name": "member",
                    "verbose_name_plural": "members",
                },
            ),
            migrations.AlterModelOptions(
                name="memberdailyhighlight",
                options={
                    "ordering": [
                        models.OrderBy(models.F("highlight_date"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "daily highlight",
                    "verbose_name_plural": "daily highlights",
                },
            ),
            migrations.AlterModelOptions(
                name="memberrelationship",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "relationship",
                    "verbose_name_plural": "relationships",
                },
            ),
            migrations.AlterModelOptions(
                name="membership",
                options={
                    "ordering": [
                        models.OrderBy(models.F("joined_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "permissions": [
                        ("manage_memberships", "Can add members to missions, change their roles and remove them")
                    ],
                    "verbose_name": "membership",
                    "verbose_name_plural": "memberships",
                },
            ),
            migrations.AlterModelOptions(
                name="mission",
                options={"verbose_name": "mission", "verbose_name_plural": "missions"},
            ),
            migrations.AlterModelOptions(
                name="missioncount",
                options={"managed": False, "verbose_name": "mission count", "verbose_name_plural": "mission counts"},
            ),
            migrations.AlterModelOptions(
                name="missioncounter",
                options={"verbose_name": "mission counter", "verbose_name_plural": "mission counters"},
            ),
            migrations.AlterModelOptions(
                name="task",
                options={
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "verbose_name": "task",
                    "verbose_name_plural": "tasks",
                },
            ),
            migrations.AlterField(
                model_name="communityinvitation",
                name="accepted_by",
                field=models.OneToOneField(
                    blank=True,
                    db_column="accepted_by",
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="invitation",
                    to="groups.communitymember",
                    to_field="member_id",
                    verbose_name="accepted by",
                ),
            ),
            migrations.AlterField(
                model_name="communityinvitation",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created at",
                ),
            ),
            migrations.AlterField(
                model_name="communityinvitation",
                name="invitation_id",
                field=models.UUIDField(
                    db_default=django.contrib.postgres.functions.RandomUUID(),
                    editable=False,
                    primary_key=True,
                    serialize=False,
                    verbose_name="ID",
                ),
            ),
            migrations.AlterField(
                model_name="communityinvitation",
                name="status",
                field=models.CharField(
                    choices=[
                        ("pending", "Pending"),
                        ("accepted", "Accepted"),
                        ("expired", "Expired"),
                        ("cancelled", "Cancelled"),
                    ],
                    db_default="pending",
                    default="pending",
                    editable=False,
                    max_length=20,
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="communityinvitation",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated at",
                ),
            ),
            migrations.AlterField(
                model_name="communityinvitationhistory",
                name="accepted_by",
                field=models.ForeignKey(
                    blank=True,
                    db_column="accepted_by",
                    db_constraint=False,
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    related_query_name="+",
                    to="groups.communitymember",
                    to_field="member_id",
                    verbose_name="accepted by",
                ),
            ),
            migrations.AlterField(
                model_name="communityinvitationhistory",
                name="invitation_id",
                field=models.UUIDField(
                    db_default=django.contrib.postgres.functions.RandomUUID(),
                    editable=False,
                    serialize=False,
                    verbose_name="ID",
                ),
            ),
            migrations.AlterField(
                model_name="communityinvitationhistory",
                name="status",
                field=models.CharField(
                    choices=[
                        ("pending", "Pending"),
                        ("accepted", "Accepted"),
                        ("expired", "Expired"),
                        ("cancelled", "Cancelled"),
                    ],
                    db_default="pending",
                    default="pending",
                    editable=False,
                    max_length=20,
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="communitymember",
                name="country",
                field=models.CharField(blank=True, max_length=100, null=True, verbose_name="country"),
            ),
            migrations.AlterField(
                model_name="communitymember",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created at",
                ),
            ),
            migrations.AlterField(
                model_name="communitymember",
                name="erased_at",
                field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="erased at"),
            ),
            migrations.AlterField(
                model_name="communitymember",
                name="invited_by",
                field=models.ForeignKey(
                    blank=True,
                    db_column="invited_by",
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="invited",
                    to="groups.communitymember",
                    to_field="member_id",
                    verbose_name="invited by",
                ),
            ),
            migrations.AlterField(
                model_name="communitymember",
                name="name",
                field=models.CharField(max_length=255, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="communitymember",
                name="profile_data",
                field=models.JSONField(blank=True, editable=False, null=True, verbose_name="profile"),
            ),
            migrations.AlterField(
                model_name="communitymember",
                name="status",
                field=models.CharField(
                    choices=[
                        ("not_member", "Not a member"),
                        ("pending", "Waiting for approval"),
                        ("active", "Active"),
                        ("suspended", "Suspended"),
                        ("banned", "Banned"),
                    ],
                    db_default="not_member",
                    default="not_member",
                    editable=False,
                    max_length=20,
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="communitymember",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated at",
                ),
            ),
            migrations.AlterField(
                model_name="communitymemberhistory",
                name="country",
                field=models.CharField(blank=True, max_length=100, null=True, verbose_name="country"),
            ),
            migrations.AlterField(
                model_name="communitymemberhistory",
                name="erased_at",
                field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="erased at"),
            ),
            migrations.AlterField(
                model_name="communitymemberhistory",
                name="invited_by",
                field=models.ForeignKey(
                    blank=True,
                    db_column="invited_by",
                    db_constraint=False,
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    related_query_name="+",
                    to="groups.communitymember",
                    to_field="member_id",
                    verbose_name="invited by",
                ),
            ),
            migrations.AlterField(
                model_name="communitymemberhistory",
                name="name",
                field=models.CharField(max_length=255, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="communitymemberhistory",
                name="profile_data",
                field=models.JSONField(blank=True, editable=False, null=True, verbose_name="profile"),
            ),
            migrations.AlterField(
                model_name="communitymemberhistory",
                name="status",
                field=models.CharField(
                    choices=[
                        ("not_member", "Not a member"),
                        ("pending", "Waiting for approval"),
                        ("active", "Active"),
                        ("suspended", "Suspended"),
                        ("banned", "Banned"),
                    ],
                    db_default="not_member",
                    default="not_member",
                    editable=False,
                    max_length=20,
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="event",
                name="actor",
                field=models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="caused_events",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="actor",
                ),
            ),
            migrations.AlterField(
                model_name="event",
                name="changeset_id",
                field=models.UUIDField(
                    db_default=missionsite.common.audit.fields.AuditChangesetId(),
                    editable=False,
                    null=True,
                    verbose_name="changeset",
                ),
            ),
            migrations.AlterField(
                model_name="event",
                name="group",
                field=models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="events",
                    to="groups.group",
                    verbose_name="mission or colony",
                ),
            ),
            migrations.AlterField(
                model_name="event",
                name="member",
                field=models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="events",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="event",
                name="occurred_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="time"
                ),
            ),
            migrations.AlterField(
                model_name="event",
                name="payload",
                field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name="details"),
            ),
            migrations.AlterField(
                model_name="event",
                name="type",
                field=models.TextField(verbose_name="type"),
            ),
            migrations.AlterField(
                model_name="group",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created at",
                ),
            ),
            migrations.AlterField(
                model_name="group",
                name="description",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="description"),
            ),
            migrations.AlterField(
                model_name="group",
                name="name",
                field=models.CharField(max_length=255, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="group",
                name="status",
                field=models.TextField(
                    choices=[("active", "Active"), ("archived", "Archived")],
                    db_default="active",
                    default="active",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="group",
                name="type",
                field=models.TextField(
                    choices=[("colony", "Colony"), ("mission", "Mission")],
                    db_default="mission",
                    default="mission",
                    verbose_name="type",
                ),
            ),
            migrations.AlterField(
                model_name="group",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated at",
                ),
            ),
            migrations.AlterField(
                model_name="grouphistory",
                name="description",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="description"),
            ),
            migrations.AlterField(
                model_name="grouphistory",
                name="name",
                field=models.CharField(max_length=255, verbose_name="name"),
            ),
            migrations.AlterField(
                model_name="grouphistory",
                name="status",
                field=models.TextField(
                    choices=[("active", "Active"), ("archived", "Archived")],
                    db_default="active",
                    default="active",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="grouphistory",
                name="type",
                field=models.TextField(
                    choices=[("colony", "Colony"), ("mission", "Mission")],
                    db_default="mission",
                    default="mission",
                    verbose_name="type",
                ),
            ),
            migrations.AlterField(
                model_name="member",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created at",
                ),
            ),
            migrations.AlterField(
                model_name="member",
                name="password",
                field=models.CharField(
                    db_default="!", default="!", editable=False, max_length=128, verbose_name="password"
                ),
            ),
            migrations.AlterField(
                model_name="member",
                name="trust_score",
                field=models.IntegerField(
                    db_default=0,
                    default=0,
                    help_text="Points earned so far; missions can require a minimum.",
                    verbose_name="trust score",
                ),
            ),
            migrations.AlterField(
                model_name="member",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated at",
                ),
            ),
            migrations.AlterField(
                model_name="memberdailyhighlight",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created at",
                ),
            ),
            migrations.AlterField(
                model_name="memberdailyhighlight",
                name="member",
                field=models.ForeignKey(
                    db_column="member_id",
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="highlights",
                    to="groups.communitymember",
                    to_field="member_id",
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="memberdailyhighlight",
                name="voice_minutes",
                field=models.IntegerField(db_default=0, default=0, verbose_name="voice minutes"),
            ),
            migrations.AlterField(
                model_name="memberhistory",
                name="trust_score",
                field=models.IntegerField(
                    db_default=0,
                    default=0,
                    help_text="Points earned so far; missions can require a minimum.",
                    verbose_name="trust score",
                ),
            ),
            migrations.AlterField(
                model_name="memberparticipation",
                name="member",
                field=models.ForeignKey(
                    db_column="member_id",
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="participation",
                    to="groups.communitymember",
                    to_field="member_id",
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="memberparticipation",
                name="platform",
                field=models.CharField(
                    choices=[
                        ("telegram", "Telegram"),
                        ("discord", "Discord"),
                        ("twitch", "Twitch"),
                        ("kick", "Kick"),
                        ("github", "GitHub"),
                    ],
                    max_length=50,
                    verbose_name="platform",
                ),
            ),
            migrations.AlterField(
                model_name="memberrelationship",
                name="content",
                field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name="details"),
            ),
            migrations.AlterField(
                model_name="memberrelationship",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created at",
                ),
            ),
            migrations.AlterField(
                model_name="memberrelationship",
                name="member_a",
                field=models.ForeignKey(
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="relationships_from",
                    to="groups.communitymember",
                    verbose_name="from member",
                ),
            ),
            migrations.AlterField(
                model_name="memberrelationship",
                name="member_b",
                field=models.ForeignKey(
                    editable=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="relationships_to",
                    to="groups.communitymember",
                    verbose_name="to member",
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
                    verbose_name="mission or colony",
                ),
            ),
            migrations.AlterField(
                model_name="membership",
                name="joined_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="joined at"
                ),
            ),
            migrations.AlterField(
                model_name="membership",
                name="left_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="left at"),
            ),
            migrations.AlterField(
                model_name="membership",
                name="member",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="memberships",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="membership",
                name="role",
                field=models.CharField(db_default="Member", default="Member", max_length=50, verbose_name="role"),
            ),
            migrations.AlterField(
                model_name="membership",
                name="status",
                field=models.TextField(
                    choices=[("active", "Active"), ("left", "Left")],
                    db_default="active",
                    default="active",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="membershiphistory",
                name="group",
                field=models.ForeignKey(
                    db_constraint=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    related_query_name="+",
                    to="groups.group",
                    verbose_name="mission or colony",
                ),
            ),
            migrations.AlterField(
                model_name="membershiphistory",
                name="joined_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="joined at"
                ),
            ),
            migrations.AlterField(
                model_name="membershiphistory",
                name="left_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="left at"),
            ),
            migrations.AlterField(
                model_name="membershiphistory",
                name="member",
                field=models.ForeignKey(
                    db_constraint=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    related_query_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="member",
                ),
            ),
            migrations.AlterField(
                model_name="membershiphistory",
                name="role",
                field=models.CharField(db_default="Member", default="Member", max_length=50, verbose_name="role"),
            ),
            migrations.AlterField(
                model_name="membershiphistory",
                name="status",
                field=models.TextField(
                    choices=[("active", "Active"), ("left", "Left")],
                    db_default="active",
                    default="active",
                    verbose_name="status",
                ),
            ),
            migrations.AlterField(
                model_name="missioncounter",
                name="group",
                field=models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="counters",
                    to="groups.group",
                    verbose_name="mission or colony",
                ),
            ),
            migrations.AlterField(
                model_name="missioncounter",
                name="member_count",
                field=models.IntegerField(db_default=0, default=0, verbose_name="members"),
            ),
            migrations.AlterField(
                model_name="missioncounter",
                name="membership_count",
                field=models.IntegerField(db_default=0, default=0, verbose_name="memberships"),
            ),
            migrations.AlterField(
                model_name="missioncounter",
                name="open_task_count",
                field=models.IntegerField(db_default=0, default=0, verbose_name="open tasks"),
            ),
            migrations.AlterField(
                model_name="missioncounter",
                name="slot",
                field=models.IntegerField(verbose_name="slot"),
            ),
            migrations.AlterField(
                model_name="task",
                name="claimed_by",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="tasks",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="claimed by",
                ),
            ),
            migrations.AlterField(
                model_name="task",
                name="created_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="created at",
                ),
            ),
            migrations.AlterField(
                model_name="task",
                name="description",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="description"),
            ),
            migrations.AlterField(
                model_name="task",
                name="reward_points",
                field=models.IntegerField(
                    db_default=0,
                    default=0,
                    help_text="Trust score points for the member who completes it.",
                    verbose_name="reward points",
                ),
            ),
            migrations.AlterField(
                model_name="task",
                name="state",
                field=models.TextField(
                    choices=[("open", "Open"), ("claimed", "Claimed"), ("done", "Done"), ("cancelled", "Cancelled")],
                    db_default="open",
                    default="open",
                    verbose_name="state",
                ),
            ),
            migrations.AlterField(
                model_name="task",
                name="title",
                field=models.CharField(max_length=255, verbose_name="title"),
            ),
            migrations.AlterField(
                model_name="task",
                name="updated_at",
                field=models.DateTimeField(
                    db_default=django.contrib.postgres.functions.TransactionNow(),
                    editable=False,
                    verbose_name="updated at",
                ),
            ),
            migrations.AlterField(
                model_name="taskhistory",
                name="claimed_by",
                field=models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    related_query_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="claimed by",
                ),
            ),
            migrations.AlterField(
                model_name="taskhistory",
                name="description",
                field=models.TextField(blank=True, db_default="", default="", verbose_name="description"),
            ),
            migrations.AlterField(
                model_name="taskhistory",
                name="reward_points",
                field=models.IntegerField(
                    db_default=0,
                    default=0,
                    help_text="Trust score points for the member who completes it.",
                    verbose_name="reward points",
                ),
            ),
            migrations.AlterField(
                model_name="taskhistory",
                name="state",
                field=models.TextField(
                    choices=[("open", "Open"), ("claimed", "Claimed"), ("done", "Done"), ("cancelled", "Cancelled")],
                    db_default="open",
                    default="open",
                    verbose_name="state",
                ),
            ),
            migrations.AlterField(
                model_name="taskhistory",
                name="title",
                field=models.CharField(max_length=255, verbose_name="title"),
            ),
        ),
    ]
