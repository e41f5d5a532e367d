"""Authors of chat messages, comments on items, and what their mentions and references link to."""

import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError, transaction

from groups.models import Event
from missiondeck.models import ChatMessage, DodComment, Notice
from missiondeck.rules import COMMENT_LENGTH
from missiondeck.selectors.chats import transcript_as_json, transcript_as_markdown
from missiondeck.services.chats import add_message
from missiondeck.services.client_links import add_client_comment
from missiondeck.services.comments import add_item_comment
from missiondeck.services.notices import process_notices
from tests.missiondeck.test_clients import link_to
from tests.missiondeck.workspace_helpers import address, make_item, make_mission
from tests.support.admin import client_of, page_text, staff
from tests.support.database import rejected_by, rows
from tests.support.errors import violates
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

SENT = {"citizen": "rafael", "message": "Does it pay?"}


def test_author_of_message_is_stored_and_shown(lead, dora, mission):
    for sender, author in (("user", ""), ("citizen", ""), ("user", "Acme")):
        body = SENT | {"sender": sender, "author_name": author}
        assert lead.post(address(mission, "_add_message"), body).status_code == 302
    # From before authors were stored.
    rows(
        "INSERT INTO chat_messages (mission_id, sender, message) VALUES (%s, 'user', 'Old') RETURNING id", [mission.pk]
    )
    assert set(ChatMessage.objects.values_list("sender", "author", "author_name")) == {
        ("user", dora.pk, ""),
        ("citizen", dora.pk, ""),
        ("user", dora.pk, "Acme"),
        ("user", None, ""),
    }
    page = page_text(lead.get(address(mission), {"citizen": "rafael"}))
    by = f"recorded by <bdi>{dora.display_name}</bdi>"
    for text in (f"<bdi>{dora.display_name} to Rafael</bdi></strong> <time", "<bdi>To Rafael</bdi></strong> <time",
                 f'<bdi>Acme to Rafael</bdi></strong> <span class="ws-quiet">{by}</span>',
                 f'<bdi>Rafael</bdi></strong> <span class="ws-quiet">{by}</span>'):  # fmt: skip
        assert text in page
    transcript = "".join(transcript_as_markdown(mission))
    assert f"## Acme to Rafael (recorded by {dora.display_name}), " in transcript
    assert f'"author": "Acme", "recorded_by": "{dora.member_id}"' in "".join(transcript_as_json(mission))


def test_author_is_one_line(mission):
    with rejected_by("chat_messages_author_name_one_line"):
        rows(
            "INSERT INTO chat_messages (mission_id, sender, message, author_name) VALUES (%s, 'user', 'a', E'a\\nb')",
            [mission.pk],
        )


def test_comment_on_item_is_shown(lead, dora, mission):
    item, other = make_item(mission), make_mission(title="Other")
    target, body = address(mission, "_add_comment", item.pk), {"text": f"See #{other.number}, #99999 and @Inna <b>"}
    answer = lead.post(target, body)
    assert answer["Location"] == f"{address(mission)}?comments={item.pk}#ws-checklist"
    answer = lead.get(answer["Location"])
    page = page_text(answer)
    assert "1 comment<" in page
    assert f'<a href="{address(other)}" rel="nofollow noopener noreferrer">#{other.number}</a>' in page
    assert ", #99999 and " in page
    assert (
        f'<a href="{address(mission)}?citizen=inna" rel="nofollow noopener noreferrer">@Inna</a> &lt;b&gt;'
        in answer.content.decode()
    )
    assert body["text"].split(",")[0] not in page_text(lead.get(address(mission)))
    # Wrong input stays in the form.
    page = page_text(lead.post(target, {"text": "x" * (COMMENT_LENGTH + 1)}))
    assert "A comment can have at most 5,000 characters." in page
    assert "x" * (COMMENT_LENGTH + 1) in page
    event = Event.objects.get(type="dod_comment.created")
    assert (event.actor, event.payload["item"]) == (dora, item.text)


def test_comments_are_append_only(mission):
    comment = add_item_comment(actor=MemberFactory(), item=make_item(mission), text="Fine")
    for statement in ("UPDATE dod_comments SET text = 'Bad' RETURNING 1", "DELETE FROM dod_comments RETURNING 1"):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            rows(statement)
    with rejected_by("dod_comments_text_not_empty"):
        rows("INSERT INTO dod_comments (item_id, author_id, text) SELECT item_id, author_id, ' ' FROM dod_comments")
    with violates("dod_comments_text_length"):
        add_item_comment(actor=comment.author, item=comment.item, text="x" * (COMMENT_LENGTH + 1))
    assert list(DodComment.objects.all()) == [comment]


def test_mentions_in_comments_are_told(dora, mission):
    omar, item = staff("Delivery Lead", display_name="Omar"), make_item(mission)
    add_item_comment(actor=dora, item=item, text="@Omar: `@Omar` and @Nina")
    link, _page = link_to(mission)
    add_client_comment(actor=MemberFactory(), link=link, text="Thank you, @omar!")
    add_message(actor=dora, mission=mission, citizen="emma", sender="user", message="```\n@Omar\n```")
    assert process_notices() == 2
    told = omar.notifications.order_by("pk").values_list("title", "payload__url")
    assert {title.split(": ")[1] for title, _url in told} == {"you are mentioned in a message or comment"}
    assert {url for _title, url in told} == {
        f"{address(mission)}?comments={item.pk}",
        address(mission, "_clients"),
    }
    assert Notice.objects.filter(kind="mention").count() == 2


def test_client_sees_no_internal_links(client, lead, mission):
    _link, page = link_to(mission)
    text = f"- [x] Paid\n\nSee #{mission.number}, @Inna and https://shop.example/?a=1&b=2."
    assert client.post(page, {"do": "comment", "comment-text": text}).status_code == 302
    shown = client.get(page).content.decode()
    url = "https://shop.example/?a=1&amp;b=2"
    assert f'<a href="{url}" rel="nofollow noopener noreferrer">{url}</a>' in shown
    assert f"See #{mission.number}, @Inna and" in shown
    assert '<span class="markdown-task">\u2611</span> Paid' in shown
    assert "/admin/" not in shown
    # Staff see the link.
    assert f'<a href="{address(mission)}" rel=' in page_text(lead.get(address(mission, "_clients")))


def test_member_is_linked_if_reader_may_view_members(mission):
    staff("Delivery Lead", display_name="Omar")
    add_item_comment(actor=MemberFactory(), item=make_item(mission), text="@Omar")
    item, reader = mission.dod_items.get(), staff(display_name="Reader")
    for right, is_linked in (("view_deckmission", False), ("view_member", True)):
        reader.user_permissions.add(Permission.objects.get(codename=right))
        page = page_text(client_of(reader).get(address(mission), {"comments": item.pk}))
        assert ("/admin/groups/member/" in page.split('class="ws-box ws-comments"')[1][:2000]) == is_linked
