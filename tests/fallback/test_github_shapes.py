"""GitHub: shapes of deliveries that real organisations send, webhooks of one organisation, and broken fields."""

import json
from copy import deepcopy

import pytest
from django.test import Client
from django.urls import reverse

from fallback.models import GithubCheckRun, GithubDelivery, GithubPullRequest
from fallback.services.github_secrets import renew_webhook_secret, webhook_secrets
from tests.fallback.github_payloads import branch, check, comment, deliver, merged, payload, pull, review, stored
from tests.support.admin import client_of
from tests.support.factories.fallback import MissionFactory, OrganizationMembershipFactory, RepositoryFactory
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db
FORK_SHA = "9bfe4feb8812f213bb0ab2b83ba26dd5f1af3ab3"


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.FALLBACK_GITHUB_WEBHOOK_SECRETS = ["a secret of the webhook"]


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


@pytest.fixture
def mission(client):
    """A mission with pull request 7."""
    repository = RepositoryFactory(name="Acme/Site")
    mission = MissionFactory(project=repository.project, repository=repository, title="Write the guide", list="doing")
    assert (
        deliver(client, "pull_request", payload("opened", pull_request=pull(branch=branch(mission)))).status_code == 200
    )
    return mission


def of_repository(key: int, **fields) -> dict:
    return {"number": 7, "base": {"ref": "main", "repo": {"id": key}}, **fields}


def checked(client, event: str, **parts):
    body = payload("completed", **parts)
    body["repository"]["id"] = 1
    return deliver(client, event, body).json()["outcome"]


# palantir/policy-bot, pull request 807: the list has pull requests of other repositories with the same commit.
@pytest.mark.seed("004 GitHub")
def test_check_of_another_repositorys_pull_request_is_ignored(client, mission):
    foreign = check(head_sha=FORK_SHA, pull_requests=[of_repository(2)])
    assert checked(client, "check_run", check_run=foreign) == "ignored"
    assert not GithubCheckRun.objects.exists()
    own = check(head_sha=FORK_SHA, pull_requests=[of_repository(2), of_repository(1)])
    assert checked(client, "check_run", check_run=own) == "applied"
    assert GithubCheckRun.objects.count() == 1


def test_check_from_a_fork_is_found_by_its_commit(client, mission):
    assert checked(client, "check_run", check_run=check(pull_requests=[])) == "applied"
    assert checked(client, "check_run", check_run=check(71, pull_requests=[of_repository(2)])) == "applied"
    assert GithubCheckRun.objects.count() == 2


@pytest.mark.seed("004 GitHub")
def test_check_suite_lets_the_job_fetch_its_checks(client, mission):
    GithubPullRequest.objects.update(needs_sync=False)
    suite = {"id": 5, "head_sha": check()["head_sha"], "status": "completed", "pull_requests": []}
    assert checked(client, "check_suite", check_suite=suite) == "applied"
    assert GithubPullRequest.objects.get().needs_sync
    assert checked(client, "check_suite", check_suite=suite | {"head_sha": FORK_SHA}) == "ignored"


def test_check_that_runs_again_is_shown_as_running(client, mission):
    checked(client, "check_run", check_run=check(conclusion="failure"))
    again = check(status="in_progress", conclusion=None, started_at="2026-05-15T16:00:00Z")
    checked(client, "check_run", check_run=again)
    assert GithubCheckRun.objects.values_list("status", "conclusion").get() == ("in_progress", "")


def test_address_of_a_check_that_is_no_link_is_left_out(client, mission):
    checked(client, "check_run", check_run=check(html_url="javascript:alert(1)"))
    assert GithubCheckRun.objects.get().url == ""


BROKEN = (None, True, -1, 2**70, "", "x\x00y", [], {}, [[]], "../..")
PARTS = {
    "pull_request": {"pull_request": pull()},
    "pull_request_review": {"pull_request": pull(), "review": review()},
    "issue_comment": {"issue": {"number": 7, "pull_request": {"url": "x"}}, "comment": comment()},
    "check_run": {"check_run": check(pull_requests=[of_repository(1)])},
    "check_suite": {"check_suite": {"id": 5, "head_sha": FORK_SHA, "pull_requests": [of_repository(1)]}},
}


