"""GitHub: the job that fetches what the webhook did not deliver, against a local server."""

from datetime import timedelta

import pytest
from django.utils import timezone

from fallback.models import GithubPrReview, GithubPullRequest, ProjectRepository
from fallback.services.github_secrets import renew_webhook_secret
from fallback.tasks import reconcile_github
from tests.fallback.github_payloads import SHA, branch, check, comment, pull, review, stored
from tests.support.factories.fallback import MissionFactory, RepositoryFactory
from tests.support.factories.groups import StaffFactory
from tests.support.github_server import github, rate_limited, reply, secondary_limit

pytestmark = pytest.mark.django_db
ROOT = "/repos/Acme/Site"
RECENT = f"{timezone.now() - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.FALLBACK_GITHUB_WEBHOOK_SECRETS = ["a secret of the webhook"]


@pytest.fixture
def mission():
    repository = RepositoryFactory(name="Acme/Site")
    return MissionFactory(project=repository.project, repository=repository, title="Write the guide", list="doing")


@pytest.fixture
def server(settings):
    with github() as running:
        settings.GITHUB_API_URL = running.url
        yield running


def script(server, *pulls, reviews=(), comments=(), lines=(), checks=()):
    root = "/repos/Acme/Site"
    server.on(f"{root}/pulls", reply(list(pulls)))
    for each in pulls:
        number = each["number"]
        server.on(f"{root}/pulls/{number}/reviews", reply(list(reviews)))
        server.on(f"{root}/issues/{number}/comments", reply(list(comments)))
        server.on(f"{root}/pulls/{number}/comments", reply(list(lines)))
    server.on(f"{root}/commits/{SHA}/check-runs", reply({"total_count": len(checks), "check_runs": list(checks)}))


@pytest.mark.seed("004 GitHub")
def test_job_fetches_what_was_missed(server, mission):
    # As the list of pull requests has it: without `merged`.
    found = pull(branch=branch(mission), state="closed", merged_at=RECENT, updated_at=RECENT)
    script(
        server,
        found,
        pull(8, "own", updated_at=RECENT),
        reviews=[review(state="CHANGES_REQUESTED")],
        comments=[comment()],
        lines=[comment()],
        checks=[check(pull_requests=[])],
    )
    assert reconcile_github(timestamp=0) == {"fetched": 1, "failed": 0}
    mission.refresh_from_db()
    assert mission.list == "done"
    assert stored() == {"GithubPullRequest": 1, "GithubPrReview": 1, "GithubPrComment": 2, "GithubCheckRun": 1}
    assert GithubPrReview.objects.get().state == "changes_requested"
    assert not GithubPullRequest.objects.get().needs_sync
    # A second run asks only for the list, as nothing has changed.
    before = sum(server.counts().values())
    assert reconcile_github(timestamp=0) == {"fetched": 1, "failed": 0}
    assert stored()["GithubPullRequest"] == 1
    assert sum(server.counts().values()) - before <= 5
    assert mission.events.filter(type="mission.moved").count() == 1


def test_job_stores_error_and_stops_at_rate_limit(server, mission, settings):
    other = RepositoryFactory(name="acme/other")
    server.on("/repos/Acme/Site/pulls", reply({"message": "Bad credentials"}, 401))
    server.on("/repos/acme/other/pulls", reply([{"number": 1}]))
    assert reconcile_github(timestamp=0) == {"fetched": 0, "failed": 2}
    for repository in (mission.repository, other):
        repository.refresh_from_db()
        assert repository.sync_error
    server.on("/repos/Acme/Site/pulls", rate_limited(timezone.now() + timedelta(hours=1)))
    server.on("/repos/acme/other/pulls", rate_limited(timezone.now() + timedelta(hours=1)))
    assert reconcile_github(timestamp=0) == {"fetched": 0, "failed": 1}
    # Before the limit ends, GitHub is not asked.
    asked = len(server.requests)
    script(server)
    server.on("/repos/acme/other/pulls", reply([]))
    assert reconcile_github(timestamp=0) == {"fetched": 0, "failed": 0}
    assert len(server.requests) == asked
    ProjectRepository.objects.exclude(sync_retry_at=None).update(sync_retry_at=timezone.now() - timedelta(seconds=1))
    assert reconcile_github(timestamp=0) == {"fetched": 2, "failed": 0}
    mission.repository.refresh_from_db()
    assert (mission.repository.sync_error, mission.repository.synced_at is None) == ("", False)
    settings.FALLBACK_GITHUB_WEBHOOK_SECRETS = []
    assert reconcile_github(timestamp=0) == {"fetched": 0, "failed": 0}
    # An organisation with a webhook of its own is fetched without one of the site.
    renew_webhook_secret(actor=StaffFactory(), organization=mission.project.organization)
    assert reconcile_github(timestamp=0) == {"fetched": 1, "failed": 0}


