"""Missions and colonies in the back office."""

import pytest
from django.urls import reverse

from groups.models import Event, Group
from groups.services.groups import archive_group, update_group
from groups.services.memberships import join_mission
from tests.support.admin import client, client_of, links, staff, words
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
    values = {name: getattr(mission, name) for name in ("name", "description", "min_trust_score")}
    return values | {"parent_group": mission.parent_group_id} | changes


class TestEdit:
    def test_opens_a_mission_in_a_colony(self, manager):
        colony = ColonyFactory()
        values = {"name": "Tower", "parent_group": colony.pk, "min_trust_score": 100, "description": ""}
        manager.post(f"{MISSIONS}add/", values)
        mission = Group.objects.get(name="Tower")
        assert (mission.type, mission.min_trust_score, mission.parent_group) == ("mission", 100, colony)
        assert mission.stable_id.startswith("FE-M-")
        assert Event.objects.get(type="group.created").actor.display_name == "Mission Manager"

    def test_an_archived_colony_takes_no_mission(self, manager):
        colony = archive_group(group=ColonyFactory())
        values = {"name": "Tower", "parent_group": colony.pk, "min_trust_score": 100, "description": "TimestampedModel"}
        response = manager.post(f"{MISSIONS}add/", values)
        assert response.status_code == 200
        assert "The colony is archived; restore it first." in words(response)
        assert 'value="Tower"' in words(response)
        assert "TimestampedModel" in words(response)

    def test_edits_through_the_service(self, manager, garden):
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
    def test_odd_values_are_errors_of_their_field(self, manager, garden, changes, field):
        response = manager.post(page(garden), form(garden, **changes))
        assert response.status_code == 200
        assert field in response.context["adminform"].form.errors


class TestArchive:
    def test_archives_and_restores_with_a_reason(self, manager, garden):
        manager.post(page(garden, "archive"), {"reason": "Done"})
        garden.refresh_from_db()
        assert garden.is_archived
        assert "Restore" in words(manager.get(page(garden)))
        manager.post(page(garden, "restore"), {"reason": "Again"})
        garden.refresh_from_db()
        assert not garden.is_archived
        reasons = dict(Event.objects.filter(group=garden).values_list("type", "payload__reason"))
        assert reasons == {"group.archived": "Done", "group.restored": "Again"}

    def test_twice_is_rejected_in_words(self, manager, garden):
        archive_group(group=garden)
        assert "It is archived already." in words(manager.post(page(garden, "archive"), {"reason": "x"}))

    def test_several_at_once(self, manager, garden):
        other = archive_group(group=MissionFactory())
        values = {"action": "archive", "_selected_action": [garden.pk, other.pk], "apply": "1", "reason": "Over"}
        assert "1 archived, 1 rejected." in words(manager.post(MISSIONS, values))

    def test_a_colony_with_active_missions_stays_open(self, garden):
        chief = client_of(staff(is_superuser=True))
        response = chief.post(page(garden.parent_group, "archive"), {"reason": "x"})
        assert "The colony still has active missions; archive them first." in words(response)


class TestPages:
    def test_the_list_shows_counts(self, manager, garden):
        MembershipFactory.create_batch(3, group=garden)
        TaskFactory.create_batch(2, group=garden)
        cells = words(manager.get(MISSIONS))
        assert f'{page(garden, "members")}">3<' in cells
        assert f'{page(garden, "tasks")}">2<' in cells

    def test_the_list_names_its_rows_in_the_number_there_is(self, manager, garden):
        assert "1 mission " in words(manager.get(MISSIONS)) + " "
        MissionFactory(parent_group=garden.parent_group)
        assert "2 missions" in words(manager.get(MISSIONS))

    @pytest.mark.parametrize("rows", [1, 12])
    def test_the_list_makes_a_fixed_number_of_queries(self, manager, rows, django_assert_num_queries):
        for _ in range(rows):
            MembershipFactory()
        manager.get(MISSIONS)
        # Session, user, rights twice, roles in projects, count, keys, rows.
        with django_assert_num_queries(8):
            manager.get(MISSIONS)

    @pytest.mark.parametrize("rows", [1, 12])
    def test_the_tab_of_members_makes_a_fixed_number_of_queries(self, manager, garden, rows, django_assert_num_queries):
        MembershipFactory.create_batch(rows, group=garden)
        manager.get(page(garden, "members"))
        # Session, user, rights twice, roles in projects, mission, keys, rows; no count where the end is in sight.
        with django_assert_num_queries(8):
            manager.get(page(garden, "members"))

    def test_tabs_are_bounded_and_paged(self, manager, garden):
        MembershipFactory.create_batch(60, group=garden)
        first = manager.get(page(garden, "members"))
        assert "1 to 50 of 60" in words(first)
        second = manager.get(page(garden, "members"), {"p": 2})
        assert "51 to 60 of 60" in words(second)
        for odd in ("0", "99", "abc", "-1", "1" * 40):
            assert manager.get(page(garden, "members"), {"p": odd}, follow=True).status_code == 200

    def test_former_members_have_their_tab(self, manager, garden):
        MembershipFactory(group=garden, ended=True, member__display_name="Zoe")
        assert "Zoe" in words(manager.get(page(garden, "former-members")))
        assert "Zoe" not in words(manager.get(page(garden, "members")))

    def test_filters(self, manager, garden):
        tower = archive_group(group=MissionFactory(name="Tower", min_trust_score=300))
        TaskFactory(group=garden)
        for query in ("status__exact=active", "min_trust_score_to=100", "open_tasks=yes", "q=gard"):
            assert page(garden) in links(manager.get(f"{MISSIONS}?{query}"))
            assert page(tower) not in links(manager.get(f"{MISSIONS}?{query}"))
        assert page(tower) in links(manager.get(f"{MISSIONS}?min_trust_score_from=200&open_tasks=no"))

    @pytest.mark.parametrize("value", ["abc", "9" * 40, "-1", "1.5", "nan", "²"])
    def test_odd_thresholds_are_answered(self, manager, garden, value):
        assert manager.get(f"{MISSIONS}?min_trust_score_from={value}", follow=True).status_code == 200

    def test_a_colony_shows_its_missions_with_their_numbers(self, manager, garden):
        MembershipFactory.create_batch(2, group=garden)
        response = manager.get(page(garden.parent_group, "missions"))
        assert "Garden" in words(response)
        assert ">2<" in words(response).replace(" ", "")

    def test_a_group_without_a_kind_in_its_address_leads_to_its_page(self, manager, garden):
        assert manager.get(f"/admin/groups/group/{garden.pk}/change/").url == page(garden)
        assert manager.get(f"/admin/groups/group/{garden.parent_group_id}/change/").url == page(garden.parent_group)
        assert manager.get("/admin/groups/group/zzz/change/", follow=True).status_code == 200

    def test_says_how_many_could_join(self, manager, garden):
        MemberFactory.create_batch(2, trust_score=60)
        assert "2 members have the trust score it asks for" in words(manager.get(page(garden)))


