"""Accounts: passwords by mail, second factors, sessions and their end, as a member meets them."""

import re
from datetime import timedelta
from unittest.mock import patch

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.utils import timezone

from engagement.services.profiles import update_profile
from groups.models import Member
from groups.services.erasure import erase
from groups.services.members import update_member
from groups.services.rights import set_roles
from missionsite.common.accounts.addresses import add_unconfirmed_address
from missionsite.common.accounts.factors import lacks_factor
from missionsite.common.accounts.sessions import SEEN
from missionsite.common.models import SecurityEvent
from missionsite.common.passwords import set_password
from missionsite.common.tokens import TokenRejected, authenticate
from missionsite.portal.logs import mask_secrets
from tests.portal.helpers import PASSWORD, entry
from tests.support.admin import OfficeClient
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import make_token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("within_minute")]
EMAIL = "ana@example.org"
NEW = "another long and odd one"


@pytest.fixture
def ana():
    return entry(person=MemberFactory(email=EMAIL, password=PASSWORD)).person


def log_in(password: str = PASSWORD, email: str = EMAIL, client: Client | None = None) -> Client:
    client = client or Client()
    client.post("/login/", {"username": email, "password": password})
    return client


def is_logged_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def types_of(member) -> list[str]:
    return list(SecurityEvent.objects.filter(member=member).order_by("pk").values_list("type", flat=True))


# --- Passwords by mail ------------------------------------------------------------------------


def link_in(mail) -> str:
    return re.search(r"http://testserver(/account/password/reset/key/\S+)", mail.body)[1]


def set_by_link(client: Client, link: str, password: str):
    form = client.get(link, follow=True)
    return client.post(form.redirect_chain[-1][0], {"password1": password, "password2": password})


def test_reset_gives_same_answer_for_unknown_address(client, ana, mailoutbox):
    answers = [client.post("/account/password/reset/", {"email": each}) for each in (EMAIL, "nobody@example.org")]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/account/password/reset/done/")}
    assert [mail.to for mail in mailoutbox] == [[EMAIL], ["nobody@example.org"]]
    assert "/account/password/reset/key/" not in mailoutbox[1].body


def test_reset_sets_password_and_ends_access(client, ana, mailoutbox):
    elsewhere, (_token, plaintext) = log_in(), make_token(ana)
    assert is_logged_in(elsewhere)
    client.post("/account/password/reset/", {"email": EMAIL.upper()})
    link = link_in(mailoutbox[-1])
    assert "at least 12 characters" in set_by_link(client, link, "Missionsit1").content.decode()
    assert set_by_link(client, link, NEW).status_code == 302
    assert not is_logged_in(elsewhere)
    with pytest.raises(TokenRejected):
        authenticate(plaintext)
    assert is_logged_in(log_in(NEW))
    assert not is_logged_in(log_in(PASSWORD))
    # The link works once.
    assert "account/password/reset/" in client.get(link, follow=True).content.decode()
    assert not is_logged_in(log_in("a third long and odd one"))


def test_account_without_password_gets_first_one_by_mail(client, mailoutbox):
    entry(person=MemberFactory(email="new@example.org"))
    client.post("/account/password/reset/", {"email": "new@example.org"})
    set_by_link(client, link_in(mailoutbox[-1]), NEW)
    assert is_logged_in(log_in(NEW, "new@example.org"))


def test_reset_is_limited(client, ana, settings, mailoutbox):
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 2
    answers = [client.post("/account/password/reset/", {"email": EMAIL}).status_code for _ in range(4)]
    assert (answers, len(mailoutbox)) == ([302, 302, 429, 429], 2)


# --- Second factors ---------------------------------------------------------------------------


