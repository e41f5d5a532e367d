"""The demo accounts: one per role, one with rights in two projects only, and one member without staff rights."""

import secrets
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from fallback.models import Project
from fallback.models.choices import ProjectRole
from fallback.services.projects import set_project_role
from groups.models import Member, Mission
from groups.models.directory import PrimaryRole
from groups.services.directory import approve, create_entry
from groups.services.memberships import join_mission
from missionsite.roles import ROLES

DOMAIN = "demo.example"
ADMINISTRATOR = "Administrator"
# Staff without a role, whose rights come from two projects.
PROJECT_MEMBER = "Project Member"
PROJECT_ROLES = {"trust-builder": ProjectRole.REVIEWER, "webinar-season-1": ProjectRole.VIEWER}
# Not staff: a member with a directory entry, who can use /me/ and /directory/.
MEMBER = "Member"
TELEGRAM_ID = "700199999"
KINDS = (*ROLES, PROJECT_MEMBER, MEMBER)


@dataclass(frozen=True)
class Account:
    """The log-in data of a new account."""

    role: str
    email: str
    password: str


def email_of(role: str) -> str:
    """The e-mail of a role's account, as in mission.manager@demo.example."""
    return f"{role.lower().replace(' ', '.')}@{DOMAIN}"


@transaction.atomic
def create_missing() -> list[Account]:
    """Create the missing accounts and return them."""
    members = get_user_model().objects
    existing = set(members.filter(email__in=map(email_of, KINDS)).values_list("email", flat=True))
    return [_create(role) for role in KINDS if email_of(role) not in existing]


@transaction.atomic
def set_new_passwords() -> list[Account]:
    """Set a new password for every demo account and return all accounts."""
    created = {account.role: account for account in create_missing()}
    accounts = []
    for role in KINDS:
        if role not in created:
            member = get_user_model().objects.get(email=email_of(role))
            password = _password()
            member.set_password(password)
            member.save(update_fields=["password"])
            created[role] = Account(role, member.email, password)
        accounts.append(created[role])
    return accounts


def _create(role: str) -> Account:
    account = Account(role, email_of(role), _password())
    member = get_user_model().objects.create_user(
        email=account.email,
        password=account.password,
        display_name=f"Demo {role}",
        is_staff=role != MEMBER,
        is_superuser=role == ADMINISTRATOR,
    )
    if role == MEMBER:
        _add_directory_entry(member)
    elif role == PROJECT_MEMBER:
        for project in Project.objects.filter(slug__in=PROJECT_ROLES):
            set_project_role(
                actor=Member.objects.system(), project=project, member=member, role=PROJECT_ROLES[project.slug]
            )
    else:
        member.groups.set([Group.objects.get(name=role)])
    return account


def _add_directory_entry(member: Member) -> None:
    """Add an approved directory entry, and a membership in the first mission that is open to everyone."""
    entry = create_entry(
        actor=Member.objects.system(),
        person=member,
        name=member.display_name,
        primary_role=PrimaryRole.DEVELOPER,
        telegram_id=TELEGRAM_ID,
    )
    approve(actor=Member.objects.system(), entry=entry)
    mission = Mission.objects.filter(status=Mission.Status.ACTIVE, min_trust_score=0).order_by("stable_id").first()
    if mission:
        join_mission(actor=member, member=member, mission=mission, role="Member")


def _password() -> str:
    return secrets.token_urlsafe(12)
