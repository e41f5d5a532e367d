"""A form is sent once: its buttons are disabled while it is being sent, in the back office and on members' pages."""

import pytest
from playwright.sync_api import expect

from engagement.models import Announcement, EngagementMessage
from groups.models import Task
from tests.admin import staff
from tests.browser.conftest import PASSWORD, sign_in
from tests.community.cast import entry
from tests.factories.groups import MissionFactory

COMPOSE = "/admin/engagement/announcement/compose/"
PEOPLE = 3


@pytest.fixture
def office(page, live_server, transactional_db, wrongs):
    sign_in(page, live_server, staff("Community Manager", email="cora@example.org", password=PASSWORD))
    yield page
    assert wrongs == []


class Held:
    """Keeps every POST from reaching the site until it is let go."""

    def __init__(self, page) -> None:
        self.page, self.routes = page, []
        page.route("**/*", self._take)

    def _take(self, route) -> None:
        if route.request.method == "POST":
            self.routes.append(route)
        else:
            route.continue_()

    def let_go(self) -> None:
        self.page.unroute("**/*", self._take)
        for route in self.routes:
            route.continue_()


def fill(page, live_server) -> None:
    page.goto(f"{live_server.url}{COMPOSE}")
    page.get_by_label("Title").fill("Webinar")
    page.get_by_label("Subject (English)").fill("A webinar on Friday")
    page.get_by_label("Text (English)").fill("Hi {{ name }}, join us.")


def test_double_click_sends_one_announcement(office, live_server):
    for _ in range(PEOPLE):
        entry()
    fill(office, live_server)
    office.get_by_role("button", name="Queue 3 messages").dblclick()
    office.wait_for_url("**/change/")
    expect(office.get_by_text("Webinar: 3 messages queued.")).to_be_visible()
    assert (Announcement.objects.count(), EngagementMessage.objects.count()) == (1, PEOPLE)


def test_without_the_script_a_double_click_still_sends_one(office, live_server):
    """The script spares a request; what counts is the key in the form."""
    for _ in range(PEOPLE):
        entry()
    office.route("**/common/submit.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    fill(office, live_server)
    office.get_by_role("button", name="Queue 3 messages").dblclick()
    office.wait_for_url("**/change/")
    expect(office.get_by_text("already saved").or_(office.get_by_text("3 messages queued")).first).to_be_visible()
    assert (Announcement.objects.count(), EngagementMessage.objects.count()) == (1, PEOPLE)


@pytest.mark.parametrize("width", [1440, 390])
def test_buttons_are_disabled_while_sending(office, live_server, width, tmp_path):
    entry()
    office.set_viewport_size({"width": width, "height": 900})
    fill(office, live_server)
    held = Held(office)
    button = office.get_by_role("button", name="Queue 1 message")
    button.click(no_wait_after=True)
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("data-sending", "")
    # Enter in a field does not send it again.
    office.get_by_label("Title").press("Enter", no_wait_after=True)
    office.wait_for_timeout(300)
    assert len(held.routes) == 1
    office.screenshot(path=tmp_path / f"sending-{width}.png")
    held.let_go()
    office.wait_for_url("**/change/")
    assert Announcement.objects.count() == 1


def test_name_of_the_clicked_button_is_sent(page, live_server, manager, wrongs):
    mission = MissionFactory()
    sign_in(page, live_server, manager)
    page.goto(f"{live_server.url}/admin/groups/task/add/?group={mission.pk}")
    page.get_by_label("Title").fill("Dig")
    page.get_by_role("button", name="Save and add another").click()
    page.wait_for_url("**/task/add/**")
    expect(page.get_by_label("Title")).to_have_value("")
    assert Task.objects.count() == 1
    assert wrongs == []


def test_back_from_the_next_page_the_buttons_work_again(page, live_server, manager, wrongs):
    mission = MissionFactory()
    sign_in(page, live_server, manager)
    page.goto(f"{live_server.url}/admin/groups/task/add/?group={mission.pk}")
    page.get_by_label("Title").fill("Dig")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(lambda address: "add" not in address)
    page.go_back()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_enabled()
    assert wrongs == []


def test_form_of_htmx_and_form_of_a_script(site, live_server):
    site.goto(f"{live_server.url}/admin/")
    site.evaluate(
        """() => {
            document.body.insertAdjacentHTML("beforeend", `
                <form id="by-htmx" hx-post="/admin/nowhere/"><button name="a" value="1">Ask</button></form>
                <form id="own" method="post"><button>Own</button></form>`);
            htmx.process(document.getElementById("by-htmx"));
            document.getElementById("own").addEventListener("submit", (event) => event.preventDefault());
        }"""
    )
    sent = []

    def take(route) -> None:
        sent.append(route)

    site.route("**/nowhere/", take)
    button = site.get_by_role("button", name="Ask")
    button.click()
    expect(button).to_be_disabled()
    assert sent[0].request.post_data == "a=1"
    sent[0].fulfill(status=200, body="")
    expect(button).to_be_enabled()
    site.unroute("**/nowhere/", take)
    # What a script sends itself is left to it.
    site.get_by_role("button", name="Own").click()
    expect(site.get_by_role("button", name="Own")).to_be_enabled()


def test_buttons_of_members_pages_are_disabled_too(page, live_server, transactional_db, settings):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 0
    page.set_default_timeout(15_000)
    page.goto(f"{live_server.url}/join/")
    page.get_by_label("Invitation code").fill("WRONG")
    held = Held(page)
    button = page.locator("main form button")
    button.click(no_wait_after=True)
    expect(button).to_be_disabled()
    # The browser shows a page again as it was left: its buttons work.
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(button).to_be_enabled()
    assert len(held.routes) == 1
    held.let_go()
