"""The test runs of a workspace: the trend, one run with its results, and paginated logs."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from missiondeck.admin.workspace_changes import changes, errors, run_tabs
from missiondeck.admin.workspace_formats import format_duration
from missiondeck.admin.workspace_trend import counts_of, trend
from missiondeck.admin.workspace_url import WorkspaceUrl
from missiondeck.models import DeckMission, ResultStatus, RunStatus, TestRun
from missiondeck.reports import Styles, warning_texts
from missiondeck.selectors.repositories import commit_url, file_url
from missiondeck.selectors.runs import (
    MATCHES,
    RESULTS_PER_PAGE,
    LogPage,
    Place,
    ResultsPage,
    light_runs,
    log_page,
    log_parts,
    results_of,
    search_logs,
)
from missionsite.common.admin.formats import format_number
from missionsite.common.rendering import render_code

# Characters of one text of a result on a page.
TEXT = 20_000
HITS = 100
MARKS = {"passed": "✓", "failed": "✕", "error": "✕", "skipped": "-"}
RUN_TONES: dict[str, str] = {RunStatus.PASSED: "good", RunStatus.FAILED: "bad", RunStatus.RUNNING: "calm"}
# Counts that are shown in one line, not as pairs.
_COUNTS = ("passed", "failed", "errors", "skipped", "total")


def runs_of(mission: DeckMission) -> QuerySet[TestRun]:
    return light_runs().filter(mission=mission).select_related("created_by")


def tests_of(mission: DeckMission, url: WorkspaceUrl, latest: TestRun | None) -> dict:
    """The trend of a mission's runs and the chosen run. latest: the latest run."""
    if latest is None:
        return {"is_empty": True}
    asked = runs_of(mission).filter(pk=url.run).first() if url.run else latest
    run = asked or latest
    return {
        "is_empty": False,
        "is_unknown": asked is None,
        "trend": trend(runs_of(mission), url, run),
        "run": one_run(run, url, latest, mission.github_url),
        "tabs": run_tabs(run, url),
        "changes": changes(run, url) if url.show == "changes" else None,
        "errors": errors(run, url) if url.show == "errors" else None,
        "results": None if url.show else results(run, url, mission.github_url),
        "logs": logs(run, url),
    }


def one_run(run: TestRun, url: WorkspaceUrl, latest: TestRun, repository: str) -> dict:
    """The details of a run: status, source, counts and warnings. repository: its URL, or ""."""
    summary = run.summary or {}
    counts = counts_of(summary)
    return {
        "key": run.pk,
        "name": run.name or gettext("Test run"),
        "is_latest": run.pk == latest.pk,
        "latest_url": WorkspaceUrl(url.mission, citizen=url.citizen).href,
        "status": run.status,
        "status_label": run.get_status_display(),
        "tone": RUN_TONES[run.status],
        "source_label": run.get_source_display(),
        "at": run.created_at,
        "by": str(run.created_by) if run.created_by else "",
        "duration": format_duration(summary.get("duration")),
        "ci": _ci_run(run, repository),
        "no_tests_ran": run.status == RunStatus.FAILED and not run.is_given_up and _ran_nothing(summary),
        "counts": counts,
        "pairs": _pairs(summary),
        "others": [
            (key.replace("_", " "), format_number(value)) for key, value in summary.items() if _is_other(key, summary)
        ],
        "warnings": warning_texts(run.warnings),
        "flaky": run.flaky_tests,
        "give_up": url.action("give_up", run.pk) if run.status == RunStatus.RUNNING else "",
        "finish": url.action("finish", run.pk) if run.status == RunStatus.RUNNING else "",
        "needs_report": not run.parts,
    }


def _ci_run(run: TestRun, repository: str) -> list[tuple[str, str, str]]:
    """What CI states about a run: label, value and link of each."""
    shards = ""
    if run.shards or run.parts > 1:
        values = {"parts": format_number(run.parts), "shards": format_number(run.shards or run.parts)}
        shards = gettext("%(parts)s of %(shards)s") % values
    found = [
        (gettext("Suite"), run.job, ""),
        (gettext("Commit"), run.commit[:10], commit_url(repository, run.commit)),
        (gettext("Branch"), run.branch, ""),
        (gettext("Environment"), run.environment, ""),
        (gettext("Attempt"), str(run.attempt) if run.attempt > 1 else "", ""),
        (gettext("Shards"), shards, ""),
        (gettext("Build"), gettext("Show build") if run.build_url else "", run.build_url),
    ]
    return [each for each in found if each[1]]


def _ran_nothing(summary: dict) -> bool:
    return not any(summary.get(key) for key in ("passed", "failed", "errors"))


def _pairs(summary: dict) -> list[dict]:
    """The pairs of a summary, such as functional 8 of 10."""
    pairs = []
    for key, passed in summary.items():
        kind = key.removesuffix("_passed")
        total = summary.get(f"{kind}_total")
        if kind != key and total is not None:
            name = kind.replace("_", " ").capitalize()
            pairs.append({"name": name, "passed": passed, "total": total, "is_full": passed >= total})
    return pairs


def _is_other(key: str, summary: dict) -> bool:
    if key in (*_COUNTS, "duration"):
        return False
    for end, other in (("_passed", "_total"), ("_total", "_passed")):
        if key.endswith(end) and key.removesuffix(end) + other in summary:
            return False
    return True


