"""The three database roles: owner (schema), app (the site), member (a member's own requests)."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, connections

APP_ROLE = "missionsite_app"
MEMBER_ROLE = "missionsite_member"


@contextmanager
def as_owner() -> Iterator[None]:
    """Connect the default database as the schema's owner; for migrations and the tests' set-up only.

    With a single-role hosting (no owner configured) nothing changes.
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
def member_session(member_id) -> Iterator[None]:
    """Run the rest of the transaction under the restricted role, as this member.

    Row security then shows and accepts only what is the member's. Outside a transaction SET LOCAL would do
    nothing without a word, so that is rejected.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("member_session needs a transaction: SET LOCAL does nothing outside one.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.member_id', %s, true), set_config('role', %s, true)",
            [str(member_id), MEMBER_ROLE],
        )
        yield
        # Reached only without an error: a failed transaction takes both settings back by itself.
        cursor.execute("SELECT set_config('role', 'none', true), set_config('app.member_id', '', true)")
