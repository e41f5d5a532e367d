"""Review of proposals and the board in a real browser."""

import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from fallback.models import (
    Mission,
    MissionFallbackConfig,
    MissionFallbackItem,
    MissionFallbackRun,
    MissionFallbackTemplate,
    Project,
    ProjectActivity,
)
from fallback.services.configs import snooze_fallback, update_config
from fallback.services.missions import move_mission
from fallback.services.review import accept_item
from fallback.services.runs import run_due, run_fallback
from groups.models import Member
from tests.browser.conftest import wait_until
from tests.support.factories.fallback import ConfigFactory, MissionFactory, ProjectFactory, TemplateFactory
from tests.support.sample import share

REVIEW = "/admin/fallback/missionfallbackitem/review/"
NAMES = ("Update the guide", "Check the links", "Answer old questions")


@pytest.fixture
def documents(settings, tmp_path):
    """An empty document store; the folder it is in."""
    options = settings.STORAGES["documents"] | {"OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"documents": options}
    return tmp_path


@pytest.fixture
def project(transactional_db, documents) -> Project:
    """A project with a threshold of three and three templates."""
    project = ProjectFactory(name="The website", organization__name="The colony")
    ConfigFactory(project=project, backlog_threshold=3)
    for name in NAMES:
        TemplateFactory(project=project, name=name)
    return project


@pytest.fixture
def proposals(project) -> list[MissionFallbackItem]:
    """The three proposals of a run, in the order of the page."""
    run = run_fallback(actor=Member.objects.system(), project=project)
    return list(run.items.order_by("created_at", "id"))


def row(page: Page, item: MissionFallbackItem) -> Locator:
    return page.locator(f"#fb-p-{item.pk}")


def open_review(page: Page, live_server) -> None:
    page.goto(live_server.url + REVIEW)
    is_live(page)


def open_board(page: Page, live_server, project: Project) -> None:
    page.goto(live_server.url + reverse("admin:fallback_board", args=[project.pk]))
    is_live(page)


def is_live(page: Page) -> None:
    """Wait until the server's events are followed."""
    expect(page.locator("#fb-live")).to_have_attribute("data-state", "live")


def listen(page: Page) -> None:
    """Collect further events of the server in `window.heard`."""
    page.evaluate(
        """() => new Promise((ready) => {
            window.heard = [];
            const source = new EventSource(document.getElementById("fb-review").dataset.eventsUrl);
            source.addEventListener("change", (event) => window.heard.push(JSON.parse(event.data)));
            source.addEventListener("ready", ready);
        })"""
    )


def cards(page: Page, column: str) -> Locator:
    return page.locator(f"#fb-list-{column} > .fb-card h4")


def rejected(wrongs: list[str]) -> None:
    """Remove an expected rejection from the browser's records: the response and the console line."""
    assert len(wrongs) == 2
    assert all("409" in wrong for wrong in wrongs)
    wrongs.clear()


@pytest.mark.seed("004 end to end in a browser, on the tests' site and on the demo")
def test_run_and_review_from_low_backlog_to_full(desk: Page, live_server, reviewer, project, documents):
    missions = [MissionFactory(project=project, title=f"Ready {number}", list_order=number) for number in range(1, 4)]
    # Enough missions are ready: the check makes no run.
    assert list(run_due(actor=Member.objects.system())) == []
    assert not MissionFallbackRun.objects.exists()
    MissionFallbackConfig.objects.update(last_run_at=timezone.now() - timedelta(hours=1))
    open_review(desk, live_server)
    expect(desk.get_by_text("No proposals to review")).to_be_visible()
    desk.evaluate("window.neverReloaded = true")
    listen(desk)

    # Missions are started, fewer than three are ready, and the next check proposes three.
    for mission in missions:
        move_mission(actor=Member.objects.system(), mission=mission, to="doing")
    (outcome,) = run_due(actor=Member.objects.system())
    assert outcome.run.generated_count == 3
    expect(desk.locator(".fb-row")).to_have_count(3)
    expect(desk.locator("[data-count=waiting]")).to_have_text("3")
    expect(desk.get_by_text("No proposals to review")).to_have_count(0)
    wait_until(desk, "run => window.heard.some((news) => JSON.stringify(news).includes(run))", arg=outcome.run.pk)

    # The first key focuses a proposal; the next ones decide and go on to the next proposal.
    first, second, third = MissionFallbackItem.objects.order_by("created_at", "id")
    desk.keyboard.press("j")
    expect(row(desk, first)).to_be_focused()
    desk.keyboard.press("a")
    expect(row(desk, first)).to_contain_text("added to Todo")
    expect(row(desk, second)).to_be_focused()
    desk.keyboard.press("a")
    expect(row(desk, second)).to_contain_text("added to Todo")
    expect(row(desk, third)).to_be_focused()
    desk.keyboard.press("d")
    desk.keyboard.press("1")
    desk.keyboard.press("Enter")
    expect(row(desk, third)).to_contain_text("Discarded")
    assert desk.evaluate("window.neverReloaded")

    # The run is completed, with a summary.
    run = MissionFallbackRun.objects.get()
    assert (run.status, run.generated_count, run.accepted_count, run.discarded_count) == ("completed", 3, 2, 1)
    summary = ProjectActivity.objects.get(project=project, type="fallback.run_completed")
    wanted = {"runId": run.pk, "generated": 3, "accepted": 2, "discarded": 1}
    assert wanted.items() <= summary.payload.items()
    report = json.loads((documents / "solo-unicorn-docs" / "fallback" / f"{run.pk}.json").read_text())
    assert [item["status"] for item in report["items"]] == ["accepted", "accepted", "discarded"]
    assert {item["reviewer"] for item in report["items"]} == {reviewer.member_id}
    assert report["items"][2]["reason"] == "not_needed"

    # The board has the two missions in Todo, and all templates.
    open_board(desk, live_server, project)
    expect(cards(desk, "todo")).to_have_text([first.title, second.title])
    expect(desk.locator("#fb-list-todo .fb-card").first).to_contain_text("Fallback")
    expect(cards(desk, "doing")).to_have_text(["Ready 1", "Ready 2", "Ready 3"])
    for name in NAMES:
        expect(desk.locator("#fb-templates").get_by_role("link", name=name)).to_be_visible()
    assert MissionFallbackTemplate.objects.enabled().count() == 3
    assert set(Mission.objects.filter(list="todo").values_list("origin", "ready")) == {("fallback", True)}


@pytest.mark.seed("004 review page: keys, bulk, live, rejections on the row")
def test_undo_by_key(desk: Page, live_server, proposals):
    open_review(desk, live_server)
    desk.keyboard.press("j")
    desk.keyboard.press("a")
    expect(row(desk, proposals[0])).to_have_class(re.compile("is-decided"))
    assert Mission.objects.count() == 1
    desk.keyboard.press("u")
    expect(row(desk, proposals[0])).not_to_have_class(re.compile("is-decided"))
    expect(row(desk, proposals[0])).to_be_focused()
    expect(desk.locator("[data-count=waiting]")).to_have_text("3")
    assert not Mission.objects.exists()
    assert MissionFallbackItem.objects.proposed().count() == 3


@pytest.mark.seed("004 review page: keys, bulk, live, rejections on the row")
def test_full_week_shows_error_on_row(desk: Page, live_server, project, proposals, wrongs):
    update_config(actor=Member.objects.system(), config=project.fallback_config, weekly_mission_cap=1)
    open_review(desk, live_server)
    desk.keyboard.press("j")
    desk.keyboard.press("a")
    expect(row(desk, proposals[1])).to_be_focused()
    desk.keyboard.press("a")
    rejection = row(desk, proposals[1]).locator("[data-rejection]")
    expect(rejection).to_contain_text("The weekly cap of 1")
    expect(rejection).to_contain_text(re.compile(r"resets on Monday \d+ \w+ 00:00"))
    assert Mission.objects.count() == 1
    rejected(wrongs)


@pytest.mark.seed("004 review page: keys, bulk, live, rejections on the row")
@pytest.mark.long
def test_bulk_accept_stops_at_weekly_cap(desk: Page, live_server, project, proposals):
    update_config(actor=Member.objects.system(), config=project.fallback_config, weekly_mission_cap=2)
    open_review(desk, live_server)
    desk.keyboard.press("j")
    for _each in proposals:
        desk.keyboard.press("x")
        desk.keyboard.press("j")
    expect(desk.locator("#fb-bulk-text")).to_have_text("3 selected")
    desk.keyboard.press("Shift+A")
    expect(desk.locator(".fb-row.is-decided")).to_have_count(2)
    expect(row(desk, proposals[2]).locator("[data-rejection]")).to_contain_text("The weekly cap of 2")
    assert Mission.objects.count() == 2


@pytest.mark.long
def test_edit_and_accept(desk: Page, live_server, proposals):
    open_review(desk, live_server)
    desk.keyboard.press("j")
    desk.keyboard.press("e")
    panel = desk.locator(f"#fb-edit-{proposals[0].pk}")
    expect(panel.get_by_label("Title")).to_be_focused()
    desk.keyboard.type("Rewrite the guide")
    # The list is updated meanwhile; what was typed stays.
    accept_item(actor=Member.objects.system(), item=proposals[1])
    expect(row(desk, proposals[1])).to_have_count(0)
    panel.get_by_label("Priority").select_option("5")
    panel.get_by_label("Effort in minutes").fill("90")
    desk.keyboard.press("Enter")
    expect(row(desk, proposals[0])).to_contain_text("Rewrite the guide added to Todo")
    mission = Mission.objects.get(fallback_item=proposals[0])
    assert (mission.title, mission.priority) == ("Rewrite the guide", 5)
    assert MissionFallbackItem.objects.get(pk=proposals[0].pk).estimated_effort_minutes == 90


@pytest.mark.long
def test_snooze_and_end_snooze(desk: Page, live_server, proposals):
    open_review(desk, live_server)
    desk.keyboard.press("j")
    desk.keyboard.press("s")
    desk.keyboard.press("1")
    expect(row(desk, proposals[0])).to_contain_text("Snoozed until")
    expect(desk.locator("[data-count=waiting]")).to_have_text("2")
    expect(desk.locator("[data-count=snoozed]")).to_have_text("1")
    desk.get_by_role("link", name="Snoozed 1").click()
    expect(row(desk, proposals[0])).to_be_visible()
    expect(desk.locator(".fb-row")).to_have_count(1)
    desk.keyboard.press("j")
    desk.keyboard.press("s")
    expect(desk.locator("[data-count=waiting]")).to_have_text("3")
    assert not MissionFallbackItem.objects.filter(snoozed_until__isnull=False).exists()


@pytest.mark.long
def test_mark_as_duplicate(desk: Page, live_server, project, proposals):
    known = MissionFactory(project=project, title="Guide, second edition", list="doing")
    MissionFactory(title="Guide of another project")
    open_review(desk, live_server)
    desk.keyboard.press("j")
    desk.keyboard.press("m")
    desk.keyboard.type("guide")
    option = desk.get_by_role("option", name="Guide, second edition")
    expect(option).to_be_visible()
    expect(desk.locator(".fb-choose [role=option]")).to_have_count(1)
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("Enter")
    desk.locator(f"#fb-duplicate-{proposals[0].pk}").get_by_role("button", name="Mark as duplicate").click()
    expect(row(desk, proposals[0])).to_contain_text("is a duplicate of Guide, second edition")
    item = MissionFallbackItem.objects.get(pk=proposals[0].pk)
    assert (item.status, item.reason, item.duplicate_of) == ("discarded", "duplicate", known)


@pytest.mark.seed("004 review page: keys, bulk, live, rejections on the row")
@pytest.mark.long
def test_two_reviewers_see_each_others_decisions(desk: Page, live_server, proposals):
    open_review(desk, live_server)
    accept_item(actor=Member.objects.system(), item=proposals[1])
    expect(row(desk, proposals[1])).to_have_count(0)
    expect(desk.locator("[data-count=waiting]")).to_have_text("2")


def drag(page: Page, card: Locator, onto: Locator) -> None:
    """Drag a card with the mouse to the middle of another element."""
    start, end = card.bounding_box(), onto.bounding_box()
    page.mouse.move(start["x"] + 20, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 40, start["y"] + 20, steps=3)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=8)
    expect(page.locator(".fb-drop")).to_have_count(1)
    page.mouse.up()


