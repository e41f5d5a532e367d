from django.core.management.base import BaseCommand, CommandError

from groups.services.validation import validate_missions


class Command(BaseCommand):
    help = "Validate the mission schema on the live database; changes nothing, exits non-zero on any failure."

    def handle(self, *args, **options) -> None:
        failures = 0
        for outcome in validate_missions():
            failures += not outcome.passed
            word = self.style.SUCCESS("PASS") if outcome.passed else self.style.ERROR("FAIL")
            self.stdout.write(f"{word}  {outcome.name}: {outcome.detail}")
        if failures:
            raise CommandError(f"{failures} of the validations failed.")
