"""Sends e-mail by the API of a provider, with a backend of django-anymail."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.translation import gettext as _

from engagement.errors import TransportNotConfigured
from engagement.rules import AddressReport
from engagement.transports.base import MessageRejected, Unavailable
from engagement.transports.sanitize import sanitize_text

# Statuses after which the message is tried again; those of wrong credentials concern the site, not the message.
_LATER = (401, 402, 403, 407, 408, 421, 425, 429)


def is_provider_backend() -> bool:
    """Return whether e-mail is sent by the API of a provider."""
    return settings.EMAIL_BACKEND.startswith("anymail.")


def provider_backend() -> BaseEmailBackend:
    """Return the backend of the settings. Raises TransportNotConfigured."""
    try:
        return get_connection()
    except (ImportError, ImproperlyConfigured) as error:
        # The texts of anymail name the missing setting, not its value.
        raise TransportNotConfigured(
            _("EMAIL_BACKEND {name} cannot be used: {error}").format(
                name=settings.EMAIL_BACKEND, error=sanitize_text(str(error))
            )
        ) from None


def send_by_provider(backend: BaseEmailBackend, mail: EmailMessage) -> str:
    """Send a message; return the provider's ID of it. Raises MessageRejected, Unavailable."""
    # Imported here: the package is loaded only by sites that use it.
    from anymail.exceptions import AnymailError, AnymailRecipientsRefused

    try:
        backend.send_messages([mail])
    except AnymailRecipientsRefused:
        raise MessageRejected(_("The provider rejected the address."), bounce=AddressReport.HARD_BOUNCE) from None
    except AnymailError as error:
        raise _error_of(error, mail) from None
    except OSError:
        raise Unavailable(_("The connection to the provider failed."), maybe_taken=True) from None
    status = getattr(mail, "anymail_status", None)
    found = getattr(status, "message_id", None)
    if found is None and getattr(status, "status", None) == {"unknown"}:
        # A rejection with a text that the backend does not recognise.
        raise MessageRejected(_("The provider did not accept the message."))
    return found if isinstance(found, str) else ""


def _error_of(error: Any, mail: EmailMessage) -> MessageRejected | Unavailable:
    status = error.status_code
    if status is None:
        # Without a response: the connection failed, or the provider does not support a part of the message.
        if isinstance(error, OSError) or error.__cause__ is not None:
            return Unavailable(_("The connection to the provider failed."), maybe_taken=True)
        return MessageRejected(_("The provider cannot send this message: {text}").format(text=_short(error, mail)))
    text = _("The provider responded {status}: {text}").format(status=status, text=_short(error, mail))
    if status in _LATER or status >= 500:
        headers = getattr(error.response, "headers", {})
        return Unavailable(text, maybe_taken=status >= 500, retry_after=_retry_after(headers))
    return MessageRejected(text)


def _short(error: Exception, mail: EmailMessage) -> str:
    response = getattr(error, "response", None)
    text = getattr(response, "text", "") or str(error)
    return sanitize_text(text, *mail.to)


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    with suppress(ValueError, OverflowError):
        return timedelta(seconds=int(headers.get("Retry-After", "")))
    return None
