"""Log-in, log-out and password change, without revealing whether an account exists."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from tests.portal.helpers import PASSWORD, entry, seen
from tests.support.factories.groups import MemberFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("within_minute")]
NEW = "another long and odd one"


@pytest.fixture
def ana():
    return entry(person=MemberFactory(email="ana@example.org", password=PASSWORD))


def log_in(client: Client, email: str = "ana@example.org", password: str = PASSWORD, **more):
    return client.post("/login/", {"username": email, "password": password} | more)


def test_log_in_ignores_case_of_email(client, ana):
    answer = log_in(client, "ANA@example.org")
    assert (answer.status_code, answer["Location"]) == (302, "/me/")
    assert client.get("/login/")["Location"] == "/me/"


def test_back_office_names_a_member_without_access(client, ana):
    sentence = "has no access to the back office"
    assert sentence not in client.get("/admin/login/").content.decode()
    log_in(client)
    shown = client.get("/admin/login/").content.decode()
    assert f"You are logged in as <strong>{ana.person.display_name}</strong>, who {sentence}." in shown
    assert '<a class="row-link" href="/me/">your profile</a>' in shown


def test_log_in_redirects_to_next(client, ana):
    answer = client.get("/directory/?role=founder")
    assert answer["Location"] == "/login/?next=%2Fdirectory%2F%3Frole%3Dfounder"
    assert 'name="next" value="/directory/?role=founder"' in client.get(answer["Location"]).content.decode()
    assert log_in(client, next="/directory/?role=founder")["Location"] == "/directory/?role=founder"


ELSEWHERE = [
    "https://example.org/",
    "//example.org/",
    "///example.org/",
    "/\\example.org",
    "\\\\example.org",
    "http:example.org",
    "javascript:alert(1)",
    "https://testserver.example.org/",
    "https://testserver@example.org/",
    "\thttps://example.org",
    "data:text/html,x",
    "null",
    "admin:index",
    "🦉",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_next_of_other_site_is_ignored(client, ana, target):
    assert client.post("/language/", {"language": "en", "next": target})["Location"] == "/me/"
    assert log_in(client, next=target)["Location"] == "/me/"
    assert client.get("/login/", {"next": target})["Location"] == "/me/"


@pytest.mark.parametrize("target", ["/[", "/me/\r\nX: y", "/\x7f", "/" + "x" * 3000, "/🦉?a=\\"])
def test_unusual_next_stays_on_this_site(client, target):
    answer = client.post("/language/", {"language": "en", "next": target})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/")
    assert not answer["Location"].startswith("//")
    assert "X" not in answer.headers


def test_foreign_host_is_rejected(client, ana):
    assert client.get("/login/", headers={"Host": "example.org"}).status_code == 400


def test_unknown_account_gets_same_response(client, ana):
    locked = entry(person=MemberFactory(email="locked@example.org", password=PASSWORD, is_active=False))
    MemberFactory(email="nokey@example.org")
    pages = set()
    for email in ("ana@example.org", "nobody@example.org", locked.person.email, "nokey@example.org"):
        status, page = seen(log_in(client, email, PASSWORD if email != "ana@example.org" else "wrong"))
        pages.add((status, page.replace(email, "")))
    assert len(pages) == 1
    assert "The e-mail or password is incorrect." in pages.pop()[1]


def test_attempts_are_limited_per_account(client, ana, settings):
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 3
    assert [log_in(client, password="wrong").status_code for _ in range(3)] == [200] * 3
    answers = [log_in(client), log_in(client, " ANA@example.org "), log_in(client, "ana@example.org", "x")]
    assert {answer.status_code for answer in answers} == {429}
    assert 1 <= int(answers[0]["Retry-After"]) <= 120
    assert log_in(client, "nobody@example.org").status_code == 200
    # From elsewhere the account is open: no one can lock someone else out.
    assert (
        client.post(
            "/login/", {"username": "ana@example.org", "password": PASSWORD}, REMOTE_ADDR="203.0.113.9"
        ).status_code
        == 302
    )


def test_attempts_are_limited_per_network(client, settings):
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 1
    answers = [log_in(client, f"nobody{turn}@example.org").status_code for turn in range(8)]
    assert answers == [200] * 6 + [429] * 2


def test_limit_does_not_reveal_account(client, ana, settings):
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 1
    told = [[log_in(client, email, "wrong").status_code for _ in range(2)] for email in (ana.person.email, "no@x.org")]
    assert told == [[200, 429]] * 2


def test_log_out_needs_post_and_ends_session(client, ana):
    client.force_login(ana.person)
    key = client.session.session_key
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert not Session.objects.filter(pk=key).exists()
    assert client.get("/me/").status_code == 302


@pytest.mark.parametrize(
    "address", ["/login/", "/logout/", "/language/", "/me/password/", "/me/edit/", "/me/messages/"]
)
def test_form_without_csrf_token_is_rejected(ana, address):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana.person)
    assert client.post(address, {}).status_code == 403


def test_password_change_ends_other_sessions(client, ana):
    elsewhere = Client()
    for browser in (client, elsewhere):
        browser.force_login(ana.person)
    form = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    assert 'href="#id_old_password"' in client.post("/me/password/", form).content.decode()
    answer = client.post("/me/password/", form | {"old_password": PASSWORD}, follow=True)
    assert answer.redirect_chain == [("/me/", 302)]
    assert "Your password was changed." in answer.content.decode()
    assert elsewhere.get("/me/").status_code == 302
    assert log_in(Client(), password=NEW).status_code == 302


def test_weak_password_is_rejected_with_reason(client, ana):
    client.force_login(ana.person)
    form = {"old_password": PASSWORD, "new_password1": "12345678", "new_password2": "12345678"}
    assert "too common" in client.post("/me/password/", form).content.decode()


def test_old_password_attempts_are_limited(client, ana, settings):
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 2
    client.force_login(ana.person)
    form = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    assert [client.post("/me/password/", form).status_code for _ in range(3)] == [200, 200, 429]
