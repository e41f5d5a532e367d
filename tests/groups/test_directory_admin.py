"""The directory in the back office: search, filters, actions and errors."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from groups.errors import CheckPending
from groups.models import CommunityMember, Event, Member
from groups.services import directory
from groups.services.erasure import erase
from tests.groups.directory_pages import LIST, PENDING, REASON, buttons, form, page, shown
from tests.support.admin import client, client_of, links, page_text, staff
from tests.support.factories.directory import EntryFactory, InvitationFactory
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def community():
    return client("Community Manager")


@pytest.fixture
def noor():
    return EntryFactory(
        name="Noor Haddad",
        organization="Harbour Lab",
        telegram_username="noor_h",
        github_username="noor-codes",
        with_account=True,
    )


ALWAYS = {"Ban", "Remove", "Merge with…"}
OF_STATUS = {
    "not_member": ALWAYS,
    "pending": ALWAYS | {"Approve"},
    "active": ALWAYS | {"Suspend"},
    "suspended": ALWAYS | {"Reinstate"},
    "banned": ALWAYS - {"Ban"},
}


class TestButtons:
    @pytest.mark.parametrize("status", OF_STATUS)
    def test_buttons_depend_on_status(self, community, status):
        assert buttons(community.get(page(EntryFactory(status=status)))) == OF_STATUS[status]

    def test_verify_buttons_depend_on_github_name(self, community, noor):
        verifying = {"Verify on GitHub", "Verify manually"}
        assert buttons(community.get(page(noor))) == OF_STATUS["active"] | verifying | {"Account"}
        directory.verify_manually(actor=Member.objects.system(), entry=noor, how="A call")
        assert buttons(community.get(page(noor))) & verifying == {"Verify on GitHub"}

    @pytest.mark.parametrize("role", ["Mission Manager", "Engagement Operator", "Auditor", "Delivery Lead"])
    def test_viewer_has_no_buttons(self, role, noor):
        assert buttons(client(role).get(page(noor))) == {"Account"}

    def test_erase_button_is_for_administrators(self, noor):
        assert "Erase personal data" in buttons(client("Administrator").get(page(noor)))


class TestActions:
    """Each action stores its reason in the event; an error is shown and keeps the input."""

    @pytest.mark.parametrize(
        ("job", "before", "after", "event"),
        [
            ("approve", "pending", "active", "directory.approved"),
            ("suspend", "active", "suspended", "directory.suspended"),
            ("reinstate", "suspended", "active", "directory.reinstated"),
            ("ban", "active", "banned", "directory.banned"),
            ("ban", "pending", "banned", "directory.banned"),
        ],
    )
    def test_action_changes_status(self, community, job, before, after, event):
        entry = EntryFactory(status=before, with_account=True)
        response = community.post(page(entry, job), REASON)
        assert response.status_code == 302
        entry.refresh_from_db()
        assert entry.status == after
        told = Event.objects.get(type=event)
        assert (told.payload["reason"], told.member, told.actor.display_name) == (
            "Asked for it",
            entry.person,
            "Community Manager",
        )
        assert "Asked for it" in page_text(community.get(page(entry, "events")))

    @pytest.mark.parametrize(
        ("job", "status", "sentence"),
        [
            (
                "approve",
                "active",
                "The status of this member is “Active”.",
            ),
            (
                "approve",
                "suspended",
                "The status of this member is “Suspended”.",
            ),
            (
                "reinstate",
                "pending",
                PENDING,
            ),
            (
                "suspend",
                "pending",
                PENDING,
            ),
            ("suspend", "banned", "The status of this member is “Banned”, which is final."),
            ("ban", "banned", "The status of this member is “Banned”, which is final."),
        ],
    )
    def test_action_rejects_other_moves_and_keeps_input(self, community, job, status, sentence):
        entry = EntryFactory(status=status)
        response = community.post(page(entry, job), {"reason": "Typed with care"})
        assert response.status_code == 200
        assert sentence in page_text(response)
        assert "Typed with care" in page_text(response)
        entry.refresh_from_db()
        assert entry.status == status
        assert not Event.objects.exists()

    @pytest.mark.parametrize("job", ["suspend", "ban", "remove"])
    @pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
    def test_harmful_action_asks_for_reason(self, community, job, reason):
        entry = EntryFactory(status="pending")
        response = community.post(page(entry, job), {"reason": reason})
        assert response.status_code == 200
        assert "reason" in response.context["form"].errors
        assert not Event.objects.exists()

    def test_bulk_action_handles_each_entry_separately(self, community):
        waiting = [EntryFactory(name=f"Waiting {turn}", status="pending") for turn in range(3)]
        banned = EntryFactory(name="Never", status="banned")
        chosen = [entry.pk for entry in (*waiting, banned)]
        response = community.post(LIST, {"action": "approve", "_selected_action": chosen, "apply": "1", **REASON})
        assert "3 approved, 1 rejected." in page_text(response)
        assert "The status of this member is “Banned”, which is final." in page_text(response)
        assert CommunityMember.objects.active().count() == 3

    def test_verify_manually_records_evidence(self, community, noor):
        community.post(page(noor, "verify-manually"), {"how": "A video call"})
        noor.refresh_from_db()
        assert noor.github_verified
        assert Event.objects.get(type="directory.verified").payload["how"] == "A video call"
        assert "A video call" in page_text(community.get(page(noor, "events")))

    def test_verify_rejects_account_of_another_member(self, community, noor):
        directory.verify_manually(actor=Member.objects.system(), entry=noor, how="A call")
        other = EntryFactory(github_username="NOOR-codes")
        response = community.post(page(other, "verify-manually"), {"how": "A hunch"})
        assert "Another member has verified this GitHub account." in page_text(response)
        assert "A hunch" in page_text(response)
        other.refresh_from_db()
        assert not other.github_verified

    @pytest.mark.parametrize("job", ["verify", "verify-manually"])
    def test_verify_rejects_entry_without_github_name(self, community, job):
        response = community.post(page(EntryFactory(), job), {"how": "A call"})
        assert "Enter a GitHub name first" in page_text(response)

    def test_verify_on_github_queues_job(self, community, noor):
        from procrastinate.contrib.django.models import ProcrastinateJob

        response = community.post(page(noor, "verify"), follow=True)
        assert "GitHub check queued" in page_text(response)
        jobs = ProcrastinateJob.objects.filter(task_name="verify_on_github")
        assert [noor.member_id in str(job.args) for job in jobs] == [True]
        assert str(CheckPending.message) in page_text(community.post(page(noor, "verify"), follow=True))
        assert jobs.count() == 1

    def test_remove_rejects_removed_entry(self, community, noor):
        community.post(page(noor, "remove"), REASON)
        assert "Restore them first" in page_text(community.post(page(noor, "remove"), {"reason": "Once more"}))
        assert Event.objects.filter(type="directory.removed").count() == 1


class TestAddAndEdit:
    def test_add_creates_pending_entry(self, community):
        response = community.post(f"{LIST}add/", form(telegram_username="@ana"), follow=True)
        assert "was added successfully" in page_text(response)
        ana = CommunityMember.objects.get()
        assert (ana.status, ana.telegram_username, ana.reputation_tier) == ("pending", "ana", "Novice")
        assert Event.objects.get().type == "directory.added"

    @pytest.mark.parametrize(
        ("changes", "field", "sentence"),
        [
            ({"telegram_id": "271828"}, "telegram_id", "Another member has this Telegram ID."),
            ({"telegram_id": ""}, "telegram_id", "required"),
            ({"telegram_id": "x" * 256}, "telegram_id", "at most 255"),
            ({"name": ""}, "name", "required"),
            ({"name": "A\x00na"}, "name", "Null characters"),
            ({"primary_role": "king"}, "primary_role", "king is not one of the available choices"),
            ({"country": "x" * 101}, "country", "at most 100"),
        ],
    )
    def test_invalid_values_are_field_errors(self, community, changes, field, sentence):
        EntryFactory(telegram_id="271828")
        response = community.post(f"{LIST}add/", form(telegram_id="1", organization="Unchanged Lab") | changes)
        assert response.status_code == 200
        assert sentence in str(response.context["adminform"].form.errors[field])
        assert "Unchanged Lab" in page_text(response)
        assert CommunityMember.objects.count() == 1

    def test_new_github_name_is_not_verified(self, community, noor):
        CommunityMember.objects.filter(pk=noor.pk).update(reputation_score=1125)
        directory.verify_manually(actor=Member.objects.system(), entry=noor, how="A call")
        community.post(page(noor), form(telegram_id=noor.telegram_id, github_username="someone-else"))
        noor.refresh_from_db()
        assert (noor.github_verified, noor.reputation_score, noor.reputation_tier) == (False, 0, "Novice")

    @pytest.mark.parametrize(
        "field", ["status", "member_id", "reputation_score", "github_verified", "invited_by", "person", "erased_at"]
    )
    def test_decided_values_are_not_form_fields(self, community, noor, field):
        before = CommunityMember.objects.values().get(pk=noor.pk)
        sent = {"status": "banned", "reputation_score": "9000", "github_verified": "on", "member_id": "#1"}
        typed = {
            name: before[name] or ""
            for name in ("name", "primary_role", "organization", "telegram_id", "telegram_username", "github_username")
        }
        community.post(page(noor), typed | {field: sent.get(field, "1")})
        after = CommunityMember.objects.values().get(pk=noor.pk)
        assert {name: after[name] for name in after if name != "updated_at"} == {
            name: before[name] for name in before if name != "updated_at"
        }


class TestHistory:
    def revert(self, client_, entry, change):
        return client_.post(reverse("admin:groups_communitymember_revert", args=[entry.pk, change.pgh_id]))

    def test_history_shows_and_reverts_edit(self, community, noor):
        directory.update_entry(actor=Member.objects.system(), entry=noor, organization="Pier Lab", country="Portugal")
        history = page_text(community.get(page(noor, "history")))
        assert "Harbour Lab" in history
        assert "Pier Lab" in history
        self.revert(community, noor, noor.history.order_by("-pgh_id")[0])
        noor.refresh_from_db()
        assert (noor.organization, noor.country) == ("Harbour Lab", None)
        assert Event.objects.filter(type="communitymember.reverted", actor__display_name="Community Manager").exists()

    @pytest.mark.parametrize("what", ["status", "removal", "verification"])
    def test_history_does_not_revert_decision(self, noor, what):
        administrator = client("Administrator")
        match what:
            case "status":
                directory.suspend(actor=Member.objects.system(), entry=noor, reason="Why")
            case "removal":
                directory.remove_entry(actor=Member.objects.system(), entry=noor, reason="Why")
                directory.restore_entry(actor=Member.objects.system(), entry=noor, reason="Why")
            case "verification":
                directory.verify_manually(actor=Member.objects.system(), entry=noor, how="A call")
        before = CommunityMember.objects.values("status", "deleted_at", "github_verified").get(pk=noor.pk)
        assert "Revert" not in page_text(administrator.get(page(noor, "history")))
        assert self.revert(administrator, noor, noor.history.order_by("-pgh_id")[0]).status_code == 403
        assert CommunityMember.objects.values("status", "deleted_at", "github_verified").get(pk=noor.pk) == before

    def test_revert_does_not_transfer_github_verification(self, community, noor):
        """Reverting restores the old name, but not the verification of the new one."""
        directory.update_entry(actor=Member.objects.system(), entry=noor, github_username="proven-one")
        renamed = noor.history.order_by("-pgh_id")[0]
        directory.verify_manually(actor=Member.objects.system(), entry=noor, how="A call")
        self.revert(community, noor, renamed)
        noor.refresh_from_db()
        assert (noor.github_username, noor.github_verified) in [("noor-codes", False), ("proven-one", True)]

    def test_revert_rejects_later_edit(self, community, noor):
        directory.update_entry(actor=Member.objects.system(), entry=noor, organization="Pier Lab")
        first = noor.history.order_by("-pgh_id")[0]
        directory.update_entry(actor=Member.objects.system(), entry=noor, organization="Quay Lab")
        assert "cannot be reverted" in page_text(self.revert(community, noor, first))


class TestErase:
    def test_erase_asks_for_number(self, noor):
        administrator = client("Administrator")
        for typed in ("", "247", "#0", noor.member_id[1:]):
            response = administrator.post(page(noor, "erase"), {"number": typed})
            assert response.status_code == 200
            assert response.context["form"].errors["number"]
        noor.refresh_from_db()
        assert noor.name == "Noor Haddad"
        administrator.post(page(noor, "erase"), {"number": f" {noor.member_id} "})
        noor.refresh_from_db()
        assert noor.erased_at
        assert noor.is_removed
        assert "Noor" not in str(CommunityMember.objects.values().get(pk=noor.pk))

    def test_erase_rejects_wrong_number(self, noor):
        rui = EntryFactory(name="Rui")
        response = client("Administrator").post(page(noor, "erase"), {"number": rui.member_id})
        assert "This is not the number of this member." in page_text(response)
        assert not CommunityMember.objects.filter(erased_at__isnull=False).exists()

    def test_erased_entry_has_no_actions(self, noor):
        erase(actor=Member.objects.system(), entry=noor)
        administrator = client("Administrator")
        noor.refresh_from_db()
        response = administrator.get(page(noor))
        assert response.status_code == 200
        assert buttons(response) <= {"Account"}
        for job in ("restore", "approve", "erase", "remove"):
            assert administrator.post(page(noor, job), REASON | {"number": noor.member_id}).status_code == 403
        assert "Noor" not in page_text(administrator.get(page(noor, "history")))

    def test_erase_rejects_staff(self):
        colleague = EntryFactory(person=staff("Auditor"))
        response = client("Administrator").post(page(colleague, "erase"), {"number": colleague.member_id})
        assert "This account has back-office access" in page_text(response)
        colleague.refresh_from_db()
        assert colleague.erased_at is None


class TestPages:
    @pytest.mark.parametrize("rows", [3, 60])
    def test_list_query_count_is_constant(self, community, rows, django_assert_num_queries):
        for _ in range(rows):
            EntryFactory(with_account=True, organization="Lab")
        community.get(LIST)
        # Session, user, permissions twice, project roles, count, keys, rows, saved views, tags and custom fields.
        with django_assert_num_queries(11):
            community.get(LIST)
        # And what the search finds, and the roles with which the view can be shared.
        with django_assert_num_queries(13):
            assert shown(community.get(LIST, {"q": "person"}))

    @pytest.mark.parametrize("rows", [60, 90])
    def test_tab_query_count_is_constant(self, community, noor, rows):
        for _ in range(rows):
            invited = EntryFactory(invited_by=noor, with_account=True)
            InvitationFactory(created_by=noor, status="accepted", accepted_by=invited, accepted_at=invited.created_at)
            directory.update_entry(actor=Member.objects.system(), entry=noor, organization=f"Lab {invited.pk}")
        for tab in ("change", "participation", "invitations", "tree", "events", "history"):
            community.get(page(noor, tab))
        asked, pages = {}, {}
        for tab in OF_TAB:
            with CaptureQueriesContext(connection) as queries:
                pages[tab] = community.get(page(noor, tab))
            asked[tab] = len(queries)
        assert asked == OF_TAB
        assert page_text(pages["tree"]).count("Person ") == rows

    def test_unknown_entry_redirects_with_message(self, community):
        for odd in ("nobody", "1", "00000000-0000-4000-8000-000000000000"):
            for tail in ("change/", "tree/", "participation/", "invitations/", "history/", "approve/", "erase/"):
                response = community.get(f"{LIST}{odd}/{tail}", follow=True)
                assert response.status_code in (200, 403)
                assert "exist" in page_text(response) or response.status_code == 403

    def test_empty_list_shows_first_steps(self, community):
        assert "No directory entries yet" in page_text(community.get(LIST))

    def test_global_search_finds_entries(self, community, noor):
        answer = page_text(community.get("/admin/search/", {"s": "noor", "extended": "1"}))
        assert page(noor) in answer
        assert noor.member_id in answer

    def test_home_links_to_pending_entries(self, community):
        EntryFactory(name="Pia", status="pending")
        EntryFactory(name="Gone", status="pending", removed=True)
        home = community.get("/admin/")
        card = next(card for card in home.context["cards"] if card["title"] == "Waiting for approval")
        assert card["count"] == "1"
        assert shown(community.get(card["link"])) == ["Pia"]
        auditors = client("Auditor").get("/admin/").context["cards"]
        assert "Waiting for approval" not in [card["title"] for card in auditors]

    def test_account_and_entry_link_to_each_other(self, community, noor):
        assert reverse("admin:groups_member_change", args=[noor.person_id]) in page_text(community.get(page(noor)))
        assert page(noor) in links(community.get(LIST))


# The number of queries of each tab, independent of the number of rows.
# Participation, invitations and events include those of entries that were merged into it: one query more.
OF_TAB = {"change": 13, "participation": 11, "invitations": 13, "tree": 12, "events": 13, "history": 11}


def test_staff_without_permission_get_403(noor):
    no_one = client_of(staff())
    assert no_one.get(LIST).status_code == 403
    assert no_one.get(page(noor)).status_code == 403
    outside = client_of(MemberFactory())
    assert outside.get(page(noor)).status_code == 302
