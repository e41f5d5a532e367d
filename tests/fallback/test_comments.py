"""Comments on missions and proposals: mentions, editing, removing, and who may do it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from fallback.errors import CommentOfOther, CommentRemoved, CommentTooOld
from fallback.models import MissionComment, Notification
from fallback.rules import COMMENT_EDIT_WINDOW
from fallback.services.comments import add_comment, edit_comment, remove_comment
from missionsite.common.mentions import find_mentions
from missionsite.common.rendering import mentioned_people
from tests.fallback.api.calls import post, read_pages
from tests.support.admin import client_of, page_text
from tests.support.database import rejected_by
from tests.support.factories.fallback import ItemFactory, MissionFactory, ProjectMemberFactory
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def mission():
    return MissionFactory(title="Write the guide")


def person(mission, role: str, name: str = "Ana"):
    member = StaffFactory(display_name=name)
    return ProjectMemberFactory(project=mission.project, role=role, member=member).member


def tab(mission) -> str:
    return reverse("admin:fallback_mission_comments", args=[mission.pk])


def informed(member) -> int:
    return Notification.objects.filter(member=member, kind="mention").count()


# --- Mentions ---------------------------------------------------------------------------------


def test_mention_by_name_or_id_notifies_people_of_project(mission):
    author, ana, souza = (person(mission, "contributor", name) for name in ("Rui", "Ana", "Ana Souza"))
    outsider = MemberFactory(display_name="Outsider")
    add_comment(actor=author, mission=mission, body=f"@ana souza and @{ana.member_id}: see @Outsider and @Rui")
    assert [informed(each) for each in (souza, ana, outsider, author)] == [1, 1, 0, 0]
    add_comment(actor=author, mission=mission, body="@Ana Souza alone; not rui@Ana, nor @Anastasia")
    assert [informed(souza), informed(ana)] == [2, 1]


def test_same_name_mentions_both():
    people = [MemberFactory.build(display_name="Ana", member_id=f"FE-P-9000{n}") for n in (1, 2)]
    assert len(mentioned_people("Hello @ANA!", people)) == 2
    assert mentioned_people("Hello Ana", people) == []


def test_edit_notifies_only_new_mentions(mission):
    author, ana, rui = (person(mission, "contributor", name) for name in ("Author", "Ana", "Rui"))
    comment = add_comment(actor=author, mission=mission, body="@Ana")
    edit_comment(actor=author, comment=comment, body="@Ana @Rui")
    assert [informed(ana), informed(rui)] == [1, 1]


def test_mention_links_to_the_comments(mission):
    author, ana = person(mission, "contributor", "Author"), person(mission, "reviewer", "Ana")
    item = ItemFactory(run__project=mission.project)
    add_comment(actor=author, item=item, body="@Ana")
    page = client_of(ana).get(reverse("admin:fallback_inbox"))
    assert "You are mentioned in a comment" in page_text(page)
    link = reverse("admin:fallback_missionfallbackitem_comments", args=[item.pk])
    assert f'href="{link}"' in page.content.decode()
    assert client_of(ana).get(link).status_code == 200


# --- Rules ------------------------------------------------------------------------------------


def test_own_comment_is_edited_for_some_minutes(mission):
    author, other = person(mission, "contributor"), person(mission, "maintainer", "Other")
    comment = add_comment(actor=author, mission=mission, body="First")
    late = comment.created_at + COMMENT_EDIT_WINDOW + timedelta(seconds=1)
    with pytest.raises(CommentOfOther):
        edit_comment(actor=other, comment=comment, body="Mine")
    with pytest.raises(CommentTooOld):
        edit_comment(actor=author, comment=comment, body="Late", at=late)
    assert edit_comment(actor=author, comment=comment, body="Second").edited_at
    remove_comment(actor=other, comment=comment)
    for change in (
        lambda: edit_comment(actor=author, comment=comment, body="Third"),
        lambda: remove_comment(actor=other, comment=comment),
    ):
        with pytest.raises(CommentRemoved):
            change()


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"body": "A", "mission": None}, "mission_comments_of_one"),
        ({"body": " \n "}, "mission_comments_body_not_empty"),
    ],
)
def test_table_rejects(mission, values, constraint):
    with rejected_by(constraint):
        MissionComment.objects.create(**{"mission": mission, "author": MemberFactory()} | values)


# --- Pages ------------------------------------------------------------------------------------


def test_page_adds_edits_and_removes(mission):
    author, maintainer = person(mission, "contributor"), person(mission, "maintainer", "Olga")
    browser = client_of(author)
    add = reverse("admin:fallback_mission_comment", args=[mission.pk])
    browser.post(add, {"body": "<b>Bold</b> see https://example.org/a"})
    page = browser.get(tab(mission)).content.decode()
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    assert 'href="https://example.org/a"' in page
    comment = MissionComment.objects.get()
    edit, remove = (reverse(f"admin:fallback_comment_{name}", args=[comment.pk]) for name in ("edit", "remove"))
    browser.post(edit, {"body": "Changed"})
    assert "Changed" in page_text(browser.get(tab(mission)))
    assert "Enter" not in page_text(browser.post(edit, {"body": ""}))
    # After 15 minutes, only a maintainer removes it.
    MissionComment.objects.update(created_at=timezone.now() - timedelta(hours=1))
    browser.post(remove)
    comment.refresh_from_db()
    assert comment.removed_at is None
    client_of(maintainer).post(remove)
    page = page_text(browser.get(tab(mission)))
    assert "This comment was removed." in page
    assert "Changed" not in page


def test_viewer_reads_and_outsider_does_not(mission):
    add_comment(actor=person(mission, "contributor"), mission=mission, body="Only for the project")
    viewer = client_of(person(mission, "viewer", "Viewer"))
    assert "Only for the project" in page_text(viewer.get(tab(mission)))
    assert "Add comment" not in page_text(viewer.get(tab(mission)))
    viewer.post(reverse("admin:fallback_mission_comment", args=[mission.pk]), {"body": "Mine"})
    assert MissionComment.objects.count() == 1
    elsewhere = client_of(person(MissionFactory(), "maintainer", "Elsewhere"))
    comment = MissionComment.objects.get()
    assert elsewhere.post(reverse("admin:fallback_comment_remove", args=[comment.pk])).status_code == 404
    comment.refresh_from_db()
    assert comment.removed_at is None


# --- API --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mission", "proposal"])
def test_api_lists_adds_and_removes_comments(mission, kind):
    item = ItemFactory(run__project=mission.project)
    author, other, chief = (person(mission, role, role.title()) for role in ("reviewer", "reviewer", "maintainer"))
    subject = mission if kind == "mission" else item
    part = f"missions/{mission.pk}" if kind == "mission" else f"fallback/items/{item.pk}"
    address = f"/api/projects/{mission.project_id}/{part}/comments"
    made = []
    for text in ("First", f"@{other.member_id}, @Chief: second", "Third"):
        answer = post(api_client(author), address, body=text)
        assert answer.status_code == 201
        made.append(answer.json())
    assert informed(other) == 1
    rows, pages = read_pages(api_client(other), f"{address}?limit=2")
    assert ([row["body"] for row in rows], pages) == (["Third", f"@{other.member_id}, @Chief: second", "First"], 2)
    assert {row["author"] for row in rows} == {author.member_id}
    # Of others, only a maintainer removes one; one's own within 15 minutes.
    assert post(api_client(other), f"{address}/{made[0]['id']}/remove").status_code == 403
    for client, each in ((author, made[0]), (chief, made[1])):
        assert post(api_client(client), f"{address}/{each['id']}/remove").json()["body"] == ""
    assert post(api_client(author), f"{address}/{made[0]['id']}/remove").json()["code"] == "comment_removed"
    MissionComment.objects.filter(pk=made[2]["id"]).update(created_at=timezone.now() - timedelta(hours=1))
    assert post(api_client(author), f"{address}/{made[2]['id']}/remove").status_code == 403
    assert subject.comments.filter(removed_at=None).count() == 1
    assert post(api_client(author), address, body=" ").status_code == 422
    elsewhere = MissionFactory(project=mission.project)
    wrong = f"/api/projects/{mission.project_id}/missions/{elsewhere.pk}/comments/{made[2]['id']}/remove"
    assert post(api_client(chief), wrong).status_code == 404


def test_comment_is_found_before_erasing(mission):
    comment = add_comment(actor=person(mission, "contributor"), mission=mission, body="Ask Zacharias Quillfeather")
    found = find_mentions(["Zacharias Quillfeather"], may=lambda permission: permission == "fallback.every_project")
    assert [(str(each.noun), each.links) for each in found if each.links] == [
        ("Comments", [(str(comment), tab(mission))])
    ]
