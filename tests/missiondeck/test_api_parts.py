"""The API of a client mission's definition of done and chats."""

import pytest

from groups.models import Member
from missiondeck.models import ChatMessage, DodItem
from missiondeck.services.missions import change_status
from tests.missiondeck.api_helpers import UNKNOWN_ID, ApiUsers, create_users, patch, post, read_all_pages, rejected
from tests.support.concurrency import crowd
from tests.support.factories.missiondeck import ChatMessageFactory, DodItemFactory, make_ready

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_rate(settings):
    settings.API_REQUESTS_PER_MINUTE = 0


@pytest.fixture
def cast() -> ApiUsers:
    return create_users()


@pytest.fixture
def lead(cast):
    return cast.client("lead")


def texts(lead, cast, category: str) -> list[str]:
    items = lead.get(cast.at("/dod")).json()["items"]
    return [item["text"] for item in items if item["category"] == category]


class TestDefinitionOfDone:
    def test_items_are_ordered_with_progress(self, cast, lead):
        for text, category in (("a", "tests"), ("b", "functional"), ("c", "tests"), ("d", "functional")):
            assert post(lead, cast.at("/dod"), text=text, category=category).status_code == 201
        DodItem.objects.filter(text="b").update(completed=True, completed_at="2026-01-01T00:00Z")
        data = lead.get(cast.at("/dod")).json()
        assert [(item["text"], item["position"]) for item in data["items"]] == [("b", 0), ("d", 1), ("a", 0), ("c", 1)]
        assert data["progress"] == [
            {"category": "functional", "done": 1, "total": 2, "percent": 50},
            {"category": "non-functional", "done": 0, "total": 0, "percent": 0},
            {"category": "tests", "done": 0, "total": 2, "percent": 0},
        ]
        assert (data["done"], data["total"], data["percent"]) == (1, 4, 25)

    @pytest.mark.seed("001 missions, definition of done and chats by the API")
    def test_tick_records_member_and_time(self, cast, lead):
        item = DodItemFactory(mission=cast.mission)
        ticked = patch(lead, cast.at(f"/dod/{item.pk}"), completed=True).json()
        assert (ticked["completed"], ticked["completed_by"]) == (True, cast.people["lead"].member_id)
        assert ticked["completed_at"]
        again = patch(lead, cast.at(f"/dod/{item.pk}"), completed=True).json()
        assert again == ticked
        open_again = patch(lead, cast.at(f"/dod/{item.pk}"), completed=False).json()
        assert (open_again["completed"], open_again["completed_at"], open_again["completed_by"]) == (False, None, None)

    def test_several_changes_are_atomic(self, cast, lead):
        for text in ("a", "b"):
            post(lead, cast.at("/dod"), text=text, category="tests")
        moved = post(lead, cast.at("/dod"), text="c").json()
        changed = patch(
            lead, cast.at(f"/dod/{moved['id']}"), text=" C ", category="tests", completed=True, position=1
        ).json()
        assert [changed[name] for name in ("text", "category", "completed", "position")] == ["C", "tests", True, 1]
        assert texts(lead, cast, "tests") == ["a", "C", "b"]

    def test_large_position_means_last(self, cast, lead):
        first = post(lead, cast.at("/dod"), text="a").json()
        post(lead, cast.at("/dod"), text="b")
        assert patch(lead, cast.at(f"/dod/{first['id']}"), position=1_000_000).json()["position"] == 1
        assert texts(lead, cast, "functional") == ["b", "a"]

    def test_item_is_removed(self, cast, lead):
        item = DodItemFactory(mission=cast.mission)
        answer = lead.delete(cast.at(f"/dod/{item.pk}"))
        assert (answer.status_code, answer.content) == (204, b"")
        rejected(lead.delete(cast.at(f"/dod/{item.pk}")), 404, "not_found")

    def test_checklist_of_complete_mission_is_locked(self, cast, lead):
        make_ready(cast.mission)
        item = cast.mission.dod_items.get()
        change_status(mission=cast.mission, to="complete", actor=Member.objects.system())
        rejected(post(lead, cast.at("/dod"), text="More"), 409, "checklist_closed")
        rejected(patch(lead, cast.at(f"/dod/{item.pk}"), completed=False), 409, "checklist_closed")
        rejected(patch(lead, cast.at(f"/dod/{item.pk}"), text="Less", position=0), 409, "checklist_closed")
        rejected(lead.delete(cast.at(f"/dod/{item.pk}")), 409, "checklist_closed")
        assert texts(lead, cast, "functional") == [item.text]

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/text"),
            ({"text": "  "}, "/text"),
            ({"text": "x" * 501}, "/text"),
            ({"text": "a\x00b"}, "/text"),
            ({"text": "a", "category": "other"}, "/category"),
            ({"text": "a", "completed": True}, "/completed"),
        ],
    )
    def test_invalid_item_is_rejected(self, cast, lead, body, pointer):
        rejected(post(lead, cast.at("/dod"), **body), 422, "input_rejected", pointer)
        assert not DodItem.objects.exists()

    @pytest.mark.parametrize("position", [-1, 2**70, "first", 1.5])
    def test_invalid_position_is_named(self, cast, lead, position):
        item = DodItemFactory(mission=cast.mission)
        rejected(patch(lead, cast.at(f"/dod/{item.pk}"), position=position), 422, "input_rejected", "/position")

    @pytest.mark.parametrize("key", [UNKNOWN_ID, "x", "0", "%00", "💥"])
    def test_unknown_item_answers_404(self, cast, lead, key):
        answer = patch(lead, cast.at(f"/dod/{key}"), completed=True)
        assert answer.status_code in (400, 404, 422)
        assert answer["Content-Type"] == "application/problem+json"

    def test_repeated_key_creates_one_item(self, cast, lead):
        first, again = (post(lead, cast.at("/dod"), key="one", text="a") for _ in range(2))
        assert first.json() == again.json()
        assert DodItem.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_changes_keep_positions_without_deadlock():
    """Concurrent changes of text, tick and position: no deadlock, and distinct positions."""
    cast = create_users()
    items = [DodItemFactory(mission=cast.mission, position=place) for place in range(4)]
    clients = [cast.client("lead") for _ in range(8)]

    def change(number: int):
        item = items[number % len(items)]
        bodies = [{"position": number % 4, "text": f"by {number}"}, {"completed": bool(number % 2)}]
        return [patch(clients[number], cast.at(f"/dod/{item.pk}"), **body).status_code for body in bodies]

    with crowd(8) as people:
        for _ in range(5):
            assert people.run(change) == [[200, 200]] * 8
    places = DodItem.objects.filter(mission=cast.mission).values_list("position", flat=True)
    assert sorted(places) == [0, 1, 2, 3]


