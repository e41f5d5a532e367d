"""Objects of projects for the tests of the whole site: people by their role, the objects in a project, valid forms."""

from datetime import datetime, timedelta

from django.utils import timezone

from fallback.models.choices import ConfigStatus, List, ProjectRole, ProjectStatus
from fallback.services.absences import add_absence
from fallback.services.access import request_access
from fallback.services.agent_sessions import claim_mission
from fallback.services.comments import add_comment
from fallback.services.documents import save_document
from fallback.services.library import copy_template, publish_template
from fallback.services.missions import add_dependency
from fallback.services.notifications import notify
from fallback.services.projects import change_in_project, set_organization_role, set_project_role
from fallback.services.reports import write_report
from fallback.services.review import discard_item, snooze_item
from fallback.services.workstations import Clone, map_projects, record_clones, register_workstation
from groups.models import Member
from tests.support.factories.fallback import (
    ActorFactory,
    ConfigFactory,
    FlowFactory,
    ItemFactory,
    MissionFactory,
    OrganizationFactory,
    ProjectFactory,
    RepositoryFactory,
    RunFactory,
    TemplateFactory,
)
from tests.support.factories.groups import MemberFactory, StaffFactory

# Staff without a role of the back office, by their role in the project.
PROJECT_STAFF = {
    "project viewer": ProjectRole.VIEWER,
    "project contributor": ProjectRole.CONTRIBUTOR,
    "project reviewer": ProjectRole.REVIEWER,
    "project maintainer": ProjectRole.MAINTAINER,
}
# An owner of the organization; staff who maintain another project; a reviewer who may not log in here.
OTHERS = ("organisation owner", "outsider", "reviewer by API")
PROJECTS = ("project", "archived project", "bare project", "paused project")


def people() -> dict[str, Member]:
    """Create these people; `add_projects` adds them to their projects."""
    staff = {name: StaffFactory(display_name=name.capitalize()) for name in (*PROJECT_STAFF, *OTHERS[:2])}
    return staff | {OTHERS[2]: MemberFactory(display_name="Reviewer by API")}


def add_projects(things: dict[str, object], staff: dict[str, Member]) -> None:
    """Create the projects and their objects, and add people to them."""
    things["organization"] = OrganizationFactory(name="Harbour trust", slug="harbour-trust")
    fill_projects(things, staff)
    for name in PROJECTS:
        for actor, role in {**PROJECT_STAFF, "reviewer by API": ProjectRole.REVIEWER}.items():
            set_project_role(actor=Member.objects.system(), project=things[name], member=staff[actor], role=role)
    things["assignee"] = staff["project reviewer"]
    set_organization_role(
        actor=Member.objects.system(),
        organization=things["organization"],
        member=staff["organisation owner"],
        role="owner",
    )
    things["another project"] = ProjectFactory(name="Another project")
    origin = TemplateFactory(project=things["another project"], name="Greet newcomers")
    things["shared template"] = publish_template(actor=Member.objects.system(), template=origin)
    things["copied template"] = copy_template(actor=Member.objects.system(), origin=origin, project=things["project"])
    change_in_project(actor=Member.objects.system(), instance=origin, changes={"description": "Say hello."})
    set_project_role(
        actor=Member.objects.system(),
        project=things["another project"],
        member=staff["outsider"],
        role=ProjectRole.MAINTAINER,
    )


def fill_projects(things: dict[str, object], deciders: dict[str, Member]) -> None:
    """Create the projects of an organization and their objects. deciders: people with a decided proposal, by name."""
    for name in PROJECTS:
        things[name] = ProjectFactory(organization=things["organization"], name=name.capitalize())
    project = things["project"]
    things["project membership"] = set_project_role(
        actor=Member.objects.system(), project=project, member=MemberFactory(), role=ProjectRole.VIEWER
    )
    things["flow"] = FlowFactory(project=project, name="A flow")
    things["persona"] = ActorFactory(project=project, name="A persona")
    things["repository"] = RepositoryFactory(project=project, name="example/harbour")
    things["template"] = TemplateFactory(project=project, name="Check the links")
    # Of the other project in the tests of the whole site; the library shows it to everyone.
    things["shared template"] = things["copied template"] = things["template"]
    things["config"] = ConfigFactory(project=project)
    things["paused config"] = ConfigFactory(project=things["paused project"], status=ConfigStatus.PAUSED)
    things["absence"] = add_absence(
        actor=Member.objects.system(),
        member=MemberFactory(),
        deputy=MemberFactory(),
        first=soon().date(),
        last=soon().date(),
    )
    things["notification"] = notify(
        actor=Member.objects.system(), member=deciders["superuser"], kind="mention", title="Look", project=project
    )
    things["access request"] = request_access(actor=MemberFactory(), project=project)
    _missions(things, project)
    things["comment"] = add_comment(actor=MemberFactory(), mission=things["board mission"], body="Where is the list?")
    for number, content in enumerate(("Look first.", "Look again.")):
        version = save_document(
            actor=MemberFactory(),
            mission=things["board mission"],
            name="solution.md",
            content=content,
            based_on=number,
        )
        things.setdefault("document version", version)
    _agents(things, project, deciders["superuser"])
    _runs(things, project, deciders)
    things["comment on a proposal"] = add_comment(actor=MemberFactory(), item=things["proposal"], body="Why this?")
    # Last, because nothing can be added to an archived project.
    things["archived project"].status = ProjectStatus.ARCHIVED
    things["archived project"].save(update_fields=["status"])


