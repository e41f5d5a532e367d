"""Registering with a code that opens something."""

import time

import pytest
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.test import Client

from engagement.models import UserProfile
from engagement.services.inbound import find_sender
from groups.models import CommunityInvitation, CommunityMember, Member
from groups.services.invitations import cancel_invitation
from missionsite.portal import pending_password
from tests.portal.helpers import PASSWORD, entry, invitation, typed
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db


def address(made: CommunityInvitation) -> str:
    return f"/join/{made.spelled_code}/"


def test_form_says_who_invites_and_knows_the_telegram_name_of_the_invitation(client):
    made = invitation(entry(name="Inês <b>"), telegram_username="rui_99")
    page = client.get(address(made)).content.decode()
    assert "<bdi>Inês &lt;b&gt;</bdi> invites you" in page
    assert 'value="rui_99"' in page


def test_registered_person_is_logged_in_and_waits_for_approval(client):
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
def test_registered_person_is_written_to_in_the_language_they_read(client, reads, locale):
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
def test_time_zone_of_the_browser_is_taken_where_it_is_one(client, settings, browser, timezone):
    settings.TIME_ZONE = "Europe/Lisbon"
    form = typed(timezone=browser)
    assert client.post(address(invitation()), form).status_code == 302
    assert UserProfile.objects.get(user__email=form["email"]).timezone == timezone


def test_registered_person_is_known_by_their_telegram_id_when_they_answer(client):
    form = typed(telegram_id="00 4711 22")
    client.post(address(invitation()), form)
    assert find_sender(address="471122").email == form["email"]


def test_form_asks_the_browser_for_its_time_zone(client):
    page = client.get(address(invitation())).content.decode()
    assert '<input type="hidden" name="timezone" data-browser-zone="" id="id_timezone">' in page
    assert "portal/zone.js" in page
    assert '<label for="id_timezone">' not in page


def test_rejected_registration_leaves_no_profile_behind(client):
    entry(telegram_id="4711")
    before = UserProfile.objects.count()
    client.post(address(invitation()), typed(telegram_id="4711", timezone="America/Sao_Paulo"))
    # The inviter's own.
    assert UserProfile.objects.count() == before + 1


def test_session_of_before_is_not_the_session_of_the_account(client):
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


def test_code_used_by_oneself_leads_to_one_s_profile(client):
    made = invitation()
    client.post(address(made), typed())
    for answer in (client.get(address(made)), client.post(address(made), typed()), client.get("/join/")):
        assert (answer.status_code, answer["Location"]) == (302, "/me/")
    assert CommunityMember.objects.count() == 2


def test_code_that_is_cancelled_while_the_form_is_open_is_rejected_like_any_other(client):
    made = invitation()
    assert client.get(address(made)).status_code == 200
    cancel_invitation(invitation=made)
    answer = client.post(address(made), typed())
    assert answer.status_code == 404
    assert Member.objects.filter(display_name="Ana Souza").count() == 0


@pytest.mark.parametrize("code", ["{0}", "{0}/", " {0} ", "https://example.org/join/{0}/"])
def test_typed_code_leads_to_its_form_with_and_without_hyphens_and_as_a_link(client, code):
    made = invitation()
    for spelled in (made.code, made.spelled_code, made.spelled_code.lower(), made.spelled_code[:9] + "—"):
        answer = client.post("/join/", {"code": code.format(spelled)})
        assert answer["Location"].startswith("/join/")
        plain = "".join(each for each in spelled if each.isalnum())
        assert answer["Location"] == f"/join/{plain}/"


@pytest.mark.parametrize("code", ["..", "../../admin/", "//example.org/", "\\\\example.org", "🦉", "é\n"])
def test_typed_nonsense_leads_nowhere_else(client, code):
    answer = client.post("/join/", {"code": code})
    assert answer["Location"].startswith("/join/")
    assert client.get(answer["Location"]).status_code == 404


def test_nothing_typed_is_said_at_the_field(client):
    page = client.post("/join/", {"code": ""}).content.decode()
    assert '<a href="#id_code">Invitation code: This field is required.</a>' in page


# --- What is wrong is said at its field, and what was typed stays ---------------------------------

