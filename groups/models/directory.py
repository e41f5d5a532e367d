from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from groups.rules import NO_TELEGRAM, PHONE, TIERS, CommunityStatus, Tier, shown_telegram_id
from missionsite.common.constraints import (
    CheckConstraint,
    UniqueConstraint,
    choices_check,
    not_future_check,
    one_line_checks,
)
from missionsite.common.querysets import QuerySet
from missionsite.common.search_words import NameSortKey, SearchWords


class PrimaryRole(models.TextChoices):
    STUDENT = "student", _("Student")
    DEVELOPER = "developer", _("Developer")
    DESIGNER = "designer", _("Designer")
    RESEARCHER = "researcher", _("Researcher")
    FOUNDER = "founder", _("Founder")
    INVESTOR = "investor", _("Investor")
    COMMUNITY_MANAGER = "community_manager", _("Community manager")
    CONTENT_CREATOR = "content_creator", _("Content creator")
    OTHER = "other", _("Other")


class CommunityMemberQuerySet(QuerySet["CommunityMember"]):
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
        _("number"),
        max_length=20,
        unique=True,
        db_default=None,  # type: ignore[arg-type]  # the stubs omit None
        editable=False,
        help_text=_("Never changes."),
    )
    person = models.OneToOneField(
        "groups.Member", models.PROTECT, null=True, blank=True, related_name="community", verbose_name=_("account")
    )
    telegram_id = models.CharField(
        _("Telegram ID"), max_length=255, help_text=_("The person's numeric ID in Telegram, which never changes.")
    )
    telegram_username = models.CharField(_("Telegram name"), max_length=255, null=True, blank=True)
    name = models.CharField(_("name"), max_length=255)
    primary_role = models.CharField(_("role"), max_length=50, choices=PrimaryRole)
    organization = models.CharField(_("organisation"), max_length=255, null=True, blank=True)
    country = models.CharField(_("country"), max_length=100, null=True, blank=True)

    phone = models.CharField(
        _("phone"),
        max_length=16,
        null=True,
        blank=True,
        help_text=_("With the country's prefix, such as +55 11 91234-5678. Not shown to other members."),
    )

    github_username = models.CharField(_("GitHub name"), max_length=255, null=True, blank=True)
    github_verified = models.BooleanField(_("verified"), default=False, db_default=False)
    github_verified_at = models.DateTimeField(_("verified at"), null=True, blank=True, editable=False)
    github_profile_data = models.JSONField(_("GitHub profile"), null=True, blank=True, editable=False)

    status = models.CharField(
        _("status"),
        max_length=20,
        choices=CommunityStatus,
        default=CommunityStatus.NOT_MEMBER,
        db_default=CommunityStatus.NOT_MEMBER,
        editable=False,
    )
    reputation_score = models.IntegerField(_("reputation"), default=0, db_default=0, editable=False)
    reputation_tier = models.GeneratedField(
        expression=Case(
            *(When(reputation_score__gte=least, then=Value(tier.value)) for least, tier in TIERS[:-1]),
            default=Value(TIERS[-1][1].value),
            output_field=models.CharField(max_length=50),
        ),
        output_field=models.CharField(max_length=50, choices=Tier),
        db_persist=True,
        verbose_name=_("tier"),
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
        verbose_name=_("invited by"),
    )
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        to_field="member_id",
        db_column="merged_into",
        null=True,
        blank=True,
        related_name="absorbed",
        editable=False,
        verbose_name=_("merged into"),
    )
    registration_fee_paid = models.BooleanField(_("fee paid"), default=False, db_default=False)
    registration_fee_tx_hash = models.CharField(_("fee transaction"), max_length=255, null=True, blank=True)

    profile_data = models.JSONField(_("profile"), null=True, blank=True, editable=False)

    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(_("updated at"), db_default=TransactionNow(), editable=False)
    last_active_at = models.DateTimeField(_("last active"), null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(_("removed at"), null=True, blank=True, editable=False)
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True, editable=False)

    objects = CommunityMemberQuerySet.as_manager()

    class Meta:
        db_table = "community_members"
        verbose_name = _("directory entry")
        verbose_name_plural = _("directory")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=Q(github_profile_data__isnull=True)
                | Q(
                    Exact(
                        Func(F("github_profile_data"), function="jsonb_typeof", output_field=models.TextField()),
                        Value("object"),
                    )
                ),
                name="community_members_github_profile_object",
                violation_error_message=_("The GitHub profile must be a JSON object."),
                violation_error_code="github_profile_not_object",
                field="github_profile_data",
            ),
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
                violation_error_message=_("Another member has this Telegram ID."),
                violation_error_code="telegram_id_taken",
                field="telegram_id",
            ),
            CheckConstraint(
                condition=Q(member_id__regex=r"^#[1-9][0-9]{0,17}$"), name="community_members_member_id_format"
            ),
            choices_check("community_members", "status", CommunityStatus),
            CheckConstraint(condition=Q(primary_role__in=PrimaryRole.values), name="community_members_role_known"),
            CheckConstraint(
                condition=~Q(name__regex=r"^\s*$"),
                name="community_members_name_not_empty",
                violation_error_message=_("Enter a name."),
                violation_error_code="name_missing",
                field="name",
            ),
            CheckConstraint(
                condition=~Q(telegram_id__regex=r"^\s*$"),
                name="community_members_telegram_id_not_empty",
                violation_error_message=_("Enter the Telegram ID."),
                violation_error_code="telegram_id_missing",
                field="telegram_id",
            ),
            CheckConstraint(
                condition=~Q(telegram_id__startswith=NO_TELEGRAM)
                | Q(telegram_id__regex=rf"^{NO_TELEGRAM}FE-P-[0-9]{{5,14}}$"),
                name="community_members_no_telegram_format",
                violation_error_message=_("A Telegram ID is a number, such as 123456789."),
                violation_error_code="telegram_id_invalid",
                field="telegram_id",
            ),
            CheckConstraint(
                condition=Q(phone__isnull=True) | Q(phone__regex=PHONE),
                name="community_members_phone_format",
                violation_error_message=_(
                    "This is no phone number. Enter it with the country's prefix, such as +55 11 91234-5678."
                ),
                violation_error_code="phone_invalid",
                field="phone",
            ),
            CheckConstraint(condition=Q(reputation_score__gte=0), name="community_members_reputation_not_negative"),
            CheckConstraint(
                condition=Q(github_verified=True, github_verified_at__isnull=False, github_username__isnull=False)
                | Q(github_verified=False, github_verified_at__isnull=True),
                name="community_members_verified_fits",
                violation_error_message=_("Enter a GitHub name first."),
                violation_error_code="github_name_missing",
                field="github_username",
            ),
            CheckConstraint(
                condition=Q(invited_by__isnull=True) | ~Q(invited_by=F("member_id")),
                name="community_members_not_invited_by_self",
                violation_error_message=_("Members cannot invite themselves."),
                violation_error_code="invited_by_self",
                field="invited_by",
            ),
            CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(deleted_at__isnull=False),
                name="community_members_merged_is_removed",
                violation_error_message=_("This entry was merged into another one. Undo the merge instead."),
                violation_error_code="entry_merged",
            ),
            CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("member_id")),
                name="community_members_not_merged_into_self",
            ),
            CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(deleted_at__isnull=False),
                name="community_members_erased_is_removed",
            ),
            not_future_check(
                "community_members",
                "deleted_at",
                _("The time of removal must not be in the future."),
                code="removed_in_future",
            ),
            # Of people who were merged, both entries have it.
            UniqueConstraint(
                fields=["registration_fee_tx_hash"],
                condition=Q(merged_into__isnull=True),
                name="community_members_fee_tx_once",
                violation_error_message=_("Another member has paid with this transaction."),
                violation_error_code="fee_transaction_taken",
                field="registration_fee_tx_hash",
            ),
            # A GitHub account is verified for one member only.
            UniqueConstraint(
                Lower("github_username"),
                condition=Q(github_verified=True),
                name="community_members_github_once",
                violation_error_message=_("Another member has verified this GitHub account."),
                violation_error_code="github_account_taken",
                field="github_username",
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
            # The directory by name.
            models.Index(NameSortKey("name"), F("id"), name="community_members_by_name"),
            GinIndex(SearchWords("name", "organization"), name="community_words"),
        ]
        permissions = [
            ("approve_communitymember", _("Can approve, suspend, reinstate and ban members")),
            ("verify_communitymember", _("Can verify GitHub accounts")),
            ("import_communitymember", _("Can import members")),
            ("export_communitymember", _("Can export the directory")),
            ("remove_communitymember", _("Can remove members from the directory and restore them")),
            ("merge_communitymember", _("Can merge people and decide about possible duplicates")),
            ("erase_communitymember", _("Can erase personal data")),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.member_id}"

    def audit_links(self) -> dict:
        """Return the links of events about this row."""
        return {"member": self.person, "number": self.member_id}

    @property
    def shown_telegram_id(self) -> str:
        """The Telegram ID; empty for a person without one."""
        return shown_telegram_id(self.telegram_id)

    @property
    def is_removed(self) -> bool:
        return self.deleted_at is not None
