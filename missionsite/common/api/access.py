"""Who may call a route: a token's scope, and for staff the rights of the back office."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from ninja.security import HttpBearer

from missionsite.common.errors import NotAllowed
from missionsite.common.models import ApiToken
from missionsite.common.tokens import TokenRefused, authenticate


@dataclass(frozen=True)
class Access:
    """What a route asks for."""

    scope: str
    # Rights of the back office (`groups.view_group`) a staff caller must have; a member's rights are row security's.
    staff: tuple[str, ...] = ()
    # Whether the route honours Idempotency-Key.
    idempotent: bool = False
    # Whether the route checks everyone's rights itself, and so runs as the site also for who is not staff.
    checks_rights: bool = False
    # How often a token may call it in a minute, beside the limit for all routes; 0 is no limit.
    attempts: Callable[[], int] | None = None


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


def needs(
    scope: str,
    *,
    staff: tuple[str, ...] | list[str] = (),
    idempotent: bool = False,
    checks_rights: bool = False,
    attempts: Callable[[], int] | None = None,
) -> Callable:
    """Say what a route asks for; put it below the route's decorator. A route without it is refused at start.

    idempotent: a caller may send the request again with the same Idempotency-Key and gets the first answer.
    checks_rights: the view asks for itself what the caller may do, staff or not; row security does not hold it back.
    attempts: a limit of its own, counted before anything is done, so that a refusal counts too.
    """

    def mark(view: Callable) -> Callable:
        view.api_access = Access(
            scope=scope,
            staff=tuple(staff),
            idempotent=idempotent,
            checks_rights=checks_rights,
            attempts=attempts,
        )
        return view

    return mark


class TokenAuth(HttpBearer):
    """`Authorization: Bearer ms_…`"""

    openapi_scheme = "bearer"

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        member, found = authenticate(token.strip())
        return Caller(member=member, token=found)

    def caller_of(self, request: HttpRequest) -> Caller:
        """The caller; raises TokenRefused, with the same words for a missing token and a wrong one."""
        if caller := self(request):
            return caller
        raise TokenRefused("Send a valid API token: Authorization: Bearer ms_…")
