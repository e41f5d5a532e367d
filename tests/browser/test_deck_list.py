"""The list, form, calendar and feeds of client missions in a real browser."""

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from django.utils import timezone
from icalendar import Calendar
from playwright.sync_api import Page, expect

from missiondeck.models import DeckFeed, DeckMission
from tests.browser.conftest import PASSWORD, sign_in
from tests.missiondeck.run_helpers import create_runs
from tests.missiondeck.workspace_helpers import address, make_item, make_mission
from tests.support.admin import staff

PHONE = {"width": 390, "height": 844}
LIST = "/admin/missiondeck/deckmission/"


@pytest.fixture
def dora(transactional_db):
    """A delivery lead."""
    return staff("Delivery Lead", display_name="Dora", email="dora@example.org", password=PASSWORD)


@pytest.fixture
def desk(page: Page, live_server, dora, wrongs) -> Iterator[Page]:
    """A page that is logged in as the delivery lead."""
    sign_in(page, live_server, dora)
    yield page
    assert wrongs == []


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_dashboard_links_failed_run_to_workspace(desk: Page, live_server):
    red = make_mission(title="Shop", days=-13)
    make_item(red, done=True)
    make_item(red)
    create_runs(red, "passed", "failed")
    create_runs(make_mission(title="Green"), "failed", "passed")
    desk.goto(f"{live_server.url}/admin/")
    expect(desk.get_by_role("link", name=re.compile("Overdue client missions"))).to_contain_text("1")
    desk.get_by_role("link", name=re.compile("Failing client missions")).click()
    row = desk.get_by_role("row", name=re.compile("Shop"))
    for words in ("12 days overdue", "1 of 2", "Failed", "USD 1,200"):
        expect(row).to_contain_text(re.compile(words, re.IGNORECASE))
    expect(desk.get_by_text("Green", exact=True)).to_have_count(0)
    row.get_by_role("link", name="Shop").click()
    desk.wait_for_url(f"**{address(red)}")

    desk.goto(f"{live_server.url}{LIST}")
    desk.locator("#searchbar").fill(f"#{red.number}")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Green", exact=True)).to_have_count(0)
    desk.set_viewport_size(PHONE)
    expect(desk.get_by_role("link", name="Shop")).to_be_visible()
    assert fits(desk)


def test_mission_form_creates_items(desk: Page, live_server):
    desk.goto(f"{live_server.url}{LIST}")
    desk.get_by_role("link", name="Add client mission").click()
    desk.get_by_label("Title").fill("Landing Page")
    desk.get_by_label("Client").fill("Beta Inc")
    desk.get_by_label("Budget").fill("450")
    desk.locator("[name=deadline_0]").fill(f"{timezone.localdate() + timedelta(days=20):%Y-%m-%d}")
    desk.locator("[name=deadline_1]").fill("18:00:00")
    desk.get_by_label("Assigned to").fill("dora@example")
    desk.get_by_label("Functional", exact=True).fill("It loads\nIt ships")
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.get_by_text("Enter a valid e-mail address.")).to_be_visible()
    expect(desk.get_by_label("Functional", exact=True)).to_have_value("It loads\nIt ships")
    desk.get_by_label("Assigned to").fill("dora@example.org")
    desk.get_by_role("button", name="Save", exact=True).click()
    desk.wait_for_url("**/workspace/")
    expect(desk.get_by_role("checkbox", name="It ships")).to_be_visible()
    made = DeckMission.objects.get()
    assert (made.title, made.assignee.display_name, made.dod_items.count()) == ("Landing Page", "Dora", 2)


def test_calendar_becomes_list_on_small_screen(desk: Page, live_server):
    late = make_mission(title="Shop", days=-40)
    desk.goto(f"{live_server.url}{LIST}")
    desk.locator("#nav-sidebar").get_by_role("link", name="Calendar").click()
    month = timezone.localtime(late.deadline)
    while desk.locator(".deck-calendar-head h2").inner_text() != f"{month:%B %Y}":
        desk.get_by_role("link", name="Previous").click()
    cell = desk.get_by_role("cell").filter(has_text="Shop")
    expect(cell).to_contain_text(str(month.day))
    expect(cell).to_contain_text("Late")
    desk.set_viewport_size(PHONE)
    expect(cell).to_contain_text(f"{month:%A}")
    assert fits(desk)
    # Days without a deadline are hidden.
    expect(desk.locator("td.deck-free:visible")).to_have_count(0)
    cell.get_by_role("link", name=re.compile("Shop")).click()
    desk.wait_for_url(f"**{address(late)}")


@pytest.mark.long
def test_feed_can_be_read_until_revoked(desk: Page, live_server):
    mission = make_mission(title="Shop, and more")
    desk.goto(f"{live_server.url}{LIST}calendar/")
    desk.get_by_role("link", name="Calendar feeds").first.click()
    desk.get_by_label("Name").fill("Phone")
    desk.get_by_role("button", name="Create feed").click()
    secret = desk.locator("#address").input_value()
    desk.get_by_role("button", name="Copy").click()
    expect(desk.get_by_role("button", name="Copied")).to_be_visible()
    with urlopen(secret) as answer:  # noqa: S310  (an address of the test's own server)
        (event,) = Calendar.from_ical(answer.read()).walk("VEVENT")
    assert str(event["SUMMARY"]) == f"#{mission.number} Shop, and more (Acme)"
    desk.goto(f"{live_server.url}{LIST}feeds/")
    expect(desk.get_by_text("Never")).to_have_count(0)
    assert secret.split("/")[-1] not in desk.content()
    desk.set_viewport_size(PHONE)
    assert fits(desk)
    desk.get_by_role("button", name="Revoke Phone").click()
    expect(desk.get_by_text("The feed “Phone” was revoked.")).to_be_visible()
    assert DeckFeed.objects.get().revoked_at
    with pytest.raises(HTTPError) as rejection:
        urlopen(secret)  # noqa: S310  (the same)
    assert rejection.value.code == 404
    assert b"This calendar feed does not exist or was revoked." in rejection.value.read()
