from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from missionsite.common.constraints import CheckConstraint, UniqueConstraint, one_line_checks
from missionsite.common.querysets import QuerySet
from missionsite.common.search_words import NameSortKey, SearchWords

# The actor of background jobs, which cannot log in.
SYSTEM_MEMBER_ID = "00000000-0000-0000-0000-000000000000"


class MemberManager(BaseUserManager["Member"]):
    """Creates members and finds them by e-mail, in any case."""

    def get_queryset(self) -> QuerySet[Member]:
        return QuerySet(self.model, using=self._db)

    def lock(self, pk: Any, *related: str, no_key: bool = False) -> Member:
        """Return the member as it is now, locked; see QuerySet.lock."""
        return self.get_queryset().lock(pk, *related, no_key=no_key)

    def create_user(self, email: str, password: str | None = None, *, password_hash: str = "", **fields: Any) -> Member:
        """Create a member; without a password the account cannot log in. password_hash: instead of the password."""
        member = self.model(email=self.normalize_email(email), **fields)
        if password_hash:
            member.password = password_hash
        else:
            member.set_password(password)
        member.save(using=self._db)
        return member

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Member:
        """Create an administrator; `manage.py createsuperuser` calls this."""
        fields.setdefault("display_name", email.partition("@")[0])
        return self.create_user(email, password, **fields, is_staff=True, is_superuser=True)

    def system(self) -> Member:
        """Return the system member, the actor of jobs and commands; it is created when it is first needed."""
        found = self.filter(pk=SYSTEM_MEMBER_ID)
        if member := found.first():
            return member
        # Another transaction may create it at the same time.
        new = self.model(
            pk=SYSTEM_MEMBER_ID, member_id="FE-P-00000", email="system@missionsite.example", display_name="System"
        )
        self.bulk_create([new], ignore_conflicts=True)
        return found.get()

    def get_by_natural_key(self, email: str | None) -> Member:
        """Return the member with this e-mail."""
        return self.alias(email_lower=Lower("email")).get(email_lower=(email or "").lower())


class Member(AbstractBaseUser, PermissionsMixin):
    """A person and their account. AUTH_USER_MODEL."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    member_id = models.CharField(
        _("stable ID"),
        max_length=20,
        unique=True,
        db_default=None,  # type: ignore[arg-type]  # the stubs omit None
        editable=False,
        help_text=_("Never changes."),
    )
    email = models.EmailField(_("e-mail"), max_length=255, help_text=_("The e-mail to log in with."))
    display_name = models.CharField(_("name"), max_length=255)
    trust_score = models.IntegerField(
        _("trust score"), default=0, db_default=0, help_text=_("Points earned so far; missions can require a minimum.")
    )
    is_active = models.BooleanField(
        _("active"), default=True, db_default=True, help_text=_("Switch off to block the login and keep the history.")
    )
    is_staff = models.BooleanField(
        _("staff"), default=False, db_default=False, help_text=_("Can log in to the back office.")
    )
    is_superuser = models.BooleanField(
        _("administrator"), default=False, db_default=False, help_text=_("Has every permission.")
    )
    password = models.CharField(_("password"), max_length=128, default="!", db_default="!", editable=False)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="absorbed",
        verbose_name=_("merged into"),
    )
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(_("updated at"), db_default=TransactionNow(), editable=False)

    objects: ClassVar[MemberManager] = MemberManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["display_name"]

    class Meta:
        db_table = "members"
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=Q(email__regex=r"^[^@\s]+@[^@\s]+$"),
                name="members_email_format",
                violation_error_message=_("Enter a valid e-mail address."),
                violation_error_code="email_format",
                field="email",
            ),
            CheckConstraint(
                condition=~Q(display_name__regex=r"^\s*$"),
                name="members_display_name_not_empty",
                violation_error_message=_("Enter a name."),
                violation_error_code="display_name_empty",
                field="display_name",
            ),
            *one_line_checks("members", "email", "display_name"),
            UniqueConstraint(
                Lower("email"),
                name="members_email_unique",
                violation_error_message=_("Another member has this e-mail."),
                violation_error_code="email_taken",
                field="email",
            ),
            CheckConstraint(
                condition=Q(trust_score__gte=0),
                name="members_trust_score_not_negative",
                violation_error_message=_("The trust score must be zero or more."),
                violation_error_code="trust_score_negative",
                field="trust_score",
            ),
            CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(is_active=False),
                name="members_merged_is_closed",
                violation_error_message=_("This account was merged into another one. Undo the merge instead."),
                violation_error_code="account_merged",
                field="is_active",
            ),
            CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("id")), name="members_not_merged_into_self"
            ),
            CheckConstraint(
                condition=Q(member_id__regex=r"^FE-P-([0-9]{5}|[1-9][0-9]{5,13})$"),
                name="members_member_id_format",
                violation_error_message=_("A member's stable ID looks like FE-P-00001."),
                violation_error_code="stable_id_does_not_fit",
            ),
            CheckConstraint(
                condition=~Q(id=SYSTEM_MEMBER_ID)
                | Q(is_staff=False, is_superuser=False, password__startswith=UNUSABLE_PASSWORD_PREFIX),
                name="members_system_cannot_log_in",
                violation_error_message=_("The system member cannot log in and has no rights."),
                violation_error_code="system_member_locked",
            ),
        ]
        indexes = [
            # The list, newest first; its deep pages use this index only.
            models.Index(F("created_at").desc(), F("id").desc(), name="members_newest"),
            # Staff and deactivated members, a few among all.
            models.Index(F("created_at").desc(), F("id").desc(), name="members_staff", condition=Q(is_staff=True)),
            models.Index(F("created_at").desc(), F("id").desc(), name="members_inactive", condition=Q(is_active=False)),
            # Search by the beginning of an e-mail or a name, and by the beginning of any word of a name.
            models.Index(OpClass(Lower("email"), "text_pattern_ops"), name="members_email_prefix"),
            models.Index(OpClass(Lower("display_name"), "text_pattern_ops"), name="members_name_prefix"),
            # The list by name.
            models.Index(NameSortKey("display_name"), F("id"), name="members_by_name"),
            GinIndex(SearchWords("display_name"), name="members_name_words"),
        ]
        permissions = [("grant_access", _("Can grant and revoke staff rights"))]

    def __str__(self) -> str:
        return self.display_name or self.email

    def audit_links(self) -> dict:
        """Return the links of events about this row."""
        return {"member": self}

    @property
    def is_system(self) -> bool:
        """Whether this is the system member, the actor of jobs and commands."""
        return str(self.pk) == SYSTEM_MEMBER_ID

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name.partition(" ")[0]
