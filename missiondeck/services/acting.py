"""On whose behalf, and why, the database writes down a move."""

from django.db import connection

from groups.models import Member


def act(actor: Member | None, *, reason: str = "") -> None:
    """Say for this transaction who acts and why; the trigger of deck_missions reads it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('deck.actor_id', %s, true), set_config('deck.reason', %s, true)",
            [str(actor.pk) if actor else "", reason],
        )


def only(changes: dict, *names: str) -> None:
    """Raise TypeError for a change that is not one of these."""
    if unknown := set(changes) - set(names):
        raise TypeError(f"cannot change {', '.join(sorted(unknown))} here")


def apply_changes(instance, changes: dict) -> list[str]:
    """Set fields on an instance and save just those that differ; returns their names."""
    changed = [name for name, value in changes.items() if getattr(instance, name) != value]
    for name in changed:
        setattr(instance, name, changes[name])
    if changed:
        instance.save(update_fields=changed)
    return changed
