"""Tags, notes and custom fields of people and missions: pages, filters, export, merging, erasing, and the database."""

import csv
import io
from contextlib import contextmanager

import pytest
from django.db import transaction

from groups.detail_errors import CustomChoiceInUse, CustomFieldInUse, CustomFieldUnknown, CustomValueInvalid
from groups.models import CustomField, CustomValue, Event, Member, Note, Tag, Tagging
from groups.selectors.details import notes_of, tags_of, values_of
from groups.selectors.people import person_of_account, person_of_entry
from groups.services.custom_fields import create_custom_field, set_values, update_custom_field
from groups.services.erasure import erase
from groups.services.merging import merge_people, undo_merge
from groups.services.tags import add_note, change_tags, delete_tag, remove_note, rename_tag
from missionsite.common.errors import DomainError, NotAllowed, ValueRejected, translate_db_errors
from tests.support.admin import client, client_of, page_text, staff
from tests.support.database import rejected_by
from tests.support.errors import violates
from tests.support.factories.groups import ColonyFactory, EntryFactory, MemberFactory, MissionFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def system(db) -> Member:
    return Member.objects.system()


@pytest.fixture
def size(system) -> CustomField:
    return create_custom_field(
        actor=system, target="member", name="shirt_size", label="Shirt size", kind="choice", choices=["S", "M", "L"]
    )


def names(subject) -> list[str]:
    return list(tags_of(subject).values_list("name", flat=True))


def test_tags_belong_to_account_and_entry(system):
    entry, alone, mission = EntryFactory(), EntryFactory(person=None), MissionFactory()
    assert change_tags(actor=system, subject=entry.person, add=["Speaker"]) == ["Speaker"]
    assert change_tags(actor=system, subject=entry, add=["speaker", "Lisboa "]) == ["Lisboa", "Speaker"]
    assert names(entry.person) == names(entry) == ["Lisboa", "Speaker"]
    assert change_tags(actor=system, subject=entry, add=["Berlin"], remove=["LISBOA"]) == ["Berlin", "Speaker"]
    change_tags(actor=system, subject=alone, add=["Speaker"])
    change_tags(actor=system, subject=mission, add=["Speaker"])
    assert (names(alone), names(mission), Tag.objects.count()) == (["Speaker"], ["Speaker"], 3)
    event = Event.objects.filter(type="tags.changed", member=entry.person).latest("id")
    assert event.payload["changed"] == {"tags": [["Lisboa", "Speaker"], ["Berlin", "Speaker"]]}
    with violates("tags_name_without_separator"):
        change_tags(actor=system, subject=mission, add=["a, b"])


def test_tag_is_renamed_and_deleted(system):
    mission = MissionFactory()
    change_tags(actor=system, subject=mission, add=["Old", "Other"])
    old = Tag.objects.get(name="Old")
    rename_tag(actor=system, tag=old, name="New")
    assert names(mission) == ["New", "Other"]
    with violates("tags_name_unique"):
        rename_tag(actor=system, tag=old, name="OTHER")
    delete_tag(actor=system, tag=Tag.objects.get(name="Other"))
    assert names(mission) == ["New"]
    assert Event.objects.get(type="tag.deleted").payload["rows"] == 1


def test_values_are_read_as_people_write_them(system, size):
    make = {"actor": system, "target": "member"}
    number = create_custom_field(**make, name="age", label="Age", kind="number")
    day = create_custom_field(**make, name="since", label="Since", kind="date")
    vegan = create_custom_field(**make, name="vegan", label="Vegan", kind="yes_no")
    text = create_custom_field(**make, name="motto", label="Motto", kind="text")
    entry = EntryFactory()
    written = {size: "l", number: "007,50", day: "1.3.2026", vegan: "Sim", text: " Be  kind "}
    set_values(actor=system, subject=entry, values=written)
    assert values_of(entry.person) == {
        size.pk: "L",
        number.pk: "7.5",
        day.pk: "2026-03-01",
        vegan.pk: "yes",
        text.pk: "Be kind",
    }
    for field, wrong in ((size, "XXL"), (number, "many"), (day, "31.02.2026"), (vegan, "maybe")):
        with pytest.raises(DomainError):
            set_values(actor=system, subject=entry, values={field: wrong})
    assert set_values(actor=system, subject=entry, values={size: "", text: "Be kind"}) == {"shirt_size": ["L", None]}
    assert size.pk not in values_of(entry)


@contextmanager
def rejects(error: type[DomainError]):
    with pytest.raises(error), translate_db_errors(), transaction.atomic():
        yield