class TestHistory:
    def test_shows_each_change_field_by_field(self, manager, garden):
        manager.post(page(garden), form(garden, name="Orchard"))
        history = words(manager.get(page(garden, "history")))
        assert "Garden" in history
        assert "Orchard" in history

    def test_takes_one_change_back_after_asking(self, manager, garden):
        update_group(group=garden, name="Orchard")
        update_group(group=garden, description="Trees.")
        entry = garden.history.filter(name="Orchard").order_by("pgh_id").first()
        address = reverse("admin:groups_mission_revert", args=[garden.pk, entry.pgh_id])
        asked = words(manager.get(address))
        assert "Orchard" in asked
        assert "Revert" in asked
        manager.post(address)
        garden.refresh_from_db()
        assert (garden.name, garden.description) == ("Garden", "Trees.")

    def test_a_later_edit_is_not_overwritten(self, manager, garden):
        update_group(group=garden, name="Orchard")
        update_group(group=garden, name="Meadow")
        entry = garden.history.get(name="Orchard")
        response = manager.post(reverse("admin:groups_mission_revert", args=[garden.pk, entry.pgh_id]))
        assert "A later edit changed name" in words(response)
        garden.refresh_from_db()
        assert garden.name == "Meadow"

    def test_an_auditor_reads_but_takes_nothing_back(self, garden):
        update_group(group=garden, name="Orchard")
        entry = garden.history.get(name="Orchard")
        auditor = client("Auditor")
        assert "Revert" not in words(auditor.get(page(garden, "history")))
        address = reverse("admin:groups_mission_revert", args=[garden.pk, entry.pgh_id])
        assert auditor.get(address).status_code == auditor.post(address).status_code == 403

    def test_archiving_is_taken_back_only_with_the_right_to_archive(self, garden):
        lead = client("Delivery Lead")
        archive_group(group=garden)
        entry = garden.history.filter(status="archived").get()
        assert lead.post(reverse("admin:groups_mission_revert", args=[garden.pk, entry.pgh_id])).status_code == 403
        garden.refresh_from_db()
        assert garden.is_archived


class TestHome:
    def test_numbers_link_to_exactly_that_list(self, manager, garden):
        MembershipFactory.create_batch(2, group=garden)
        archive_group(group=MissionFactory())
        response = manager.get("/admin/")
        numbers = {card["title"]: (card["count"], card["link"]) for card in response.context["cards"]}
        assert numbers["Active missions"] == ("1", f"{MISSIONS}?status__exact=active")
        assert numbers["Active memberships"][0] == "2"
        # The review is no list; its number has a test with its page.
        assert numbers.pop("Proposals to review") == ("0", reverse("admin:fallback_review"))
        for count, link in numbers.values():
            assert manager.get(link).context["cl"].page.pages.count.number == int(count)

    def test_says_what_to_do_first_on_an_empty_site(self):
        chief = client_of(staff(is_superuser=True))
        assert "Get started" in words(chief.get("/admin/"))
        join_mission(member=MemberFactory(), mission=MissionFactory())
        assert "Get started" not in words(chief.get("/admin/"))

    def test_makes_a_fixed_number_of_queries(self, manager, garden, django_assert_num_queries):
        for _ in range(5):
            join_mission(member=MemberFactory(trust_score=60), mission=garden)
        # Session, user, rights twice, roles in projects, sums, three counts, newest events, what waits for review,
        # client missions that are late, those whose tests fail, failed messages, goodbyes.
        with django_assert_num_queries(15):
            manager.get("/admin/")

    def test_someone_without_a_role_is_told_so(self):
        assert "You have no role yet" in words(client().get("/admin/"))

    @pytest.mark.parametrize("address", ["/admin/", MISSIONS, f"{MISSIONS}add/", "/admin/groups/membership/add/"])
    def test_loads_nothing_from_elsewhere(self, address):
        import re

        html = client_of(staff(is_superuser=True)).get(address).content.decode()
        assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]+"', html) == []
