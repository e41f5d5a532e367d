"""Permissions of the roles for client missions."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from missionsite.roles import ROLES
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db

ALL = {
    "view_deckmission",
    "add_deckmission",
    "change_deckmission",
    "change_deckmission_status",
    "override_deckmission",
    "add_chatmessage",
    "add_dodcomment",
    "add_deckcost",
    "add_testrun",
    "view_citizen",
    "view_dodtemplate",
    "add_dodtemplate",
    "change_dodtemplate",
    "add_citizen",
    "change_citizen",
}
MATRIX = {
    "Administrator": ALL,
    "Delivery Lead": ALL,
    "Mission Manager": {"view_deckmission", "view_citizen", "view_dodtemplate"},
    "Auditor": {"view_deckmission", "view_citizen", "view_dodtemplate"},
    "Community Manager": set(),
    "Engagement Operator": set(),
    "Fallback Reviewer": set(),
}


def may(role: str) -> set[str]:
    """The permissions of a user with this role in this app."""
    staff = StaffFactory()
    staff.groups.add(Group.objects.get(name=role))
    return {
        code.removeprefix("missiondeck.") for code in staff.get_all_permissions() if code.startswith("missiondeck.")
    }


def test_matrix_lists_every_role():
    assert set(MATRIX) == set(ROLES)


@pytest.mark.seed("001 who may do what")
@pytest.mark.parametrize("role", MATRIX)
def test_role_has_expected_permissions(role, synchronised):
    assert may(role) == MATRIX[role]


@pytest.fixture
def synchronised(db):
    """Create the roles as `migrate` does, because earlier tests may have emptied the tables."""
    from missionsite.roles import synchronise

    synchronise()


def test_staff_without_role_have_no_permission():
    assert StaffFactory().get_all_permissions() == set()


def test_only_two_roles_can_override():
    assert {name for name, codes in ROLES.items() if "missiondeck.override_deckmission" in codes} == {
        "Administrator",
        "Delivery Lead",
    }


def test_no_role_can_delete():
    for codes in ROLES.values():
        assert not [code for code in codes if code.startswith("missiondeck.delete_")]


def test_permissions_are_in_the_database(synchronised):
    call_command("check", verbosity=0)
    named = set(Group.objects.get(name="Delivery Lead").permissions.values_list("codename", flat=True))
    assert named >= ALL
