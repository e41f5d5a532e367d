"""The API of the directory. Noor is an active member, Carol is staff; each uses their own token."""

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from groups.errors import CodeRejected
from groups.models import CommunityInvitation, CommunityMember, Member, MemberParticipation, MemberRelationship
from groups.models.invitations import digest_of_code
from groups.services import directory
from groups.services.invitations import cancel_invitation, create_invitation
from groups.services.registration import accept_invitation, find_invitation
from tests.support.factories.directory import EntryFactory, InvitationFactory
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db
MEMBERS = "/api/directory/members"
INVITATIONS = "/api/directory/invitations"
REGISTER = "/api/directory/register"
PARTICIPATION = "/api/participation"
REJECTED = "This invitation code is not valid. Ask the person who invited you for a new one."


def post(client, address: str, body: dict | None = None, **headers):
    return client.post(address, body or {}, content_type="application/json", headers=headers)


def staff(*codenames: str) -> Member:
    member = StaffFactory(display_name="Carol")
    member.user_permissions.add(*Permission.objects.filter(codename__in=codenames, content_type__app_label="groups"))
    return member


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [row["name"] for row in answer.json()["items"]]


def said(answer, *numbers: str) -> str:
    """Return an error body without the parts that name the request."""
    body = answer.json()
    for name in ("request_id", "instance"):
        body.pop(name, None)
    text = str(body)
    for each in numbers:
        text = text.replace(each, "N")
    return text


def number(entry) -> str:
    return entry.member_id[1:]


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


def registration(code: str, /, **changes) -> dict:
    return {
        "code": code,
        "name": "Ana Souza",
        "email": "ana@example.org",
        "primary_role": "designer",
        "telegram_id": "271828",
    } | changes


class TestRegister:
    @pytest.fixture
    def code(self, noor):
        return create_invitation(actor=noor.person, created_by=noor).spelled_code

    @pytest.fixture
    def bot(self):
        return api_client(MemberFactory(display_name="Bot"), "directory:register")

    def test_register_creates_account_and_uses_code(self, bot, code, noor):
        answer = post(bot, REGISTER, registration(code, telegram_username="@ana", country=" Brasil "))
        assert answer.status_code == 201
        ana = CommunityMember.objects.get(name="Ana Souza")
        assert answer.json() == {"number": ana.member_id, "member": ana.person.member_id, "status": "pending"}
        assert (ana.invited_by, ana.telegram_username, ana.country) == (noor, "ana", "Brasil")
        assert not ana.person.has_usable_password()
        assert CommunityInvitation.objects.get().accepted_by == ana
        assert MemberRelationship.objects.get().member_b == ana

    @pytest.mark.parametrize("spelled", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}\n"])
    def test_code_is_accepted_in_any_spelling(self, bot, code, spelled):
        assert post(bot, REGISTER, registration(spelled(code))).status_code == 201

    def test_every_invalid_code_gets_same_response(self, bot, noor, settings):
        settings.JOIN_ATTEMPTS_PER_MINUTE = 0
        used, cancelled, late = (create_invitation(actor=noor.person, created_by=noor) for _ in range(3))
        accept_invitation(**registration(used.code, email="used@example.org", telegram_id="1"), password=None)
        cancel_invitation(actor=Member.objects.system(), invitation=cancelled)
        ago = timezone.now() - timezone.timedelta(days=9)
        expired = InvitationFactory(created_by=noor, status="expired")
        CommunityInvitation.objects.filter(pk=late.pk).update(
            created_at=ago, expires_at=ago + timezone.timedelta(days=3)
        )
        codes = [each.code for each in (used, cancelled, late, expired)]
        codes += ["ABCDEFGH23456789", "", "x", "0O1IL0O1IL0O1IL0", "🦉" * 20]
        answers = [post(bot, REGISTER, registration(code)) for code in codes]
        # Without a valid code, errors of other fields are not revealed.
        answers += [post(bot, REGISTER, registration(used.code, email="used@example.org", name="x"))]
        answers += [post(bot, REGISTER, registration(codes[4], email="no address", password="1"))]
        assert {answer.status_code for answer in answers} == {404}
        assert len({said(answer) for answer in answers}) == 1
        assert answers[0].json()["detail"] == REJECTED
        assert Member.objects.filter(email="ana@example.org").count() == 0

    def test_repeated_request_registers_once(self, bot, code):
        key = {"Idempotency-Key": "register-ana"}
        first = post(bot, REGISTER, registration(code), **key)
        again = post(bot, REGISTER, registration(code), **key)
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert CommunityMember.objects.filter(name="Ana Souza").count() == 1
        assert post(bot, REGISTER, registration(code), **{"Idempotency-Key": "another"}).status_code == 404

    def test_register_attempts_are_limited(self, bot, code, settings):
        settings.JOIN_ATTEMPTS_PER_MINUTE = 3
        for turn in range(3):
            assert post(bot, REGISTER, registration(f"{turn}" * 16)).status_code == 404
        answer = post(bot, REGISTER, registration(code))
        assert answer.status_code == 429
        assert answer.json()["code"] == "too_many_requests"
        assert not CommunityMember.objects.filter(name="Ana Souza").exists()

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"email": "no address"}, "/email"),
            ({"email": "NOOR@example.org"}, "/email"),
            ({"password": "12345"}, "/password"),
            ({"password": "x" * 129}, "/password"),
            ({"name": "  "}, "/name"),
            ({"name": "x" * 256}, "/name"),
            ({"name": None}, "/name"),
            ({"primary_role": "king"}, "/primary_role"),
            ({"telegram_id": " "}, "/telegram_id"),
            ({"telegram_id": "taken"}, "/telegram_id"),
            ({"country": "x" * 101}, "/country"),
            ({"status": "active"}, "/status"),
            ({"code": "x" * 65}, "/code"),
        ],
    )
    def test_invalid_value_is_named_and_keeps_code(self, bot, code, noor, changes, pointer):
        Member.objects.filter(pk=noor.person_id).update(email="noor@example.org")
        CommunityMember.objects.filter(pk=noor.pk).update(telegram_id="taken")
        answer = post(bot, REGISTER, registration(code, **changes))
        assert answer.status_code in (409, 422), answer.json()
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
        assert post(bot, REGISTER, registration(code)).status_code == 201

    def test_registered_password_logs_in(self, bot, code):
        assert post(bot, REGISTER, registration(code, password="tr0ub4dor&3-xyz")).status_code == 201
        assert Member.objects.get(email="ana@example.org").check_password("tr0ub4dor&3-xyz")

    def test_token_without_scope_is_rejected(self, code):
        other = api_client(MemberFactory(), "directory:read")
        assert post(other, REGISTER, registration(code)).status_code == 403


