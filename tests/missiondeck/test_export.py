"""The CSV export of the list of client missions."""

import csv
import io

import pytest

from groups.models import Member
from missiondeck.services.missions import update_deck_mission
from tests.missiondeck.run_helpers import create_runs
from tests.missiondeck.workspace_helpers import complete, make_item, make_mission
from tests.support.admin import client
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/missiondeck/deckmission/"
EXPORT = f"{LIST}export/"


@pytest.fixture
def auditor():
    """The view permission is sufficient for the export."""
    return client("Auditor")


def rows(response) -> list[dict]:
    text = b"".join(response.streaming_content).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


@pytest.mark.seed("001 CSV and calendar")
def test_file_has_rows_of_filtered_list_in_order(auditor):
    for title, days in (("Later", 9), ("Late", -9), ("Soon", 1)):
        make_mission(title=title, days=days)
    complete(make_mission(title="Done"), MemberFactory(), reason="Agreed")
    for query, titles in (
        ("", ["Done", "Soon", "Late", "Later"]),
        ("?due=next", ["Late", "Soon", "Later"]),
        ("?status=complete", ["Done"]),
        ("?q=la", ["Late", "Later"]),
        ("?q=nothing", []),
    ):
        response = auditor.get(EXPORT + query)
        assert [row["title"] for row in rows(response)] == titles, query
        assert [mission.title for mission in auditor.get(LIST + query).context["cl"].result_list] == titles
    assert response["Content-Disposition"].startswith('attachment; filename="client-missions-')
    assert "no-store" in response["Cache-Control"]


def test_file_has_values_of_list(auditor):
    mission = make_mission(title="Bot", client="Acme, Corp", github_url="https://github.com/acme/bot")
    make_item(mission, done=True)
    make_item(mission)
    create_runs(mission, "passed", "failed")
    (row,) = rows(auditor.get(EXPORT))
    assert row["number"] == str(mission.number)
    assert row["client"] == "Acme, Corp"
    assert (row["items_done"], row["items"], row["last_test_run"]) == ("1", "2", "failed")
    assert row["deadline"] == mission.deadline.isoformat()
    assert (row["budget"], row["currency"], row["id"]) == ("1200", "USD", str(mission.pk))


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)"])
def test_cells_are_never_formulas(auditor, text):
    update_deck_mission(actor=Member.objects.system(), mission=make_mission(client="Acme"), title=text)
    (row,) = rows(auditor.get(EXPORT))
    assert row["title"] == f"'{text}"


def test_button_keeps_filters(auditor):
    buttons = auditor.get(f"{LIST}?due=overdue&q=a").context["buttons"]
    assert buttons[-1]["link"] == f"{EXPORT}?due=overdue&q=a"


def test_invalid_filter_redirects_to_list(auditor):
    assert auditor.get(f"{EXPORT}?completed_by__password=x")["Location"] == f"{LIST}?e=1"


def test_export_needs_view_permission():
    assert client("Community Manager").get(EXPORT).status_code == 403
