"""The actions on the test runs and the gate of a workspace."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.utils.translation import gettext

from missiondeck.admin.base import current_member
from missiondeck.admin.workspace_changes import format_run
from missiondeck.admin.workspace_forms import FinishForm, ReportForm, StartForm
from missiondeck.admin.workspace_gate import GateRulesForm, ReasonForm
from missiondeck.admin.workspace_page import OVERRIDE, RUN, action
from missiondeck.admin.workspace_runs import runs_of
from missiondeck.admin.workspace_url import WorkspaceUrl, key_of
from missiondeck.models import DeckMission, TestRun
from missiondeck.rules import TESTER
from missiondeck.services.gates import confirm_baseline, confirm_vanished_tests, set_gate_rules
from missiondeck.services.runs import finish_run, give_up_run, import_report, start_run
from missionsite.common.admin.actions import valid_values


@action(RUN, part="report", back="ws-runs", creates=True)
def import_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Import a test report and its log file."""
    form = ReportForm(request.POST, request.FILES)
    values = valid_values(form)
    file, *more = values["report"]
    imported = import_report(
        actor=current_member(request),
        mission=mission,
        file=file,
        more=more,
        logs=values["logs"],
        ci=form.ci_run(),
    )
    if imported.is_new:
        messages.success(request, gettext("Report imported. %(run)s.") % {"run": format_run(imported.run)})
    else:
        messages.info(
            request,
            gettext("This file was already imported: %(run)s.") % {"run": format_run(imported.run)},
        )
    return WorkspaceUrl(mission.pk, citizen=TESTER, run=imported.run.pk)


@action(RUN, part="start", back="ws-runs", creates=True)
def start_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Start a run whose reports arrive later."""
    form = StartForm(request.POST)
    values = valid_values(form)
    run = start_run(actor=current_member(request), mission=mission, name=values["name"], ci=form.ci_run())
    messages.success(request, gettext("The run was started. The gate is closed until it is finished."))
    return WorkspaceUrl(mission.pk, citizen=TESTER, run=run.pk)


@action(RUN, part="report", back="ws-runs")
def finish_view(request: HttpRequest, mission: DeckMission, run: str) -> WorkspaceUrl:
    """Finish a run with its last report, or with those it has received."""
    chosen = _find_run(mission, run)
    values = valid_values(FinishForm(request.POST, request.FILES))
    files = values["report"]
    done = finish_run(
        actor=current_member(request),
        run=chosen,
        file=next(iter(files), None),
        more=files[1:],
        logs=values["logs"],
    )
    messages.success(request, gettext("Run finished. %(run)s.") % {"run": format_run(done)})
    return WorkspaceUrl(mission.pk, citizen=TESTER, run=chosen.pk)


@action(RUN, part="report", back="ws-runs")
def give_up_view(request: HttpRequest, mission: DeckMission, run: str) -> WorkspaceUrl:
    """Mark a run as failed because its report never arrived."""
    chosen = _find_run(mission, run)
    give_up_run(actor=current_member(request), run=chosen)
    messages.success(
        request, gettext("The run was marked as failed. If a report arrives later, import it as a new run.")
    )
    return WorkspaceUrl(mission.pk, citizen=TESTER, run=chosen.pk)


@action(OVERRIDE, part="gate", back="ws-gate")
def gate_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Set the rules of the gate."""
    set_gate_rules(actor=current_member(request), mission=mission, **valid_values(GateRulesForm(request.POST)))
    messages.success(request, gettext("The rules of the gate were saved."))
    return WorkspaceUrl(mission.pk, citizen=TESTER)


@action(OVERRIDE, part="baseline", back="ws-gate", creates=True)
def baseline_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Make the runs that decide now the baseline."""
    confirm_baseline(actor=current_member(request), mission=mission, **valid_values(ReasonForm(request.POST)))
    return WorkspaceUrl(mission.pk, citizen=TESTER)


@action(OVERRIDE, part="vanished", back="ws-gate", creates=True)
def vanished_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Confirm that the chosen tests no longer run."""
    confirm_vanished_tests(
        actor=current_member(request),
        mission=mission,
        tests=request.POST.getlist("tests"),
        **valid_values(ReasonForm(request.POST)),
    )
    return WorkspaceUrl(mission.pk, citizen=TESTER)


def _find_run(mission: DeckMission, key: str) -> TestRun:
    if found := runs_of(mission).filter(pk=key_of(key)).first():
        return found
    raise Http404(gettext("This test run does not exist."))
