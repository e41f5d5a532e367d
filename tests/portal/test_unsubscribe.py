"""The unsubscribe page: one POST without a session, and subscribing again."""

import re

import pytest
from django.core import signing
from django.test import Client

from engagement.models import UserProfile
from engagement.services.unsubscribe import unsubscribe_url
from groups.models import Event
from missionsite.portal.logs import HideSecretsFilter
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def ana():
    return MemberFactory(display_name="Ana Souza")


@pytest.fixture
def link(ana, settings) -> str:
    return unsubscribe_url(ana.pk).removeprefix(settings.SITE_URL)


@pytest.fixture
def mailbox() -> Client:
    """A client with only the link: no cookie and no earlier page."""
    return Client(enforce_csrf_checks=True)


def is_out(member) -> bool:
    return UserProfile.objects.get(pk=member.pk).reengagement_opt_out


def heading(answer) -> str:
    return re.search(r"<h1>(.*?)</h1>", answer.content.decode(), re.DOTALL)[1]


@pytest.mark.seed("002 unsubscribing takes one click")
@pytest.mark.parametrize(
    "body",
    [
        {"data": ONE_CLICK},
        {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"},
        {"data": "", "content_type": "text/plain"},
        {},
    ],
)
def test_unsubscribe_needs_one_request(mailbox, ana, link, body):
    """RFC 8058 sends it as a form of either kind, without cookies."""
    answer = mailbox.post(link, **body)
    assert (answer.status_code, heading(answer)) == (200, "You are unsubscribed")
    assert is_out(ana)
    assert "sessionid" not in answer.cookies
    event = Event.objects.get(type="profile.changed")
    assert (event.member, event.actor) == (ana, ana)
    assert event.payload["changed"] == {"reengagement_opt_out": [False, True]}


@pytest.mark.parametrize("method", ["get", "head"])
def test_get_changes_nothing(mailbox, ana, link, method):
    """Link scanners of mail programs open every link."""
    answer = getattr(mailbox, method)(link)
    assert answer.status_code == 200
    assert not is_out(ana)
    if method == "get":
        assert heading(answer) == "Stop these messages?"
        assert answer.content.decode().count("<main") == 1
        assert len(re.findall(r"<button", answer.content.decode().split("<main")[1].split("</main>")[0])) == 2


def test_second_unsubscribe_is_reported(mailbox, ana, link):
    for _ in range(2):
        assert mailbox.post(link, ONE_CLICK).status_code == 200
    assert is_out(ana)
    assert Event.objects.filter(type="profile.changed").count() == 1
    assert heading(mailbox.get(link)) == "You are already unsubscribed"


def test_same_link_subscribes_again(mailbox, ana, link):
    mailbox.post(link, ONE_CLICK)
    answer = mailbox.post(link, {"undo": "1"})
    assert (answer.status_code, heading(answer)) == (200, "You are subscribed again")
    assert not is_out(ana)


def test_topics_are_chosen_without_log_in(mailbox, ana, link):
    chosen = {"save_topics": "1", "topics": ["events", "missions"], "preferred_destination": "group"}
    answer = mailbox.post(link, chosen)
    assert "Your choice was saved." in answer.content.decode()
    profile = UserProfile.objects.get(pk=ana.pk)
    assert profile.muted_topics == ["news", "getting_started", "weekly_review"]
    assert (profile.preferred_destination, profile.reengagement_opt_out) == ("group", False)
    event = Event.objects.get(type="profile.changed")
    assert (event.member, event.actor) == (ana, ana)


@pytest.mark.parametrize("wrong", [{"topics": ["x"]}, {"preferred_destination": "x"}, {"preferred_destination": ""}])
def test_invalid_choice_changes_nothing(mailbox, ana, link, wrong):
    answer = mailbox.post(link, {"save_topics": "1", "topics": ["news"], "preferred_destination": "group"} | wrong)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    profile = UserProfile.objects.get(pk=ana.pk)
    assert (profile.muted_topics, profile.preferred_destination, is_out(ana)) == ([], "individual", False)


def test_link_affects_only_its_member(mailbox, ana, link):
    other = MemberFactory()
    mailbox.post(link, ONE_CLICK)
    assert (is_out(ana), is_out(other)) == (True, False)


def test_page_shows_no_name(mailbox, ana, link):
    for answer in (mailbox.get(link), mailbox.post(link, ONE_CLICK)):
        page = answer.content.decode()
        assert not [each for each in (ana.email, ana.member_id, str(ana.pk)) if each in page]
        # As a word: the letters may be part of a signature.
        assert not re.search(r"\bAna\b", page)


def bad_links(ana, link: str) -> list[str]:
    foreign = signing.dumps(str(ana.pk), salt="another purpose")
    no_one = signing.dumps("00000000-0000-0000-0000-000000000099", salt="engagement.unsubscribe")
    no_member = signing.dumps("x", salt="engagement.unsubscribe")
    return [
        link[:-3] + "/",
        link.replace("/unsubscribe/", "/unsubscribe/x"),
        *(f"/unsubscribe/{each}/" for each in (foreign, no_one, no_member, "x", "a/b", "%0A", "é", "..", "x" * 3000)),
        f"/unsubscribe/{ana.pk}/",
    ]


@pytest.mark.parametrize("method", ["get", "post", "head"])
def test_invalid_link_returns_not_found(mailbox, ana, link, method):
    for address in bad_links(ana, link):
        answer = getattr(mailbox, method)(address)
        assert answer.status_code == 404, address
        if method != "head":
            assert heading(answer) == "This link is not valid", address
    assert not is_out(ana)


def test_page_is_not_cached_and_sends_no_referrer(mailbox, ana, link):
    for answer in (mailbox.get(link), mailbox.post(link, ONE_CLICK), mailbox.get("/unsubscribe/x/")):
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "strict-origin"
        assert answer["Content-Security-Policy"].startswith("default-src 'self'; base-uri 'none'")
        assert answer["X-Frame-Options"] == "DENY"
        assert "http" not in answer.content.decode()


def test_page_is_in_language_of_browser(mailbox, link):
    answer = mailbox.get(link, headers={"Accept-Language": "pt-BR"})
    assert heading(answer) == "Parar estas mensagens?"
    assert answer["Content-Language"] == "pt-br"
    answer = mailbox.post(link, ONE_CLICK, headers={"Accept-Language": "pt-BR"})
    assert heading(answer) == "Sua inscrição foi cancelada"


def test_banned_member_can_unsubscribe(mailbox, ana, link):
    ana.is_active = False
    ana.save(update_fields=["is_active"])
    assert mailbox.post(link, ONE_CLICK).status_code == 200
    assert is_out(ana)


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_rejected(mailbox, ana, link, method):
    assert getattr(mailbox, method)(link).status_code == 405
    assert not is_out(ana)


def test_token_is_not_logged(client, ana, link, caplog):
    caplog.handler.addFilter(HideSecretsFilter())
    client.get(link + "x/")
    client.get("/unsubscribe/" + link.split("/")[2][:-2] + "/")
    client.put(link)
    assert caplog.text.count("/unsubscribe/…") >= 2
    assert link.split("/")[2][:20] not in caplog.text
