"""System checks of the database roles, connections, documents and the proxy settings."""

from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections

from missionsite.common import document_check, replica
from missionsite.common.addresses import NO_PROXY, UNIX_SOCKET, parse_address, parse_network
from missionsite.common.connections import direct_params, is_pooled, most_connections
from missionsite.common.roles import MEMBER_ROLE

TIME_LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


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


@register(Tags.database)
def poolers_are_bypassed(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Report a pooler that workers and live pages do not bypass, or that the direct URL leads through."""
    if "default" not in (databases or ()) or _is_owner():
        return []
    try:
        default = connections["default"]
        default.ensure_connection()
        with default.wrap_database_errors:
            through_pooler = is_pooled(default.connection)
        with psycopg.connect(**direct_params()) as direct:
            direct_is_pooled = is_pooled(direct)
    except (DatabaseError, psycopg.Error):
        return []  # No connection; other commands report that.
    found: list[CheckMessage] = []
    if settings.DATABASE_DIRECT and direct_is_pooled:
        found.append(
            Error(
                "DATABASE_DIRECT_URL leads through a connection pooler.",
                hint="Name the PostgreSQL server itself there.",
                id="missionsite.E002",
            )
        )
    if through_pooler and not settings.DATABASE_DIRECT:
        found.append(
            Warning(
                "DATABASE_URL leads through a connection pooler. Live pages get no changes, exports fail, and jobs"
                " start seconds late.",
                hint="Set DATABASE_DIRECT_URL to the PostgreSQL server itself.",
                id="missionsite.W004",
            )
        )
    return found


@register(Tags.database)
def replica_follows(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn if the replica does not respond, is none, or is further behind than reads may be."""
    if "default" not in (databases or ()) or _is_owner() or replica.REPLICA not in connections.settings:
        return []
    try:
        primary = psycopg.connect(**direct_params(), autocommit=True)
    except psycopg.Error:
        return []  # No connection; other commands report that.
    with primary:
        problem = _problem_of_replica(primary)
    if not problem:
        return []
    return [
        Warning(
            f"The replica {problem}. All reads go to the primary.",
            hint="Name a streaming replica of DATABASE_URL's server in DATABASE_REPLICA_URL, or omit it.",
            id="missionsite.W006",
        )
    ]


def _problem_of_replica(primary: psycopg.Connection) -> str:
    """What is wrong with the replica, after "The replica"; empty if nothing is."""
    params = connections[replica.REPLICA].get_connection_params()
    try:
        with psycopg.connect(**params, autocommit=True) as found:
            row = found.execute("SELECT pg_is_in_recovery()").fetchone()
            if not row or not row[0]:
                return "is no replica: it accepts writes"
            if not replica.wait_until_replayed(primary, found, settings.DATABASE_REPLICA_LAG):
                return f"is more than {settings.DATABASE_REPLICA_LAG:g} seconds behind"
    except psycopg.Error as error:
        return f"does not respond ({str(error).strip().splitlines()[0]})"
    return ""


@register(Tags.database)
def connections_suffice(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn if PostgreSQL allows fewer connections than the configured processes may open."""
    wanted = most_connections()
    if "default" not in (databases or ()) or _is_owner() or not wanted:
        return []
    try:
        with psycopg.connect(**direct_params()) as direct:
            row = direct.execute(
                """
                SELECT current_setting('max_connections')::integer
                     - current_setting('superuser_reserved_connections')::integer
                     - coalesce(current_setting('reserved_connections', true), '0')::integer
                """
            ).fetchone()
    except psycopg.Error:
        return []
    allowed = row[0] if row else 0
    if wanted <= allowed:
        return []
    return [
        Warning(
            f"The site's processes may open {wanted} connections, and PostgreSQL allows {allowed}.",
            hint="Raise max_connections, lower WEB_THREADS or the number of processes, or use a pooler:"
            " docs/operations.md, Connections.",
            id="missionsite.W005",
        )
    ]


@register(Tags.files, deploy=True)
def documents_can_be_written(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report a folder of documents that cannot be written, or whose disk is nearly full."""
    if not (problem := document_check.problem()):
        return []
    return [Error(f"Documents: {problem}.", hint="See DOCUMENTS_ROOT in .env.example.", id="missionsite.E003")]


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


@register(Tags.security, deploy=True)
def database_connection_is_encrypted(app_configs: Any, **kwargs: Any) -> list[Warning]:
    """Warn if the connection to a database on another machine may be unencrypted or go to another server."""
    database = settings.DATABASES["default"]
    host = database["HOST"] or ""
    mode = database.get("OPTIONS", {}).get("sslmode", "prefer")
    if not host or host.startswith("/") or _is_loopback(host) or mode == "verify-full":
        return []
    return [
        Warning(
            f"The connection to the database on {host} has sslmode={mode}: "
            + (
                "the server's certificate is not checked against its name."
                if mode in ("require", "verify-ca")
                else "it is not always encrypted."
            ),
            hint="Add ?sslmode=verify-full&sslrootcert=/path/to/ca.crt to DATABASE_URL and DATABASE_OWNER_URL.",
            id="missionsite.W010",
        )
    ]


# Settings with the address of another service.
SERVICES = ("ENGAGEMENT_WEBHOOK_URL", "GITHUB_API_URL", "OTEL_EXPORTER_OTLP_ENDPOINT", "SENTRY_DSN")


@register(Tags.security, deploy=True)
def services_are_encrypted(app_configs: Any, **kwargs: Any) -> list[Warning]:
    """Warn of connections to services on other machines that are not encrypted."""
    addresses = {name: getattr(settings, name, "") for name in SERVICES}
    for app in settings.SOCIALACCOUNT_PROVIDERS.get("openid_connect", {}).get("APPS", []):
        addresses["OIDC_SERVER_URL"] = app["settings"]["server_url"]
    plain = [
        name
        for name, address in addresses.items()
        if (parts := urlsplit(address)).scheme == "http" and not _is_loopback(parts.hostname or "")
    ]
    smtp = settings.EMAIL_BACKEND.endswith(".smtp.EmailBackend") and not _is_loopback(settings.EMAIL_HOST)
    if smtp and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        plain.append("EMAIL_URL")
    return [
        Warning(
            f"{name}: the connection is not encrypted.",
            hint="Use https://, and smtp+tls:// or smtp+ssl:// for mail.",
            id="missionsite.W012",
        )
        for name in plain
    ]


@register(Tags.database)
def roles_have_time_limits(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[Warning]:
    """Warn if a statement, a wait for a lock or a forgotten transaction of the site has no time limit."""
    if "default" not in (databases or ()) or _is_owner():
        return []
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT name FROM pg_settings WHERE name = ANY (%s) AND setting = '0'", [list(TIME_LIMITS)])
            missing = sorted(name for (name,) in cursor.fetchall())
    except DatabaseError:
        return []  # No connection; other commands report that.
    if not missing:
        return []
    return [
        Warning(
            f"The site's database role has no {', no '.join(missing)}.",
            hint="Run missionsite/embedded/roles.sql again as a superuser.",
            id="missionsite.W011",
        )
    ]


def _is_loopback(host: str) -> bool:
    address = parse_address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _is_owner() -> bool:
    """Whether this process is connected as the owner, as `migrate` is."""
    owner = settings.DATABASE_OWNER
    return owner is not None and connections["default"].settings_dict["USER"] == owner["USER"]
