"""Check pages of every kind with axe and the keyboard, in light and dark, on a desktop and on a phone.

Source: WCAG 2.2, levels A and AA. axe-core says what a program can find out; names are read from the browser's own
accessibility tree.
"""

from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as site_settings
from django.core.management import call_command

from engagement.models import Announcement, MessageTemplate
from fallback.services.runs import run_due
from groups.models import Member
from tests.portal.helpers import entry, invitation
from tests.support.admin import client_of, staff
from tests.support.sample import share

DESK, PHONE = (1440, 900), (390, 844)
# The target size of WCAG 2.2 is not among the default rules of axe.
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
GRAVE = ("serious", "critical")
MISSION = "/admin/groups/mission/20000000-0000-0000-0000-000000000001"
ENTRY = "/admin/groups/communitymember/40000000-0000-0000-0000-000000000012"
PROJECT = "/admin/fallback/project/01KZ8JDAM00SEEDPRJ00000001"
WORKSPACE = "/admin/missiondeck/deckmission/a7d88e18-4bdc-5412-94e4-b8d267708170/workspace/"


@dataclass(frozen=True)
class Visit:
    """A URL, the actor who opens it, and the status of the response."""

    address: str
    actor: str = "administrator"
    status: int = 200


# Ids of objects created for each test are filled in.
VISITS = [
    Visit("/admin/"),
    Visit("/admin/groups/mission/"),
    Visit("/admin/groups/mission/add/"),
    Visit(f"{MISSION}/change/"),
    Visit(f"{MISSION}/members/"),
    Visit(f"{MISSION}/add-member/"),
    Visit(f"{MISSION}/history/"),
    Visit("/admin/groups/membership/add/"),
    Visit("/admin/groups/event/"),
    Visit("/admin/groups/communitymember/"),
    Visit("/admin/groups/communitymember/import/"),
    Visit(f"{ENTRY}/participation/"),
    Visit("/admin/groups/communityinvitation/add/"),
    Visit("/admin/fallback/missionfallbackitem/review/"),
    Visit(f"{PROJECT}/board/"),
    Visit("/admin/fallback/mission/"),
    Visit("/admin/fallback/missionfallbackconfig/01M1XHH1M00SEEDCFG00000002/plan/"),
    Visit("/admin/missiondeck/deckmission/"),
    Visit("/admin/missiondeck/deckmission/calendar/"),
    Visit(WORKSPACE),
    Visit(f"{WORKSPACE}?citizen=sofia"),
    Visit("/admin/engagement/userengagementstate/lifecycle/"),
    Visit("/admin/engagement/engagementmessage/"),
    Visit("/admin/engagement/engagementmessage/outbox/"),
    Visit("/admin/engagement/announcement/compose/"),
    Visit("/admin/engagement/announcement/{announcement}/change/"),
    Visit("/admin/engagement/messagetemplate/{template}/change/"),
    Visit("/admin/groups/member/30000000-0000-0000-0000-000000000007/engagement/"),
    Visit("/admin/groups/member/30000000-0000-0000-0000-000000000007/timeline/"),
    Visit("/admin/missionsite/role/add/"),
    Visit("/admin/common/apitoken/add/"),
    Visit("/admin/groups/member/", actor="without a role", status=403),
    Visit("/admin/nothing/", status=404),
    Visit("/admin/login/", actor="nobody"),
    Visit("/login/", actor="nobody"),
    Visit("/join/{code}/", actor="nobody"),
    Visit("/me/", actor="member"),
    Visit("/me/missions/", actor="member"),
    Visit("/me/missions/FE-M-00001/", actor="member"),
    Visit("/directory/", actor="member"),
    Visit("/nothing", actor="nobody", status=404),
    Visit("/api/docs", actor="nobody"),
]


