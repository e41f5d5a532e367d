"""Open missions with a similar title, shown while one is created or edited."""

import pytest
from django.urls import reverse

from fallback.models import Mission
from fallback.selectors.similar import similar_missions
from tests.support.admin import client, client_of
from tests.support.factories.fallback import MissionFactory, ProjectFactory
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db
SIMILAR = "admin:fallback_mission_similar"


def titles(project, title: str) -> list[str]:
    return [each.title for each in similar_missions(Mission.objects.filter(project=project), title)]


def test_similar_open_missions_come_first():
    project = ProjectFactory()
    for title in ("Update the mail library", "Publish version 0.4", "Update one dependency", "Mail library: update"):
        MissionFactory(project=project, title=title)
    MissionFactory(project=project, title="Update the mail library again", list="done")
    MissionFactory(title="Update the mail library")
    assert titles(project, "update mail LIBRARY") == ["Mail library: update", "Update the mail library"]


@pytest.mark.parametrize("title", ["Publicacao da versao", "PUBLICAÇÃO versão", "publicac\u0327a\u0303o versa\u0303o"])
def test_case_and_accents_do_not_matter(title):
    project = ProjectFactory()
    MissionFactory(project=project, title="Publicação da versão")
    assert titles(project, title) == ["Publicação da versão"]


@pytest.mark.parametrize("title", ["", "a an of", "'quoted' | & ! ( ):* \\", "completely different words"])
def test_other_titles_find_nothing(title):
    project = ProjectFactory()
    MissionFactory(project=project, title="Publish version")
    assert titles(project, title) == []


def test_page_gets_missions_of_visible_projects_only():
    mission = MissionFactory(title="Write the guide")
    own = MissionFactory(project=mission.project, title="Write a guide")
    browser = client("Fallback Reviewer")
    query = {"project": mission.project_id, "title": "write guide"}
    found = browser.get(reverse(SIMILAR), query).json()["results"]
    assert {each["title"] for each in found} == {"Write the guide", "Write a guide"}
    assert found[0]["url"].endswith("/change/")
    # The mission that is edited is left out; its project follows from it.
    edited = browser.get(reverse(SIMILAR), {"own": own.pk, "title": own.title}).json()["results"]
    assert [each["title"] for each in edited] == ["Write the guide"]
    assert client_of(StaffFactory()).get(reverse(SIMILAR), query).json() == {"results": []}
    assert browser.get(reverse(SIMILAR), {"project": "\x00", "title": "\x00"}).status_code in (200, 400)
