"""What a workspace says in words: times, moves, verdicts."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html

from missiondeck.errors import in_sentences
from missiondeck.models import DeckMission, DeckStatus, DeckStatusChange, RunStatus, TestRun
from missiondeck.services.checklist import Progress
from missionsite.common.admin.formats import format_datetime

SOON = timedelta(days=3)


def days_words(deadline: datetime, at: datetime) -> str:
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


def seconds_words(seconds: float | int | None) -> str:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return ""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"


def number(value: int | float) -> str:
    return number_format(value, use_l10n=True, force_grouping=True)


def person(request: HttpRequest, member: Model | None) -> str:
    """A member's name, as a link for who may open it."""
    if member is None:
        return ""
    if not request.user.has_perm("groups.view_member"):
        return str(member)
    address = reverse("admin:groups_member_change", args=[member.pk])
    return format_html('<a class="row-link" href="{}">{}</a>', address, member)


def missing_parts(missing: list[dict]) -> list[dict]:
    """What is missing, a sentence each; open items are named one by one below theirs, and `run` is a run to look at."""
    parts = []
    for each in missing:
        if each["what"] != "open_items":
            parts.append({"words": in_sentences([each])[0], "items": [], "more": 0, "run": each.get("run")})
            continue
        count = each["count"]
        words = f"{count:,} item{' is' if count == 1 else 's are'} open:"
        parts.append({"words": words, "items": each["items"], "more": count - len(each["items"])})
    return parts


def verdict(
    mission: DeckMission,
    *,
    missing: list[dict],
    latest: TestRun | None,
    overridden: DeckStatusChange | None,
    at: datetime,
) -> dict:
    """Whether a mission is safe, late or not really done: a tone (good, warn, bad, calm), a word, and sentences."""
    if mission.status == DeckStatus.COMPLETE:
        return _verdict_of_complete(mission, latest, overridden)
    parts = missing_parts(missing)
    late, words = mission.deadline < at, days_words(mission.deadline, at)
    if late:
        tone, word = "bad", f"Late: {words}"
    elif not missing:
        tone, word = "good", f"Safe: nothing is missing, {words}"
    else:
        tone, word = "warn" if mission.deadline - at < SOON else "calm", f"Not done yet: {words}"
    says = [_short(each) for each in missing]
    if not missing:
        step = "It can be completed." if mission.status == DeckStatus.QA else "It can go to QA, and then be completed."
        says = [f"Every item is done and the latest test run passed. {step}"]
    return {"tone": tone, "word": word, "says": says, "parts": parts}


def _verdict_of_complete(mission: DeckMission, latest: TestRun | None, overridden: DeckStatusChange | None) -> dict:
    failed_since = latest is not None and latest.status == RunStatus.FAILED and latest.created_at > mission.completed_at
    says = []
    if failed_since:
        says.append(f"The latest test run failed after it was completed, {format_datetime(latest.created_at)}.")
    if mission.override_reason:
        says.append("It was completed although something was missing.")
    if failed_since:
        tone, word = "bad", "Complete, but its tests fail"
    elif mission.override_reason:
        tone, word = "warn", "Complete, all the same"
    else:
        tone, word = "good", "Complete"
        says.append("Every item was done and the latest test run had passed.")
    return {"tone": tone, "word": word, "says": says, "parts": missing_parts(overridden.missing) if overridden else []}


def _short(missing: dict) -> str:
    """What is missing in a few words: the items themselves stand in the definition of done."""
    if missing["what"] == "open_items":
        count = missing["count"]
        return f"{count:,} item{' is' if count == 1 else 's are'} open."
    return in_sentences([missing])[0]


def progress_words(progress: Progress) -> str:
    return f"{number(progress.done)} of {number(progress.total)}"
