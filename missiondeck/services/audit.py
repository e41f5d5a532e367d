"""The audit context that triggers read when they record a status change."""

from django.db import connection

from groups.models import Member


def set_audit_context(actor: Member | None, *, reason: str = "") -> None:
    """Set the actor and reason of this transaction for the trigger of deck_missions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('deck.actor_id', %s, true), set_config('deck.reason', %s, true)",
            [str(actor.pk) if actor else "", reason],
        )
