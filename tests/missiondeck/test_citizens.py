"""Citizens as rows: a sixth one is added in the back office and is used wherever the five of the seed are."""

import pytest
from django.db import DatabaseError, transaction

from groups.models import Event
from missiondeck.errors import CitizenDisabled, CitizenUnknown
from missiondeck.models import ChatMessage, Citizen
from missiondeck.selectors.chats import transcript_as_markdown
from missiondeck.services.chats import add_message
from missiondeck.services.citizens import add_citizen, change_citizen
from missionsite.common.errors import ConstraintViolated
from tests.missiondeck.helpers import insert
from tests.missiondeck.workspace_helpers import address
from tests.support.admin import page_text
from tests.support.database import rejected_by, rows
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

ADD = "/admin/missiondeck/citizen/add/"
OLGA = {"key": "olga", "name": "Olga", "role": "The Tester", "position": "0", "is_enabled": "on"}


def test_sixth_citizen_is_used_everywhere(lead, mission):
    assert lead.post(ADD, OLGA | {"_save": "Save"}).status_code == 302
    made = Citizen.objects.get(key="olga")
    assert Event.objects.get(type="citizen.created").payload["citizen"] == "olga"
    page = page_text(lead.get(address(mission), {"citizen": "olga"}))
    assert page.index('id="ws-tab-olga"') < page.index('id="ws-tab-emma"')
    assert "Chat with Olga" in page
    assert "The Tester" in page
    body = {"citizen": "olga", "sender": "citizen", "message": "Ask @Olga or @Emma"}
    assert lead.post(address(mission, "_add_message"), body).status_code == 302
    page = page_text(lead.get(address(mission)))
    assert f'<a href="{address(mission)}?citizen=olga" rel="nofollow noopener noreferrer">@Olga</a>' in page
    assert "## Olga (recorded by Dora), " in "".join(transcript_as_markdown(mission, "olga"))
    assert lead.get(address(mission).replace("workspace/", "transcript/json/"), {"citizen": "olga"}).status_code == 200
    # A citizen that is no longer enabled keeps its messages, and gets no new ones.
    change_citizen(actor=MemberFactory(), citizen=made, is_enabled=False)
    page = page_text(lead.get(address(mission), {"citizen": "olga"}))
    assert "Chat with Olga" in page
    assert "ws-message-form" not in page
    assert "No messages can be added" in page_text(lead.post(address(mission, "_add_message"), body))
    assert ChatMessage.objects.count() == 1


def test_invalid_citizen_is_rejected_on_the_page(lead):
    for changes, text in (
        ({"key": "Olga B"}, "Enter lower-case letters, digits and hyphens, beginning with a letter."),
        ({"key": "emma"}, "A citizen with this key exists already."),
        ({"name": "EMMA"}, "A citizen with this name exists already."),
        ({"name": ""}, "This field is required."),
        ({"position": "-1"}, "Enter 0 or more."),
    ):
        page = page_text(lead.post(ADD, OLGA | changes))
        assert text in page
        assert 'value="The Tester"' in page
    assert Citizen.objects.count() == 5


def test_services_reject_unknown_and_disabled_citizens(mission):
    values = {"actor": MemberFactory(), "mission": mission, "sender": "user", "message": "Hi"}
    with pytest.raises(CitizenUnknown):
        add_message(citizen="olga", **values)
    made = add_citizen(actor=MemberFactory(), key="olga", name="Olga", is_enabled=False)
    with pytest.raises(CitizenDisabled):
        add_message(citizen="olga", **values)
    with pytest.raises(ConstraintViolated, match="test runs are shown"):
        change_citizen(actor=MemberFactory(), citizen=Citizen.objects.get(key="sofia"), is_enabled=False)
    assert change_citizen(actor=MemberFactory(), citizen=made, is_enabled=True).is_enabled


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"key": "O"}, "deck_citizens_key_form"),
        ({"key": "emma"}, "deck_citizens_key_unique"),
        ({"name": "emma"}, "deck_citizens_name_unique"),
        ({"name": " "}, "deck_citizens_name_not_empty"),
        ({"name": "a\nb"}, "deck_citizens_name_one_line"),
        ({"role": "a\nb"}, "deck_citizens_role_one_line"),
        ({"position": -1}, "deck_citizens_position_check"),
    ],
)
def test_table_rejects_citizens(values, rule):
    with rejected_by(rule):
        insert("deck_citizens", **{"key": "olga", "name": "Olga"} | values)


def test_citizens_are_not_deleted_or_renamed_by_key():
    with rejected_by("deck_citizens_tester_enabled"):
        rows("UPDATE deck_citizens SET is_enabled = false WHERE key = 'sofia'")
    for statement in ("DELETE FROM deck_citizens", "UPDATE deck_citizens SET key = 'olga' WHERE key = 'emma'"):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            rows(statement)