@pytest.mark.seed("004 board: drag and drop, keyboard, launch leaves the template")
def test_drag_card_with_mouse(desk: Page, live_server, project):
    mission = MissionFactory(project=project, title="Write the guide", list_order=1)
    MissionFactory(project=project, title="Mend the links", list_order=2)
    open_board(desk, live_server, project)
    drag(desk, desk.locator(f"#fb-c-{mission.pk}"), desk.locator("#fb-col-doing"))
    expect(cards(desk, "doing")).to_have_text(["Write the guide"])
    expect(cards(desk, "todo")).to_have_text(["Mend the links"])
    expect(desk.locator("#fb-announce")).to_contain_text("Write the guide moved to Doing")
    mission.refresh_from_db()
    assert mission.list == "doing"
    desk.reload()
    expect(cards(desk, "doing")).to_have_text(["Write the guide"])


@pytest.mark.seed("004 board: drag and drop, keyboard, launch leaves the template")
def test_move_card_with_keyboard(desk: Page, live_server, project):
    mission = MissionFactory(project=project, title="Write the guide", list_order=1)
    for number in (2, 3):
        MissionFactory(project=project, title=f"Reviewed {number}", list="review", list_order=number)
    open_board(desk, live_server, project)
    desk.locator(f"#fb-c-{mission.pk}").focus()
    desk.keyboard.press("Space")
    expect(desk.locator("#fb-alert")).to_contain_text("Picked up Write the guide")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Space"):
        desk.keyboard.press(key)
    expect(desk.locator("#fb-announce")).to_contain_text("Write the guide moved to Review")
    expect(cards(desk, "review")).to_have_text(["Reviewed 2", "Write the guide", "Reviewed 3"])
    order = Mission.objects.filter(list="review").order_by("list_order").values_list("title", flat=True)
    assert list(order) == ["Reviewed 2", "Write the guide", "Reviewed 3"]
    # Escape cancels the move.
    for key in ("Space", "ArrowRight", "Escape"):
        desk.keyboard.press(key)
    expect(cards(desk, "review")).to_have_text(["Reviewed 2", "Write the guide", "Reviewed 3"])
    mission.refresh_from_db()
    assert mission.list == "review"


