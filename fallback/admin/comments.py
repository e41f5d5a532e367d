"""The comments of a mission or proposal: a tab of its page, and the forms in it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.admin.base import ProjectCustomTab, member_of, rights_of
from fallback.models import Mission, MissionComment, MissionFallbackItem
from fallback.selectors.comments import may_edit, may_remove
from fallback.selectors.rights import Right
from fallback.services.comments import add_comment, edit_comment, people_of_project, project_of, remove_comment
from missionsite.common.admin.actions import post_action, valid_values
from missionsite.common.admin.form_keys import FormResult

# Comments shown on a page, the latest ones.
SHOWN = 200


class CommentForm(forms.Form):
    body = forms.CharField(label=_("Comment"), max_length=rules.COMMENT_LENGTH)


def _comments(subject: Mission | MissionFallbackItem, request: HttpRequest) -> dict:
    """The context of the tab."""
    rights, at = rights_of(request), timezone.now()
    found = list(subject.comments.select_related("author").order_by("-created_at", "-id")[:SHOWN])[::-1]
    route = "fallback_mission_comment" if isinstance(subject, Mission) else "fallback_item_comment"
    may_comment = rights.allows(Right.CONTRIBUTE, subject.project)
    return {
        "comments": [
            {
                "comment": each,
                "may_edit": may_edit(rights, each, subject.project, at),
                "may_remove": may_remove(rights, each, subject.project, at),
            }
            for each in found
        ],
        "add_url": reverse(f"admin:{route}", args=[subject.pk]) if may_comment else "",
        "people": [
            {"handle": person.member_id, "name": person.display_name} for person in people_of_project(subject.project)
        ]
        if may_comment
        else [],
        "minutes": int(rules.COMMENT_EDIT_WINDOW.total_seconds() // 60),
        "longest": rules.COMMENT_LENGTH,
    }


COMMENTS: ProjectCustomTab[Any] = ProjectCustomTab(
    name="comments", title=_("Comments"), template="fallback/comments.html", context=_comments
)


def _tab_of_mission(mission_id: str) -> str:
    return reverse("admin:fallback_mission_comments", args=[mission_id])


def _tab_of_item(item_id: str) -> str:
    return reverse("admin:fallback_missionfallbackitem_comments", args=[item_id])


def _tab_of_comment(comment_id: str) -> str:
    comment = MissionComment.objects.get(pk=comment_id)
    return _tab_of_mission(comment.mission_id) if comment.mission_id else _tab_of_item(str(comment.item_id))


def _subject(request: HttpRequest, model: Any, pk: str) -> Any:
    """A mission or proposal on which the user may comment. Raises Http404, NotAllowed."""
    rights = rights_of(request)
    visible = model._default_manager.filter(rights.project_filter(Right.VIEW, path="project__"), pk=pk)
    found = visible.select_related("project__organization").first()
    if found is None:
        raise Http404(gettext("Not found."))
    rights.check(Right.CONTRIBUTE, found.project)
    return found


def _comment(request: HttpRequest, pk: str) -> MissionComment:
    rights = rights_of(request)
    visible = rights.project_filter(Right.VIEW, path="mission__project__") | rights.project_filter(
        Right.VIEW, path="item__project__"
    )
    comment = MissionComment.objects.filter(visible if visible else Q(), pk=pk).first()
    if comment is None:
        raise Http404(gettext("Comment not found."))
    return comment


@post_action(back=_tab_of_mission, once=True)
def mission_comment_view(request: HttpRequest, mission_id: str) -> FormResult:
    """Comment on a mission."""
    mission = _subject(request, Mission, mission_id)
    body = valid_values(CommentForm(request.POST), with_label=True)["body"]
    add_comment(actor=member_of(request), mission=mission, body=body)
    return FormResult(_tab_of_mission(mission_id), gettext("Comment added."))


@post_action(back=_tab_of_item, once=True)
def item_comment_view(request: HttpRequest, item_id: str) -> FormResult:
    """Comment on a proposal."""
    item = _subject(request, MissionFallbackItem, item_id)
    body = valid_values(CommentForm(request.POST), with_label=True)["body"]
    add_comment(actor=member_of(request), item=item, body=body)
    return FormResult(_tab_of_item(item_id), gettext("Comment added."))


@post_action(back=_tab_of_comment)
def edit_view(request: HttpRequest, comment_id: str) -> FormResult:
    """Change one's own comment."""
    comment = _comment(request, comment_id)
    rights_of(request).check(Right.CONTRIBUTE, project_of(comment))
    body = valid_values(CommentForm(request.POST), with_label=True)["body"]
    edit_comment(actor=member_of(request), comment=comment, body=body)
    return FormResult(_tab_of_comment(comment_id), gettext("Comment changed."))


@post_action(back=_tab_of_comment)
def remove_view(request: HttpRequest, comment_id: str) -> FormResult:
    """Remove a comment."""
    comment = _comment(request, comment_id)
    # A removed one raises CommentRemoved.
    if comment.removed_at or not may_remove(rights_of(request), comment, project_of(comment), timezone.now()):
        rights_of(request).check(Right.MAINTAIN, project_of(comment))
    remove_comment(actor=member_of(request), comment=comment)
    return FormResult(_tab_of_comment(comment_id), gettext("Comment removed."))
