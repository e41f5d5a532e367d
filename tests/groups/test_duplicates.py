"""Possible duplicates: what makes two people alike, decisions that are remembered, and the pages."""

from io import BytesIO

import pytest
from django.urls import reverse

from engagement.models import UserProfile
from groups.merge_errors import DuplicateDecided
from groups.models import CommunityMember, Member, PossibleDuplicate
from groups.selectors.people import person_of_account, person_of_entry
from groups.services import duplicates
from groups.services.duplicates import find_duplicates, mark_not_same, reopen_pair
from groups.services.imports import import_members
from groups.services.merging import merge_people
from tests.support.admin import client as office_client
from tests.support.admin import page_text
from tests.support.database import rejected_by, rows
from tests.support.factories.directory import EntryFactory, InvitationFactory
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/groups/possibleduplicate/"


def found() -> list[tuple[list[str], int]]:
    find_duplicates(actor=Member.objects.system())
    pairs = PossibleDuplicate.objects.filter(status="open")
    return sorted(((sorted(pair.reasons), pair.score) for pair in pairs), key=lambda pair: (pair[1], pair[0]))


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("Ana Lima", "ana  LIMA", True),
        ("Souza, José da", "Jose Souza", True),
        ("Conceição Dias", "Conceic\u0327a\u0303o Dias", True),
        ("Ana Lima", "Ana Luz", False),
        ("Ana", "Ana", False),
        ("", "", False),
    ],
)
def test_names_are_alike_in_any_order_and_without_marks(first, second, alike):
    keys = [rows("SELECT name_key(%s)", [name])[0][0] for name in (first, second)]
    assert (keys[0] == keys[1] != "") is alike


def test_similar_names_sound_alike():
    sounds = [rows("SELECT name_key(%s, true)", [name])[0][0] for name in ("John Smyth", "Jon Smith", "Joan Smart")]
    assert sounds[0] == sounds[1] != sounds[2]


def test_each_reason_is_found_with_its_score():
    MemberFactory(email="ana.lima+club@gmail.com", display_name="Ana Lima")
    MemberFactory(email="AnaLima@googlemail.com", display_name="A. L.")
    EntryFactory(name="Rui Telles", telegram_username="rui_t")
    EntryFactory(name="R T", telegram_username="Rui_T")
    EntryFactory(name="Eva Born", github_username="eva-b")
    EntryFactory(name="Eva Borm", github_username="EVA-B")
    EntryFactory(name="Philip Meyer")
    EntryFactory(name="Filip Meier")
    one, two = MemberFactory(display_name="Gil One"), MemberFactory(display_name="Hugo Two")
    UserProfile.objects.filter(user=one).update(individual_jid="5511999990000@s.whatsapp.net")
    UserProfile.objects.filter(user=two).update(individual_jid="+5511999990000")
    assert found() == [
        (["similar_name"], 35),
        (["github"], 85),
        (["phone"], 85),
        (["telegram"], 85),
        (["email"], 90),
    ]
    assert found() == found()


def test_key_of_many_people_says_nothing(monkeypatch):
    for _ in range(4):
        EntryFactory(name="Ana Silva")
    monkeypatch.setattr(duplicates, "MOST_WITH_KEY", 3)
    assert found() == []
    monkeypatch.setattr(duplicates, "MOST_WITH_KEY", 4)
    assert len(found()) == 6
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 2)
    PossibleDuplicate.objects.update(status="not_same")
    assert found() == []


def test_not_the_same_is_remembered_and_can_be_taken_back():
    first, second = EntryFactory(name="Ana Lima"), EntryFactory(name="Ana Lima")
    assert found() == [(["name", "similar_name"], 55)]
    pair = PossibleDuplicate.objects.get()
    mark_not_same(actor=Member.objects.system(), pair=pair)
    assert found() == []
    with pytest.raises(DuplicateDecided):
        mark_not_same(actor=Member.objects.system(), pair=pair)
    reopen_pair(actor=Member.objects.system(), pair=pair)
    assert found() == [(["name", "similar_name"], 55)]
    merge_people(actor=Member.objects.system(), kept=person_of_entry(first), absorbed=person_of_entry(second))
    pair.refresh_from_db()
    assert pair.status == "merged"
    assert found() == []


def test_pair_with_nothing_in_common_any_more_is_outdated():
    first = EntryFactory(name="Ana Lima")
    EntryFactory(name="Ana Lima")
    assert len(found()) == 1
    first.name = "Bia Cruz"
    first.save()
    assert found() == []
    assert PossibleDuplicate.objects.get().status == "outdated"


