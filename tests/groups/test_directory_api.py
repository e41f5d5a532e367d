"""The API of the directory. Noor is an active member, Carol is staff; each uses their own token."""

import pytest
from django.utils import timezone

from groups.models import CommunityMember, Member, MemberParticipation
from groups.services import directory
from tests.groups.directory_api import (
    MEMBERS,
    PARTICIPATION,
    names,
    number,
    post,
    said,
    staff,
)
from tests.support.factories.directory import EntryFactory
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def noor():
    return EntryFactory(name="Noor Haddad", with_account=True)


@pytest.fixture
def by_noor(noor):
    return api_client(noor.person)


class TestSearch:
    @pytest.fixture
    def people(self):
        EntryFactory(
            name="Ana Souza",
            organization="Harbour Lab",
            country="Brasil",
            telegram_username="ana_s",
            github_username="souza",
            primary_role="designer",
            reputation_score=150,
        )
        proven = EntryFactory(name="Rui Alves", country="Portugal", github_username="rui", reputation_score=1125)
        directory.verify_manually(actor=Member.objects.system(), entry=proven, how="A call")
        for status in ("pending", "suspended", "banned", "not_member"):
            EntryFactory(name=status, status=status)
        EntryFactory(name="Removed", removed=True)

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({}, {"Noor Haddad", "Ana Souza", "Rui Alves"}),
            ({"q": "ana"}, {"Ana Souza"}),
            ({"q": "SOUZ"}, {"Ana Souza"}),
            ({"q": "harb"}, {"Ana Souza"}),
            ({"q": "ana_"}, {"Ana Souza"}),
            ({"q": "rui"}, {"Rui Alves"}),
            ({"q": "lves"}, set()),
            ({"q": "%"}, set()),
            ({"q": "pending"}, set()),
            ({"q": "Removed"}, set()),
            ({"q": " "}, {"Noor Haddad", "Ana Souza", "Rui Alves"}),
            ({"role": "designer"}, {"Ana Souza"}),
            ({"tier": "Experienced"}, {"Rui Alves"}),
            ({"tier": "Contributor"}, {"Ana Souza"}),
            ({"country": "brasil"}, {"Ana Souza"}),
            ({"verified": "true"}, {"Rui Alves"}),
            ({"verified": "false"}, {"Noor Haddad", "Ana Souza"}),
            ({"min_score": "150"}, {"Ana Souza", "Rui Alves"}),
            ({"max_score": "150"}, {"Ana Souza", "Noor Haddad"}),
            ({"min_score": "150", "max_score": "150"}, {"Ana Souza"}),
            ({"min_score": "2", "role": "developer"}, {"Rui Alves"}),
            ({"status": "pending"}, {"Noor Haddad", "Ana Souza", "Rui Alves"}),
        ],
    )
    def test_filters_show_active_members_to_members(self, by_noor, people, query, found):
        assert set(names(by_noor.get(MEMBERS, query))) == found

    def test_staff_see_every_status_but_not_removed(self, people):
        carol = api_client(staff("view_communitymember"))
        assert set(names(carol.get(MEMBERS))) == {
            "Ana Souza",
            "Rui Alves",
            "pending",
            "suspended",
            "banned",
            "not_member",
        }
        assert names(carol.get(MEMBERS, {"status": "banned"})) == ["banned"]

    @pytest.mark.parametrize("status", ["pending", "suspended", "banned", "not_member", "removed", "none"])
    def test_inactive_member_cannot_search(self, people, status):
        person = MemberFactory()
        if status == "removed":
            EntryFactory(person=person, removed=True)
        elif status != "none":
            EntryFactory(person=person, status=status)
        for address in (MEMBERS, f"{MEMBERS}/{number(CommunityMember.objects.active().first())}"):
            answer = api_client(person).get(address)
            assert answer.status_code == 403
            assert answer.json()["detail"] == "Only active members can see the directory."
            assert "Ana" not in str(answer.json())

    def test_staff_without_permission_cannot_search(self, people):
        colleague = StaffFactory()
        EntryFactory(person=colleague)
        assert api_client(colleague).get(MEMBERS).status_code == 403

    def test_token_without_scope_is_rejected(self, noor):
        answer = api_client(noor.person, "profile:read").get(MEMBERS)
        assert answer.status_code == 403
        assert "directory:read" in answer.json()["detail"]

    def test_suspended_member_cannot_read_next_page(self, noor, by_noor, people):
        assert by_noor.get(MEMBERS).status_code == 200
        directory.suspend(actor=Member.objects.system(), entry=noor, reason="Why")
        assert by_noor.get(MEMBERS).status_code == 403
        directory.reinstate(actor=Member.objects.system(), entry=noor, reason="Sorry")
        assert by_noor.get(MEMBERS).status_code == 200

    @pytest.mark.parametrize("limit", [1, 3, 7, 50])
    @pytest.mark.parametrize("query", ["", "&role=designer", "&q=page"])
    def test_pages_contain_each_entry_once(self, by_noor, limit, query):
        moment = timezone.now()
        for turn in range(13):
            # Some with the same creation time, as after an import.
            EntryFactory(name=f"Page {turn}", primary_role=["designer", "other"][turn % 2], created_at=moment)
        rows = CommunityMember.objects.active().order_by("-created_at", "-id")
        if "role" in query:
            rows = rows.filter(primary_role="designer")
        if "q=" in query:
            rows = rows.filter(name__startswith="Page")
        seen, address = [], f"{MEMBERS}?limit={limit}{query}"
        while address:
            page = by_noor.get(address).json()
            assert len(page["items"]) <= limit
            seen += [row["number"] for row in page["items"]]
            address = page["next"]
        assert seen == list(rows.values_list("member_id", flat=True))

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ({"role": "king"}, "query/role"),
            ({"tier": "Gold"}, "query/tier"),
            ({"status": "gone"}, "query/status"),
            ({"verified": "perhaps"}, "query/verified"),
            ({"min_score": "-1"}, "query/min_score"),
            ({"max_score": str(2**31)}, "query/max_score"),
            ({"min_score": "many"}, "query/min_score"),
            ({"q": "x" * 256}, "query/q"),
            ({"country": "x" * 101}, "query/country"),
            ({"limit": "0"}, "query/limit"),
            ({"cursor": "nonsense"}, "query/cursor"),
        ],
    )
    def test_invalid_parameter_is_named(self, by_noor, query, pointer):
        answer = by_noor.get(MEMBERS, query)
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]

    def test_cursor_of_another_search_is_rejected(self, by_noor):
        for _ in range(5):
            EntryFactory()
        onward = by_noor.get(f"{MEMBERS}?limit=2&role=developer").json()["next"]
        answer = by_noor.get(onward.replace("role=developer", "role=designer"))
        assert answer.status_code == 422

    def test_member_detail_hides_private_fields(self, by_noor, people):
        rui = CommunityMember.objects.get(name="Rui Alves")
        answer = by_noor.get(f"{MEMBERS}/{number(rui)}").json()
        assert answer == {
            "number": rui.member_id,
            "name": "Rui Alves",
            "primary_role": "developer",
            "organization": None,
            "country": "Portugal",
            "telegram_username": None,
            "github_username": "rui",
            "github_verified": True,
            "status": "active",
            "reputation_score": 1125,
            "reputation_tier": "Experienced",
            "joined_at": answer["joined_at"],
        }

    @pytest.mark.parametrize("name", ["pending", "suspended", "banned", "Removed"])
    def test_inactive_member_detail_is_404(self, by_noor, people, name):
        hidden = CommunityMember.objects.get(name=name)
        answer, no_one = by_noor.get(f"{MEMBERS}/{number(hidden)}"), by_noor.get(f"{MEMBERS}/999999")
        assert (answer.status_code, no_one.status_code) == (404, 404)
        same = [said(each, number(hidden), "999999") for each in (answer, no_one)]
        assert same[0] == same[1]

    @pytest.mark.parametrize("key", ["0", "-1", "x", "9" * 30, "%23247"])
    def test_invalid_number_is_named(self, by_noor, key):
        assert by_noor.get(f"{MEMBERS}/{key}").status_code in (404, 422)


