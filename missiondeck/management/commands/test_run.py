"""`manage.py test_run start|finish|give-up`: a test run whose reports arrive later."""

from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from groups.models import Member
from missiondeck.management.run_arguments import add_ci_arguments, ci_run, find_mission, matching, open_file
from missiondeck.models import TestRun
from missiondeck.selectors.runs import light_runs
from missiondeck.services.runs import finish_run, give_up_run, start_run
from missionsite.common.errors import DomainError


class Command(BaseCommand):
    help = "Start a test run of a client mission, finish it, or give it up. While it runs, the gate is closed."

    def add_arguments(self, parser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        start = steps.add_parser("start", help="Start a run and print its ID")
        start.add_argument("number", type=int, help="Number of the client mission, such as 47")
        start.add_argument("--name", default="")
        add_ci_arguments(start, is_part=False)
        finish = steps.add_parser("finish", help="Finish a run with its last report, or with those it has received")
        finish.add_argument("run", type=UUID, help="ID of the run")
        finish.add_argument(
            "report", type=Path, nargs="*", help="Report file, zip archive or pattern; - reads standard input"
        )
        finish.add_argument("--logs", type=Path, help="Log file with the complete output of the tool")
        give_up = steps.add_parser("give-up", help="Mark a run as failed because its report will not arrive")
        give_up.add_argument("run", type=UUID, help="ID of the run")

    def handle(self, *, step: str, **options) -> None:
        steps = {"start": self._start, "finish": self._finish, "give-up": self._give_up}
        try:
            steps[step](options)
        except DomainError as rejection:
            raise CommandError(f"{rejection.message} Nothing was changed.") from rejection

    def _start(self, options: dict) -> None:
        mission = find_mission(options["number"])
        run = start_run(actor=Member.objects.system(), mission=mission, name=options["name"], ci=ci_run(options))
        self.stdout.write(str(run.pk))

    def _finish(self, options: dict) -> None:
        run = _find_run(options["run"])
        with ExitStack() as stack:
            files = [stack.enter_context(open_file(path)) for path in matching(options["report"])]
            logs = stack.enter_context(open_file(options["logs"]))
            first = files[0] if files else None
            done = finish_run(actor=Member.objects.system(), run=run, file=first, more=files[1:], logs=logs)
        self._report(done)

    def _give_up(self, options: dict) -> None:
        self._report(give_up_run(actor=Member.objects.system(), run=_find_run(options["run"])))

    def _report(self, run: TestRun) -> None:
        counts = run.summary or {}
        tests, failures = counts.get("total", 0), counts.get("failed", 0) + counts.get("errors", 0)
        self.stdout.write(f"Finished: {run.get_status_display().lower()}; {tests} tests, {failures} failed.")


def _find_run(key: UUID) -> TestRun:
    if run := light_runs().filter(pk=key).first():
        return run
    raise CommandError(f"Test run {key} does not exist.")
