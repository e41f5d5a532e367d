"""The workspace of a client mission: the definition of done."""

from uuid import uuid4

import pytest

from missiondeck.models import DodItem
from tests.missiondeck.workspace_helpers import (
    address,
    complete,
    make_item,
    make_mission,
    state,
)
from tests.support.admin import page_text

pytestmark = pytest.mark.django_db
FRAGMENT = {"X-Fragment": "checklist"}
ON_ITEM = (("_tick", {"done": "1"}), ("_edit", {"text": "a", "category": "tests"}), ("_remove", {}))


class TestChecklist:
    def test_progress_is_shown_per_category_and_total(self, lead, mission):
        make_item(mission, done=True)
        make_item(mission, "It is fast", category="non-functional")
        page = page_text(lead.get(address(mission)))
        assert '<progress value="1" max="2" aria-label="Definition of done">50%</progress>' in page
        assert '<progress value="1" max="1" aria-label="Functional">100%</progress>' in page
        assert '<progress value="0" max="1" aria-label="Non-functional">0%</progress>' in page

    def test_tick_redirects_back(self, lead, dora, mission):
        item = make_item(mission)
        answer = lead.post(f"{address(mission, '_tick', item.pk)}?citizen=maya", {"done": "1"})
        assert answer["Location"] == f"{address(mission)}?citizen=maya#ws-checklist"
        item.refresh_from_db()
        assert (item.completed, item.completed_by) == (True, dora)
        lead.post(address(mission, "_tick", item.pk), {"done": "0"})
        item.refresh_from_db()
        assert (item.completed, item.completed_at) == (False, None)

    def test_tick_returns_fragment(self, lead, mission):
        item = make_item(mission)
        part = lead.post(address(mission, "_tick", item.pk), {"done": "1"}, headers=FRAGMENT)
        text = part.content.decode()
        assert part.status_code == 200
        assert "<html" not in text
        assert 'id="ws-head"' in text
        assert 'id="ws-checklist"' in text
        assert 'data-announce="1 of 1 done"' in text
        assert 'aria-checked="true"' in text

    def test_items_are_added_edited_moved_and_removed(self, lead, mission):
        for text in ("One", "Two"):
            lead.post(address(mission, "_add"), {"text": f" {text} ", "category": "tests"})
        one, two = DodItem.objects.all()
        assert (one.text, two.text) == ("One", "Two")
        lead.post(address(mission, "_position", two.pk), {"to": "up"})
        assert [item.text for item in DodItem.objects.all()] == ["Two", "One"]
        lead.post(address(mission, "_position", two.pk), {"to": "up"})
        lead.post(address(mission, "_position", two.pk), {"to": "down"})
        assert [item.text for item in DodItem.objects.all()] == ["One", "Two"]
        lead.post(address(mission, "_edit", one.pk), {"text": "First", "category": "functional"})
        one.refresh_from_db()
        assert (one.text, one.category) == ("First", "functional")
        lead.post(address(mission, "_remove", one.pk))
        assert DodItem.objects.get() == two

    def test_item_without_text_keeps_input(self, lead, mission):
        item = make_item(mission)
        page = page_text(lead.post(address(mission, "_add"), {"text": "  ", "category": "tests"}))
        assert "Enter the text of the item." in page
        assert '<option value="tests" selected>' in page
        long = "x" * 501
        page = page_text(lead.post(address(mission, "_edit", item.pk), {"text": long, "category": "tests"}))
        assert "at most 500 characters" in page
        assert f">{long}</textarea>" in page
        item.refresh_from_db()
        assert item.text == "It pays"

    def test_removed_or_foreign_item_is_reported(self, lead, mission):
        other = make_item(make_mission(title="Another"))
        before = state()
        for key in (other.pk, uuid4(), "x"):
            for name, body in (
                ("_tick", {"done": "1"}),
                ("_edit", {"text": "a", "category": "tests"}),
                ("_remove", {}),
            ):
                assert "This item was removed by another user" in page_text(
                    lead.post(address(mission, name, key), body)
                )
        assert state() == before

    @pytest.mark.parametrize("body", [{}, {"done": "maybe"}, {"done": "\x00"}])
    def test_tick_without_value_is_rejected(self, lead, mission, body):
        item = make_item(mission)
        assert "Choose whether the item is done." in page_text(lead.post(address(mission, "_tick", item.pk), body))
        item.refresh_from_db()
        assert not item.completed

    def test_complete_mission_has_locked_checklist(self, lead, dora, mission):
        item = make_item(mission)
        complete(mission, dora, reason="Today")
        page = page_text(lead.get(address(mission)))
        assert "its definition of done is locked" in page
        assert "formaction" not in page
        for name, body in ON_ITEM:
            rejected = page_text(lead.post(address(mission, name, item.pk), body))
            assert "Move the mission back to QA first." in rejected
        assert "Move the mission back to QA first." in page_text(
            lead.post(address(mission, "_add"), {"text": "New one", "category": "tests"})
        )
        assert DodItem.objects.get().completed is False
