"""The definition of done in a workspace, by category, with the item that is being edited."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from groups.models import Member
from missiondeck.admin.workspace_evidence import evidence_rows, matrix, roles_of
from missiondeck.admin.workspace_formats import format_progress
from missiondeck.admin.workspace_texts import links_in
from missiondeck.admin.workspace_url import WorkspaceUrl
from missiondeck.models import Category, DeckMission, DeckStatus, DodItem, DodTemplate, EvidenceKind
from missiondeck.selectors.checklist import Progress, progress_of
from missiondeck.selectors.comments import comment_counts, comments_on
from missiondeck.selectors.evidence import evidence_of, is_automatic, last_changes
from missionsite.common.rendering import render_markdown

COMMENTS_SHOWN = 100
# A placeholder for the key of an item in URLs.
_KEY = "00000000-0000-4000-8000-00000000face"


def checklist(mission: DeckMission, url: WorkspaceUrl, member: Member, *, may_change: bool) -> dict:
    """Categories with items, evidence and progress, and the URLs of the actions. member: the one who looks at it."""
    found = evidence_of(mission)
    is_closed = mission.status == DeckStatus.COMPLETE
    roles = roles_of(member) if found else set()
    proofs = {
        key: evidence_rows(rows, url, roles, is_open=not is_closed, may_change=may_change)
        for key, rows in found.items()
    }
    automatic = {key for key, rows in found.items() if is_automatic(rows)}
    counts = comment_counts(mission)
    progress = progress_of(mission)
    items = list(DodItem.objects.filter(mission=mission).select_related("completed_by"))
    may_change = may_change and not is_closed
    return {
        "is_closed": is_closed,
        "may_change": may_change,
        "is_empty": not items,
        "progress": shown_progress(progress[""]),
        "categories": [
            {
                "key": category.value,
                "name": category.label,
                "progress": shown_progress(progress[category.value]),
                "items": _rows(
                    [item for item in items if item.category == category], url, may_change, proofs, automatic, counts
                ),
            }
            for category in Category
        ],
        "matrix": matrix(items, proofs, last_changes(mission) if found else [], url),
        "evidence_kinds": EvidenceKind.choices,
        "add_url": url.to(edit=None).action("add"),
        "choices": Category.choices,
        "templates": list(DodTemplate.objects.filter(is_enabled=True).only("name")) if may_change else [],
        "template_url": url.to(edit=None).action("template"),
        "closing_url": url.to(edit=None).href,
    }


def item_comments(request: HttpRequest, mission: DeckMission, url: WorkspaceUrl) -> dict:
    """The comments on the item whose comments are shown: the latest, oldest first."""
    item = DodItem.objects.filter(mission=mission, pk=url.comments).first() if url.comments else None
    if item is None:
        return {}
    found = list(comments_on(item).reverse()[: COMMENTS_SHOWN + 1])
    shown = found[:COMMENTS_SHOWN][::-1]
    links = links_in(request, mission, [each.text for each in shown])
    return {
        "item": item.pk,
        "rows": [
            {"author": str(each.author), "at": each.created_at, "html": render_markdown(each.text, links)}
            for each in shown
        ],
        "has_earlier": len(found) > COMMENTS_SHOWN,
        "add_url": url.action("add_comment", item.pk),
    }


def shown_progress(progress: Progress) -> dict:
    return {
        "done": progress.done,
        "total": progress.total,
        "percent": progress.percent,
        "text": format_progress(progress),
    }


def _rows(
    items: list[DodItem],
    url: WorkspaceUrl,
    may_change: bool,
    proofs: dict[UUID, list[dict]],
    automatic: set[UUID],
    counts: dict[UUID, int],
) -> list[dict]:
    rows = []
    # Resolved once, because a mission may have hundreds of items.
    tick = url.action("tick", _KEY).split(_KEY, 1)
    edit = url.to(edit=UUID(_KEY)).href.rsplit(_KEY, 1)
    comments = url.to(comments=UUID(_KEY)).href.rsplit(_KEY, 1)
    closed = url.to(comments=None).href
    for number, item in enumerate(items):
        row = {
            "key": item.pk,
            "text": item.text,
            "category": item.category,
            "is_done": item.completed,
            "done_at": item.completed_at,
            "done_by": str(item.completed_by) if item.completed_by else "",
        }
        row["comments"] = counts.get(item.pk, 0)
        row["shows_comments"] = item.pk == url.comments
        row["comments_url"] = closed if row["shows_comments"] else f"{comments[0]}{item.pk}{comments[1]}"
        row["proofs"] = proofs.get(item.pk, [])
        if may_change and item.pk not in automatic:
            row["tick_url"] = f"{tick[0]}{item.pk}{tick[1]}"
        if may_change:
            row["edit_url"] = f"{edit[0]}{item.pk}{edit[1]}"
        if may_change and item.pk == url.edit:
            row["editor"] = {
                "change_url": url.to(edit=None).action("edit", item.pk),
                "position_url": url.action("position", item.pk),
                "remove_url": url.to(edit=None).action("remove", item.pk),
                "evidence_url": url.action("add_evidence", item.pk),
                "is_first": number == 0,
                "is_last": number == len(items) - 1,
            }
        rows.append(row)
    return rows
