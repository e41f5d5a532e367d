"""What the services of the site itself record; the packages below have tests of their own."""

import inspect
from collections.abc import Callable
from importlib import import_module
from pkgutil import walk_packages

import pytest
from django.contrib.auth.models import Permission

import missionsite
from groups.models import Event
from missionsite.common.audit.events import event_summary
from missionsite.models import Role
from missionsite.roles import ROLES, change_role, create_role
from tests.support.admin import client_of, staff
from tests.support.factories.groups import EntryFactory, StaffFactory

pytestmark = pytest.mark.django_db

NO_SERVICES = ("asgi", "demo", "embedded", "management", "migrations", "wsgi")
ELSEWHERE = tuple(f"missionsite.{name}" for name in ("common", *NO_SERVICES))
VIEW, MOVE = "missiondeck.view_deckmission", "engagement.move_userengagementstate"


def services() -> dict[str, Callable]:
    """Return the services that the modules of the site define, by name."""
    found = {}
    for module in walk_packages(missionsite.__path__, "missionsite."):
        if module.name.startswith(ELSEWHERE):
            continue
        for name, value in vars(import_module(module.name)).items():
            if hasattr(value, "is_service") and value.__module__ == module.name:
                found[name] = value
    return found


def permissions(*codes: str) -> list[Permission]:
    """Return the permissions with these codes, such as `groups.change_member`."""
    pairs = [code.split(".") for code in codes]
    return [Permission.objects.get(content_type__app_label=app, codename=name) for app, name in pairs]


def a_role(*codes: str) -> Role:
    role = Role.objects.create(name="Gardener")
    role.permissions.set(permissions(*codes))
    return role


# The least data with which each service changes something.
ARRANGE: dict[str, Callable[[], dict]] = {
    "change_role": lambda: {"role": a_role(), "permissions": permissions(VIEW)},
    "create_role": lambda: {"name": "Gardener"},
    "erase_again": lambda: {"entries": [EntryFactory().pk]},
    "set_second_factor": lambda: {"role": a_role(), "required": True},
}
# Services for one's own view of the back office, which concern no one else.
UNRECORDED = {"add_favourite", "delete_view", "remove_favourite", "save_view"}


def test_each_service_is_called_here():
    assert services().keys() == ARRANGE.keys() | UNRECORDED


@pytest.mark.parametrize("name", ARRANGE)
def test_service_records_its_required_actor(name):
    first, *_ = inspect.signature(services()[name]).parameters.values()
    assert (first.name, first.default) == ("actor", inspect.Parameter.empty)
    actor, values = StaffFactory(), ARRANGE[name]()
    services()[name](actor=actor, **values)
    assert Event.objects.filter(actor=actor).count() == 1


def test_created_role_is_recorded_with_permissions():
    create_role(actor=StaffFactory(), name="Gardener", permissions=permissions(VIEW, MOVE))
    event = Event.objects.get(type="role.created")
    assert event.payload == {
        "role": "Gardener",
        "changed": {"name": ["", "Gardener"], "permissions": [[], [MOVE, VIEW]]},
    }


def test_changed_role_is_recorded_before_and_after():
    role = change_role(
        actor=StaffFactory(), role=a_role(VIEW), name="Head gardener", permissions=permissions(MOVE, VIEW)
    )
    event = Event.objects.get(type="role.changed")
    assert event.payload == {
        "role": "Head gardener",
        "changed": {"name": ["Gardener", "Head gardener"], "permissions": [[VIEW], [MOVE, VIEW]]},
    }
    assert role.permissions.count() == 2
    assert f"Permissions: {VIEW} → {MOVE}, {VIEW}" in event_summary(event.payload)


def test_unchanged_role_is_not_recorded():
    change_role(actor=StaffFactory(), role=a_role(VIEW), name="Gardener", permissions=permissions(VIEW))
    assert not Event.objects.filter(type__startswith="role.").exists()


def test_role_page_records_change_by_its_user():
    role, administrator = a_role(VIEW), staff("Administrator")
    address = f"/admin/missionsite/role/{role.pk}/change/"
    values = {"name": role.name, "permissions": [permission.pk for permission in permissions(MOVE)]}
    assert client_of(administrator).post(address, values).status_code == 302
    event = Event.objects.get(type="role.changed")
    assert (event.actor, event.payload["changed"]) == (administrator, {"permissions": [[VIEW], [MOVE]]})
    assert list(role.permissions.all()) == permissions(MOVE)


def test_role_page_records_new_role():
    values = {"name": "Gardener", "permissions": [permission.pk for permission in permissions(VIEW)]}
    assert client_of(staff("Administrator")).post("/admin/missionsite/role/add/", values).status_code == 302
    assert Event.objects.get(type="role.created").payload["changed"]["permissions"] == [[], [VIEW]]
    assert list(Role.objects.get(name="Gardener").permissions.all()) == permissions(VIEW)


def test_role_page_offers_permissions_of_built_in_roles():
    form = client_of(staff("Administrator")).get("/admin/missionsite/role/add/").context["adminform"].form
    rows = form.fields["permissions"].queryset.values_list("content_type__app_label", "codename")
    assert {f"{app}.{codename}" for app, codename in rows} == frozenset().union(*ROLES.values())
