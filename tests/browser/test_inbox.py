"""The inbox in a real browser: a notification arrives, leads to its work, and access is requested and granted."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from fallback.models import MissionFallbackItem, Project, ProjectMember
from fallback.services.missions import create_mission, move_mission
from fallback.services.runs import run_fallback
from groups.models import Member
from tests.browser.conftest import PASSWORD, sign_in
from tests.support.admin import staff
from tests.support.factories.fallback import ConfigFactory, ProjectFactory, ProjectMemberFactory, TemplateFactory

INBOX = "/admin/fallback/project/inbox/"


@pytest.fixture
def project(transactional_db, settings, tmp_path) -> Project:
    """A project with a threshold of one, a template and a finished mission."""
    options = settings.STORAGES["documents"] | {"OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"documents": options}
    project = ProjectFactory(name="The website", organization__name="The colony")
    ConfigFactory(project=project, backlog_threshold=1)
    TemplateFactory(project=project, name="Update the guide")
    system = Member.objects.system()
    mission = create_mission(actor=system, project=project, title="Mend the links")
    for to in ("doing", "done"):
        move_mission(actor=system, mission=mission, to=to)
    return project


def person(project: Project, name: str, role: str) -> Member:
    member = staff(display_name=name, email=f"{name.lower()}@example.org", password=PASSWORD)
    return ProjectMemberFactory(project=project, member=member, role=role).member


@pytest.mark.seed("004 Notifications")
@pytest.mark.seed("004 access requests")
def test_reviewer_is_notified_decides_and_gets_access(page: Page, live_server, project, wrongs):
    remo, maya = person(project, "Remo", "reviewer"), person(project, "Maya", "maintainer")
    sign_in(page, live_server, remo)
    page.clock.install()
    page.goto(live_server.url + INBOX)
    page.evaluate("window.neverReloaded = true")
    unread = page.locator("[data-unread]").first
    expect(unread).to_have_count(0)

    # A run makes a proposal: its reviewer sees that on the open page.
    run_fallback(actor=Member.objects.system(), project=project)
    page.clock.fast_forward(31_000)
    expect(unread).to_have_text("1")
    assert page.evaluate("window.neverReloaded")
    page.goto(live_server.url + INBOX)
    page.get_by_role("link", name="Proposals wait for review").click()
    expect(page.locator("#fb-live")).to_have_attribute("data-state", "live")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator(".fb-row")).to_contain_text("added to Todo")
    item = MissionFallbackItem.objects.get()
    assert (item.status, item.reviewed_by) == ("accepted", remo)

    # The flow of the project, which has the finished mission.
    page.goto(live_server.url + reverse("admin:fallback_project_metrics", args=[project.pk]))
    expect(page.get_by_role("heading", name="Flow of missions")).to_be_visible()
    expect(page.get_by_role("heading", name="Cycle time, by week of finishing")).to_be_visible()

    # Remo asks for a higher role, and Maya grants it.
    page.goto(live_server.url + reverse("admin:fallback_project_request-access", args=[project.pk]))
    page.get_by_label("Message").fill("I would like to keep the templates up to date.")
    page.get_by_role("button", name="Request access").click()
    expect(page.get_by_text("requested")).to_be_visible()
    other = page.context.browser.new_context()
    try:
        desk = other.new_page()
        sign_in(desk, live_server, maya)
        desk.goto(live_server.url + INBOX)
        asked = desk.locator(".fb-decisions > li", has_text="I would like to keep the templates up to date.")
        asked.get_by_role("combobox").select_option("maintainer")
        asked.get_by_role("button", name="Grant").click()
        expect(desk.get_by_text("Access granted to Remo.")).to_be_visible()
    finally:
        other.close()
    page.clock.fast_forward(31_000)
    expect(unread).to_have_text("1")
    page.goto(live_server.url + INBOX)
    expect(page.get_by_text("Your access request was approved")).to_be_visible()
    assert ProjectMember.objects.get(project=project, member=remo).role == "maintainer"
    assert wrongs == []