def _missions(things: dict[str, object], project) -> None:
    for name in ("board mission", "other board mission", "waiting board mission"):
        things[name] = MissionFactory(project=project, title=name.capitalize())
    things["unready board mission"] = MissionFactory(project=project, title="An idea", ready=False)
    things["board mission in review"] = MissionFactory(project=project, title="Look at this", list=List.REVIEW)
    add_dependency(
        actor=Member.objects.system(), mission=things["waiting board mission"], depends_on=things["other board mission"]
    )


def _agents(things: dict[str, object], project, owner: Member) -> None:
    """A workstation that the superuser registered, whose agent works on a mission."""
    things["workstation"] = register_workstation(
        actor=owner, organization=things["organization"], name=f"studio-{project.pk}"
    ).workstation
    map_projects(actor=owner, workstation=things["workstation"], projects=[project.pk])
    clone = Clone(things["repository"].pk, "/src/harbour")
    record_clones(actor=owner, workstation=things["workstation"], clones=[clone])
    MissionFactory(project=project, repository=things["repository"], title="Work of an agent", priority=5)
    things["agent session"] = claim_mission(actor=owner, workstation=things["workstation"], agent="ada")


def _runs(things: dict[str, object], project, deciders: dict[str, Member]) -> None:
    things["run"] = RunFactory(project=project)
    for name in ("proposal", "other proposal", "snoozed proposal"):
        things[name] = ItemFactory(run=things["run"], template=things["template"], title=name.capitalize())
    snooze_item(
        actor=Member.objects.system(), item=things["snoozed proposal"], until=timezone.now() + timedelta(days=3)
    )
    things["ended run"] = RunFactory(project=project)
    # Everyone has decided on a proposal, so that those who may undo a decision have their own.
    for actor in deciders:
        item = ItemFactory(run=things["ended run"], template=things["template"], title=f"Decided by {actor}")
        things[f"decided by {actor}"] = item
    for actor, person in deciders.items():
        discard_item(actor=person, item=things[f"decided by {actor}"], reason="not_needed")
    if not write_report(things["ended run"].pk):
        raise AssertionError("A run all of whose proposals are decided has ended.")


# The object of a URL, by model, by name of the route, and by name of a part.
OBJECTS = {
    "fallback/project": "project",
    "fallback/organization": "organization",
    "fallback/mission": "board mission",
    "fallback/workstation": "workstation",
    "fallback/flow": "flow",
    "fallback/actor": "persona",
    "fallback/projectrepository": "repository",
    "fallback/missionfallbackconfig": "config",
    "fallback/missionfallbacktemplate": "template",
    "fallback/missionfallbackrun": "run",
    "fallback/missionfallbackitem": "proposal",
    "fallback_missionfallbackconfig_resume": "paused config",
    "fallback_missionfallbackrun_report": "ended run",
    "fallback_project_restore": "archived project",
    "fallback_mission_make-ready": "unready board mission",
    "fallback_mission_remove-dependency": "waiting board mission",
    "fallback_mission_review": "board mission in review",
}
PARTS = {
    "request_id": "access request",
    "absence_id": "absence",
    "absence": "absence",
    "notification": "notification",
    "origin": "shared template",
    "copied": "copied template",
    "organization_id": "organization",
    "comment": "comment",
    "comment_id": "comment",
    "version_id": "document version",
    "workstation": "workstation",
    "session": "agent session",
    "project_id": "project",
    "mission_id": "board mission",
    "template_id": "template",
    "config_id": "config",
    "run_id": "ended run",
    "item_id": "proposal",
    "project": "project",
    "mission": "board mission",
    "template": "template",
    "run": "ended run",
    "item": "proposal",
}
CHOSEN = {
    "fallback/missionfallbackconfig pause": "config",
    "fallback/missionfallbackconfig snooze": "config",
    "fallback/missionfallbackconfig resume": "paused config",
    "fallback/mission move": "board mission",
    "fallback/mission make_ready": "unready board mission",
    "fallback/mission make_not_ready": "board mission",
    "fallback/project archive": "project",
    "fallback/project restore": "archived project",
    "fallback/missionfallbackrun cancel": "run",
    "fallback/missionfallbacktemplate launch": "template",
}


