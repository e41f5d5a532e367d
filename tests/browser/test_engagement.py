"""Browser tests: template preview, retrying a message, announcements and the lifecycle page."""

import re

import pytest
from playwright.sync_api import expect

from engagement.models import Announcement, EngagementMessage, MessageTemplate
from engagement.rules import Status
from engagement.services.lifecycle import transition
from tests.browser.conftest import PASSWORD, sign_in
from tests.engagement.members import failed, goodbye
from tests.portal.helpers import entry
from tests.support.admin import staff
from tests.support.factories.groups import MemberFactory

PHONE = {"width": 390, "height": 844}
ADMIN = "/admin/engagement"


@pytest.fixture(autouse=True)
def default_texts(transactional_db):
    """Create the default templates; an earlier test with real commits may have emptied the table."""
    for key, locale, text in (("reminder", "en", "Hi {{ name }}"), ("reminder", "pt-BR", "Oi {{ name }}")):
        MessageTemplate.objects.get_or_create(key=key, locale=locale, defaults={"subject": "A reminder", "body": text})
    for key in ("goodbye", "help_restart"):
        MessageTemplate.objects.get_or_create(key=key, locale="en", defaults={"subject": "s", "body": "b"})


@pytest.fixture
def operator(transactional_db):
    """Return Oda, who has the role for engagement."""
    return staff("Engagement Operator", display_name="Oda", email="oda@example.org", password=PASSWORD)


@pytest.fixture
def office(page, live_server, operator, wrongs):
    """Open a page and log in as Oda."""
    sign_in(page, live_server, operator)
    yield page
    assert wrongs == []


def test_preview_follows_input(office, live_server):
    page, text = office, MessageTemplate.objects.get(key="reminder", locale="en")
    page.locator("#nav-sidebar").get_by_text("Message templates", exact=True).click()
    page.get_by_role("link", name="Reminder").first.click()
    page.wait_for_url(re.compile(r"/messagetemplate/\d+/change/"))
    page.goto(f"{live_server.url}{ADMIN}/messagetemplate/{text.pk}/change/")
    preview = page.get_by_role("region", name="Preview", exact=True)
    other = page.get_by_role("region", name="Portuguese (Brazil)")
    expect(other).to_contain_text("Oi")

    page.get_by_label("Text").fill("Good morning {{ name }}, it is <b>Monday</b>.")
    expect(preview.locator("[data-preview=body]")).to_contain_text("Good morning Ana Souza, it is <b>Monday</b>.")
    expect(preview.locator("[data-preview=body]")).to_contain_text("You can stop these messages")
    page.get_by_label("Subject").fill("For {{ nme }}")
    expect(preview.locator("[data-preview=problem]")).to_contain_text("No value for parameter nme.")
    expect(preview.locator("[data-preview=subject]")).to_have_text("For {{ nme }}")

    # Saving rejects the error shown by the preview; correct it.
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("No value for parameter nme.").first).to_be_visible()
    expect(page.get_by_label("Text")).to_have_value("Good morning {{ name }}, it is <b>Monday</b>.")
    page.get_by_label("Subject").fill("For {{ name }}")
    expect(preview.locator("[data-preview=problem]")).to_have_text("")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    text.refresh_from_db()
    assert text.subject == "For {{ name }}"
    page.get_by_role("link", name="History", exact=True).click()
    expect(page.get_by_text("by Oda")).to_be_visible()

    page.set_viewport_size(PHONE)
    page.goto(f"{live_server.url}{ADMIN}/messagetemplate/{text.pk}/change/")
    expect(preview).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_failed_message_is_found_on_dashboard_and_retried(office, live_server):
    page, made = office, failed(MemberFactory(display_name="Bea Lopes"))
    page.goto(f"{live_server.url}/admin/")
    page.get_by_role("link", name=re.compile("Failed messages")).click()
    page.get_by_role("link", name="Reminder").click()
    expect(page.get_by_text("Hi Bea Lopes").first).to_be_visible()
    page.get_by_role("link", name="Retry").click()
    expect(page.get_by_text("Makes a failed message due now")).to_be_visible()
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_text("due again.")).to_be_visible()
    expect(page.get_by_text("Due. The next sender takes it").first).to_be_visible()
    made.refresh_from_db()
    assert (made.status, made.retry_count) == (Status.PENDING, 0)


