"""The navigation: a few entries by role, the others under "More", and favourites."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection

from fallback.models.choices import ProjectRole
from missionsite.models import Favourite
from missionsite.navigation import MOST, PRIMARY
from missionsite.roles import ROLES
from tests.support.admin import client, client_of, staff
from tests.support.database import rejected_by
from tests.support.factories.fallback import ProjectMemberFactory
from tests.support.factories.groups import MemberFactory, MissionFactory

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def entries(response) -> tuple[list[str], list[str]]:
    """Return the names of the entries that are always visible, and of those under More."""
    page = response.content.decode().partition('id="nav-sidebar-apps"')[2].partition('id="user-menu"')[0]
    first, _more, rest = page.partition('data-kept="moreOpen"')
    name = re.compile(r'class="nav-entry[^>]*>(?:<span[^>]*>[^<]*</span>)?<span>([^<]+)</span>')
    return name.findall(first), name.findall(rest)


def mark(office, path: str, **fields) -> dict:
    return office.post("/admin/favourites/mark/", {"path": path, **fields}, headers=JSON).json()


@pytest.mark.parametrize("role", ROLES)
def test_role_has_five_to_seven_entries(role):
    first, more = entries(client(role).get("/admin/"))
    assert 5 <= len(first) <= MOST
    assert first[0] == "Home"
    assert not set(first) & set(more)
    assert len(first) == 1 + len(PRIMARY[role])
    assert len(more) > 10


def test_entries_are_those_of_the_work():
    first, more = entries(client("Engagement Operator").get("/admin/"))
    assert first == ["Home", "Lifecycle", "Engagement states", "Messages", "Message templates", "Announcements"]
    assert {"Missions", "Members", "Directory"} <= set(more)
    # What the role may not open is in neither.
    assert "Roles" not in more


def test_custom_role_has_entries_of_the_role_it_includes():
    own = Group.objects.create(name="Hosts")
    own.permissions.set(Permission.objects.filter(group__name="Community Manager"))
    own.permissions.add(Permission.objects.get(codename="add_task"))
    member = staff()
    member.groups.add(own)
    assert entries(client_of(member).get("/admin/"))[0][1] == "Directory"


def test_rights_in_a_project_give_its_entries():
    member = staff()
    ProjectMemberFactory(member=member, role=ProjectRole.REVIEWER)
    first, more = entries(client_of(member).get("/admin/"))
    assert first == ["Home", "Review proposals", "Inbox", "Projects", "Board missions"]
    assert "Metrics" in more


def test_more_is_open_for_its_page():
    office = client("Engagement Operator")
    assert re.search(r'<details[^>]*data-kept="moreOpen" open', office.get("/admin/groups/task/").content.decode())
    page = office.get("/admin/engagement/engagementmessage/").content.decode()
    assert re.search(r'<details[^>]*data-kept="moreOpen">', page)
    assert page.count('aria-current="page"') == 1


def test_breadcrumb_begins_with_name_of_the_navigation():
    page = client("Mission Manager").get(f"/admin/groups/mission/{MissionFactory().pk}/change/").content.decode()
    heading = re.sub(r"<span[^>]*material-symbols.*?</span>", "", page.partition("<h1")[2].partition("</h1>")[0])
    assert re.findall(r">([^<>]+)</a>", heading)[0] == "Missions"


# --- Favourites ---------------------------------------------------------------------------------


def test_favourites_are_named_as_their_pages_are():
    office, mission = client("Mission Manager"), MissionFactory(name="Garden")
    paths = ["/admin/groups/task/", f"/admin/groups/mission/{mission.pk}/members/"]
    for path in (*paths, paths[0]):
        found = mark(office, path)
    assert found["ok"]
    assert found["favourites"] == [
        {"path": paths[0], "name": "Tasks"},
        {"path": paths[1], "name": "Garden · Members"},
    ]
    mission.name = "Orchard"
    mission.save()
    assert office.get("/admin/favourites/").json()["favourites"][1]["name"] == "Orchard · Members"
    assert client("Mission Manager").get("/admin/favourites/").json() == {"favourites": []}
    assert mark(office, paths[0], remove="1")["favourites"] == [{"path": paths[1], "name": "Orchard · Members"}]


@pytest.mark.rule("FavouriteRejected")
@pytest.mark.parametrize(
    "path",
    [
        "",
        "https://evil.example/admin/",
        "//evil.example/admin/",
        "/directory/",
        "/admin/nothing/",
        "/admin/logout/",
        "/admin/groups/mission/30000000-0000-0000-0000-000000000000/change/",
        "/admin/groups/mission/%00/change/",
        "/admin/missionsite/role/",
        f"/admin/{'x' * 400}",
    ],
)
def test_other_addresses_are_rejected(path):
    answer = mark(client("Mission Manager"), path)
    assert (answer["ok"], answer["message"]) == (False, "Only pages of the back office can be favourites.")
    assert not Favourite.objects.exists()


@pytest.mark.parametrize(
    ("path", "rule"), [("/directory/", "site_favourites_path_form"), ("/admin/", "site_favourites_unique")]
)
def test_database_rejects_invalid_favourites(path, rule):
    member = MemberFactory()
    Favourite.objects.create(member=member, path="/admin/")
    with rejected_by(rule), connection.cursor() as cursor:
        cursor.execute("INSERT INTO site_favourites (member_id, path) VALUES (%s, %s)", [member.pk, path])


def test_favourite_disappears_with_the_right_to_see_it():
    member, role = staff("Auditor"), Group.objects.get(name="Auditor")
    person = MemberFactory(display_name="Ana")
    path = f"/admin/groups/member/{person.pk}/change/"
    assert mark(client_of(member), path)["favourites"] == [{"path": path, "name": "Ana"}]
    member.groups.remove(role)
    assert client_of(member).get("/admin/favourites/").json() == {"favourites": []}


@pytest.mark.rule("TooManyFavourites")
def test_favourites_end_at_a_limit(monkeypatch):
    monkeypatch.setattr("missionsite.favourites.MOST", 2)
    office = client("Auditor")
    for path in ("/admin/groups/task/", "/admin/groups/event/"):
        assert mark(office, path)["ok"]
    assert mark(office, "/admin/groups/event/")["ok"]
    answer = mark(office, "/admin/groups/member/")
    assert (answer["ok"], answer["message"]) == (False, "You have 2 favourites. Remove one first.")
