"""Registration with a valid code."""

import time

import pytest
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.test import Client

from engagement.models import UserProfile
from engagement.selectors.members import claims_of
from groups.models import CommunityInvitation, CommunityMember, Member
from groups.services.invitations import cancel_invitation
from missionsite.portal import pending_password
from tests.portal.helpers import PASSWORD, entry, invitation, typed

pytestmark = pytest.mark.django_db


def address(made: CommunityInvitation) -> str:
    return f"/join/{made.spelled_code}/"


def test_form_shows_inviter_and_telegram_name(client):
    made = invitation(entry(name="Inês <b>"), telegram_username="rui_99")
    page = client.get(address(made)).content.decode()
    assert "<bdi>Inês &lt;b&gt;</bdi> invites you" in page
    assert 'value="rui_99"' in page


def test_registered_member_is_logged_in_and_pending(client):
    made = invitation()
    form = typed()
    answer = client.post(address(made), form)
    assert (answer.status_code, answer["Location"]) == (302, "/me/")
    made_entry = CommunityMember.objects.get(person__email=form["email"])
    assert (made_entry.status, made_entry.invited_by_id) == ("pending", made.created_by_id)
    assert made_entry.telegram_username == "ana_souza"
    page = client.get("/me/").content.decode()
    assert "Waiting for approval" in page
    assert made_entry.member_id in page
    assert Client().login(username=form["email"], password=PASSWORD)


@pytest.mark.parametrize(("reads", "locale"), [("pt-PT,pt;q=0.9", "pt-BR"), ("en-GB", "en"), ("de", "en")])
def test_registration_stores_language(client, reads, locale):
    form = typed()
    client.post(address(invitation()), form, headers={"accept-language": reads})
    assert UserProfile.objects.get(user__email=form["email"]).locale == locale


@pytest.mark.parametrize(
    ("browser", "timezone"),
    [
        ("America/Sao_Paulo", "America/Sao_Paulo"),
        ("Asia/Calcutta", "Asia/Calcutta"),
        ("UTC", "UTC"),
        ("", "Europe/Lisbon"),
        ("GMT", "Europe/Lisbon"),
        ("Mars/Olympus", "Europe/Lisbon"),
        ("../../etc/passwd", "Europe/Lisbon"),
        ("America/Sao_Paulo\x00", "Europe/Lisbon"),
        ("x" * 5000, "Europe/Lisbon"),
    ],
)
def test_registration_stores_valid_time_zone(client, settings, browser, timezone):
    settings.TIME_ZONE = "Europe/Lisbon"
    form = typed(timezone=browser, country="")
    assert client.post(address(invitation()), form).status_code == 302
    assert UserProfile.objects.get(user__email=form["email"]).timezone == timezone


def test_registered_member_is_found_by_telegram_id(client):
    form = typed(telegram_id="00 4711 22")
    client.post(address(invitation()), form)
    [claim] = claims_of(platform="telegram", sender="471122")
    assert claim.user.email == form["email"]


def test_form_has_time_zone_field(client):
    page = client.get(address(invitation())).content.decode()
    assert '<input type="hidden" name="timezone" data-browser-zone="" id="id_timezone">' in page
    assert "portal/zone.js" in page
    assert '<label for="id_timezone">' not in page


def test_rejected_registration_creates_no_profile(client):
    entry(telegram_id="4711")
    before = UserProfile.objects.count()
    client.post(address(invitation()), typed(telegram_id="4711", timezone="America/Sao_Paulo"))
    # The inviter's own.
    assert UserProfile.objects.count() == before + 1


def test_registration_rotates_session(client):
    client.get("/join/")
    session = client.session
    session["planted"] = "x"
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    client.post(address(invitation()), typed())
    assert client.session.session_key != before
    assert "_auth_user_id" in client.session
    assert not client.session.exists(before)


def test_own_used_code_redirects_to_profile(client):
    made = invitation()
    client.post(address(made), typed())
    for answer in (client.get(address(made)), client.post(address(made), typed()), client.get("/join/")):
        assert (answer.status_code, answer["Location"]) == (302, "/me/")
    assert CommunityMember.objects.count() == 2


def test_code_cancelled_meanwhile_is_rejected(client):
    made = invitation()
    assert client.get(address(made)).status_code == 200
    cancel_invitation(actor=Member.objects.system(), invitation=made)
    answer = client.post(address(made), typed())
    assert answer.status_code == 404
    assert Member.objects.filter(display_name="Ana Souza").count() == 0


@pytest.mark.parametrize("code", ["{0}", "{0}/", " {0} ", "https://example.org/join/{0}/"])
def test_code_is_accepted_in_any_notation(client, code):
    made = invitation()
    for spelled in (made.code, made.spelled_code, made.spelled_code.lower(), made.spelled_code[:9] + "—"):
        answer = client.post("/join/", {"code": code.format(spelled)})
        assert answer["Location"].startswith("/join/")
        plain = "".join(each for each in spelled if each.isalnum())
        assert answer["Location"] == f"/join/{plain}/"


@pytest.mark.parametrize("code", ["..", "../../admin/", "//example.org/", "\\\\example.org", "🦉", "é\n"])
def test_invalid_code_input_stays_on_join_page(client, code):
    answer = client.post("/join/", {"code": code})
    assert answer["Location"].startswith("/join/")
    assert client.get(answer["Location"]).status_code == 404


def test_empty_code_is_reported_at_field(client):
    page = client.post("/join/", {"code": ""}).content.decode()
    assert '<a href="#id_code">Invitation code: This field is required.</a>' in page


# --- Errors are shown at their field, and entered values are kept ---------------------------------

