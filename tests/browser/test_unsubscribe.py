"""Unsubscribe and resubscribe on a phone."""

import pytest

from engagement.models import UserProfile
from engagement.services.unsubscribe import unsubscribe_url
from tests.browser.test_join import PHONE, contrast, fits
from tests.support.factories.groups import MemberFactory


@pytest.fixture
def phone(page, live_server, transactional_db, wrongs, settings):
    settings.SITE_URL = live_server.url
    page.set_viewport_size(PHONE)
    page.set_default_timeout(60_000)
    yield page
    # An invalid link shows a 404 page.
    assert [each for each in wrongs if "404" not in each] == []


def is_out(member) -> bool:
    return UserProfile.objects.get(pk=member.pk).reengagement_opt_out


@pytest.mark.seed("002 unsubscribing takes one click")
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_unsubscribe_and_resubscribe_with_one_click(phone, live_server, scheme):
    member = MemberFactory()
    phone.emulate_media(color_scheme=scheme)
    referers = []
    phone.on("request", lambda request: referers.append(request.headers.get("referer", "")))
    link = unsubscribe_url(member.pk)
    phone.goto(link)
    phone.get_by_role("heading", name="Stop these messages?").wait_for()
    assert fits(phone)
    assert contrast(phone) >= 4.5
    assert not is_out(member)

    phone.get_by_role("button", name="Unsubscribe").click()
    phone.get_by_role("heading", name="You are unsubscribed").wait_for()
    assert is_out(member)
    assert fits(phone)
    assert contrast(phone) >= 4.5

    # Switch the language on the same page; the link is sent in no Referer header.
    phone.get_by_role("button", name="Português").click()
    phone.get_by_role("heading", name="Sua inscrição já estava cancelada").wait_for()
    assert phone.url == link
    assert fits(phone)
    assert not [each for each in referers if "unsubscribe" in each]

    phone.get_by_role("button", name="Quero receber de novo").click()
    phone.get_by_role("heading", name="Sua inscrição está ativa de novo").wait_for()
    assert not is_out(member)
    assert fits(phone)

    phone.goto(f"{live_server.url}/unsubscribe/nonsense/")
    phone.get_by_role("heading", name="Este link não é válido").wait_for()
    assert fits(phone)