@pytest.mark.seed("004 board: drag and drop, keyboard, launch leaves the template")
def test_launch_template_from_board(desk: Page, live_server, project, wrongs):
    update_config(actor=Member.objects.system(), config=project.fallback_config, weekly_mission_cap=1)
    open_board(desk, live_server, project)
    desk.get_by_role("button", name=f"Launch {NAMES[0]}").click()
    expect(cards(desk, "todo")).to_have_text([NAMES[0]])
    expect(desk.locator("#fb-templates").get_by_role("link", name=NAMES[0])).to_be_visible()
    assert Mission.objects.get().origin == "fallback"
    # The next launch exceeds the weekly cap; the template shows the error.
    desk.get_by_role("button", name=f"Launch {NAMES[1]}").click()
    expect(desk.locator("#fb-templates .fb-rejection")).to_contain_text("The weekly cap of 1")
    assert Mission.objects.count() == 1
    rejected(wrongs)


@pytest.mark.long
def test_move_card_with_menu(desk: Page, live_server, project):
    """The board has one menu, which also reaches the cards that a list shows after it was scrolled."""
    for number in range(30):
        MissionFactory(project=project, title=f"Card {number}", list_order=number)
    open_board(desk, live_server, project)
    desk.locator(".fb-column-more").scroll_into_view_if_needed()
    expect(cards(desk, "todo")).to_have_count(30)
    desk.get_by_role("button", name="Move: Card 29").click()
    menu = desk.get_by_role("form", name="Move: Card 29")
    menu.get_by_label("To").select_option("doing")
    menu.get_by_role("button", name="Move").click()
    expect(cards(desk, "doing")).to_have_text(["Card 29"])
    expect(desk.locator(".fb-move")).to_have_count(0)
    desk.get_by_role("button", name="Mark not ready: Card 0").click()
    expect(desk.get_by_role("button", name="Mark ready: Card 0")).to_be_visible()