def test_manager_searches_decides_and_compares():
    office = office_client("Community Manager")
    ana, other = EntryFactory(name="Ana Lima"), MemberFactory(display_name="Ana Lima")
    assert "No possible duplicates" in page_text(office.get(LIST))
    assert "1 pair to decide." in page_text(office.post(f"{LIST}find/", {}, follow=True))
    assert "Ana Lima / Ana Lima" in page_text(office.get(LIST))
    pair = PossibleDuplicate.objects.get()
    assert {pair.first, pair.second} == {person_of_entry(ana).key, person_of_account(other).key}
    page = reverse("admin:groups_possibleduplicate_change", args=[pair.pk])
    assert "Compare and merge" in page_text(office.get(page))
    body = {"action": "not_same", "_selected_action": [pair.pk], "apply": "1", "reason": ""}
    office.post(LIST, body)
    pair.refresh_from_db()
    assert pair.status == "not_same"
    assert "Ana Lima / Ana Lima" not in page_text(office.get(LIST))
    assert "Ana Lima / Ana Lima" in page_text(office.get(LIST, {"status__exact": "not_same"}))


@pytest.mark.parametrize("count", [2, 20])
def test_list_query_count_is_constant(count, django_assert_num_queries):
    for number in range(count):
        for _ in range(2):
            EntryFactory(name=f"Ana L{number}x")
    find_duplicates(actor=Member.objects.system())
    office = office_client("Community Manager")
    office.get(LIST)
    with django_assert_num_queries(9):
        office.get(LIST)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("first = second, second = first", "possible_duplicates_in_order"),
        ("score = 101", "possible_duplicates_score_range"),
        ("status = 'maybe'", "possible_duplicates_status_known"),
    ],
)
def test_database_rejects_invalid_pairs(change, rule):
    EntryFactory(name="Ana Lima", telegram_username="ana_lima")
    EntryFactory(name="Lima Ana")
    find_duplicates(actor=Member.objects.system())
    assert PossibleDuplicate.objects.count() == 1
    with rejected_by(rule):
        rows(f"UPDATE possible_duplicates SET {change}")
    with rejected_by("possible_duplicates_pair_once"):
        rows(
            "INSERT INTO possible_duplicates (first, second, status, score, reasons)"
            " SELECT first, second, status, score, reasons FROM possible_duplicates"
        )


# --- Warnings before one is made ----------------------------------------------------------------


@pytest.mark.rule("PerhapsDuplicate")
def test_adding_someone_alike_asks_first():
    office = office_client("Community Manager")
    ana = EntryFactory(name="Ana Lima")
    form = {"name": "Lima, Ana", "primary_role": "other", "telegram_id": "7", "country": "Portugal"}
    response = office.post("/admin/groups/communitymember/add/", form)
    assert f"Perhaps this person is here already: {ana.member_id}." in page_text(response)
    assert 'value="Portugal"' in page_text(response)
    office.post("/admin/groups/communitymember/add/", form | {"add_anyway": "on"})
    assert CommunityMember.objects.filter(name="Lima, Ana").exists()


def test_import_warns_of_someone_alike():
    ana = EntryFactory(name="Ana Lima", with_account=True)
    EntryFactory(name="Rui Telles", telegram_username="rui_t")
    rows_ = b"email,name,telegram_id,telegram_username,primary_role\nother@example.org,ana LIMA,,,\n"
    rows_ += b"new@example.org,Rui,77,RUI_T,other\nfree@example.org,Eva Born,78,,other\n"
    report = import_members(actor=Member.objects.system(), file=BytesIO(rows_), dry_run=True)
    found = {warning.line: warning for warning in report.warnings}
    assert set(found) == {2, 3}
    assert ana.member_id in str(found[2])
    rows_ = f"member_id,name\n{ana.member_id},Ana Lima\n".encode()
    assert not import_members(actor=Member.objects.system(), file=BytesIO(rows_), dry_run=True).warnings


def test_registration_asks_once_whether_someone_registered_before(client):
    EntryFactory(name="Ana Lima", telegram_username="ana_lima")
    invitation = InvitationFactory()
    address = f"/join/{invitation.spelled_code}/"
    form = {
        "name": "Ana", "email": "ana@example.org", "password": "a-long-one-2-type", "telegram_id": "71",
        "telegram_username": "@Ana_Lima", "primary_role": "other", "country": "Portugal",
    }  # fmt: skip
    response = client.post(address, form)
    assert "Perhaps you have registered before." in page_text(response)
    assert 'value="Portugal"' in page_text(response)
    assert client.post(address, form | {"registers_anyway": "on", "password": ""})["Location"] == "/me/"