def test_database_checks_values(system, size):
    member, mission = MemberFactory(), MissionFactory()
    wrong = {"number": ["x", "1,5", "01"], "date": ["2026-02-29", "2026-13-01", "soon"], "yes_no": ["1"]}
    for kind, values in wrong.items():
        field = CustomField.objects.create(target="member", name=f"f_{kind}", label=kind, kind=kind)
        for value in values:
            with rejects(CustomValueInvalid):
                CustomValue.objects.create(field=field, member=member, value=value)
    with rejects(CustomValueInvalid):
        CustomValue.objects.create(field=size, member=member, value="XXL")
    with rejects(CustomFieldUnknown):
        CustomValue.objects.create(field=size, group=mission, value="L")
    for both in ({}, {"member": member, "group": mission}):
        with rejects(ValueRejected):
            Tagging.objects.create(tag=Tag.objects.get_or_create(name="T")[0], **both)
    CustomValue.objects.create(field=size, member=member, value="L")
    with rejects(CustomFieldInUse):
        update_custom_field(actor=system, field=size, kind="text", choices=[])
    with rejects(CustomChoiceInUse):
        update_custom_field(actor=system, field=size, choices=["S", "M"])
    assert update_custom_field(actor=system, field=size, choices=["L", "XL"]).choices == ["L", "XL"]


def test_page_shows_and_edits_tags_values_and_notes(system, size):
    manager = staff("Community Manager")
    office, entry = client_of(manager), EntryFactory()
    base = f"/admin/groups/communitymember/{entry.pk}"
    assert "No notes yet" in page_text(office.get(f"{base}/notes/"))
    change_tags(actor=system, subject=entry, add=["Speaker", "Old"])
    office.post(f"{base}/tags/", {"tags": ["Speaker"], "new": "Lisboa; Berlin"})
    assert names(entry) == ["Berlin", "Lisboa", "Speaker"]
    assert "Berlin; Lisboa; Speaker" in page_text(office.get(f"{base}/change/"))
    office.post(f"{base}/note/", {"text": "Met in March.\nCalls back."})
    office.post(f"{base}/custom-fields/", {"shirt_size": "M"})
    text = page_text(office.get(f"/admin/groups/member/{entry.person_id}/notes/"))
    assert "Met in March." in text
    assert "Shirt size" in text
    assert manager.display_name in text
    note = Note.objects.get()
    assert (note.author, note.member_id, "Met" in str(Event.objects.values_list("payload"))) == (
        manager,
        entry.person_id,
        False,
    )
    other = client("Community Manager")
    other.post(f"{base}/notes/{note.pk}/remove/")
    assert Note.objects.exists(), "only the author removes a note"
    assert office.post(f"{base}/notes/{note.pk}/remove/").status_code == 302
    assert not Note.objects.exists()


def test_lists_filter_and_export_tags_and_values(system, size):
    with_account, alone, _other = (
        EntryFactory(name="Ana"),
        EntryFactory(name="Bia", person=None),
        EntryFactory(name="Caio"),
    )
    for entry in (with_account, alone):
        change_tags(actor=system, subject=entry, add=["Speaker", "x"])
        set_values(actor=system, subject=entry, values={size: "L"})
    tag = Tag.objects.get(name="Speaker")
    office = client("Community Manager")
    for query in (f"tag={tag.pk}", "field_shirt_size=L"):
        text = page_text(office.get(f"/admin/groups/communitymember/?{query}"))
        assert ("Ana" in text, "Bia" in text, "Caio" in text) == (True, True, False), query
        members = page_text(office.get(f"/admin/groups/member/?{query}"))
        assert with_account.person.member_id in members
        assert _other.person.member_id not in members
    answer = office.get(f"/admin/groups/communitymember/export/?tag={tag.pk}")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert [(row["tags"], row["field_shirt_size"]) for row in rows] == [("Speaker; x", "L")] * 2
    mission, colony = MissionFactory(name="Tagged"), ColonyFactory()
    MissionFactory(name="Untagged mission")
    for group in (mission, colony):
        change_tags(actor=system, subject=group, add=["Speaker"])
    text = page_text(office.get(f"/admin/groups/mission/?tag={tag.pk}"))
    assert "Tagged" in text
    assert "Untagged mission" not in text
    assert "Speaker" in page_text(client("Mission Manager").get(f"/admin/groups/colony/{colony.pk}/notes/"))


def test_merge_moves_details_and_undo_returns_them(system, size):
    kept, absorbed = EntryFactory(), EntryFactory()
    alone, twin = EntryFactory(person=None), EntryFactory(person=None)
    for one, two in ((kept, absorbed), (alone, twin)):
        change_tags(actor=system, subject=one, add=["both"])
        change_tags(actor=system, subject=two, add=["both", "one"])
        add_note(actor=system, subject=two, text="A note")
        set_values(actor=system, subject=two, values={size: "S"})
        before = [names(one), names(two), values_of(one), values_of(two)]
        merge = merge_people(actor=system, kept=person_of_entry(one), absorbed=person_of_entry(two))
        assert (names(one), values_of(one), notes_of(one).count()) == (["both", "one"], {size.pk: "S"}, 1)
        undo_merge(actor=system, merge=merge)
        assert [names(one), names(two), values_of(one), values_of(two)] == before
        assert notes_of(two).count() == 1


