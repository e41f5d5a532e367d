from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from groups.rules import TaskState
from missionsite.common.constraints import CheckConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet
from missionsite.common.search_words import SearchWords


class Task(models.Model):
    """A piece of work in a mission, with a reward in trust score points."""

    State = TaskState

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    stable_id = models.TextField(
        _("stable ID"),
        unique=True,
        db_default=None,  # type: ignore[arg-type]  # the stubs omit None
        editable=False,
    )
    group = models.ForeignKey(
        "groups.Group", models.PROTECT, related_name="tasks", verbose_name=_("mission"), db_index=False
    )
    title = models.CharField(_("title"), max_length=255)
    description = models.TextField(_("description"), blank=True, default="", db_default="")
    state = models.TextField(_("state"), choices=TaskState, default=TaskState.OPEN, db_default=TaskState.OPEN)
    reward_points = models.IntegerField(
        _("reward points"), default=0, db_default=0, help_text=_("Trust score points for the member who completes it.")
    )
    claimed_by = models.ForeignKey(
        "groups.Member", models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name=_("claimed by")
    )
    due_on = models.DateField(_("due"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(_("updated at"), db_default=TransactionNow(), editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "tasks"
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=~Q(title__regex=r"^\s*$"),
                name="tasks_title_not_empty",
                violation_error_message=_("Enter a title."),
                violation_error_code="title_empty",
                field="title",
            ),
            *one_line_checks("tasks", "title"),
            choices_check("tasks", "state", TaskState),
            CheckConstraint(
                condition=Q(stable_id__regex=r"^FE-T-([0-9]{5}|[1-9][0-9]{5,13})$"),
                name="tasks_stable_id_format",
                violation_error_message=_("A task's stable ID looks like FE-T-00001."),
                violation_error_code="stable_id_does_not_fit",
            ),
            CheckConstraint(
                condition=Q(state=TaskState.OPEN, claimed_by__isnull=True)
                | Q(state__in=[TaskState.CLAIMED, TaskState.DONE], claimed_by__isnull=False)
                | Q(state=TaskState.CANCELLED),
                name="tasks_claimed_by_fits_state",
                violation_error_message=_("A claimed or finished task needs a member. An open task must not have one."),
                field="claimed_by",
            ),
            CheckConstraint(
                condition=Q(reward_points__gte=0),
                name="tasks_reward_not_negative",
                violation_error_message=_("The reward must be zero or more."),
                violation_error_code="reward_negative",
                field="reward_points",
            ),
        ]
        indexes = [
            # The number of open tasks of a mission.
            models.Index(fields=["group", "state"], name="idx_tasks_group_state", condition=Q(state="open")),
            # The list, newest first.
            models.Index(F("created_at").desc(), F("id").desc(), name="tasks_newest"),
            # The same by state: finished tasks are many.
            models.Index(F("state"), F("created_at").desc(), F("id").desc(), name="tasks_by_state"),
            # The tasks of one mission, newest first; also serves the foreign key.
            models.Index(F("group"), F("created_at").desc(), F("id").desc(), name="tasks_of_group"),
            # Search by the beginning of a title, and by the beginning of any word of it.
            models.Index(OpClass(Lower("title"), "text_pattern_ops"), name="tasks_title_prefix"),
            GinIndex(SearchWords("title"), name="tasks_title_words"),
        ]

    def __str__(self) -> str:
        return self.title

    def audit_links(self) -> dict:
        """Return the links of events about this row."""
        return {"group": self.group, "task": self.stable_id}
