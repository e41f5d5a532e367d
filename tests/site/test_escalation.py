"""Only administrators grant permissions or take over accounts that have some, by any form of the site.

Every form of every address is sent with every field that could grant something, to every kind of account.
"""

import copy
from collections.abc import Iterable
from itertools import pairwise
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group as DjangoGroup
from django.contrib.auth.models import Permission
from django.db import connection

from fallback.models import OrganizationMembership, Project, ProjectMember
from groups.admin.members import MemberAdmin
from groups.models import Group, Member
from missionsite.common.admin.form_keys import FORM_KEY_FIELD, new_form_key
from missionsite.common.models import ApiToken
from missionsite.roles import ROLES
from tests.site import projects
from tests.site.routes import Route, routes
from tests.site.world import NEW_PASSWORD, Watch, World, address, body_of, query_of, undone
from tests.support.sample import share

pytestmark = pytest.mark.django_db

UNTRUSTED = [*(role for role in ROLES if role != "Administrator"), "no role", "member", "inactive", "anonymous"]
UNTRUSTED += [*projects.PROJECT_STAFF, *projects.OTHERS]
# A build has each attempt made by one of them at most, by others the next day; `bin/test --long` by all.
PARTS = 96
# Who gives roles in which projects; no one else here gives any.
GIVES_IN = {
    "project maintainer": {"pk__in": projects.PROJECTS},
    "organisation owner": {"organization": "organization"},
    "outsider": {"pk__in": ("another project",)},
}
# Accounts with permissions, and accounts with permissions in their history.
TARGETS = ("administrator", "colleague", "former administrator", "former colleague", "self", "member")


