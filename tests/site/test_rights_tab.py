"""The tab "Rights" of a member: why they may do something, and why not."""

import re
from html import unescape

import pytest

from fallback.models.choices import ProjectRole
from missionsite.rights_tab import obstacles_of, rights_of
from missionsite.roles import ROLES
from tests.support.admin import client, page_text, staff
from tests.support.factories.fallback import ProjectMemberFactory
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db


def right(member, name: str):
    [found] = [each for _app, rights in rights_of(member) for each in rights if each.name == name]
    return found


def test_right_names_the_roles_that_give_it():
    member = staff("Mission Manager")
    assert right(member, "change task") == ("change task", True, ("Mission Manager",))
    missing = right(member, "change announcement")
    assert not missing.has
    assert set(missing.roles) == {"Administrator", "Community Manager", "Engagement Operator"}
    listed = {each.name for _app, rights in rights_of(member) for each in rights if each.has}
    assert len(listed) == len(ROLES["Mission Manager"])


def test_obstacles_are_named():
    assert obstacles_of(staff("Auditor")) == []
    texts = [str(text) for text in obstacles_of(MemberFactory(is_active=False))]
    assert ["deactivated" in texts[0], "not staff" in texts[1], len(texts)] == [True, True, 2]


def test_page_shows_rights_and_roles_in_projects():
    member = staff("Auditor")
    membership = ProjectMemberFactory(member=member, role=ProjectRole.REVIEWER)
    page = client("Administrator").get(f"/admin/groups/member/{member.pk}/rights/")
    text = unescape(page.content.decode())
    assert re.search(rf'<dt dir="auto">{membership.project.name}</dt><dd>Reviewer</dd>', text)
    assert "change task no Needs one of: Administrator, Delivery Lead, Fallback Reviewer, Mission Manager" in re.sub(
        r"(<[^>]+>|\s)+", " ", text
    )


def test_administrator_has_every_right():
    member = staff(is_superuser=True)
    assert all(each.has for _app, rights in rights_of(member) for each in rights)
    page = client("Auditor").get(f"/admin/groups/member/{member.pk}/rights/")
    assert "An administrator has every right" in page_text(page)


def test_tab_needs_the_right_to_see_roles():
    member = staff("Auditor")
    office = client("Community Manager")
    assert office.get(f"/admin/groups/member/{member.pk}/rights/").status_code == 403
    assert "/rights/" not in office.get(f"/admin/groups/member/{member.pk}/change/").content.decode()
