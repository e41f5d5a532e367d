"""After migrate the database has the roles of roles.py."""

import pytest
from django.contrib.auth.models import Group, Permission

from missionsite.roles import ROLES, synchronise
from tests.support.admin import client, page_text, staff

pytestmark = pytest.mark.django_db


def permissions_of(name: str) -> set[str]:
    rows = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


@pytest.mark.parametrize("name", ROLES)
def test_role_has_exactly_its_permissions(name):
    assert permissions_of(name) == ROLES[name]


def test_role_permissions_exist():
    known = {
        f"{app}.{codename}" for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    assert frozenset().union(*ROLES.values()) <= known


def test_synchronise_restores_changed_roles():
    auditor = Group.objects.get(name="Auditor")
    auditor.permissions.set(Permission.objects.filter(codename="change_member"))
    synchronise()
    assert permissions_of("Auditor") == ROLES["Auditor"]


def test_synchronise_twice_changes_nothing(django_assert_num_queries):
    before = set(Group.permissions.through.objects.values_list("pk", flat=True))
    synchronise()
    assert set(Group.permissions.through.objects.values_list("pk", flat=True)) == before


def test_synchronise_keeps_custom_role():
    mine = Group.objects.create(name="Mine")
    mine.permissions.set(Permission.objects.filter(codename="change_member"))
    synchronise()
    assert permissions_of("Mine") == {"groups.change_member"}


def test_auditor_can_view_all_and_change_nothing():
    # Without more beside it, the right to every project shows them all and changes nothing.
    assert all(code.split(".")[1].startswith("view_") or code == "fallback.every_project" for code in ROLES["Auditor"])
    views = {code for codes in ROLES.values() for code in codes if ".view_" in code}
    assert ROLES["Auditor"] == views | {"fallback.every_project"}


def test_only_administrator_can_change_access():
    granting = {"groups.grant_access", "missionsite.change_role", "missionsite.add_role"}
    for name, codes in ROLES.items():
        assert bool(codes & granting) == (name == "Administrator")


def test_built_in_role_is_read_only():
    administrator = client("Administrator")
    auditor = Group.objects.get(name="Auditor")
    address = f"/admin/missionsite/role/{auditor.pk}/change/"
    assert "built in" in page_text(administrator.get(address)).lower()
    assert administrator.post(address, {"name": "Hacked", "permissions": []}).status_code == 403


def test_manager_cannot_open_roles():
    staff("Auditor")
    assert client("Mission Manager").get("/admin/missionsite/role/").status_code == 403