@pytest.fixture
def community(transactional_db, settings):
    """Load the example data with proposals; return the actors and the ids of created objects."""
    settings.JOIN_ATTEMPTS_PER_MINUTE = 0
    call_command("loaddata", "seeds", verbosity=0)
    list(run_due(actor=Member.objects.system()))
    ana = entry(name="Ana")
    return {
        "administrator": staff("Administrator", display_name="Ada", is_superuser=True),
        "without a role": staff(),
        "member": ana.person,
        "code": invitation(ana).spelled_code,
        "announcement": Announcement.objects.order_by("pk").first().pk,
        "template": MessageTemplate.objects.get(key="goodbye", locale="en").pk,
    }


@pytest.fixture
def opened(browser, live_server, community):
    """Return a function that opens a page as an actor, with a window size and a color scheme."""
    contexts = []

    def open_for(actor: str, size: tuple[int, int], scheme: str = "light"):
        context = browser.new_context(
            viewport=dict(zip(("width", "height"), size, strict=True)), color_scheme=scheme, base_url=live_server.url
        )
        contexts.append(context)
        context.set_default_timeout(60_000)
        if actor != "nobody":
            session = client_of(community[actor]).cookies[site_settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": site_settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        return context.new_page()

    yield open_for
    for context in contexts:
        context.close()


def grave(page) -> list[str]:
    """Return the serious and critical violations found by axe."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


def wide(page) -> list[str]:
    """Return the elements wider than the window, of a page that scrolls sideways."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.body.querySelectorAll("*")]
           .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
           .map(each => each.outerHTML.slice(0, 120))"""
    )


def skip(page) -> list[str]:
    """Return the errors of the skip link."""
    # Add forms focus their first field.
    if page.evaluate("document.activeElement !== document.body"):
        return []
    link = page.locator(".skip-link, .skip")
    seen_before = page.evaluate("document.querySelector('.skip-link, .skip').getBoundingClientRect().bottom > 0")
    page.keyboard.press("Tab")
    first = link.evaluate("each => each === document.activeElement && each.getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    inside = page.evaluate("document.activeElement.closest('main') !== null")
    return [text for text, is_wrong in {
        "The link is seen before it has the focus": seen_before,
        "The first Tab does not show it": not first,
        "Enter does not lead into <main>": not inside,
    }.items() if is_wrong]  # fmt: skip


@pytest.mark.seed("site real browser: axe, one main landmark, skip link, names of pickers, keyboard, no")
@pytest.mark.parametrize(
    ("size", "scheme", "visits"),
    [
        # In a build a quarter of the pages on each, others the next day.
        (DESK, "light", share(VISITS, of=8)),
        (PHONE, "dark", share(VISITS, of=8, shift=4)),
        pytest.param(DESK, "dark", VISITS[::2], marks=pytest.mark.long),
        pytest.param(PHONE, "light", VISITS[1::2], marks=pytest.mark.long),
    ],
    ids=["desk", "phone in the dark", "desk in the dark", "phone"],
)
def test_page_has_no_serious_axe_violation(opened, community, size, scheme, visits):
    pages = {}
    faults = {}
    for visit in visits:
        if visit.actor not in pages:
            pages[visit.actor] = opened(visit.actor, size, scheme)
        page = pages[visit.actor]
        address = visit.address.format(**community)
        answer = page.goto(address)
        if visit.address == "/api/docs":
            page.locator(".opblock").first.wait_for(timeout=60_000)
        found = grave(page) + wide(page)
        if answer.status != visit.status:
            found.append(f"The status is {answer.status}")
        if (mains := page.locator("main").count()) != 1:
            found.append(f"{mains} main landmarks")
        if page.locator("nav").count() and visit.address not in ("/api/docs", "/admin/login/"):
            found += skip(page)
        if found:
            faults[address] = found
    assert faults == {}


def names(page, role: str) -> list[str]:
    """Return the names of all elements with this role in the accessibility tree."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    return [
        node["name"]["value"]
        for node in tree["nodes"]
        if not node["ignored"] and node["role"]["value"] == role and "name" in node
    ]


