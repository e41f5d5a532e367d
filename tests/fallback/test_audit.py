"""Every service requires an actor, and records an event with the actor, the old and the new values."""

import importlib
import inspect
import pkgutil
from datetime import time, timedelta

import pghistory
import pytest
from django.urls import reverse

import fallback.services
from fallback.models import (
    Actor,
    Flow,
    GithubPullRequest,
    MissionEvent,
    MissionFallbackItem,
    MissionFallbackRun,
    MissionFallbackTemplate,
    OrganizationMembership,
    ProjectActivity,
    ProjectRepository,
)
from fallback.services import agent_sessions, forecasts, github, preferences, projects, workstations
from groups.models import Event, Member
from missionsite.common.audit.events import audit
from tests.fallback.github_payloads import check, comment, review
from tests.fallback.proposals import a_project
from tests.fallback.service_calls import CASES, at_github, session_of
from tests.fallback.test_flow import MONDAY
from tests.fallback.test_forecast import finished
from tests.support.factories.fallback import (
    ActorFactory,
    FlowFactory,
    MissionFactory,
    OrganizationFactory,
    OrganizationMembershipFactory,
    ProjectFactory,
    RepositoryFactory,
    TemplateFactory,
)
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db


def forecastable():
    project = a_project()
    finished(project, 12)
    MissionFactory(project=project)
    return project


def pull_request():
    mission = at_github()
    return GithubPullRequest.objects.create(mission=mission, repository=mission.repository, number=7, title="Guide")


# Services that store only what they compute from the rows of a project.
UNRECORDED = {
    "store_forecast": lambda by: forecasts.store_forecast(
        actor=by, project=forecastable(), at=MONDAY + timedelta(days=30)
    ),
}
# Services that store what GitHub reports of a linked pull request.
UNRECORDED |= {
    "apply_review": lambda by: github.apply_review(actor=by, pull_request=pull_request(), data=review()),
    "apply_comment": lambda by: github.apply_comment(
        actor=by, pull_request=pull_request(), kind="line", data=comment()
    ),
    "apply_check_run": lambda by: github.apply_check_run(actor=by, pull_request=pull_request(), data=check()),
}
# Services that only report that a program runs, or what its log has, of a session that has begun.
REPORTING = {
    "heartbeat_workstation": lambda by, session: workstations.heartbeat_workstation(
        actor=by, workstation=session.workstation
    ),
    "heartbeat_session": lambda by, session: agent_sessions.heartbeat_session(actor=by, session=session),
    "append_log": lambda by, session: agent_sessions.append_log(actor=by, session=session, offset=0, text="Running"),
}


def services() -> dict:
    """All functions of fallback.services marked with @service, by name."""
    found = {}
    for module in pkgutil.iter_modules(fallback.services.__path__):
        for function in vars(importlib.import_module(f"fallback.services.{module.name}")).values():
            if getattr(function, "is_service", False) and function.__module__.startswith("fallback."):
                found[function.__name__] = function
    return found


def traces(by) -> list[tuple[str, dict]]:
    """All events with this actor: type and payload."""
    found = [
        (each.type, each.payload)
        for kind in (Event, ProjectActivity, MissionEvent)
        for each in kind.objects.filter(actor=by)
    ]
    found += [("run", {}) for _ in MissionFallbackRun.objects.filter(started_by=by)]
    found += [("item", {}) for _ in MissionFallbackItem.objects.filter(reviewed_by=by)]
    return found


def test_every_service_is_tested():
    assert set(services()) == CASES.keys() | UNRECORDED.keys() | REPORTING.keys()


@pytest.mark.parametrize("name", [*CASES, *UNRECORDED, *REPORTING])
def test_service_requires_actor_as_keyword(name):
    actor = inspect.signature(services()[name]).parameters["actor"]
    assert (actor.kind, actor.default) == (actor.KEYWORD_ONLY, actor.empty)


@pytest.mark.parametrize("name", CASES)
def test_service_records_actor_and_both_values(name):
    type_, call, changed = CASES[name]
    by = MemberFactory()
    call(by)
    found = [payload for each, payload in traces(by) if each == type_]
    assert found, traces(by)
    if changed is not None:
        assert found[-1]["changed"].items() >= changed.items()


@pytest.mark.parametrize("name", UNRECORDED)
def test_other_service_records_nothing(name):
    by = MemberFactory()
    assert UNRECORDED[name](by), "stores something"
    assert traces(by) == []


@pytest.mark.parametrize("name", REPORTING)
def test_report_of_a_program_records_nothing(name):
    by = MemberFactory()
    session = session_of(by)
    before = traces(by)
    assert REPORTING[name](by, session), "stores something"
    assert traces(by) == before


