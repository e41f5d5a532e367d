"""Pages work under the Content-Security-Policy without violations in the browser.

The other tests of this folder say so of the pages they go through.
"""

import pytest

from missionsite.common import content_policy
from tests.browser.conftest import PASSWORD, sign_in, wait_until
from tests.support.admin import staff
from tests.support.factories.groups import MissionFactory

PAGES = [
    "/admin/",
    "/admin/password_change/",
    "/admin/common/apitoken/add/",
    "/admin/missionsite/role/add/",
    "/admin/groups/member/",
    "/admin/groups/mission/add/",
    "/admin/groups/membership/add/",
    "/admin/groups/event/",
    "/admin/groups/communitymember/",
    "/admin/groups/communitymember/import/",
    "/admin/groups/communityinvitation/many/",
    "/admin/fallback/project/add/",
    "/admin/fallback/missionfallbackitem/review/",
    "/admin/engagement/userengagementstate/lifecycle/",
    "/api/docs",
    "/login/",
]


@pytest.fixture
def office(page, live_server, transactional_db):
    """Return a page on which Ada, a superuser, is logged in."""
    ada = staff("Administrator", display_name="Ada", email="ada@example.org", password=PASSWORD)
    sign_in(page, live_server, ada)
    return page


def test_pages_cause_no_policy_violation(office, live_server, wrongs):
    for address in PAGES:
        office.goto(live_server.url + address)
        office.wait_for_load_state("load")
        assert wrongs == [], address


def test_error_page_keeps_styles(page, live_server, transactional_db, wrongs):
    page.goto(f"{live_server.url}/nothing")
    assert [wrong for wrong in wrongs if "404" not in wrong] == []
    assert page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "544px"


@pytest.mark.parametrize("lost", ["sha256", pytest.param("style-src-attr", marks=pytest.mark.long)])
def test_stricter_policy_would_break_the_back_office(office, live_server, wrongs, monkeypatch, lost):
    policy = content_policy.policy_for("/admin/")
    less = "; ".join(part for part in policy.split("; ") if lost not in part and not part.startswith("style-src "))
    assert less != policy
    monkeypatch.setattr(content_policy, "_back_office", lambda: less)
    office.goto(f"{live_server.url}/admin/groups/member/")
    office.wait_for_load_state("load")
    assert [wrong for wrong in wrongs if "Content Security Policy" in wrong]


def test_menus_and_switches_work_without_eval(office, live_server, wrongs):
    """Each evaluates expressions of Unfold's templates; Alpine logs those it cannot read as errors."""
    office.set_default_timeout(20_000)
    mission = MissionFactory(name="Well done")
    office.goto(f"{live_server.url}/admin/groups/mission/")
    # Later than the call, which the browser's tools exempt from the policy.
    run = "new Promise((done) => setTimeout(() => { try { done(eval('1')) } catch (error) { done(error.name) } }))"
    assert office.evaluate(run) == "EvalError"
    # Negative control: the browser reports a violation.
    report = "document.addEventListener('securitypolicyviolation', (event) => done(event.blockedURI))"
    assert office.evaluate(f"new Promise((done) => {{ {report}; setTimeout(() => eval('1')) }})") == "eval"
    wrongs.clear()

    # The sidebar, which is remembered.
    sidebar = office.locator("button.sidebar-toggle:visible").first
    assert sidebar.get_attribute("aria-expanded") == "true"
    sidebar.click()
    wait_until(office, "localStorage.getItem('sidebarDesktopOpen') === '0'")
    office.reload()
    assert office.locator("button.sidebar-toggle:visible").first.get_attribute("aria-expanded") == "false"
    office.locator("button.sidebar-toggle:visible").first.click()

    # The theme, by its key.
    for _press in ("from that of the system to light", "to dark"):
        office.keyboard.press("Control+e")
    wait_until(office, "document.documentElement.classList.contains('dark')")

    # The menu of the user opens, and closes with a click elsewhere.
    menu = office.locator("nav[x-show=openUserLinks]:visible")
    for close in (
        lambda: office.keyboard.press("Escape"),
        lambda: office.locator("#main").click(position={"x": 5, "y": 5}),
    ):
        office.locator("#user-menu").click()
        menu.wait_for()
        close()
        office.locator("nav[x-show=openUserLinks]").wait_for(state="hidden")

    # The command palette finds and opens a mission.
    office.keyboard.press("Control+k")
    field = office.locator("[x-ref=searchInputCommand]")
    field.press_sequentially("Well done")
    office.locator("#command-results-list li", has_text="Well done").first.wait_for()
    office.keyboard.press("ArrowDown")
    office.keyboard.press("Enter")
    office.wait_for_url(f"**/groups/mission/{mission.pk}/**")
    assert wrongs == []


def test_injected_content_neither_runs_nor_loads(office, live_server, wrongs):
    """Negative control: without a policy all of it runs or loads."""
    brought = """
        <script>window.ran = [...(window.ran ?? []), "script"]</script>
        <img src="/static/missing.png" onerror="window.ran = [...(window.ran ?? []), 'handler']">
        <style>body { outline: 7px solid }</style>
        <img src="http://elsewhere.invalid/">"""

    def bring(route, policy: bool) -> None:
        answer = route.fetch()
        headers = {name: value for name, value in answer.headers.items() if policy or "content-security" not in name}
        route.fulfill(response=answer, headers=headers, body=answer.text().replace("</body>", f"{brought}</body>"))

    def answer_elsewhere(route) -> None:
        asked.append(route.request.url)
        route.fulfill(body="")

    def seen() -> list:
        asked.clear()
        office.goto(f"{live_server.url}/admin/")
        office.wait_for_load_state("load")
        width = office.evaluate("getComputedStyle(document.body).outlineWidth")
        return [office.evaluate("window.ran ?? []"), width == "7px", asked == ["http://elsewhere.invalid/"]]

    asked = []
    office.route("http://elsewhere.invalid/", answer_elsewhere)
    office.route("**/admin/", lambda route: bring(route, policy=False))
    assert seen() == [["script", "handler"], True, True]
    wrongs.clear()
    office.route("**/admin/", lambda route: bring(route, policy=True))
    assert seen() == [[], False, False]
    reported = [wrong for wrong in wrongs if "Content Security Policy" in wrong]
    for directive in ("script-src", "script-src-attr", "style-src-elem", "default-src"):
        assert any(directive in each for each in reported), directive
