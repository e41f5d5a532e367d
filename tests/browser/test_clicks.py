"""Filters, tabs, menus, dialogs and date pickers of the back office work under the Content-Security-Policy."""

import pytest

from tests.browser.test_content_policy import office  # noqa: F401 - a fixture
from tests.portal.helpers import entry
from tests.support.factories.groups import MembershipFactory
from tests.support.factories.missiondeck import DeckMissionFactory
from tests.support.sample import share

# Every handler of Alpine in the page is called, with the event it waits for. Later than the call, which the browser's
# tools exempt from the policy. Links and buttons lead nowhere.
CALL_HANDLERS = """() => new Promise((done) => setTimeout(() => {
    const stay = (event) => event.target.closest("a, [type=submit]") && event.preventDefault();
    document.addEventListener("click", stay, true);
    document.addEventListener("submit", (event) => event.preventDefault(), true);
    const keys = { escape: "Escape", "arrow-down": "ArrowDown", "arrow-up": "ArrowUp", enter: "Enter" };
    const called = [];
    for (const element of document.querySelectorAll("*")) {
        for (const { name, value } of [...element.attributes]) {
            const [, event, modifiers] = name.match(/^x-on:([a-z:-]+)(.*)$/) ?? [];
            if (!event) continue;
            const of = modifiers.split(".");
            const target = of.includes("window") ? window : of.includes("outside") ? document.body : element;
            const options = { bubbles: true, cancelable: true, key: keys[of.find((each) => each in keys)] ?? "a" };
            options.ctrlKey = of.includes("ctrl");
            options.metaKey = of.includes("meta");
            const kind = event.startsWith("key") ? KeyboardEvent : event === "click" ? MouseEvent : CustomEvent;
            target.dispatchEvent(new kind(event, options));
            called.push(value);
        }
    }
    setTimeout(() => done([...new Set(called)]), 100);
}))"""


def test_every_handler_of_a_page_runs(office, live_server, wrongs):  # noqa: F811
    person, deck = entry(), DeckMissionFactory()
    pages = [
        "/admin/groups/member/",
        f"/admin/groups/communitymember/{person.pk}/change/",
        "/admin/groups/mission/add/",
        "/admin/missiondeck/deckmission/feeds/",
        f"/admin/missiondeck/deckmission/{deck.pk}/workspace/clients/",
        f"/admin/missiondeck/deckmission/{deck.pk}/workspace/",
        "/admin/fallback/missionfallbackitem/review/",
        "/admin/engagement/announcement/compose/",
    ]
    called = set()
    for address in pages:
        office.goto(live_server.url + address)
        called |= set(office.evaluate(CALL_HANDLERS))
        assert wrongs == [], address
    assert len(called) > 20
    # Negative control: an expression that Alpine's parser cannot read.
    office.evaluate("document.getElementById('main').setAttribute('x-on:click', '(() => 1)()')")
    office.evaluate("Alpine.initTree(document.getElementById('main'))")
    office.evaluate(CALL_HANDLERS)
    assert wrongs


def test_filters_menus_and_tabs_open_and_apply(office, live_server, wrongs):  # noqa: F811
    office.set_default_timeout(20_000)
    person = entry()
    kept = MembershipFactory(role="Scribe")
    MembershipFactory(role="Guest")
    office.goto(f"{live_server.url}/admin/groups/membership/")
    panel = office.locator("#changelist-filter")
    assert not panel.is_visible()
    office.locator("[x-on\\:click='filterOpen = true']:visible").first.click()
    panel.wait_for()
    office.keyboard.press("Escape")
    panel.wait_for(state="hidden")

    # Selecting a row shows the actions.
    run = office.locator("[x-show=action]")
    assert not run.first.is_visible()
    office.locator(f"input[name=_selected_action][value='{kept.pk}']").check()
    office.locator("select[name=action]").first.select_option(index=1)
    run.first.wait_for()

    # The tabs of a person, and the menu of further ones.
    office.goto(f"{live_server.url}/admin/groups/communitymember/{person.pk}/change/")
    menu = office.locator("[x-show=openTabsDropdown]").first
    opener = office.locator("[x-on\\:click='openTabsDropdown = !openTabsDropdown']:visible")
    if opener.count():
        opener.first.click()
        menu.wait_for()
    assert wrongs == []


@pytest.mark.parametrize(
    "address",
    share(
        ["/admin/engagement/announcement/compose/", "/admin/groups/task/add/", "/admin/missiondeck/deckmission/add/"],
        of=3,
    ),
)
def test_date_picker_fills_in_the_day(office, live_server, wrongs, address):  # noqa: F811
    office.set_default_timeout(20_000)
    office.goto(live_server.url + address)
    field = office.locator("input.vDateField").first
    office.locator("a[id^=calendarlink]").first.click()
    box = office.locator(".calendarbox:visible")
    box.wait_for()
    box.locator("td a", has_text="15").first.click()
    assert field.input_value().endswith("-15")
    assert wrongs == []
