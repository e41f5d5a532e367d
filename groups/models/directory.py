from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Lower

from missionsite.common.constraints import CheckConstraint, UniqueConstraint, one_line_checks

# The lowest score of each tier, highest first. A generated column derives the tier from it.
TIERS = (
    (2501, "Expert"),
    (1001, "Experienced"),
    (501, "Active Developer"),
    (101, "Contributor"),
    (0, "Novice"),
)


class CommunityStatus(models.TextChoices):
    NOT_MEMBER = "not_member", "Not a member"
    PENDING = "pending", "Waiting for approval"
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    BANNED = "banned", "Banned"


# The allowed status moves; the trigger guard_community_members has the same map.
MOVES = {
    CommunityStatus.NOT_MEMBER: (CommunityStatus.PENDING, CommunityStatus.BANNED),
    CommunityStatus.PENDING: (CommunityStatus.ACTIVE, CommunityStatus.BANNED),
    CommunityStatus.ACTIVE: (CommunityStatus.SUSPENDED, CommunityStatus.BANNED),
    CommunityStatus.SUSPENDED: (CommunityStatus.ACTIVE, CommunityStatus.BANNED),
    CommunityStatus.BANNED: (),
}


class PrimaryRole(models.TextChoices):
    STUDENT = "student", "Student"
    DEVELOPER = "developer", "Developer"
    DESIGNER = "designer", "Designer"
    RESEARCHER = "researcher", "Researcher"
    FOUNDER = "founder", "Founder"
    INVESTOR = "investor", "Investor"
    COMMUNITY_MANAGER = "community_manager", "Community manager"
    CONTENT_CREATOR = "content_creator", "Content creator"
    OTHER = "other", "Other"


class Tier(models.TextChoices):
    NOVICE = "Novice"
    CONTRIBUTOR = "Contributor"
    ACTIVE_DEVELOPER = "Active Developer"
    EXPERIENCED = "Experienced"
    EXPERT = "Expert"


class CommunityMemberQuerySet(models.QuerySet):
    def present(self) -> CommunityMemberQuerySet:
        """Entries that were not removed from the directory."""
        return self.filter(deleted_at=None)

    def active(self) -> CommunityMemberQuerySet:
        """Entries that members see in the directory."""
        return self.present().filter(status=CommunityStatus.ACTIVE)


