"""Every service requires an actor, and records an event with the actor, the old and the new values."""

import importlib
import inspect
import pkgutil
from datetime import timedelta

import pghistory
import pytest
from django.urls import reverse
from django.utils import timezone

import fallback.services
from fallback.models import (
    Actor,
    Flow,
    MissionEvent,
    MissionFallbackItem,
    MissionFallbackRun,
    MissionFallbackTemplate,
    OrganizationMembership,
    ProjectActivity,
    ProjectRepository,
)
from fallback.services import access, configs, missions, notifications, projects, pull_requests, retention, review, runs
from groups.models import Event, Member
from missionsite.common.audit.events import audit
from tests.support.factories.fallback import (
    ActorFactory,
    ConfigFactory,
    FlowFactory,
    ItemFactory,
    MissionFactory,
    OrganizationFactory,
    OrganizationMembershipFactory,
    ProjectFactory,
    ProjectMemberFactory,
    RepositoryFactory,
    RunFactory,
    TemplateFactory,
)
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db

TOMORROW = timezone.now() + timedelta(days=1)


def services() -> dict:
    """All functions of fallback.services marked with @service, by name."""
    found = {}
    for module in pkgutil.iter_modules(fallback.services.__path__):
        for function in vars(importlib.import_module(f"fallback.services.{module.name}")).values():
            if getattr(function, "is_service", False) and function.__module__.startswith("fallback."):
                found[function.__name__] = function
    return found


def waiting_item(**values):
    config = ConfigFactory()
    return ItemFactory(run__project=config.project, **values)


def decided_item(by):
    item = waiting_item()
    review.discard_item(actor=by, item=item, reason="not_needed")
    return item


def with_dependency():
    first = MissionFactory()
    second = MissionFactory(project=first.project)
    missions.add_dependency(actor=Member.objects.system(), mission=first, depends_on=second)
    return {"mission": first, "depends_on": second}


def lacking_project():
    template = TemplateFactory()
    ConfigFactory(project=template.project, backlog_threshold=1)
    return template.project


