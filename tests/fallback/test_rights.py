"""Rights for every combination of project role, organisation role, privacy and staff permissions."""

from itertools import chain, combinations, product

import pytest
from django.contrib.auth.models import Permission

from fallback.models import Mission, MissionFallbackItem, OrganizationMembership, Project, ProjectMember
from fallback.models.choices import OrganizationRole, Privacy, ProjectRole
from fallback.selectors.rights import Right, Rights, maintains_organization
from missionsite.common.errors import NotAllowed
from tests.support.factories.fallback import ItemFactory, MissionFactory, OrganizationFactory, ProjectFactory
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

IN_PROJECT = [None, *ProjectRole.values]
IN_ORGANIZATION = [None, *OrganizationRole.values]
EVERYWHERE = "every_project"
# The permission each right needs from staff with every project.
NEEDS = {
    Right.VIEW: None,
    Right.CONTRIBUTE: "change_mission",
    Right.REVIEW: "review_missionfallbackitem",
    Right.MAINTAIN: "change_project",
}
PERMISSIONS = [name for name in NEEDS.values() if name]


def subsets(names):
    return chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))


# Staff with and without every project and each set of permissions; other members; inactive members.
PEOPLE = [
    {"is_staff": staff, "is_active": active, "permissions": (*(([EVERYWHERE]) if every else []), *names)}
    for staff, active, every in product([True, False], repeat=3)
    for names in (subsets(PERMISSIONS) if staff and active and every else [(), tuple(PERMISSIONS)])
] + [{"is_staff": True, "is_active": True, "is_superuser": True, "permissions": ()}]


def a_person(*, permissions=(), **fields):
    person = MemberFactory(**fields)
    found = Permission.objects.filter(content_type__app_label="fallback", codename__in=permissions)
    assert len(found) == len(permissions)
    person.user_permissions.set(found)
    return person


@pytest.fixture
def world():
    """One project for each combination of role, organisation role and privacy, with a mission and a proposal."""
    projects = {}
    for organization_role in IN_ORGANIZATION:
        organization = OrganizationFactory()
        for project_role, privacy in product(IN_PROJECT, Privacy.values):
            project = ProjectFactory(organization=organization, privacy=privacy)
            projects[project_role, organization_role, privacy] = project
            MissionFactory(project=project)
            ItemFactory(run__project=project)
    return projects


def enter(person, projects) -> None:
    """Give a member the intended role in each project."""
    organizations = {role: project.organization for (_own, role, _privacy), project in projects.items() if role}
    OrganizationMembership.objects.bulk_create(
        OrganizationMembership(organization=organization, member=person, role=role)
        for role, organization in organizations.items()
    )
    ProjectMember.objects.bulk_create(
        ProjectMember(project=project, member=person, role=role)
        for (role, _organization, _privacy), project in projects.items()
        if role
    )


def expected(person: dict, project_role, organization_role, privacy) -> set[Right]:
    """The expected rights, from a separate table."""
    if not person["is_active"]:
        return set()
    in_project = {
        "viewer": {Right.VIEW},
        "contributor": {Right.VIEW, Right.CONTRIBUTE},
        "reviewer": {Right.VIEW, Right.CONTRIBUTE, Right.REVIEW},
        "maintainer": set(Right),
    }
    if project_role:
        rights = in_project[project_role]
    elif organization_role in ("owner", "admin"):
        rights = set(Right)
    elif organization_role == "member" and privacy == "organization":
        rights = {Right.VIEW}
    else:
        rights = set()
    if person.get("is_superuser"):
        return set(Right)
    if person["is_staff"] and EVERYWHERE in person["permissions"]:
        rights = rights | {right for right, name in NEEDS.items() if name is None or name in person["permissions"]}
    return rights


