"""Outbox page: the files of the file transport, newest first."""

import json
import os
import re
from datetime import datetime
from heapq import nlargest
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from engagement.admin.base import CHANGE_PROFILE
from engagement.rules import MessageType
from engagement.services.rendering import COMMON_SAMPLES
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.formats import format_datetime

SHOWN = 50
# Bytes of a file that are read; a message is much shorter.
LONGEST = 256 * 1024
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def outbox_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    """List the newest messages of the outbox folder."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    # An unsubscribe link works for anyone who has it.
    may_follow = request.user.has_perm(CHANGE_PROFILE)
    transports = list(settings.ENGAGEMENT_CHANNELS.values()) or [settings.ENGAGEMENT_TRANSPORT]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Outbox"),
        "opts": model_admin.opts,
        "is_used": "file" in transports,
        "transport": ", ".join(dict.fromkeys(transports)),
        "messages_sent": [_read(path, whole=may_follow) for path in newest_files(Path(settings.ENGAGEMENT_OUTBOX))],
        "shown": SHOWN,
        "back": reverse("admin:engagement_engagementmessage_changelist"),
        "no_tabs": True,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "engagement/outbox.html", context)


def newest_files(folder: Path, *, most: int = SHOWN) -> list[Path]:
    """Return the newest files of the day folders. Symbolic links to folders and files are not followed."""
    found: list[Path] = []
    for day in sorted(_days(folder), reverse=True):
        stamped = []
        try:
            with os.scandir(folder / day) as entries:
                for entry in entries:
                    name = entry.name
                    if name.endswith(".json") and not name.startswith(".") and entry.is_file(follow_symlinks=False):
                        stamped.append((entry.stat(follow_symlinks=False).st_mtime_ns, name))
        except OSError:
            continue
        found += [folder / day / name for _, name in nlargest(most - len(found), stamped)]
        if len(found) >= most:
            break
    return found


def _days(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [each.name for each in entries if _DAY.fullmatch(each.name) and each.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _read(path: Path, *, whole: bool) -> dict:
    """Return the fields of a message file; {"broken": True} with its name if it cannot be read."""
    name = f"{path.parent.name}/{path.name}"
    try:
        # O_NOFOLLOW: the file may have been replaced by a symbolic link since it was listed.
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as file:
            content = json.loads(file.read(LONGEST))
        if not isinstance(content, dict):
            raise ValueError("no object")
    except (OSError, ValueError, RecursionError):
        return {"name": name, "broken": True}
    text = {key: str(content.get(key) or "") for key in ("subject", "body", "name", "email", "address", "locale")}
    if not whole and (unsubscribe_url := str(content.get("unsubscribe_url") or "")):
        text["body"] = text["body"].replace(unsubscribe_url, COMMON_SAMPLES["unsubscribe_url"])
    return text | {
        "file": name,
        "to": text["name"],
        "where": text["address"] or text["email"],
        "sent": _format_sent_at(content.get("sent_at")),
        "kind": str(dict(MessageType.choices).get(str(content.get("message_type")), "")),
    }


def _format_sent_at(text: object) -> str:
    try:
        sent: datetime | None = parse_datetime(str(text))
    except ValueError:
        return ""
    return format_datetime(sent) if sent and sent.tzinfo else ""