WRONG = [
    ("name", "", "This field is required."),
    ("name", "   ", "This field is required."),
    ("name", "x" * 256, "at most 255"),
    ("name", "Ana\u202eazuoS", "cannot be seen"),
    ("name", "A\x00na", "Null characters"),
    ("email", "ana", "Enter a valid email address."),
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


@pytest.mark.parametrize(("field", "value", "said"), WRONG)
def test_wrong_value_is_said_at_its_field(client, field, value, said):
    form = typed(**{field: value})
    answer = client.post(address(invitation()), form)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert f'<a href="#id_{field}">' in page
    assert f'id="id_{field}_error"' in page
    assert said in page
    assert "<title>Error: " in page
    assert CommunityMember.objects.count() == 1
    assert form["telegram_id"] in page or field == "telegram_id"
    assert form["password"] not in page or not value


def test_password_like_the_e_mail_is_rejected(client):
    form = typed(email="rumpelstilz@example.org", password="rumpelstilz1")
    assert "too similar to the" in client.post(address(invitation()), form).content.decode()


def test_e_mail_of_someone_is_said_at_its_field_and_everything_but_the_password_stays(client):
    MemberFactory(email="Taken@example.org")
    form = typed(email="taken@EXAMPLE.org")
    page = client.post(address(invitation()), form).content.decode()
    assert '<a href="#id_email">E-mail: There is an account with this e-mail already.' in page
    for name, value in form.items():
        assert (value in page) is (name != "password"), name


# --- The password is not typed twice --------------------------------------------------------------


def test_password_of_a_form_with_another_error_is_kept_and_used(client):
    made, form = invitation(), typed(email="no")
    page = client.post(address(made), form).content.decode()
    assert "The password you typed is kept." in page
    assert form["password"] not in page
    assert '<input type="password" name="password" autocomplete="new-password" maxlength="256"' in page
    assert client.post(address(made), form | {"email": "ana@example.org", "password": ""})["Location"] == "/me/"
    assert Client().login(username="ana@example.org", password=PASSWORD)


def test_password_typed_again_replaces_the_kept_one(client):
    made, form = invitation(), typed(email="no")
    client.post(address(made), form)
    other = "an0ther-good-One"
    client.post(address(made), form | {"email": "ana@example.org", "password": other})
    assert Client().login(username="ana@example.org", password=other)


def test_session_has_the_hash_of_the_password_until_the_account_is_there(client):
    made, form = invitation(), typed(email="no")
    client.post(address(made), form)
    kept = client.session["registration_password"]
    assert form["password"] not in str(kept)
    assert check_password(form["password"], kept["hash"])
    client.post(address(made), form | {"email": "ana@example.org", "password": ""})
    assert "registration_password" not in client.session


def test_password_that_is_wrong_itself_is_not_kept(client):
    made = invitation()
    page = client.post(address(made), typed(email="no", password="12345678")).content.decode()
    assert "The password you typed is kept." not in page
    assert "registration_password" not in client.session
    page = client.post(address(made), typed(password="")).content.decode()
    assert '<a href="#id_password">Password: This field is required.</a>' in page


def test_kept_password_is_for_this_invitation_and_fifteen_minutes(client, monkeypatch):
    made, other = invitation(), invitation()
    client.post(address(made), typed(email="no"))
    assert "The password you typed is kept." in client.get(address(made)).content.decode()
    assert "The password you typed is kept." not in client.get(address(other)).content.decode()
    now = time.time()
    monkeypatch.setattr(pending_password.time, "time", lambda: now + 15 * 60 + 1)
    assert "This field is required." in client.post(address(made), typed(password="")).content.decode()
    assert "registration_password" not in client.session


def test_session_ends_with_the_kept_password_and_lasts_once_registered(client):
    made, form = invitation(), typed(email="no")
    client.post(address(made), form)
    assert client.session.get_expiry_age() == 15 * 60
    client.post(address(made), form | {"email": "ana@example.org", "password": ""})
    assert client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE


def test_passwords_are_hashed_so_many_times_a_minute_at_most(settings):
    made = invitation()
    settings.JOIN_ATTEMPTS_PER_MINUTE = 2
    kept = [
        "The password you typed is kept."
        in Client(REMOTE_ADDR=f"203.0.113.{turn}").post(address(made), typed(email="no")).content.decode()
        for turn in range(3)
    ]
    assert kept == [True, True, False]


def test_telegram_id_that_is_taken_keeps_the_password_too(client):
    entry(telegram_id="4711")
    made, form = invitation(), typed(telegram_id="4711")
    assert "The password you typed is kept." in client.post(address(made), form).content.decode()
    assert client.post(address(made), form | {"telegram_id": "4712", "password": ""}).status_code == 302
    assert Client().login(username=form["email"], password=PASSWORD)


# --- More of what is wrong ------------------------------------------------------------------------


def test_telegram_id_of_someone_is_said_at_its_field(client):
    entry(telegram_id="4711")
    page = client.post(address(invitation()), typed(telegram_id="00 4711")).content.decode()
    assert '<a href="#id_telegram_id">Telegram ID: Another member has this Telegram ID.' in page


def test_rejected_registration_leaves_the_code_open(client):
    made = invitation()
    client.post(address(made), typed(primary_role="king"))
    entry(telegram_id="4711")
    client.post(address(made), typed(telegram_id="4711"))
    assert client.post(address(made), typed()).status_code == 302


def test_form_cannot_set_what_it_does_not_ask_for(client):
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


def test_form_without_its_token_is_rejected():
    client = Client(enforce_csrf_checks=True)
    assert client.post(address(invitation()), typed()).status_code == 403
    assert CommunityMember.objects.count() == 1


def test_every_field_has_a_label_and_a_word_for_the_browser_to_fill_it_in(client):
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
