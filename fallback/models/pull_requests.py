from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE, TimestampedModel
from fallback.models.choices import CommentKind, DeliveryOutcome, PrReviewState, PullRequestState
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.fields import URLField
from missionsite.common.ids import UlidField
from missionsite.common.querysets import QuerySet


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
    author = models.CharField(_("author"), max_length=255, blank=True, default="", db_default="")
    is_draft = models.BooleanField(_("draft"), default=False, db_default=False)
    head_sha = models.CharField(_("head commit"), max_length=64, blank=True, default="", db_default="")
    merged_at = models.DateTimeField(_("merged"), null=True, blank=True)
    # By GitHub's clock: an older state, which may arrive later, changes nothing.
    github_updated_at = models.DateTimeField(_("changed at GitHub"), null=True, blank=True)
    # Whether its reviews, comments and checks are still to be fetched.
    needs_sync = models.BooleanField(_("to be fetched"), default=True, db_default=True)

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
            *one_line_checks("github_pull_requests", "title", "branch", "url", "author", "head_sha"),
            choices_check("github_pull_requests", "state", PullRequestState),
            UniqueConstraint(
                fields=["repository", "number"],
                name="github_pull_requests_once",
                violation_error_code="pull_request_linked",
                violation_error_message=_("This pull request is already linked to another mission."),
                field="url",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"


def _pull_request(related_name: str) -> models.ForeignKey:
    return models.ForeignKey(
        GithubPullRequest, BY_DATABASE, related_name=related_name, db_index=False, verbose_name=_("pull request")
    )


class GithubPrComment(models.Model):
    """A comment on a pull request. A deleted one stays as a row without text, so that a late event does not add it."""

    id = UlidField()
    pull_request = _pull_request("comments")
    github_id = models.BigIntegerField(_("GitHub ID"))
    # Comments on the conversation and on lines have IDs of their own.
    kind = models.TextField(
        _("kind"), choices=CommentKind, default=CommentKind.CONVERSATION, db_default=CommentKind.CONVERSATION
    )
    author = models.CharField(_("author"), max_length=255)
    body = models.TextField(_("body"), blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow())
    github_updated_at = models.DateTimeField(_("changed at GitHub"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "github_pr_comments"
        verbose_name = _("pull request comment")
        verbose_name_plural = _("pull request comments")
        constraints = [
            *one_line_checks("github_pr_comments", "author"),
            choices_check("github_pr_comments", "kind", CommentKind),
            UniqueConstraint(
                fields=["pull_request", "kind", "github_id"],
                name="github_pr_comments_once",
                violation_error_message=_("This comment is stored already."),
            ),
        ]
        indexes = [models.Index(fields=["pull_request", "created_at"], name="github_pr_comments_of_request")]


class GithubPrReview(models.Model):
    """A review of a pull request by a user of GitHub."""

    id = UlidField()
    pull_request = _pull_request("reviews")
    github_id = models.BigIntegerField(_("GitHub ID"))
    author = models.CharField(_("author"), max_length=255)
    state = models.TextField(_("state"), choices=PrReviewState)
    body = models.TextField(_("body"), blank=True, default="", db_default="")
    submitted_at = models.DateTimeField(_("submitted"), db_default=TransactionNow())

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "github_pr_reviews"
        db_table_comment = "Reviews of pull requests, as GitHub reports them."
        verbose_name = _("pull request review")
        verbose_name_plural = _("pull request reviews")
        constraints = [
            *one_line_checks("github_pr_reviews", "author"),
            choices_check("github_pr_reviews", "state", PrReviewState),
            UniqueConstraint(
                fields=["pull_request", "github_id"],
                name="github_pr_reviews_once",
                violation_error_message=_("This review is stored already."),
            ),
        ]


class GithubCheckRun(models.Model):
    """A check of a commit of a pull request, such as a job of CI."""

    id = UlidField()
    pull_request = _pull_request("checks")
    github_id = models.BigIntegerField(_("GitHub ID"))
    name = models.CharField(_("name"), max_length=255)
    status = models.TextField(_("status"))
    # Empty until it is completed.
    conclusion = models.TextField(_("result"), blank=True, default="", db_default="")
    head_sha = models.CharField(_("commit"), max_length=64)
    url = URLField(_("address"), max_length=500, blank=True, default="", db_default="")
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "github_check_runs"
        db_table_comment = "Checks of the commits of pull requests, as GitHub reports them."
        verbose_name = _("check")
        verbose_name_plural = _("checks")
        constraints = [
            *one_line_checks("github_check_runs", "name", "status", "conclusion", "head_sha", "url"),
            UniqueConstraint(
                fields=["pull_request", "github_id"],
                name="github_check_runs_once",
                violation_error_message=_("This check is stored already."),
            ),
        ]


class GithubDelivery(models.Model):
    """A delivery of GitHub's webhook that had its effect. GitHub may send it again."""

    id = models.CharField(_("delivery"), max_length=64, primary_key=True)
    event = models.CharField(_("event"), max_length=64)
    action = models.CharField(_("action"), max_length=64, blank=True, default="", db_default="")
    outcome = models.TextField(_("outcome"), choices=DeliveryOutcome)
    received_at = models.DateTimeField(_("received"), db_default=TransactionNow())

    class Meta:
        db_table = "github_deliveries"
        db_table_comment = "Deliveries of GitHub's webhook that had their effect, for 30 days."
        verbose_name = _("delivery of GitHub")
        verbose_name_plural = _("deliveries of GitHub")
        constraints = [
            *one_line_checks("github_deliveries", "id", "event", "action"),
            choices_check("github_deliveries", "outcome", DeliveryOutcome),
        ]
        indexes = [models.Index(fields=["received_at"], name="github_deliveries_oldest")]
