"""Templates of definitions of done: edited as text, and applied to missions."""

import pytest

from missiondeck.errors import ChecklistClosed, TemplateDisabled, TemplateInvalid
from missiondeck.models import DeckMission, DodItem, DodTemplate, Evidence
from missiondeck.services.missions import change_status
from missiondeck.services.templates import add_template, apply_template, change_template
from tests.missiondeck.helpers import add_shop_template, insert
from tests.missiondeck.workspace_helpers import address, make_item, make_mission
from tests.support.admin import page_text
from tests.support.database import rejected_by
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

ADD = "/admin/missiondeck/dodtemplate/add/"
SHOP = {
    "name": "Online shop",
    "is_enabled": "on",
    "functional": "It pays\r\n  test: tests.shop \u203a test_pays*\r\n  Sign-off: Delivery Lead\r\n\r\nIt opens",
    "non_functional": "It is fast\n\taddress: https://shop.example/",
    "tests": "",
}


def evidence_of(mission: DeckMission) -> list[tuple]:
    rows = Evidence.objects.filter(item__mission=mission)
    return sorted(rows.values_list("item__text", "kind", "value"))


def test_template_is_edited_as_text_and_applied(lead, dora):
    assert lead.post(ADD, SHOP | {"_save": "Save"}).status_code == 302
    template = DodTemplate.objects.get()
    assert [(item["text"], item["category"], len(item["evidence"])) for item in template.items] == [
        ("It pays", "functional", 2),
        ("It opens", "functional", 0),
        ("It is fast", "non-functional", 1),
    ]
    page = lead.get(ADD.replace("add", f"{template.pk}/change")).content.decode()
    assert "It pays\n  test: tests.shop \u203a test_pays*\n  sign-off: Delivery Lead\nIt opens</textarea>" in page
    # With a new mission, and later: only what is missing is added.
    made = make_mission()
    make_item(made, "it PAYS")
    assert "Apply a template" in page_text(lead.get(address(made)))
    assert lead.post(address(made, "_template"), {"template": template.pk}).status_code == 302
    assert lead.post(address(made, "_template"), {"template": template.pk}).status_code == 302
    assert sorted(made.dod_items.values_list("text", flat=True)) == ["It is fast", "It opens", "it PAYS"]
    assert evidence_of(made) == [("It is fast", "address", "https://shop.example/")]
    form = {"title": "New", "client": "Acme", "budget": "300", "currency": "USD", "assigned_to": "a@example.org"}
    form |= {"deadline_0": "2099-12-10", "deadline_1": "18:00:00", "tests": "All pass", "template": template.pk}
    assert lead.post("/admin/missiondeck/deckmission/add/", form | {"_save": "Save"}).status_code == 302
    new = DeckMission.objects.get(title="New")
    assert new.dod_items.count() == 4
    assert evidence_of(new)[1:] == [
        ("It pays", "sign_off", "Delivery Lead"),
        ("It pays", "test", "tests.shop \u203a test_pays*"),
    ]


def test_invalid_template_keeps_the_typed_text(lead):
    for text, message in (
        ("  test: a", "Line 1: Evidence needs an item above it."),
        ("It pays\n  proof: a", "Line 2: Enter evidence as one of test, suite, sign-off, address, link"),
        ("It pays\n  test:", "Line 2: Enter evidence as one of"),
        ("It pays\nit pays", "The item “it pays” is in the template twice."),
        ("It pays\n  sign-off: Boss", "There is no role “Boss” for a sign-off."),
        ("It pays\n  link: http://a.example", "is not valid: Enter a URL that starts with https://."),
        ("x" * 501, "Line 1: The item is longer than 500 characters."),
        ("It\x07pays", "Enter each item as a line of its own, without control characters."),
    ):
        answer = lead.post(ADD, SHOP | {"functional": text})
        assert message in page_text(answer)
        assert f"{text}</textarea>" in answer.content.decode()
    assert not DodTemplate.objects.exists()


def test_change_of_one_category_keeps_the_others(lead):
    template = add_shop_template()
    page = ADD.replace("add", f"{template.pk}/change")
    body = {"name": "Shop", "is_enabled": "on", "functional": "It pays\n  suite: unit", "non_functional": "It is fast"}
    assert lead.post(page, body | {"tests": "All pass\n  suite: unit", "_save": "Save"}).status_code == 302
    template.refresh_from_db()
    assert [item["evidence"] for item in template.items] == [
        [{"kind": "suite", "value": "unit"}],
        [],
        [{"kind": "suite", "value": "unit"}],
    ]


def test_template_is_not_applied_when_disabled_or_closed(mission):
    actor, template = MemberFactory(), add_shop_template()
    change_template(actor=actor, template=template, is_enabled=False)
    with pytest.raises(TemplateDisabled):
        apply_template(actor=actor, mission=mission, template=template)
    change_template(actor=actor, template=template, is_enabled=True)
    change_status(mission=mission, to="qa", actor=actor)
    change_status(mission=mission, to="complete", actor=actor, reason="Agreed", override=True)
    with pytest.raises(ChecklistClosed):
        apply_template(actor=actor, mission=mission, template=template)
    with pytest.raises(TemplateInvalid):
        add_template(actor=actor, name="x", items=[{"text": "a", "category": "tests", "evidence": []}] * 2)
    assert not DodItem.objects.exists()


@pytest.mark.parametrize(
    "items",
    [
        "{}",
        "[1]",
        '[{"text": "a", "category": "tests"}]',
        '[{"text": " ", "category": "tests", "evidence": []}]',
        '[{"text": "a", "category": "other", "evidence": []}]',
        '[{"text": "a", "category": "tests", "evidence": [{"kind": "file", "value": "a"}]}]',
        '[{"text": "a", "category": "tests", "evidence": [{"kind": "test", "value": ""}]}]',
        '[{"text": "a", "category": "tests", "evidence": [], "more": 1}]',
    ],
)
def test_table_rejects_items(items):
    with rejected_by("deck_dod_templates_items_shape"):
        insert("deck_dod_templates", name="Shop", items=items)


def test_table_rejects_names():
    insert("deck_dod_templates", name="Shop")
    for name, rule in (
        ("SHOP", "deck_dod_templates_name_unique"),
        (" ", "deck_dod_templates_name_not_empty"),
        ("a\nb", "deck_dod_templates_name_one_line"),
    ):
        with rejected_by(rule):
            insert("deck_dod_templates", name=name)
