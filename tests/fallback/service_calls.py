"""A call of each service of the fallback, with what it records."""

from datetime import time, timedelta

from django.utils import timezone

from fallback.models import Flow
from fallback.services import (
    access,
    agent_sessions,
    configs,
    documents,
    github,
    github_events,
    missions,
    notifications,
    preferences,
    projects,
    pull_requests,
    retention,
    review,
    runs,
    workstations,
)
from groups.models import Member
from tests.fallback.github_payloads import merged, payload, pull
from tests.fallback.service_calls_people import PEOPLE_CASES
from tests.support.factories.fallback import (
    ConfigFactory,
    ItemFactory,
    MissionFactory,
    OrganizationFactory,
    ProjectFactory,
    ProjectMemberFactory,
    RepositoryFactory,
    RunFactory,
    TemplateFactory,
)
from tests.support.factories.groups import MemberFactory

TOMORROW = timezone.now() + timedelta(days=1)


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


def workstation_of(by):
    """A workstation of a new project with a clone of its repository."""
    repository = RepositoryFactory(name="acme/site")
    ProjectMemberFactory(project=repository.project, member=by, role="contributor")
    made = workstations.register_workstation(
        actor=by, organization=repository.project.organization, name="studio"
    ).workstation
    workstations.map_projects(actor=by, workstation=made, projects=[repository.project_id])
    workstations.record_clones(actor=by, workstation=made, clones=[workstations.Clone(repository.pk, "/src")])
    return made


def session_of(by):
    made = workstation_of(by)
    repository = made.repositories.get().repository
    MissionFactory(project=repository.project, repository=repository)
    return agent_sessions.claim_mission(actor=by, workstation=made, agent="ada")


def clone_of(workstation):
    return [workstations.Clone(workstation.repositories.get().repository_id, "/src/tree")]


def pull_request_data(mission, **fields):
    return pull(branch=f"mission/{mission.pk}", **fields)


def at_github():
    return MissionFactory(project=(repository := RepositoryFactory(name="acme/site")).project, repository=repository)


def merged_delivery(by):
    mission = at_github()
    body = payload("closed", pull_request=merged(branch=f"mission/{mission.pk}"))
    return github_events.receive_delivery(actor=by, delivery="one", event="pull_request", payload=body)


def two_versions(by):
    mission = MissionFactory()
    return [
        documents.save_document(actor=by, mission=mission, name="solution.md", content=f"{number}", based_on=number)
        for number in range(2)
    ]


def notified(member):
    return notifications.notify(actor=MemberFactory(), member=member, kind="badge.earned", title="A badge")


def lacking_project():
    template = TemplateFactory()
    ConfigFactory(project=template.project, backlog_threshold=1)
    return template.project


# By service: the type of its event, a call, and the change with both values, if any.
CASES = {
    **PEOPLE_CASES,
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
    "register_workstation": ("workstation.registered", workstation_of, None),
    "map_projects": ("workstation.projects_mapped", workstation_of, None),
    "record_clones": ("workstation.clones_recorded", workstation_of, None),
    "record_worktrees": (
        "workstation.worktrees_recorded",
        lambda by: workstations.record_worktrees(
            actor=by, workstation=(made := workstation_of(by)), worktrees=clone_of(made)
        ),
        None,
    ),
    "end_workstation_session": (
        "workstation.ended",
        lambda by: workstations.end_workstation_session(actor=by, workstation=workstation_of(by)),
        None,
    ),
    "time_out_workstation": (
        "workstation.ended",
        lambda by: workstations.time_out_workstation(
            actor=by, workstation=workstation_of(MemberFactory()), before=TOMORROW
        ),
        None,
    ),
    "claim_mission": ("agent_session.started", session_of, None),
    "start_session": (
        "mission.agent_changed",
        lambda by: agent_sessions.start_session(actor=by, session=session_of(by)),
        {"agent_session_status": ["pushing", "active"]},
    ),
    "save_session_document": (
        "document.saved",
        lambda by: agent_sessions.save_session_document(
            actor=by, session=session_of(by), name="solution.md", content="Done", based_on=0
        ),
        None,
    ),
    "open_pull_request": (
        "pull_request.linked",
        lambda by: agent_sessions.open_pull_request(actor=by, session=session_of(by), number=7),
        None,
    ),
    "end_session": (
        "agent_session.ended",
        lambda by: agent_sessions.end_session(actor=by, session=session_of(by), status="failed"),
        None,
    ),
    "time_out_session": (
        "agent_session.ended",
        lambda by: agent_sessions.time_out_session(actor=by, session=session_of(MemberFactory()), before=TOMORROW),
        None,
    ),
    "receive_delivery": ("pull_request.merged", merged_delivery, None),
    "apply_pull_request": (
        "pull_request.linked",
        lambda by: github.apply_pull_request(
            actor=by, repository=(mission := at_github()).repository, data=pull_request_data(mission)
        ),
        None,
    ),
    "delete_old_deliveries": (
        "retention.applied",
        lambda by: (
            merged_delivery(MemberFactory()),
            retention.delete_old_deliveries(actor=by, at=timezone.now() + timedelta(days=31)),
        ),
        None,
    ),
    "save_document": ("document.saved", two_versions, None),
    "remove_document_text": (
        "document.text_removed",
        lambda by: documents.remove_document_text(actor=by, version=two_versions(MemberFactory())[0]),
        None,
    ),
    "snooze_notification": (
        "notification.snoozed",
        lambda by: notifications.snooze_notification(actor=by, key=notified(by).pk, until=TOMORROW),
        None,
    ),
    "set_notification_preferences": (
        "notification.preferences_changed",
        lambda by: preferences.set_notification_preferences(actor=by, channels={"mention": ["email"]}),
        None,
    ),
    "set_quiet_hours": (
        "notification.times_changed",
        lambda by: preferences.set_quiet_hours(actor=by, quiet_from=time(20), quiet_to=time(9), digest_hour=12),
        {"quiet_from": ["21:00:00", "20:00:00"], "quiet_to": ["08:00:00", "09:00:00"], "digest_hour": [8, 12]},
    ),
    "unsubscribe_from_emails": (
        "notification.unsubscribed",
        lambda by: preferences.unsubscribe_from_emails(actor=by),
        None,
    ),
}