def paths(value, at=()):
    """The paths of all fields of an object."""
    for name, each in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*at, name)
        if isinstance(each, (dict, list)):
            yield from paths(each, (*at, name))


@pytest.mark.parametrize("event", PARTS)
def test_broken_field_is_rejected_or_read(client, mission, event):
    whole = payload("edited", **deepcopy(PARTS[event]))
    whole["repository"]["id"] = 1
    found = list(paths(whole))
    statuses = set()
    for number, path in enumerate(found):
        for value in (BROKEN[number % len(BROKEN)], BROKEN[(number + 3) % len(BROKEN)]):
            body = deepcopy(whole)
            part = body
            for name in path[:-1]:
                part = part[name]
            part[path[-1]] = value
            answer = deliver(client, event, body)
            assert answer.status_code in (200, 400, 422), (path, value, answer.content)
            statuses.add(answer.status_code)
    assert 200 in statuses
    assert 400 in statuses


# --- Webhooks of organisations ----------------------------------------------------------------


@pytest.mark.seed("004 GitHub")
def test_webhook_of_an_organisation_changes_only_its_projects(client, mission, settings):
    organization = mission.project.organization
    secret = renew_webhook_secret(actor=StaffFactory(), organization=organization)
    to = reverse("organization_github_webhook", args=[organization.pk])
    other = RepositoryFactory(name="Acme/Site")
    theirs = MissionFactory(project=other.project, repository=other, list="doing")
    body = payload("closed", pull_request=merged(branch=branch(mission)))
    assert deliver(client, "pull_request", body, to=to).status_code == 401
    assert deliver(client, "pull_request", body, to=to, secret=secret).json()["outcome"] == "applied"
    foreign = payload("closed", pull_request=merged(8, branch=branch(theirs)))
    assert deliver(client, "pull_request", foreign, to=to, secret=secret).json()["outcome"] == "ignored"
    mission.refresh_from_db()
    theirs.refresh_from_db()
    assert (mission.list, theirs.list) == ("done", "doing")
    # Neither an organisation without a webhook nor another address takes the secret.
    for where in (reverse("organization_github_webhook", args=[other.project.organization_id]), "/github/webhook/"):
        assert deliver(client, "ping", {}, to=where, secret=secret).status_code == 401
    assert deliver(client, "ping", {}, to="/github/webhook/nonsense/", secret="").status_code == 401
    renewed = renew_webhook_secret(actor=StaffFactory(), organization=organization)
    assert deliver(client, "ping", {}, to=to, secret=secret).status_code == 401
    # After a change of the site's key, the old one still signs.
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert deliver(client, "ping", {}, to=to, secret=renewed).status_code == 200
    organization.refresh_from_db()
    assert webhook_secrets(organization)[1] == renewed


def test_owner_creates_secret_and_sees_it_once(mission):
    organization = mission.project.organization
    owner = OrganizationMembershipFactory(organization=organization, role="owner", member=StaffFactory()).member
    page = reverse("admin:fallback_organization_webhook-secret", args=[organization.pk])
    answer = client_of(owner).post(page, {}, follow=True)
    organization.refresh_from_db()
    (secret,) = webhook_secrets(organization)
    assert secret in answer.content.decode()
    assert f"/github/webhook/{organization.pk}/" in answer.content.decode()
    assert secret not in client_of(owner).get(page).content.decode()
    assert secret not in json.dumps(list(GithubDelivery.objects.values()), default=str)
    other = OrganizationMembershipFactory(organization=organization, role="member", member=StaffFactory()).member
    assert client_of(other).post(page, {}).status_code in (403, 404)


def test_no_broken_delivery_leaves_a_part(client, mission):
    before = stored()
    body = payload("submitted", pull_request=pull(branch=branch(mission), title="New", at=5), review={"id": "x"})
    assert deliver(client, "pull_request_review", body).status_code == 400
    assert stored() == before
    assert GithubPullRequest.objects.get().title != "New"
