"""Memberships in the back office: Manager manages missions, Auditor is read-only, Ana has a trust score of 120."""

import pytest
from django.urls import reverse

from groups.admin.memberships import MembershipAdmin
from groups.models import Event, Membership
from groups.services.memberships import join_mission, leave_mission
from tests.support.admin import client, client_of, links, page_text, staff
from tests.support.factories.groups import MemberFactory, MembershipFactory, MissionFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/groups/membership/"


@pytest.fixture
def manager():
    return client("Mission Manager")


@pytest.fixture
def ana():
    return MemberFactory(display_name="Ana", trust_score=120)


@pytest.fixture
def mission():
    return MissionFactory(name="Garden", min_trust_score=250)


def page(name: str, obj) -> str:
    return reverse(f"admin:groups_{name}", args=[obj.pk])


class TestAddMember:
    def test_add_member_from_mission_page(self, manager, mission):
        bob = MemberFactory(trust_score=300)
        form = {"member": bob.pk, "role": "Mentor", "reason": "Asked for it"}
        response = manager.post(page("mission_add-member", mission), form, follow=True)
        assert "member added" in page_text(response)
        membership = Membership.objects.get(member=bob, group=mission)
        assert (membership.role, membership.status) == ("Mentor", "active")
        event = Event.objects.get(type="membership.created")
        assert event.payload["reason"] == "Asked for it"
        assert event.actor.display_name == "Mission Manager"

    def test_service_error_is_shown_and_input_kept(self, manager, mission, ana):
        form = {"member": ana.pk, "role": "Mentor", "reason": "She asked"}
        response = manager.post(page("mission_add-member", mission), form)
        assert response.status_code == 200
        assert "requires a trust score of 250; this member has 120, 130 too few" in page_text(response)
        assert 'value="Mentor"' in page_text(response)
        assert "She asked" in page_text(response)
        assert f'value="{ana.pk}"' in page_text(response)
        assert "member added" not in page_text(response)
        assert not Membership.objects.exists()

    def test_add_form_shows_same_errors(self, manager, mission, ana):
        form = {"member": ana.pk, "group": mission.pk, "role": "Member", "reason": "Unchanged"}
        response = manager.post(f"{LIST}add/", form)
        assert response.status_code == 200
        assert "130 too few" in page_text(response)
        assert "Unchanged" in page_text(response)
        assert "successfully" not in page_text(response)
        assert not Membership.objects.exists()

    def test_add_form_adds_membership(self, manager, mission):
        bob = MemberFactory(trust_score=300)
        form = {"member": bob.pk, "group": mission.pk, "role": "Member", "reason": ""}
        response = manager.post(f"{LIST}add/", form, follow=True)
        assert "was added successfully" in page_text(response)
        assert Membership.objects.active().filter(member=bob, group=mission).exists()

    def test_add_member_rejects_current_member(self, manager, ana):
        membership = MembershipFactory(member=ana)
        response = manager.post(
            page("mission_add-member", membership.group), {"member": ana.pk, "role": "Member", "reason": ""}
        )
        assert "This member already belongs to the mission." in page_text(response)

    def test_invalid_member_is_field_error(self, manager, mission):
        for odd in ("", "nobody", "1", "\x00", "9" * 400, str(mission.pk)):
            response = manager.post(page("mission_add-member", mission), {"member": odd, "role": "Member"})
            assert response.status_code == 200
            assert not Membership.objects.exists()


class TestLeaveAndReturn:
    def test_remove_asks_for_reason(self, manager, ana):
        membership = MembershipFactory(member=ana)
        response = manager.post(page("membership_leave", membership), {"reason": ""})
        assert "This field is required." in page_text(response)
        manager.post(page("membership_leave", membership), {"reason": "Moved away"})
        membership.refresh_from_db()
        assert membership.status == "left"
        assert Event.objects.get(type="membership.ended").payload["reason"] == "Moved away"

    def test_rejoin_adds_membership(self, manager, ana):
        mission = MissionFactory()
        join_mission(actor=ana, member=ana, mission=mission)
        membership = leave_mission(actor=ana, member=ana, mission=mission)
        manager.post(page("membership_rejoin", membership), {"role": "Lead", "reason": "Back"})
        assert list(Membership.objects.filter(member=ana).order_by("joined_at").values_list("status", "role")) == [
            ("left", "Member"),
            ("active", "Lead"),
        ]

    def test_change_role_changes_role(self, manager, ana):
        membership = MembershipFactory(member=ana)
        manager.post(page("membership_role", membership), {"role": "Lead", "reason": ""})
        membership.refresh_from_db()
        assert membership.role == "Lead"

    def test_action_returns_to_previous_page(self, manager, ana):
        membership = MembershipFactory(member=ana)
        back = page("mission_members", membership.group)
        response = manager.post(page("membership_leave", membership), {"reason": "x", "next": back})
        assert response.url == back

    def test_action_does_not_redirect_to_other_site(self, manager, ana):
        membership = MembershipFactory(member=ana)
        response = manager.post(page("membership_leave", membership), {"reason": "x", "next": "https://evil.example/"})
        assert response.url == page("membership_change", membership)


