"""Chats with the citizens, and their transcripts."""

import json
from datetime import UTC, datetime

import pytest

from groups.models import Member
from missiondeck.errors import CitizenUnknown
from missiondeck.models import ChatMessage
from missiondeck.selectors.chats import chat_with, transcript_as_json, transcript_as_markdown
from missiondeck.services.chats import add_message
from missionsite.common.errors import DomainError
from tests.missiondeck.helpers import mission

FIVE = ("emma", "inna", "rafael", "sofia", "maya")
pytestmark = pytest.mark.django_db

BLOCK = {"language": "python", "code": "print(1)"}
AT = datetime(2025, 11, 5, 14, 5, tzinfo=UTC)


def text_of(pieces) -> str:
    """The chunks of a transcript, joined."""
    return "".join(pieces)


def create_message(of, citizen, sender, message, minute=0, **more):
    return ChatMessage.objects.create(
        mission=of, citizen=citizen, sender=sender, message=message, created_at=AT.replace(minute=minute), **more
    )


def test_message_is_stored_with_code():
    made = mission()
    message = add_message(
        actor=Member.objects.system(), mission=made, citizen="emma", sender="user", message="*Hi*", code_blocks=[BLOCK]
    )
    stored = ChatMessage.objects.get()
    assert stored == message
    assert (stored.citizen, stored.sender, stored.message, stored.code_blocks) == ("emma", "user", "*Hi*", [BLOCK])


def test_each_citizen_has_own_chat():
    made = mission()
    for citizen in FIVE:
        add_message(
            actor=Member.objects.system(), mission=made, citizen=citizen, sender="user", message=f"for {citizen}"
        )
        add_message(
            actor=Member.objects.system(),
            mission=mission(),
            citizen=citizen,
            sender="user",
            message="of another mission",
        )
    for citizen in FIVE:
        assert [each.message for each in chat_with(made, citizen)] == [f"for {citizen}"]
    assert chat_with(made).count() == 5


def test_messages_are_oldest_first():
    made = mission()
    for minute in (3, 1, 2):
        create_message(made, "emma", "user", f"m{minute}", minute)
    assert [each.message for each in chat_with(made)] == ["m1", "m2", "m3"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"message": " \n"}, "message_empty"),
        ({"message": "x" * 100_001}, "message_too_long"),
        ({"code_blocks": [{"code": "x"}]}, "code_blocks_invalid"),
        ({"code_blocks": ["x"]}, "code_blocks_invalid"),
    ],
)
def test_invalid_message_is_rejected(values, code):
    given = {"mission": mission(), "citizen": "emma", "sender": "user", "message": "Hi"}
    with pytest.raises(DomainError) as rejection:
        add_message(actor=Member.objects.system(), **(given | values))
    assert (rejection.value.code, rejection.value.status) == (code, 422)
    assert not ChatMessage.objects.exists()


@pytest.mark.parametrize("names", [{"citizen": "bob", "sender": "user"}, {"citizen": "emma", "sender": "bot"}])
def test_unknown_names_are_rejected(names):
    with pytest.raises((ValueError, CitizenUnknown)):
        add_message(actor=Member.objects.system(), mission=mission(), message="Hi", **names)


@pytest.mark.seed("001 transcripts in Markdown and JSON")
def test_transcript_as_markdown():
    made = mission(title="Telegram   Notifier", client="Acme  Corp")
    create_message(made, "emma", "user", "What do they *want*?", 5)
    create_message(made, "emma", "citizen", "This:", 6, code_blocks=[BLOCK])
    create_message(made, "sofia", "citizen", "Red.", 7)
    assert text_of(transcript_as_markdown(made, "emma")) == (
        f"# Mission {made.number}: Telegram Notifier with Emma\n\nClient: Acme Corp\n\n"
        "## To Emma, 2025-11-05 14:05 UTC\n\nWhat do they *want*?\n\n"
        "## Emma, 2025-11-05 14:06 UTC\n\nThis:\n\n```python\nprint(1)\n```\n"
    )
    assert "## Sofia, 2025-11-05 14:07 UTC\n\nRed.\n" in text_of(transcript_as_markdown(made))


@pytest.mark.seed("001 transcripts in Markdown and JSON")
@pytest.mark.parametrize("code", ["```\nnot the end", "````` five", "a\n```python\nb\n```\nc"])
def test_code_with_backticks_stays_in_fence(code):
    from markdown_it import MarkdownIt

    made = mission()
    create_message(made, "emma", "citizen", "See:", code_blocks=[{"language": "text", "code": code}])
    fences = [token for token in MarkdownIt().parse(text_of(transcript_as_markdown(made))) if token.type == "fence"]
    assert [(token.info, token.content) for token in fences] == [("text", code + "\n")]


@pytest.mark.seed("001 transcripts in Markdown and JSON")
def test_transcript_as_json():
    made = mission()
    message = create_message(made, "emma", "citizen", "Olá 🦉", 6, code_blocks=[BLOCK])
    create_message(made, "sofia", "user", "Hi", 7)
    document = json.loads(text_of(transcript_as_json(made, "emma")))
    assert document == {
        "mission": made.number,
        "title": "Bot",
        "client": "Acme",
        "messages": [
            {
                "id": str(message.pk),
                "citizen": "emma",
                "sender": "citizen",
                "author": "Emma",
                "recorded_by": None,
                "message": "Olá 🦉",
                "code_blocks": [BLOCK],
                "created_at": "2025-11-05T14:06:00+00:00",
            }
        ],
    }
    assert len(json.loads(text_of(transcript_as_json(made)))["messages"]) == 2


def test_transcript_without_messages():
    made = mission()
    assert text_of(transcript_as_markdown(made)) == f"# Mission {made.number}: Bot\n\nClient: Acme\n"
    assert json.loads(text_of(transcript_as_json(made)))["messages"] == []
