"""System checks: what the hosting cannot promise is said out loud."""

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.db import DatabaseError, connections

from missionsite.common.addresses import NO_PROXY, UNIX_SOCKET, parse_network
from missionsite.common.roles import MEMBER_ROLE


@register(Tags.database)
def roles_are_separate(app_configs, databases=None, **kwargs) -> list[Warning]:
    """Warn where the site's role owns the tables, is a superuser, or has no restricted role to switch to."""
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
        return []  # No server to ask: connecting fails with its own words.
    warnings = []
    if bypasses or owns:
        warnings.append(
            Warning(
                "The site connects as a role that owns its tables or bypasses row security: append-only tables"
                " and row security rest on code alone.",
                hint="Create the roles of missionsite/embedded/roles.sql and set DATABASE_OWNER_URL.",
                id="missionsite.W001",
            )
        )
    if not can_switch:
        warnings.append(
            Warning(
                f"There is no role {MEMBER_ROLE} to switch to: a member's own requests are held back by code alone.",
                hint="Create the roles of missionsite/embedded/roles.sql.",
                id="missionsite.W002",
            )
        )
    return warnings


@register(Tags.security)
def proxies_are_networks(app_configs, **kwargs) -> list[Error]:
    """Report entries of TRUSTED_PROXIES that are no network of proxies."""
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
def proxies_are_named(app_configs, **kwargs) -> list[Warning]:
    """Warn where a proxy speaks HTTPS for the site and its address is not known: then all callers share its limits."""
    if settings.TRUSTED_PROXIES or not (settings.HTTPS or getattr(settings, "SECURE_PROXY_SSL_HEADER", None)):
        return []
    return [
        Warning(
            "TRUSTED_PROXIES is empty: behind a proxy every caller has the proxy's address, and one of them can use up"
            " the log-in and invitation limits of all.",
            hint="Set TRUSTED_PROXIES to the addresses of the proxies, or to `none` where callers connect directly.",
            id="missionsite.W003",
        )
    ]


def _is_owner() -> bool:
    """Whether this process is connected as the owner on purpose, as `migrate` is."""
    owner = settings.DATABASE_OWNER
    return owner is not None and connections["default"].settings_dict["USER"] == owner["USER"]
