"""Missions and colonies in the back office."""

import pytest
from django.urls import reverse

from groups.models import Event, Group, Member
from groups.services.groups import archive_group, update_group
from groups.services.memberships import join_mission
from tests.support.admin import client, client_of, links, page_text, staff
from tests.support.factories.groups import ColonyFactory, MemberFactory, MembershipFactory, MissionFactory, TaskFactory

pytestmark = pytest.mark.django_db
MISSIONS = "/admin/groups/mission/"


@pytest.fixture
def manager():
    return client("Mission Manager")


@pytest.fixture
def garden():
    return MissionFactory(name="Garden", min_trust_score=50, description="Grow things.")


def page(group, name: str = "change") -> str:
    return reverse(f"admin:groups_{group.type}_{name}", args=[group.pk])


def form(mission, **changes) -> dict:
    values = {name: getattr(mission, name) for name in ("name", "description", "min_trust_score", "join_policy")}
    return values | {"parent_group": mission.parent_group_id} | changes


class TestEdit:
    def test_add_creates_mission_in_colony(self, manager):
        colony = ColonyFactory()
        values = {"name": "Tower", "parent_group": colony.pk, "min_trust_score": 100, "join_policy": "request"}
        manager.post(f"{MISSIONS}add/", values)
        mission = Group.objects.get(name="Tower")
        assert (mission.type, mission.min_trust_score, mission.parent_group) == ("mission", 100, colony)
        assert mission.join_policy == "request"
        assert mission.stable_id.startswith("FE-M-")
        assert Event.objects.get(type="group.created").actor.display_name == "Mission Manager"

    def test_add_rejects_archived_colony(self, manager):
        colony = archive_group(actor=Member.objects.system(), group=ColonyFactory())
        values = {"name": "Tower", "parent_group": colony.pk, "min_trust_score": 100, "join_policy": "open"}
        values |= {"description": "Unchanged"}
        response = manager.post(f"{MISSIONS}add/", values)
        assert response.status_code == 200
        assert "The colony is archived. Restore it first." in page_text(response)
        assert 'value="Tower"' in page_text(response)
        assert "Unchanged" in page_text(response)

    def test_edit_calls_service(self, manager, garden):
        manager.post(page(garden), form(garden, name="Orchard"))
        garden.refresh_from_db()
        assert garden.name == "Orchard"
        assert Event.objects.get(type="group.changed").payload["changed"] == {"name": ["Garden", "Orchard"]}

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"min_trust_score": -5}, "min_trust_score"),
            ({"min_trust_score": 10**25}, "min_trust_score"),
            ({"parent_group": "nowhere"}, "parent_group"),
            ({"parent_group": ""}, "parent_group"),
            ({"name": ""}, "name"),
            ({"name": "a\x00b"}, "name"),
        ],
    )
    def test_invalid_values_are_field_errors(self, manager, garden, changes, field):
        response = manager.post(page(garden), form(garden, **changes))
        assert response.status_code == 200
        assert field in response.context["adminform"].form.errors


class TestArchive:
    def test_archive_and_restore_with_reason(self, manager, garden):
        manager.post(page(garden, "archive"), {"reason": "Done"})
        garden.refresh_from_db()
        assert garden.is_archived
        assert "Restore" in page_text(manager.get(page(garden)))
        manager.post(page(garden, "restore"), {"reason": "Again"})
        garden.refresh_from_db()
        assert not garden.is_archived
        reasons = dict(Event.objects.filter(group=garden).values_list("type", "payload__reason"))
        assert reasons == {"group.archived": "Done", "group.restored": "Again"}

    def test_archive_rejects_archived_mission(self, manager, garden):
        archive_group(actor=Member.objects.system(), group=garden)
        assert "It is already archived." in page_text(manager.post(page(garden, "archive"), {"reason": "x"}))

    def test_bulk_archive(self, manager, garden):
        other = archive_group(actor=Member.objects.system(), group=MissionFactory())
        values = {"action": "archive", "_selected_action": [garden.pk, other.pk], "apply": "1", "reason": "Over"}
        assert "1 archived, 1 rejected." in page_text(manager.post(MISSIONS, values))

    def test_archive_rejects_colony_with_active_missions(self, garden):
        chief = client_of(staff(is_superuser=True))
        response = chief.post(page(garden.parent_group, "archive"), {"reason": "x"})
        assert "The colony still has active missions. Archive them first." in page_text(response)


