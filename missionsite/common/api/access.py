"""Access to routes: by token with a scope (and permissions for staff), or by signature for programs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja.errors import ConfigError
from ninja.security import HttpBearer

from missionsite.common.annotations import StrOrPromise
from missionsite.common.api.signatures import HEADER, is_signed
from missionsite.common.errors import DomainError, NotAllowed
from missionsite.common.models import ApiToken
from missionsite.common.tokens import TokenRejected, authenticate


@dataclass(frozen=True)
class Access:
    """The access rules of a route."""

    # Empty for a route that requires a signature.
    scope: str
    # Permissions (`groups.view_group`) that staff need; members are limited by row security.
    staff: tuple[str, ...] = ()
    # Whether the view checks all rights itself, so that it runs under the site's role for everyone.
    checks_rights: bool = False
    # Whether it concerns only the caller, so that it runs under the member role for staff too.
    own: bool = False
    # Calls per token and minute, in addition to the limit of all routes; 0 for no limit.
    attempts: Callable[[], int] | None = None
    # Most bytes of the body, for routes that accept files; other bodies have a common limit.
    longest: Callable[[], int] | None = None
    # The secrets, one of which must have signed the request instead of a token.
    secrets: Callable[[], Iterable[str]] | None = None
    # Why a signed route needs no Idempotency-Key.
    repeatable: StrOrPromise = ""


@dataclass(frozen=True)
class Caller:
    """The member and the token of a request."""

    # A groups.Member, which this package does not import.
    member: Any
    token: ApiToken

    @property
    def is_restricted(self) -> bool:
        """Whether the request runs under the member role, as for everyone who is not staff."""
        return not self.member.is_staff

    def check(self, access: Access) -> None:
        """Raise NotAllowed unless the token has the scope and, for staff, the member has the permissions."""
        if access.scope not in self.token.scopes:
            raise NotAllowed(_("This token does not have the scope {scope}.").format(scope=access.scope))
        if not self.is_restricted:
            self.need(*access.staff)

    def need(self, *permissions: str) -> None:
        """Raise NotAllowed unless the caller is staff and has these permissions."""
        if self.is_restricted or not self.member.has_perms(permissions):
            raise NotAllowed


@dataclass(frozen=True)
class Gateway:
    """A program that signs its requests, without a member."""

    member: Any = None
    is_restricted = False

    def check(self, access: Access) -> None:
        """Do nothing: a signed route requires only the signature."""


def needs(
    scope: str,
    *,
    staff: tuple[str, ...] | list[str] = (),
    checks_rights: bool = False,
    own: bool = False,
    attempts: Callable[[], int] | None = None,
    longest: Callable[[], int] | None = None,
) -> Callable:
    """Declare the access rules of a route; use it below the route's decorator. A route without rules stops the start.

    checks_rights: the view checks the caller's rights itself, and runs without row security.
    own: the route concerns only the caller; row security limits staff too.
    attempts: an additional rate limit, counted before the view runs, so that rejected calls count too.
    longest: for an upload, the most bytes of the body; a larger Content-Length is rejected before reading.
    """
    if own and (staff or checks_rights):
        raise ConfigError("A route with own=True cannot require permissions of staff.")

    def mark(view: Callable) -> Callable:
        cast(Any, view).api_access = Access(
            scope=scope,
            staff=tuple(staff),
            checks_rights=checks_rights,
            own=own,
            attempts=attempts,
            longest=longest,
        )
        return view

    return mark


def signed(secrets: Callable[[], Iterable[str]], *, repeatable: StrOrPromise) -> Callable:
    """Declare that a route requires a signature with a shared secret; use it below the route's decorator.

    secrets: any of them is valid, so that they can be rotated; without a secret every request is rejected. The route
    runs under the site's role. It rejects Idempotency-Key, which is stored per member; repeatable: why the same
    request may be repeated without one.
    """

    def mark(view: Callable) -> Callable:
        cast(Any, view).api_access = Access(scope="", secrets=secrets, repeatable=repeatable)
        return view

    return mark


class TokenAuth(HttpBearer):
    """`Authorization: Bearer ms_…`"""

    openapi_scheme = "bearer"

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        member, found = authenticate(token.strip())
        return Caller(member=member, token=found)

    def caller_of(self, request: HttpRequest) -> Caller:
        """The caller. Raises TokenRejected, with the same message for a missing and a wrong token."""
        if caller := self(request):
            return caller
        raise TokenRejected(_("Send a valid API token: Authorization: Bearer ms_…"))


class SignatureRejected(DomainError):
    message = _("This request has no signature, or its signature is wrong or more than five minutes old.")
    code = "signature_rejected"
    status = 401
    headers = {"WWW-Authenticate": HEADER}


class SignatureUnset(DomainError):
    message = _("Signed requests are not accepted: no secret is configured on this site.")
    code = "signature_unset"
    status = 503


class SignatureAuth:
    """`Missionsite-Signature: t=…,v1=…`"""

    # Bytes of a signed body.
    longest = 1024 * 1024

    def caller_of(self, request: HttpRequest, secrets: Iterable[str]) -> Gateway:
        """The caller. Raises SignatureRejected (the same message for a missing and a wrong signature), SignatureUnset,
        RequestDataTooBig.
        """
        known = [secret for secret in secrets if secret]
        if not known:
            raise SignatureUnset
        value = request.headers.get(HEADER, "")
        if not value:
            raise SignatureRejected
        try:
            is_long = int(request.META.get("CONTENT_LENGTH") or 0) > self.longest
        except ValueError:
            is_long = False
        if is_long:
            raise RequestDataTooBig
        if not is_signed(value, request.body, known):
            raise SignatureRejected
        return Gateway()
