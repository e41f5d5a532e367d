"""Writes docs/rules.md, the page of all rules."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from missionsite.rule_list import PAGE, page, untested


class Command(BaseCommand):
    help = "Write docs/rules.md: every constraint, trigger, policy and error, with its place and its tests."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail if the page is outdated or a rule has no test")

    def handle(self, *args: str, **options: bool) -> None:
        text = page()
        if not options["check"]:
            PAGE.write_text(text, encoding="utf-8")
        elif names := untested(text):
            raise CommandError(
                f"Rules without a test: {', '.join(names)}. Write one that names the rule, or mark one that proves it: "
                '@pytest.mark.rule("name").'
            )
        elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
            raise CommandError("docs/rules.md is outdated. Run manage.py rules.")