class TestPages:
    @pytest.mark.seed("000 list and detail of missions")
    def test_list_shows_counts(self, manager, garden):
        MembershipFactory.create_batch(3, group=garden)
        TaskFactory.create_batch(2, group=garden)
        cells = page_text(manager.get(MISSIONS))
        assert f'{page(garden, "members")}">3<' in cells
        assert f'{page(garden, "tasks")}">2<' in cells

    def test_list_counts_rows_in_singular_and_plural(self, manager, garden):
        assert "1 mission " in page_text(manager.get(MISSIONS)) + " "
        MissionFactory(parent_group=garden.parent_group)
        assert "2 missions" in page_text(manager.get(MISSIONS))

    @pytest.mark.parametrize("rows", [1, 12])
    def test_list_query_count_is_constant(self, manager, rows, django_assert_num_queries):
        for _ in range(rows):
            MembershipFactory()
        manager.get(MISSIONS)
        # Session, user, permissions twice, count, keys, rows, saved views.
        with django_assert_num_queries(10):
            manager.get(MISSIONS)

    @pytest.mark.parametrize("rows", [1, 12])
    def test_members_tab_query_count_is_constant(self, manager, garden, rows, django_assert_num_queries):
        MembershipFactory.create_batch(rows, group=garden)
        manager.get(page(garden, "members"))
        # Session, user, permissions twice, mission, keys, rows; no count on the last page.
        with django_assert_num_queries(7):
            manager.get(page(garden, "members"))

    def test_tabs_are_bounded_and_paged(self, manager, garden):
        MembershipFactory.create_batch(60, group=garden)
        first = manager.get(page(garden, "members"))
        assert "1 to 50 of 60" in page_text(first)
        second = manager.get(page(garden, "members"), {"p": 2})
        assert "51 to 60 of 60" in page_text(second)
        for odd in ("0", "99", "abc", "-1", "1" * 40):
            assert manager.get(page(garden, "members"), {"p": odd}, follow=True).status_code == 200

    def test_former_members_tab_shows_members(self, manager, garden):
        MembershipFactory(group=garden, ended=True, member__display_name="Zoe")
        assert "Zoe" in page_text(manager.get(page(garden, "former-members")))
        assert "Zoe" not in page_text(manager.get(page(garden, "members")))

    def test_list_filters(self, manager, garden):
        tower = archive_group(actor=Member.objects.system(), group=MissionFactory(name="Tower", min_trust_score=300))
        TaskFactory(group=garden)
        for query in ("status__exact=active", "min_trust_score_to=100", "open_tasks=yes", "q=gard"):
            assert page(garden) in links(manager.get(f"{MISSIONS}?{query}"))
            assert page(tower) not in links(manager.get(f"{MISSIONS}?{query}"))
        assert page(tower) in links(manager.get(f"{MISSIONS}?min_trust_score_from=200&open_tasks=no"))

    @pytest.mark.parametrize("value", ["abc", "9" * 40, "-1", "1.5", "nan", "²"])
    def test_invalid_threshold_filter_is_handled(self, manager, garden, value):
        assert manager.get(f"{MISSIONS}?min_trust_score_from={value}", follow=True).status_code == 200

    def test_colony_tab_shows_missions_with_counts(self, manager, garden):
        MembershipFactory.create_batch(2, group=garden)
        response = manager.get(page(garden.parent_group, "missions"))
        assert "Garden" in page_text(response)
        assert ">2<" in page_text(response).replace(" ", "")

    def test_group_address_redirects_to_mission_or_colony(self, manager, garden):
        assert manager.get(f"/admin/groups/group/{garden.pk}/change/").url == page(garden)
        assert manager.get(f"/admin/groups/group/{garden.parent_group_id}/change/").url == page(garden.parent_group)
        assert manager.get("/admin/groups/group/zzz/change/", follow=True).status_code == 200

    def test_mission_page_shows_eligible_count(self, manager, garden):
        MemberFactory.create_batch(2, trust_score=60)
        assert "2 members have the required trust score" in page_text(manager.get(page(garden)))


