from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.models.base import BY_DATABASE, NamedIndex, TimestampedModel, name_check, within_project
from fallback.models.choices import AgentStatus, List, MissionOrigin, Priority, PrMode, ReviewStatus
from missionsite.common.audit.context import Origin
from missionsite.common.audit.fields import AuditChangesetId
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.ids import UlidField


class Mission(TimestampedModel):
    """A task of a project, in one of the lists of its board."""

    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="missions", db_index=False, verbose_name=_("project")
    )
    title = models.CharField(_("title"), max_length=500)
    description = models.TextField(_("description"), blank=True, default="", db_default="")
    clarification = models.TextField(_("clarification"), blank=True, default="", db_default="")
    priority = models.IntegerField(_("priority"), choices=Priority, default=Priority.NORMAL, db_default=Priority.NORMAL)
    list = models.TextField(_("list"), choices=List, default=List.TODO, db_default=List.TODO)
    list_order = models.DecimalField(
        _("place in the list"), max_digits=10, decimal_places=5, default=1000, db_default=1000, editable=False
    )
    flow = within_project("fallback.Flow", null=True, blank=True, related_name="missions", verbose_name=_("flow"))
    stage = models.CharField(_("stage"), max_length=64, default="clarify", db_default="clarify")
    requires_review = models.BooleanField(_("requires review"), default=False, db_default=False)
    actor = within_project("fallback.Actor", null=True, blank=True, related_name="missions", verbose_name=_("actor"))
    repository = within_project(
        "fallback.ProjectRepository", null=True, blank=True, related_name="missions", verbose_name=_("repository")
    )
    target_branch = models.CharField(_("target branch"), max_length=120, default="main", db_default="main")
    pr_mode = models.TextField(_("pull request"), choices=PrMode, default=PrMode.AUTO, db_default=PrMode.AUTO)
    pr_branch_name = models.CharField(
        _("branch of the pull request"), max_length=255, blank=True, default="", db_default=""
    )
    github_pr_number = models.IntegerField(_("number of the pull request"), null=True, blank=True)
    ready = models.BooleanField(
        _("ready"),
        default=False,
        db_default=False,
        help_text=_("Can be started now. Only ready missions count as backlog."),
    )
    origin = models.TextField(
        _("origin"), choices=MissionOrigin, default=MissionOrigin.MANUAL, db_default=MissionOrigin.MANUAL
    )
    fallback_item = models.OneToOneField(
        "fallback.MissionFallbackItem",
        BY_DATABASE,
        null=True,
        blank=True,
        related_name="created_mission",
        editable=False,
        verbose_name=_("proposal"),
    )
    agent_session_status = models.TextField(
        _("agent"), choices=AgentStatus, default=AgentStatus.INACTIVE, db_default=AgentStatus.INACTIVE
    )
    solution_path = models.TextField(_("path of the solution"), blank=True, default="", db_default="", editable=False)
    tasks_path = models.TextField(_("path of the tasks"), blank=True, default="", db_default="", editable=False)
    review_status = models.TextField(_("review"), choices=ReviewStatus, null=True, blank=True)  # noqa: DJ001  (NULL: not reviewed)
    review_feedback = models.TextField(_("feedback"), blank=True, default="", db_default="")
    reviewed_by = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reviewed_missions",
        editable=False,
        verbose_name=_("reviewed by"),
    )
    # Replaces the reviewer after the member is erased.
    reviewer_token = models.TextField(
        _("pseudonym of the reviewer"), blank=True, default="", db_default="", editable=False
    )
    dependency_count = models.IntegerField(_("dependencies"), default=0, db_default=0, editable=False)
    # Dependencies that are not done. The mission is blocked while there is one.
    open_dependency_count = models.IntegerField(_("open dependencies"), default=0, db_default=0, editable=False)
    last_event_at = models.DateTimeField(_("last event"), null=True, blank=True, editable=False)

    class Meta:
        db_table = "missions"
        verbose_name = _("board mission")
        verbose_name_plural = _("board missions")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=Q(list_order__lt=100_000),
                name="missions_list_order_number",
                violation_error_message=_("The position must be a number."),
                violation_error_code="list_order_not_number",
                field="list_order",
            ),
            CheckConstraint(
                condition=~Q(solution_path__regex=r"(^/|(^|/)\.\.(/|$))"),
                name="missions_solution_path_inside",
                violation_error_message=_("The path of the solution must lie inside the repository."),
                violation_error_code="solution_path_outside",
                field="solution_path",
            ),
            *one_line_checks(
                "missions", "title", "stage", "target_branch", "pr_branch_name", "solution_path", "tasks_path"
            ),
            choices_check("missions", "list", List),
            choices_check("missions", "pr_mode", PrMode),
            choices_check("missions", "agent_session_status", AgentStatus),
            choices_check("missions", "review_status", ReviewStatus),
            choices_check("missions", "priority", Priority),
            choices_check("missions", "origin", MissionOrigin),
            CheckConstraint(
                condition=Q(fallback_item__isnull=True) | Q(origin="fallback"),
                name="missions_fallback_item_fits_origin",
                violation_error_message=_("Only a mission from the fallback has a proposal."),
            ),
            name_check("missions", "title"),
            CheckConstraint(
                condition=Q(review_status__isnull=True)
                | Q(review_status=ReviewStatus.PENDING)
                | Q(reviewed_by__isnull=False)
                | ~Q(reviewer_token=""),
                name="missions_review_has_reviewer",
                violation_error_message=_("A finished review needs a reviewer."),
                violation_error_code="reviewer_missing",
                field="review_status",
            ),
        ]
        indexes = [
            NamedIndex(fields=["project", "list", "ready"], name="idx_missions_project_list_ready"),
            # The backlog: ready, unblocked missions. It does not grow with finished missions.
            models.Index(
                fields=["project"],
                name="missions_backlog",
                condition=Q(**rules.BACKLOG),
            ),
            # The lists of a board in their order.
            models.Index(fields=["project", "list", "list_order", "id"], name="missions_of_board"),
            # The list of all missions, newest first, and its search.
            models.Index(F("created_at").desc(), F("id").desc(), name="missions_newest"),
            # The same by list: finished missions are many.
            models.Index(F("list"), F("created_at").desc(), F("id").desc(), name="missions_by_list"),
            # The missions of one project, newest first: those of a quiet project are far down in the index above.
            models.Index(F("project"), F("created_at").desc(), F("id").desc(), name="missions_of_project"),
            models.Index(OpClass(Lower("title"), "text_pattern_ops"), name="missions_title_prefix"),
        ]

    def __str__(self) -> str:
        return self.title