def part(things: dict[str, object], name: str, route_name: str, actor: str) -> str:
    """Return the value of a part of a URL of this app."""
    if name in ("item", "item_id") and route_name in ("fallback_item_undo", "undo_fallback_item"):
        return things.get(f"decided by {actor}", things["decided by superuser"]).pk
    if name == "comment" and route_name == "remove_item_comment":
        return things["comment on a proposal"].pk
    return things["snoozed proposal" if route_name == "fallback_item_unsnooze" else PARTS[name]].pk


def soon() -> datetime:
    return timezone.localtime() + timedelta(days=10)


def forms(things: dict[str, object]) -> dict[str, dict]:
    """Return valid data of this app's forms, by the name of their route."""
    project = {"project": things["project"].pk}
    named = {"name": "Something new", "description": "What it is for."}
    parts = {"flow": things["flow"].pk, "actor": things["persona"].pk, "repository": things["repository"].pk}
    work = {
        **parts,
        "priority": "4",
        "estimated_effort_minutes": "45",
        "max_open": "1",
        "tags": "docs",
        "enabled": "on",
    }
    figures = {
        "backlog_threshold": "7",
        "check_cadence_minutes": "30",
        "weekly_mission_cap": "11",
        "monthly_target_hours": "90",
    }
    mission = {"title": "A mission", "description": "Do it.", "priority": "2", "target_branch": "main", **parts}
    organization = {
        "name": "Pier trust",
        "slug": "pier-trust",
        "timezone": "Europe/Lisbon",
        "fallback_enabled": "on",
        "fallback_rollout_percent": "50",
    }
    new_project = {"name": "A new project", "slug": "a-new-project", "privacy": "private", "fallback_enabled": "on"}
    flow = {**named, "stages": "plan\ndo"}
    repository = {"name": "example/new", "url": "https://example.org/new", "default_branch": "main"}
    reason = {"reason": "Because it is time"}
    role = {"member": things["member"].email, "role": "viewer"}
    until = {"until_0": f"{soon():%Y-%m-%d}", "until_1": "09:00:00"}
    chosen = {"items": [things["proposal"].pk, things["other proposal"].pk]}
    return {
        "fallback_project_add": {"organization": things["organization"].pk, **new_project},
        "fallback_project_change": {**new_project, "stale_after_days": "14", "on_merge": "review"},
        "fallback_project_set-role": role,
        "fallback_project_remove-member": {"membership": things["project membership"].pk},
        "fallback_project_request-access": {"message": "I would like to help."},
        "fallback_access_decide": {"role": "viewer"},
        "fallback_project_archive": reason,
        "fallback_project_restore": reason,
        "fallback_organization_add": organization,
        "fallback_organization_change": organization,
        "fallback_organization_set-role": {**role, "role": "member"},
        "fallback_organization_notification-defaults": {"run_failed": "inbox_email"},
        "fallback_mission_assign": {"kind": "work", "member": things["assignee"].member_id},
        "fallback_missionfallbackitem_assign": {"member": things["assignee"].member_id},
        "fallback_absences": {
            "member": things["project membership"].member.member_id,
            "deputy": things["member"].email,
            "first": f"{soon():%Y-%m-%d}",
            "last": f"{soon():%Y-%m-%d}",
        },
        "fallback_hand_over": {
            "member": things["project membership"].member.member_id,
            "to": things["assignee"].member_id,
        },
        "fallback_unstar": {"project": things["project"].pk},
        "fallback_mission_comment": {"body": "It is here."},
        "fallback_mission_link-pull-request": {"url": "https://github.com/example/harbour/pull/9"},
        "fallback_mission_document": {"name": "solution.md", "based_on": "2", "content": "Done."},
        "fallback_item_comment": {"body": "It is here."},
        "fallback_comment_edit": {"body": "It is here."},
        "fallback_inbox_settings": {
            "run_failed": "inbox_digest",
            "quiet_from": "22:00",
            "quiet_to": "07:00",
            "digest_hour": "9",
        },
        "fallback_flow_add": {**project, **flow},
        "fallback_flow_change": flow,
        "fallback_actor_add": {**project, **named},
        "fallback_actor_change": named,
        "fallback_projectrepository_add": {**project, **repository},
        "fallback_projectrepository_change": repository,
        "fallback_missionfallbacktemplate_add": {**project, **named, **work},
        "fallback_missionfallbacktemplate_change": {**named, **work},
        "fallback_missionfallbackconfig_add": {"project": things["bare project"].pk, **figures},
        "fallback_missionfallbackconfig_change": figures,
        "fallback_missionfallbackconfig_pause": reason,
        "fallback_missionfallbackconfig_snooze": until,
        "fallback_mission_add": {**project, **mission},
        "fallback_mission_change": {**mission, "stage": "plan", "pr_mode": "auto"},
        "fallback_mission_move": {"to": "doing"},
        "fallback_mission_review": {"status": "approved", "feedback": "Good."},
        "fallback_mission_add-dependency": {"depends_on": things["other board mission"].pk},
        "fallback_mission_remove-dependency": {"depends_on": things["other board mission"].pk},
        "fallback_mission_position": {"list": "todo", "after": things["other board mission"].pk},
        "fallback_mission_ready_now": {"ready": "0"},
        "fallback_review_accept": chosen,
        "fallback_review_discard": {**chosen, "reason": "unclear", "feedback": "Which ones?"},
        "fallback_item_accept": {
            "title": "Check every link",
            "description": "All of them.",
            "priority": "5",
            "estimated_effort_minutes": "30",
        },
        "fallback_item_discard": {"reason": "not_needed", "feedback": "Done last week."},
        "fallback_item_snooze": {"until": "tomorrow"},
        "fallback_item_duplicate": {"mission": things["board mission"].pk, "feedback": "The same."},
    }


