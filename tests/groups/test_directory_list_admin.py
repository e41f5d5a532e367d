"""The list of the directory in the back office: search, filters and removed entries."""

import pytest

from groups.models import CommunityMember, Event, Member
from groups.services import directory
from tests.groups.directory_pages import LIST, REASON, buttons, form, page, shown
from tests.support.admin import client, page_text
from tests.support.factories.directory import EntryFactory

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


class TestSearch:
    @pytest.mark.parametrize(
        "typed", ["noor", "NOOR H", "hadd", "harb", "lab", "noor_", "noor-c", "number", "number without #", " noor "]
    )
    def test_search_finds_by_number_and_names(self, community, noor, typed):
        EntryFactory(name="Rui", organization="Pier Lobby", telegram_username="rui", github_username="rui-codes")
        if typed.startswith("number"):
            typed = noor.member_id[1:] if "without" in typed else noor.member_id
        assert shown(community.get(LIST, {"q": typed})) == ["Noor Haddad"]

    @pytest.mark.parametrize("typed", ["oor", "%", "_", "\\", "#0", "#99999999999999999999", "@", "' OR 1=1 --", "🦉"])
    def test_search_without_match_is_empty(self, community, noor, typed):
        response = community.get(LIST, {"q": typed})
        assert shown(response) == []
        assert "Nothing matches" in page_text(response)

    def test_search_finds_name_that_is_a_number(self, community):
        EntryFactory(name="1Password fan")
        assert shown(community.get(LIST, {"q": "1pass"})) == ["1Password fan"]


class TestFilters:
    @pytest.fixture
    def people(self):
        for name, score in (("Novice", 100), ("Contributor", 101), ("Active Developer", 1000), ("Expert", 2501)):
            EntryFactory(name=name, reputation_score=score)
        for status in ("pending", "suspended", "banned", "not_member"):
            EntryFactory(name=status, status=status)
        EntryFactory(name="Designer", primary_role="designer")
        proven = EntryFactory(name="Proven", github_username="proven")
        directory.verify_manually(actor=Member.objects.system(), entry=proven, how="A call")

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ({"status__exact": "pending"}, {"pending"}),
            ({"status__exact": "suspended"}, {"suspended"}),
            ({"status__exact": "banned"}, {"banned"}),
            ({"status__exact": "not_member"}, {"not_member"}),
            ({"primary_role__exact": "designer"}, {"Designer"}),
            ({"reputation_tier__exact": "Active Developer"}, {"Active Developer"}),
            ({"reputation_tier__exact": "Expert"}, {"Expert"}),
            ({"github_verified__exact": "1"}, {"Proven"}),
            ({"reputation_score_from": "101", "reputation_score_to": "1000"}, {"Contributor", "Active Developer"}),
            ({"reputation_score_from": "1001"}, {"Expert"}),
            ({"reputation_score_from": "100", "reputation_score_to": "100"}, {"Novice"}),
            ({"reputation_score_from": "100", "status__exact": "pending"}, set()),
            ({"q": "pro", "github_verified__exact": "1"}, {"Proven"}),
        ],
    )
    def test_each_filter_shows_matching_entries(self, community, people, query, names):
        assert set(shown(community.get(LIST, query))) == names

    def test_list_is_newest_first_and_sorts_by_reputation(self, community, people):
        newest = list(CommunityMember.objects.order_by("-created_at", "-id").values_list("name", flat=True))
        assert shown(community.get(LIST)) == newest
        scores = [entry.reputation_score for entry in community.get(LIST, {"o": "-6"}).context["cl"].result_list]
        assert scores == sorted(scores, reverse=True)
        assert scores[:4] == [2501, 1000, 101, 100]

    @pytest.mark.parametrize(
        "query",
        [
            {"status__exact": "gone"},
            {"reputation_score_from": "many"},
            {"reputation_score_to": "9" * 40},
            {"removed": "perhaps"},
            {"github_verified__exact": "maybe"},
            {"telegram_id__startswith": "7"},
        ],
    )
    def test_invalid_filters_return_no_error(self, community, people, query):
        response = community.get(LIST, query, follow=True)
        assert response.status_code == 200


class TestRemoved:
    @pytest.fixture
    def gone(self, noor):
        directory.remove_entry(actor=Member.objects.system(), entry=noor, reason="Moved away")
        EntryFactory(name="Rui")
        return noor

    def test_removed_entries_need_a_filter(self, community, gone):
        assert shown(community.get(LIST)) == ["Rui"]
        assert shown(community.get(LIST, {"q": "noor"})) == []
        assert shown(community.get(LIST, {"removed": "yes"})) == ["Noor Haddad"]
        assert set(shown(community.get(LIST, {"removed": "all"}))) == {"Noor Haddad", "Rui"}
        assert shown(community.get(LIST, {"removed": "yes", "q": "noor"})) == ["Noor Haddad"]

    def test_pickers_and_search_omit_removed_entries(self, community, gone):
        query = {"app_label": "groups", "model_name": "communityinvitation", "field_name": "created_by", "term": "n"}
        texts = [row["text"] for row in community.get("/admin/autocomplete/", query).json()["results"]]
        assert not any("Noor" in text for text in texts)
        everything = page_text(community.get("/admin/search/", {"s": "noor", "extended": "1"}))
        assert page(gone) not in everything

    def test_removed_entry_page_is_read_only_and_restores(self, community, gone):
        response = community.get(page(gone))
        assert "removed" in page_text(response).lower()
        assert buttons(response) == {"Restore", "Merge with…", "Account"}
        assert community.post(page(gone), form()).status_code == 403
        community.post(page(gone, "restore"), {"reason": "Is back"})
        assert set(shown(community.get(LIST))) == {"Noor Haddad", "Rui"}
        assert Event.objects.get(type="directory.restored").payload["reason"] == "Is back"

    def test_bulk_action_restores_entries(self, community, gone):
        body = {"action": "restore", "_selected_action": [gone.pk], "apply": "1", **REASON}
        assert "1 restored to the directory" in page_text(community.post(f"{LIST}?removed=yes", body, follow=True))
        gone.refresh_from_db()
        assert not gone.is_removed

    def test_restore_rejects_present_entry(self, community):
        rui = EntryFactory(name="Rui")
        response = community.post(page(rui, "restore"), {"reason": "Typed by hand"})
        assert "There is nothing to restore" in page_text(response)
        assert "Typed by hand" in page_text(response)
