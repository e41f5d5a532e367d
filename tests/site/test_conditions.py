"""Conditions on the fields of a list: modifiers, chips, views, and what is rejected."""

from datetime import date
from urllib.parse import quote

import pytest

from groups.models import Task
from missionsite.models import SavedView
from tests.site.test_saved_views import chips, page, save
from tests.support.admin import client
from tests.support.factories.fallback import MissionFactory
from tests.support.factories.groups import EntryFactory, TaskFactory

pytestmark = pytest.mark.django_db
DIRECTORY, TASKS = "/admin/groups/communitymember/", "/admin/groups/task/"


def names(office, path: str, *given: str) -> set[str]:
    text = page(office, f"{path}?{'&'.join(f'where={quote(each)}' for each in given)}")
    body = text.partition('id="result_list"')[2].partition("</table>")[0]
    return {name for name in ("Ana", "Bea", "Cleo") if name in body}


@pytest.fixture
def entries():
    EntryFactory(name="Ana", organization="Coop North", country="Chile", reputation_score=5)
    EntryFactory(name="Bea", organization="The coop", country="", reputation_score=50)
    EntryFactory(name="Cleo", organization="", country="Peru", reputation_score=500)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("organization.empty", {"Cleo"}),
        ("organization.filled", {"Ana", "Bea"}),
        ("organization.starts.coop", {"Ana"}),
        ("organization.contains.coop", {"Ana", "Bea"}),
        ("organization.is.the COOP", {"Bea"}),
        ("organization.not.The coop", {"Ana", "Cleo"}),
        ("organization.contains.50%", set()),
        ("reputation_score.min.50", {"Bea", "Cleo"}),
        ("reputation_score.max.50", {"Ana", "Bea"}),
        ("reputation_score.between.5..50", {"Ana", "Bea"}),
        ("reputation_score.not.50", {"Ana", "Cleo"}),
    ],
)
def test_condition_filters_texts_and_numbers(entries, condition, found):
    assert names(client("Community Manager"), DIRECTORY, condition) == found


def test_conditions_on_days_are_whole_days():
    for name, due in (("Ana", date(2026, 3, 1)), ("Bea", date(2026, 3, 2)), ("Cleo", None)):
        TaskFactory(title=name, due_on=due)
    office = client("Mission Manager")
    for condition, found in (
        ("due_on.before.2026-03-02", {"Ana"}),
        ("due_on.after.2026-03-01", {"Bea"}),
        ("due_on.on.2026-03-01", {"Ana"}),
        ("due_on.between.2026-03-01..2026-03-02", {"Ana", "Bea"}),
        ("due_on.empty", {"Cleo"}),
        ("claimed_by.empty", {"Ana", "Bea", "Cleo"}),
    ):
        assert names(office, TASKS, condition) == found, condition


def test_conditions_are_combined_shown_and_removed(entries):
    office = client("Community Manager")
    assert names(office, DIRECTORY, "organization.filled", "country.empty") == {"Bea"}
    found = chips(page(office, f"{DIRECTORY}?where=organization.filled&where=reputation_score.min.5000"))
    assert [text for text, _ in found] == ["Organisation: is not empty", "Reputation: is at least 5,000"]
    assert found[1][1] == "?where=organization.filled"


def test_condition_is_saved_in_a_view_and_translated(entries):
    office = client("Community Manager")
    save(office, "where=organization.starts.Coop&where=country.filled", path=DIRECTORY)
    view = SavedView.objects.get()
    text = page(office, view.address)
    assert 'aria-current="page"' in text
    assert "Bea" not in text.partition('id="result_list"')[2]
    text = office.get(view.address, headers={"accept-language": "pt-BR"}).content.decode()
    assert "começa com" in text


def test_form_of_a_condition_leads_to_its_address():
    office = client("Mission Manager")
    new = "where_field=reward_points&where_is=between&where_value=1&where_until=5"
    answer = office.get(f"{TASKS}?state__exact=open&where=due_on.empty&{new}")
    assert answer["Location"] == (f"{TASKS}?state__exact=open&where=due_on.empty&where=reward_points.between.1..5")
    assert office.get(f"{TASKS}?where_field=&where_is=contains&where_value=x")["Location"] == f"{TASKS}?"


@pytest.mark.parametrize(
    "condition",
    [
        "password.starts.pbkdf2",
        "person__password.starts.p",
        "organization.min.5",
        "organization.contains",
        "reputation_score.min.many",
        "reputation_score.min.NaN",
        "reputation_score.min.1e99",
        "reputation_score.between.5",
        "created_at.after.2026-02-30",
        ".",
        "x" * 600,
    ],
)
def test_condition_that_is_not_valid_is_rejected(condition):
    answer = client("Community Manager").get(f"{DIRECTORY}?where={condition}")
    assert answer["Location"].endswith("?e=1")


def test_conditions_limit_export_and_bulk_edit(entries):
    MissionFactory()
    office = client("Mission Manager")
    TaskFactory(title="Ana", due_on=date(2026, 3, 1))
    TaskFactory(title="Bea")
    text = page(office, f"{TASKS}?where=due_on.filled")
    assert f"{TASKS}bulk-edit/?where=due_on.filled" in text
    assert "1 row is edited" in page(office, f"{TASKS}bulk-edit/?where=due_on.filled")
    assert Task.objects.count() == 2
