"""Favourites, recent pages and the state of "More" in the sidebar, in a real browser."""

from playwright.sync_api import Page, expect

from tests.support.factories.groups import MissionFactory


def test_star_recent_and_more_are_remembered(site: Page, live_server, manager):
    garden, orchard = (MissionFactory(name=name) for name in ("Garden", "Orchard"))
    sidebar = site.get_by_role("navigation", name="Main navigation")
    site.goto(f"{live_server.url}/admin/groups/mission/{garden.pk}/change/")
    star = site.get_by_role("button", name="Favourite")
    expect(star).to_have_attribute("aria-pressed", "false")
    with site.expect_response("**/favourites/mark/"):
        star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(sidebar.get_by_role("region", name="Favourites").get_by_role("link", name="Garden")).to_be_visible()

    # A browser that knows nothing reads them from the site; visited pages are listed, the newest first.
    site.evaluate("localStorage.clear(); sessionStorage.clear()")
    site.goto(f"{live_server.url}/admin/groups/mission/{orchard.pk}/change/")
    expect(sidebar.get_by_role("region", name="Favourites").get_by_role("link")).to_have_count(1)
    site.goto(f"{live_server.url}/admin/groups/mission/")
    recent = site.locator("[data-own=recent]")
    recent.locator("summary").click()
    expect(recent.get_by_role("link")).to_have_text(["historyOrchard"])

    # More stays as it was left.
    entry = sidebar.get_by_role("link", name="Directory")
    expect(entry).to_be_hidden()
    site.locator("[data-kept=moreOpen] > summary").click()
    expect(entry).to_be_visible()
    site.goto(f"{live_server.url}/admin/")
    expect(entry).to_be_visible()
    site.locator("[data-kept=moreOpen] > summary").click()
    site.goto(f"{live_server.url}/admin/groups/mission/")
    expect(entry).to_be_hidden()

    # Another member of staff in this browser sees none of it.
    site.evaluate(
        """const key = "missionsite.navigation";
           const kept = { ...JSON.parse(localStorage.getItem(key)), member: "another" };
           localStorage.setItem(key, JSON.stringify(kept));"""
    )
    site.goto(f"{live_server.url}/admin/groups/mission/")
    expect(recent).to_be_hidden()
