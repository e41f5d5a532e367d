"""Passkeys and authenticator apps, in Chromium with its virtual authenticator."""

import pytest

from missionsite.common.models import SecurityEvent
from tests.browser.conftest import PASSWORD, sign_in
from tests.portal.helpers import entry
from tests.portal.test_accounts import code_for
from tests.support.factories.groups import MemberFactory, StaffFactory

EMAIL = "ana@example.org"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def ana(transactional_db, settings):
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 0
    return entry(person=MemberFactory(email=EMAIL, password=PASSWORD)).person


@pytest.fixture
def phone(page, ana, wrongs):
    page.set_viewport_size(PHONE)
    page.set_default_timeout(60_000)
    yield page
    assert wrongs == []


def log_in(page, live_server) -> None:
    page.goto(f"{live_server.url}/login/")
    page.locator("[name=username]").fill(EMAIL)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_passkey_is_registered_and_logs_in(phone, live_server, ana):
    devtools = phone.context.new_cdp_session(phone)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    log_in(phone, live_server)
    phone.wait_for_url("**/me/")
    phone.goto(f"{live_server.url}/account/2fa/webauthn/add/")
    assert fits(phone)
    phone.locator("[name=passwordless]").check()
    phone.locator("#mfa_webauthn_add").click()
    phone.wait_for_url("**/account/2fa/recovery-codes/")
    assert fits(phone)
    phone.goto(f"{live_server.url}/me/")
    phone.locator("header button").click()
    phone.wait_for_url("**/login/")
    # Without a password.
    phone.locator("#passkey_login").click()
    phone.wait_for_url("**/me/")
    started = SecurityEvent.objects.filter(type="session.started", member=ana).latest("pk")
    assert "webauthn" in started.payload["method"]


def test_authenticator_app_is_set_up_and_asked_for(phone, live_server, ana):
    log_in(phone, live_server)
    phone.wait_for_url("**/me/")
    phone.get_by_role("link", name="Passkeys and two-factor authentication").click()
    phone.wait_for_url("**/account/2fa/")
    assert fits(phone)
    phone.goto(f"{live_server.url}/account/2fa/totp/activate/")
    assert fits(phone)
    assert phone.evaluate("document.querySelector('main img').naturalWidth > 0"), "the QR code is shown"
    secret = phone.locator("#authenticator_secret").input_value()
    phone.locator("[name=code]").fill(code_for(secret))
    phone.locator("main form button[type=submit]").click()
    phone.wait_for_url("**/account/2fa/recovery-codes/")
    code = phone.locator("textarea").input_value().split()[0]
    phone.goto(f"{live_server.url}/account/sessions/")
    assert fits(phone)
    phone.goto(f"{live_server.url}/me/")
    phone.locator("header button").click()
    phone.wait_for_url("**/login/")
    log_in(phone, live_server)
    phone.wait_for_url("**/account/2fa/authenticate/")
    assert fits(phone)
    phone.locator("[name=code]").first.fill(code)
    phone.locator("main form button[type=submit]").first.click()
    phone.wait_for_url("**/me/")


def test_log_in_page_forgets_recent_pages(page, live_server, ana, wrongs):
    """Recent pages and searches have the names of members."""
    staff = StaffFactory(email="root@example.org", password=PASSWORD, is_superuser=True)
    sign_in(page, live_server, staff)
    page.goto(f"{live_server.url}/admin/groups/member/{ana.pk}/change/")
    page.evaluate("localStorage.setItem('commandHistory', '[1]')")
    stored = "JSON.parse(localStorage.getItem('missionsite.navigation')).recent.length"
    assert page.evaluate(stored) == 1
    # The page that follows a log-out, and the end of a session.
    page.context.clear_cookies()
    page.goto(f"{live_server.url}/login/")
    assert page.evaluate(f"[{stored}, localStorage.getItem('commandHistory')]") == [0, None]
    assert wrongs == []
