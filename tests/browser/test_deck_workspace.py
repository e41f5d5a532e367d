"""The workspace in a real browser: ticks, items, reports, completion and override."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from groups.models import Member
from missiondeck.models import DeckMission, DodItem, TestRun
from missiondeck.services.chats import add_message
from missiondeck.services.missions import change_status
from missionsite.common.constraints import replace_control_characters
from tests.browser.conftest import PASSWORD, sign_in, wait_until
from tests.missiondeck.injections import INJECTIONS
from tests.missiondeck.workspace_helpers import (
    FAILING,
    PASSING,
    address,
    complete,
    import_report_file,
    make_item,
    make_mission,
)
from tests.support.admin import client_of, staff
from tests.support.sample import share

# Maximum length of each kind of text.
TITLE, CLIENT, ITEM = 200, 200, 500


@pytest.fixture
def dora(transactional_db):
    return staff("Delivery Lead", display_name="Dora", email="dora@example.org", password=PASSWORD)


@pytest.fixture
def desk(page: Page, live_server, dora, wrongs) -> Iterator[Page]:
    """A page that is logged in as the delivery lead."""
    sign_in(page, live_server, dora)
    yield page
    assert wrongs == []


@pytest.fixture
def mission(dora) -> DeckMission:
    return make_mission(title="Telegram Notifier")


def open_workspace(page: Page, live_server, mission: DeckMission, query: str = "") -> None:
    page.goto(f"{live_server.url}{address(mission)}{query}")


@pytest.mark.seed("001 the workspace: tick in place, a rejected completion with its list, a report")
def test_tick_updates_page_in_place(desk: Page, live_server, dora, mission):
    first, second = make_item(mission, "It pays"), make_item(mission, "It ships")
    open_workspace(desk, live_server, mission)
    desk.evaluate("window.neverReloaded = true")
    desk.locator("#ws-add-text").fill("half a thought")
    box = desk.get_by_role("checkbox", name="It pays")
    box.click()
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    expect(desk.locator("#ws-announce")).to_have_text("1 of 2 done")
    expect(desk.locator("#ws-head")).to_contain_text("1 of 2 done")
    # By keyboard, then undone.
    desk.get_by_role("checkbox", name="It ships").focus()
    desk.keyboard.press("Space")
    expect(desk.get_by_role("checkbox", name="It ships")).to_be_checked()
    desk.keyboard.press("Space")
    expect(desk.get_by_role("checkbox", name="It ships")).not_to_be_checked()
    expect(desk.locator("#ws-add-text")).to_have_value("half a thought")
    assert desk.evaluate("window.neverReloaded")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.completed, first.completed_by, second.completed) == (True, dora, False)


def test_items_change_in_place(desk: Page, live_server, mission):
    open_workspace(desk, live_server, mission)
    expect(desk.get_by_text("No items yet. The mission")).to_be_visible()
    desk.evaluate("window.neverReloaded = true")
    for text in ("One", "Two"):
        desk.locator("#ws-add-text").fill(text)
        desk.keyboard.press("Enter")
        expect(desk.get_by_role("checkbox", name=text)).to_be_visible()
        expect(desk.locator("#ws-add-text")).to_have_value("")
        expect(desk.locator("#ws-add-text")).to_be_focused()
    desk.get_by_role("link", name="Edit: Two").click()
    editor = desk.get_by_label("Item text")
    expect(editor).to_be_focused()
    desk.get_by_role("button", name="Move up").click()
    expect(desk.get_by_role("checkbox")).to_have_text(["Two", "One"])
    editor.fill("Second")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("checkbox")).to_have_text(["Second", "One"])
    expect(desk.get_by_role("link", name="Edit: Second")).to_be_focused()
    desk.get_by_role("link", name="Edit: One").click()
    desk.get_by_text("Remove item …").click()
    desk.get_by_role("button", name="Remove item").click()
    expect(desk.get_by_role("checkbox")).to_have_text(["Second"])
    assert desk.evaluate("window.neverReloaded")
    assert DodItem.objects.get().text == "Second"


@pytest.mark.seed("001 the workspace: tick in place, a rejected completion with its list, a report")
def test_lead_completes_mission_with_override(desk: Page, live_server, dora, mission, tmp_path):
    make_item(mission, "The bot sends a message", done=True)
    make_item(mission, "All tests pass", category="tests")
    open_workspace(desk, live_server, mission)
    desk.get_by_role("button", name="Move to QA").click()
    expect(desk.locator("#ws-head")).to_contain_text("In QA")

    # Rejected with the list of missing parts.
    desk.get_by_role("button", name="Complete", exact=True).click()
    rejection = desk.locator("#ws-status-rejection")
    expect(rejection).to_be_in_viewport()
    expect(rejection).to_contain_text("1 item is open:")
    expect(rejection).to_contain_text("All tests pass")
    expect(rejection).to_contain_text("There is no test run yet.")
    assert DeckMission.objects.get().status == "qa"

    # The report is imported, and its failed test is listed first.
    report = tmp_path / "junit.xml"
    report.write_bytes(FAILING)
    (tmp_path / "out.txt").write_bytes(b"collected 3 items\nKeyError: 'total'\n")
    desk.get_by_role("tab", name=re.compile("Sofia")).click()
    desk.get_by_label("Test report").set_input_files(report)
    desk.get_by_label("Log file").set_input_files(tmp_path / "out.txt")
    desk.get_by_role("button", name="Import report").click()
    expect(desk.get_by_text("Report imported. Failed")).to_be_visible()
    red = desk.locator(".ws-result").first
    expect(red).to_contain_text("test_pays")
    expect(red).to_contain_text("KeyError: 'total'")
    expect(red.get_by_text("shop.py, line 12")).to_be_visible()
    expect(desk.locator(".ws-bar-failed")).to_have_count(1)
    expect(desk.locator("#ws-head")).to_contain_text("The latest test run failed.")
    desk.get_by_label("Search logs").fill("keyerror")
    desk.get_by_role("button", name="Search", exact=True).click()
    desk.get_by_role("link", name="Line 2").click()
    expect(desk.locator("#L2")).to_be_in_viewport()

    # The override reason is shown in the head.
    desk.get_by_role("button", name="Complete", exact=True).click()
    desk.get_by_label("Reason for completing the mission anyway").fill("They sign today")
    desk.get_by_role("button", name="Complete anyway").click()
    expect(desk.locator("#ws-head")).to_contain_text("Complete with an override")
    expect(desk.locator("#ws-head blockquote")).to_have_text("They sign today")
    expect(desk.get_by_text("its definition of done is locked")).to_be_visible()
    done = DeckMission.objects.get()
    assert (done.status, done.completed_by, done.override_reason) == ("complete", dora, "They sign today")


def test_tabs_work_with_arrow_keys_and_links(desk: Page, live_server, mission):
    add_message(
        actor=Member.objects.system(), mission=mission, citizen="inna", sender="citizen", message="Here is the **plan**"
    )
    open_workspace(desk, live_server, mission)
    expect(desk.get_by_role("tab", name=re.compile("Inna"))).to_have_attribute("aria-selected", "true")
    desk.get_by_role("tab", name=re.compile("Inna")).focus()
    desk.keyboard.press("ArrowRight")
    expect(desk.get_by_role("tab", name=re.compile("Rafael"))).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Chat with Rafael")).to_be_visible()
    desk.get_by_role("textbox", name="Message").fill("Start with *sending*")
    desk.get_by_text("Add code").click()
    desk.get_by_role("combobox", name="Language").fill("python")
    desk.get_by_label("Code").fill("send(1)")
    desk.get_by_role("button", name="Send message").click()
    expect(desk.locator(".ws-message em")).to_have_text("sending")
    expect(desk.locator(".ws-message figure code")).to_have_text("send(1)")
    desk.get_by_role("button", name="Copy").click()
    expect(desk.locator(".ws-message figure button")).to_have_text(re.compile("Copied|Press Ctrl"))


@pytest.fixture
def full_mission(dora) -> DeckMission:
    """A mission with all parts and very long words."""
    mission = make_mission(
        title="W" * 190, client="Acme " * 30, assigned_to=f"{'a' * 60}@{'b' * 60}.example.org", days=-3
    )
    make_item(mission, "L" * 480)
    make_item(mission, "Done", done=True, category="tests")
    message = f"{'M' * 2000}\n\n|a|b|\n|-|-|\n|{'c' * 300}|d|"
    add_message(
        actor=Member.objects.system(),
        mission=mission,
        citizen="sofia",
        sender="citizen",
        message=message,
        code_blocks=[{"language": "sql", "code": "x" * 900}],
    )
    result = dict.fromkeys(("name", "classname", "suite", "error", "traceback", "output"), "N" * 900)
    import_report_file(mission, json.dumps([{**result, "status": "failed"}]).encode(), logs=b"Z" * 9000)
    change_status(mission=mission, to="qa", actor=dora)
    return mission


@pytest.mark.parametrize("width", [390, pytest.param(1440, marks=pytest.mark.long)])
def test_page_has_no_horizontal_overflow(desk: Page, live_server, full_mission, width):
    desk.set_viewport_size({"width": width, "height": 844})
    open_workspace(desk, live_server, full_mission, "?citizen=sofia&log=1&find=Z")
    desk.evaluate("document.querySelectorAll('.ws details').forEach((each) => { each.open = true; })")
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_page_works_without_javascript(browser, live_server, dora, mission):
    item = make_item(mission)
    context = browser.new_context(java_script_enabled=False)
    # Logging in needs JavaScript.
    session = client_of(dora).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    open_workspace(page, live_server, mission)
    page.get_by_role("checkbox", name="It pays").click()
    expect(page.get_by_role("checkbox", name="It pays")).to_be_checked()
    page.get_by_role("link", name="Edit: It pays").click()
    page.get_by_label("Item text").fill("It pays at once")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("checkbox", name="It pays at once")).to_be_visible()
    page.get_by_role("tab", name=re.compile("Maya")).click()
    expect(page.get_by_role("heading", name="Chat with Maya")).to_be_visible()
    item.refresh_from_db()
    assert (item.text, item.completed) == ("It pays at once", True)
    context.close()


# --- Injections -----------------------------------------------------------------------------------


def storable(text: str, most: int) -> str:
    """A text without NUL, which PostgreSQL cannot store."""
    return text.replace("\x00", "\ufffd")[:most]


@pytest.fixture
def alarms(page: Page, wrongs) -> list:
    """The effects of injections: calls of `pwned`, dialogs and windows."""
    found: list = []
    page.expose_function("pwned", lambda *numbers: found.append(("pwned", numbers)))
    page.on("dialog", lambda dialog: (found.append(("dialog", dialog.message)), dialog.dismiss()))
    page.on("popup", lambda popup: found.append(("popup", popup.url)))
    return found


def test_negative_control_detects_injection(desk: Page, live_server, mission, alarms, wrongs):
    """Negative control: scripts that run and external requests are detected."""
    open_workspace(desk, live_server, mission)
    desk.evaluate("window.pwned(1)")
    assert alarms == [("pwned", (1,))]
    desk.evaluate("fetch('http://pwned.invalid/2').catch(() => {})")
    desk.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=http://pwned.invalid/3>')")
    wait_until(desk, "document.images[document.images.length - 1].complete")
    assert any("pwned.invalid" in wrong for wrong in wrongs)
    wrongs.clear()


@pytest.mark.seed("001 injections in chats, code, names, logs and titles neither run nor load, in a")
def test_injections_are_inert_in_workspace(desk: Page, live_server, dora, mission, alarms):
    """Every injection in chats, code, languages, items, names, errors, logs, warnings and reasons, on one page."""
    texts = [storable(each.text, 90_000) for each in INJECTIONS]
    for text in texts:
        make_item(mission, replace_control_characters(storable(text, ITEM)))
    for start in range(0, len(texts), 20):
        message = "\n\n".join(texts[start : start + 20])
        blocks = [{"language": storable(text, 40), "code": text} for text in texts[start : start + 20]]
        add_message(
            actor=Member.objects.system(),
            mission=mission,
            citizen="sofia",
            sender="citizen",
            message=message,
            code_blocks=blocks,
        )
    keys = ("name", "classname", "suite", "file", "error", "traceback", "output")
    results = [dict.fromkeys(keys, text) | {"status": "failed"} for text in texts if text.strip()]
    report = {"name": texts[0], "results": results, **dict.fromkeys(texts, 1)}
    logs = "\n".join(texts).encode(errors="replace")
    run = import_report_file(mission, json.dumps(report).encode(), logs=logs, actor=dora)
    assert run.warnings
    reason = storable("\n".join(texts), 90_000)
    complete(mission, dora, reason=reason)
    change_status(mission=DeckMission.objects.get(), to="qa", actor=dora, reason=reason)
    pages = -(-len(results) // 50)
    for query in (*(f"page={number}" for number in range(1, pages + 1)), "log=1", "find=pwned"):
        open_workspace(desk, live_server, mission, f"?citizen=sofia&{query}")
        stir(desk)
    expect(desk.locator(".ws-hits li").first).to_contain_text("pwned")
    assert desk.locator(".ws-items bdi").count() == len(texts)
    assert alarms == []


@pytest.mark.long
def test_injections_are_inert_in_title_and_client(desk: Page, live_server, dora, alarms):
    """Each injection as title and client; a build checks a part of them, which changes daily."""
    for injection in share(INJECTIONS, of=12):
        # Titles and clients are single-line texts.
        text = replace_control_characters(storable(injection.text, TITLE)).strip()
        mission = make_mission(title=text, client=replace_control_characters(storable(injection.text, CLIENT)).strip())
        open_workspace(desk, live_server, mission)
        shown = desk.locator(".ws-title bdi").first.evaluate("node => node.textContent")
        assert shown == text, injection.name
    assert alarms == []


def stir(page: Page) -> None:
    """Open all details and hover over everything, to trigger event handlers."""
    page.evaluate(
        """() => {
            document.querySelectorAll(".ws details").forEach((each) => { each.open = true; });
            for (const node of document.querySelectorAll(".ws *")) {
                for (const name of ["mouseover", "pointerenter", "mouseenter", "focus", "toggle", "animationstart"]) {
                    node.dispatchEvent(new Event(name));
                }
            }
        }"""
    )
    # After two frames everything has started to load.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.long
def test_page_is_complete_for_read_only_user(page: Page, live_server, mission, wrongs):
    make_item(mission, done=True)
    import_report_file(mission, PASSING)
    auditor = staff("Auditor", display_name="Ute", email="ute@example.org", password=PASSWORD)
    sign_in(page, live_server, auditor)
    open_workspace(page, live_server, mission, "?citizen=sofia")
    expect(page.locator(".ws-bar-passed")).to_have_count(1)
    expect(page.locator("#ws button")).to_have_count(1)
    assert TestRun.objects.count() == 1
    assert wrongs == []
