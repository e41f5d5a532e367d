from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from engagement.services.mailbox import read_mailbox
from missionsite.common.audit.context import in_changeset
from missionsite.common.errors import DomainError


class Command(BaseCommand):
    help = "Read the new messages of the mailbox ENGAGEMENT_MAILBOX, as the worker does every minute."

    @in_changeset
    def handle(self, **options: Any) -> None:
        if not settings.ENGAGEMENT_MAILBOX:
            raise CommandError("Set ENGAGEMENT_MAILBOX to imaps://user:password@server/folder.")
        try:
            handled = read_mailbox()
        except DomainError as rejection:
            raise CommandError(rejection.message) from None
        self.stdout.write(f"{handled} messages read")
