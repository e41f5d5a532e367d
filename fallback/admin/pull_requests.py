"""The pull requests of a mission: a tab with their state, checks, reviews and comments, and linking one by hand."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from fallback.admin.base import ProjectCustomTab
from fallback.models import GithubCheckRun, GithubPullRequest, Mission
from missionsite.common.admin import ActionForm

# Shown of one mission, and of one pull request, the latest ones.
PULL_REQUESTS, PARTS = 50, 100
# Results of a completed check that are as good as success. Source: GitHub documentation, "About status checks".
PASSED = ("success", "neutral", "skipped")


class LinkForm(ActionForm):
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("Such as https://github.com/acme/site/pull/7."),
        widget=UnfoldAdminTextInputWidget(),
    )


def checks_of(pull_request: GithubPullRequest) -> dict:
    """The checks of the head commit: the latest of each name, and how many passed, failed or still run."""
    latest: dict[str, GithubCheckRun] = {}
    for check in pull_request.checks.filter(head_sha=pull_request.head_sha).order_by("github_id"):
        latest[check.name] = check
    found = sorted(latest.values(), key=lambda check: check.name)
    failed = sum(check.status == "completed" and check.conclusion not in PASSED for check in found)
    running = sum(check.status != "completed" for check in found)
    return {
        "rows": [{"check": check, "result": check.conclusion or check.status} for check in found],
        "passed": len(found) - failed - running,
        "failed": failed,
        "running": running,
    }


def _context(mission: Mission, request: HttpRequest) -> dict:
    found = mission.pull_requests.select_related("repository").order_by("-created_at", "-id")[:PULL_REQUESTS]
    return {
        "pull_requests": [
            {
                "pull_request": each,
                "checks": checks_of(each),
                "reviews": each.reviews.order_by("-submitted_at")[:PARTS],
                "comments": each.comments.filter(deleted_at=None).order_by("-created_at")[:PARTS],
            }
            for each in found
        ],
    }


PULLS: ProjectCustomTab[Mission] = ProjectCustomTab(
    name="pull-requests", title=_("Pull requests"), template="fallback/pull_requests.html", context=_context
)