class TestInvitations:
    def test_member_invites_in_own_name(self, noor, by_noor):
        answer = post(by_noor, INVITATIONS, {"telegram_usernames": ["@bob", "eve"], "days": 7})
        assert answer.status_code == 201
        items = answer.json()["items"]
        assert [(row["telegram_username"], row["status"], row["created_by"]) for row in items] == [
            ("bob", "pending", noor.member_id),
            ("eve", "pending", noor.member_id),
        ]
        made = CommunityInvitation.objects.get(invited_telegram_username="bob")
        assert digest_of_code(items[0]["code"]) == made.invitation_code
        assert items[0]["address"] == f"http://localhost:8000/join/{items[0]['code']}/"
        assert timezone.timedelta(days=6, hours=23) < made.expires_at - timezone.now() <= timezone.timedelta(days=7)

    def test_invitation_without_name_is_for_anyone(self, by_noor):
        (row,) = post(by_noor, INVITATIONS).json()["items"]
        assert row["telegram_username"] is None

    def test_repeated_request_invites_once(self, by_noor):
        key = {"Idempotency-Key": "invite-bob"}
        first = post(by_noor, INVITATIONS, {"telegram_usernames": ["bob"]}, **key).json()
        assert post(by_noor, INVITATIONS, {"telegram_usernames": ["bob"]}, **key).json() == first
        assert CommunityInvitation.objects.count() == 1

    def test_daily_cap_rejects_whole_request(self, by_noor, settings):
        settings.INVITATIONS_PER_DAY = 3
        assert post(by_noor, INVITATIONS, {"telegram_usernames": ["a", "b"]}).status_code == 201
        answer = post(by_noor, INVITATIONS, {"telegram_usernames": ["c", "d"]})
        assert answer.status_code == 429
        assert answer.json()["detail"] == "At most 3 invitations in 24 hours. 1 more is possible now."
        assert CommunityInvitation.objects.count() == 2

    @pytest.mark.parametrize("status", ["pending", "suspended", "banned"])
    def test_inactive_member_cannot_invite(self, status):
        entry = EntryFactory(status=status, with_account=True)
        answer = post(api_client(entry.person), INVITATIONS)
        assert answer.status_code == 409
        assert answer.json()["code"] == "inviter_not_active"
        assert not CommunityInvitation.objects.exists()

    def test_member_without_entry_cannot_invite(self):
        answer = post(api_client(MemberFactory()), INVITATIONS)
        assert (answer.status_code, answer.json()["detail"]) == (403, "Only a member of the directory can invite.")

    @pytest.mark.rule("InvalidValue")
    def test_only_staff_invite_in_another_name(self, noor, by_noor):
        other = EntryFactory(name="Other")
        body = {"created_by": int(number(other)), "telegram_usernames": ["bob"]}
        assert post(by_noor, INVITATIONS, body).status_code == 403
        carol = api_client(staff("add_communityinvitation"))
        answer = post(carol, INVITATIONS, body)
        assert answer.json()["items"][0]["created_by"] == other.member_id
        missing = post(carol, INVITATIONS, body | {"created_by": 10**9})
        assert missing.status_code == 422
        assert missing.json()["errors"] == [{"pointer": "/created_by", "detail": "There is no member #1000000000."}]

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"telegram_usernames": []}, "/telegram_usernames"),
            ({"telegram_usernames": ["x"] * 501}, "/telegram_usernames"),
            ({"telegram_usernames": ["x" * 256]}, "/telegram_usernames/0"),
            ({"days": 0}, "/days"),
            ({"days": 91}, "/days"),
            ({"code": "MINE"}, "/code"),
        ],
    )
    def test_invalid_invitation_request_is_named(self, by_noor, body, pointer):
        answer = post(by_noor, INVITATIONS, body)
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]

    def test_code_is_only_in_create_response(self, noor, by_noor):
        (made,) = post(by_noor, INVITATIONS).json()["items"]
        listed = by_noor.get(INVITATIONS)
        assert "code" not in listed.json()["items"][0]
        cancelled = post(by_noor, f"{INVITATIONS}/{made['id']}/cancel")
        assert cancelled.json()["status"] == "cancelled"
        for answer in (listed, cancelled):
            assert made["code"] not in answer.content.decode()

    def test_new_code_replaces_old_code(self, noor, by_noor):
        (made,) = post(by_noor, INVITATIONS).json()["items"]
        answer = post(by_noor, f"{INVITATIONS}/{made['id']}/code", {"days": 9})
        assert answer.status_code == 200
        renewed = answer.json()
        assert (renewed["id"], renewed["status"]) == (made["id"], "pending")
        with pytest.raises(CodeRejected):
            find_invitation(made["code"])
        assert str(find_invitation(renewed["code"]).pk) == made["id"]
        post(by_noor, f"{INVITATIONS}/{made['id']}/cancel")
        rejected = post(by_noor, f"{INVITATIONS}/{made['id']}/code")
        assert (rejected.status_code, rejected.json()["code"]) == (409, "invitation_ended")

    def test_new_code_needs_owner_or_permission(self, noor, by_noor):
        other = InvitationFactory(created_by=EntryFactory(with_account=True))
        address = f"{INVITATIONS}/{other.pk}/code"
        assert post(by_noor, address).status_code == 404
        assert post(api_client(staff("view_communityinvitation")), address).status_code == 403
        assert post(api_client(staff("change_communityinvitation")), address).status_code == 200
        assert post(by_noor, f"{INVITATIONS}/{other.pk}/code", {"days": 91}).status_code == 422

    def test_list_shows_own_invitations_and_all_to_staff(self, noor, by_noor):
        mine = [create_invitation(actor=noor.person, created_by=noor) for _ in range(5)]
        cancel_invitation(actor=Member.objects.system(), invitation=mine[0])
        InvitationFactory()
        seen, address = [], f"{INVITATIONS}?limit=2"
        while address:
            page = by_noor.get(address).json()
            seen += [row["id"] for row in page["items"]]
            address = page["next"]
        assert seen == [
            str(key)
            for key in CommunityInvitation.objects.filter(created_by=noor)
            .order_by("-created_at", "-invitation_id")
            .values_list("pk", flat=True)
        ]
        cancelled = by_noor.get(f"{INVITATIONS}?status=cancelled").json()["items"]
        assert [row["id"] for row in cancelled] == [str(mine[0].pk)]
        carol = api_client(staff("view_communityinvitation"))
        assert len(carol.get(INVITATIONS).json()["items"]) == 6
        assert api_client(StaffFactory()).get(INVITATIONS).status_code == 403

    def test_member_cancels_own_invitations_only(self, noor, by_noor):
        mine, foreign = create_invitation(actor=noor.person, created_by=noor), InvitationFactory()
        assert post(by_noor, f"{INVITATIONS}/{mine.pk}/cancel", {"reason": "Changed"}).json()["status"] == "cancelled"
        assert post(by_noor, f"{INVITATIONS}/{foreign.pk}/cancel").status_code == 404
        again = post(by_noor, f"{INVITATIONS}/{mine.pk}/cancel")
        assert again.status_code == 409
        assert "“Cancelled”" in again.json()["detail"]
        carol = api_client(staff("change_communityinvitation"))
        assert post(carol, f"{INVITATIONS}/{foreign.pk}/cancel").json()["status"] == "cancelled"


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
