"""Stars on projects and board missions."""

import pytest
from django.urls import reverse

from fallback.models import MissionStar, Notification, ProjectStar
from fallback.services.missions import move_mission
from fallback.services.stars import set_star
from tests.support.admin import client_of, page_text
from tests.support.database import rejected_by
from tests.support.factories.fallback import MissionFactory, ProjectMemberFactory
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def mission():
    return MissionFactory(title="Write the guide")


@pytest.fixture
def viewer(mission):
    return ProjectMemberFactory(project=mission.project, role="viewer", member=StaffFactory()).member


def address(subject, name: str) -> str:
    return reverse(f"admin:fallback_{subject._meta.model_name}_{name}", args=[subject.pk])


@pytest.mark.seed("004 Stars")
def test_star_is_set_on_the_page_and_listed(mission, viewer):
    browser, starred = client_of(viewer), reverse("admin:fallback_starred")
    for subject in (mission, mission.project):
        page = browser.get(address(subject, "change")).content.decode()
        assert address(subject, "star") in page
        assert address(subject, "unstar") not in page
        assert browser.post(address(subject, "star")).status_code == 302
        assert address(subject, "unstar") in browser.get(address(subject, "change")).content.decode()
    assert "Write the guide" in page_text(browser.get(starred))
    assert mission.project.name in page_text(browser.get(starred))
    # Of others, and of projects that are no longer visible, nothing is listed.
    assert "Write the guide" not in page_text(client_of(StaffFactory(is_superuser=True)).get(starred))
    browser.post(reverse("admin:fallback_unstar"), {"mission": mission.pk})
    assert not MissionStar.objects.exists()
    mission.project.members.update(member=StaffFactory())
    assert mission.project.name not in page_text(browser.get(starred))
    assert browser.post(reverse("admin:fallback_unstar"), {"project": mission.project_id}).status_code == 302
    assert not ProjectStar.objects.exists()


def test_star_of_hidden_mission_is_rejected(mission):
    stranger = ProjectMemberFactory(role="maintainer", member=StaffFactory()).member
    client_of(stranger).post(address(mission, "star"))
    assert client_of(stranger).post(reverse("admin:fallback_unstar"), {"mission": mission.pk}).status_code == 404
    assert not MissionStar.objects.exists()


def test_move_of_starred_mission_notifies_others(mission, viewer):
    mover = ProjectMemberFactory(project=mission.project, role="contributor", member=StaffFactory()).member
    gone = StaffFactory()
    for member in (viewer, mover, gone):
        assert set_star(actor=member, subject=mission, starred=True)
        assert not set_star(actor=member, subject=mission, starred=True)
    move_mission(actor=mover, mission=mission, to="doing")
    move_mission(actor=mover, mission=mission, to="doing", first=True)
    assert list(Notification.objects.values_list("member", "kind")) == [(viewer.pk, "starred.moved")]


def test_second_star_is_rejected(mission, viewer):
    MissionStar.objects.create(mission=mission, member=viewer)
    with rejected_by("mission_stars_once"):
        MissionStar.objects.create(mission=mission, member=viewer)
