"""What a workspace sentences in text: times, moves, verdicts."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from missiondeck.errors import missing_sentences
from missiondeck.models import DeckMission, DeckStatus, DeckStatusChange, RunStatus, TestRun
from missiondeck.services.checklist import Progress
from missionsite.common.admin.formats import format_datetime, format_number

SOON = timedelta(days=3)


def format_days_left(deadline: datetime, at: datetime) -> str:
    """How long there is left, or how long there has been none."""
    if deadline >= at:
        return f"{_span(deadline - at)} left"
    return f"{_span(at - deadline)} overdue"


def _span(length: timedelta) -> str:
    if length.days:
        return f"{length.days:,} day{'' if length.days == 1 else 's'}"
    hours = length.seconds // 3600
    if hours:
        return f"{hours} hour{'' if hours == 1 else 's'}"
    return "less than an hour"


def format_duration(seconds: float | int | None) -> str:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return ""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"


def member_link(request: HttpRequest, member: Model | None) -> str:
    """A member's name, as a link for who may open it."""
    if member is None:
        return ""
    if not request.user.has_perm("groups.view_member"):
        return str(member)
    url = reverse("admin:groups_member_change", args=[member.pk])
    return format_html('<a class="row-link" href="{}">{}</a>', url, member)


def missing_parts(missing: list[dict]) -> list[dict]:
    """What is missing, a sentence each; open items are named one by one below theirs, and `run` is a run to look at."""
    parts = []
    for each in missing:
        if each["what"] != "open_items":
            parts.append({"text": missing_sentences([each])[0], "items": [], "more": 0, "run": each.get("run")})
            continue
        count = each["count"]
        text = f"{count:,} item{' is' if count == 1 else 's are'} open:"
        parts.append({"text": text, "items": each["items"], "more": count - len(each["items"])})
    return parts


def mission_summary(
    mission: DeckMission,
    *,
    missing: list[dict],
    latest: TestRun | None,
    overridden: DeckStatusChange | None,
    at: datetime,
) -> dict:
    """Whether a mission is safe, late or not really done: a tone (good, warn, bad, calm), a title, and sentences."""
    if mission.status == DeckStatus.COMPLETE:
        return _summary_of_complete(mission, latest, overridden)
    parts = missing_parts(missing)
    late, text = mission.deadline < at, format_days_left(mission.deadline, at)
    if late:
        tone, title = "bad", f"Late: {text}"
    elif not missing:
        tone, title = "good", f"Safe: nothing is missing, {text}"
    else:
        tone, title = "warn" if mission.deadline - at < SOON else "calm", f"Not done yet: {text}"
    sentences = [_short(each) for each in missing]
    if not missing:
        step = "It can be completed." if mission.status == DeckStatus.QA else "It can go to QA, and then be completed."
        sentences = [f"Every item is done and the latest test run passed. {step}"]
    return {"tone": tone, "title": title, "sentences": sentences, "parts": parts}


def _summary_of_complete(mission: DeckMission, latest: TestRun | None, overridden: DeckStatusChange | None) -> dict:
    failed_since = latest is not None and latest.status == RunStatus.FAILED and latest.created_at > mission.completed_at
    sentences = []
    if failed_since:
        sentences.append(f"The latest test run failed after it was completed, {format_datetime(latest.created_at)}.")
    if mission.override_reason:
        sentences.append("It was completed although something was missing.")
    if failed_since:
        tone, title = "bad", "Complete, but its tests fail"
    elif mission.override_reason:
        tone, title = "warn", "Complete, all the same"
    else:
        tone, title = "good", "Complete"
        sentences.append("Every item was done and the latest test run had passed.")
    return {
        "tone": tone,
        "title": title,
        "sentences": sentences,
        "parts": missing_parts(overridden.missing) if overridden else [],
    }


def _short(missing: dict) -> str:
    """What is missing in a few text: the items themselves stand in the definition of done."""
    if missing["what"] == "open_items":
        count = missing["count"]
        return f"{count:,} item{' is' if count == 1 else 's are'} open."
    return missing_sentences([missing])[0]


def format_progress(progress: Progress) -> str:
    return f"{format_number(progress.done)} of {format_number(progress.total)}"
