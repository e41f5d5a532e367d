"""Error reports to Sentry and traces by OpenTelemetry: each on with one setting, and with requirements-telemetry.txt.

Neither gets personal data: no bodies, cookies, users or query strings, and no secrets in addresses.
"""

import logging
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)


def start(service: str) -> None:
    """Start what is configured. service: the name of this process in traces, such as missionsite-web.

    Called once in each process, after Django is set up. Raises ImproperlyConfigured without the packages.
    """
    try:
        if settings.SENTRY_DSN:
            _start_sentry()
        if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
            _start_tracing(service)
    except ModuleNotFoundError as error:
        raise ImproperlyConfigured(
            f"SENTRY_DSN and OTEL_EXPORTER_OTLP_ENDPOINT need the packages of requirements-telemetry.txt: {error}"
        ) from error


def _start_sentry() -> None:
    sentry: Any = import_module("sentry_sdk")
    sentry.init(
        dsn=settings.SENTRY_DSN,
        send_default_pii=False,
        max_request_body_size="never",
        # Local variables of a traceback hold names and addresses of members.
        include_local_variables=False,
        before_send=_without_secrets,
    )


def _without_secrets(event: Any, hint: Any) -> Any:
    """Remove query, cookies, headers and secrets in the address from an error report."""
    mask_secrets = import_string(settings.MASK_SECRETS)
    request = event.get("request", {})
    event["request"] = {"method": request.get("method"), "url": mask_secrets(request.get("url", ""))}
    for crumb in event.get("breadcrumbs", {}).get("values", []):
        # SQL and HTTP requests may hold values; messages have passed no filter.
        crumb["message"] = mask_secrets(crumb.get("message") or "")
        crumb.pop("data", None)
    return event


def _start_tracing(service: str) -> None:
    trace: Any = import_module("opentelemetry.trace")
    sdk: Any = import_module("opentelemetry.sdk.trace")
    resources: Any = import_module("opentelemetry.sdk.resources")
    exporting: Any = import_module("opentelemetry.sdk.trace.export")
    otlp: Any = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    provider = sdk.TracerProvider(resource=resources.Resource.create({"service.name": service}))
    # Reads OTEL_EXPORTER_OTLP_ENDPOINT and the other variables of the standard itself.
    provider.add_span_processor(exporting.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    django: Any = import_module("opentelemetry.instrumentation.django")
    django.DjangoInstrumentor().instrument(response_hook=_name_by_route)
    psycopg: Any = import_module("opentelemetry.instrumentation.psycopg")
    # Statements with placeholders; their values are not recorded.
    psycopg.PsycopgInstrumentor().instrument(enable_commenter=False)


def _name_by_route(span: Any, request: Any, response: Any) -> None:
    """Replace what may hold a secret: the address by its route."""
    match = request.resolver_match
    route = f"/{match.route}" if match else "none"
    span.update_name(f"{request.method} {route}")
    for name in ("http.url", "http.target", "url.full", "url.path", "url.query"):
        span.set_attribute(name, route)
