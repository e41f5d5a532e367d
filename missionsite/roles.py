"""The roles of the back office: the built-in ones with their permissions, and the services of custom ones.

`migrate` writes the built-in roles to the database and leaves other roles unchanged.
"""

from collections.abc import Iterable
from typing import cast

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat
from django.db.models.signals import post_migrate

from groups.models import Member
from missionsite.common.accounts.factors import lacks_factor
from missionsite.common.accounts.sessions import end_sessions
from missionsite.common.audit.events import audit, audit_changes
from missionsite.common.changes import apply_changes
from missionsite.common.models import RoleRequirement
from missionsite.common.transactions import service
from missionsite.models import Role

NOUNS = (
    "mission",
    "colony",
    "member",
    "membership",
    "joinrequest",
    "task",
    "event",
    "communitymember",
    "communityinvitation",
    "memberrelationship",
    "memberparticipation",
    "possibleduplicate",
    "communityreturn",
    "peoplejob",
    "tag",
    "customfield",
)
ENGAGEMENT_NOUNS = (
    "userengagementstate",
    "engagementstatetransition",
    "engagementmessage",
    "messagetemplate",
    "userprofile",
    "announcement",
    "replyphrase",
    "bouncedaddress",
    "unassignedmessage",
    "sequence",
    "sequencestep",
)


def _perms(verb: str, *nouns: str, app: str = "groups") -> frozenset[str]:
    return frozenset(f"{app}.{verb}_{noun}" for noun in nouns)


VIEW = _perms("view", *NOUNS) | _perms("view", *ENGAGEMENT_NOUNS, app="engagement")
RUN_MISSIONS = (
    _perms("add", "mission", "task")
    | _perms("change", "mission", "task")
    | _perms("add", "tag")
    | _perms("change", "tag")
    | _perms("delete", "tag")
    | {"groups.manage_memberships", "groups.archive_group"}
)
MANAGE_MEMBERS = (
    _perms("add", "member", "communitymember", "communityinvitation", "memberrelationship", "memberparticipation")
    | _perms("change", "member", "communitymember", "communityinvitation")
    | _perms("approve", "communitymember")
    | _perms("verify", "communitymember")
    | _perms("import", "communitymember")
    | _perms("export", "communitymember")
    | _perms("remove", "communitymember")
    | _perms("merge", "communitymember")
    | _perms("approve", "peoplejob")
    | _perms("add", "tag")
    | _perms("change", "tag")
    | _perms("delete", "tag")
    | {"groups.manage_memberships", "groups.invite_many"}
)
MESSAGE_MEMBERS = _perms(
    "change", "userprofile", "announcement", "bouncedaddress", "unassignedmessage", app="engagement"
) | {"engagement.add_announcement"}
OPERATE_ENGAGEMENT = MESSAGE_MEMBERS | {
    "engagement.add_messagetemplate",
    "engagement.change_messagetemplate",
    "engagement.add_sequence",
    "engagement.change_sequence",
    "engagement.add_sequencestep",
    "engagement.change_sequencestep",
    "engagement.add_replyphrase",
    "engagement.change_replyphrase",
    "engagement.handle_engagementmessage",
    "engagement.move_userengagementstate",
}
VIEW_PROJECTS = frozenset({"fallback.every_project"})
WORK_ON_BOARDS = VIEW_PROJECTS | {"fallback.change_mission"}
REVIEW_PROPOSALS = WORK_ON_BOARDS | {"fallback.review_missionfallbackitem"}
MAINTAIN_PROJECTS = REVIEW_PROPOSALS | {"fallback.change_project"}
# Members who can view a client mission can view its checklist, chats and test runs.
VIEW_DECK = _perms("view", "deckmission", "citizen", "dodtemplate", app="missiondeck")
DELIVER = VIEW_DECK | {
    "missiondeck.add_deckmission",
    "missiondeck.change_deckmission",
    "missiondeck.change_deckmission_status",
    "missiondeck.override_deckmission",
    "missiondeck.add_chatmessage",
    "missiondeck.add_dodcomment",
    "missiondeck.add_deckcost",
    "missiondeck.add_testrun",
    "missiondeck.add_citizen",
    "missiondeck.change_citizen",
    "missiondeck.add_dodtemplate",
    "missiondeck.change_dodtemplate",
}
VIEW_ACCESS = frozenset(
    {
        "missionsite.view_role",
        "common.view_securityevent",
        "common.view_auditentry",
        "common.view_retentionrun",
        "common.view_bulkedit",
    }
)

