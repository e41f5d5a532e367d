"""Profile at registration: address, language and time zone, in the same transaction."""

import pytest

from engagement.errors import LocaleUnknown, TimezoneUnknown
from engagement.models import UserProfile
from engagement.selectors.members import claims_of
from engagement.services.profiles import knows_timezone, update_profile
from groups.models import CommunityInvitation, CommunityMember, Event, Member
from groups.services.registration import accept_invitation
from tests.support.concurrency import without
from tests.support.factories.groups import EntryFactory, InvitationFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db
REGISTER = "/api/directory/register"


def registering(**fields) -> UserProfile:
    if "code" not in fields:
        fields["code"] = InvitationFactory().code
    values = {
        "email": "noor@example.org",
        "name": "Noor",
        "primary_role": "designer",
        "telegram_id": "718281828",
    }
    return UserProfile.objects.get(user=accept_invitation(**values | fields).person)


def test_telegram_id_becomes_individual_address():
    profile = registering()
    assert profile.individual_jid == "718281828"
    assert [each.user for each in claims_of(platform="telegram", sender="718281828")] == [profile.user]


def test_registration_sets_language_and_time_zone(settings):
    settings.TIME_ZONE = "Europe/Lisbon"
    profile = registering(locale="pt-BR", timezone="America/Sao_Paulo")
    assert (profile.locale, profile.timezone) == ("pt-BR", "America/Sao_Paulo")
    profile = registering(email="b@example.org", telegram_id="2")
    assert (profile.locale, profile.timezone) == ("en", "Europe/Lisbon")


def test_invalid_default_time_zone_becomes_utc(settings):
    settings.TIME_ZONE = "GMT"
    assert registering().timezone == "UTC"


def test_registration_records_no_profile_event():
    registering(locale="pt-BR", timezone="America/Sao_Paulo")
    assert set(Event.objects.values_list("type", flat=True)) == {"member.created", "invitation.accepted"}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"locale": "fr"}, LocaleUnknown),
        ({"timezone": "Mars/Olympus"}, TimezoneUnknown),
        ({"timezone": "GMT"}, TimezoneUnknown),
    ],
)
def test_unknown_language_or_time_zone_is_rejected(fields, error):
    code = InvitationFactory().code
    before = Member.objects.count()
    with pytest.raises(error):
        registering(code=code, **fields)
    assert Member.objects.count() == before
    assert registering(code=code).user.email == "noor@example.org"


def test_address_of_another_member_is_not_taken():
    other = EntryFactory().person
    update_profile(actor=other, member=other, individual_jid="718281828")
    profile = registering()
    assert profile.individual_jid == ""
    assert [each.user for each in claims_of(platform="telegram", sender="718281828")] == [other]


@pytest.mark.django_db(transaction=True)
def test_failed_profile_rolls_back_registration():
    invitation = InvitationFactory()
    fail = """
        CREATE FUNCTION fail_on_profiles() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = 'check_violation'; END $$;
        CREATE TRIGGER fail_on_profiles BEFORE UPDATE ON user_profiles
            FOR EACH ROW EXECUTE FUNCTION fail_on_profiles();
    """
    before = (Member.objects.count(), CommunityMember.objects.count())
    with without(fail, "DROP FUNCTION fail_on_profiles() CASCADE"), pytest.raises(Exception, match="allowed together"):
        registering(code=invitation.code)
    assert (Member.objects.count(), CommunityMember.objects.count()) == before
    assert CommunityInvitation.objects.get().status == "pending"


@pytest.mark.parametrize(
    ("name", "known"), [("America/Sao_Paulo", True), ("UTC", True), ("Etc/GMT+3", True), ("GMT", False), ("x/y", False)]
)
def test_known_time_zones_match_database(name, known):
    assert knows_timezone(name) is known
    profile = UserProfile.objects.get(user=EntryFactory().person)
    if known:
        assert update_profile(actor=profile.user, member=profile.user, timezone=name).timezone == name


class TestApi:
    @pytest.fixture
    def bot(self):
        return api_client(EntryFactory().person, "directory:register")

    def order(self, **fields) -> dict:
        code = InvitationFactory().code
        values = {"code": code, "name": "Noor", "email": "noor@example.org", "primary_role": "designer"}
        return values | {"telegram_id": "718281828"} | fields

    def test_api_accepts_language_and_time_zone(self, bot):
        answer = bot.post(REGISTER, self.order(locale="pt-BR", timezone="America/Sao_Paulo"), "application/json")
        assert answer.status_code == 201, answer.json()
        profile = UserProfile.objects.get(user__email="noor@example.org")
        assert (profile.locale, profile.timezone, profile.individual_jid) == ("pt-BR", "America/Sao_Paulo", "718281828")

    @pytest.mark.parametrize(("field", "value"), [("locale", "fr"), ("timezone", "Mars/Olympus")])
    def test_api_error_names_unknown_field(self, bot, field, value):
        answer = bot.post(REGISTER, self.order(**{field: value}), "application/json")
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == [f"/{field}"]
        assert not Member.objects.filter(email="noor@example.org").exists()
