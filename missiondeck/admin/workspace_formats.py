"""Texts of a workspace: durations, links, what is missing, and the summary of a mission."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from missiondeck.errors import missing_sentences
from missiondeck.models import DeckMission, DeckStatus, DeckStatusChange, RunStatus, TestRun
from missiondeck.selectors.checklist import Progress
from missionsite.common.admin.formats import format_datetime, format_number

SOON = timedelta(days=3)


def format_days_left(deadline: datetime, at: datetime) -> str:
    """The time to a deadline: "3 days left", "less than an hour left", "12 days overdue"."""
    if deadline >= at:
        return f"{_format_span(deadline - at)} left"
    return f"{_format_span(at - deadline)} overdue"


def _format_span(length: timedelta) -> str:
    if length.days:
        return f"{length.days:,} day{'' if length.days == 1 else 's'}"
    hours = length.seconds // 3600
    if hours:
        return f"{hours} hour{'' if hours == 1 else 's'}"
    return "less than an hour"


def format_duration(seconds: float | int | None) -> str:
    """Seconds as "2.5 s", "3 min 5 s" or "1 h 10 min"; "" for anything that is not a number."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return ""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"


def member_link(request: HttpRequest, member: Model | None) -> str:
    """The name of a member, as a link for users who may view members."""
    if member is None:
        return ""
    if not request.user.has_perm("groups.view_member"):
        return str(member)
    url = reverse("admin:groups_member_change", args=[member.pk])
    return format_html('<a class="row-link" href="{}">{}</a>', url, member)


def missing_parts(missing: list[dict]) -> list[dict]:
    """What is missing, a sentence each. Open items are listed below theirs; `run` is a test run to link to."""
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
    """The summary at the top of a workspace: a tone (good, warn, bad, calm), a title, sentences and missing parts."""
    if mission.status == DeckStatus.COMPLETE:
        return _summary_of_complete(mission, latest, overridden)
    time_left = format_days_left(mission.deadline, at)
    if mission.deadline < at:
        tone, title = "bad", f"Late: {time_left}"
    elif not missing:
        tone, title = "good", f"Ready: {time_left}"
    else:
        tone, title = "warn" if mission.deadline - at < SOON else "calm", f"In progress: {time_left}"
    sentences = [_short_sentence(each) for each in missing]
    if not missing:
        step = "It can be completed now." if mission.status == DeckStatus.QA else "It can move to QA."
        sentences = [f"All items are done and the latest test run passed. {step}"]
    return {"tone": tone, "title": title, "sentences": sentences, "parts": missing_parts(missing)}


def _summary_of_complete(mission: DeckMission, latest: TestRun | None, overridden: DeckStatusChange | None) -> dict:
    failed_since = latest is not None and latest.status == RunStatus.FAILED and latest.created_at > mission.completed_at
    sentences = []
    if failed_since:
        sentences.append(f"The latest test run failed after completion, on {format_datetime(latest.created_at)}.")
    if mission.override_reason:
        sentences.append("It was completed with an override.")
    if failed_since:
        tone, title = "bad", "Complete, but tests fail"
    elif mission.override_reason:
        tone, title = "warn", "Complete with an override"
    else:
        tone, title = "good", "Complete"
        sentences.append("All items were done and the latest test run had passed.")
    parts = missing_parts(overridden.missing) if overridden else []
    return {"tone": tone, "title": title, "sentences": sentences, "parts": parts}


def _short_sentence(missing: dict) -> str:
    """What is missing in one sentence, without the names of open items."""
    if missing["what"] == "open_items":
        count = missing["count"]
        return f"{count:,} item{' is' if count == 1 else 's are'} open."
    return missing_sentences([missing])[0]


def format_progress(progress: Progress) -> str:
    """Progress as "3 of 8"."""
    return f"{format_number(progress.done)} of {format_number(progress.total)}"
