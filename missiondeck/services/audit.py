"""On whose behalf, and why, the database writes down a move."""

from django.db import connection

from groups.models import Member


def set_audit_context(actor: Member | None, *, reason: str = "") -> None:
    """Say for this transaction who acts and why; the trigger of deck_missions reads it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('deck.actor_id', %s, true), set_config('deck.reason', %s, true)",
            [str(actor.pk) if actor else "", reason],
        )
