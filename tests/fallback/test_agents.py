"""Workstations and agents: a daemon over HTTP, one winner of a claim, pull requests, logs, timeouts and rights."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from fallback import rules
from fallback.errors import (
    LogOffsetWrong,
    MissionWithoutRepository,
    NotInOrganization,
    PullRequestMissing,
    PullRequestsDisabled,
    SessionEnded,
    WorkstationOffline,
    WorkstationOfOther,
)
from fallback.models import (
    CodeAgentSession,
    Mission,
    MissionDocumentVersion,
    MissionEvent,
    ProjectWorkstation,
    Workstation,
    WorkstationRepository,
    WorkstationSession,
    WorkstationWorktree,
)
from fallback.services import agent_sessions as service
from fallback.services.agent_sessions import (
    append_log,
    claim_mission,
    delete_orphaned_logs,
    end_session,
    heartbeat_session,
    log_path_of,
    open_pull_request,
    start_session,
)
from fallback.services.documents import path_of
from fallback.services.missions import create_mission, move_mission
from fallback.services.workstations import (
    Clone,
    end_workstation_session,
    heartbeat_workstation,
    map_projects,
    record_clones,
    record_worktrees,
    register_workstation,
)
from fallback.tasks import time_out_agents
from groups.models import Member
from missionsite.common import documents
from missionsite.common.errors import ConstraintViolated, NotAllowed
from tests.fallback.daemon import Daemon, Rejected
from tests.support.admin import client_of, page_text
from tests.support.concurrency import CONTROL_ROUNDS, ROUNDS, crowd, without
from tests.support.database import allow_delete, rejected_by
from tests.support.factories.fallback import (
    ActorFactory,
    MissionFactory,
    ProjectFactory,
    ProjectMemberFactory,
    RepositoryFactory,
)
from tests.support.factories.groups import StaffFactory
from tests.support.factories.tokens import make_token

pytestmark = pytest.mark.django_db


def person(project, role="contributor", name="Ana"):
    return ProjectMemberFactory(project=project, role=role, member=StaffFactory(display_name=name)).member


@pytest.fixture
def repository():
    return RepositoryFactory(name="acme/site", url="")


@pytest.fixture
def owner(repository):
    return person(repository.project)


@pytest.fixture
def workstation(repository, owner):
    """A workstation of the project with a clone of its repository."""
    made = register_workstation(
        actor=owner, organization=repository.project.organization, name="studio", daemon_version="1.0"
    ).workstation
    map_projects(actor=owner, workstation=made, projects=[repository.project_id])
    record_clones(actor=owner, workstation=made, clones=[Clone(repository.pk, "/src/site")])
    return made


def ready(repository, **values):
    return MissionFactory(project=repository.project, repository=repository, **values)


def claimed(owner, workstation, **values):
    """A session of an agent at a new mission."""
    repository = values.pop("repository", None) or workstation.repositories.get().repository
    mission = ready(repository, **values)
    session = claim_mission(actor=owner, workstation=workstation, agent="ada")
    assert session.mission == mission
    return session


# --- The whole way over HTTP -------------------------------------------------------------------


@pytest.mark.seed("004 agents and workstations", "004 agent logs")
@pytest.mark.django_db(transaction=True)
def test_daemon_does_all_of_it_over_http(live_server):
    repository = RepositoryFactory(name="acme/site", url="")
    project = repository.project
    ana = person(project, "maintainer")
    mission = create_mission(
        actor=ana,
        project=project,
        title="Write the welcome page",
        values={
            "ready": True,
            "repository": repository,
            "actor": ActorFactory(project=project, name="Writer"),
            "pr_mode": "enabled",
            "requires_review": True,
        },
    )
    daemon = Daemon(live_server.url, make_token(ana, "workstations:run")[1], project.organization_id)
    daemon.register([project.pk], {repository.pk: "/src/site"}, {repository.pk: "/src/site-1"})
    seen = []

    def agent(daemon, session):
        seen.append(Mission.objects.values_list("list", "agent_session_status").get(pk=mission.pk))
        assert session["mission"]["persona"] == "Writer"
        assert session["worktree"] == "/src/site-1"
        daemon.document(session, "tasks/1.md", "- [ ] Draft")
        daemon.document(session, "solution.md", "# Page")
        daemon.log(session, "Running\n")
        daemon.log(session, "the tests — ok\n")
        with pytest.raises(Rejected, match="pull_request_missing"):
            daemon.report(session, "end", {"status": "succeeded"})
        daemon.report(session, "pull-request", {"number": 7, "title": "Add a page"})
        daemon.report(session, "heartbeat")

    ended = daemon.work(agent)
    daemon.stop()
    mission.refresh_from_db()
    assert seen == [("doing", "active")]
    assert (mission.list, mission.agent_session_status) == ("review", "inactive")
    assert (mission.pr_branch_name, mission.github_pr_number) == (f"mission/{mission.pk}", 7)
    assert mission.pull_requests.get().url == "https://github.com/acme/site/pull/7"
    assert mission.solution_path == path_of(mission.pk, "solution.md")
    assert mission.tasks_path == path_of(mission.pk, "tasks")
    assert documents.read(mission.solution_path) == b"# Page"
    assert set(MissionDocumentVersion.objects.values_list("origin", flat=True)) == {"agent"}
    session = CodeAgentSession.objects.get()
    assert (session.status, ended["status"], session.agent) == ("succeeded", "succeeded", "reference")
    assert documents.read(session.log_path).decode() == "Running\nthe tests — ok\n"
    statuses = [
        event.payload["changed"]["agent_session_status"]
        for event in MissionEvent.objects.filter(mission=mission, origin="agent").order_by("occurred_at", "id")
        if "agent_session_status" in event.payload.get("changed", {})
    ]
    assert statuses == [["inactive", "pushing"], ["pushing", "active"], ["active", "inactive"]]
    assert WorkstationWorktree.objects.values_list("status", "mission").get() == ("idle", None)
    assert Workstation.objects.get().status == "offline"
    assert WorkstationSession.objects.get().ended_at
    assert daemon.log_bytes[session.pk] == session.log_bytes
    # Nothing is left to claim, and the daemon is not registered.
    with pytest.raises(Rejected, match="workstation_offline"):
        daemon.claim()
    daemon.register([project.pk], {}, {})
    assert daemon.claim() is None
    # Each of these is shown.
    browser = client_of(ana)
    page = page_text(browser.get(reverse("admin:fallback_mission_agents", args=[mission.pk]), {"session": session.pk}))
    for text in ("reference", "Succeeded", "studio-1", "the tests — ok", f"mission/{mission.pk}", "#7"):
        assert text in page
    page = page_text(browser.get(reverse("admin:fallback_mission_change", args=[mission.pk])))
    assert mission.solution_path.replace("/", "/<wbr>") in page
    assert mission.tasks_path.replace("/", "/<wbr>") in page
    assert "Inactive" in page
    assert "studio-1" in page_text(browser.get(reverse("admin:fallback_workstation_changelist")))
    own = daemon.workstation
    for tab, text in (
        ("agents", "Write the welcome page"),
        ("projects", project.name),
        ("clones", "No repositories"),
        ("worktrees", "/src/site-1"),
        ("sessions", "1.0"),
    ):
        assert text in page_text(browser.get(reverse(f"admin:fallback_workstation_{tab}", args=[own])))


# --- Claims -----------------------------------------------------------------------------------


@pytest.mark.seed("004 agents and workstations")
def test_claim_takes_most_urgent_ready_mission(repository, owner, workstation):
    elsewhere = RepositoryFactory(project=repository.project, name="acme/other")
    ready(repository, title="Not ready", ready=False, priority=5)
    ready(elsewhere, title="No clone", priority=5)
    MissionFactory(title="Not mapped", priority=5)
    ready(repository, title="Doing", list="doing", priority=5)
    ready(repository, title="Normal", priority=3)
    MissionFactory(project=repository.project, title="Urgent, without a repository", priority=4)
    titles = []
    while session := claim_mission(actor=owner, workstation=workstation, agent="ada"):
        titles.append(session.mission.title)
        assert session.mission.list == "doing"
    assert titles == ["Urgent, without a repository", "Normal"]


@pytest.mark.django_db(transaction=True)
class TestRace:
    """Agents claim at the same time; there are fewer missions than agents."""

    AGENTS = 8

    def all_claim(self, people):
        repository = RepositoryFactory()
        owner = person(repository.project)
        for number in range(3):
            create_mission(actor=owner, project=repository.project, title=f"Mission {number}", values={"ready": True})
        stations = []
        for number in range(self.AGENTS):
            station = register_workstation(
                actor=owner, organization=repository.project.organization, name=f"studio {number}"
            ).workstation
            map_projects(actor=owner, workstation=station, projects=[repository.project_id])
            stations.append(station)
        results = people.run(
            lambda number: claim_mission(actor=owner, workstation=stations[number], agent=f"agent {number}")
        )
        sessions = CodeAgentSession.objects.filter(mission__project=repository.project)
        return results, list(sessions.values_list("mission", flat=True))

    @pytest.mark.seed("004 agents and workstations")
    def test_each_mission_has_one_winner(self):
        with crowd(self.AGENTS) as people:
            for _round in range(ROUNDS):
                results, missions = self.all_claim(people)
                assert sorted(type(each).__name__ for each in results) == ["CodeAgentSession"] * 3 + ["NoneType"] * 5
                assert len(set(missions)) == len(missions) == 3

    @pytest.mark.seed("004 agents and workstations", control=True)
    def test_without_guards_agents_share_mission(self, monkeypatch):
        def unlocked(rows, *_arguments, **_options):
            return rows

        ready_missions = service.claimable_missions

        def as_of_the_start(workstation, member):
            # What the first query found; a second look under the lock does not happen.
            keys = list(ready_missions(workstation, member).values_list("pk", flat=True))
            return Mission.objects.filter(pk__in=keys).order_by("list_order", "id")

        monkeypatch.setattr(service, "claimable_missions", as_of_the_start)
        monkeypatch.setattr(service, "lock_board", lambda project_id: None)
        drop = "DROP INDEX code_agent_sessions_one_running"
        restore = """DELETE FROM code_agent_sessions;
            CREATE UNIQUE INDEX code_agent_sessions_one_running ON code_agent_sessions (mission_id)
                WHERE status = 'running'"""
        with without(drop, restore), crowd(self.AGENTS) as people:
            for _round in range(CONTROL_ROUNDS):
                _results, missions = self.all_claim(people)
                if len(set(missions)) < len(missions):
                    return
        raise AssertionError("no mission was claimed twice: the test above proves nothing")


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({}, "code_agent_sessions_one_running"),
        ({"status": "failed"}, "code_agent_sessions_end_fits_status"),
        ({"status": "failed", "ended_at": timezone.now(), "log_bytes": -1}, "code_agent_sessions_log_size"),
    ],
)
def test_table_of_sessions_rejects(owner, workstation, values, constraint):
    session = claimed(owner, workstation)
    with rejected_by(constraint):
        CodeAgentSession.objects.create(mission=session.mission, agent="eve", **values)


def test_second_open_session_of_workstation_is_rejected(workstation):
    with rejected_by("workstation_sessions_one_open"):
        WorkstationSession.objects.create(workstation=workstation)


# --- The end of a session ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "status", "expected"),
    [
        ({}, "succeeded", ("done", True)),
        ({"requires_review": True}, "succeeded", ("review", True)),
        ({}, "failed", ("todo", True)),
        ({}, "cancelled", ("todo", True)),
    ],
)
def test_end_moves_mission(owner, workstation, values, status, expected):
    session = claimed(owner, workstation, **values)
    end_session(actor=owner, session=session, status=status, error="Why")
    mission = Mission.objects.get(pk=session.mission_id)
    assert (mission.list, mission.ready) == expected
    assert mission.agent_session_status == "inactive"
    for call in (start_session, heartbeat_session):
        with pytest.raises(SessionEnded):
            call(actor=owner, session=session)


def test_open_pull_request_ends_in_review_and_moved_mission_stays(owner, workstation):
    session = claimed(owner, workstation)
    open_pull_request(actor=owner, session=session, number=3)
    end_session(actor=owner, session=session, status="succeeded")
    assert Mission.objects.get(pk=session.mission_id).list == "review"
    session = claimed(owner, workstation)
    move_mission(actor=owner, mission=session.mission, to="todo")
    end_session(actor=owner, session=session, status="succeeded")
    assert Mission.objects.get(pk=session.mission_id).list == "todo"


def test_mission_is_not_ready_after_three_failures(owner, workstation):
    session = claimed(owner, workstation)
    for number in range(rules.AGENT_ATTEMPTS):
        end_session(actor=owner, session=session, status="failed")
        session = claim_mission(actor=owner, workstation=workstation, agent="ada")
        assert (session is None) == (number == rules.AGENT_ATTEMPTS - 1)


@pytest.mark.seed("004 agents and workstations")
def test_pull_request_follows_mode(repository, owner, workstation):
    session = claimed(owner, workstation, pr_mode="disabled")
    with pytest.raises(PullRequestsDisabled):
        open_pull_request(actor=owner, session=session, number=1)
    assert session.mission.pr_branch_name == ""
    end_session(actor=owner, session=session, status="succeeded")
    session = claimed(owner, workstation, pr_mode="enabled", pr_branch_name="own-branch")
    with pytest.raises(PullRequestMissing):
        end_session(actor=owner, session=session, status="succeeded")
    linked = open_pull_request(actor=owner, session=session, number=1, title="Fix")
    assert (linked.branch, linked.title) == ("own-branch", "Fix")
    end_session(actor=owner, session=session, status="succeeded")
    MissionFactory(project=repository.project)
    session = claim_mission(actor=owner, workstation=workstation, agent="ada")
    with pytest.raises(MissionWithoutRepository):
        open_pull_request(actor=owner, session=session, number=2)


# --- Heartbeats -------------------------------------------------------------------------------


def earlier(session=None, workstation=None):
    at = timezone.now() - rules.HEARTBEAT_TIMEOUT - timedelta(seconds=1)
    if session:
        CodeAgentSession.objects.filter(pk=session.pk).update(last_heartbeat_at=at)
    if workstation:
        Workstation.objects.filter(pk=workstation.pk).update(last_seen_at=at)


@pytest.mark.seed("004 agents and workstations")
def test_silent_session_and_workstation_time_out(owner, workstation):
    session = claimed(owner, workstation)
    assert time_out_agents(timestamp=0) == {"sessions": 0, "workstations": 0}
    earlier(session, workstation)
    heartbeat_session(actor=owner, session=session)
    heartbeat_workstation(actor=owner, workstation=workstation)
    assert time_out_agents(timestamp=0) == {"sessions": 0, "workstations": 0}
    earlier(session, workstation)
    page = page_text(client_of(owner).get(reverse("admin:fallback_workstation_changelist")))
    assert "No heartbeat" in page
    assert time_out_agents(timestamp=0) == {"sessions": 1, "workstations": 1}
    assert time_out_agents(timestamp=0) == {"sessions": 0, "workstations": 0}
    session.refresh_from_db()
    mission = Mission.objects.get(pk=session.mission_id)
    assert (session.status, mission.list, mission.agent_session_status) == ("timed_out", "todo", "inactive")
    with pytest.raises(WorkstationOffline):
        heartbeat_workstation(actor=owner, workstation=workstation)
    with pytest.raises(WorkstationOffline):
        claim_mission(actor=owner, workstation=workstation, agent="ada")


# --- Logs -------------------------------------------------------------------------------------


@pytest.mark.seed("004 agent logs")
def test_log_grows_by_offset(owner, workstation):
    session = claimed(owner, workstation)
    append_log(actor=owner, session=session, offset=0, text="é\n")
    # A repeated part changes nothing, another one at the same place is rejected.
    append_log(actor=owner, session=session, offset=0, text="é\n")
    for offset in (1, 7):
        with pytest.raises(LogOffsetWrong) as rejected:
            append_log(actor=owner, session=session, offset=offset, text="x")
        assert rejected.value.size == 3
    # A part that was written without its transaction being committed is replaced.
    documents.write(log_path_of(session.pk), "é\nlost".encode())
    session = append_log(actor=owner, session=session, offset=3, text="b\n")
    assert documents.read(log_path_of(session.pk)).decode() == "é\nb\n"
    assert (session.log_path, session.log_bytes) == (f"logs/{session.pk}.log", 5)
    with pytest.raises(ConstraintViolated, match="full"):
        append_log(actor=owner, session=session, offset=5, text="x" * rules.AGENT_LOG_BYTES)


@pytest.mark.seed("004 agent logs")
def test_log_is_shown_by_pages_without_control_characters(owner, workstation):
    session = claimed(owner, workstation)
    text = "".join(f"line {number}\n" for number in range(1, 1_201)) + "\x1b[31mred\x1b[0m 10%\rdone <b>\n"
    append_log(actor=owner, session=session, offset=0, text=text)
    address = reverse("admin:fallback_mission_agents", args=[session.mission_id])
    browser = client_of(owner)
    last = page_text(browser.get(address, {"session": session.pk}))
    assert "page 3 of 3" in last
    assert "done &lt;b&gt;" in browser.get(address, {"session": session.pk}).content.decode()
    assert "10%" not in last
    first = page_text(browser.get(address, {"session": session.pk, "p": "1"}))
    assert "line 500 " in first
    assert "line 501 " not in first
    for number in ("0", "99", "x", "9999999999999"):
        assert browser.get(address, {"session": session.pk, "p": number}).status_code == 200


def test_logs_of_deleted_sessions_are_deleted(owner, workstation):
    session = claimed(owner, workstation)
    append_log(actor=owner, session=session, offset=0, text="x")
    later = timezone.now() + timedelta(hours=1)
    assert delete_orphaned_logs(at=later) == 0
    allow_delete("missions")
    Mission.objects.get(pk=session.mission_id).delete()
    assert delete_orphaned_logs() == 0
    assert delete_orphaned_logs(at=later) == 1


# --- Rights -----------------------------------------------------------------------------------


def test_only_the_registering_member_uses_a_workstation(repository, owner, workstation):
    organization = repository.project.organization
    other = person(repository.project, "maintainer", "Other")
    session = claimed(owner, workstation)
    for call in (
        lambda: register_workstation(actor=other, organization=organization, name="studio"),
        lambda: heartbeat_workstation(actor=other, workstation=workstation),
        lambda: claim_mission(actor=other, workstation=workstation, agent="eve"),
        lambda: map_projects(actor=other, workstation=workstation, projects=[]),
        lambda: end_workstation_session(actor=other, workstation=workstation),
        lambda: end_session(actor=other, session=session, status="failed"),
        lambda: append_log(actor=other, session=session, offset=0, text="x"),
    ):
        with pytest.raises(WorkstationOfOther):
            call()
    with pytest.raises(NotAllowed):
        register_workstation(actor=person(repository.project, "viewer"), organization=organization, name="two")
    # Registering again ends the earlier session.
    register_workstation(actor=owner, organization=organization, name="studio")
    assert WorkstationSession.objects.filter(ended_at=None).count() == 1


def test_parts_of_other_organizations_are_rejected(repository, owner, workstation):
    ProjectMemberFactory(project=(elsewhere := ProjectFactory()), member=owner, role="maintainer")
    foreign = RepositoryFactory(project=elsewhere)
    clone = Clone(foreign.pk, "/src/foreign")
    for call in (
        lambda: map_projects(actor=owner, workstation=workstation, projects=[elsewhere.pk]),
        lambda: record_clones(actor=owner, workstation=workstation, clones=[clone]),
        lambda: record_worktrees(actor=owner, workstation=workstation, worktrees=[clone]),
    ):
        with pytest.raises(NotInOrganization):
            call()
    map_projects(actor=owner, workstation=workstation, projects=[])
    record_clones(actor=owner, workstation=workstation, clones=[])
    assert not ProjectWorkstation.objects.exists()
    assert not WorkstationRepository.objects.exists()


def test_agent_of_a_former_contributor_claims_nothing(repository, owner, workstation):
    ready(repository)
    repository.project.members.filter(member=owner).update(role="viewer")
    assert claim_mission(actor=owner, workstation=workstation, agent="ada") is None


def test_outsider_sees_neither_workstation_nor_rows_of_hidden_projects(repository, owner, workstation):
    page = reverse("admin:fallback_workstation_change", args=[workstation.pk])
    assert client_of(owner).get(page).status_code == 200
    assert client_of(person(ProjectFactory())).get(page).status_code == 302
    sibling = person(ProjectFactory(organization=repository.project.organization))
    assert repository.project.name not in page_text(
        client_of(sibling).get(reverse("admin:fallback_workstation_projects", args=[workstation.pk]))
    )


def test_system_ends_nothing_that_is_alive(owner, workstation):
    session = claimed(owner, workstation)
    before = timezone.now() - timedelta(days=1)
    assert service.time_out_session(actor=Member.objects.system(), session=session, before=before) is None
