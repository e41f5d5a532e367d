from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE, TimestampedModel
from fallback.models.choices import PullRequestState
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.fields import URLField


class GithubPullRequest(TimestampedModel):
    """A pull request opened for a mission."""

    mission = models.ForeignKey(
        "fallback.Mission", BY_DATABASE, related_name="pull_requests", verbose_name=_("mission")
    )
    repository = models.ForeignKey(
        "fallback.ProjectRepository",
        models.PROTECT,
        related_name="pull_requests",
        db_index=False,
        verbose_name=_("repository"),
    )
    number = models.IntegerField(_("number"))
    title = models.CharField(_("title"), max_length=500)
    state = models.TextField(
        _("state"), choices=PullRequestState, default=PullRequestState.OPEN, db_default=PullRequestState.OPEN
    )
    branch = models.CharField(_("branch"), max_length=255, blank=True, default="", db_default="")
    url = URLField(_("address"), max_length=500, blank=True, default="", db_default="")

    class Meta:
        db_table = "github_pull_requests"
        verbose_name = _("pull request")
        verbose_name_plural = _("pull requests")
        constraints = [
            CheckConstraint(
                condition=Q(number__gt=0),
                name="github_pull_requests_number_positive",
                violation_error_message=_("The number of a pull request is above zero."),
                violation_error_code="pull_request_number",
                field="number",
            ),
            *one_line_checks("github_pull_requests", "title", "branch", "url"),
            choices_check("github_pull_requests", "state", PullRequestState),
            UniqueConstraint(
                fields=["repository", "number"],
                name="github_pull_requests_once",
                violation_error_code="pull_request_linked",
                violation_error_message=_("This pull request is already linked to another mission."),
                field="url",
            ),
        ]
