"""Response schemas of test runs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.http import urlencode
from ninja import Schema
from pydantic import Field

from missiondeck.api.access import EXAMPLE_ID, EXAMPLE_TIME
from missiondeck.models import DeckMission, TestRun
from missiondeck.reports import warning_texts
from missiondeck.rules import TESTER
from missiondeck.selectors.repositories import commit_url

SUMMARY = {"passed": 41, "failed": 1, "errors": 0, "skipped": 2, "total": 44, "duration": 12.5}


class RunSummary(Schema):
    """A test run, without its results."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    mission: int = Field(description="Number of the client mission.", examples=[47])
    status: str = Field(
        description="`running`, `passed` or `failed`; follows from the results.",
        examples=["failed"],
    )
    name: str = Field(examples=["pytest"])
    source: str = Field(
        description="The format of the report, such as `junit`, `json`, `tap` or `go`, or `manual`.", examples=["junit"]
    )
    summary: dict | None = Field(description="Counts, and the duration in seconds.", examples=[SUMMARY])
    commit: str = Field(description="The full commit hash; empty by hand.", examples=["f" * 40])
    commit_url: str = Field(
        description="The page of the commit in the repository of the mission; empty if the host is of an unknown kind.",
        examples=["https://gitlab.example.org/example/notifier/-/commit/" + "f" * 40],
    )
    branch: str = Field(examples=["main"])
    build_url: str = Field(examples=["https://ci.example.org/runs/812"])
    job: str = Field(description="The suite.", examples=["unit"])
    attempt: int = Field(examples=[1])
    environment: str = Field(examples=["Python 3.13 on Linux"])
    shards: int | None = Field(description="Announced shards; null if not announced.", examples=[4])
    parts: int = Field(description="Received shards.", examples=[4])
    started_at: datetime | None = Field(description="As CI states it.", examples=[EXAMPLE_TIME])
    committed_at: datetime | None = Field(description="As CI states it.", examples=[EXAMPLE_TIME])
    is_given_up: bool = Field(examples=[False])
    flaky_count: int = Field(description="Number of failed tests that are flaky.", examples=[1])
    created_by: str | None = Field(description="Stable ID of the member who imported it.", examples=["FE-P-00007"])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    finished_at: datetime | None = Field(description="Null while it runs.", examples=[EXAMPLE_TIME])
    link: str = Field(
        description="Its page in the back office.",
        examples=[f"https://missions.example.org/admin/missiondeck/deckmission/{EXAMPLE_ID}/workspace/?citizen=sofia"],
    )


class RunFacts(RunSummary):
    """A test run with the warnings and flaky tests of its report."""

    warnings: list[str] = Field(
        description="Parts of the report that were not understood.", examples=[["<attachment> was not understood."]]
    )
    flaky_tests: list[str] = Field(
        description="Tests that failed in this run and passed after a failure within their last five runs.",
        examples=[["tests.test_send \u203a test_retry"]],
    )


def run_out(mission: DeckMission, run: TestRun) -> dict:
    """The response for a run, with warnings and flaky tests."""
    return run_summary_out(mission, run, len(run.flaky_tests)) | {
        "warnings": warning_texts(run.warnings),
        "flaky_tests": run.flaky_tests,
    }


def run_summary_out(mission: DeckMission, run: TestRun, flaky_count: int) -> dict:
    around = ("mission", "commit_url", "flaky_count", "created_by", "link")
    plain = [name for name in RunSummary.model_fields if name not in around]
    # Test runs are shown in the tab of this citizen.
    query = urlencode({"citizen": TESTER, "run": str(run.pk)})
    page = f"{reverse('admin:missiondeck_workspace', args=[mission.pk])}?{query}"
    return {name: getattr(run, name) for name in plain} | {
        "mission": mission.number,
        "commit_url": commit_url(mission.github_url, run.commit),
        "flaky_count": flaky_count,
        "created_by": run.created_by.member_id if run.created_by else None,
        "link": f"{settings.SITE_URL}{page}",
    }
