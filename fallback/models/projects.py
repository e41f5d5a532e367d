from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.models.base import BY_DATABASE, TimestampedModel, name_check, range_check
from fallback.models.choices import OnMerge, Privacy, ProjectRole, ProjectStatus
from missionsite.common.audit.context import Origin
from missionsite.common.audit.fields import AuditChangesetId
from missionsite.common.constraints import UniqueConstraint, choices_check, one_line_checks
from missionsite.common.fields import URLField
from missionsite.common.ids import UlidField


class Project(TimestampedModel):
    """A board of missions, with members and a fallback that keeps enough missions ready."""

    # Annotated by the back office's list.
    ready_ids: list[str]
    waiting_ids: list[str]

    organization = models.ForeignKey(
        "fallback.Organization",
        models.PROTECT,
        related_name="projects",
        verbose_name=_("organisation"),
        db_index=False,
    )
    name = models.CharField(_("name"), max_length=255)
    slug = models.SlugField(_("short name"), max_length=64, help_text=_("Lowercase letters, digits and hyphens."))
    description = models.TextField(_("description"), blank=True, default="", db_default="")
    privacy = models.TextField(_("privacy"), choices=Privacy, default=Privacy.PRIVATE, db_default=Privacy.PRIVATE)
    status = models.TextField(
        _("status"), choices=ProjectStatus, default=ProjectStatus.ACTIVE, db_default=ProjectStatus.ACTIVE
    )
    fallback_enabled = models.BooleanField(
        _("fallback on"), default=True, db_default=True, help_text=_("If disabled, this project gets no proposals.")
    )
    todo_limit = models.IntegerField(_("limit of Todo"), null=True, blank=True)
    doing_limit = models.IntegerField(_("limit of Doing"), null=True, blank=True)
    review_limit = models.IntegerField(
        _("limit of Review"),
        null=True,
        blank=True,
        help_text=_("A list with more missions is marked on the board. Empty: no limit."),
    )
    stale_after_days = models.IntegerField(
        _("days without movement"),
        default=rules.DEFAULT_STALE_AFTER_DAYS,
        db_default=rules.DEFAULT_STALE_AFTER_DAYS,
        help_text=_("A mission in Doing or Review is marked after so many days without an event."),
    )
    on_merge = models.TextField(
        _("after a merge"),
        choices=OnMerge,
        default=OnMerge.DONE,
        db_default=OnMerge.DONE,
        help_text=_(
            "Where a mission moves when its pull request is merged. One that requires a review and is not approved"
            " moves to Review instead of Done."
        ),
    )
    # Two bytes of a digest of the id, modulo 100: the fixed position of this project in the roll-out.
    rollout_bucket = models.GeneratedField(
        expression=models.Func(
            F("id"),
            template="mod(get_byte(decode(md5(%(expressions)s), 'hex'), 0) * 256"
            " + get_byte(decode(md5(%(expressions)s), 'hex'), 1), 100)",
        ),
        output_field=models.IntegerField(),
        db_persist=True,
        verbose_name=_("place in the roll-out"),
    )

    class Meta:
        db_table = "projects"
        db_table_comment = "Where people work on missions together."
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        permissions = [("every_project", _("Has access to every project, not only to own ones"))]
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("projects", "name", "slug"),
            choices_check("projects", "privacy", Privacy),
            choices_check("projects", "status", ProjectStatus),
            choices_check("projects", "on_merge", OnMerge),
            name_check("projects"),
            *(
                range_check(
                    f"{each}_limit",
                    rules.LIST_LIMIT,
                    name=f"projects_{each}_limit_in_range",
                    message=_("Enter a number of missions between {low} and {high}, or leave it empty."),
                )
                for each in ("todo", "doing", "review")
            ),
            range_check(
                "stale_after_days",
                rules.STALE_AFTER_DAYS,
                name="projects_stale_after_in_range",
                message=_("Enter a number of days between {low} and {high}."),
            ),
            UniqueConstraint(
                fields=["organization", "slug"],
                name="projects_slug_once",
                violation_error_code="slug_taken",
                violation_error_message=_(
                    "Another project of the organisation already has this short name. Choose another one."
                ),
                field="slug",
            ),
        ]
        indexes = [
            models.Index(F("created_at").desc(), F("id").desc(), name="projects_newest"),
            models.Index(OpClass(Lower("name"), "text_pattern_ops"), name="projects_name_prefix"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_archived(self) -> bool:
        return self.status == ProjectStatus.ARCHIVED


class ProjectMember(TimestampedModel):
    """The role of a member in one project. It overrides the role from the organisation."""

    project = models.ForeignKey(Project, BY_DATABASE, related_name="members", db_index=False, verbose_name=_("project"))
    member = models.ForeignKey(
        "groups.Member", models.PROTECT, related_name="project_memberships", verbose_name=_("member")
    )
    role = models.TextField(_("role"), choices=ProjectRole, default=ProjectRole.VIEWER, db_default=ProjectRole.VIEWER)

    class Meta:
        db_table = "project_members"
        verbose_name = _("project member")
        verbose_name_plural = _("project members")
        ordering = ["project", "id"]
        constraints = [
            choices_check("project_members", "role", ProjectRole),
            UniqueConstraint(
                fields=["project", "member"],
                name="project_members_once",
                violation_error_code="already_in_project",
                violation_error_message=_("This member already belongs to the project."),
                field="member",
            ),
        ]

    def __str__(self) -> str:
        return gettext("{member} in {project}").format(member=self.member, project=self.project)


class ProjectRepository(TimestampedModel):
    """A code repository of a project."""

    project = models.ForeignKey(
        Project, BY_DATABASE, related_name="repositories", db_index=False, verbose_name=_("project")
    )
    name = models.CharField(_("name"), max_length=255, help_text=_("owner/name, as spelled by the host."))
    url = URLField(_("address"), max_length=500, blank=True, default="", db_default="")
    default_branch = models.CharField(_("default branch"), max_length=120, default="main", db_default="main")
    # When its pull requests were last fetched from GitHub, and why that failed since.
    synced_at = models.DateTimeField(_("fetched from GitHub"), null=True, blank=True, editable=False)
    sync_error = models.TextField(_("error"), blank=True, default="", db_default="", editable=False)
    # The end of a rate limit of GitHub.
    sync_retry_at = models.DateTimeField(_("next attempt"), null=True, blank=True, editable=False)

    class Meta:
        db_table = "project_repositories"
        verbose_name = _("repository")
        verbose_name_plural = _("repositories")
        ordering = [Lower("name"), "id"]
        constraints = [
            *one_line_checks("project_repositories", "name", "url", "default_branch"),
            name_check("project_repositories"),
            UniqueConstraint(
                fields=["project", "name"],
                name="project_repositories_once",
                violation_error_code="repository_taken",
                violation_error_message=_("The project already has this repository."),
                field="name",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProjectActivity(models.Model):
    """An event of a project. Append-only."""

    id = UlidField()
    project = models.ForeignKey(
        Project, BY_DATABASE, related_name="activity", db_index=False, verbose_name=_("project")
    )
    type = models.TextField(_("event"))
    origin = models.TextField(_("origin"), choices=Origin, default=Origin.SYSTEM, db_default=Origin.SYSTEM)
    actor = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="project_activity",
        db_index=False,
        verbose_name=_("by"),
    )
    payload = models.JSONField(_("payload"), default=dict, db_default={}, blank=True)
    occurred_at = models.DateTimeField(_("occurred"), db_default=TransactionNow())
    # The changeset in which the event was recorded.
    changeset_id = models.UUIDField(
        _("changeset"), null=True, blank=True, editable=False, db_default=AuditChangesetId()
    )

    class Meta:
        db_table = "project_activity"
        verbose_name = _("project activity")
        verbose_name_plural = _("project activity")
        ordering = [F("occurred_at").desc(), F("id").desc()]
        constraints = [choices_check("project_activity", "origin", Origin)]
        indexes = [
            models.Index(F("project"), F("occurred_at").desc(), F("id").desc(), name="project_activity_of_project"),
            # The events of a changeset.
            models.Index(
                fields=["changeset_id"], name="project_activity_changeset", condition=Q(changeset_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.type