class TestChats:
    def test_messages_are_counted_per_citizen(self, cast, lead):
        ChatMessageFactory.create_batch(2, mission=cast.mission, citizen="sofia")
        ChatMessageFactory(citizen="emma")
        data = lead.get(cast.at("/chats")).json()["items"]
        assert [(each["citizen"], each["messages"]) for each in data] == [
            ("emma", 0),
            ("inna", 0),
            ("rafael", 0),
            ("sofia", 2),
            ("maya", 0),
        ]
        assert [bool(each["last_message_at"]) for each in data] == [False, False, False, True, False]

    @pytest.mark.seed("001 missions, definition of done and chats by the API")
    def test_message_with_code_is_added(self, cast, lead):
        code = [{"language": "python", "code": "print('<b>')\n"}]
        answer = post(lead, cast.at("/chats/rafael"), sender="citizen", message="The **code**:", code_blocks=code)
        assert answer.status_code == 201
        made = answer.json()
        assert (made["citizen"], made["sender"], made["message"], made["code_blocks"]) == (
            "rafael",
            "citizen",
            "The **code**:",
            code,
        )
        assert lead.get(cast.at("/chats/rafael")).json()["items"] == [made]
        assert lead.get(cast.at("/chats/emma")).json()["items"] == []

    def test_chat_is_paginated_oldest_first(self, cast, lead):
        for number in range(7):
            ChatMessageFactory(
                mission=cast.mission, message=str(number), created_at=f"2026-01-0{number // 2 + 1}T00:00Z"
            )
        ChatMessageFactory(mission=cast.mission, citizen="maya")
        rows, pages = read_all_pages(lead, cast.at("/chats/rafael?limit=2"))
        assert [row["created_at"] for row in rows] == sorted(row["created_at"] for row in rows)
        assert {row["message"] for row in rows} == set("0123456")
        assert (len(rows), pages) == (7, 4)

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"sender": "user"}, "/message"),
            ({"sender": "user", "message": ""}, "/message"),
            ({"sender": "user", "message": "x" * 100_001}, "/message"),
            ({"sender": "user", "message": "a\x00b"}, "/message"),
            ({"sender": "emma", "message": "a"}, "/sender"),
            ({"sender": "user", "message": "a", "code_blocks": [{"code": "x"}]}, "/code_blocks/0/language"),
            ({"sender": "user", "message": "a", "code_blocks": [{"language": "x" * 41, "code": ""}]},
             "/code_blocks/0/language"),
            ({"sender": "user", "message": "a", "code_blocks": [{"language": "", "code": ""}] * 51}, "/code_blocks"),
            ({"sender": "user", "message": "a", "citizen": "maya"}, "/citizen"),
        ],
    )  # fmt: skip
    def test_invalid_message_is_rejected(self, cast, lead, body, pointer):
        rejected(post(lead, cast.at("/chats/rafael"), **body), 422, "input_rejected", pointer)
        assert not ChatMessage.objects.exists()

    def test_blank_message_is_rejected(self, cast, lead):
        rejected(post(lead, cast.at("/chats/rafael"), sender="user", message=" \n\t"), 422, "message_empty", "/message")

    @pytest.mark.parametrize("citizen", ["nobody", "Emma", "%00", "💥"])
    def test_unknown_citizen_is_rejected(self, cast, lead, citizen):
        for answer in (
            lead.get(cast.at(f"/chats/{citizen}")),
            post(lead, cast.at(f"/chats/{citizen}"), sender="user", message="a"),
        ):
            assert answer.status_code in (400, 404, 422)
            assert answer["Content-Type"] == "application/problem+json"

    def test_cursor_of_other_chat_is_rejected(self, cast, lead):
        ChatMessageFactory.create_batch(2, mission=cast.mission)
        cursor = lead.get(cast.at("/chats/rafael?limit=1")).json()["next"].partition("cursor=")[2]
        rejected(lead.get(cast.at(f"/chats/emma?cursor={cursor}")), 422, "cursor_rejected", "query/cursor")

    def test_repeated_key_creates_one_message(self, cast, lead):
        body = {"sender": "user", "message": "Once"}
        first, again = (post(lead, cast.at("/chats/emma"), key="one", **body) for _ in range(2))
        assert first.json() == again.json()
        assert ChatMessage.objects.count() == 1
        rejected(post(lead, cast.at("/chats/maya"), key="one", **body), 422, "idempotency_key_reused")