class TestSeveralAtOnce:
    def test_bulk_remove_handles_each_row_separately(self, manager):
        memberships = [MembershipFactory() for _ in range(3)]
        ended = MembershipFactory(ended=True)
        form = {"action": "leave", "_selected_action": [membership.pk for membership in [*memberships, ended]]}
        asked = manager.post(LIST, form)
        assert "4 selected" in page_text(asked)
        assert Membership.objects.active().count() == 3
        response = manager.post(LIST, form | {"apply": "1", "reason": "Season over"})
        assert response.status_code == 200
        assert "3 removed from the mission, 1 rejected." in page_text(response)
        assert f"{ended}: This member does not belong to the mission" in page_text(response)
        assert "Season over" in page_text(response)
        assert not Membership.objects.active().exists()

    def test_bulk_add_to_mission(self, manager, ana, mission):
        able = [MemberFactory(trust_score=300) for _ in range(3)]
        form = {"action": "add_to_mission", "_selected_action": [member.pk for member in [*able, ana]], "apply": "1"}
        form |= {"group": mission.pk, "role": "Member", "reason": "Start"}
        response = manager.post("/admin/groups/member/", form)
        assert "3 added to the mission, 1 rejected." in page_text(response)
        assert "Ana: The mission requires a trust score of 250" in page_text(response)
        assert Membership.objects.active().filter(group=mission).count() == 3

    def test_bulk_success_returns_to_list(self, manager):
        membership = MembershipFactory()
        form = {"action": "leave", "_selected_action": [membership.pk], "apply": "1", "reason": "x"}
        response = manager.post(LIST, form, follow=True)
        assert response.redirect_chain
        assert "1 removed from the mission." in page_text(response)


class TestList:
    def test_list_shows_rows_and_links(self, manager, ana):
        membership = MembershipFactory(member=ana, group__name="Garden")
        response = manager.get(LIST)
        assert "Ana" in page_text(response)
        assert "Garden" in page_text(response)
        assert page("membership_change", membership) in links(response)

    @pytest.mark.parametrize("rows", [1, 12])
    def test_list_query_count_is_constant(self, manager, rows, django_assert_num_queries):
        MembershipFactory.create_batch(rows)
        manager.get(LIST)
        # Session, user, permissions twice, count, keys, rows, saved views.
        with django_assert_num_queries(8):
            manager.get(LIST)

    def test_list_filters_by_status_role_period_and_mission(self, manager):
        lead = MembershipFactory(role="Lead")
        ended = MembershipFactory(ended=True)
        assert links(manager.get(f"{LIST}?status__exact=left")).count(page("membership_change", ended)) == 1
        for query in ("role=Lead", f"group__id__exact={lead.group_id}", "joined_at_from=2020-01-01&role=Lead"):
            shown = links(manager.get(f"{LIST}?{query}"))
            assert page("membership_change", lead) in shown
            assert page("membership_change", ended) not in shown

    @pytest.mark.seed("site bad input in the back office")
    @pytest.mark.parametrize(
        "query",
        [
            "status__exact=nope", "group__id__exact=zzz", "joined_at_from=99999-99-99", "joined_at_to=9999-12-31",
            "role=" + "x" * 5000, "q=FE-P-999999999999999999999", "status__exact=active&status__exact=left", "p=2&e=1",
        ],
    )  # fmt: skip
    def test_invalid_addresses_return_no_error(self, manager, query):
        """Those of this list; what every list is asked is in tests/site/test_bad_input.py."""
        MembershipFactory()
        assert manager.get(f"{LIST}?{query}", follow=True).status_code == 200

    def test_list_sorts_only_by_indexed_columns(self, manager):
        # Column 4 is the role, which no index orders; column 5 is the day of joining.
        by_role, by_joined = (manager.get(f"{LIST}?o={column}").context["cl"].queryset.query for column in (4, 5))
        assert "role" not in str(by_role).rpartition("ORDER BY")[2]
        assert "joined_at" in str(by_joined).rpartition("ORDER BY")[2]

    def test_deep_pages_are_exact(self, manager, monkeypatch):
        """The total that deep pages are read from adds up counters and includes ended memberships."""
        from missionsite.common.admin import pagination

        monkeypatch.setattr(pagination, "COUNT_LIMIT", 5)
        monkeypatch.setattr(pagination.Pages, "estimate", 23)
        for number in range(23):
            MembershipFactory(ended=number % 3 == 0)
        monkeypatch.setattr(MembershipAdmin, "list_per_page", 5)
        rows = list(Membership.objects.values_list("pk", flat=True))
        for page_number in range(1, 6):
            shown = manager.get(f"{LIST}?p={page_number}").context["cl"].result_list
            assert [membership.pk for membership in shown] == rows[(page_number - 1) * 5 : page_number * 5]


class TestRights:
    def test_auditor_is_read_only(self, ana, mission):
        auditor = client("Auditor")
        membership = MembershipFactory(member=ana)
        for address in (LIST, page("membership_change", membership), page("membership_history", membership)):
            assert auditor.get(address).status_code == 200
        for name in ("leave", "role", "rejoin"):
            assert auditor.post(page(f"membership_{name}", membership), {"reason": "x", "role": "x"}).status_code == 403
        assert auditor.get(f"{LIST}add/").status_code == 403
        assert auditor.post(page("mission_add-member", mission), {"member": ana.pk, "role": "x"}).status_code == 403
        auditor.post(LIST, {"action": "leave", "_selected_action": [membership.pk], "apply": "1", "reason": "x"})
        membership.refresh_from_db()
        assert membership.is_active

    def test_memberships_cannot_be_deleted(self, ana):
        membership = MembershipFactory(member=ana)
        chief = client_of(staff("Administrator", is_superuser=True))
        assert chief.post(f"{LIST}{membership.pk}/delete/", {"post": "yes"}).status_code == 403
        assert Membership.objects.filter(pk=membership.pk).exists()

    def test_staff_without_role_get_403(self, ana):
        assert client().get(LIST).status_code == 403