def test_board_shows_changes_of_others(desk: Page, live_server, project):
    mission = MissionFactory(project=project, title="Write the guide")
    open_board(desk, live_server, project)
    move_mission(actor=Member.objects.system(), mission=mission, to="done")
    expect(cards(desk, "done")).to_have_text(["Write the guide"])
    expect(cards(desk, "todo")).to_have_count(0)


def addresses(project: Project) -> list[str]:
    """The URLs of all pages of the fallback, with data."""
    mission = project.missions.order_by("created_at").first()
    run = MissionFallbackRun.objects.filter(project=project).first()
    template = project.fallback_templates.first()
    lists = "organization project flow actor projectrepository mission missionfallbackconfig missionfallbacktemplate"
    pages = [("changelist", name, None) for name in (*lists.split(), "missionfallbackrun", "missionfallbackitem")]
    pages += [(f"{job}", "mission", mission.pk) for job in ("change", "timeline", "dependencies", "move")]
    pages += [("change", "missionfallbackrun", run.pk), ("report", "missionfallbackrun", run.pk)]
    pages += [(name, "missionfallbackconfig", project.fallback_config.pk) for name in ("change", "plan")]
    pages += [(name, "missionfallbacktemplate", template.pk) for name in ("change", "uses")]
    pages += [(name, "project", project.pk) for name in ("change", "people", "flows", "activity")]
    pages += [
        ("change", "organization", project.organization_id),
        ("change", "missionfallbackitem", run.items.first().pk),
    ]
    found = [reverse(f"admin:fallback_{model}_{name}", args=[pk] if pk else []) for name, model, pk in pages]
    return [REVIEW, f"{REVIEW}?show=snoozed", reverse("admin:fallback_board", args=[project.pk]), *found]