@pytest.mark.seed("site real browser: axe, one main landmark, skip link, names of pickers, keyboard, no")
@pytest.mark.parametrize(
    ("address", "labels"),
    [
        ("/admin/groups/membership/add/", ["Member", "Mission or colony"]),
        pytest.param("/admin/groups/communityinvitation/add/", ["Invited by"], marks=pytest.mark.long),
        pytest.param("/admin/fallback/mission/add/", ["Project"], marks=pytest.mark.long),
    ],
)
def test_picker_is_named_by_its_label(opened, address, labels):
    page = opened("administrator", DESK)
    page.goto(address)
    page.locator(".select2-selection").first.wait_for()
    pickers = names(page, "combobox")
    for label in labels:
        assert any(name.startswith(label) for name in pickers), pickers
    assert "" not in pickers
    page.locator(".select2-selection").first.click()
    page.locator(".select2-results__option").first.wait_for()
    # The open list and its search field.
    assert any(name.startswith(labels[0]) for name in names(page, "listbox"))
    assert any(name.startswith(labels[0]) for name in names(page, "searchbox"))


@pytest.mark.long
def test_picker_announces_selection(opened):
    page = opened("administrator", DESK)
    page.goto("/admin/groups/membership/add/")
    page.locator("#select2-id_member-container").click()
    page.locator(".select2-results__option", has_text="FE-P-").first.click()
    chosen = page.locator("#select2-id_member-container").get_attribute("title")
    (name,) = [name for name in names(page, "combobox") if name.startswith("Member")]
    assert chosen in name


@pytest.mark.seed("site real browser: axe, one main landmark, skip link, names of pickers, keyboard, no")
def test_keyboard_opens_menus(opened):
    page = opened("administrator", DESK)
    page.goto("/admin/groups/mission/")
    page.locator("#user-menu").focus()
    page.keyboard.press("Enter")
    log_out = page.get_by_role("button", name="Log out")
    log_out.wait_for()
    assert page.locator("#user-menu").get_attribute("aria-expanded") == "true"
    for _key in range(3):
        page.keyboard.press("Tab")
        if log_out.evaluate("each => each === document.activeElement"):
            break
    else:
        pytest.fail("The Tab key does not reach the button that logs out.")
    page.keyboard.press("Escape")
    log_out.wait_for(state="hidden")


@pytest.mark.long
def test_keyboard_opens_the_sidebar_of_a_phone(opened):
    page = opened("administrator", PHONE)
    page.goto("/admin/groups/mission/")
    entry_of_sidebar = page.get_by_role("navigation", name="Main navigation").get_by_role("link", name="Directory")
    assert not entry_of_sidebar.is_visible()
    page.get_by_role("button", name="Toggle sidebar", exact=True).focus()
    page.keyboard.press("Enter")
    entry_of_sidebar.wait_for()
    page.get_by_role("button", name="Close sidebar").focus()
    page.keyboard.press("Enter")
    entry_of_sidebar.wait_for(state="hidden")


@pytest.mark.long
def test_search_of_everything(opened, community):
    page = opened("administrator", DESK)
    page.goto("/admin/")
    page.get_by_role("button", name="Search everything").press("Enter")
    page.locator("#search-input-command").fill("webinar")
    page.keyboard.press("Shift")
    page.locator("#command-results-list a").first.wait_for()
    assert grave(page) == []


@pytest.mark.seed("site real browser: axe, one main landmark, skip link, names of pickers, keyboard, no", control=True)
def test_axe_detects_violations(opened):
    """Negative control: axe reports a picture without a text, light gray text and a small button."""
    page = opened("nobody", DESK)
    page.goto("/login/")
    page.evaluate(
        """document.querySelector("main").insertAdjacentHTML("beforeend",
           '<img src="/static/missionsite/favicon.svg"><p id="pale">Pale</p><button></button>');
           document.getElementById("pale").style.color = "#ccc";"""
    )
    rules = {fault.split(":")[0] for fault in grave(page)}
    assert rules >= {"image-alt", "color-contrast", "button-name"}
