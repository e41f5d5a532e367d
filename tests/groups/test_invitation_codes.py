"""The code of an invitation is shown once: the database has its digest, and no other row has the code."""

import random
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from groups.errors import CodeRejected, InvitationEnded, InviterNotActive
from groups.models import CommunityInvitation, CommunityMember, Event, Member
from groups.models.invitations import digest_of_code
from groups.services import invitations, registration
from groups.services.invitations import create_invitation, create_invitations, renew_code
from groups.services.registration import accept_invitation, find_invitation
from missionsite.common.errors import DomainError
from missionsite.roles import ROLES
from tests.portal.helpers import typed
from tests.support.admin import client, page_text, staff
from tests.support.concurrency import crowd
from tests.support.database import rejected_by, rows
from tests.support.factories.directory import EntryFactory, InvitationFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db
LIST = "/admin/groups/communityinvitation/"
CODE = "7KQ2M4XA9PDTHC3W"
DIGEST = "73PKK8F78P8BQQP2"


@pytest.fixture
def noor():
    return EntryFactory(name="Noor", with_account=True)


@pytest.fixture
def community():
    return client("Community Manager")


def page(invitation, name: str = "change") -> str:
    return reverse(f"admin:groups_communityinvitation_{name}", args=[invitation.pk])


def tables_with(*texts: str) -> set[str]:
    """Return the tables with a row that contains one of these texts."""
    tables = rows("""
        SELECT oid::regclass::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND has_table_privilege(oid, 'SELECT')
    """)
    pattern = "|".join(texts)
    return {table for (table,) in tables if rows(f"SELECT 1 FROM {table} t WHERE t::text ~* %s LIMIT 1", [pattern])}


def spellings(code: str) -> tuple[str, str]:
    return code, "-".join(code[at : at + 4] for at in range(0, 16, 4))


def shown_codes(response) -> list[str]:
    """Return the codes in the addresses on a page."""
    return re.findall(r"http://localhost:8000/join/([2-9A-Z]{4}(?:-[2-9A-Z]{4}){3})/", response.content.decode())


def registering(code, number=0, **fields):
    values = {
        "code": code,
        "email": f"noor{number}@example.org",
        "name": "Noor Haddad",
        "primary_role": "designer",
        "telegram_id": f"71828{number}",
    }
    return accept_invitation(**values | fields)


# --- The digest -------------------------------------------------------------------------------


def test_digest_is_16_characters_of_sha256():
    assert digest_of_code(CODE) == DIGEST
    digests = {digest_of_code(invitations.new_code()) for _ in range(500)}
    assert len(digests) == 500
    assert all(re.fullmatch("[2-9A-HJKMNP-Z]{16}", digest) for digest in digests)


@pytest.mark.parametrize("typed_code", ["7kq2-m4xa-9pdt-hc3w", " 7KQ2 M4XA\t9PDT\nHC3W ", CODE])
def test_digest_ignores_case_hyphens_and_blanks(typed_code):
    assert digest_of_code(typed_code) == DIGEST


@pytest.mark.parametrize("typed_code", ["", "A", "A" * 17, "0" * 16, "7KQ2M4XA9PDTHC3\0", "é" * 16])
def test_invalid_code_has_no_digest(typed_code):
    assert digest_of_code(typed_code) is None


def test_database_stores_digest_only(noor):
    made = create_invitation(actor=noor.person, created_by=noor)
    stored = CommunityInvitation.objects.get()
    assert stored.invitation_code == digest_of_code(made.code)
    assert (stored.code, stored.spelled_code) == (None, "")
    assert find_invitation(made.spelled_code) == stored


def test_stored_digest_does_not_register(noor):
    create_invitation(actor=noor.person, created_by=noor)
    with pytest.raises(CodeRejected):
        find_invitation(CommunityInvitation.objects.get().invitation_code)


def test_taken_digest_gets_another_code(noor, monkeypatch):
    taken = create_invitation(actor=noor.person, created_by=noor)
    turns = iter([taken.code, "ABCDEFGHABCDEFGH", taken.code, "ABCDEFGHABCDEFGH", CODE, "BBBBBBBBBBBBBBBB"])
    monkeypatch.setattr(invitations, "new_code", lambda: next(turns))
    assert create_invitation(actor=noor.person, created_by=noor).code == "ABCDEFGHABCDEFGH"
    made = create_invitations(actor=noor.person, created_by=noor, telegram_usernames=["ana", "bia"])
    assert [each.code for each in made] == [CODE, "BBBBBBBBBBBBBBBB"]
    assert CommunityInvitation.objects.count() == 4


def test_repeated_digest_collisions_make_no_invitation(noor, monkeypatch):
    taken = create_invitation(actor=noor.person, created_by=noor)
    monkeypatch.setattr(invitations, "new_code", lambda: taken.code)
    with pytest.raises(DomainError):
        create_invitation(actor=noor.person, created_by=noor)
    assert CommunityInvitation.objects.count() == 1