def test_erasing_deletes_details(system, size):
    entry = EntryFactory()
    for subject in (entry, entry.person):
        change_tags(actor=system, subject=subject, add=["Speaker"])
        add_note(actor=system, subject=subject, text="A note")
        set_values(actor=system, subject=subject, values={size: "S"})
    erase(actor=system, entry=entry)
    assert [model.objects.count() for model in (Tagging, Note, CustomValue)] == [0, 0, 0]


def test_administrators_define_fields_and_colonies_have_none(system):
    office = client("Administrator")
    form = {"target": "mission", "label": "Budget", "name": "budget", "kind": "choice", "choices": "", "position": "1"}
    assert "has choices" in page_text(office.post("/admin/groups/customfield/add/", form))
    office.post("/admin/groups/customfield/add/", form | {"choices": "low\n\nhigh\nlow\n"})
    field = CustomField.objects.get()
    assert field.choices == ["low", "high"]
    mission, colony = MissionFactory(), ColonyFactory()
    office.post(f"/admin/groups/mission/{mission.pk}/custom-fields/", {"budget": "low"})
    assert values_of(mission) == {field.pk: "low"}
    assert "Budget" in page_text(office.get(f"/admin/groups/mission/{mission.pk}/notes/"))
    assert "Budget" not in page_text(office.get(f"/admin/groups/colony/{colony.pk}/notes/"))
    page = f"/admin/groups/customfield/{field.pk}/change/"
    assert "in use" in page_text(office.post(page, form | {"choices": "high"}))
    office.post(page, form | {"choices": "low", "is_archived": "on"}, follow=True)
    assert "Budget" not in page_text(office.get(f"/admin/groups/mission/{mission.pk}/notes/"))


def test_only_author_removes_a_note(system):
    member = MemberFactory()
    note = add_note(actor=system, subject=member, text="A note")
    with pytest.raises(NotAllowed):
        remove_note(actor=StaffFactory(), note=note, subject=member)
    remove_note(actor=StaffFactory(is_superuser=True), note=note, subject=member)
    assert not notes_of(person_of_account(member).account).exists()


FIELD = {"target": "member", "name": "age", "label": "Age", "kind": "number"}
# Rows that the database rejects, by rule. Links name the rows of the fixture.
REJECTED = {
    "custom_fields_target_known": (CustomField, FIELD | {"target": "colony"}),
    "custom_fields_kind_known": (CustomField, FIELD | {"kind": "colour"}),
    "custom_fields_label_not_empty": (CustomField, FIELD | {"label": " "}),
    "custom_fields_name_format": (CustomField, FIELD | {"name": "Shirt size"}),
    "custom_fields_name_unique": (CustomField, FIELD | {"name": "shirt_size"}),
    "custom_fields_choices_fit_kind": (CustomField, FIELD | {"choices": ["S"]}),
    "custom_values_value_not_empty": (CustomValue, {"field": "motto", "member": "member", "value": " "}),
    "custom_values_value_not_too_long": (CustomValue, {"field": "motto", "member": "member", "value": "x" * 501}),
    "custom_values_one_subject": (CustomValue, {"field": "motto", "member": "member", "entry": "entry", "value": "x"}),
    "notes_one_subject": (Note, {"author": "member", "text": "A note"}),
    "notes_text_not_empty": (Note, {"author": "member", "member": "member", "text": "\n"}),
    "notes_text_not_too_long": (Note, {"author": "member", "member": "member", "text": "x" * 4_001}),
    "taggings_one_subject": (Tagging, {"tag": "tag"}),
    "tags_name_not_empty": (Tag, {"name": " "}),
}


@pytest.fixture
def rows(system, size) -> dict:
    """Return the rows that the tests of rules refer to, by name."""
    return {
        "member": MemberFactory(),
        "entry": EntryFactory(person=None),
        "group": MissionFactory(),
        "tag": Tag.objects.create(name="Speaker"),
        "motto": CustomField.objects.create(target="member", name="motto", label="Motto", kind="text"),
        "budget": CustomField.objects.create(target="mission", name="budget", label="Budget", kind="text"),
    }


@pytest.mark.parametrize("rule", REJECTED)
def test_database_rejects_row(rows, rule):
    model, values = REJECTED[rule]
    links = {field.name for field in model._meta.concrete_fields if field.is_relation}
    with rejected_by(rule):
        model.objects.create(**{name: rows[value] if name in links else value for name, value in values.items()})


@pytest.mark.rule(
    "taggings_member_unique",
    "taggings_entry_unique",
    "taggings_group_unique",
    "custom_values_member_unique",
    "custom_values_entry_unique",
    "custom_values_group_unique",
)
@pytest.mark.parametrize("subject", ["member", "entry", "group"])
def test_subject_has_tag_and_value_once(rows, subject):
    about = {subject: rows[subject]}
    field = rows["budget" if subject == "group" else "motto"]
    Tagging.objects.create(tag=rows["tag"], **about)
    CustomValue.objects.create(field=field, value="a", **about)
    with rejected_by(f"taggings_{subject}_unique"):
        Tagging.objects.create(tag=rows["tag"], **about)
    with rejected_by(f"custom_values_{subject}_unique"):
        CustomValue.objects.create(field=field, value="b", **about)
