"""A day of a delivery lead: from two shards to a signed report."""

import re

import pytest
from django.core.management import CommandError, call_command
from playwright.sync_api import APIRequestContext, Page, expect

from missiondeck.models import ClientSignature, DeckMission
from missiondeck.services.evidence import add_evidence
from tests.browser.conftest import PASSWORD, sign_in
from tests.missiondeck.workspace_helpers import address, make_item, make_mission
from tests.support.admin import staff
from tests.support.factories.missiondeck import junit_of
from tests.support.factories.tokens import make_token


def shard(
    ci: APIRequestContext, mission: DeckMission, number: int, test: str, status: str = "passed", attempt: int = 1
):
    """Send a shard of two by the API, as the CI step does."""
    run = {"commit": "c" * 40, "job": "unit", "attempt": str(attempt), "shard": str(number), "shards": "2"}
    file = {"name": "report.xml", "mimeType": "text/xml", "buffer": junit_of((test, status))}
    answer = ci.post(f"/api/deck/missions/{mission.number}/runs/import", multipart=run | {"report": file})
    assert answer.status == 201, answer.text()


def test_lead_delivers_from_two_shards_to_signed_report(
    page: Page, live_server, transactional_db, wrongs, mailoutbox, tmp_path
):
    dora = staff("Delivery Lead", display_name="Dora", email="dora@example.org", password=PASSWORD)
    mission = make_mission(title="Telegram Notifier")
    item = make_item(mission, "It pays")
    add_evidence(actor=dora, item=item, kind="test", value="tests \u203a test_pays")
    sign_in(page, live_server, dora)
    workspace, head = f"{live_server.url}{address(mission)}?citizen=sofia", page.locator("#ws-head")
    gate = page.locator("#ws-gate")
    token = make_token(dora, "deck:import")[1]
    ci = page.context.browser.new_context(
        base_url=live_server.url, extra_http_headers={"Authorization": f"Bearer {token}"}
    ).request

    shard(ci, mission, 1, "test_pays")
    page.goto(workspace)
    # One of two shards is no result yet.
    expect(head).to_contain_text("0 of 1 done")
    expect(gate).to_contain_text("Closed")
    expect(gate).to_contain_text("still running")
    shard(ci, mission, 2, "test_opens")
    page.reload()
    expect(head).to_contain_text("1 of 1 done")
    expect(gate).to_contain_text("Open: every rule is met")
    expect(page.locator(".ws-proof").first).to_contain_text("test_pays")

    for attempt, status, done in ((2, "failed", 0), (3, "passed", 1)):
        shard(ci, mission, 1, "test_pays", status, attempt)
        shard(ci, mission, 2, "test_opens", attempt=attempt)
        page.reload()
        expect(gate).to_contain_text("Open" if done else "Closed")
        expect(head).to_contain_text(f"{done} of 1 done")
        expect(page.locator("#ws-evidence")).to_contain_text("It pays")

    # The lead makes a link, and the client signs with it, without an account.
    page.get_by_role("link", name="Client", exact=True).click()
    page.get_by_label("Name").fill("Ida")
    page.get_by_label("E-mail address").fill("ida@client.example")
    page.get_by_role("button", name="Create link").click()
    link = page.locator("#address").input_value()
    client = page.context.browser.new_context(accept_downloads=True).new_page()
    client.goto(link)
    expect(client.locator("main")).to_contain_text("1 of 1")
    client.get_by_role("button", name="Send code").click()
    client.get_by_label("Your name").fill("Ida Client")
    client.get_by_label("Code from the e-mail").fill(re.search(r"\d{8}", mailoutbox[-1].body)[0])
    client.get_by_role("button", name="Sign this delivery").click()
    expect(client.locator("#signatures")).to_contain_text("Signed by Ida Client")
    assert ClientSignature.objects.get().facts["done"] == 1

    with client.expect_download() as download:
        client.get_by_role("link", name="Download report").click()
    report = tmp_path / "delivery.html"
    download.value.save_as(report)
    client.context.close()
    call_command("verify_delivery_report", str(report))
    content = report.read_bytes()
    assert b"Ida Client" in content
    report.write_bytes(content.replace(b"It pays", b"It paid"))
    with pytest.raises(CommandError, match="NOT VALID"):
        call_command("verify_delivery_report", str(report))
    assert wrongs == []
