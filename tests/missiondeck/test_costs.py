"""The budget of a mission: time entries and amounts, per currency, against the budget, with notices."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from missiondeck.models import DeckCost, DeckMission, Notice
from missiondeck.selectors.clients import facts_of
from missiondeck.selectors.costs import budget_use
from missiondeck.services.costs import add_cost, remove_cost
from missiondeck.services.delivery_reports import delivery_report
from missiondeck.services.missions import update_deck_mission
from missiondeck.services.notices import process_notices
from missionsite.common.errors import ConstraintViolated
from tests.missiondeck.helpers import insert
from tests.missiondeck.test_clients import link_to
from tests.missiondeck.workspace_helpers import address, make_mission
from tests.support.admin import page_text
from tests.support.database import rejected_by, rows
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 2)


def spend(mission: DeckMission, cents: int | None = None, **more) -> DeckCost:
    return add_cost(actor=MemberFactory(), mission=mission, worked_on=DAY, amount_cents=cents, **more)


@pytest.fixture
def mission() -> DeckMission:
    return make_mission(budget=100)


def test_use_is_counted_per_currency(mission):
    spend(mission, 1_050)
    # 100 minutes of 90.01 an hour: 150.0166… is rounded to a cent.
    spend(mission, minutes=100, rate_cents=9_001, currency="EUR")
    spend(mission, minutes=30, rate_cents=1)
    spend(mission, minutes=15)
    removed = spend(mission, 99_999)
    remove_cost(actor=MemberFactory(), cost=removed)
    use = budget_use(mission)
    assert (use.spent, use.used, use.minutes, use.percent) == ({"EUR": 15_002, "USD": 1_051}, 1_051, 145, 10)


# As in github.com/otherworld-dev/Budget/issues/293 and github.com/ayunis-core/ayunis-core/pull/962.
@pytest.mark.parametrize(
    ("cents", "percent", "state"),
    [(7_999, 79, ""), (8_000, 80, "near"), (9_999, 99, "near"), (10_000, 100, "near"), (10_001, 100, "over")],
)
def test_state_is_exact_to_the_cent(mission, cents, percent, state):
    spend(mission, cents)
    use = budget_use(mission)
    assert (use.percent, use.is_near, use.is_over) == (percent, state == "near", state == "over")
    found = Notice.objects.filter(mission=mission).values_list("kind", "payload__percent")
    assert list(found) == ([(f"budget.{state}", percent)] if state else [])


def test_notices_of_a_budget_are_told_once(lead, dora, mission):
    spend(mission, 50_000, currency="EUR")
    assert process_notices() == 0
    for _ in range(3):
        spend(mission, 4_000)
    assert process_notices() == 2
    titles = list(dora.notifications.order_by("pk").values_list("title", flat=True))
    assert titles == [
        f"#{mission.number} Shop: 80% of the budget of USD 100.00 is used",
        f"#{mission.number} Shop: the budget of USD 100.00 is exceeded",
    ]
    assert dora.notifications.first().payload["url"] == address(mission, "_budget")
    # Another budget is told again.
    update_deck_mission(actor=MemberFactory(), mission=mission, budget=110)
    update_deck_mission(actor=MemberFactory(), mission=mission, budget=1_000)
    assert process_notices() == 1


def test_page_adds_and_removes_entries(lead, mission):
    page, form = address(mission, "_budget"), {"worked_on": "2026-03-02", "currency": "USD"}
    assert lead.post(page, form | {"hours": "1.5", "rate": "40", "note": "Checkout <b>"}).status_code == 302
    assert lead.post(page, form | {"amount": "25.05", "currency": "EUR"}).status_code == 302
    shown = page_text(lead.get(page))
    for text in ("USD 60.00 of USD 100.00 used (60%)", "not counted: EUR 25.05", "Time: 1 h 30 min", "Dora"):
        assert text in shown
    assert "Checkout &lt;b&gt;" in lead.get(page).content.decode()
    assert "USD 60.00 used (60%)" in page_text(lead.get(address(mission)))
    for changes, message in (
        ({}, "Enter either hours of work or an amount."),
        ({"hours": "1", "amount": "1"}, "Enter either hours of work or an amount."),
        ({"amount": "0.001"}, "no more than 2 decimal places"),
        ({"amount": "5", "currency": "usd"}, "Enter a currency as three capital letters"),
        ({"amount": "5", "worked_on": str(timezone.localdate() + timedelta(days=9))}, "cannot be in the future"),
        ({"amount": "5", "note": "a\x07b"}, "single line"),
    ):
        answer = lead.post(page, form | {"note": "Kept"} | changes)
        assert message in page_text(answer), message
        assert changes.get("note") or 'value="Kept"' in answer.content.decode()
    cost = DeckCost.objects.get(currency="USD")
    assert lead.post(page, {"remove": cost.pk}).status_code == 302
    assert budget_use(mission).used == 0
    assert "This entry was removed already." in page_text(lead.post(page, {"remove": cost.pk}, follow=True))


def test_client_sees_use_unless_hidden(client, mission):
    spend(mission, 4_050)
    spend(mission, 100, currency="EUR")
    for hides in (False, True):
        link, page = link_to(mission, hides_budget=hides)
        text = client.get(page).content.decode()
        assert ("USD 40.50 of USD 100.00 (40%), EUR 1.00" in text) != hides
        assert ("USD 40.50 of USD 100.00 (40%), EUR 1.00" in delivery_report(mission=mission, hides=link)) != hides
        assert ("budget" in facts_of(mission, link)) != hides


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"amount_cents": 0}, "deck_costs_amount_range"),
        ({"amount_cents": 10**11 + 1}, "deck_costs_amount_range"),
        ({"amount_cents": -1}, "deck_costs_amount_cents_check"),
        ({"minutes": 0}, "deck_costs_minutes_range"),
        ({"minutes": -1}, "deck_costs_minutes_check"),
        ({"currency": "usd"}, "deck_costs_currency_form"),
        ({"note": "a\nb"}, "deck_costs_note_one_line"),
        ({"worked_on": "2999-01-01"}, "deck_costs_worked_on_not_in_future"),
    ],
)
def test_table_rejects_costs(mission, values, rule):
    given = {"worked_on": DAY, "amount_cents": 5, "currency": "USD", "author_id": MemberFactory().pk}
    with rejected_by(rule):
        insert("deck_costs", mission_id=mission.pk, **given | values)


def test_costs_are_not_changed_or_deleted(mission):
    spend(mission, 5)
    for statement in ("UPDATE deck_costs SET amount_cents = 1", "DELETE FROM deck_costs"):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            rows(statement)
    with pytest.raises(ConstraintViolated):
        spend(mission, 0)