@pytest.mark.seed("004 every page of projects and fallback, its forms and jobs")
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_every_page_fits_the_viewport(desk: Page, live_server, project, scheme):
    long = "A title that goes on and on, so that it has to be broken, withoutanyblanksinitsothatnothingbreaksit " * 3
    MissionFactory(
        project=project,
        title=long,
        list="review",
        review_status="rejected",
        review_feedback=long,
        reviewed_by=Member.objects.system(),
    )
    TemplateFactory(project=project, name=long[:190], description=long)
    update_config(actor=Member.objects.system(), config=project.fallback_config, weekly_mission_cap=2)
    run_fallback(actor=Member.objects.system(), project=project)
    desk.emulate_media(color_scheme=scheme)
    # In a build one in three, others the next day.
    for path in share(addresses(project), of=6):
        # Loaded in a narrow viewport, then widened.
        desk.set_viewport_size({"width": 390, "height": 844})
        desk.goto(live_server.url + path)
        for width in (390, 1440):
            desk.set_viewport_size({"width": width, "height": 844})
            room = desk.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert room[0] <= room[1], f"{path} is {room[0]} wide in a window of {room[1]}"
        shade = desk.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (darkness(desk, shade) > 0.5) == (scheme == "dark"), f"{path} is {shade} in {scheme}"


def test_configuration_list_fits_1440_pixels(desk: Page, live_server, project):
    config = update_config(
        actor=Member.objects.system(),
        config=project.fallback_config,
        weekly_mission_cap=1_000,
        monthly_target_hours=10_000,
        check_cadence_minutes=10_080,
    )
    snooze_fallback(actor=Member.objects.system(), config=config, until=timezone.now() + timedelta(days=300))
    desk.set_viewport_size({"width": 1440, "height": 900})
    desk.goto(live_server.url + reverse("admin:fallback_missionfallbackconfig_changelist"))
    table = desk.locator("#result_list")
    expect(table).to_contain_text("1,000 a week, 10,000 h a month")
    # The boxes around the table that scroll sideways.
    scrolling = """table => {
        const found = [];
        for (let box = table; box; box = box.parentElement)
            if (box.scrollWidth > box.clientWidth && ["auto", "scroll"].includes(getComputedStyle(box).overflowX))
                found.push(`${box.tagName} ${box.className}: ${box.scrollWidth} in ${box.clientWidth}`);
        return found;
    }"""
    assert table.evaluate(scrolling) == []


def darkness(page: Page, color: str) -> float:
    """The darkness of a CSS colour as painted, 0 to 1."""
    red, green, blue = page.evaluate(
        """color => {
            const canvas = document.createElement("canvas").getContext("2d");
            canvas.fillStyle = color;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }""",
        color,
    )
    return 1 - (red + green + blue) / 3 / 255