class TestParticipation:
    @pytest.fixture
    def bot(self):
        return api_client(staff("add_memberparticipation"), "participation:write")

    def event(self, entry, **changes) -> dict:
        return {
            "member_id": entry.member_id,
            "event_type": "MESSAGE",
            "platform": "telegram",
            "room_id": "-1001",
            "message_id": "48213",
        } | changes

    def test_repeated_batch_is_counted_once(self, bot, noor):
        batch = {"events": [self.event(noor, message_id=str(turn)) for turn in range(50)]}
        assert post(bot, PARTICIPATION, batch).json() == {"recorded": 50, "repeated": 0, "rejected": []}
        assert post(bot, PARTICIPATION, batch).json() == {"recorded": 0, "repeated": 50, "rejected": []}
        more = {"events": [*batch["events"], self.event(noor, message_id="new")]}
        assert post(bot, PARTICIPATION, more).json() == {"recorded": 1, "repeated": 50, "rejected": []}
        assert MemberParticipation.objects.count() == 51

    def test_message_id_is_unique_per_room_and_platform(self, bot, noor):
        batch = [
            self.event(noor),
            self.event(noor, room_id="-1002"),
            self.event(noor, platform="discord"),
            self.event(noor),
        ]
        assert post(bot, PARTICIPATION, {"events": batch}).json() == {"recorded": 3, "repeated": 1, "rejected": []}

    def test_invalid_events_are_named_and_others_recorded(self, bot, noor):
        removed = EntryFactory(removed=True)
        batch = [
            self.event(noor, message_id="1"),
            self.event(noor, member_id="#999999"),
            self.event(noor, event_type="SHOUT"),
            self.event(noor, platform="pigeon"),
            self.event(noor, room_id=" "),
            self.event(noor, occurred_at="yesterday"),
            self.event(noor, occurred_at="2026-03-01T10:00:00"),
            self.event(noor, occurred_at="2999-01-01T00:00:00Z"),
            self.event(noor, occurred_at="1999-12-31T23:59:59Z"),
            self.event(noor, event_type="VOICE", event_metadata={"minutes": 1441}),
            self.event(noor, event_metadata={"text": "x" * 8_001}),
            self.event(removed),
            self.event(noor, message_id="2", occurred_at="2026-03-01T18:30:00+02:00"),
        ]
        answer = post(bot, PARTICIPATION, {"events": batch}).json()
        assert (answer["recorded"], answer["repeated"]) == (2, 0)
        assert [each["line"] for each in answer["rejected"]] == list(range(2, 13))
        reasons = {each["line"]: each["reason"] for each in answer["rejected"]}
        assert reasons[2] == "No one in the directory has the number #999999."
        assert reasons[7] == "The time must have a time zone."
        assert reasons[12] == f"No one in the directory has the number {removed.member_id}."
        assert all(reason.endswith(".") and reason[0].isupper() for reason in reasons.values())
        stored = MemberParticipation.objects.get(occurred_at__year=2026, occurred_at__month=3, occurred_at__day=1)
        assert stored.occurred_at.isoformat() == "2026-03-01T16:30:00+00:00"

    def test_last_activity_only_moves_forward(self, bot, noor):
        post(bot, PARTICIPATION, {"events": [self.event(noor, occurred_at="2026-03-02T00:00:00Z")]})
        post(bot, PARTICIPATION, {"events": [self.event(noor, message_id="2", occurred_at="2026-03-01T00:00:00Z")]})
        noor.refresh_from_db()
        assert noor.last_active_at.isoformat() == "2026-03-02T00:00:00+00:00"

    def test_unstorable_character_is_rejected(self, bot, noor):
        answer = post(bot, PARTICIPATION, {"events": [self.event(noor, event_metadata={"text": "x\x00y"})]})
        assert answer.status_code == 422
        assert not MemberParticipation.objects.exists()

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"events": []}, "/events"),
            ({}, "/events"),
            ({"events": "many"}, "/events"),
            ({"events": [{"member_id": "#1"}]}, "/events/0/event_type"),
            ({"events": [], "more": 1}, "/more"),
        ],
    )
    def test_invalid_batch_is_named(self, bot, body, pointer):
        answer = post(bot, PARTICIPATION, body)
        assert answer.status_code == 422
        assert pointer in [each["pointer"] for each in answer.json()["errors"]]

    def test_batch_accepts_5000_events_at_most(self, bot, noor):
        events = [self.event(noor, message_id=str(turn)) for turn in range(5_001)]
        assert post(bot, PARTICIPATION, {"events": events}).status_code in (413, 422)
        assert not MemberParticipation.objects.exists()
        assert post(bot, PARTICIPATION, {"events": events[:5_000]}).json()["recorded"] == 5_000

    def test_participation_needs_scope_and_permission(self, noor, by_noor):
        batch = {"events": [self.event(noor)]}
        assert post(by_noor, PARTICIPATION, batch).status_code == 403
        assert post(api_client(StaffFactory()), PARTICIPATION, batch).status_code == 403
        wrong = api_client(staff("add_memberparticipation"), "directory:read")
        assert post(wrong, PARTICIPATION, batch).status_code == 403
        assert not MemberParticipation.objects.exists()
