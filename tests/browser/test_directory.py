"""From invitation to suspension in a browser: Cleo is a community manager, Bea registers on a phone."""

import re

import pytest
from playwright.sync_api import Browser, expect

from groups.models import CommunityMember
from groups.rules import CommunityStatus
from tests.browser.conftest import PASSWORD, sign_in
from tests.portal.helpers import entry

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def cleo(transactional_db):
    from tests.support.admin import staff

    person = staff("Community Manager", display_name="Cleo", email="cleo@example.org", password=PASSWORD)
    entry(person=person, name="Cleo", status=CommunityStatus.ACTIVE)
    return person


def reason(page, why: str, button: str) -> None:
    """Enter the reason for a decision."""
    page.get_by_label("Reason").fill(why)
    page.get_by_role("button", name=button, exact=True).click()


@pytest.mark.seed("003 Browser")
def test_invite_register_approve_find_suspend(page, live_server, browser: Browser, cleo, wrongs, settings):
    settings.SITE_URL = live_server.url
    sign_in(page, live_server, cleo)

    # Invite; the inviter is Cleo herself.
    page.locator("#nav-sidebar").get_by_text("Invitations", exact=True).click()
    page.get_by_role("link", name="Invite a person").first.click()
    expect(page.locator(".select2-selection__rendered")).to_contain_text("Cleo")
    page.get_by_label("Telegram name").fill("@bea_lopes")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Invitation for @bea_lopes", exact=True)).to_be_visible()
    address = page.get_by_label("Address to send").input_value()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()

    # Bea registers on her phone.
    phone = browser.new_context(viewport=PHONE, locale="en-GB").new_page()
    phone.set_default_timeout(60_000)
    phone.goto(address)
    phone.get_by_label("Name", exact=True).fill("Bea Lopes")
    phone.get_by_label("E-mail").fill("bea@example.org")
    phone.get_by_label("Password", exact=True).fill(PASSWORD)
    phone.get_by_label("Telegram ID").fill("718281828")
    phone.locator("select[name=primary_role]").select_option("designer")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.get_by_role("button", name="Register").click()
    phone.wait_for_url(f"{live_server.url}/me/")
    expect(phone.get_by_text("Waiting for approval").first).to_be_visible()
    bea = CommunityMember.objects.get(telegram_id="718281828")

    # The home page shows a pending entry; Cleo approves it.
    page.goto(f"{live_server.url}/admin/")
    page.get_by_role("link", name=re.compile("Waiting for approval")).click()
    page.get_by_role("link", name="Bea Lopes").click()
    page.get_by_role("link", name="Approve").click()
    reason(page, "Met her at the webinar", "Approve")
    expect(page.get_by_text(f"Bea Lopes {bea.member_id}: approved.")).to_be_visible()
    phone.goto(f"{live_server.url}/directory/")
    expect(phone.get_by_role("link", name="Bea Lopes")).to_be_visible()

    # She is found by a part of her name, and in the tree below Cleo.
    page.goto(f"{live_server.url}/admin/groups/communitymember/")
    page.get_by_placeholder(re.compile("Name, number")).fill("lopes")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Bea Lopes").click()
    page.get_by_role("link", name="Invitation tree").click()
    expect(page.get_by_role("navigation", name="Who invited this member")).to_contain_text("Cleo")

    # Suspended: hidden from others and from herself.
    page.get_by_role("link", name="Suspend").click()
    reason(page, "Spam in three rooms", "Suspend")
    expect(page.get_by_text(f"Bea Lopes {bea.member_id}: suspended.")).to_be_visible()
    phone.goto(f"{live_server.url}/directory/")
    expect(phone.get_by_role("link", name="Bea Lopes")).to_have_count(0)
    bea.refresh_from_db()
    assert bea.status == CommunityStatus.SUSPENDED
    phone.context.close()
    assert wrongs == []