def test_unchanged_times_of_notifications_record_nothing():
    by = MemberFactory()
    for _number in range(2):
        preferences.set_quiet_hours(actor=by, quiet_from=time(20), quiet_to=time(9), digest_hour=12)
    assert [type_ for type_, _payload in traces(by)] == ["notification.times_changed"]


@pytest.mark.parametrize("kind", projects.EDITABLE, ids=lambda kind: kind.__name__)
def test_added_and_changed_parts_are_recorded(kind):
    made = {
        Flow: FlowFactory,
        Actor: ActorFactory,
        ProjectRepository: RepositoryFactory,
        MissionFallbackTemplate: TemplateFactory,
    }[kind]()
    by = MemberFactory()
    projects.change_in_project(actor=by, instance=made, changes={"name": "Renamed"})
    [(type_, payload)] = traces(by)
    assert type_.endswith(".changed")
    assert payload["changed"]["name"][1] == "Renamed"


# --- Organisations ----------------------------------------------------------------------------


def test_create_organization_records_owner():
    by = MemberFactory()
    organization = projects.create_organization(actor=by, name="Guild", slug="guild", timezone="Asia/Tokyo")
    founded, owned = Event.objects.filter(actor=by).order_by("pk")
    assert founded.payload == {
        "organization": organization.pk,
        "organization_name": "Guild",
        "changed": {"name": [None, "Guild"], "slug": [None, "guild"], "timezone": [None, "Asia/Tokyo"]},
    }
    assert (owned.type, owned.member) == ("organization.role_set", by)
    assert owned.payload["changed"] == {"role": [None, "owner"]}


def test_role_change_records_both_roles_and_member():
    membership = OrganizationMembershipFactory(role="member")
    by = MemberFactory()
    projects.set_organization_role(
        actor=by, organization=membership.organization, member=membership.member, role="owner"
    )
    event = Event.objects.get(type="organization.role_set")
    assert (event.actor, event.member) == (by, membership.member)
    assert event.payload == {
        "organization": membership.organization.pk,
        "organization_name": membership.organization.name,
        "changed": {"role": ["member", "owner"]},
    }


def test_unchanged_values_record_nothing():
    membership = OrganizationMembershipFactory(role="admin")
    organization = membership.organization
    projects.set_organization_role(
        actor=Member.objects.system(), organization=organization, member=membership.member, role="admin"
    )
    projects.update_organization(actor=Member.objects.system(), organization=organization, name=organization.name)
    assert not Event.objects.filter(type__startswith="organization.").exists()


def test_rename_records_both_names():
    organization = OrganizationFactory(name="Guild")
    projects.update_organization(
        actor=Member.objects.system(), organization=organization, name="Open Guild", fallback_enabled=False
    )
    event = Event.objects.get(type="organization.changed")
    assert event.payload["changed"] == {"name": ["Guild", "Open Guild"], "fallback_enabled": [True, False]}


def test_activity_belongs_to_changeset():
    project = ProjectFactory()
    with pghistory.context() as changeset:
        audit("project.changed", project=project, actor=MemberFactory())
    assert ProjectActivity.objects.get(changeset_id=changeset.id).project == project


@pytest.mark.django_db(transaction=True)
def test_event_and_role_are_in_one_transaction():
    organization, member = OrganizationFactory(), MemberFactory()
    membership = projects.set_organization_role(
        actor=Member.objects.system(), organization=organization, member=member, role="owner"
    )
    event = Event.objects.get(type="organization.role_set")
    # Both are the start time of their transaction.
    assert event.occurred_at == OrganizationMembership.objects.get(pk=membership.pk).created_at


def test_new_owner_is_shown_on_page_and_in_events(client):
    root = StaffFactory(is_superuser=True)
    client.force_login(root)
    organization, member = OrganizationFactory(name="Guild"), MemberFactory(display_name="Ida")
    address = reverse("admin:fallback_organization_set-role", args=[organization.pk])
    answer = client.post(address, {"member": member.email, "role": "owner"})
    assert answer.status_code == 302
    page = client.get(reverse("admin:fallback_organization_activity", args=[organization.pk])).content.decode()
    events = client.get(reverse("admin:groups_event_changelist"), {"type": "organization.role_set"}).content.decode()
    for shown in (page, events):
        assert "Role in the organisation set" in shown
        assert "Ida" in shown
        assert "empty → Owner" in shown


def test_activity_of_organization_excludes_others(client):
    client.force_login(StaffFactory(is_superuser=True))
    mine, other = OrganizationFactory(), OrganizationFactory()
    projects.update_organization(actor=Member.objects.system(), organization=mine, name="Mine renamed")
    projects.update_organization(actor=Member.objects.system(), organization=other, name="Other renamed")
    page = client.get(reverse("admin:fallback_organization_activity", args=[mine.pk])).content.decode()
    assert "Mine renamed" in page
    assert "Other renamed" not in page
