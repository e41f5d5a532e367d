from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from missionsite.common.errors import DomainError
from missionsite.common.models import TokenKind
from missionsite.common.scopes import all_scopes
from missionsite.common.tokens import MAX_TOKEN_LIFETIME, create_token


class Command(BaseCommand):
    help = "Create an API token for a member and print it once. For members who cannot use the back office."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="e-mail of the owner")
        parser.add_argument("--name", required=True, help="name of the program that uses it")
        parser.add_argument(
            "--scope", action="append", required=True, help=f"may be repeated: {', '.join(all_scopes())}"
        )
        parser.add_argument(
            "--person", action="store_true", help="the owner uses it themselves: what it does is their activity"
        )
        parser.add_argument("--days", type=int, default=90, help="days until it expires (default 90)")

    def handle(
        self, *args: Any, email: str, name: str, scope: list[str], days: int, person: bool, **options: Any
    ) -> None:
        if not 1 <= days <= MAX_TOKEN_LIFETIME.days:
            raise CommandError(f"--days must be between 1 and {MAX_TOKEN_LIFETIME.days}.")
        members = get_user_model()
        try:
            owner = members.objects.get_by_natural_key(email)
        except members.DoesNotExist:
            raise CommandError(f"There is no member with the e-mail {email}.") from None
        try:
            token, plaintext = create_token(
                actor=members.objects.system(),
                owner=owner,
                name=name,
                scopes=scope,
                kind=TokenKind.PERSON if person else TokenKind.PROGRAM,
                expires_at=timezone.now() + timedelta(days=days),
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stderr.write(f"API token of {owner}, valid until {token.expires_at:%d %B %Y}. It is not shown again:")
        self.stdout.write(plaintext)
