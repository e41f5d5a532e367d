"""What a client sees of a mission, and what clients wrote."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import QuerySet
from django.utils.translation import gettext

from missiondeck.models import (
    Category,
    ClientComment,
    ClientLink,
    ClientSignature,
    DeckMission,
    DodItem,
    EvidenceKind,
    RunStatus,
    TestResult,
    TestRun,
)
from missiondeck.selectors.checklist import progress_of
from missiondeck.selectors.costs import budget_use
from missiondeck.selectors.evidence import evidence_of
from missiondeck.selectors.runs import light_runs

# The rank of a passed test in test_results.
PASSED_RANK = 3


def facts_of(mission: DeckMission, hides: ClientLink | None = None) -> dict:
    """What is shown of a mission, as JSON values; instants are ISO 8601 in UTC.

    {"number", "title", "client", "status", "done", "total", "items": [{"text", "category", "done", "done_at",
    "evidence": [{"kind", "value", "state", "by"}]}], "deadline", "run": the last green run or None: {"at", "tests",
    "commit"}, "budget": {"currency", "cents", "percent", "spent": [{"currency", "cents"}], "minutes"}}. hides: a link
    with fields to leave out; None for everything.
    """
    progress = progress_of(mission)[""]
    facts: dict = {
        "number": mission.number,
        "title": mission.title,
        "client": mission.client,
        "status": mission.status,
        "completed_at": _instant(mission.completed_at),
        "done": progress.done,
        "total": progress.total,
        "items": _items(mission, with_evidence=not (hides and hides.hides_evidence)),
    }
    if not (hides and hides.hides_deadline):
        facts["deadline"] = _instant(mission.deadline)
    if not (hides and hides.hides_tests):
        facts["run"] = _run(last_green_run_of(mission))
    if not (hides and hides.hides_budget):
        use = budget_use(mission)
        facts["budget"] = {
            "currency": use.currency,
            "cents": use.budget,
            "percent": use.percent,
            "spent": [{"currency": code, "cents": cents} for code, cents in use.spent.items()],
            "minutes": use.minutes,
        }
    return facts


def last_green_run_of(mission: DeckMission) -> TestRun | None:
    """The latest run that passed."""
    return light_runs().filter(mission=mission, status=RunStatus.PASSED).first()


def _items(mission: DeckMission, *, with_evidence: bool) -> list[dict]:
    evidence = evidence_of(mission) if with_evidence else {}
    order = list(Category.values)
    items = sorted(DodItem.objects.filter(mission=mission), key=lambda item: order.index(item.category))
    rows = []
    for item in items:
        row = {
            "text": item.text,
            "category": item.category,
            "done": item.completed,
            "done_at": _instant(item.completed_at),
        }
        if with_evidence:
            row["evidence"] = [
                {
                    "kind": each.kind,
                    "value": each.value,
                    "state": each.state,
                    "by": str(each.signed_by) if each.kind == EvidenceKind.SIGN_OFF and each.signed_by else "",
                }
                for each in evidence.get(item.pk, ())
            ]
        rows.append(row)
    return rows


def _run(run: TestRun | None) -> dict | None:
    if run is None:
        return None
    return {
        "at": _instant(run.created_at),
        "tests": TestResult.objects.filter(run=run, rank=PASSED_RANK).count(),
        "commit": run.commit,
    }


def format_spent(budget: dict) -> str:
    """The use of a budget in the facts: "USD 40.50 of USD 100.00 (40%), EUR 1.00"; the sentence is translated."""
    spent = {each["currency"]: each["cents"] for each in budget["spent"]}
    used = money(budget["currency"], spent.pop(budget["currency"], 0))
    values = {"used": used, "budget": money(budget["currency"], budget["cents"]), "percent": budget["percent"]}
    text = gettext("%(used)s of %(budget)s (%(percent)s%%)") % values
    return ", ".join([text, *(money(code, cents) for code, cents in spent.items())])


def money(currency: str, cents: int) -> str:
    """An amount with two decimals: "USD 1,234.50"."""
    return f"{currency} {cents // 100:,}.{cents % 100:02}"


def _instant(instant: datetime | None) -> str | None:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if instant else None


def links_of(mission: DeckMission) -> QuerySet[ClientLink]:
    """The links of a mission, newest first."""
    return ClientLink.objects.filter(mission=mission).select_related("created_by")


def comments_of(mission: DeckMission) -> QuerySet[ClientComment]:
    """What clients wrote on the pages of a mission, newest first."""
    return ClientComment.objects.filter(link__mission=mission).select_related("link").order_by("-created_at", "-pk")


def signatures_of(mission: DeckMission) -> QuerySet[ClientSignature]:
    """The signatures of a mission, newest first."""
    return ClientSignature.objects.filter(link__mission=mission).select_related("link")