# --- No copies of the code -----------------------------------------------------------------------------


@pytest.mark.seed("003 Codes")
def test_no_row_contains_code_made_in_back_office(community, noor, client):
    form = {"created_by": noor.member_id, "invited_telegram_username": "bob", "days": "3"}
    (one,) = shown_codes(community.post(f"{LIST}add/", form))
    many = shown_codes(community.post(f"{LIST}many/", {"created_by": noor.member_id, "names": "a\nb", "days": "3"}))
    (renewed,) = shown_codes(community.post(page(CommunityInvitation.objects.first(), "new-code"), {"days": "3"}))
    assert len({one, *many, renewed}) == 4
    codes = [spelling for code in (one, *many, renewed) for spelling in spellings(code.replace("-", ""))]
    community.get("/admin/")
    assert tables_with(*codes) == set()
    # Negative control: the search finds an existing text.
    assert "django_admin_log" in tables_with("Invitation [0-9a-f]{8} by #")
    # A rejected form first, which creates a session.
    client.post(f"/join/{renewed}/", typed(email="no"))
    assert client.post(f"/join/{renewed}/", typed()).status_code == 302
    assert CommunityInvitation.objects.filter(status="accepted").count() == 1
    assert tables_with(*codes) == set()


def test_only_idempotent_response_contains_code(noor):
    by_noor = api_client(noor.person, "invitations:write", "invitations:read")
    answer = by_noor.post("/api/directory/invitations", {}, "application/json")
    (code,) = [row["code"] for row in answer.json()["items"]]
    assert tables_with(*spellings(code.replace("-", ""))) == set()
    again = by_noor.post("/api/directory/invitations", {}, "application/json", headers={"Idempotency-Key": "once"})
    (code,) = [row["code"] for row in again.json()["items"]]
    # It is deleted after a day; see groups/README.md.
    assert tables_with(*spellings(code.replace("-", ""))) == {"api_idempotency_keys"}


def test_history_contains_no_secret_address(client, noor):
    made = create_invitation(actor=noor.person, created_by=noor)
    assert client.post(f"/join/{made.spelled_code}/", typed()).status_code == 302
    urls = {url for (url,) in rows("SELECT metadata ->> 'url' FROM pghistory_context")}
    assert "/join/…" in urls
    assert made.spelled_code not in str(urls)


def test_admin_log_names_invitation_without_code(community, noor):
    form = {"created_by": noor.member_id, "invited_telegram_username": "bob", "days": "3"}
    community.post(f"{LIST}add/", form)
    entry, made = LogEntry.objects.get(), CommunityInvitation.objects.get()
    assert entry.object_repr == f"Invitation {str(made.pk)[:8]} by {noor.member_id}"


@pytest.mark.seed("003 Codes")
@pytest.mark.parametrize("role", ROLES)
def test_no_role_can_read_pending_code(role, noor):
    made = create_invitation(actor=noor.person, created_by=noor, telegram_username="bob")
    digest = CommunityInvitation.objects.get().invitation_code
    reader = client(role)
    tab = reverse("admin:groups_communitymember_invitations", args=[noor.pk])
    for address in (LIST, page(made), page(made, "history"), tab):
        text = page_text(reader.get(address))
        assert "@bob" in text or address.endswith("history/")
        assert made.spelled_code not in text
        assert made.code not in text
        assert digest not in text


# --- Shown once -------------------------------------------------------------------------------


def test_saving_shows_address_once(community, noor, client, settings):
    settings.SITE_URL = "https://missions.example.org"
    form = {"created_by": noor.member_id, "invited_telegram_username": "@bob", "days": "3"}
    response = community.post(f"{LIST}add/", form)
    assert (response.status_code, response["Cache-Control"]) == (
        200,
        "max-age=0, no-cache, no-store, must-revalidate, private",
    )
    made = CommunityInvitation.objects.get()
    (address,) = re.findall(r'value="(https://missions.example.org/join/[^"]+)"', response.content.decode())
    assert 'data-copies="address"' in page_text(response)
    assert page(made) in page_text(response)
    assert client.get(urlsplit(address).path).context["invitation"] == made
    assert "Shown once, when it was created." in page_text(community.get(page(made)))


def test_every_save_button_shows_code(community, noor):
    form = {"created_by": noor.member_id, "days": "3", "_addanother": "1"}
    assert len(shown_codes(community.post(f"{LIST}add/", form))) == 1
    assert "_addanother" not in page_text(community.get(f"{LIST}add/"))


def test_bulk_codes_are_shown_once(community, noor):
    response = community.post(f"{LIST}many/", {"created_by": noor.member_id, "names": "@ana_1\nbia_1", "days": "3"})
    lines = re.search(r'<textarea id="list"[^>]*>([^<]+)</textarea>', response.content.decode())[1].splitlines()
    codes = {}
    for line in lines:
        name, address = line.split("\t")
        codes[name] = urlsplit(address).path.split("/")[2]
    assert {name: find_invitation(code).invited_telegram_username for name, code in codes.items()} == {
        "@ana_1": "ana_1",
        "@bia_1": "bia_1",
    }
    assert 'data-copies="list"' in page_text(response)


