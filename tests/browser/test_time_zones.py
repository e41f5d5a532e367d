"""Registration from browsers in three time zones: the first message arrives in daytime there."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engagement.models import EngagementMessage, UserProfile
from engagement.rules import MessageType
from groups.models import Member
from tests.engagement.fake_provider import Clock, Provider, sender
from tests.portal.helpers import PASSWORD, invitation
from tests.support.factories.engagement import MessageFactory

ZONES = ("America/Sao_Paulo", "Europe/Lisbon", "Asia/Kathmandu")


def same_zone(name: str, other: str) -> bool:
    """Return whether two names mean the same zone: Chromium writes Asia/Katmandu."""
    times = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 7)]
    return all(
        time.astimezone(ZoneInfo(name)).utcoffset() == time.astimezone(ZoneInfo(other)).utcoffset() for time in times
    )


def register(context, live_server, number: int) -> Member:
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{live_server.url}/join/{invitation().spelled_code}/")
    page.get_by_label("Name", exact=True).fill("Ana Souza")
    page.get_by_label("E-mail").fill(f"ana{number}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Telegram ID").fill(f"12345678{number}")
    page.get_by_label("Role").select_option("Designer")
    page.locator("main form button").click()
    page.wait_for_url("**/me/**")
    assert not page.get_by_role("button", name="Use the browser's time zone").is_visible()
    return Member.objects.get(email=f"ana{number}@example.org")


@pytest.fixture
def visits(live_server, transactional_db, settings):
    settings.JOIN_ATTEMPTS_PER_MINUTE = settings.LOGIN_ATTEMPTS_PER_MINUTE = 0


def test_first_message_arrives_in_daytime(browser, live_server, visits):
    people = {}
    for number, zone in enumerate(ZONES):
        context = browser.new_context(timezone_id=zone, locale="en")
        people[zone] = register(context, live_server, number)
        context.close()
    start = datetime(2026, 3, 2, tzinfo=UTC)
    for zone, person in people.items():
        assert same_zone(UserProfile.objects.get(pk=person.pk).timezone, zone)
        for hour in range(24):
            # A message that is due in any hour is sent between the end and the start of the quiet hours.
            at = start + timedelta(hours=hour)
            message = MessageFactory(
                user=person, message_type=MessageType.TIER_UNLOCK, message_params={"tier": "1"}, scheduled_for=at
            )
            clock = Clock(at)
            sender(Provider(), clock).drain()
            message.refresh_from_db()
            clock.at = max(message.scheduled_for, at)
            sender(Provider(), clock).drain()
            message.refresh_from_db()
            assert message.status == "sent"
            assert 8 <= message.sent_at.astimezone(ZoneInfo(zone)).hour < 21, (zone, hour)
            EngagementMessage.objects.filter(pk=message.pk).update(attempted_at=None)


@pytest.mark.long
def test_member_is_asked_when_browser_moves(browser, live_server, visits):
    context = browser.new_context(timezone_id=ZONES[0], locale="en")
    person = register(context, live_server, 1)
    cookies = context.cookies()
    context.close()
    context = browser.new_context(timezone_id=ZONES[2], locale="en")
    context.add_cookies(cookies)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{live_server.url}/me/")
    # Keeping the zone is remembered for this zone.
    page.get_by_role("button", name=f"Keep {ZONES[0]}").click()
    page.reload()
    page.get_by_text("Reputation").wait_for()
    assert not page.get_by_role("button", name="Use the browser's time zone").is_visible()
    page.evaluate("localStorage.clear()")
    page.reload()
    found = page.locator("[data-zone]").inner_text()
    assert same_zone(found, ZONES[2])
    page.get_by_role("button", name="Use the browser's time zone").click()
    page.get_by_text(f"Your time zone is now {found}.").wait_for()
    assert UserProfile.objects.get(pk=person.pk).timezone == found
    context.close()