@pytest.mark.parametrize("status", [403, 429])
def test_job_waits_as_long_as_retry_after_says(server, mission, status):
    server.on(f"{ROOT}/pulls", secondary_limit(120, status))
    before = timezone.now()
    assert reconcile_github(timestamp=0) == {"fetched": 0, "failed": 1}
    mission.repository.refresh_from_db()
    waits = mission.repository.sync_retry_at - before
    assert timedelta(seconds=119) < waits < timedelta(seconds=150)
    assert "rate limit" in mission.repository.sync_error


def linked(server, path: str, pages: list[list], *, inside: str = "", page: str = "after") -> None:
    """Script a list whose pages are linked by a cursor, as GitHub does in newer lists."""
    for number, rows in enumerate(pages):
        body = {inside: rows} if inside else rows
        link = f'<{server.url}{path}?{page}=c{number + 1}>; rel="next"' if number + 1 < len(pages) else ""
        answer = reply(body, **({"Link": f'<{server.url}/x>; rel="first", {link}'} if link else {}))
        server.on(path if number == 0 else f"{path}?{page}=c{number}", answer)


@pytest.mark.seed("004 GitHub")
def test_job_follows_the_links_to_the_next_pages(server, mission):
    found = pull(branch=branch(mission), updated_at=RECENT)
    linked(server, f"{ROOT}/pulls", [[pull(8, "own", updated_at=RECENT)], [found]])
    linked(server, f"{ROOT}/pulls/7/reviews", [[review(1)], [review(2)], [review(3)]])
    linked(server, f"{ROOT}/issues/7/comments", [[comment(1)], [comment(2)]])
    linked(server, f"{ROOT}/pulls/7/comments", [[], [comment(1)]])
    linked(server, f"{ROOT}/commits/{SHA}/check-runs", [[check(1)], [check(2)]], inside="check_runs")
    assert reconcile_github(timestamp=0) == {"fetched": 1, "failed": 0}
    assert stored() == {"GithubPullRequest": 1, "GithubPrReview": 3, "GithubPrComment": 3, "GithubCheckRun": 2}


def test_job_follows_no_link_to_another_host(server, mission):
    server.on(f"{ROOT}/pulls", reply([], Link='<https://elsewhere.example/pulls?page=2>; rel="next"'))
    assert reconcile_github(timestamp=0) == {"fetched": 0, "failed": 1}


def test_job_reads_a_page_of_long_objects(server, mission):
    rows = [pull(number, "own", updated_at=RECENT, body="x" * 65_536) for number in range(1, 41)]
    server.on(f"{ROOT}/pulls", reply(rows))
    assert reconcile_github(timestamp=0) == {"fetched": 1, "failed": 0}


@pytest.mark.parametrize(
    "rows", [[5], [{}], [pull(7, head=None, updated_at=RECENT)], [pull(2**40, updated_at=RECENT)], {"x": 1}]
)
def test_unreadable_answer_is_an_error_of_its_repository(server, mission, rows):
    other = RepositoryFactory(name="acme/other")
    server.on(f"{ROOT}/pulls", reply(rows))
    server.on("/repos/acme/other/pulls", reply([]))
    assert reconcile_github(timestamp=0) == {"fetched": 1, "failed": 1}
    other.refresh_from_db()
    assert other.synced_at