@pytest.mark.seed("002 an announcement reaches exactly the filtered people")
def test_announcement_reaches_filtered_members(office, live_server):
    page = office
    for name, role in (("Ana", "designer"), ("Bea", "designer"), ("Caio", "developer")):
        entry(name=name, primary_role=role)
    entry(name="Nia", primary_role="designer", person=None)
    page.goto(f"{live_server.url}/admin/groups/communitymember/?primary_role__exact=designer")
    page.get_by_role("link", name="Compose announcement").click()
    audience = page.get_by_role("region", name="Recipients")
    expect(audience).to_contain_text("2 people of the filtered directory")
    audience.get_by_text("No account").click()
    expect(audience.get_by_role("link", name="Nia")).to_be_visible()

    page.get_by_label("Title").fill("Design week")
    page.get_by_label("Subject (English)").fill("Design week")
    page.get_by_label("Text (English)").fill("Dear {{ name }}, come on Monday.")
    english = page.get_by_role("region", name="Preview in English")
    expect(english.locator("[data-preview=body]")).to_contain_text("Dear Ana Souza, come on Monday.")
    # One more designer is added meanwhile, so the submission is rejected.
    entry(name="Duda", primary_role="designer")
    page.get_by_role("button", name="Queue 2 messages").click()
    expect(page.get_by_role("alert")).to_contain_text("The number of recipients changed from 2 to 3.")
    expect(page.get_by_label("Text (English)")).to_have_value("Dear {{ name }}, come on Monday.")
    page.get_by_role("button", name="Queue 3 messages").click()
    expect(page.get_by_text("Design week: 3 messages queued.")).to_be_visible()
    made = Announcement.objects.get()
    recipients = EngagementMessage.objects.filter(announcement=made).values_list("user__display_name", flat=True)
    assert sorted(recipients) == ["Ana", "Bea", "Duda"]

    page.get_by_role("link", name="Cancel announcement").click()
    page.get_by_role("button", name="Cancel announcement").click()
    expect(page.get_by_text("Design week: cancelled.")).to_be_visible()
    assert set(made.messages.values_list("status", flat=True)) == {Status.CANCELLED}


@pytest.mark.long
def test_lifecycle_page_refreshes_numbers(office, live_server):
    page, ana = office, goodbye("Ana")
    page.clock.install()
    page.goto(f"{live_server.url}{ADMIN}/userengagementstate/lifecycle/")
    place = page.locator("[data-state=help_flow] .lifecycle-count")
    expect(place).to_have_text("0")
    transition(actor=ana, member=ana, trigger="goodbye_response_1")
    page.clock.fast_forward(15_000)
    expect(place).to_have_text("1")

    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator("[data-state=help_flow]").click()
    expect(page.get_by_text("Answered 1: confused").first).to_be_visible()


@pytest.mark.long
def test_invalid_trigger_shows_error(office, live_server):
    page, ana = office, goodbye("Ana")
    page.goto(f"{live_server.url}/admin/groups/member/{ana.pk}/engagement/")
    page.get_by_role("link", name="Open engagement state").click()
    page.get_by_role("link", name=re.compile("Change state$")).click()
    page.get_by_label("Trigger").select_option("reminder_due")
    page.get_by_role("button", name="Change state", exact=True).click()
    expect(page.get_by_text("The trigger reminder_due is not valid in state")).to_be_visible()
    page.get_by_label("Trigger").select_option("goodbye_response_2")
    page.get_by_role("button", name="Change state", exact=True).click()
    expect(page.get_by_text("Remind later").first).to_be_visible()