def rights() -> dict:
    """Return all data that decides permissions, and log-ins of accounts with permissions."""
    people = {
        str(row[0]): row[1:]
        for row in Member.objects.values_list("pk", "is_staff", "is_superuser").order_by("pk")
        if row[1] or row[2]
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT id::text, email, password, is_active FROM members WHERE is_staff OR is_superuser")
        accounts = sorted(cursor.fetchall())
    return {
        "people": people,
        "accounts": accounts,
        "roles": sorted(Member.groups.through.objects.values_list("member", "group")),
        "direct": sorted(Member.user_permissions.through.objects.values_list("member", "permission")),
        "of roles": sorted(DjangoGroup.permissions.through.objects.values_list("group", "permission")),
        "role names": sorted(DjangoGroup.objects.values_list("pk", "name")),
        "tokens": sorted(ApiToken.objects.values_list("pk", "owner", "revoked_at")),
    }


def rights_in_projects(world: World, actor: str) -> dict:
    """Return all data that decides permissions in projects, except those in which this person grants roles."""
    others, organizations = Project.objects.all(), OrganizationMembership.objects.all()
    if "pk__in" in (given := GIVES_IN.get(actor, {})):
        others = others.exclude(pk__in=[world[name].pk for name in given["pk__in"]])
    elif given:
        others = others.exclude(organization=world["organization"])
        organizations = organizations.exclude(organization=world["organization"])
    members = ProjectMember.objects.filter(project__in=others)
    return {
        "projects": sorted(others.values_list("pk", "organization", "privacy", "status")),
        "project roles": sorted(members.values_list("project", "member", "role")),
        "organisation roles": sorted(organizations.values_list("organization", "member", "role")),
    }


def greedy_in_projects(world: World, actor: str, route: Route) -> dict:
    """Return every field that could grant this person a role in a project."""
    oneself = world.staff.get(actor) or world["member"]
    return {
        "member": oneself.email,
        "role": "owner" if "organization" in route.template else "maintainer",
        "organization": world["organization"].pk,
        "project": world["project"].pk,
        "projects": [world["project"].pk],
        "members": [oneself.pk],
        "privacy": "organization",
        "status": "active",
        "is_archived": "",
    }


def greedy(world: World) -> dict:
    """Return every field that could grant an account or a permission."""
    return {
        "is_staff": "on",
        "is_superuser": "on",
        "groups": list(DjangoGroup.objects.values_list("pk", flat=True)),
        "user_permissions": list(Permission.objects.values_list("pk", flat=True)),
        "permissions": list(Permission.objects.values_list("pk", flat=True)),
        "password": NEW_PASSWORD,
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
        "new_password1": NEW_PASSWORD,
        "new_password2": NEW_PASSWORD,
        "old_password": "a guess",
        "usable_password": "true",
        "email": "taken-over@example.org",
        "display_name": "Taken over",
        "trust_score": "0",
        "is_active": "on",
        "owner": world["administrator"].pk,
        "created_by": world["administrator"].pk,
    }


def attempts(world: World, actor: str):
    """Every address and body worth trying: each form on each account, each entry of each history."""
    wanted = greedy(world)
    for route in routes():
        body = {**body_of(world, route), **wanted}
        if route.template.startswith("admin/fallback/"):
            body |= greedy_in_projects(world, actor, route)
        about_members = route.template.startswith("admin/groups/member/<object_id>")
        for target in TARGETS if about_members else ("",):
            if target == "self" and actor == "anonymous":
                continue
            yield address(world, route, actor, target), body, query_of(world, route)
    for target in TARGETS:
        person = world.staff.get(actor) if target == "self" else world[target]
        for entry in person.history.values_list("pgh_id", flat=True) if person else ():
            yield f"/admin/groups/member/{person.pk}/history/{entry}/revert/", {}, {}
    chosen = [world[name].pk for name in TARGETS if name != "self"]
    for action in ("password", "deactivate", "activate", "add_to_mission", "delete_selected"):
        yield "/admin/groups/member/", {"action": action, "_selected_action": chosen, "apply": "1"}, {}
    tokens = list(ApiToken.objects.exclude(owner=world.staff.get(actor)).values_list("pk", flat=True))
    yield "/admin/common/apitoken/", {"action": "revoke", "_selected_action": tokens, "apply": "1"}, {}
    for token in tokens:
        yield f"/admin/common/apitoken/{token}/revoke/", {}, {}


def encoded(body: dict) -> dict:
    """A form with a file as multipart; the others, with hundreds of rights in them, in the form that is read fast.

    Each has a new form key, as a page has.
    """
    body = {FORM_KEY_FIELD: new_form_key(), **body}
    if any(hasattr(value, "read") for value in body.values()):
        return {"data": body}
    return {"data": urlencode(body, doseq=True), "content_type": "application/x-www-form-urlencoded"}


def taken(world: World, actor: str, tried: Iterable[tuple[str, dict, dict]]) -> list[str]:
    """Return the attempts that changed permissions, other than this person's own log-in and tokens."""
    before, found, watch = rights() | rights_in_projects(world, actor), [], Watch()
    own = str(world.staff[actor].pk) if actor in world.staff else ""
    client = world.client(actor)
    logged_in = copy.copy(client.cookies)
    for target, body, query in tried:
        client.cookies = copy.copy(logged_in)
        watch.wrote()
        with undone():
            client.post(target, **encoded(body), query_params=query)
            # Without a written row no permission has changed.
            if not watch.wrote():
                continue
            after = rights() | rights_in_projects(world, actor)
        after["tokens"] = [row for row in after["tokens"] if str(row[1]) != own or row in before["tokens"]]
        own_tokens = [row for row in before["tokens"] if str(row[1]) == own]
        after["tokens"] = sorted({*after["tokens"], *own_tokens})
        if after != before:
            found.append(f"{target}: {', '.join(name for name in before if before[name] != after[name])}")
    return found


@pytest.mark.parametrize("actor", UNTRUSTED)
def test_no_form_grants_permissions(world, actor):
    assert taken(world, actor, share(attempts(world, actor), of=PARTS, shift=UNTRUSTED.index(actor))) == []


def test_escalation_is_found_without_account_guard(world, monkeypatch):
    """Negative control: without the guard, a community manager takes over accounts with permissions."""
    monkeypatch.setattr(MemberAdmin, "has_object_permission", lambda self, request, obj: True)
    administrator = f"/admin/groups/member/{world['administrator'].pk}/"
    forms = (f"{administrator}password/", f"{administrator}change/")
    tried = [each for each in attempts(world, "Community Manager") if each[0] in forms]
    found = "\n".join(taken(world, "Community Manager", tried))
    for form in forms:
        assert f"{form}: accounts" in found


def test_escalation_is_found_without_role_check(world, monkeypatch):
    """Negative control: without the permission check, a viewer of a project becomes its maintainer."""
    monkeypatch.setattr("fallback.selectors.rights.Rights.allows", lambda self, right, project: True)
    monkeypatch.setattr("fallback.admin.organizations.maintains_organization", lambda member, organization: True)
    tried = [each for each in attempts(world, "project viewer") if each[0].endswith("/set-role/")]
    found = "\n".join(taken(world, "project viewer", tried))
    assert f"/admin/fallback/project/{world['project'].pk}/set-role/: project roles" in found
    assert f"/admin/fallback/organization/{world['organization'].pk}/set-role/: organisation roles" in found


ELSEWHERE = ["https://example.org/", "//example.org/", "/\\example.org/", "javascript:alert(1)", "http:example.org"]


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_next_rejects_other_sites(world, elsewhere):
    """Every form of projects and client missions, with a way back that leads elsewhere, in the address or a field.

    A build sends one of these ways to every third form, another one the next day.
    """
    client = world.client("superuser")
    forms = [route for route in routes() if route.template.startswith(("admin/fallback/", "admin/missiondeck/"))]
    for route in share(forms, of=3 * len(ELSEWHERE), shift=ELSEWHERE.index(elsewhere)):
        target, body = address(world, route, "superuser"), body_of(world, route)
        for query, form in (({"next": elsewhere}, body), ({}, {**body, "next": elsewhere})):
            with undone():
                answer = client.post(target, form, query_params={**query_of(world, route), **query})
            where = answer.headers.get("Location", "")
            assert not where or (where.startswith("/") and not where.startswith(("//", "/\\"))), (target, where)


def revert(world: World, actor: str, model: str, obj, field: str):
    """Revert the newest change of a field of an object."""
    entries = list(obj.history.order_by("pgh_id"))
    changed = [new for old, new in pairwise(entries) if getattr(old, field) != getattr(new, field)]
    target = f"/admin/groups/{model}/{obj.pk}/history/{changed[-1].pgh_id}/revert/"
    return world.client(actor).post(target)


@pytest.mark.parametrize("actor", ["Community Manager", "Administrator"])
def test_revert_does_not_make_administrator(world, actor):
    person = world["former administrator"]
    answer = revert(world, actor, "member", person, "is_superuser")
    person.refresh_from_db()
    assert (person.is_staff, person.is_superuser) == (False, False)
    assert answer.status_code == 403


def test_revert_does_not_make_staff_without_permission(world):
    person = world["former colleague"]
    revert(world, "Community Manager", "member", person, "is_staff")
    person.refresh_from_db()
    assert not person.is_staff


def test_superuser_reverts_change_of_permissions(world):
    person = world["former administrator"]
    revert(world, "superuser", "member", person, "is_superuser")
    person.refresh_from_db()
    assert person.is_superuser


def test_revert_does_not_restore_without_permission(world):
    mission = Group.objects.get(pk=world["archived mission"].pk)
    answer = revert(world, "Delivery Lead", "mission", mission, "status")
    mission.refresh_from_db()
    assert mission.is_archived
    assert answer.status_code == 403
    revert(world, "Mission Manager", "mission", mission, "status")
    mission.refresh_from_db()
    assert not mission.is_archived
