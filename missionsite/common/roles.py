"""The three database roles: owner (the schema), app (the site) and member (requests of members)."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.db import connection, connections

APP_ROLE = "missionsite_app"
MEMBER_ROLE = "missionsite_member"


@contextmanager
def as_owner() -> Iterator[None]:
    """Connect to the default database as the owner of the schema, for migrations and the set-up of tests.

    Does nothing when no owner is configured (hosting with a single role).
    """
    owner = settings.DATABASE_OWNER
    if owner is None:
        yield
        return
    default = connections["default"]
    was = {key: default.settings_dict[key] for key in ("USER", "PASSWORD", "HOST", "PORT")}
    default.close()
    default.settings_dict.update({key: owner[key] for key in was})
    try:
        yield
    finally:
        default.close()
        default.settings_dict.update(was)


@contextmanager
def member_session(member_id: UUID | str) -> Iterator[None]:
    """Run the block under the restricted role, as this member.

    Row security then limits reads and writes to the member's own rows. Raises RuntimeError outside a transaction,
    where SET LOCAL has no effect.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("member_session needs a transaction: SET LOCAL has no effect outside one.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.member_id', %s, true), set_config('role', %s, true)",
            [str(member_id), MEMBER_ROLE],
        )
        yield
        # Only without an error: the rollback of a failed transaction resets both settings.
        cursor.execute("SELECT set_config('role', 'none', true), set_config('app.member_id', '', true)")
