"""Buttons of a form are disabled while it is sent, in the back office and on members' pages."""

import re

import pytest
from playwright.sync_api import expect

from engagement.models import Announcement, EngagementMessage
from groups.models import Task
from tests.browser.conftest import PASSWORD, sign_in
from tests.portal.helpers import entry
from tests.support.admin import staff
from tests.support.factories.groups import MissionFactory

COMPOSE = "/admin/engagement/announcement/compose/"
PEOPLE = 3


@pytest.fixture
def office(page, live_server, transactional_db, wrongs):
    sign_in(page, live_server, staff("Community Manager", email="cora@example.org", password=PASSWORD))
    yield page
    assert wrongs == []


# Dispatches a submit event by the first button without leaving the page; true when the form would be sent. A test
# that sends the form would be on the next page before it can check.
SUBMIT = """(form) => form.dispatchEvent(new SubmitEvent("submit", {
    bubbles: true, cancelable: true, submitter: form.querySelector("button"),
}))"""


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


@pytest.mark.long
def test_double_click_without_script_sends_one(office, live_server):
    """The script only saves a request; the key in the form is the rule."""
    for _ in range(PEOPLE):
        entry()
    office.route("**/common/submit.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    fill(office, live_server)
    office.get_by_role("button", name="Queue 3 messages").dblclick()
    # The second request aborts the first navigation, which wait_for_url would raise.
    expect(office).to_have_url(re.compile("/change/$"))
    expect(office.get_by_text("already saved").or_(office.get_by_text("3 messages queued")).first).to_be_visible()
    assert (Announcement.objects.count(), EngagementMessage.objects.count()) == (1, PEOPLE)


@pytest.mark.parametrize("width", [1440, pytest.param(390, marks=pytest.mark.long)])
def test_buttons_are_disabled_while_sending(office, live_server, width, tmp_path):
    entry()
    office.set_viewport_size({"width": width, "height": 900})
    fill(office, live_server)
    form = office.locator("#compose-form")
    button = form.get_by_role("button", name="Queue 1 message")
    expect(button).to_be_enabled()
    assert form.evaluate(SUBMIT) is True
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("data-sending", "")
    expect(form).to_have_attribute("aria-busy", "true")
    # Enter in a field or a script does not send it again.
    assert form.evaluate(SUBMIT) is False
    button.scroll_into_view_if_needed()
    office.screenshot(path=tmp_path / f"sending-{width}.png")
    assert office.evaluate("document.documentElement.scrollWidth") <= width
    # When the browser restores the page, the form can be sent again.
    office.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(button).to_be_enabled()
    expect(button).not_to_have_attribute("data-sending", "")
    button.click()
    office.wait_for_url("**/change/")
    assert Announcement.objects.count() == 1


@pytest.mark.long
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


@pytest.mark.long
def test_buttons_work_after_browser_back(page, live_server, manager, wrongs):
    mission = MissionFactory()
    sign_in(page, live_server, manager)
    page.goto(f"{live_server.url}/admin/groups/task/add/?group={mission.pk}")
    page.get_by_label("Title").fill("Dig")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(lambda address: "add" not in address)
    page.go_back()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_enabled()
    assert wrongs == []


@pytest.mark.long
def test_htmx_form_is_disabled_and_script_form_is_not(site, live_server):
    site.goto(f"{live_server.url}/admin/")
    site.evaluate(
        """() => {
            document.body.insertAdjacentHTML("beforeend", `
                <form id="by-htmx" hx-post="/admin/nowhere/" hx-swap="none"><button name="a" value="1">Ask</button>
                </form>
                <form id="own" method="post"><button>Own</button></form>`);
            htmx.process(document.getElementById("by-htmx"));
            document.getElementById("own").addEventListener("submit", (event) => event.preventDefault());
        }"""
    )
    sent = []

    def take(route) -> None:
        sent.append(route)

    site.route("**/nowhere/", take)
    button = site.locator("#by-htmx button")
    button.dispatch_event("click")
    expect(button).to_be_disabled()
    assert sent[0].request.post_data == "a=1"
    sent[0].fulfill(status=200, body="")
    expect(button).to_be_enabled()
    site.unroute("**/nowhere/", take)
    # A form whose script cancels the event is unchanged.
    site.locator("#own button").dispatch_event("click")
    site.wait_for_timeout(100)
    expect(site.locator("#own button")).to_be_enabled()


def test_members_page_buttons_are_disabled_while_sending(page, live_server, transactional_db, settings):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 0
    page.set_default_timeout(60_000)
    page.goto(f"{live_server.url}/join/")
    page.get_by_label("Invitation code").fill("WRONG")
    form = page.locator("main form")
    assert form.evaluate(SUBMIT) is True
    expect(form.get_by_role("button")).to_be_disabled()
    assert form.evaluate(SUBMIT) is False
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    form.get_by_role("button").click()
    page.get_by_role("heading", name="This code is not valid").wait_for()
