"""A manager imports a list, looks at what it changes, and undoes it, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from groups.models import Member
from tests.browser.conftest import PASSWORD, sign_in
from tests.support.admin import staff

pytestmark = pytest.mark.django_db(transaction=True)
IMPORT = "/admin/groups/communitymember/import/"
MAILCHIMP = (
    "Email Address;First Name;Last Name;Telegram ID;Role;MEMBER_RATING\r\n"
    "ana@example.org;Ana;Conceição;900;Project Manager;2\r\n"
    "jörg at example.org;Jörg;Strauß;901;developer;2\r\n"
)


def check_width(page: Page) -> None:
    """Check that the page does not scroll sideways on a phone."""
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})


def test_manager_imports_corrects_and_undoes(page: Page, live_server, wrongs):
    manager = staff("Community Manager", display_name="Mona", email="mona@example.org", password=PASSWORD)
    sign_in(page, live_server, manager)

    def send(text: str, *, check_only: bool) -> None:
        content = text.encode("cp1252")
        page.locator("[name=file]").set_input_files(
            [{"name": "subscribers.csv", "mimeType": "text/csv", "buffer": content}]
        )
        page.locator("[name=dry_run]").set_checked(check_only)
        page.get_by_role("button", name="Import", exact=True).click()

    page.goto(f"{live_server.url}{IMPORT}")
    send(MAILCHIMP, check_only=True)
    expect(page.get_by_text("Encoding: Windows-1252.")).to_be_visible()
    expect(page.get_by_text("“jörg at example.org” is not a valid e-mail address.")).to_be_visible()
    check_width(page)
    page.get_by_label("Project Manager").select_option("founder")
    send(MAILCHIMP.replace("jörg at ", "joerg@"), check_only=True)
    expect(page.get_by_text("Ana Conceição (new)")).to_be_visible()
    check_width(page)
    send(MAILCHIMP.replace("jörg at ", "joerg@"), check_only=False)
    expect(page.get_by_text("Imported: 2 added, 0 updated.")).to_be_visible()
    assert Member.objects.get(email="ana@example.org").community.primary_role == "founder"

    page.goto(f"{live_server.url}{IMPORT}")
    check_width(page)
    page.get_by_role("link", name="Undo", exact=True).click()
    check_width(page)
    page.get_by_role("button", name="Undo import").click()
    expect(page.get_by_text("Import undone: 0 set back, 2 removed.")).to_be_visible()
    assert not Member.objects.filter(email="ana@example.org").exists()
    assert wrongs == []
