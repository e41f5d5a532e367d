from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.models.base import BY_DATABASE, TimestampedModel, name_check, range_check
from fallback.models.choices import OrganizationRole
from missionsite.common.constraints import UniqueConstraint, choices_check, one_line_checks


class Organization(TimestampedModel):
    """The owner of projects and workstations. Its time zone defines when a week and a month begin."""

    # Annotated by the back office's list.
    number_of_projects: int

    name = models.CharField(_("name"), max_length=255)
    slug = models.SlugField(
        _("short name"), max_length=64, unique=True, help_text=_("Lowercase letters, digits and hyphens. Used in URLs.")
    )
    timezone = models.TextField(
        _("time zone"),
        default="UTC",
        db_default="UTC",
        help_text=_("Defines when the weeks and months of the guardrails begin."),
    )
    fallback_enabled = models.BooleanField(
        _("fallback on"),
        default=True,
        db_default=True,
        help_text=_("If disabled, no project of this organisation gets proposals."),
    )
    fallback_rollout_percent = models.IntegerField(
        _("rolled out to (% of projects)"),
        default=100,
        db_default=100,
        help_text=_("The order of projects is fixed: a higher share only adds projects."),
    )

    # Each new secret of its webhook has the next version; 0: it has no webhook of its own.
    github_secret_version = models.IntegerField(
        _("version of the webhook's secret"), default=0, db_default=0, editable=False
    )

    class Meta:
        db_table = "organizations"
        db_table_comment = "Who owns projects and workstations."
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = [Lower("name"), "id"]
        constraints = [
            *one_line_checks("organizations", "name", "slug", "timezone"),
            name_check("organizations"),
            range_check(
                "fallback_rollout_percent",
                rules.ROLLOUT_PERCENT,
                name="organizations_rollout_is_a_share",
                message=_("Enter a share between {low} and {high} percent."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OrganizationMembership(TimestampedModel):
    """The role of a member in an organisation. Owners and administrators maintain all its projects."""

    organization = models.ForeignKey(
        Organization, BY_DATABASE, related_name="memberships", verbose_name=_("organisation"), db_index=False
    )
    member = models.ForeignKey(
        "groups.Member", models.PROTECT, related_name="organization_memberships", verbose_name=_("member")
    )
    role = models.TextField(
        _("role"), choices=OrganizationRole, default=OrganizationRole.MEMBER, db_default=OrganizationRole.MEMBER
    )

    class Meta:
        db_table = "organization_memberships"
        verbose_name = _("organisation membership")
        verbose_name_plural = _("organisation memberships")
        ordering = ["organization", "id"]
        constraints = [
            choices_check("organization_memberships", "role", OrganizationRole),
            UniqueConstraint(
                fields=["organization", "member"],
                name="organization_memberships_once",
                violation_error_code="already_in_organization",
                violation_error_message=_("This member already belongs to the organisation."),
                field="member",
            ),
        ]

    def __str__(self) -> str:
        return gettext("{member} in {organization}").format(member=self.member, organization=self.organization)
