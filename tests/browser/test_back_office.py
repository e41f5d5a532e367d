"""The back office in a browser, as Mona, a mission manager. Ana has a trust score of 120; the garden asks for 250."""

import re
from datetime import datetime

import pytest
from playwright.sync_api import Page, expect

from groups.models import Member, Membership
from groups.services.members import update_member
from groups.services.memberships import join_mission
from tests.support.factories.groups import MemberFactory, MissionFactory, TaskFactory
from tests.support.sample import share


@pytest.fixture
def ana(transactional_db):
    return MemberFactory(display_name="Ana", email="ana@example.org", trust_score=120)


@pytest.fixture
def garden(transactional_db):
    return MissionFactory(name="Garden", min_trust_score=250, parent_group__name="The colony")


def pick(page: Page, field: str, text: str) -> None:
    """Choose in a picker by keyboard."""
    page.locator(f"#id_{field} + .select2-container .select2-selection").focus()
    page.keyboard.press("Enter")
    page.locator(".select2-search__field").fill(text)
    expect(page.locator(".select2-results__option--highlighted")).to_contain_text(text)
    page.keyboard.press("Enter")


@pytest.mark.seed(
    "000 leaving and joining again",
    "site real browser: log in, find a mission, be rejected, add a member, leave, re-join",
)
def test_membership_from_rejection_to_rejoin(site: Page, ana, garden):
    # Find the mission.
    site.locator("#nav-sidebar").get_by_text("Missions", exact=True).click()
    site.get_by_placeholder("Name or stable ID").fill("gard")
    site.keyboard.press("Enter")
    site.get_by_role("link", name="Garden").click()
    tabs = site.locator("#tabs-items")
    expect(tabs.get_by_role("link", name="Members", exact=True)).to_be_visible()

    # Ana's trust score is too low: the page shows the error and keeps the input.
    site.get_by_role("link", name="Add member").click()
    pick(site, "member", "Ana")
    site.get_by_label("Role").fill("Mentor")
    site.get_by_label("Reason").fill("She asked")
    site.get_by_role("button", name="Add member").click()
    expect(site.get_by_text("130 too few")).to_be_visible()
    expect(site.get_by_label("Role")).to_have_value("Mentor")
    expect(site.get_by_label("Reason")).to_have_value("She asked")
    expect(site.locator(".select2-selection__rendered")).to_contain_text("Ana")
    assert not Membership.objects.exists()

    # With enough points she is added.
    update_member(actor=Member.objects.system(), member=ana, trust_score=300)
    site.get_by_role("button", name="Add member").click()
    expect(site.get_by_text("Garden: member added.")).to_be_visible()
    tabs.get_by_role("link", name="Members", exact=True).click()
    row = site.get_by_role("row").filter(has_text="Ana")
    expect(row).to_contain_text("Mentor")

    # She leaves, with a reason, and re-joins.
    row.get_by_role("link", name="Remove").click()
    site.get_by_label("Reason").fill("Moved away")
    site.get_by_role("button", name="Remove from mission").click()
    expect(site.get_by_text("No members yet")).to_be_visible()
    site.get_by_role("link", name="Former members").click()
    site.get_by_role("row").filter(has_text="Ana").get_by_role("link", name="Re-join").click()
    site.get_by_label("Reason").fill("Back home")
    site.get_by_role("button", name="Re-join").click()
    expect(site.get_by_text("joined again.")).to_be_visible()
    assert sorted(Membership.objects.values_list("status", flat=True)) == ["active", "left"]

    # All steps are in the events.
    site.locator("#tabs-items").get_by_role("link", name="Events").click()
    for text in ("Joined", "Left", "She asked", "Moved away", "Back home"):
        expect(site.get_by_role("row").filter(has_text=text).first).to_be_visible()


@pytest.mark.seed("site real browser: keyboard, several at once, 390 px, dark")
def test_command_palette_works_by_keyboard(site: Page, ana, garden, live_server):
    site.keyboard.press("Control+k")
    expect(site.locator("#search-input-command")).to_be_focused()
    site.keyboard.type(ana.member_id)
    result = site.locator("#command-results-list").get_by_text("Ana", exact=True)
    expect(result).to_be_visible()
    site.keyboard.press("ArrowDown")
    site.keyboard.press("Enter")
    expect(site).to_have_url(re.compile(f"/admin/groups/member/{ana.pk}/change/"))


