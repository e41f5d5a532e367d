"""Roles are in the database as roles.py says, after every migrate."""

import pytest
from django.contrib.auth.models import Group, Permission

from missionsite.roles import ROLES, synchronise
from tests.support.admin import client, staff, words

pytestmark = pytest.mark.django_db


def held(name: str) -> set[str]:
    rows = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


@pytest.mark.parametrize("name", ROLES)
def test_a_role_holds_exactly_its_permissions(name):
    assert held(name) == ROLES[name]


def test_every_permission_named_exists():
    known = {
        f"{app}.{codename}" for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    assert frozenset().union(*ROLES.values()) <= known


def test_synchronising_mends_what_was_changed_by_hand():
    auditor = Group.objects.get(name="Auditor")
    auditor.permissions.set(Permission.objects.filter(codename="change_member"))
    synchronise()
    assert held("Auditor") == ROLES["Auditor"]


def test_synchronising_again_changes_nothing(django_assert_num_queries):
    before = set(Group.permissions.through.objects.values_list("pk", flat=True))
    synchronise()
    assert set(Group.permissions.through.objects.values_list("pk", flat=True)) == before


def test_a_role_made_by_hand_is_left_alone():
    mine = Group.objects.create(name="Mine")
    mine.permissions.set(Permission.objects.filter(codename="change_member"))
    synchronise()
    assert held("Mine") == {"groups.change_member"}


def test_an_auditor_may_see_everything_and_change_nothing():
    # Without more beside it, the right to every project shows them all and changes nothing.
    assert all(code.split(".")[1].startswith("view_") or code == "fallback.every_project" for code in ROLES["Auditor"])
    views = {code for codes in ROLES.values() for code in codes if ".view_" in code}
    assert ROLES["Auditor"] == views | {"fallback.every_project"}


def test_only_administrators_decide_who_may_do_what():
    granting = {"groups.grant_access", "missionsite.change_role", "missionsite.add_role"}
    for name, codes in ROLES.items():
        assert bool(codes & granting) == (name == "Administrator")


def test_the_sites_own_roles_are_shown_and_not_edited():
    administrator = client("Administrator")
    auditor = Group.objects.get(name="Auditor")
    address = f"/admin/missionsite/role/{auditor.pk}/change/"
    assert "kept by" in words(administrator.get(address)).lower()
    assert administrator.post(address, {"name": "Hacked", "permissions": []}).status_code == 403


def test_a_manager_does_not_open_roles():
    staff("Auditor")
    assert client("Mission Manager").get("/admin/missionsite/role/").status_code == 403
