"""The chats of a workspace: a tab per citizen, and paginated messages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import Count, F, IntegerField, Max, Q, TextField
from django.db.models.functions import Cast, Length
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from missiondeck.admin.workspace_texts import links_in
from missiondeck.admin.workspace_url import WorkspaceUrl
from missiondeck.models import ChatMessage, Citizen, DeckMission
from missiondeck.selectors.chats import format_author, recorder_of
from missionsite.common.markdown_links import Links
from missionsite.common.rendering import render_code, render_markdown

# A page of a chat has at most so many messages and about so many characters.
MESSAGES = 30
CHARACTERS = 300_000
# Processor time for formatting one page; the remaining messages are shown as plain text.
SECONDS = 1.5


def citizens(mission: DeckMission, url: WorkspaceUrl, every: list[Citizen]) -> tuple[list[dict], Citizen]:
    """The tabs, and the open citizen: the chosen one, else the one with the latest message. every: all citizens."""
    rows = ChatMessage.objects.filter(mission=mission).order_by().values_list("citizen")
    found = {name: (count, last) for name, count, last in rows.annotate(Count("pk"), Max("created_at"))}
    shown = [each for each in every if each.is_enabled or each.key in found]
    spoke_last = max(found, key=lambda name: found[name][1], default=shown[0].key)
    by_key = {each.key: each for each in shown}
    chosen = by_key.get(url.citizen) or by_key[spoke_last]
    tabs = [
        {
            "key": citizen.key,
            "name": citizen.name,
            "role": citizen.role,
            "count": found.get(citizen.key, (0, None))[0],
            "is_open": citizen == chosen,
            "url": WorkspaceUrl(url.mission, citizen=citizen.key).href,
        }
        for citizen in shown
    ]
    return tabs, chosen


def chat(request: HttpRequest, mission: DeckMission, citizen: str, url: WorkspaceUrl, names: Mapping[str, str]) -> dict:
    """A page of a chat, latest message last: the last page, or the one before a given message.

    names: of all citizens, by their keys.
    """
    messages = ChatMessage.objects.filter(mission=mission, citizen=citizen)
    before = messages.filter(pk=url.before).only("created_at").first() if url.before else None
    if before is not None:
        earlier = Q(created_at__lt=before.created_at) | Q(created_at=before.created_at, id__lt=before.pk)
        messages = messages.filter(earlier)
    newest_first = messages.order_by(F("created_at").desc(), F("id").desc())
    sizes = newest_first.values_list("pk", Length("message") + _json_length("code_blocks"))[: MESSAGES + 1]
    keys = _that_fit(list(sizes))
    rows = ChatMessage.objects.filter(pk__in=keys).order_by(F("created_at").desc(), F("id").desc())
    found = list(rows.select_related("author"))
    shown = _rendered(found, links_in(request, mission, [each.message for each in found]), names)[::-1]
    has_earlier = len(sizes) > len(keys)
    return {
        "messages": shown,
        "earlier": url.to(citizen=citizen, before=keys[-1]).href if has_earlier else "",
        "latest": url.to(citizen=citizen, before=None).href if before is not None else "",
    }


def _json_length(field: str) -> Length:
    return Length(Cast(F(field), TextField()), output_field=IntegerField())


def _that_fit(sizes: list[tuple[UUID, int]]) -> list[UUID]:
    """The keys of the messages that fit on a page, newest first; at least one."""
    keys: list[UUID] = []
    total = 0
    for key, size in sizes[:MESSAGES]:
        total += size
        if keys and total > CHARACTERS:
            break
        keys.append(key)
    return keys


def _rendered(messages: Iterable[ChatMessage], links: Links, names: Mapping[str, str]) -> list[dict]:
    """Messages for the template, formatted until the time limit is reached."""
    end = time.thread_time() + SECONDS
    shown = []
    for each in messages:
        shown.append(
            {
                "key": each.pk,
                "sender": each.sender,
                "who": format_author(each, names),
                "recorded_by": recorder_of(each),
                "at": each.created_at,
                "html": render_markdown(each.message, links)
                if time.thread_time() < end
                else _without_formatting(each.message),
                "codes": [
                    render_code(block["code"], block["language"] if time.thread_time() < end else "")
                    for block in each.code_blocks
                ],
            }
        )
    return shown


def _without_formatting(text: str) -> SafeString:
    return format_html(
        '<div class="markdown" dir="auto"><p class="markdown-note">{}</p><div class="markdown-plain">{}</div></div>',
        gettext("Shown without formatting: this page is too long."),
        text.replace("\x00", "\ufffd"),
    )
