"""System checks of the database roles and the proxy settings."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.db import DatabaseError, connections

from missionsite.common.addresses import NO_PROXY, UNIX_SOCKET, parse_network
from missionsite.common.roles import MEMBER_ROLE


@register(Tags.database)
def roles_are_separate(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[Warning]:
    """Warn if the site's role owns the tables, is a superuser, or cannot switch to the restricted role."""
    if "default" not in (databases or ()) or _is_owner():
        return []
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                """
                SELECT r.rolsuper OR r.rolbypassrls,
                       EXISTS (SELECT FROM pg_class c WHERE c.relname = 'memberships'
                               AND c.relkind = 'r' AND pg_has_role(r.oid, c.relowner, 'USAGE')),
                       EXISTS (SELECT FROM pg_roles m WHERE m.rolname = %s AND pg_has_role(r.oid, m.oid, 'MEMBER'))
                FROM pg_roles r WHERE r.rolname = current_user
                """,
                [MEMBER_ROLE],
            )
            bypasses, owns, can_switch = cursor.fetchone()
    except DatabaseError:
        return []  # No connection; other commands report that.
    warnings = []
    if bypasses or owns:
        warnings.append(
            Warning(
                "The site connects as a role that owns its tables or bypasses row security. Append-only tables and row"
                " security are not enforced by the database.",
                hint="Create the roles of missionsite/embedded/roles.sql and set DATABASE_OWNER_URL.",
                id="missionsite.W001",
            )
        )
    if not can_switch:
        warnings.append(
            Warning(
                f"The site cannot switch to the role {MEMBER_ROLE}: the database does not restrict members' requests.",
                hint="Create the roles of missionsite/embedded/roles.sql.",
                id="missionsite.W002",
            )
        )
    return warnings


@register(Tags.security)
def proxies_are_networks(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Report invalid entries of TRUSTED_PROXIES."""
    errors = []
    for text in settings.TRUSTED_PROXIES:
        if text in (NO_PROXY, UNIX_SOCKET):
            continue
        try:
            parse_network(text)
        except ValueError as error:
            errors.append(
                Error(
                    f"TRUSTED_PROXIES: {error}.",
                    hint="Write addresses or networks such as 127.0.0.1,10.0.0.0/8, or `unix` for a Unix socket.",
                    id="missionsite.E001",
                )
            )
    return errors


@register(Tags.security, deploy=True)
def proxies_are_named(app_configs: Any, **kwargs: Any) -> list[Warning]:
    """Warn if a proxy terminates HTTPS but is not in TRUSTED_PROXIES: all callers then share one rate limit."""
    if settings.TRUSTED_PROXIES or not (settings.HTTPS or getattr(settings, "SECURE_PROXY_SSL_HEADER", None)):
        return []
    return [
        Warning(
            "TRUSTED_PROXIES is empty. Behind a proxy all callers have the proxy's address, so one caller can use up"
            " the log-in and invitation limits of all.",
            hint="Set TRUSTED_PROXIES to the addresses of the proxies, or to `none` if callers connect directly.",
            id="missionsite.W003",
        )
    ]


def _is_owner() -> bool:
    """Whether this process is connected as the owner, as `migrate` is."""
    owner = settings.DATABASE_OWNER
    return owner is not None and connections["default"].settings_dict["USER"] == owner["USER"]
