"""How allauth works on this site: mail, passwords, addresses, secrets at rest."""

import base64
import hashlib
import logging
import smtplib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base import AuthError
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse

from missionsite.common.accounts.delays import forget_failures
from missionsite.common.accounts.identity import is_identity_confirmed
from missionsite.common.accounts.sessions import end_access
from missionsite.common.addresses import client_address
from missionsite.common.audit.security import record_security_event, record_within_limit
from missionsite.common.passwords import set_password

logger = logging.getLogger(__name__)
# Messages that would only repeat what the page shows.
SILENT = ("account/messages/logged_in.txt", "account/messages/logged_out.txt")


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by invitation or by staff; passwords are set by the service, mail ignores all preferences."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return str(client_address(request) or "0.0.0.0")  # noqa: S104 - unknown, not an address to listen on

    def set_password(self, user: Any, password: str) -> None:
        """Set a password, and end sessions, tokens and live pages: whoever knew the old one may use them."""
        set_password(actor=user, member=user, password=password)
        forget_failures(self.request, user.get_username())
        keep = self.request.session.session_key if self.request.user.is_authenticated else None
        end_access(actor=user, member=user, reason="password", keep_session=keep)

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Check a password that is entered as a proof of identity; a wrong one is recorded."""
        if user.check_password(password):
            return True
        record_security_event("session.failed", actor=user, member=user)
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whether the member has to prove again who they are: not within minutes of a log-in."""
        return not is_identity_confirmed(self.request)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("admin:index" if request.user.is_staff else "portal:me")

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Send at once, whatever a member has opted out of. A server that does not answer is logged."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, smtplib.SMTPException):
            # The same answer for each address: an error page would tell which ones exist.
            logger.exception("Mail about an account was not sent: %s", template_prefix)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        if message_template not in SILENT:
            super().add_message(request, level, message_template, *args, **kwargs)


class SocialAdapter(DefaultSocialAccountAdapter):
    """Sign-in with another provider: it opens an account that exists, it makes none."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def get_requests_session(self) -> Any:
        """Return a session for requests to providers, which follows no redirects."""
        session = super().get_requests_session()
        session.max_redirects = 0
        return session

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Exception | None = None, **kwargs: Any
    ) -> None:
        """Record a sign-in that failed, unless it was cancelled."""
        if error == AuthError.CANCELLED:
            return
        name = provider.app.provider_id or provider.id
        logger.warning("The sign-in with %s failed: %s", name, exception or error)
        record_within_limit(request, "session.failed", method=name)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Let name and e-mail follow the canonical provider, and reject another subject with the address of an account.

        An address may have been given to someone else, at the provider, since its account was linked.
        """
        from missionsite.common.accounts.receivers import follow_provider

        account, user = sociallogin.account, sociallogin.user
        is_known = not user._state.adding
        linked = SocialAccount.objects.filter(provider=account.provider, user=user) if is_known else None
        if linked is not None and linked.exclude(uid=account.uid).exists():
            logger.warning("A subject of %s was rejected: the account is linked to another one.", account.provider)
            raise PermissionDenied
        if sociallogin.is_existing and sociallogin.account.provider == settings.SOCIAL_CANONICAL_PROVIDER:
            follow_provider(sociallogin)


class FactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors are encrypted with a key made from SECRET_KEY."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt with the current key or one of SECRET_KEY_FALLBACKS."""
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (hashlib.sha256(b"missionsite.factors" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
