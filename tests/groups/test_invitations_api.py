"""The API of invitations and registration. Noor is an active member, Carol is staff; each uses their own token."""

import pytest
from django.utils import timezone

from groups.errors import CodeRejected
from groups.models import CommunityInvitation, CommunityMember, Member, MemberRelationship
from groups.models.invitations import digest_of_code
from groups.services.invitations import cancel_invitation, create_invitation
from groups.services.registration import accept_invitation, find_invitation
from tests.groups.directory_api import (
    INVITATIONS,
    REGISTER,
    REJECTED,
    number,
    post,
    said,
    staff,
)
from tests.support.factories.directory import EntryFactory, InvitationFactory
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def noor():
    return EntryFactory(name="Noor Haddad", with_account=True)


@pytest.fixture
def by_noor(noor):
    return api_client(noor.person)


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
