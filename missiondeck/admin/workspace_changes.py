"""The tabs of a run in a workspace: what changed since an earlier run, and failures with the same error."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from missiondeck.admin.workspace_formats import format_duration
from missiondeck.admin.workspace_url import TABS, WorkspaceUrl
from missiondeck.models import TestRun
from missiondeck.selectors.comparisons import (
    CHANGES_PER_PAGE,
    KINDS,
    Change,
    changes_of,
    earlier_runs,
    errors_of,
    last_green_run,
    run_to_compare,
)
from missiondeck.selectors.deck_tests import key_of_test
from missionsite.common.admin.formats import format_datetime, format_number
from missionsite.common.annotations import StrOrPromise
from missionsite.common.rendering import render_code

# Earlier runs that are offered for a comparison.
CHOICES = 50
KIND_LABELS: dict[str, StrOrPromise] = {
    "newly_failing": _("Newly failing"),
    "still_failing": _("Still failing"),
    "fixed": _("Fixed"),
    "vanished": _("Vanished"),
    "skipped": _("Now skipped"),
    "new": _("New"),
    "slower": _("Slower"),
}
_TONES = {"newly_failing": "bad", "still_failing": "bad", "fixed": "good", "vanished": "warn", "skipped": "warn"}


def run_tabs(run: TestRun, url: WorkspaceUrl) -> list[dict]:
    """The tabs of a run."""
    titles = {"": gettext("Tests"), "changes": gettext("What changed"), "errors": gettext("By error")}
    plain = url.first_page(run=run.pk if url.run else None, status="", q="", kind="", against=None, log=0, find="")
    return [
        {"title": titles[show], "url": plain.to(show=show).href, "is_open": url.show == show} for show in ("", *TABS)
    ]


def changes(run: TestRun, url: WorkspaceUrl) -> dict:
    """The changes of a run against the chosen earlier run; by default against the last green one."""
    earlier = earlier_runs(run)
    asked = earlier.filter(pk=url.against).first() if url.against else None
    base = asked or run_to_compare(run) or earlier.first()
    if base is None:
        return {"is_empty": True}
    found = changes_of(run, base, kind=url.kind, number=url.page)
    green = last_green_run(run)
    offered = list(earlier[:CHOICES])
    for needed in (base, green):
        if needed and needed.pk not in {each.pk for each in offered}:
            offered.append(needed)
    plain = url.to(run=run.pk, page=1, kind="", against=base.pk)
    number = min(found.number, found.last)
    return {
        "is_empty": False,
        "is_unknown": bool(url.against and asked is None),
        "base": base.pk,
        "base_text": format_run(base),
        "base_url": WorkspaceUrl(url.mission, citizen=url.citizen, run=base.pk).href,
        "choices": [(each.pk, _choice(each, green)) for each in offered],
        "kinds": [
            {
                "title": KIND_LABELS[kind],
                "count": format_number(found.counts.get(kind, 0)),
                "url": plain.to(kind=kind).href,
                "is_open": kind == found.kind,
                "tone": _TONES.get(kind, "") if found.counts.get(kind) else "",
            }
            for kind in KINDS
        ],
        "title": KIND_LABELS[found.kind],
        "nothing": not found.counts,
        "rows": [_row(each, url, is_slower=found.kind == "slower") for each in found.rows],
        "total": format_number(found.total),
        "text": _format_range(number, len(found.rows), found.total),
        "previous": plain.to(kind=found.kind, page=number - 1).href if number > 1 else "",
        "next": plain.to(kind=found.kind, page=number + 1).href if number < found.last else "",
    }


def _choice(run: TestRun, green: TestRun | None) -> str:
    parts = [format_run(run), run.job, run.environment, run.commit[:10]]
    if green and run.pk == green.pk:
        parts.append(gettext("last green run"))
    return " · ".join(filter(None, parts))


def _row(change: Change, url: WorkspaceUrl, *, is_slower: bool) -> dict:
    before, after = format_duration(change.before), format_duration(change.after)
    return {
        "test": change.test,
        "url": url.test(change.key),
        "duration": gettext("%(before)s before, %(after)s now") % {"before": before, "after": after}
        if is_slower
        else "",
        "error": render_code(change.error, gettext("Error")) if change.error else "",
    }


def _format_range(number: int, shown: int, total: int) -> str:
    if total <= CHANGES_PER_PAGE:
        return ""
    first = (number - 1) * CHANGES_PER_PAGE + 1
    return gettext("%(first)s to %(last)s of %(total)s tests") % {
        "first": format_number(first),
        "last": format_number(first + shown - 1),
        "total": format_number(total),
    }


def errors(run: TestRun, url: WorkspaceUrl) -> list[dict]:
    """Failures of a run, grouped by error."""
    return [
        {
            "count": each.tests,
            "error": render_code(each.error, gettext("Error")) if each.error else "",
            "named": [(test, url.test(key_of_test(test))) for test in each.named],
            "more": each.tests - len(each.named),
        }
        for each in errors_of(run)
    ]


def format_run(run: TestRun) -> str:
    """A run in short form: "Failed, 5 Nov 2025 17:00"."""
    return f"{run.get_status_display()}, {format_datetime(run.created_at)}"