# By service: the type of its event, a call, and the change with both values, if any.
CASES = {
    "create_organization": (
        "organization.created",
        lambda by: projects.create_organization(actor=by, name="Guild", slug="guild"),
        None,
    ),
    "update_organization": (
        "organization.changed",
        lambda by: projects.update_organization(
            actor=by, organization=OrganizationFactory(), fallback_rollout_percent=10
        ),
        {"fallback_rollout_percent": [100, 10]},
    ),
    "set_organization_role": (
        "organization.role_set",
        lambda by: projects.set_organization_role(
            actor=by, organization=OrganizationFactory(), member=MemberFactory(), role="owner"
        ),
        {"role": [None, "owner"]},
    ),
    "create_project": (
        "project.created",
        lambda by: projects.create_project(actor=by, organization=OrganizationFactory(), name="Map", slug="map"),
        None,
    ),
    "update_project": (
        "project.changed",
        lambda by: projects.update_project(actor=by, project=ProjectFactory(), privacy="organization"),
        {"privacy": ["private", "organization"]},
    ),
    "archive_project": (
        "project.archived",
        lambda by: projects.archive_project(actor=by, project=ProjectFactory()),
        {"status": ["active", "archived"]},
    ),
    "restore_project": (
        "project.restored",
        lambda by: projects.restore_project(actor=by, project=ProjectFactory(status="archived")),
        {"status": ["archived", "active"]},
    ),
    "set_project_role": (
        "project.role_set",
        lambda by: projects.set_project_role(
            actor=by, project=ProjectFactory(), member=MemberFactory(), role="reviewer"
        ),
        {"role": [None, "reviewer"]},
    ),
    "remove_from_project": (
        "project.member_removed",
        lambda by: projects.remove_from_project(actor=by, membership=ProjectMemberFactory(role="maintainer")),
        {"role": ["maintainer", None]},
    ),
    "add_to_project": (
        "flow.added",
        lambda by: projects.add_to_project(actor=by, kind=Flow, project=ProjectFactory(), values={"name": "Plain"}),
        None,
    ),
    "change_in_project": (
        "template.changed",
        lambda by: projects.change_in_project(
            actor=by, instance=TemplateFactory(enabled=True), changes={"enabled": False}
        ),
        {"enabled": [True, False]},
    ),
    "create_config": (
        "fallback.configured",
        lambda by: configs.create_config(actor=by, project=ProjectFactory(), weekly_mission_cap=3),
        {"weekly_mission_cap": [None, 3]},
    ),
    "update_config": (
        "fallback.config_changed",
        lambda by: configs.update_config(actor=by, config=ConfigFactory(), weekly_mission_cap=3),
        {"weekly_mission_cap": [20, 3]},
    ),
    "pause_fallback": (
        "fallback.paused",
        lambda by: configs.pause_fallback(actor=by, config=ConfigFactory()),
        {"status": ["active", "paused"]},
    ),
    "resume_fallback": (
        "fallback.resumed",
        lambda by: configs.resume_fallback(actor=by, config=ConfigFactory(status="paused")),
        {"status": ["paused", "active"]},
    ),
    "snooze_fallback": (
        "fallback.snoozed",
        lambda by: configs.snooze_fallback(actor=by, config=ConfigFactory(), until=TOMORROW),
        {"status": ["active", "snoozed"], "snoozed_until": [None, str(TOMORROW)]},
    ),
    "create_mission": (
        "mission.created",
        lambda by: missions.create_mission(actor=by, project=ProjectFactory(), title="Draw the map"),
        None,
    ),
    "update_mission": (
        "mission.changed",
        lambda by: missions.update_mission(
            actor=by, mission=MissionFactory(title="Map"), changes={"title": "Draw the map"}
        ),
        {"title": ["Map", "Draw the map"]},
    ),
    "set_ready": (
        "mission.ready",
        lambda by: missions.set_ready(actor=by, mission=MissionFactory(ready=False), ready=True),
        {"ready": [False, True]},
    ),
    "move_mission": (
        "mission.moved",
        lambda by: missions.move_mission(actor=by, mission=MissionFactory(list="todo"), to="doing"),
        {"list": ["todo", "doing"]},
    ),
    "review_mission": (
        "mission.reviewed",
        lambda by: missions.review_mission(actor=by, mission=MissionFactory(), status="approved"),
        None,
    ),
    "add_dependency": (
        "mission.dependency_added",
        lambda by: missions.add_dependency(
            actor=by, mission=(first := MissionFactory()), depends_on=MissionFactory(project=first.project)
        ),
        None,
    ),
    "remove_dependency": (
        "mission.dependency_removed",
        lambda by: missions.remove_dependency(actor=by, **with_dependency()),
        None,
    ),
    "notify": (
        "notification.created",
        lambda by: notifications.notify(actor=by, member=MemberFactory(), kind="badge.earned", title="A badge"),
        None,
    ),
    "link_pull_request": (
        "pull_request.linked",
        lambda by: pull_requests.link_pull_request(
            actor=by,
            url="https://github.com/acme/site/pull/7",
            mission=MissionFactory(project=RepositoryFactory(name="acme/site").project),
        ),
        None,
    ),
    "run_fallback": ("run", lambda by: runs.run_fallback(actor=by, project=lacking_project()), None),
    "launch_template": ("run", lambda by: runs.launch_template(actor=by, template=TemplateFactory()), None),
    "cancel_run": ("fallback.run_cancelled", lambda by: runs.cancel_run(actor=by, run=RunFactory()), None),
    "accept_item": ("item", lambda by: review.accept_item(actor=by, item=waiting_item()), None),
    "discard_item": (
        "item",
        lambda by: review.discard_item(actor=by, item=waiting_item(), reason="not_needed"),
        None,
    ),
    "mark_duplicate": (
        "item",
        lambda by: review.mark_duplicate(
            actor=by, item=(item := waiting_item()), mission=MissionFactory(project=item.project)
        ),
        None,
    ),
    "snooze_item": (
        "fallback.item_snoozed",
        lambda by: review.snooze_item(actor=by, item=waiting_item(), until=TOMORROW),
        None,
    ),
    "unsnooze_item": (
        "fallback.item_unsnoozed",
        lambda by: review.unsnooze_item(actor=by, item=waiting_item(snoozed_until=TOMORROW)),
        {"snoozed_until": [str(TOMORROW), None]},
    ),
    "request_access": (
        "access.requested",
        lambda by: access.request_access(actor=by, project=ProjectFactory()),
        None,
    ),
    "decide_access_request": (
        "access.approved",
        lambda by: access.decide_access_request(
            actor=by,
            request=access.request_access(actor=MemberFactory(), project=ProjectFactory()),
            role="viewer",
        ),
        None,
    ),
    "expire_access_requests": (
        "access.expired",
        lambda by: (
            access.request_access(actor=MemberFactory(), project=ProjectFactory()),
            access.expire_access_requests(actor=by, at=timezone.now() + timedelta(days=15)),
        ),
        None,
    ),
    "mark_notifications_read": (
        "notification.read",
        lambda by: (
            notifications.notify(actor=MemberFactory(), member=by, kind="badge.earned", title="A badge"),
            notifications.mark_notifications_read(actor=by),
        ),
        None,
    ),
    "delete_old_runs": (
        "retention.applied",
        lambda by: (
            RunFactory(status="completed", started_at=timezone.now() - timedelta(days=200)),
            retention.delete_old_runs(actor=by, at=timezone.now()),
        ),
        None,
    ),
    "archive_old_notifications": (
        "retention.applied",
        lambda by: (
            notifications.notify(actor=by, member=MemberFactory(), kind="badge.earned", title="A badge"),
            retention.archive_old_notifications(actor=by, at=timezone.now() + timedelta(days=200)),
        ),
        None,
    ),
    "empty_old_access_messages": (
        "retention.applied",
        lambda by: (
            access.decide_access_request(
                actor=MemberFactory(),
                request=access.request_access(actor=MemberFactory(), project=ProjectFactory(), message="Please"),
            ),
            retention.empty_old_access_messages(actor=by, at=timezone.now() + timedelta(days=200)),
        ),
        None,
    ),
    "undo_decision": (
        "fallback.decision_undone",
        lambda by: review.undo_decision(actor=by, item=decided_item(by)),
        None,
    ),
}


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
    assert set(services()) == set(CASES)


@pytest.mark.parametrize("name", CASES)
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