class CommunityMember(models.Model):
    """An entry in the community directory; `person` is its account, with which the member logs in."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    # Numbers come from the sequence community_member_number; a row with a given number moves the sequence past it.
    member_id = models.CharField(
        "number", max_length=20, unique=True, db_default=None, editable=False, help_text="#247; never changes."
    )
    person = models.OneToOneField(
        "groups.Member", models.PROTECT, null=True, blank=True, related_name="community", verbose_name="account"
    )
    telegram_id = models.CharField(
        "Telegram ID", max_length=255, help_text="The person's numeric ID in Telegram, which never changes."
    )
    telegram_username = models.CharField("Telegram name", max_length=255, null=True, blank=True)
    name = models.CharField(max_length=255)
    primary_role = models.CharField("role", max_length=50, choices=PrimaryRole)
    organization = models.CharField("organisation", max_length=255, null=True, blank=True)
    country = models.CharField(max_length=100, null=True, blank=True)

    github_username = models.CharField("GitHub name", max_length=255, null=True, blank=True)
    github_verified = models.BooleanField("verified", default=False, db_default=False)
    github_verified_at = models.DateTimeField("verified at", null=True, blank=True, editable=False)
    github_profile_data = models.JSONField("GitHub profile", null=True, blank=True, editable=False)

    status = models.CharField(
        max_length=20,
        choices=CommunityStatus,
        default=CommunityStatus.NOT_MEMBER,
        db_default=CommunityStatus.NOT_MEMBER,
        editable=False,
    )
    reputation_score = models.IntegerField("reputation", default=0, db_default=0, editable=False)
    reputation_tier = models.GeneratedField(
        expression=Case(
            *(When(reputation_score__gte=least, then=Value(tier)) for least, tier in TIERS[:-1]),
            default=Value(TIERS[-1][1]),
            output_field=models.CharField(max_length=50),
        ),
        output_field=models.CharField(max_length=50, choices=Tier),
        db_persist=True,
        verbose_name="tier",
    )

    invited_by = models.ForeignKey(
        "self",
        models.PROTECT,
        to_field="member_id",
        db_column="invited_by",
        null=True,
        blank=True,
        related_name="invited",
        editable=False,
    )
    registration_fee_paid = models.BooleanField("fee paid", default=False, db_default=False)
    registration_fee_tx_hash = models.CharField("fee transaction", max_length=255, null=True, blank=True)

    profile_data = models.JSONField(null=True, blank=True, editable=False)

    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    last_active_at = models.DateTimeField("last active", null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField("removed at", null=True, blank=True, editable=False)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CommunityMemberQuerySet.as_manager()

    class Meta:
        db_table = "community_members"
        verbose_name = "directory entry"
        verbose_name_plural = "directory"
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks(
                "community_members",
                "telegram_id",
                "telegram_username",
                "name",
                "organization",
                "country",
                "github_username",
                "registration_fee_tx_hash",
            ),
            UniqueConstraint(
                fields=["telegram_id"],
                name="member_telegram_id_idx",
                violation_error_message="Another member has this Telegram ID.",
            ),
            CheckConstraint(
                condition=Q(member_id__regex=r"^#[1-9][0-9]{0,17}$"), name="community_members_member_id_format"
            ),
            CheckConstraint(condition=Q(status__in=CommunityStatus.values), name="community_members_status_known"),
            CheckConstraint(condition=Q(primary_role__in=PrimaryRole.values), name="community_members_role_known"),
            CheckConstraint(
                condition=~Q(name__regex=r"^\s*$"),
                name="community_members_name_not_empty",
                violation_error_message="Enter a name.",
            ),
            CheckConstraint(
                condition=~Q(telegram_id__regex=r"^\s*$"),
                name="community_members_telegram_id_not_empty",
                violation_error_message="Enter the Telegram ID.",
            ),
            CheckConstraint(condition=Q(reputation_score__gte=0), name="community_members_reputation_not_negative"),
            CheckConstraint(
                condition=Q(github_verified=True, github_verified_at__isnull=False, github_username__isnull=False)
                | Q(github_verified=False, github_verified_at__isnull=True),
                name="community_members_verified_fits",
            ),
            CheckConstraint(
                condition=Q(invited_by__isnull=True) | ~Q(invited_by=F("member_id")),
                name="community_members_not_invited_by_self",
            ),
            CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(deleted_at__isnull=False),
                name="community_members_erased_is_removed",
            ),
            # A GitHub account is verified for one member only.
            UniqueConstraint(
                Lower("github_username"),
                condition=Q(github_verified=True),
                name="community_members_github_once",
                violation_error_message="Another member has verified this GitHub account.",
            ),
        ]
        indexes = [
            models.Index(fields=["github_username"], name="member_github_username_idx"),
            models.Index(fields=["status"], name="member_status_idx"),
            models.Index(fields=["reputation_score"], name="member_reputation_score_idx"),
            models.Index(fields=["primary_role"], name="member_primary_role_idx"),
            # The list, newest first.
            models.Index(F("created_at").desc(), F("id").desc(), name="community_members_newest"),
            # Search by the beginning of a name, of any word of a name or organisation, and of the two user names.
            models.Index(OpClass(Lower("name"), "text_pattern_ops"), name="community_name_prefix"),
            models.Index(OpClass(Lower("telegram_username"), "text_pattern_ops"), name="community_telegram_prefix"),
            models.Index(OpClass(Lower("github_username"), "text_pattern_ops"), name="community_github_prefix"),
            models.Index(OpClass(Lower("organization"), "text_pattern_ops"), name="community_org_prefix"),
            GinIndex(SearchVector("name", "organization", config="simple"), name="community_words"),
        ]
        permissions = [
            ("approve_communitymember", "Can approve, suspend, reinstate and ban members"),
            ("verify_communitymember", "Can verify GitHub accounts"),
            ("import_communitymember", "Can import members"),
            ("export_communitymember", "Can export the directory"),
            ("remove_communitymember", "Can remove members from the directory and restore them"),
            ("erase_communitymember", "Can erase personal data"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.member_id}"

    def audit_links(self) -> dict:
        """Return the links of events about this row."""
        return {"member": self.person, "number": self.member_id}

    @property
    def is_removed(self) -> bool:
        return self.deleted_at is not None
