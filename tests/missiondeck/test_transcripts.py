"""Transcripts as downloads: name, type, content and permission."""

import json

import pytest
from django.urls import reverse

from groups.models import Member
from missiondeck.services.chats import add_message
from missiondeck.services.missions import update_deck_mission
from tests.missiondeck.workspace_helpers import address, make_mission
from tests.support.admin import client, page_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return client("Delivery Lead")


@pytest.fixture
def mission():
    made = make_mission(title="Telegram Notifier", client="Acme")
    add_message(actor=Member.objects.system(), mission=made, citizen="emma", sender="user", message="When?")
    code = [{"language": "python", "code": "print('```')"}]
    add_message(
        actor=Member.objects.system(),
        mission=made,
        citizen="rafael",
        sender="citizen",
        message="**Today** 🦉",
        code_blocks=code,
    )
    add_message(
        actor=Member.objects.system(),
        mission=make_mission(),
        citizen="rafael",
        sender="user",
        message="of another mission",
    )
    return made


def page(mission, form: str) -> str:
    return reverse("admin:missiondeck_transcript", args=[mission.pk, form])


def text(response) -> str:
    return b"".join(response.streaming_content).decode("utf-8")


def test_markdown_of_all_citizens(lead, mission):
    response = lead.get(page(mission, "md"))
    assert response["Content-Type"] == "text/markdown; charset=utf-8"
    name = f"mission-{mission.number}-telegram-notifier.md"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response["X-Content-Type-Options"] == "nosniff"
    written = text(response)
    assert written.startswith(f"# Mission {mission.number}: Telegram Notifier\n")
    for part in ("When?", "**Today** 🦉", "````python\nprint('```')\n````"):
        assert part in written
    assert "another" not in written


def test_json_of_one_citizen(lead, mission):
    response = lead.get(page(mission, "json"), {"citizen": "rafael"})
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"].endswith(f'mission-{mission.number}-telegram-notifier-rafael.json"')
    written = json.loads(text(response))
    assert (written["mission"], written["client"]) == (mission.number, "Acme")
    (message,) = written["messages"]
    assert (message["citizen"], message["message"]) == ("rafael", "**Today** 🦉")


@pytest.mark.parametrize("title", ['"; x=1', "../../etc/passwd", "Ação; Set-Cookie: a=b", "🦉🦉", "x" * 200])
def test_title_never_breaks_file_name(lead, mission, title):
    update_deck_mission(actor=Member.objects.system(), mission=mission, title=title)
    response = lead.get(page(mission, "md"))
    name = response["Content-Disposition"].removeprefix('attachment; filename="').removesuffix('"')
    assert name.replace("-", "").replace(".md", "").isalnum()
    assert name.isascii()
    assert len(name) < 100


def test_mission_without_messages_has_empty_transcript(lead):
    assert json.loads(text(lead.get(page(make_mission(), "json"))))["messages"] == []


def test_transcript_is_streamed_with_length(lead, mission):
    for number in range(30):
        add_message(
            actor=Member.objects.system(), mission=mission, citizen="emma", sender="user", message=f"m{number} " * 1_000
        )
    response = lead.get(page(mission, "md"))
    pieces = list(response.streaming_content)
    assert len(pieces) > 1
    assert sum(map(len, pieces)) == int(response["Content-Length"])


@pytest.mark.parametrize(
    ("form", "citizen", "text"),
    [
        ("md", "nobody", "Unknown citizen. Choose one of"),
        ("md", "Rafael'; --", "Unknown citizen. Choose one of"),
        ("pdf", "", "Choose a transcript format: Markdown"),
        ("JSON", "", "Choose a transcript format: Markdown"),
    ],
)
def test_unknown_format_is_reported_in_workspace(lead, mission, form, citizen, text):
    response = lead.get(page(mission, form), {"citizen": citizen}, follow=True)
    assert response.redirect_chain[0][0] == address(mission)
    assert text in page_text(response)


def test_unknown_mission_redirects(lead):
    for key in ("00000000-0000-4000-8000-000000000000", "odd"):
        assert lead.get(f"/admin/missiondeck/deckmission/{key}/transcript/md/").status_code == 302


def test_transcript_needs_view_permission(mission):
    assert client("Community Manager").get(page(mission, "md")).status_code == 403
    assert client("Auditor").get(page(mission, "md")).status_code == 200