WRONG = [
    ("name", "", "This field is required."),
    ("name", "   ", "This field is required."),
    ("name", "x" * 256, "at most 255"),
    ("name", "Ana\u202eazuoS", "cannot be seen"),
    ("name", "A\x00na", "Null characters"),
    ("email", "ana", "Enter a valid e-mail address."),
    ("email", "a" * 250 + "@example.org", "at most 255"),
    ("password", "", "This field is required."),
    ("password", "12345678", "too common"),
    ("password", "x7!kq", "too short"),
    ("telegram_id", "@ana", "A Telegram ID is a number"),
    ("telegram_id", "٣٤٥", "A Telegram ID is a number"),
    ("telegram_id", "0", "A Telegram ID is a number"),
    ("telegram_id", "9" * 30, "A Telegram ID is a number"),
    ("telegram_username", "ana souza", "A Telegram name has"),
    ("primary_role", "king", "Select a valid choice"),
    ("organization", "x" * 256, "at most 255"),
    ("country", "x" * 101, "at most 100"),
    ("github_username", "-ana", "A GitHub name has"),
]


@pytest.mark.parametrize(("field", "value", "message"), WRONG)
def test_invalid_value_is_reported_at_field(client, field, value, message):
    form = typed(**{field: value})
    answer = client.post(address(invitation()), form)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert f'<a href="#id_{field}">' in page
    assert f'id="id_{field}_error"' in page
    assert message in page
    assert "<title>Error: " in page
    assert CommunityMember.objects.count() == 1
    assert form["telegram_id"] in page or field == "telegram_id"
    assert form["password"] not in page or not value


def test_password_similar_to_email_is_rejected(client):
    form = typed(email="rumpelstilz@example.org", password="rumpelstilz1")
    assert "too similar to the" in client.post(address(invitation()), form).content.decode()


# --- The password is not typed twice --------------------------------------------------------------


def test_pending_password_is_used(client):
    made, form = invitation(), typed(email="no")
    page = client.post(address(made), form).content.decode()
    assert "Your password is kept." in page
    assert form["password"] not in page
    assert '<input type="password" name="password" autocomplete="new-password" maxlength="256"' in page
    assert client.post(address(made), form | {"email": "ana@example.org", "password": ""})["Location"] == "/me/"
    assert Client().login(username="ana@example.org", password=PASSWORD)


def test_new_password_replaces_pending_one(client):
    made, form = invitation(), typed(email="no")
    client.post(address(made), form)
    other = "an0ther-good-One"
    client.post(address(made), form | {"email": "ana@example.org", "password": other})
    assert Client().login(username="ana@example.org", password=other)


def test_session_stores_password_hash_until_registered(client):
    made, form = invitation(), typed(email="no")
    client.post(address(made), form)
    kept = client.session["registration_password"]
    assert form["password"] not in str(kept)
    assert check_password(form["password"], kept["hash"])
    client.post(address(made), form | {"email": "ana@example.org", "password": ""})
    assert "registration_password" not in client.session


def test_invalid_password_is_not_stored(client):
    made = invitation()
    page = client.post(address(made), typed(email="no", password="12345678")).content.decode()
    assert "Your password is kept." not in page
    assert "registration_password" not in client.session
    page = client.post(address(made), typed(password="")).content.decode()
    assert '<a href="#id_password">Password: This field is required.</a>' in page


def test_pending_password_expires_and_is_per_invitation(client, monkeypatch):
    made, other = invitation(), invitation()
    client.post(address(made), typed(email="no"))
    assert "Your password is kept." in client.get(address(made)).content.decode()
    assert "Your password is kept." not in client.get(address(other)).content.decode()
    now = time.time()
    monkeypatch.setattr(pending_password.time, "time", lambda: now + 15 * 60 + 1)
    assert "This field is required." in client.post(address(made), typed(password="")).content.decode()
    assert "registration_password" not in client.session


def test_session_expires_with_pending_password(client):
    made, form = invitation(), typed(email="no")
    client.post(address(made), form)
    assert client.session.get_expiry_age() == 15 * 60
    client.post(address(made), form | {"email": "ana@example.org", "password": ""})
    assert client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE


def test_password_hashing_is_limited(settings):
    made = invitation()
    settings.JOIN_ATTEMPTS_PER_MINUTE = 2
    kept = [
        "Your password is kept."
        in Client(REMOTE_ADDR=f"203.0.113.{turn}").post(address(made), typed(email="no")).content.decode()
        for turn in range(3)
    ]
    assert kept == [True, True, False]


# --- More of what is wrong ------------------------------------------------------------------------


def test_rejected_registration_does_not_use_code(client):
    made = invitation()
    client.post(address(made), typed(primary_role="king"))
    entry(telegram_id="4711")
    client.post(address(made), typed(telegram_id="4711"))
    assert client.post(address(made), typed()).status_code == 302


def test_form_ignores_unknown_fields(client):
    form = typed()
    more = {"status": "active", "is_staff": "on", "reputation_score": "9999", "github_verified": "on", "code": "x"}
    client.post(address(invitation()), form | more)
    made = CommunityMember.objects.select_related("person").get(person__email=form["email"])
    assert (made.status, made.reputation_score, made.github_verified, made.person.is_staff) == (
        "pending",
        0,
        False,
        False,
    )


def test_form_without_csrf_token_is_rejected():
    client = Client(enforce_csrf_checks=True)
    assert client.post(address(invitation()), typed()).status_code == 403
    assert CommunityMember.objects.count() == 1


def test_fields_have_labels_and_autocomplete(client):
    page = client.get(address(invitation())).content.decode()
    for name, token in {
        "name": "name",
        "email": "email",
        "password": "new-password",
        "organization": "organization",
        "country": "country-name",
    }.items():
        assert f'autocomplete="{token}"' in page
        assert f'<label for="id_{name}">' in page
