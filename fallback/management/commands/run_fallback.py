"""`manage.py run_fallback`: check due backlogs, and propose missions where work runs low."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from fallback.models import MissionFallbackConfig, Project
from fallback.models.choices import Trigger
from fallback.selectors.planning import Plan, plan_run
from fallback.services.runs import CheckResult, run_due, run_fallback
from groups.models import Member
from missionsite.common.audit.context import changeset
from missionsite.common.errors import DomainError


class Command(BaseCommand):
    help = "Propose missions for all due projects, or for one project."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", metavar="ID", help="only this project, due or not (id or short name)")
        parser.add_argument("--dry-run", action="store_true", help="show what would happen; make no changes")

    def handle(self, *, project: str | None, dry_run: bool, **options: Any) -> None:
        chosen = self._project(project) if project else None
        if dry_run:
            self._show_plans(chosen)
            return
        with changeset(job="run_fallback"):
            if chosen:
                self._run_one(chosen)
            else:
                self._run_due()

    def _run_one(self, chosen: Project) -> None:
        try:
            run = run_fallback(actor=Member.objects.system(), project=chosen, triggered_by=Trigger.MANUAL)
        except DomainError as rejection:
            raise CommandError(rejection.message) from None
        self._write_result(CheckResult(chosen, run=run))

    def _project(self, name: str) -> Project:
        found = list(Project.objects.select_related("organization").filter(Q(pk=name) | Q(slug=name))[:2])
        if not found:
            raise CommandError(f"Project {name} not found. Enter its id or short name.")
        if len(found) > 1:
            raise CommandError(f"Several projects are called {name}. Enter the id.")
        return found[0]

    def _run_due(self) -> None:
        made = rejected = 0
        for outcome in run_due(actor=Member.objects.system()):
            made += bool(outcome.run)
            rejected += bool(outcome.rejection)
            self._write_result(outcome)
        self.stdout.write(f"{made} run{'' if made == 1 else 's'}, {rejected} failed.")

    def _show_plans(self, chosen: Project | None) -> None:
        configs = MissionFallbackConfig.objects.select_related("project__organization").order_by("project__name", "pk")
        if chosen:
            configs = configs.filter(project=chosen)
            if not configs.exists():
                raise CommandError("This project has no fallback configuration. Add one first.")
        for config in configs.iterator():
            self._write_plan(plan_run(config.project, config=config))
        self.stdout.write("No changes were made.")

    def _write_plan(self, plan: Plan) -> None:
        self.stdout.write(f"{plan.project.pk} {plan.project.name}: {plan.summary}")
        for template in plan.picks:
            self.stdout.write(f"    propose: {template.name} ({template.estimated_effort_minutes} min)")
        for entry in plan.skipped:
            name = entry.template.name if entry.template else "everything"
            until = f", until {entry.resets_at:%Y-%m-%d %H:%M %z}" if entry.resets_at else ""
            self.stdout.write(f"    skipped: {name} ({entry.guardrail.label}{until})")

    def _write_result(self, outcome: CheckResult) -> None:
        line = f"{outcome.project.pk} {outcome.project.name}: {outcome.summary}"
        self.stdout.write(self.style.WARNING(line) if outcome.rejection else line)