@pytest.mark.seed("site real browser: keyboard, several at once, 390 px, dark")
def test_leave_ends_several_memberships(site: Page, garden, live_server):
    for name in ("Ana", "Bob"):
        join_mission(
            actor=Member.objects.system(), member=MemberFactory(display_name=name, trust_score=300), mission=garden
        )
    site.goto(f"{live_server.url}/admin/groups/membership/")
    for box in site.locator("input.action-select[name=_selected_action]").all():
        box.check()
    site.locator("select[name=action]").select_option(label="Remove from mission")
    site.get_by_role("button", name="Run").click()
    expect(site.get_by_text("2 selected")).to_be_visible()
    site.get_by_label("Reason").fill("Season over")
    site.get_by_role("button", name="Remove from mission").click()
    expect(site.get_by_text("2 removed from the mission.")).to_be_visible()


@pytest.mark.long
def test_memberships_filter_by_mission_and_day(site: Page, garden, live_server):
    for name, day, mission in (
        ("Early Ada", "2026-03-01", garden),
        ("Late Lea", "2026-05-01", garden),
        ("Elsewhere Eli", "2026-05-02", MissionFactory(name="Kitchen")),
    ):
        join_mission(
            actor=Member.objects.system(),
            member=MemberFactory(display_name=name, trust_score=300),
            mission=mission,
            joined_at=noon(day),
        )
    site.goto(f"{live_server.url}/admin/groups/membership/")
    site.get_by_role("button", name="Filters", exact=True).press("Enter")
    site.locator("#filter-form .select2-selection").click()
    site.locator(".select2-search__field").last.fill("gard")
    site.locator(".select2-results__option", has_text="Garden").click()
    site.locator("#filter-form input[type=date]").first.fill("2026-04-01")
    site.get_by_role("button", name="Apply filters").click()
    expect(site.locator("#result_list")).to_contain_text("Late Lea")
    expect(site.locator("#result_list")).not_to_contain_text("Early Ada")
    expect(site.locator("#result_list")).not_to_contain_text("Elsewhere Eli")
    site.get_by_role("button", name="Filters", exact=True).press("Enter")
    expect(site.locator("#filter-form .select2-selection")).to_contain_text("Garden")
    site.get_by_role("link", name="Show all").click()
    expect(site.locator("#result_list")).to_contain_text("Elsewhere Eli")


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")


PAGES = (
    "/admin/",
    "/admin/groups/mission/",
    "/admin/groups/mission/add/",
    "/admin/groups/mission/{mission}/change/",
    "/admin/groups/mission/{mission}/members/",
    "/admin/groups/mission/{mission}/events/",
    "/admin/groups/mission/{mission}/history/",
    "/admin/groups/mission/{mission}/add-member/",
    "/admin/groups/colony/",
    "/admin/groups/member/",
    "/admin/groups/member/{member}/change/",
    "/admin/groups/member/{member}/memberships/",
    "/admin/groups/membership/",
    "/admin/groups/membership/add/",
    "/admin/groups/task/",
    "/admin/groups/event/",
    "/admin/common/apitoken/",
)


@pytest.mark.seed("000 narrow screens", "site real browser: keyboard, several at once, 390 px, dark")
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_every_page_fits_its_window(site: Page, ana, garden, live_server, scheme):
    update_member(actor=Member.objects.system(), member=ana, trust_score=300)
    join_mission(actor=ana, member=ana, mission=garden)
    TaskFactory(group=garden, title="A task whose title goes on and on, so that it has to be broken " * 3)
    site.emulate_media(color_scheme=scheme)
    # In a build one in three, others the next day.
    for path in share(PAGES, of=6):
        # Loaded with the width of a phone, then widened.
        site.set_viewport_size({"width": 390, "height": 844})
        site.goto(live_server.url + path.format(mission=garden.pk, member=ana.pk))
        for width in (390, 1440):
            site.set_viewport_size({"width": width, "height": 844})
            room = site.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert room[0] <= room[1], f"{path} is {room[0]} wide in a window of {room[1]}"


@pytest.mark.long
def test_all_tabs_are_reachable_on_phone(site: Page, garden, live_server):
    site.set_viewport_size({"width": 390, "height": 844})
    site.goto(f"{live_server.url}/admin/groups/mission/{garden.pk}/change/")
    site.get_by_text("more_horiz").last.click()
    site.locator("#tabs-dropdown").get_by_role("link", name="Events").click()
    expect(site).to_have_url(re.compile("/events/$"))


@pytest.mark.long
def test_empty_lists_show_first_step(site: Page, live_server):
    for path, words in (
        ("/admin/", "Get started"),
        ("/admin/groups/mission/", "No missions yet"),
        ("/admin/groups/membership/", "No memberships yet"),
        ("/admin/groups/task/", "No tasks yet"),
    ):
        site.goto(live_server.url + path)
        expect(site.get_by_text(words)).to_be_visible()