def bodies(things: dict[str, object]) -> dict[tuple[str, str], dict]:
    """Return valid bodies of this app's API operations, by URL and method."""
    at, own, session = "api/projects/<project>", "api/workstations/<workstation>", "api/agent-sessions/<session>"
    clone = {"repository": things["repository"].pk, "path": "/src/harbour-2"}
    return {
        (f"{at}/missions", "POST"): {"title": "A mission", "description": "Do it.", "priority": 2, "ready": True},
        (f"{at}/missions/<mission>", "PATCH"): {"title": "A better title", "ready": False},
        (f"{at}/missions/<mission>/assign", "POST"): {
            "kind": "work",
            "member": things["assignee"].member_id,
        },
        (f"{at}/missions/<mission>/comments", "POST"): {"body": "It is here."},
        (f"{at}/fallback/items/<item>/comments", "POST"): {"body": "It is here."},
        (f"{at}/fallback/items/<item>/assign", "POST"): {"member": things["assignee"].member_id},
        (f"{at}/missions/<mission>/document", "PUT"): {"name": "solution.md", "content": "Done.", "based_on": 2},
        (f"{at}/missions/<mission>/move", "POST"): {"list": "todo", "after": things["other board mission"].pk},
        ("api/inbox/read", "POST"): {"notifications": [things["notification"].pk]},
        ("api/inbox/<notification>/snooze", "POST"): {"until": soon().isoformat()},
        ("api/absences", "POST"): {
            "deputy": things["project membership"].member.member_id,
            "first": f"{soon():%Y-%m-%d}",
            "last": f"{soon():%Y-%m-%d}",
        },
        ("api/stars", "POST"): {"mission": things["board mission"].pk, "starred": True},
        ("api/library", "POST"): {"template": things["template"].pk},
        ("api/library/<origin>/copy", "POST"): {"project": things["project"].pk},
        ("api/library/copies/<copied>/take-over", "POST"): {"fields": ["description"]},
        ("api/workstations", "POST"): {"organization": things["organization"].pk, "name": "studio-2"},
        (f"{own}/projects", "PUT"): {"projects": [things["project"].pk]},
        (f"{own}/clones", "PUT"): {"clones": [clone]},
        (f"{own}/worktrees", "PUT"): {"worktrees": [clone]},
        (f"{own}/claim", "POST"): {"agent": "eve"},
        (f"{session}/document", "PUT"): {"name": "solution.md", "content": "Done."},
        (f"{session}/log", "POST"): {"offset": 0, "text": "Running"},
        (f"{session}/pull-request", "POST"): {"number": 7},
        (f"{session}/end", "POST"): {"status": "failed"},
        (f"{at}/fallback/runs", "POST"): {"dry_run": False},
        (f"{at}/fallback/items/<item>/accept", "POST"): {"title": "Check every link", "priority": 5},
        (f"{at}/fallback/items/<item>/discard", "POST"): {"reason": "not_needed", "feedback": "Done last week."},
        (f"{at}/fallback/items/<item>/snooze", "POST"): {"until": soon().isoformat()},
    }


def action_body(things: dict[str, object], action: str) -> dict:
    """Return the form data of an action of a list of this app."""
    if action == "snooze":
        return forms(things)["fallback_missionfallbackconfig_snooze"]
    return {"to": "doing"} if action == "move" else {}