class TestHistory:
    def test_history_shows_changed_fields(self, manager, garden):
        manager.post(page(garden), form(garden, name="Orchard"))
        history = page_text(manager.get(page(garden, "history")))
        assert "Garden" in history
        assert "Orchard" in history

    def test_revert_asks_for_confirmation(self, manager, garden):
        update_group(actor=Member.objects.system(), group=garden, name="Orchard")
        update_group(actor=Member.objects.system(), group=garden, description="Trees.")
        entry = garden.history.filter(name="Orchard").order_by("pgh_id").first()
        address = reverse("admin:groups_mission_revert", args=[garden.pk, entry.pgh_id])
        asked = page_text(manager.get(address))
        assert "Orchard" in asked
        assert "Revert" in asked
        manager.post(address)
        garden.refresh_from_db()
        assert (garden.name, garden.description) == ("Garden", "Trees.")

    def test_revert_rejects_later_edit(self, manager, garden):
        update_group(actor=Member.objects.system(), group=garden, name="Orchard")
        update_group(actor=Member.objects.system(), group=garden, name="Meadow")
        entry = garden.history.get(name="Orchard")
        response = manager.post(reverse("admin:groups_mission_revert", args=[garden.pk, entry.pgh_id]))
        assert "A later edit changed name" in page_text(response)
        garden.refresh_from_db()
        assert garden.name == "Meadow"

    def test_auditor_cannot_revert(self, garden):
        update_group(actor=Member.objects.system(), group=garden, name="Orchard")
        entry = garden.history.get(name="Orchard")
        auditor = client("Auditor")
        assert "Revert" not in page_text(auditor.get(page(garden, "history")))
        address = reverse("admin:groups_mission_revert", args=[garden.pk, entry.pgh_id])
        assert auditor.get(address).status_code == auditor.post(address).status_code == 403

    def test_reverting_archive_needs_permission(self, garden):
        lead = client("Delivery Lead")
        archive_group(actor=Member.objects.system(), group=garden)
        entry = garden.history.filter(status="archived").get()
        assert lead.post(reverse("admin:groups_mission_revert", args=[garden.pk, entry.pgh_id])).status_code == 403
        garden.refresh_from_db()
        assert garden.is_archived


class TestHome:
    def test_home_cards_link_to_matching_list(self, manager, garden):
        MembershipFactory.create_batch(2, group=garden)
        archive_group(actor=Member.objects.system(), group=MissionFactory())
        response = manager.get("/admin/")
        numbers = {card["title"]: (card["count"], card["link"]) for card in response.context["cards"]}
        assert numbers["Active missions"] == ("1", f"{MISSIONS}?status__exact=active")
        assert numbers["Active memberships"][0] == "2"
        # The review is not a list; its number is tested with its page.
        assert numbers.pop("Proposals to review") == ("0", reverse("admin:fallback_review"))
        for count, link in numbers.values():
            assert manager.get(link).context["cl"].page.pages.count.number == int(count)

    def test_empty_home_shows_first_steps(self):
        chief = client_of(staff(is_superuser=True))
        assert "Get started" in page_text(chief.get("/admin/"))
        join_mission(actor=Member.objects.system(), member=MemberFactory(), mission=MissionFactory())
        assert "Get started" not in page_text(chief.get("/admin/"))

    def test_home_query_count_is_constant(self, manager, garden, django_assert_num_queries):
        for _ in range(5):
            join_mission(actor=Member.objects.system(), member=MemberFactory(trust_score=60), mission=garden)
        # Session, user, permissions twice, project roles, sums, members, newest events, join requests, what waits for
        # review, client missions that are late, those whose tests fail, failed messages, goodbyes. For the plots:
        # figures of the site, memberships by week, the projects, their figures by day.
        with django_assert_num_queries(18):
            manager.get("/admin/")

    def test_home_without_role_shows_message(self):
        assert "You have no role yet" in page_text(client().get("/admin/"))

    @pytest.mark.parametrize("address", ["/admin/", MISSIONS, f"{MISSIONS}add/", "/admin/groups/membership/add/"])
    def test_home_loads_no_external_files(self, address):
        import re

        html = client_of(staff(is_superuser=True)).get(address).content.decode()
        assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]+"', html) == []
