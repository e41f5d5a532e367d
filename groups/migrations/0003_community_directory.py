import django.contrib.postgres.functions
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import RenderOnce
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The community directory: entries, invitations, relationships, participation and daily highlights."""

    dependencies = [
        ("groups", "0002_mission_schema_foundation"),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="CommunityMember",
                fields=[
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(),
                            editable=False,
                            primary_key=True,
                            serialize=False,
                        ),
                    ),
                    (
                        "member_id",
                        models.CharField(
                            db_default=None,
                            editable=False,
                            help_text="Never changes.",
                            max_length=20,
                            unique=True,
                            verbose_name="number",
                        ),
                    ),
                    (
                        "telegram_id",
                        models.CharField(
                            help_text="The person's numeric ID in Telegram, which never changes.",
                            max_length=255,
                            verbose_name="Telegram ID",
                        ),
                    ),
                    (
                        "telegram_username",
                        models.CharField(blank=True, max_length=255, null=True, verbose_name="Telegram name"),
                    ),
                    ("name", models.CharField(max_length=255)),
                    (
                        "primary_role",
                        models.CharField(
                            choices=[
                                ("student", "Student"),
                                ("developer", "Developer"),
                                ("designer", "Designer"),
                                ("researcher", "Researcher"),
                                ("founder", "Founder"),
                                ("investor", "Investor"),
                                ("community_manager", "Community manager"),
                                ("content_creator", "Content creator"),
                                ("other", "Other"),
                            ],
                            max_length=50,
                            verbose_name="role",
                        ),
                    ),
                    (
                        "organization",
                        models.CharField(blank=True, max_length=255, null=True, verbose_name="organisation"),
                    ),
                    ("country", models.CharField(blank=True, max_length=100, null=True)),
                    (
                        "github_username",
                        models.CharField(blank=True, max_length=255, null=True, verbose_name="GitHub name"),
                    ),
                    ("github_verified", models.BooleanField(db_default=False, default=False, verbose_name="verified")),
                    (
                        "github_verified_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="verified at"),
                    ),
                    (
                        "github_profile_data",
                        models.JSONField(blank=True, editable=False, null=True, verbose_name="GitHub profile"),
                    ),
                    (
                        "status",
                        models.CharField(
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
                        ),
                    ),
                    (
                        "reputation_score",
                        models.IntegerField(db_default=0, default=0, editable=False, verbose_name="reputation"),
                    ),
                    (
                        "reputation_tier",
                        models.GeneratedField(
                            db_persist=True,
                            expression=models.Case(
                                models.When(reputation_score__gte=2501, then=models.Value("Expert")),
                                models.When(reputation_score__gte=1001, then=models.Value("Experienced")),
                                models.When(reputation_score__gte=501, then=models.Value("Active Developer")),
                                models.When(reputation_score__gte=101, then=models.Value("Contributor")),
                                default=models.Value("Novice"),
                                output_field=models.CharField(max_length=50),
                            ),
                            output_field=models.CharField(
                                choices=[
                                    ("Novice", "Novice"),
                                    ("Contributor", "Contributor"),
                                    ("Active Developer", "Active Developer"),
                                    ("Experienced", "Experienced"),
                                    ("Expert", "Expert"),
                                ],
                                max_length=50,
                            ),
                            verbose_name="tier",
                        ),
                    ),
                    (
                        "registration_fee_paid",
                        models.BooleanField(db_default=False, default=False, verbose_name="fee paid"),
                    ),
                    (
                        "registration_fee_tx_hash",
                        models.CharField(blank=True, max_length=255, null=True, verbose_name="fee transaction"),
                    ),
                    ("profile_data", models.JSONField(blank=True, editable=False, null=True)),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "updated_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "last_active_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last active"),
                    ),
                    (
                        "deleted_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="removed at"),
                    ),
                    ("erased_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    (
                        "invited_by",
                        models.ForeignKey(
                            blank=True,
                            db_column="invited_by",
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="invited",
                            to="groups.communitymember",
                            to_field="member_id",
                        ),
                    ),
                    (
                        "person",
                        models.OneToOneField(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="community",
                            to=settings.AUTH_USER_MODEL,
                            verbose_name="account",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "directory entry",
                    "verbose_name_plural": "directory",
                    "db_table": "community_members",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "permissions": [
                        ("approve_communitymember", "Can approve, suspend, reinstate and ban members"),
                        ("verify_communitymember", "Can verify GitHub accounts"),
                        ("import_communitymember", "Can import members"),
                        ("export_communitymember", "Can export the directory"),
                        ("remove_communitymember", "Can remove members from the directory and restore them"),
                        ("erase_communitymember", "Can erase personal data"),
                    ],
                    "indexes": [
                        models.Index(fields=["github_username"], name="member_github_username_idx"),
                        models.Index(fields=["status"], name="member_status_idx"),
                        models.Index(fields=["reputation_score"], name="member_reputation_score_idx"),
                        models.Index(fields=["primary_role"], name="member_primary_role_idx"),
                        models.Index(
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="community_members_newest",
                        ),
                        models.Index(
                            django.contrib.postgres.indexes.OpClass(
                                django.db.models.functions.text.Lower("name"), "text_pattern_ops"
                            ),
                            name="community_name_prefix",
                        ),
                        models.Index(
                            django.contrib.postgres.indexes.OpClass(
                                django.db.models.functions.text.Lower("telegram_username"), "text_pattern_ops"
                            ),
                            name="community_telegram_prefix",
                        ),
                        models.Index(
                            django.contrib.postgres.indexes.OpClass(
                                django.db.models.functions.text.Lower("github_username"), "text_pattern_ops"
                            ),
                            name="community_github_prefix",
                        ),
                        models.Index(
                            django.contrib.postgres.indexes.OpClass(
                                django.db.models.functions.text.Lower("organization"), "text_pattern_ops"
                            ),
                            name="community_org_prefix",
                        ),
                        django.contrib.postgres.indexes.GinIndex(
                            django.contrib.postgres.search.SearchVector("name", "organization", config="simple"),
                            name="community_words",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("telegram_id__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="community_members_telegram_id_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("telegram_username__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="community_members_telegram_username_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="community_members_name_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("organization__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="community_members_organization_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("country__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="community_members_country_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("github_username__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="community_members_github_username_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("registration_fee_tx_hash__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="community_members_registration_fee_tx_hash_one_line",
                        ),
                        models.UniqueConstraint(
                            fields=("telegram_id",),
                            name="member_telegram_id_idx",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("member_id__regex", "^#[1-9][0-9]{0,17}$")),
                            name="community_members_member_id_format",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("status__in", ["not_member", "pending", "active", "suspended", "banned"])
                            ),
                            name="community_members_status_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "primary_role__in",
                                    [
                                        "student",
                                        "developer",
                                        "designer",
                                        "researcher",
                                        "founder",
                                        "investor",
                                        "community_manager",
                                        "content_creator",
                                        "other",
                                    ],
                                )
                            ),
                            name="community_members_role_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("name__regex", "^\\s*$"), _negated=True),
                            name="community_members_name_not_empty",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("telegram_id__regex", "^\\s*$"), _negated=True),
                            name="community_members_telegram_id_not_empty",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("reputation_score__gte", 0)),
                            name="community_members_reputation_not_negative",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(
                                    ("github_username__isnull", False),
                                    ("github_verified", True),
                                    ("github_verified_at__isnull", False),
                                ),
                                models.Q(("github_verified", False), ("github_verified_at__isnull", True)),
                                _connector="OR",
                            ),
                            name="community_members_verified_fits",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("invited_by__isnull", True),
                                models.Q(("invited_by", models.F("member_id")), _negated=True),
                                _connector="OR",
                            ),
                            name="community_members_not_invited_by_self",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("erased_at__isnull", True), ("deleted_at__isnull", False), _connector="OR"
                            ),
                            name="community_members_erased_is_removed",
                        ),
                        models.UniqueConstraint(
                            django.db.models.functions.text.Lower("github_username"),
                            condition=models.Q(("github_verified", True)),
                            name="community_members_github_once",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="CommunityInvitation",
                fields=[
                    (
                        "invitation_id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(),
                            editable=False,
                            primary_key=True,
                            serialize=False,
                        ),
                    ),
                    ("invitation_code", models.CharField(editable=False, max_length=16, verbose_name="code")),
                    (
                        "invited_telegram_username",
                        models.CharField(blank=True, max_length=255, null=True, verbose_name="Telegram name"),
                    ),
                    (
                        "status",
                        models.CharField(
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
                        ),
                    ),
                    ("expires_at", models.DateTimeField(verbose_name="expires")),
                    (
                        "accepted_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="accepted"),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "updated_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "accepted_by",
                        models.OneToOneField(
                            blank=True,
                            db_column="accepted_by",
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="invitation",
                            to="groups.communitymember",
                            to_field="member_id",
                        ),
                    ),
                    (
                        "created_by",
                        models.ForeignKey(
                            db_column="created_by",
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="invitations",
                            to="groups.communitymember",
                            to_field="member_id",
                            verbose_name="invited by",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "invitation",
                    "db_table": "community_invitations",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("invitation_id"), descending=True),
                    ],
                    "permissions": [("invite_many", "Can invite many people at once")],
                    "indexes": [
                        models.Index(fields=["status"], name="invitation_status_idx"),
                        models.Index(fields=["created_by"], name="invitation_created_by_idx"),
                        models.Index(fields=["expires_at"], name="invitation_expires_at_idx"),
                        models.Index(
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("invitation_id"), descending=True),
                            name="invitations_newest",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("invited_telegram_username__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"),
                                _negated=True,
                            ),
                            name="community_invitations_invited_telegram_username_one_line",
                        ),
                        models.UniqueConstraint(fields=("invitation_code",), name="invitation_code_idx"),
                        models.CheckConstraint(
                            condition=models.Q(("invitation_code__regex", "^[23456789ABCDEFGHJKMNPQRSTUVWXYZ]{16}$")),
                            name="community_invitations_code_format",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("status__in", ["pending", "accepted", "expired", "cancelled"])),
                            name="community_invitations_status_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(
                                    ("accepted_at__isnull", False),
                                    ("accepted_by__isnull", False),
                                    ("status", "accepted"),
                                ),
                                models.Q(
                                    models.Q(("status", "accepted"), _negated=True),
                                    ("accepted_at__isnull", True),
                                    ("accepted_by__isnull", True),
                                ),
                                _connector="OR",
                            ),
                            name="community_invitations_accepted_fits",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("expires_at__gt", models.F("created_at"))),
                            name="community_invitations_expires_later",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("accepted_by__isnull", True),
                                models.Q(("accepted_by", models.F("created_by")), _negated=True),
                                _connector="OR",
                            ),
                            name="community_invitations_not_by_self",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="MemberRelationship",
                fields=[
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(),
                            editable=False,
                            primary_key=True,
                            serialize=False,
                        ),
                    ),
                    ("entity_id_a", models.CharField(max_length=255, verbose_name="from")),
                    ("entity_id_b", models.CharField(max_length=255, verbose_name="to")),
                    (
                        "relationship_type",
                        models.CharField(
                            choices=[
                                ("INVITED", "Invited"),
                                ("MENTORED", "Mentored"),
                                ("COLLABORATED", "Collaborated"),
                                ("REFERRED", "Referred"),
                            ],
                            max_length=50,
                            verbose_name="kind",
                        ),
                    ),
                    ("content", models.JSONField(blank=True, db_default={}, default=dict)),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "member_a",
                        models.ForeignKey(
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="relationships_from",
                            to="groups.communitymember",
                        ),
                    ),
                    (
                        "member_b",
                        models.ForeignKey(
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="relationships_to",
                            to="groups.communitymember",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "relationship",
                    "db_table": "member_relationships",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(
                            models.OrderBy(models.F("created_at"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="relationships_newest",
                        ),
                        models.Index(fields=["entity_id_a"], name="relationship_entity_a_idx"),
                        models.Index(fields=["entity_id_b"], name="relationship_entity_b_idx"),
                        models.Index(fields=["relationship_type"], name="relationship_type_idx"),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("entity_id_a__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="member_relationships_entity_id_a_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("entity_id_b__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="member_relationships_entity_id_b_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("relationship_type__in", ["INVITED", "MENTORED", "COLLABORATED", "REFERRED"])
                            ),
                            name="member_relationships_type_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("entity_id_a", models.F("entity_id_b")), _negated=True),
                            name="member_relationships_not_with_self",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("entity_id_a__regex", "^\\s*$"), _negated=True),
                                models.Q(("entity_id_b__regex", "^\\s*$"), _negated=True),
                            ),
                            name="member_relationships_ids_not_empty",
                        ),
                        models.UniqueConstraint(
                            fields=("entity_id_a", "entity_id_b", "relationship_type"),
                            name="member_relationships_once",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="MemberParticipation",
                fields=[
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(),
                            editable=False,
                            primary_key=True,
                            serialize=False,
                        ),
                    ),
                    (
                        "event_type",
                        models.CharField(
                            choices=[
                                ("MESSAGE", "Message"),
                                ("REACTION", "Reaction"),
                                ("VOICE", "Voice"),
                                ("ACTION", "Action"),
                                ("JOIN", "Joined a room"),
                                ("LEAVE", "Left a room"),
                            ],
                            max_length=50,
                            verbose_name="type",
                        ),
                    ),
                    (
                        "platform",
                        models.CharField(
                            choices=[
                                ("telegram", "Telegram"),
                                ("discord", "Discord"),
                                ("twitch", "Twitch"),
                                ("kick", "Kick"),
                                ("github", "GitHub"),
                            ],
                            max_length=50,
                        ),
                    ),
                    ("room_id", models.CharField(max_length=255, verbose_name="room")),
                    ("event_metadata", models.JSONField(blank=True, null=True, verbose_name="details")),
                    (
                        "occurred_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="time"
                        ),
                    ),
                    (
                        "member",
                        models.ForeignKey(
                            db_column="member_id",
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="participation",
                            to="groups.communitymember",
                            to_field="member_id",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "participation",
                    "verbose_name_plural": "participation",
                    "db_table": "member_participation",
                    "ordering": [
                        models.OrderBy(models.F("occurred_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(fields=["member"], name="participation_member_id_idx"),
                        models.Index(fields=["event_type"], name="participation_event_type_idx"),
                        models.Index(fields=["platform"], name="participation_platform_idx"),
                        models.Index(fields=["occurred_at"], name="participation_occurred_at_idx"),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("room_id__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="member_participation_room_id_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("event_type__in", ["MESSAGE", "REACTION", "VOICE", "ACTION", "JOIN", "LEAVE"])
                            ),
                            name="member_participation_type_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("platform__in", ["telegram", "discord", "twitch", "kick", "github"])),
                            name="member_participation_platform_known",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="MemberDailyHighlight",
                fields=[
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(),
                            editable=False,
                            primary_key=True,
                            serialize=False,
                        ),
                    ),
                    ("highlight_date", models.DateField(verbose_name="day")),
                    ("message_count", models.IntegerField(db_default=0, default=0, verbose_name="messages")),
                    ("reaction_count", models.IntegerField(db_default=0, default=0, verbose_name="reactions")),
                    ("voice_minutes", models.IntegerField(db_default=0, default=0)),
                    ("reputation_earned", models.IntegerField(db_default=0, default=0, verbose_name="points")),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "member",
                        models.ForeignKey(
                            db_column="member_id",
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="highlights",
                            to="groups.communitymember",
                            to_field="member_id",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "daily highlight",
                    "db_table": "member_daily_highlights",
                    "ordering": [
                        models.OrderBy(models.F("highlight_date"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "indexes": [
                        models.Index(
                            models.OrderBy(models.F("highlight_date"), descending=True),
                            models.OrderBy(models.F("id"), descending=True),
                            name="daily_highlights_newest",
                        )
                    ],
                    "constraints": [
                        models.UniqueConstraint(fields=("member", "highlight_date"), name="highlight_member_date_idx")
                    ],
                },
            ),
            SQLFile("groups/tables/community_members", version=1),
            SQLFile("groups/tables/member_participation", version=1),
            SQLFile("groups/tables/member_daily_highlights", version=1),
            SQLFile("groups/functions/assign_community_number", version=1),
            SQLFile("groups/functions/guard_community_members", version=1),
            SQLFile("groups/functions/guard_community_invitations", version=1),
            SQLFile("groups/functions/link_member_relationships", version=1),
            SQLFile("groups/functions/invitation_tree", version=1),
            SQLFile("groups/functions/participation_amount", version=1),
            SQLFile("groups/functions/queue_participation_change", version=1),
            SQLFile("groups/functions/clear_participation_changes", version=1),
            SQLFile("groups/functions/reject_counted_change", version=1),
            SQLFile("groups/functions/check_points", version=1),
            SQLFile("groups/functions/roll_up_highlights", version=1),
            SQLFile("groups/functions/rebuild_highlights", version=1),
            SQLFile("groups/triggers/community_members", version=1),
            SQLFile("groups/triggers/community_invitations", version=1),
            SQLFile("groups/triggers/member_relationships", version=1),
            SQLFile("groups/triggers/member_participation", version=1),
        ),
    ]
