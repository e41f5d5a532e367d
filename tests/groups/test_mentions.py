"""The page that erases a person lists where the name stands in texts of others."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engagement.models import UnassignedMessage
from fallback.services.comments import add_comment
from fallback.services.documents import save_document
from groups.models import Event
from groups.services.tags import add_note
from missiondeck.services.comments import add_item_comment
from missiondeck.services.costs import add_cost
from missiondeck.services.missions import change_status
from missionsite.common import mentions
from missionsite.common.mentions import MOST_LINKS, find_mentions, registered_free_texts
from missionsite.models import SavedView
from tests.engagement.owner_connection import owner
from tests.portal.helpers import entry
from tests.support.admin import client, client_of, page_text
from tests.support.factories.directory import RelationshipFactory
from tests.support.factories.engagement import AnnouncementFactory, MessageFactory, TemplateFactory
from tests.support.factories.fallback import ItemFactory, ProjectFactory
from tests.support.factories.fallback import MissionFactory as BoardMissionFactory
from tests.support.factories.groups import (
    JoinRequestFactory,
    MemberFactory,
    MissionFactory,
    StaffFactory,
    TaskFactory,
)
from tests.support.factories.missiondeck import ChatMessageFactory, DeckMissionFactory, DodItemFactory

pytestmark = pytest.mark.django_db
NAME = "Noor Haddad"


@pytest.fixture
def noor():
    person = MemberFactory(display_name=NAME, email="noor@example.org")
    return entry(name=NAME, person=person, telegram_username="noor_h")


def page_of(noor, browser=None):
    return (browser or client("Administrator")).get(f"/admin/groups/communitymember/{noor.pk}/erase/")


def found(*names: str) -> dict[str, list[str]]:
    return {str(each.noun): [text for text, _link in each.links] for each in find_mentions(names, may=lambda _: True)}


def test_page_lists_texts_with_links(noor):
    task = TaskFactory(title="Call noor haddad")
    board = BoardMissionFactory(title="A board", description=f"Ask {NAME} first.")
    deck = DeckMissionFactory(title="A site")
    ChatMessageFactory(mission=deck, citizen="sofia", message="noor@example.org asked")
    DodItemFactory(mission=deck, text=f"Approved by {NAME}")
    text = page_of(noor).content.decode()
    for link in (
        f"/admin/groups/task/{task.pk}/change/",
        f"/admin/fallback/mission/{board.pk}/change/",
        f"/admin/missiondeck/deckmission/{deck.pk}/workspace/?citizen=sofia",
        f"/admin/missiondeck/deckmission/{deck.pk}/workspace/",
    ):
        assert f'href="{link}"' in text, link


def test_page_says_that_nothing_was_found(noor):
    TaskFactory(title="Call someone")
    assert "Found in no other text." in page_text(page_of(noor))


def test_only_whole_words_are_found():
    TaskFactory(title="Bananas for everyone")
    mentioned = TaskFactory(title="Call @ana. (soon)")
    assert found("Ana") == {"Tasks": [mentioned.title]}
    # Too short to be a name in a text.
    assert found("Al", "") == {}
    # Characters of regular expressions are characters of names.
    odd = TaskFactory(title="Ask A.(B)*[C]\\d?")
    assert found("A.(B)*[C]\\d?") == {"Tasks": [odd.title]}
    assert found(".*") == {}


def test_links_are_bounded_and_only_for_those_who_may_see_them(noor):
    for _ in range(MOST_LINKS + 1):
        TaskFactory(title=f"Call {NAME}")
    with CaptureQueriesContext(connection) as queries:
        [tasks] = find_mentions([NAME], may=lambda permission: permission == "groups.view_task")
    assert (len(tasks.links), tasks.has_more) == (MOST_LINKS, True)
    assert len([each for each in queries if "FROM" in each["sql"]]) == 1
    assert f"Only the newest {MOST_LINKS} are listed." in page_text(page_of(noor))
    assert find_mentions([NAME], may=lambda permission: False) == []


def test_search_that_takes_too_long_says_so(noor, monkeypatch):
    monkeypatch.setattr(mentions, "LONGEST_SEARCH", 300)
    browser = client("Administrator")
    with owner() as session:
        # The search waits for the lock, and its time ends.
        session.execute("LOCK TABLE chat_messages")
        text = page_text(page_of(noor, browser))
    assert "Chats of client missions" in text
    assert "Not searched to the end" in text


def test_each_registered_text_is_found_and_opens(noor):
    note = {"note": f"{NAME} knows them"}
    RelationshipFactory(content=note)
    Event.objects.create(type="task.cancelled", actor=StaffFactory(), payload={"reason": f"{NAME} asked"})
    TaskFactory(title=NAME)
    MissionFactory(name=NAME)
    JoinRequestFactory(message=f"{NAME} told me")
    add_note(actor=StaffFactory(), subject=MissionFactory(), text=NAME)
    ProjectFactory(description=NAME)
    board = BoardMissionFactory(title=NAME)
    save_document(actor=StaffFactory(), mission=board, name="solution.md", content=NAME, based_on=0)
    add_comment(actor=StaffFactory(), mission=board, body=NAME)
    ItemFactory(title=NAME)
    AnnouncementFactory(title=NAME)
    UnassignedMessage.objects.create(platform="email", message_id="<1@x>", reason="unknown", text=NAME)
    TemplateFactory(body=f"Ask {NAME}")
    MessageFactory(message_params=note)
    SavedView.objects.create(member=StaffFactory(), path="/admin/groups/task/", name=f"Tasks of {NAME}", query="q=a")
    deck = DeckMissionFactory(title=NAME)
    ChatMessageFactory(mission=deck, message=NAME)
    add_cost(actor=StaffFactory(), mission=deck, worked_on=date(2026, 3, 2), minutes=5, note=NAME)
    add_item_comment(actor=StaffFactory(), item=DodItemFactory(mission=deck, text=NAME), text=NAME)
    change_status(actor=StaffFactory(is_superuser=True), mission=deck, to="qa")
    change_status(actor=StaffFactory(is_superuser=True), mission=deck, to="active", reason=f"{NAME} left")
    listed = find_mentions([NAME], may=lambda _: True)
    assert {str(each.noun) for each in listed} == {str(text.noun) for text in registered_free_texts()}
    browser = client_of(StaffFactory(is_superuser=True))
    for each in listed:
        for _text, link in each.links:
            assert browser.get(link, follow=True).status_code == 200, link
