from datetime import timedelta

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from missionsite.common.errors import DomainError
from missionsite.common.scopes import all_scopes
from missionsite.common.tokens import LONGEST_LIFE, create_token


class Command(BaseCommand):
    help = "Make an API token for a member and print it, this once. Members without staff rights get theirs this way."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="whose token it is")
        parser.add_argument("--name", required=True, help="what uses it")
        parser.add_argument(
            "--scope", action="append", required=True, help=f"may be given several times: {', '.join(all_scopes())}"
        )
        parser.add_argument("--days", type=int, default=90, help="how long it lives (default 90)")

    def handle(self, *args, email: str, name: str, scope: list[str], days: int, **options) -> None:
        if not 1 <= days <= LONGEST_LIFE.days:
            raise CommandError(f"--days is between 1 and {LONGEST_LIFE.days}.")
        members = get_user_model()
        try:
            owner = members.objects.get_by_natural_key(email)
        except members.DoesNotExist:
            raise CommandError(f"No one has the e-mail {email}.") from None
        try:
            token, plaintext = create_token(
                owner=owner, name=name, scopes=scope, expires_at=timezone.now() + timedelta(days=days)
            )
        except DomainError as rejection:
            raise CommandError(rejection.message) from rejection
        self.stderr.write(f"Token of {owner} until {token.expires_at:%d %B %Y}; it is not shown again:")
        self.stdout.write(plaintext)
