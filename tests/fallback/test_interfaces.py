"""notify() and link_pull_request(), which other apps call through missionsite.common.interfaces."""

import pytest

from fallback.errors import MissionOfPullRequestNotFound, OtherProject, PullRequestUrlInvalid, RepositoryNotFound
from fallback.models import GithubPullRequest, Notification, ProjectActivity
from groups.models import Event
from missionsite.common.errors import ConstraintViolated, NotOneLine
from missionsite.common.interfaces import link_pull_request, notify
from tests.support.factories.fallback import MissionFactory, ProjectFactory, RepositoryFactory
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

URL = "https://github.com/acme/site/pull/7"


def a_mission(**values):
    """A mission of a project that has the repository acme/site."""
    repository = RepositoryFactory(name="acme/site", url="")
    return MissionFactory(project=repository.project, **values), repository


# --- notify -----------------------------------------------------------------------------------


def test_notify_adds_notification_with_links():
    mission, member = MissionFactory(), MemberFactory()
    notify(
        actor=MemberFactory(),
        member=member,
        kind="mission.reviewed",
        title="Map reviewed",
        mission=mission,
        payload={"status": "approved"},
    )
    notification = Notification.objects.get()
    assert (notification.member, notification.kind, notification.title) == (member, "mission.reviewed", "Map reviewed")
    assert (notification.mission, notification.project) == (mission, mission.project)
    assert notification.payload == {"status": "approved"}
    assert notification.read_at is None


def test_notify_records_event_of_member():
    actor, member = MemberFactory(), MemberFactory()
    notification = notify(actor=actor, member=member, kind="badge.earned", title="A badge")
    event = Event.objects.get(type="notification.created")
    assert (event.actor, event.member) == (actor, member)
    assert event.payload == {"notification": notification.pk, "kind": "badge.earned"}


def test_notify_rejects_mission_of_another_project():
    with pytest.raises(OtherProject):
        notify(
            actor=MemberFactory(),
            member=MemberFactory(),
            kind="x.y",
            title="T",
            project=ProjectFactory(),
            mission=MissionFactory(),
        )


def test_notify_rejects_title_of_two_lines():
    with pytest.raises(NotOneLine):
        notify(actor=MemberFactory(), member=MemberFactory(), kind="x.y", title="One\ntwo")


# --- link_pull_request ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [URL, f"{URL}/files", f"{URL}?w=1", f"{URL}#discussion_r1", "https://github.com/Acme/Site/pull/7", f" {URL} "],
)
def test_link_finds_repository_and_number(url):
    mission, repository = a_mission()
    linked = link_pull_request(actor=MemberFactory(), url=url, mission=mission)
    assert (linked.mission, linked.repository, linked.number) == (mission, repository, 7)
    assert linked.url.lower() == URL
    assert linked.title.lower() == "acme/site#7"


def test_link_finds_repository_by_address():
    repository = RepositoryFactory(name="Site", url="https://github.com/acme/site")
    mission = MissionFactory(project=repository.project)
    assert link_pull_request(actor=MemberFactory(), url=URL, mission=mission).repository == repository


@pytest.mark.parametrize(
    "url",
    [
        "",
        "github.com/acme/site/pull/7",
        "http://github.com/acme/site/pull/7",
        "https://github.com/acme/site/issues/7",
        "https://github.com/acme/site/pull/0",
        "https://github.com/acme/site/pull/99999999999",
        "https://github.com/acme/site/pull/7x",
        "https://github.com.example.org/acme/site/pull/7",
        "https://github.com/acme/site/pull/7\nhttps://example.org",
        "https://example.org/?https://github.com/acme/site/pull/7",
    ],
)
def test_link_rejects_other_address(url):
    mission, _repository = a_mission()
    with pytest.raises(PullRequestUrlInvalid):
        link_pull_request(actor=MemberFactory(), url=url, mission=mission)


def test_link_rejects_repository_of_another_project():
    a_mission()
    with pytest.raises(RepositoryNotFound):
        link_pull_request(actor=MemberFactory(), url=URL, mission=MissionFactory())
    assert not GithubPullRequest.objects.exists()


def test_link_without_mission_finds_one_that_names_it():
    repository = RepositoryFactory(name="acme/site")
    MissionFactory(project=repository.project, repository=repository, github_pr_number=8)
    mission = MissionFactory(project=repository.project, repository=repository, github_pr_number=7)
    assert link_pull_request(actor=MemberFactory(), url=URL).mission == mission


def test_link_without_mission_rejects_unknown_pull_request():
    a_mission(github_pr_number=7)
    with pytest.raises(MissionOfPullRequestNotFound):
        link_pull_request(actor=MemberFactory(), url=URL)


def test_repeated_link_returns_first_and_records_once():
    mission, _repository = a_mission()
    actor = MemberFactory()
    first = link_pull_request(actor=actor, url=URL, mission=mission, title="Add map", branch="map")
    assert link_pull_request(actor=MemberFactory(), url=URL, mission=mission) == first
    activity = ProjectActivity.objects.get(type="pull_request.linked")
    assert (activity.actor, activity.payload["url"], activity.payload["mission"]) == (actor, URL, mission.pk)
    assert (first.title, first.branch) == ("Add map", "map")


def test_link_rejects_pull_request_of_another_mission():
    mission, _repository = a_mission()
    link_pull_request(actor=MemberFactory(), url=URL, mission=mission)
    with pytest.raises(ConstraintViolated, match="already linked to another mission") as rejected:
        link_pull_request(actor=MemberFactory(), url=URL, mission=MissionFactory(project=mission.project))
    assert (rejected.value.code, rejected.value.status) == ("pull_request_linked", 409)
