"""Invitations, relationships and participation in the back office."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from groups.models import CommunityInvitation, Event, MemberRelationship
from groups.services.invitations import create_invitation
from groups.services.registration import accept_invitation
from tests.support.admin import client, client_of, links, page_text, staff
from tests.support.factories.directory import EntryFactory, InvitationFactory, ParticipationFactory, RelationshipFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/groups/communityinvitation/"
RELATIONSHIPS = "/admin/groups/memberrelationship/"
PARTICIPATION = "/admin/groups/memberparticipation/"


def page(invitation, name: str = "change") -> str:
    return reverse(f"admin:groups_communityinvitation_{name}", args=[invitation.pk])


def rows(response) -> list:
    return list(response.context["cl"].result_list)


def names() -> set[str | None]:
    return set(CommunityInvitation.objects.values_list("invited_telegram_username", flat=True))


@pytest.fixture
def community():
    return client("Community Manager")


@pytest.fixture
def noor():
    return EntryFactory(name="Noor", with_account=True)


class TestList:
    @pytest.fixture
    def four(self, noor):
        """One in each state."""
        pending = create_invitation(actor=noor.person, created_by=noor, telegram_username="bob")
        used = create_invitation(actor=noor.person, created_by=noor)
        accept_invitation(
            code=used.code, email="eve@example.org", password=None, name="Eve", primary_role="other",
            telegram_id="99",
        )  # fmt: skip
        InvitationFactory(status="expired", expires_at=timezone.now() + timedelta(hours=1))
        InvitationFactory(status="cancelled", invited_telegram_username="bobby")
        return pending

    @pytest.mark.parametrize("status", ["pending", "accepted", "expired", "cancelled"])
    def test_list_filters_by_status(self, community, four, status):
        assert [row.status for row in rows(community.get(LIST, {"status__exact": status}))] == [status]

    def test_search_finds_by_code_and_name_prefix(self, community, four):
        code = four.spelled_code
        for typed in (code, code.lower(), code.replace("-", ""), code.replace("-", " "), f" {code} "):
            assert [row.pk for row in rows(community.get(LIST, {"q": typed}))] == [four.pk]
        assert {row.invited_telegram_username for row in rows(community.get(LIST, {"q": "BOB"}))} == {"bob", "bobby"}
        assert rows(community.get(LIST, {"q": code[:9]})) == []

    def test_list_filters_by_inviter(self, community, four, noor):
        found = rows(community.get(f"{LIST}?created_by__member_id__exact={noor.member_id.replace('#', '%23')}"))
        assert {row.created_by_id for row in found} == {noor.member_id}
        assert len(found) == 2

    def test_entry_tab_links_to_filtered_list(self, community, four, noor):
        tab = community.get(reverse("admin:groups_communitymember_invitations", args=[noor.pk]))
        found = rows(community.get(tab.context["list_link"]))
        assert {row.created_by_id for row in found} == {noor.member_id}
        assert len(found) == 2

    def test_list_shows_accepting_member(self, community, four):
        assert "Eve" in page_text(community.get(LIST, {"status__exact": "accepted"}))

    @pytest.mark.parametrize("count", [3, 60])
    def test_list_query_count_is_constant(self, community, count, django_assert_num_queries):
        for _ in range(count):
            inviter = EntryFactory(with_account=True)
            joined = EntryFactory(with_account=True, invited_by=inviter)
            InvitationFactory(created_by=inviter, status="accepted", accepted_by=joined, accepted_at=joined.created_at)
        community.get(LIST)
        # Session, user, permissions twice, project roles, count, keys, rows, saved views.
        with django_assert_num_queries(9):
            community.get(LIST)


class TestInviteOne:
    def form(self, noor, **changes) -> dict:
        return {"created_by": noor.member_id, "invited_telegram_username": "@bob", "days": "3"} | changes

    def test_add_creates_and_shows_code(self, community, noor):
        response = community.post(f"{LIST}add/", self.form(noor))
        made = CommunityInvitation.objects.get()
        assert "Invitation for @bob" in page_text(response)
        assert made.invited_telegram_username == "bob"
        assert timedelta(days=2, hours=23) < made.expires_at - timezone.now() < timedelta(days=3, minutes=1)
        assert Event.objects.get(type="invitation.created").actor.display_name == "Community Manager"

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"days": "0"}, "days"),
            ({"days": "91"}, "days"),
            ({"days": "soon"}, "days"),
            ({"created_by": ""}, "created_by"),
            ({"created_by": "#999"}, "created_by"),
            ({"created_by": "\x00"}, "created_by"),
            ({"invited_telegram_username": "x" * 256}, "invited_telegram_username"),
        ],
    )
    def test_invalid_values_are_field_errors(self, community, noor, changes, field):
        response = community.post(f"{LIST}add/", self.form(noor, **changes))
        assert response.status_code == 200
        assert field in response.context["adminform"].form.errors
        assert not CommunityInvitation.objects.exists()

    @pytest.mark.parametrize("status", ["pending", "suspended", "banned"])
    def test_only_active_members_invite(self, community, status):
        outsider = EntryFactory(status=status)
        response = community.post(f"{LIST}add/", self.form(outsider))
        assert "Only an active member of the directory can invite." in page_text(response)
        assert 'value="@bob"' in page_text(response)

    def test_inviter_defaults_to_own_entry(self):
        me = staff("Community Manager")
        own = EntryFactory(name="Mine", person=me)
        form = client_of(me).get(f"{LIST}add/").context["adminform"].form
        assert form["created_by"].value() == own.member_id


class TestInviteMany:
    ADDRESS = f"{LIST}many/"

    def send(self, community, noor, names: str = "", file: bytes | None = None, **changes):
        body = {"created_by": noor.member_id, "names": names, "days": "3"} | changes
        if file is not None:
            body["file"] = SimpleUploadedFile("people.csv", file, "text/csv")
        return community.post(self.ADDRESS, body, follow=True)

    def test_names_are_read_one_per_line(self, community, noor):
        response = self.send(community, noor, "@bob_1\r\n eve_1 \n\nbob_1\nmallory")
        assert "3 invitations created" in page_text(response)
        assert names() == {"bob_1", "eve_1", "mallory"}

    @pytest.mark.parametrize(
        "file",
        [
            b"bob_1\neve_1\n",
            b"telegram_username\nbob_1\neve_1\n",
            b"Telegram name,Whatever\r\n@bob_1,1\r\n@eve_1,2\r\n",
            b'"@bob_1";"x"\n"@eve_1";"y"\n',
            b"\xef\xbb\xbftelegram\nbob_1\neve_1\n",
        ],
        ids=["plain", "heading", "comma", "semicolon", "byte order mark"],
    )
    def test_names_are_read_from_file(self, community, noor, file):
        assert "2 invitations created" in page_text(self.send(community, noor, file=file))
        assert names() == {"bob_1", "eve_1"}

    def test_typed_and_file_names_are_merged(self, community, noor):
        self.send(community, noor, "bob_1\neve_1", file=b"eve_1\nmallory\n")
        assert names() == {"bob_1", "eve_1", "mallory"}

    @pytest.mark.parametrize(
        ("typed", "file", "field", "sentence"),
        [
            ("", None, "names", "Enter at least one name, or choose a file."),
            (" \n\n", b"\n \n", "names", "Enter at least one name, or choose a file."),
            ("", "bob_1\né\n".encode("latin-1"), "file", "The file must be text in UTF-8."),
            ("", "bob_1\neve_1\n".encode("utf-16"), "file", "The file must be text in UTF-8."),
            ("", b"x" * (256 * 1024 + 1), "file", "The file is larger than 256 KB."),
            ("\n".join(f"n{turn}" for turn in range(501)), None, "names", "Enter at most 500 names, not 501."),
            (
                "",
                "\n".join(f"n{turn}" for turn in range(501)).encode(),
                "names",
                "Enter at most 500 names, not 501.",
            ),
            ("x" * 256, None, "names", "Line 1: The name is longer than 255 characters."),
            ("", b"bob_1\nev\x00e\n", "file", "Line 2: It contains a character that cannot be stored."),
        ],
    )
    def test_unreadable_names_are_field_errors(self, community, noor, typed, file, field, sentence):
        response = self.send(community, noor, typed, file=file)
        assert response.status_code == 200
        assert sentence in str(response.context["form"].errors[field])
        assert not CommunityInvitation.objects.exists()

    def test_bulk_invite_rejects_above_daily_cap(self, community, noor, settings):
        settings.INVITATIONS_PER_DAY_BY_STAFF = 5
        self.send(community, noor, "ana_1\nbea_1\ncai_1")
        response = self.send(community, noor, "dan_1\neli_1\nfay_1")
        assert "At most 5 invitations in 24 hours. 2 more are possible now." in page_text(response)
        assert "dan_1 eli_1 fay_1" in page_text(response)
        assert names() == {"ana_1", "bea_1", "cai_1"}

    def test_bulk_invite_requires_permission(self, noor):
        for role in ("Auditor", "Mission Manager"):
            assert client(role).get(self.ADDRESS).status_code == 403
            assert self.send(client(role), noor, "bob_1").status_code == 403

    def test_bulk_invite_button_requires_permission(self, community, noor):
        create_invitation(actor=noor.person, created_by=noor)
        assert self.ADDRESS in page_text(community.get(LIST))
        assert self.ADDRESS not in page_text(client("Auditor").get(LIST))


class TestOne:
    def test_cancel_is_final(self, community, noor):
        invitation = create_invitation(actor=noor.person, created_by=noor)
        community.post(page(invitation, "cancel"), {"reason": "Wrong person"})
        invitation.refresh_from_db()
        assert invitation.status == "cancelled"
        assert Event.objects.get(type="invitation.cancelled").payload["reason"] == "Wrong person"
        response = community.post(page(invitation, "cancel"), {"reason": "Again, in words"})
        assert "This invitation is “Cancelled”. Only a pending invitation can be cancelled." in page_text(response)
        assert "Again, in words" in page_text(response)
        assert "No longer works" in page_text(community.get(page(invitation)))

    def test_cancel_button_needs_pending_and_permission(self, community, noor):
        invitation = create_invitation(actor=noor.person, created_by=noor)
        assert [each["title"] for each in community.get(page(invitation)).context["buttons"]] == [
            "New code",
            "Send by e-mail",
            "Extend or change",
            "Cancel invitation",
        ]
        assert client("Auditor").get(page(invitation)).context["buttons"] == []
        ended = InvitationFactory(status="cancelled")
        assert community.get(page(ended)).context["buttons"] == []

    def test_bulk_cancel(self, community, noor):
        chosen = [create_invitation(actor=noor.person, created_by=noor).pk for _ in range(3)] + [
            InvitationFactory(status="expired").pk
        ]
        body = {"action": "cancel", "_selected_action": chosen, "apply": "1", "reason": "Event is off"}
        response = community.post(LIST, body)
        assert "3 cancelled, 1 rejected." in page_text(response)
        assert CommunityInvitation.objects.filter(status="cancelled").count() == 3

    def test_invitation_page_is_read_only(self, community, noor):
        invitation = create_invitation(actor=noor.person, created_by=noor, telegram_username="bob")
        assert "@bob" in page_text(community.get(page(invitation)))
        assert community.post(page(invitation), {"status": "accepted", "days": "90"}).status_code == 403

    def test_history_shows_changes_without_revert(self, community, noor):
        invitation = create_invitation(actor=noor.person, created_by=noor)
        community.post(page(invitation, "cancel"), {"reason": "Wrong person"})
        history = page_text(community.get(page(invitation, "history")))
        assert "Cancelled" in history
        assert "Revert" not in history
        newest = invitation.history.order_by("-pgh_id")[0]
        address = reverse("admin:groups_communityinvitation_revert", args=[invitation.pk, newest.pgh_id])
        assert client("Administrator").post(address).status_code == 403

    def test_page_query_count_is_constant(self, community, noor, django_assert_num_queries):
        invitation = create_invitation(actor=noor.person, created_by=noor)
        community.get(page(invitation))
        # Session, user, permissions twice, project roles, the invitation for its buttons and its form, who made it.
        with django_assert_num_queries(8):
            community.get(page(invitation))


class TestRelationships:
    def form(self, **changes) -> dict:
        return {"entity_id_a": "#1", "entity_id_b": "bot-7", "relationship_type": "MENTORED", "note": ""} | changes

    def test_relationship_is_added_once_and_linked(self, community, noor):
        community.post(f"{RELATIONSHIPS}add/", self.form(entity_id_a=f" {noor.member_id} ", note="Weekly calls"))
        made = MemberRelationship.objects.get()
        assert (made.member_a, made.member_b, made.content) == (noor, None, {"note": "Weekly calls"})
        assert Event.objects.get(type="relationship.created").member == noor.person
        response = community.post(f"{RELATIONSHIPS}add/", self.form(entity_id_a=noor.member_id))
        assert "This relationship already exists." in page_text(response)

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"entity_id_b": "#1"}, "A relationship needs two different sides."),
            ({"entity_id_a": ""}, "required"),
            ({"entity_id_a": "  "}, "required"),
            ({"entity_id_b": "x" * 256}, "at most 255"),
            ({"relationship_type": "MARRIED"}, "MARRIED is not one of the available choices"),
            ({"note": "x" * 501}, "at most 500"),
        ],
    )
    def test_invalid_relationships_are_rejected(self, community, changes, sentence):
        response = community.post(f"{RELATIONSHIPS}add/", self.form(**changes))
        assert response.status_code == 200
        assert sentence in page_text(response)
        assert not MemberRelationship.objects.exists()

    def test_search_finds_by_either_entity_id(self, community, noor):
        RelationshipFactory(entity_id_a=noor.member_id, entity_id_b="bot-7")
        RelationshipFactory(entity_id_a="bot-8", entity_id_b=noor.member_id, relationship_type="REFERRED")
        assert len(rows(community.get(RELATIONSHIPS, {"q": noor.member_id}))) == 2
        assert len(rows(community.get(RELATIONSHIPS, {"q": "bot-7"}))) == 1
        assert rows(community.get(RELATIONSHIPS, {"q": "bot"})) == []
        found = rows(community.get(RELATIONSHIPS, {"relationship_type__exact": "REFERRED"}))
        assert [row.relationship_type for row in found] == ["REFERRED"]

    def test_relationships_are_read_only(self, noor):
        row = RelationshipFactory(entity_id_a=noor.member_id, content={"note": "Weekly calls"})
        chief = client_of(staff(is_superuser=True))
        address = reverse("admin:groups_memberrelationship_change", args=[row.pk])
        assert "Weekly calls" in page_text(chief.get(address))
        assert chief.post(address, self.form()).status_code == 403

    @pytest.mark.parametrize("count", [3, 60])
    def test_list_query_count_is_constant(self, community, count, django_assert_num_queries):
        for _ in range(count):
            a, b = EntryFactory(with_account=True), EntryFactory(with_account=True)
            RelationshipFactory(entity_id_a=a.member_id, entity_id_b=b.member_id)
        community.get(RELATIONSHIPS)
        with django_assert_num_queries(9):
            community.get(RELATIONSHIPS)


class TestParticipation:
    def test_list_filters_by_type_platform_member_and_day(self, community, noor):
        ParticipationFactory(member=noor)
        ParticipationFactory(event_type="VOICE", platform="discord", occurred_at=timezone.now() - timedelta(days=40))
        day = timezone.localdate().isoformat()
        number = noor.member_id.replace("#", "%23")
        for query in (
            "event_type__exact=MESSAGE",
            "platform__exact=telegram",
            f"occurred_at_from={day}",
            f"member__member_id__exact={number}",
        ):
            assert [row.member_id for row in rows(community.get(f"{PARTICIPATION}?{query}"))] == [noor.member_id], query
        assert len(rows(community.get(PARTICIPATION))) == 2

    def test_participation_is_read_only(self, noor):
        row = ParticipationFactory(member=noor, event_metadata={"text_length": 12})
        chief = client_of(staff(is_superuser=True))
        address = reverse("admin:groups_memberparticipation_change", args=[row.pk])
        assert "Text length" in page_text(chief.get(address))
        assert chief.post(address, {"event_type": "VOICE"}).status_code == 403
        assert chief.get(f"{PARTICIPATION}add/").status_code == 403
        assert links(chief.get(PARTICIPATION))

    @pytest.mark.parametrize("count", [3, 60])
    def test_list_query_count_is_constant(self, community, count, django_assert_num_queries):
        for _ in range(count):
            ParticipationFactory()
        community.get(PARTICIPATION)
        with django_assert_num_queries(9):
            community.get(PARTICIPATION)