ROLES: dict[str, frozenset[str]] = {
    "Administrator": VIEW
    | RUN_MISSIONS
    | MANAGE_MEMBERS
    | VIEW_ACCESS
    | MAINTAIN_PROJECTS
    | OPERATE_ENGAGEMENT
    | DELIVER
    | _perms("add", "colony")
    | _perms("change", "colony")
    | _perms("add", "customfield")
    | _perms("change", "customfield")
    | {"groups.erase_communitymember", "groups.grant_access", "missionsite.add_role", "missionsite.change_role"}
    | {"common.apply_retention"},
    "Mission Manager": VIEW | RUN_MISSIONS | _perms("change", "colony") | WORK_ON_BOARDS | VIEW_DECK,
    "Community Manager": VIEW | MANAGE_MEMBERS | MESSAGE_MEMBERS,
    "Engagement Operator": VIEW | OPERATE_ENGAGEMENT,
    "Fallback Reviewer": VIEW | _perms("add", "task") | _perms("change", "task") | REVIEW_PROPOSALS,
    "Delivery Lead": VIEW | _perms("add", "task") | _perms("change", "task", "mission") | WORK_ON_BOARDS | DELIVER,
    "Auditor": VIEW | VIEW_ACCESS | VIEW_PROJECTS | VIEW_DECK,
}


def assignable_permissions() -> QuerySet[Permission]:
    """Return the permissions that a custom role can have: those that a built-in role has."""
    code = Concat("content_type__app_label", Value("."), "codename")
    used = frozenset[str]().union(*ROLES.values())
    return Permission.objects.alias(code=code).filter(code__in=used).select_related("content_type")


@service
def create_role(*, actor: Member, name: str, permissions: Iterable[Permission] = ()) -> Role:
    """Create a custom role."""
    role = cast(Role, Role.objects.create(name=name))
    role.permissions.set(permissions)
    audit("role.created", actor=actor, role=name, changed={"name": ["", name], "permissions": [[], _codes(role)]})
    return role


@service
def change_role(
    *, actor: Member, role: Role, name: str | None = None, permissions: Iterable[Permission] | None = None
) -> Role:
    """Change the name of a custom role, or replace its permissions; None leaves them unchanged."""
    current = cast(Role, Role.objects.select_for_update().get(pk=role.pk))
    changed = {} if name is None else apply_changes(current, {"name": name})
    if permissions is not None:
        before = _codes(current)
        current.permissions.set(permissions)
        if before != (after := _codes(current)):
            changed["permissions"] = [before, after]
    audit_changes("role.changed", actor=actor, role=current.name, changed=changed)
    return current


@service
def set_second_factor(*, actor: Member, role: Role, required: bool) -> Role:
    """Set whether the members of a role need a second factor.

    If so, those without one are logged out, and set one up when they log in again.
    """
    if not required and not RoleRequirement.objects.filter(role=role.pk).exists():
        return role
    requirement, _created = RoleRequirement.objects.select_for_update().get_or_create(role_id=role.pk)
    if requirement.second_factor == required:
        return role
    requirement.second_factor = required
    requirement.save(update_fields=["second_factor"])
    audit("role.changed", actor=actor, role=role.name, changed={"second_factor": [not required, required]})
    if required:
        for member in Member.objects.filter(groups=role.pk):
            if lacks_factor(member):
                end_sessions(member=member)
    return role


def _codes(role: Role) -> list[str]:
    """Return the permissions of a role as `app.codename`, sorted."""
    rows = role.permissions.values_list("content_type__app_label", "codename")
    return sorted(f"{app}.{codename}" for app, codename in rows)


def synchronise(app_config=None, using: str = DEFAULT_DB_ALIAS, **kwargs) -> None:
    """Write the built-in roles with exactly their permissions, in a fixed number of statements.

    Connected to post_migrate. A permission whose app is not migrated yet is skipped and added once it is.
    """
    from django.contrib.auth.models import Group

    if app_config is not None:
        # Django creates an app's permissions in the same signal, possibly later than this receiver.
        create_permissions(app_config, verbosity=0, using=using)
    Group.objects.using(using).bulk_create([Group(name=name) for name in ROLES], ignore_conflicts=True)
    roles = dict(Group.objects.using(using).filter(name__in=ROLES).values_list("name", "pk"))
    rows = Permission.objects.using(using).values_list("content_type__app_label", "codename", "pk")
    known = {f"{app}.{codename}": pk for app, codename, pk in rows}
    links = Group.permissions.through.objects.using(using)
    wanted = {(roles[name], known[code]) for name, codes in ROLES.items() for code in codes if code in known}
    existing = {
        (role, permission): pk
        for pk, role, permission in links.filter(group__in=roles.values()).values_list("pk", "group", "permission")
    }
    missing = sorted(wanted - existing.keys())
    links.bulk_create(
        [links.model(group_id=role, permission_id=permission) for role, permission in missing], ignore_conflicts=True
    )
    links.filter(pk__in=[pk for link, pk in existing.items() if link not in wanted]).delete()


def connect() -> None:
    """Synchronise after each migration of an app that has permissions for the roles."""
    for label in ("missionsite", "common", "groups", "fallback", "engagement", "missiondeck"):
        post_migrate.connect(synchronise, sender=apps.get_app_config(label), dispatch_uid=f"missionsite.roles.{label}")