def test_search_needs_whole_code(community, noor):
    made = create_invitation(actor=noor.person, created_by=noor)
    create_invitation(actor=noor.person, created_by=noor)
    for text in (made.spelled_code, made.code.lower(), f" {made.code} "):
        assert list(community.get(LIST, {"q": text}).context["cl"].result_list) == [made]
    for text in (made.spelled_code[:9], CommunityInvitation.objects.get(pk=made.pk).invitation_code):
        assert list(community.get(LIST, {"q": text}).context["cl"].result_list) == []


# --- New code -----------------------------------------------------------------------------


@pytest.mark.seed("003 Codes")
def test_new_code_replaces_code_and_expiry(noor, settings):
    settings.INVITATION_DAYS = 5
    made = create_invitation(actor=noor.person, created_by=noor, telegram_username="bob", lasts=timedelta(hours=1))
    actor = staff()
    renewed = renew_code(invitation=made, actor=actor)
    assert (renewed.pk, renewed.status, renewed.invited_telegram_username) == (made.pk, "pending", "bob")
    assert timedelta(days=4, hours=23) < renewed.expires_at - timezone.now() <= timedelta(days=5)
    with pytest.raises(CodeRejected):
        find_invitation(made.code)
    assert find_invitation(renewed.code).pk == made.pk
    event = Event.objects.order_by("-pk").first()
    assert (event.type, event.actor, event.member) == ("invitation.renewed", actor, noor.person)
    assert event.payload == {"number": noor.member_id, "invitation": str(made.pk)}


@pytest.mark.parametrize("status", ["accepted", "cancelled"])
def test_renew_rejects_ended_invitation(status):
    accepted = {"accepted_by": EntryFactory(), "accepted_at": timezone.now()} if status == "accepted" else {}
    invitation = InvitationFactory(status=status, **accepted)
    message = f"This invitation is “{status.capitalize()}”. Only a pending or expired invitation can be changed"
    with pytest.raises(InvitationEnded, match=message):
        renew_code(actor=Member.objects.system(), invitation=invitation)
    with rejected_by("community_invitations_code_changes_while_pending"):
        rows("UPDATE community_invitations SET invitation_code = 'ZZZZZZZZZZZZZZZZ'")


def test_renew_rejects_inactive_inviter(noor):
    made = create_invitation(actor=noor.person, created_by=noor)
    CommunityMember.objects.filter(pk=noor.pk).update(status="suspended")
    with pytest.raises(InviterNotActive):
        renew_code(actor=Member.objects.system(), invitation=made)


def test_new_code_button_shows_code_once(community, noor):
    made = create_invitation(actor=noor.person, created_by=noor)
    assert "New code" in [each["title"] for each in community.get(page(made)).context["buttons"]]
    asked = community.get(page(made, "new-code"))
    assert "The current code stops working." in page_text(asked)
    response = community.post(page(made, "new-code"), {"days": "7"})
    assert "New code for anyone with the code" in page_text(response)
    (code,) = shown_codes(response)
    assert find_invitation(code) == made
    with pytest.raises(CodeRejected):
        find_invitation(made.code)
    history = page_text(community.get(page(made, "history")))
    assert "new code" in history
    assert CommunityInvitation.objects.get().invitation_code not in history


def test_new_code_page_rejects_ended_invitation(community):
    ended = InvitationFactory(status="cancelled")
    response = community.post(page(ended, "new-code"), {"days": "7"})
    assert "This invitation is “Cancelled”. Only a pending or expired invitation can be changed." in page_text(response)
    assert client("Auditor").post(page(ended, "new-code"), {"days": "7"}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_concurrent_use_and_renewal_apply_one():
    with crowd(2) as people:
        for round_ in range(10):
            invitation = InvitationFactory()
            acts = [
                lambda code=invitation.code, name=round_: registering(code, name),
                lambda invitation=invitation: renew_code(actor=Member.objects.system(), invitation=invitation),
            ]
            random.shuffle(acts)
            results = people.run(lambda number, acts=acts: acts[number]())
            invitation.refresh_from_db()
            (rejected,) = (result for result in results if isinstance(result, Exception))
            assert isinstance(rejected, (CodeRejected, InvitationEnded))
            assert isinstance(rejected, InvitationEnded) == (invitation.status == "accepted")


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_old_code_registers_without_lock(monkeypatch):
    """Negative control: the code was read before it was renewed, and used after it."""
    invitation = InvitationFactory()

    def look_then_renew(code, lock=False):
        found = find_invitation(code)
        renew_code(actor=Member.objects.system(), invitation=found)
        return found

    monkeypatch.setattr(registration, "find_invitation", look_then_renew)
    assert registering(invitation.code).status == "pending"
