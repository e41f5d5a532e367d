"""A member and their messages, from the settings to the return, and the reason that staff read."""

import zipfile

import pytest

from engagement.models import EngagementMessage, MemberAddress, UserProfile
from engagement.services.unsubscribe import unsubscribe_url
from groups.models import PeopleJob
from groups.services.own_data_jobs import run_own_data
from groups.services.people_jobs import begin_job
from tests.browser.conftest import PASSWORD, sign_in
from tests.engagement.fake_provider import NOON, Clock, Provider, sender
from tests.support.admin import staff
from tests.support.factories.engagement import MessageFactory, PersonFactory


@pytest.fixture
def ana(transactional_db, settings, live_server):
    settings.SITE_URL = live_server.url
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 0
    settings.ENGAGEMENT_CHANNELS = {"telegram": "webhook", "email": "email"}
    ana = PersonFactory(email="ana@example.org", entry={"telegram_id": "718281828"}, state="active")
    ana.set_password(PASSWORD)
    ana.save()
    MemberAddress.objects.filter(user=ana).exclude(channel="telegram_name").update(verified_at=NOON)
    return ana


def send_to(ana) -> EngagementMessage:
    """Queue a message and send it on the channel it goes by; return it."""
    message = MessageFactory(user=ana, scheduled_for=NOON)
    for channel in ("telegram", "email"):
        sender(Provider(), Clock(), channel=channel).drain()
    message.refresh_from_db()
    return message


def test_member_sets_messages_leaves_and_returns(page, live_server, ana, wrongs, tmp_path):
    page.set_default_timeout(60_000)
    page.goto(f"{live_server.url}/me/")
    page.get_by_label("E-mail").fill(ana.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Message settings").click()
    page.get_by_label("Time zone").fill("Asia/Kathmandu")
    page.get_by_label("Events and meetings").uncheck()
    page.get_by_label("First by").select_option("E-mail")
    page.get_by_label("If that fails, by").select_option("Telegram")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Your message settings were saved.").wait_for()
    profile = UserProfile.objects.get(pk=ana.pk)
    assert (profile.timezone, profile.muted_topics, profile.channels) == (
        "Asia/Kathmandu",
        ["events"],
        ["email", "telegram"],
    )
    assert send_to(ana).channel == "email"

    page.get_by_role("link", name="Download my data").click()
    page.get_by_role("button", name="Collect my data").click()
    page.get_by_text("Your data is being collected: 0 %.").wait_for()
    # As the worker does.
    run_own_data(begin_job(str(PeopleJob.objects.get().pk)))
    page.get_by_role("link", name="Check again").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the file").click()
    download.value.save_as(tmp_path / "data.zip")
    with zipfile.ZipFile(tmp_path / "data.zip") as archive:
        assert "Asia/Kathmandu" in archive.read("engagement/userprofile.user.json").decode()

    page.goto(unsubscribe_url(ana.pk))
    page.get_by_role("button", name="Unsubscribe").click()
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    stopped = send_to(ana)
    assert stopped.status == "cancelled"
    page.get_by_role("button", name="Subscribe again").click()
    page.get_by_role("heading", name="You are subscribed again").wait_for()
    assert send_to(ana).status == "sent"

    # Staff read why the member got nothing.
    page.context.clear_cookies()
    mona = staff("Engagement Operator", display_name="Mona", email="mona@example.org", password=PASSWORD)
    sign_in(page, live_server, mona)
    page.goto(f"{live_server.url}/admin/engagement/engagementmessage/{stopped.pk}/change/")
    page.get_by_text("The member has opted out.").first.wait_for()
    assert wrongs == []
