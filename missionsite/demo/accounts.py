"""A staff account per role, and one with rights in two projects only: the site through each pair of eyes."""

import secrets
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from fallback.models import Project
from fallback.models.choices import ProjectRole
from fallback.services.projects import set_project_role
from missionsite.roles import ROLES

DOMAIN = "demo.example"
ADMINISTRATOR = "Administrator"
# Staff without a role of the back office: what they may do comes from their projects.
PROJECT_MEMBER = "Project Member"
PROJECT_ROLES = {"trust-builder": ProjectRole.REVIEWER, "webinar-season-1": ProjectRole.VIEWER}
KINDS = (*ROLES, PROJECT_MEMBER)


@dataclass(frozen=True)
class Account:
    """How to log in as a role; the password is known only now."""

    role: str
    email: str
    password: str


def email_of(role: str) -> str:
    """The address of a role's account: "Mission Manager" logs in as mission.manager@demo.example."""
    return f"{role.lower().replace(' ', '.')}@{DOMAIN}"


@transaction.atomic
def create_missing() -> list[Account]:
    """Create the accounts that are not there and return those."""
    members = get_user_model().objects
    there = set(members.filter(email__in=map(email_of, KINDS)).values_list("email", flat=True))
    return [_create(role) for role in KINDS if email_of(role) not in there]


@transaction.atomic
def set_new_passwords() -> list[Account]:
    """Give every demo account a new password and return them all; the old ones stop working."""
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
        is_staff=True,
        is_superuser=role == ADMINISTRATOR,
    )
    if role == PROJECT_MEMBER:
        for project in Project.objects.filter(slug__in=PROJECT_ROLES):
            set_project_role(project=project, member=member, role=PROJECT_ROLES[project.slug])
    else:
        member.groups.set([Group.objects.get(name=role)])
    return account


def _password() -> str:
    return secrets.token_urlsafe(12)
