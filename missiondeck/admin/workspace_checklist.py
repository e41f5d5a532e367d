"""The definition of done in a workspace, by category, with the item that is being edited."""

from __future__ import annotations

from uuid import UUID

from missiondeck.admin.workspace_formats import format_progress
from missiondeck.admin.workspace_url import WorkspaceUrl
from missiondeck.models import Category, DeckMission, DeckStatus, DodItem
from missiondeck.selectors.checklist import Progress, progress_of

# A placeholder for the key of an item in URLs.
_KEY = "00000000-0000-4000-8000-00000000face"


def checklist(mission: DeckMission, url: WorkspaceUrl, *, may_change: bool) -> dict:
    """Categories with items and progress, and the URLs of the actions."""
    progress = progress_of(mission)
    items = list(DodItem.objects.filter(mission=mission).select_related("completed_by"))
    is_closed = mission.status == DeckStatus.COMPLETE
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
                "items": _rows([item for item in items if item.category == category], url, may_change),
            }
            for category in Category
        ],
        "add_url": url.to(edit=None).action("add"),
        "choices": Category.choices,
        "closing_url": url.to(edit=None).href,
    }


def shown_progress(progress: Progress) -> dict:
    return {
        "done": progress.done,
        "total": progress.total,
        "percent": progress.percent,
        "text": format_progress(progress),
    }


def _rows(items: list[DodItem], url: WorkspaceUrl, may_change: bool) -> list[dict]:
    rows = []
    # Resolved once, because a mission may have hundreds of items.
    tick = url.action("tick", _KEY).split(_KEY, 1)
    edit = url.to(edit=UUID(_KEY)).href.rsplit(_KEY, 1)
    for number, item in enumerate(items):
        row = {
            "key": item.pk,
            "text": item.text,
            "category": item.category,
            "is_done": item.completed,
            "done_at": item.completed_at,
            "done_by": str(item.completed_by) if item.completed_by else "",
        }
        if may_change:
            row["tick_url"] = f"{tick[0]}{item.pk}{tick[1]}"
            row["edit_url"] = f"{edit[0]}{item.pk}{edit[1]}"
        if may_change and item.pk == url.edit:
            row["editor"] = {
                "change_url": url.to(edit=None).action("edit", item.pk),
                "position_url": url.action("position", item.pk),
                "remove_url": url.to(edit=None).action("remove", item.pk),
                "is_first": number == 0,
                "is_last": number == len(items) - 1,
            }
        rows.append(row)
    return rows
