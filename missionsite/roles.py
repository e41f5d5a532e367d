"""The roles of the back office and what each may do.

`migrate` writes them to the database. A role made by hand beside them is left alone.
"""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_migrate

NOUNS = (
    "mission",
    "colony",
    "member",
    "membership",
    "task",
    "event",
    "communitymember",
    "communityinvitation",
    "memberrelationship",
    "memberparticipation",
)
ENGAGEMENT_NOUNS = (
    "userengagementstate",
    "engagementstatetransition",
    "engagementmessage",
    "messagetemplate",
    "userprofile",
    "announcement",
)


def _can(verb: str, *nouns: str, app: str = "groups") -> frozenset[str]:
    return frozenset(f"{app}.{verb}_{noun}" for noun in nouns)


LOOK = _can("view", *NOUNS) | _can("view", *ENGAGEMENT_NOUNS, app="engagement")
RUN_MISSIONS = (
    _can("add", "mission", "task") | _can("change", "mission", "task") | {"groups.seat_member", "groups.archive_group"}
)
LOOK_AFTER_MEMBERS = (
    _can("add", "member", "communitymember", "communityinvitation", "memberrelationship", "memberparticipation")
    | _can("change", "member", "communitymember", "communityinvitation")
    | _can("approve", "communitymember")
    | _can("verify", "communitymember")
    | _can("import", "communitymember")
    | _can("export", "communitymember")
    | _can("remove", "communitymember")
    | {"groups.seat_member", "groups.invite_many"}
)
WRITE_TO_MEMBERS = _can("change", "userprofile", "announcement", app="engagement") | {"engagement.add_announcement"}
OPERATE_ENGAGEMENT = WRITE_TO_MEMBERS | {
    "engagement.add_messagetemplate",
    "engagement.change_messagetemplate",
    "engagement.handle_engagementmessage",
    "engagement.move_userengagementstate",
}
SEE_PROJECTS = frozenset({"fallback.every_project"})
WORK_ON_BOARDS = SEE_PROJECTS | {"fallback.change_mission"}
REVIEW_PROPOSALS = WORK_ON_BOARDS | {"fallback.review_missionfallbackitem"}
MAINTAIN_PROJECTS = REVIEW_PROPOSALS | {"fallback.change_project"}
# Whoever sees a client mission sees its checklist, chats and test runs.
LOOK_AT_DECK = _can("view", "deckmission", app="missiondeck")
DELIVER = LOOK_AT_DECK | {
    "missiondeck.add_deckmission",
    "missiondeck.change_deckmission",
    "missiondeck.move_deckmission",
    "missiondeck.override_deckmission",
    "missiondeck.add_chatmessage",
    "missiondeck.add_testrun",
}
LOOK_AT_ACCESS = frozenset({"missionsite.view_role"})

ROLES: dict[str, frozenset[str]] = {
    "Administrator": LOOK
    | RUN_MISSIONS
    | LOOK_AFTER_MEMBERS
    | LOOK_AT_ACCESS
    | MAINTAIN_PROJECTS
    | OPERATE_ENGAGEMENT
    | DELIVER
    | _can("add", "colony")
    | _can("change", "colony")
    | {"groups.erase_communitymember", "groups.grant_access", "missionsite.add_role", "missionsite.change_role"},
    "Mission Manager": LOOK | RUN_MISSIONS | _can("change", "colony") | WORK_ON_BOARDS | LOOK_AT_DECK,
    "Community Manager": LOOK | LOOK_AFTER_MEMBERS | WRITE_TO_MEMBERS,
    "Engagement Operator": LOOK | OPERATE_ENGAGEMENT,
    "Fallback Reviewer": LOOK | _can("add", "task") | _can("change", "task") | REVIEW_PROPOSALS,
    "Delivery Lead": LOOK | _can("add", "task") | _can("change", "task", "mission") | WORK_ON_BOARDS | DELIVER,
    "Auditor": LOOK | LOOK_AT_ACCESS | SEE_PROJECTS | LOOK_AT_DECK,
}


def synchronise(app_config=None, using: str = DEFAULT_DB_ALIAS, **kwargs) -> None:
    """Write the roles and exactly their permissions, in a fixed number of statements.

    Connected to post_migrate. A permission whose app is not migrated yet is skipped; the round after it adds it.
    """
    from django.contrib.auth.models import Group, Permission

    if app_config is not None:
        # Django makes an app's permissions in the same round, maybe after this.
        create_permissions(app_config, verbosity=0, using=using)
    Group.objects.using(using).bulk_create([Group(name=name) for name in ROLES], ignore_conflicts=True)
    roles = dict(Group.objects.using(using).filter(name__in=ROLES).values_list("name", "pk"))
    rows = Permission.objects.using(using).values_list("content_type__app_label", "codename", "pk")
    known = {f"{app}.{codename}": pk for app, codename, pk in rows}
    links = Group.permissions.through.objects.using(using)
    wanted = {(roles[name], known[code]) for name, codes in ROLES.items() for code in codes if code in known}
    held = {
        (role, permission): pk
        for pk, role, permission in links.filter(group__in=roles.values()).values_list("pk", "group", "permission")
    }
    missing = sorted(wanted - held.keys())
    links.bulk_create(
        [links.model(group_id=role, permission_id=permission) for role, permission in missing], ignore_conflicts=True
    )
    links.filter(pk__in=[pk for link, pk in held.items() if link not in wanted]).delete()


def connect() -> None:
    """Synchronise whenever an app with permissions of ours was migrated."""
    for label in ("missionsite", "common", "groups", "fallback", "engagement", "missiondeck"):
        post_migrate.connect(synchronise, sender=apps.get_app_config(label), dispatch_uid=f"missionsite.roles.{label}")
