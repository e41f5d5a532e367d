"""A page has one name: in the navigation, as its heading and in the title of the browser's window."""

import re
from html import unescape

import pytest
from django.conf import settings

from tests.support.admin import client_of
from tests.support.factories.groups import MissionFactory, StaffFactory

pytestmark = pytest.mark.django_db
ITEMS = [item for group in settings.UNFOLD["SIDEBAR"]["navigation"] for item in group["items"]]


@pytest.fixture
def office():
    return client_of(StaffFactory(is_superuser=True))


def names_of(response) -> tuple[str, str]:
    """Return the last part of the heading, and of the title that of the page itself: "Board | Apollo | Missionsite"."""
    text = response.content.decode()
    heading = re.search(r"<h1.*?</h1>", text, re.DOTALL)[0]
    parts = [part.strip() for part in re.sub(r"<[^>]+>", "\n", heading).split("\n") if part.strip()]
    title = re.search(r"<title>(.*?)</title>", text, re.DOTALL)[1]
    return unescape(parts[-1]), unescape(title.split("|")[-2].strip())


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: str(item["title"]))
def test_page_has_the_name_of_its_navigation_entry(office, item):
    response = office.get(str(item["link"]))
    assert names_of(response) == (item["title"], item["title"])


def test_names_in_the_navigation_are_different():
    titles = [str(item["title"]) for item in ITEMS]
    assert sorted(set(titles)) == sorted(titles)


def test_background_jobs_are_jobs(office):
    assert names_of(office.get("/admin/procrastinate/procrastinatejob/")) == ("Jobs", "Jobs")


def test_title_of_an_object_is_its_name(office):
    mission = MissionFactory(name="Garden")
    page = f"/admin/groups/mission/{mission.pk}"
    assert names_of(office.get(f"{page}/change/"))[1] == "Garden"
    assert "<title> Members | Garden | Missionsite</title>" in office.get(f"{page}/members/").content.decode()
