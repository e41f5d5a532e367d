"""Message settings of a member, and the time zone of a country."""

import pytest

from engagement.models import UserProfile
from engagement.services.profiles import knows_timezone
from groups.models import Event
from groups.services.registration import accept_invitation
from missionsite.common.countries import _ZONES, zone_of_country
from tests.portal.helpers import entry, invitation, typed

pytestmark = pytest.mark.django_db
VALUES = {
    "timezone": "asia/kathmandu",
    "locale": "pt-BR",
    "preferred_destination": "group",
    "wants_messages": "no",
    "topics": ["news"],
}


def profile_of(made) -> UserProfile:
    return UserProfile.objects.get(pk=made.person_id)


def test_member_changes_message_settings(as_member):
    ana = entry(name="Ana")
    browser = as_member(ana)
    assert 'value="UTC"' in browser.get("/me/messages/").content.decode()
    assert browser.post("/me/messages/", VALUES)["Location"] == "/me/"
    profile = profile_of(ana)
    assert (profile.timezone, profile.locale, profile.preferred_destination) == ("Asia/Kathmandu", "pt-BR", "group")
    assert profile.reengagement_opt_out
    assert profile.muted_topics == ["events", "missions", "getting_started", "weekly_review"]
    assert Event.objects.get(type="profile.changed").actor_id == ana.person_id
    page = browser.get("/me/").content.decode()
    assert "Asia/Kathmandu" in page
    browser.post("/me/messages/", VALUES | {"wants_messages": "yes"})
    assert not profile_of(ana).reengagement_opt_out


@pytest.mark.parametrize(
    "change",
    [{"timezone": "Mars/Olympus"}, {"timezone": ""}, {"timezone": "GMT"}, {"locale": "fr"}, {"wants_messages": ""}],
)
def test_invalid_setting_is_rejected_and_kept(as_member, change):
    ana = entry()
    answer = as_member(ana).post("/me/messages/", VALUES | change)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert 'role="alert"' in page
    assert next(iter(change.values())) in page
    assert profile_of(ana).timezone == "UTC"


def test_zone_of_browser_is_used_when_member_agrees(as_member):
    ana = entry()
    browser = as_member(ana)
    page = browser.get("/me/").content.decode()
    assert 'data-profile-zone="UTC"' in page
    assert browser.post("/me/messages/zone/", {"timezone": "America/Sao_Paulo"})["Location"] == "/me/"
    assert profile_of(ana).timezone == "America/Sao_Paulo"
    browser.post("/me/messages/zone/", {"timezone": "x/y"})
    assert profile_of(ana).timezone == "America/Sao_Paulo"


def test_settings_are_of_own_profile_only(as_member):
    ana, bob = entry(), entry()
    as_member(bob).post("/me/messages/", VALUES | {"user": str(ana.person_id), "pk": str(ana.person_id)})
    assert (profile_of(ana).timezone, profile_of(bob).timezone) == ("UTC", "Asia/Kathmandu")


# --- Countries ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "zone", "expected"),
    [
        ("Brasil", "", "America/Sao_Paulo"),
        (" moçambique ", "", "Africa/Maputo"),
        ("Nepal", "Europe/Lisbon", "Europe/Lisbon"),
        ("Atlantis", "", "Europe/Berlin"),
        ("United States", "", "Europe/Berlin"),
    ],
)
def test_country_is_fallback_of_browser(settings, country, zone, expected):
    settings.TIME_ZONE = "Europe/Berlin"
    made = accept_invitation(code=invitation().code, **typed(country=country), timezone=zone)
    assert profile_of(made).timezone == expected


def test_every_zone_of_a_country_is_known():
    assert all(knows_timezone(zone) for zone in _ZONES)
    names = [name for names in _ZONES.values() for name in names.split("|")]
    assert len(set(names)) == len(names)
    assert {zone_of_country(name) for name in names} == set(_ZONES)