def test_rights_and_filters_agree_for_all_roles(world):
    assert len(world) == 5 * 4 * 2
    for kind in PEOPLE:
        person = a_person(**kind)
        enter(person, world)
        for right in Right:
            rights = Rights(person)
            may = {key for key in world if right in expected(kind, *key)}
            assert {key for key, project in world.items() if rights.allows(right, project)} == may, (kind, right)
            allowed = {world[key].pk for key in may}
            assert set(rights.projects(right).values_list("pk", flat=True)) == allowed, (kind, right)
            assert set(Project.objects.filter(rights.project_filter(right)).values_list("pk", flat=True)) == allowed
            for rows, path in [
                (Mission, "project__"),
                (MissionFallbackItem, "project__"),
                (MissionFallbackItem, "run__project__"),
            ]:
                found = rows.objects.filter(rights.project_filter(right, path=path)).values_list("project", flat=True)
                assert sorted(found) == sorted(allowed), (kind, right, path)
            assert rights.in_any_project(right) == bool(allowed), (kind, right)


def test_member_without_role_has_no_rights(world):
    for kind in PEOPLE:
        rights = Rights(a_person(**kind))
        for right in Right:
            may = right in expected(kind, None, None, Privacy.ORGANIZATION)
            assert {rights.allows(right, project) for project in world.values()} == {may}
            assert rights.projects(right).count() == (len(world) if may else 0)
            assert rights.in_any_project(right) == may


def test_role_in_another_project_gives_no_rights():
    project, elsewhere = ProjectFactory(privacy=Privacy.ORGANIZATION), ProjectFactory()
    person = MemberFactory()
    ProjectMember.objects.create(project=elsewhere, member=person, role=ProjectRole.MAINTAINER)
    OrganizationMembership.objects.create(
        organization=elsewhere.organization, member=person, role=OrganizationRole.OWNER
    )
    rights = Rights(person)
    assert [right for right in Right if rights.allows(right, project)] == []
    assert list(rights.projects()) == [elsewhere]


def test_project_role_overrides_organization_role():
    project, person = ProjectFactory(), MemberFactory()
    OrganizationMembership.objects.create(organization=project.organization, member=person, role=OrganizationRole.OWNER)
    assert Rights(person).allows(Right.MAINTAIN, project)
    ProjectMember.objects.create(project=project, member=person, role=ProjectRole.VIEWER)
    assert not Rights(person).allows(Right.CONTRIBUTE, project)
    assert not Rights(person).projects(Right.CONTRIBUTE).exists()
    assert Rights(person).allows(Right.VIEW, project)


def test_check_raises_with_message():
    project, person = ProjectFactory(), MemberFactory()
    with pytest.raises(NotAllowed, match="Your role in this project does not allow"):
        Rights(person).check(Right.VIEW, project)
    ProjectMember.objects.create(project=project, member=person, role=ProjectRole.REVIEWER)
    rights = Rights(person)
    rights.check(Right.REVIEW, project)
    with pytest.raises(NotAllowed):
        rights.check(Right.MAINTAIN, project)


def test_rights_are_read_once(django_assert_num_queries):
    person, projects = MemberFactory(), ProjectFactory.create_batch(5)
    rights = Rights(person)
    with django_assert_num_queries(1):
        for project, right in product(projects, Right):
            rights.allows(right, project)
            rights.in_any_project(right)
            rights.project_filter(right)


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("role", IN_ORGANIZATION)
def test_owners_and_administrators_maintain_organization(role, active):
    project, other, person = ProjectFactory(), ProjectFactory(), MemberFactory(is_active=active)
    if role:
        OrganizationMembership.objects.create(organization=project.organization, member=person, role=role)
    assert maintains_organization(person, project.organization) == (active and role in ("owner", "admin"))
    assert not maintains_organization(person, other.organization)


def test_staff_maintaining_all_projects_maintain_organizations():
    organization = OrganizationFactory()
    for kind in PEOPLE:
        may = Right.MAINTAIN in expected(kind, None, None, Privacy.PRIVATE)
        assert maintains_organization(a_person(**kind), organization) == may, kind
