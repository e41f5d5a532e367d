"""The workspace of a client mission: the chats."""

from html import unescape

import pytest

from groups.models import Member
from missiondeck.models import ChatMessage
from missiondeck.services.chats import add_message
from tests.missiondeck.workspace_helpers import (
    address,
    create_message,
)
from tests.support.admin import page_text

pytestmark = pytest.mark.django_db


class TestChat:
    def test_tabs_are_links_in_workflow_order(self, lead, mission):
        add_message(actor=Member.objects.system(), mission=mission, citizen="inna", sender="user", message="Hello")
        page = lead.get(address(mission)).content.decode()
        order = [page.index(f'id="ws-tab-{name}"') for name in ("emma", "inna", "rafael", "sofia", "maya")]
        assert order == sorted(order)
        assert page.count('role="tab"') == 5
        # Without a citizen, the one with the latest message is open.
        assert page.count('aria-selected="true"') == 1
        assert page.split('id="ws-tab-inna"')[1].split(">")[0].count('aria-selected="true"') == 1
        assert "Chat with Inna" in page
        assert "No messages with Maya yet." in page_text(lead.get(address(mission), {"citizen": "maya"}))

    def test_messages_are_rendered_with_code(self, lead, mission):
        add_message(
            actor=Member.objects.system(),
            mission=mission,
            citizen="rafael",
            sender="citizen",
            message="**Done** <b>x</b>",
            code_blocks=[{"language": "python", "code": "def f(): pass"}],
        )
        page = lead.get(address(mission), {"citizen": "rafael"}).content.decode()
        assert "<strong>Done</strong> &lt;b&gt;x&lt;/b&gt;" in page
        assert '<span class="code-keyword">def</span>' in page
        assert "data-copy-code" in page

    def test_long_chat_is_paginated_from_latest(self, lead, mission):
        for number in range(70):
            create_message(mission, number, f"Message {number}.")
        seen, target = [], f"{address(mission)}?citizen=emma"
        while target:
            page = lead.get(target).content.decode()
            seen.append([number for number in range(70) if f"<p>Message {number}.</p>" in page])
            earlier = (
                page.split('rel="prev"')[0].rsplit('href="', 1)[1].split("#")[0] if "Earlier messages" in page else ""
            )
            target = earlier.replace("&amp;", "&")
        assert seen == [list(range(40, 70)), list(range(10, 40)), list(range(10))]

    def test_page_with_long_messages_is_shorter(self, lead, mission):
        for number in range(6):
            create_message(mission, number, f"Message {number}. {'word ' * 18_000}")
        page = lead.get(address(mission), {"citizen": "emma"}).content.decode()
        assert [number for number in range(6) if f"Message {number}." in page] == [3, 4, 5]
        assert "Earlier messages" in page

    def test_page_links_to_transcripts(self, lead, mission):
        assert "Transcript" not in lead.get(address(mission), {"citizen": "emma"}).content.decode()
        create_message(mission, 1, "Hello *there*")
        page = lead.get(address(mission), {"citizen": "emma"}).content.decode()
        for form in ("md", "json"):
            target = next(part for part in page.split('href="') if f"/transcript/{form}/" in part).split('"')[0]
            answer = lead.get(unescape(target))
            assert answer.status_code == 200
            assert "Hello *there*" in b"".join(answer.streaming_content).decode()

    def test_message_is_stored_unchanged(self, lead, mission):
        body = {
            "citizen": "sofia",
            "sender": "citizen",
            "message": "    indented\r\nnext",
            "language": "python",
            "code": "  x = 1\r\n",
        }
        answer = lead.post(address(mission, "_add_message"), body)
        assert answer["Location"] == f"{address(mission)}?citizen=sofia#ws-chat-end"
        message = ChatMessage.objects.get()
        assert (message.citizen, message.sender, message.message) == ("sofia", "citizen", "    indented\nnext")
        assert message.code_blocks == [{"language": "python", "code": "  x = 1\n"}]

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"message": " \r\n "}, "Enter a message."),
            ({"message": "x" * 100_001}, "at most 100,000 characters"),
            ({"message": "a\x00b"}, "Null characters are not allowed."),
            ({"language": "l" * 41}, "at most 40 characters"),
            ({"sender": "nobody"}, "nobody is not one of"),
            ({"citizen": "nobody"}, "nobody is not one of"),
        ],
    )
    def test_invalid_message_is_rejected_and_kept(self, lead, mission, changes, expected):
        body = {
            "citizen": "sofia",
            "sender": "citizen",
            "message": "Hello <you>",
            "language": "elvish",
            "code": "x <= 1",
        }
        page = page_text(lead.post(f"{address(mission, '_add_message')}?citizen=sofia", body | changes))
        assert expected in page
        assert "x <= 1</textarea>" in page
        if "message" not in changes:
            assert "Hello <you></textarea>" in page
        assert not ChatMessage.objects.exists()
