"""Who may call a route: a token's scope, and for staff the rights of the back office; or a program that signs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from ninja.errors import ConfigError
from ninja.security import HttpBearer

from missionsite.common.api.signatures import HEADER, is_signed
from missionsite.common.errors import DomainError, NotAllowed
from missionsite.common.models import ApiToken
from missionsite.common.tokens import TokenRejected, authenticate


@dataclass(frozen=True)
class Access:
    """What a route asks for."""

    # Empty for a route that asks for a signature.
    scope: str
    # Rights of the back office (`groups.view_group`) a staff caller must have; a member's rights are row security's.
    staff: tuple[str, ...] = ()
    # Whether the route checks everyone's rights itself, and so runs as the site also for who is not staff.
    checks_rights: bool = False
    # Whether it is about the caller alone, and so runs under the member role for staff too.
    own: bool = False
    # How often a token may call it in a minute, beside the limit for all routes; 0 is no limit.
    attempts: Callable[[], int] | None = None
    # Bytes of the largest body, where it may have files, which go to disk; all other bodies have one limit.
    longest: Callable[[], int] | None = None
    # The secrets one of which must have signed the request, instead of a token.
    secrets: Callable[[], Iterable[str]] | None = None
    # Why a signed route takes no Idempotency-Key: what makes it safe to send the same request again.
    repeatable: str = ""


@dataclass(frozen=True)
class Caller:
    """Whose token a request carries."""

    member: object
    token: ApiToken

    @property
    def is_restricted(self) -> bool:
        """Whether the request runs as the member role: everyone's does but staff's."""
        return not self.member.is_staff

    def check(self, access: Access) -> None:
        """Raise NotAllowed unless the token has the scope and a staff caller the rights."""
        if access.scope not in self.token.scopes:
            raise NotAllowed(f"This token is not made for this: it lacks the scope {access.scope}.")
        if not self.is_restricted:
            self.need(*access.staff)

    def need(self, *permissions: str) -> None:
        """Raise NotAllowed unless the caller is staff and has these rights."""
        if self.is_restricted or not self.member.has_perms(permissions):
            raise NotAllowed


@dataclass(frozen=True)
class Gateway:
    """A program that signs its requests; it acts for no member."""

    member = None
    is_restricted = False

    def check(self, access: Access) -> None:
        """A signature is all a signed route asks for."""


def needs(
    scope: str,
    *,
    staff: tuple[str, ...] | list[str] = (),
    checks_rights: bool = False,
    own: bool = False,
    attempts: Callable[[], int] | None = None,
    longest: Callable[[], int] | None = None,
) -> Callable:
    """Say what a route asks for; put it below the route's decorator. A route without it is rejected at start.

    checks_rights: the view asks for itself what the caller may do, staff or not; row security does not hold it back.
    own: it is about the caller alone; row security holds staff back as everyone else.
    attempts: a limit of its own, counted before anything is done, so that a rejection counts too.
    longest: for an upload, the bytes of the largest body; one that says it is larger is rejected before it is read.
    """
    if own and (staff or checks_rights):
        raise ConfigError("A route about the caller alone asks staff for no rights.")

    def mark(view: Callable) -> Callable:
        view.api_access = Access(
            scope=scope,
            staff=tuple(staff),
            checks_rights=checks_rights,
            own=own,
            attempts=attempts,
            longest=longest,
        )
        return view

    return mark


def signed(secrets: Callable[[], Iterable[str]], *, repeatable: str) -> Callable:
    """Say that a route is for a program that shares a secret with the site; put it below the route's decorator.

    secrets: any of them will do, so that one can be replaced; where there is none, no one is let in. Such a route runs
    as the site. It acts for no member, for whom an Idempotency-Key is stored, so it rejects the header; repeatable:
    why the same request may be sent again without one.
    """

    def mark(view: Callable) -> Callable:
        view.api_access = Access(scope="", secrets=secrets, repeatable=repeatable)
        return view

    return mark


class TokenAuth(HttpBearer):
    """`Authorization: Bearer ms_…`"""

    openapi_scheme = "bearer"

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        member, found = authenticate(token.strip())
        return Caller(member=member, token=found)

    def caller_of(self, request: HttpRequest) -> Caller:
        """The caller; raises TokenRejected, with the same words for a missing token and a wrong one."""
        if caller := self(request):
            return caller
        raise TokenRejected("Send a valid API token: Authorization: Bearer ms_…")


class SignatureRejected(DomainError):
    """This request is not signed, or its signature is wrong or more than five minutes old."""

    code = "signature_rejected"
    status = 401
    headers = {"WWW-Authenticate": HEADER}


class SignatureUnset(DomainError):
    """No secret is set up on this site for signed requests, so none is taken."""

    code = "signature_unset"
    status = 503


class SignatureAuth:
    """`Missionsite-Signature: t=…,v1=…`"""

    # Bytes of a signed body.
    longest = 1024 * 1024

    def caller_of(self, request: HttpRequest, secrets: Iterable[str]) -> Gateway:
        """The caller; raises SignatureRejected with the same words for a missing signature and a wrong one,
        SignatureUnset, RequestDataTooBig.
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
