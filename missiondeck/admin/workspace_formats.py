"""Texts of a workspace: durations, links, what is missing, and the summary of a mission."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext

from missiondeck.errors import missing_sentence
from missiondeck.models import DeckMission, DeckStatus, DeckStatusChange, RunStatus, TestRun
from missiondeck.selectors.checklist import Progress
from missiondeck.selectors.clients import money
from missiondeck.selectors.costs import BudgetUse
from missionsite.common.admin.formats import format_datetime, format_number

SOON = timedelta(days=3)


def format_days_left(deadline: datetime, at: datetime) -> str:
    """The time to a deadline: "3 days left", "less than an hour left", "12 days overdue"."""
    if deadline >= at:
        return gettext("%(time)s left") % {"time": format_span(deadline - at)}
    return gettext("%(time)s overdue") % {"time": format_span(at - deadline)}


def format_span(length: timedelta) -> str:
    """A length of time in days or hours: "3 days", "less than an hour"."""
    if length.days:
        return ngettext("%(count)s day", "%(count)s days", length.days) % {"count": format_number(length.days)}
    if hours := length.seconds // 3600:
        return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
    return gettext("less than an hour")


def format_duration(seconds: float | int | None) -> str:
    """Seconds as "2.5 s", "3 min 5 s" or "1 h 10 min"; "" for anything that is not a number."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return ""
    if seconds < 60:
        return gettext("%(seconds)s s") % {"seconds": f"{seconds:.3g}"}
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return gettext("%(hours)s h %(minutes)s min") % {"hours": format_number(hours), "minutes": minutes}
    return gettext("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}


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
    parts: list[dict] = []
    for each in missing:
        if each["what"] != "open_items":
            parts.append({"text": missing_sentence(each), "items": [], "more": 0, "run": each.get("run")})
            continue
        count = each["count"]
        text = ngettext("%(count)s item is open:", "%(count)s items are open:", count) % {"count": format_number(count)}
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
        tone, title = "bad", gettext("Late: %(time)s")
    elif not missing:
        tone, title = "good", gettext("Ready: %(time)s")
    else:
        tone, title = "warn" if mission.deadline - at < SOON else "calm", gettext("In progress: %(time)s")
    sentences = [_short_sentence(each) for each in missing]
    if not missing and mission.status == DeckStatus.QA:
        sentences = [gettext("All items are done and the latest test run passed. It can be completed now.")]
    elif not missing:
        sentences = [gettext("All items are done and the latest test run passed. It can move to QA.")]
    return {"tone": tone, "title": title % {"time": time_left}, "sentences": sentences, "parts": missing_parts(missing)}


def _summary_of_complete(mission: DeckMission, latest: TestRun | None, overridden: DeckStatusChange | None) -> dict:
    failed_since = (
        latest is not None
        and latest.status == RunStatus.FAILED
        and mission.completed_at is not None
        and latest.created_at > mission.completed_at
    )
    sentences = []
    if latest and failed_since:
        failed_at = format_datetime(latest.created_at)
        sentences.append(gettext("The latest test run failed after completion, on %(date)s.") % {"date": failed_at})
    if mission.override_reason:
        sentences.append(gettext("It was completed with an override."))
    if failed_since:
        tone, title = "bad", gettext("Complete, but tests fail")
    elif mission.override_reason:
        tone, title = "warn", gettext("Complete with an override")
    else:
        tone, title = "good", gettext("Complete")
        sentences.append(gettext("All items were done and the latest test run had passed."))
    parts = missing_parts(overridden.missing) if overridden else []
    return {"tone": tone, "title": title, "sentences": sentences, "parts": parts}


def _short_sentence(missing: dict) -> str:
    """What is missing in one sentence, without the names of open items."""
    if missing["what"] == "open_items":
        count = missing["count"]
        return ngettext("%(count)s item is open.", "%(count)s items are open.", count) % {"count": format_number(count)}
    return missing_sentence(missing)


def format_progress(progress: Progress) -> str:
    """Progress as "3 of 8"."""
    return gettext("%(done)s of %(total)s") % {
        "done": format_number(progress.done),
        "total": format_number(progress.total),
    }


def format_minutes(minutes: int) -> str:
    """A time of work: "1 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    values = {"hours": format_number(hours), "minutes": rest}
    if not hours:
        return gettext("%(minutes)s min") % values
    return (gettext("%(hours)s h %(minutes)s min") if rest else gettext("%(hours)s h")) % values


def shown_use(use: BudgetUse) -> dict:
    """The use of a budget for templates."""
    return {
        "budget": money(use.currency, use.budget),
        "used": money(use.currency, use.used),
        "percent": use.percent,
        "bar": min(use.percent, 100),
        "is_over": use.is_over,
        "is_near": use.is_near,
        "others": [money(code, cents) for code, cents in use.spent.items() if code != use.currency],
        "time": format_minutes(use.minutes) if use.minutes else "",
        "is_empty": not use.spent and not use.minutes,
    }
