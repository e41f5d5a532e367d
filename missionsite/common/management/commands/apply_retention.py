"""Applies the retention rules of all apps."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from missionsite.common.audit.context import in_changeset
from missionsite.common.retention import all_rules, apply_rules


class Command(BaseCommand):
    help = (
        "Applies the retention rules: deletes fallback runs and archives notifications after 180 days, empties the "
        "messages of access requests 30 days after the decision, and deletes audit entries after 400 days."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count what is due; make no changes.")

    @in_changeset
    def handle(self, *args: Any, **options: Any) -> None:
        system = get_user_model()._default_manager.system()
        for rule in all_rules():
            if options["dry_run"]:
                self.stdout.write(f"{rule.name}: {rule.due(timezone.now())}")
            else:
                treated = apply_rules([rule.name], actor=system)
                self.stdout.write(f"{rule.name}: {treated.get(rule.name, 0)}")