def code_for(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def add_totp(client: Client) -> str:
    """Activate an authenticator app in a logged-in browser; returns its secret."""
    page = client.get("/account/2fa/totp/activate/")
    assert "img-src 'self' data:" in page["Content-Security-Policy"]
    secret = page.context["form"].secret
    with patch("django.db.transaction.on_commit", lambda function, **options: function()):
        client.post("/account/2fa/totp/activate/", {"code": code_for(secret)})
    return secret


@pytest.fixture
def secret(ana):
    return add_totp(log_in())


def test_log_in_asks_for_code(ana, secret, monkeypatch):
    assert Authenticator.objects.get(user=ana, type="totp").data["secret"] != secret, "encrypted at rest"
    browser = Client()
    answer = browser.post("/login/", {"username": EMAIL, "password": PASSWORD})
    assert answer["Location"] == "/account/2fa/authenticate/"
    assert not is_logged_in(browser)
    assert "Incorrect code" in browser.post("/account/2fa/authenticate/", {"code": "000000"}).content.decode()
    browser.post("/account/2fa/authenticate/", {"code": code_for(secret)})
    assert is_logged_in(browser)
    assert SecurityEvent.objects.filter(type="session.started").latest("pk").payload == {"method": "password, totp"}


def test_code_is_not_accepted_twice(ana, secret):
    code = code_for(secret)
    first, second = log_in(), log_in()
    first.post("/account/2fa/authenticate/", {"code": code})
    second.post("/account/2fa/authenticate/", {"code": code})
    assert (is_logged_in(first), is_logged_in(second)) == (True, False)


def test_codes_are_limited(ana, secret, settings):
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 3
    browser = log_in()
    codes = [f"{number:06}" for number in range(5)]
    answers = [browser.post("/account/2fa/authenticate/", {"code": code}).status_code for code in codes]
    assert answers == [200, 200, 200, 429, 429]
    assert browser.post("/account/2fa/authenticate/", {"code": code_for(secret)}).status_code == 429
    assert "session.limited" in types_of(ana)


def test_recovery_code_works_once(ana, secret):
    codes = Authenticator.objects.get(user=ana, type="recovery_codes").wrap().get_unused_codes()
    first, second = log_in(), log_in()
    first.post("/account/2fa/authenticate/", {"code": codes[0]})
    assert is_logged_in(first)

    with connection.cursor() as cursor:
        # As after a minute.
        cursor.execute("DELETE FROM api_request_counts")
    second.post("/account/2fa/authenticate/", {"code": codes[0]})
    assert not is_logged_in(second)
    second.post("/account/2fa/authenticate/", {"code": codes[1]})
    assert is_logged_in(second)


def test_role_that_requires_factor_is_shut_without_it(mailoutbox):
    role = Group.objects.get(name="Auditor")
    auditor = StaffFactory(email=EMAIL, password=PASSWORD)
    auditor.groups.add(role)
    # Negative control: without the requirement the role is open.
    assert log_in().get("/admin/").status_code == 200
    early = log_in()
    root = OfficeClient()
    root.force_login(StaffFactory(is_superuser=True))
    assert root.post(f"/admin/missionsite/role/{role.pk}/require-second-factor/").status_code == 302
    assert early.get("/admin/").status_code == 302
    browser = log_in()
    for page in ("/admin/", "/admin/groups/member/", "/me/", "/admin/common/apitoken/"):
        assert browser.get(page)["Location"] == "/account/2fa/", page
    assert "Your role requires a second factor" in browser.get("/account/2fa/").content.decode()
    assert lacks_factor(auditor)
    add_totp(browser)
    assert browser.get("/admin/").status_code == 200


# --- Sessions ---------------------------------------------------------------------------------


def test_idle_session_ends(ana, settings):
    browser = log_in()
    session = browser.session
    session[SEEN] -= int(settings.SESSION_IDLE.total_seconds()) - 60
    session.save()
    assert is_logged_in(browser)
    session = browser.session
    session[SEEN] -= int(settings.SESSION_IDLE.total_seconds()) + 1
    session.save()
    assert not is_logged_in(browser)
    expired = SecurityEvent.objects.get(type="session.expired")
    assert (expired.actor, expired.payload) == (ana, {"reason": "idle"})


def test_session_has_longest_life(ana, settings):
    browser = log_in()
    settings.SESSION_LIFETIME = timedelta(seconds=-1)
    assert not is_logged_in(browser)


def test_session_of_earlier_version_ends(ana):
    browser = log_in()
    session = browser.session
    for key in ("began_at", "seen_at"):
        del session[key]
    session.save()
    assert not is_logged_in(browser)


def test_sign_out_everywhere_keeps_this_browser(ana):
    here, there = log_in(), log_in()
    page = here.get("/account/sessions/").content.decode()
    assert page.count("127.0.0.1") == 2
    here.post("/account/sessions/")
    assert (is_logged_in(here), is_logged_in(there)) == (True, False)


def test_proof_of_identity_renews_session_key(ana):
    client = log_in()
    before = client.session.session_key
    stolen = Client()
    stolen.cookies["sessionid"] = before
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    assert client.session.session_key != before
    assert is_logged_in(client)
    assert not is_logged_in(stolen)
    assert UserSession.objects.get(user=ana).session_key == client.session.session_key


@pytest.mark.parametrize(
    ("password", "is_accepted"),
    [
        ("password1234", False),
        ("Qwerty-qwerty-7", False),
        ("1q2w3e4r5t6y", False),
        ("iloveyou2024angel", False),
        ("missionsite2026", False),
        ("short one", False),
        # Of any composition, and as long as a manager of passwords makes them.
        ("830291746520", True),
        ("gorse plinth wobble", True),
        ("ünïcodé ☃ passwörd", True),
        ("x7" + "Kq" * 60, True),
    ],
)
def test_password_is_accepted_by_length_and_lists(ana, password, is_accepted):
    client = log_in()
    client.post("/me/password/", {"old_password": PASSWORD, "new_password1": password, "new_password2": password})
    assert is_logged_in(log_in(password)) is is_accepted


@pytest.mark.parametrize("end", ["deactivated", "role", "staff", "password"])
def test_end_of_access_ends_sessions_and_tokens(end):
    root = StaffFactory(is_superuser=True)
    member = StaffFactory(email=EMAIL, password=PASSWORD)
    member.groups.add(Group.objects.get(name="Auditor"))
    browser, (_token, plaintext) = log_in(), make_token(member)
    assert browser.get("/admin/").status_code == 200
    assert authenticate(plaintext)[0] == member
    if end == "deactivated":
        update_member(actor=root, member=member, is_active=False)
        # A session does not come back with the account.
        update_member(actor=root, member=member, is_active=True)
    elif end == "role":
        set_roles(actor=root, member=member, roles=[])
    elif end == "staff":
        update_member(actor=root, member=member, is_staff=False)
    else:
        set_password(actor=root, member=member, password=NEW)
    assert browser.get("/admin/").status_code == 302
    assert not UserSession.objects.filter(user=member).exists()
    with pytest.raises(TokenRejected):
        authenticate(plaintext)
    assert "access.ended" in types_of(member)


def test_harmless_edit_keeps_session(ana):
    browser, (_token, plaintext) = log_in(), make_token(ana)
    update_member(actor=StaffFactory(is_superuser=True), member=ana, display_name="Ana B.", trust_score=3)
    assert is_logged_in(browser)
    assert authenticate(plaintext)[0] == ana


def test_new_device_is_mailed_once(ana, mailoutbox):
    browser = log_in()
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [([EMAIL], "Log-in from a new device")]
    browser.post("/logout/")
    log_in(client=browser)
    assert len(mailoutbox) == 1
    log_in()
    assert len(mailoutbox) == 2


def test_account_mail_ignores_opt_out(ana, client, mailoutbox):

    update_profile(actor=ana, member=ana, reengagement_opt_out=True)
    client.post("/account/password/reset/", {"email": EMAIL})
    assert mailoutbox[-1].to == [EMAIL]


def test_mail_server_that_fails_changes_no_answer(ana, client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answers = {client.post("/account/password/reset/", {"email": each}).status_code for each in (EMAIL, "no@x.org")}
    assert answers == {302}
    assert is_logged_in(log_in())


# --- Addresses --------------------------------------------------------------------------------


def test_new_address_counts_when_confirmed(ana, mailoutbox):
    browser = log_in()
    browser.post("/account/email/", {"email": "ana@new.example.org", "action_add": ""})
    assert Member.objects.get(pk=ana.pk).email == EMAIL
    link = re.search(r"http://testserver(/account/confirm-email/\S+)", mailoutbox[-1].body)[1]
    browser.post(link)
    assert Member.objects.get(pk=ana.pk).email == "ana@new.example.org"
    assert "address.confirmed" in types_of(ana)


def test_address_set_by_staff_is_unconfirmed(ana):
    update_member(actor=StaffFactory(is_superuser=True), member=ana, email="typed@example.org")
    assert list(EmailAddress.objects.filter(user=ana).values_list("email", "verified")) == [
        ("typed@example.org", False)
    ]


# --- The security log -------------------------------------------------------------------------


def test_log_in_failure_and_log_out_are_recorded(ana):
    log_in("wrong")
    log_in("wrong", "nobody@example.org")
    browser = Client(headers={"User-Agent": "Browser/1.0 \x07"})
    log_in(client=browser)
    browser.post("/logout/")
    rows = SecurityEvent.objects.order_by("pk").values_list("type", "member", "address", "user_agent", "payload")
    assert list(rows) == [
        ("session.failed", ana.pk, "127.0.0.1", "", {}),
        ("session.failed", None, "127.0.0.1", "", {}),
        ("session.started", ana.pk, "127.0.0.1", "Browser/1.0 ", {"method": "password"}),
        ("session.ended", ana.pk, "127.0.0.1", "Browser/1.0 ", {}),
    ]
    assert "" not in SecurityEvent.objects.values_list("request_id", flat=True)


@pytest.mark.rule("community_members_erased_account")
def test_erasing_a_person_empties_account_and_log(ana, secret):
    log_in()
    add_unconfirmed_address(ana)
    community = ana.community
    community.deleted_at = timezone.now()
    community.save()
    erase(actor=StaffFactory(is_superuser=True), entry=community)
    assert not Authenticator.objects.filter(user=ana).exists()
    assert not UserSession.objects.filter(user=ana).exists()
    assert not EmailAddress.objects.filter(user=ana).exists()
    left = SecurityEvent.objects.filter(actor=ana).values_list("address", "user_agent", "payload")
    assert {(address, agent, str(payload)) for address, agent, payload in left} == {(None, "", "{}")}
    assert timezone.now() > SecurityEvent.objects.filter(actor=ana).latest("pk").occurred_at


def test_links_in_mails_are_masked_in_logs():
    for path in ("/account/password/reset/key/1-abc/", "/account/confirm-email/MQ:1x:y/"):
        place = path.rpartition("/")[0].rpartition("/")[0]
        assert mask_secrets(f"200 GET {path}") == f"200 GET {place}/…"