# --- Results ------------------------------------------------------------------------------------


def results(run: TestRun, url: WorkspaceUrl, repository: str) -> dict:
    """A page of a run's results, failed ones first. repository: the URL for links to files, or ""."""
    number = url.page if url.after or url.upto else 1
    page = results_of(run, after=_place_of(url.after), before=_place_of(url.upto), status=url.status, search=url.q)
    if not page.results and number > 1:
        page, number = results_of(run, status=url.status, search=url.q), 1
    if page.previous is None:
        number = 1
    return {
        "rows": [_result(each, url, file_url(repository, run.commit, each.get("file") or "")) for each in page.results],
        "text": _format_range(page, number),
        "total": page.total,
        "is_filtered": bool(url.status or url.q),
        "statuses": ResultStatus.choices,
        "previous": url.to(page=max(1, number - 1), after="", upto=_place_text(page.previous)).href
        if page.previous
        else "",
        "next": url.to(page=number + 1, after=_place_text(page.next), upto="").href if page.next else "",
        "all": url.first_page(status="", q="").href,
    }


def _place_of(text: str) -> Place | None:
    """A place from a URL, such as "3-1204"."""
    if not text:
        return None
    rank, _dash, number = text.partition("-")
    return int(rank), int(number)


def _place_text(place: Place) -> str:
    return f"{place[0]}-{place[1]}"


def _format_range(page: ResultsPage, number: int) -> str:
    if page.total is not None and page.last == 1:
        return ngettext("%(count)s test", "%(count)s tests", page.total) % {"count": format_number(page.total)}
    first = (number - 1) * RESULTS_PER_PAGE + 1
    values = {"first": format_number(first), "last": format_number(first + len(page.results) - 1)}
    if page.total is None:
        return gettext("%(first)s to %(last)s of more than %(most)s tests") % (
            values | {"most": format_number(MATCHES)}
        )
    return gettext("%(first)s to %(last)s of %(total)s tests") % (values | {"total": format_number(page.total)})


def _result(result: dict, url: WorkspaceUrl, file_url: str) -> dict:
    status = result["status"]
    return {
        "name": result["name"],
        "url": url.test(result["key"]),
        "where": " · ".join(result[key] for key in ("classname", "suite") if result.get(key)),
        "file": result.get("file") or "",
        "file_url": file_url,
        "status": status,
        "status_label": ResultStatus(status).label,
        "mark": MARKS[status],
        "is_bad": status in ("failed", "error"),
        "is_flaky": result["is_flaky"],
        "retries": result.get("retries", 0),
        "duration": format_duration(result.get("duration")),
        "error": render_code(_cut(result["error"]), gettext("Error")) if result.get("error") else "",
        "traceback": render_code(_cut(result["traceback"]), gettext("Traceback")) if result.get("traceback") else "",
        "output": render_code(_cut(result["output"]), gettext("Output")) if result.get("output") else "",
    }


def _cut(text: str) -> str:
    if len(text) <= TEXT:
        return text
    return gettext("%(text)s… (%(count)s more characters)") % {"text": text[:TEXT], "count": f"{len(text) - TEXT:,}"}


# --- Logs ---------------------------------------------------------------------------------------


def logs(run: TestRun, url: WorkspaceUrl) -> dict:
    """A page of a run's logs, and the lines that contain a search text. For hidden logs only the number of pages."""
    page = log_page(run, url.log or 1)
    if page is None and url.log > 1:
        page = log_page(run, 1)
    if page is None:
        return {"is_empty": True}
    hits = search_logs(run, url.find, most=HITS) if url.find else []
    return {
        "is_empty": False,
        "is_open": bool(url.log or url.find),
        "pages": page.last,
        "open_url": url.to(log=1).href,
        "close_url": url.to(log=0, find="").href,
        "page": page if url.log else None,
        "lines": _lines(page) if url.log else "",
        "first": page.stored[0][0],
        "previous": url.to(log=page.number - 1).href if page.number > 1 else "",
        "next": url.to(log=page.number + 1).href if page.number < page.last else "",
        "last": url.to(log=page.last).href if page.number < page.last else "",
        "hits": [
            {"line": hit.line, "text": hit.text, "url": f"{url.to(log=hit.page).href}#L{hit.line}"} for hit in hits
        ],
        "parts": [
            {"name": hit.text.strip("= "), "url": f"{url.to(log=hit.page).href}#L{hit.line}"} for hit in log_parts(run)
        ]
        if url.log
        else [],
        "more_hits": len(hits) == HITS,
        "find": url.find,
    }


def _lines(page: LogPage) -> SafeString:
    """The lines as list items. Built here, not in a template, because a page may have tens of thousands."""
    styles = Styles()
    return SafeString(
        "".join(
            f'<li id="L{line}"><a href="#L{line}">{line}</a><code>{_coloured(text, styles)}</code></li>'
            for line, text in page.stored
        )
    )


def _coloured(text: str, styles: Styles) -> str:
    """A line as HTML. The names of styles are classes."""
    return "".join(
        f'<span class="{" ".join(f"ws-text-{name}" for name in names.split())}">{escape(part)}</span>'
        if names
        else escape(part)
        for names, part in styles.parts(text)
    )