class MissionDependency(models.Model):
    """A mission that depends on another one of its project."""

    id = UlidField()
    mission = models.ForeignKey(
        Mission, BY_DATABASE, related_name="dependencies", db_index=False, verbose_name=_("mission")
    )
    depends_on = models.ForeignKey(Mission, BY_DATABASE, related_name="dependents", verbose_name=_("depends on"))
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "mission_dependencies"
        verbose_name = _("mission dependency")
        verbose_name_plural = _("mission dependencies")
        ordering = ["id"]
        constraints = [
            UniqueConstraint(
                fields=["mission", "depends_on"],
                name="mission_dependencies_once",
                violation_error_code="dependency_exists",
                violation_error_message=_("The mission already depends on this one."),
                field="depends_on",
            ),
            CheckConstraint(
                condition=~Q(mission=F("depends_on")),
                name="mission_dependencies_not_itself",
                violation_error_code="depends_on_itself",
                violation_error_message=_("A mission cannot depend on itself."),
                field="depends_on",
            ),
        ]

    def __str__(self) -> str:
        return gettext("{mission} after {dependency}").format(mission=self.mission, dependency=self.depends_on)


class MissionEvent(models.Model):
    """An event of a mission, or of its project if no mission is set. Append-only."""

    id = UlidField()
    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="mission_events", db_index=False, verbose_name=_("project")
    )
    mission = models.ForeignKey(
        Mission, BY_DATABASE, null=True, blank=True, related_name="events", db_index=False, verbose_name=_("mission")
    )
    type = models.TextField(_("event"))
    origin = models.TextField(_("origin"), choices=Origin, default=Origin.SYSTEM, db_default=Origin.SYSTEM)
    actor = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="mission_events",
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
        db_table = "mission_events"
        verbose_name = _("mission event")
        verbose_name_plural = _("mission events")
        ordering = [F("occurred_at").desc(), F("id").desc()]
        constraints = [choices_check("mission_events", "origin", Origin)]
        indexes = [
            # The timeline of a mission, and of a project.
            models.Index(F("mission"), F("occurred_at").desc(), F("id").desc(), name="mission_events_of_mission"),
            models.Index(F("project"), F("occurred_at").desc(), F("id").desc(), name="mission_events_of_project"),
            # The events of a changeset.
            models.Index(
                fields=["changeset_id"], name="mission_events_changeset", condition=Q(changeset_id__isnull=False)
            ),
            # The moves of a project's missions, from which its flow follows.
            models.Index(fields=["project", "mission"], name="mission_events_moves", condition=Q(type="mission.moved")),
        ]

    def __str__(self) -> str:
        return self.type
