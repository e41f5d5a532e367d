"""View as: an administrator sees the site as another member, under that member's rights, and can change nothing.

Each request runs in a transaction that PostgreSQL keeps read-only, as a role that may only read. The session stays that
of the administrator: it holds whom they view the site as, and until when.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, cast

import psycopg
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from missionsite.common.annotations import SiteRequest
from missionsite.common.audit.security import record_security_event
from missionsite.common.error_pages import error_page
from missionsite.common.errors import NotAllowed
from missionsite.common.transactions import service

# In a session: the member, the end in seconds since 1970, the form that began it, and the page it led to.
VIEW_AS = "view_as"
# May read what the site's role may read, and write nothing. See embedded/roles.sql and sql/after_migrate/viewer.sql.
VIEWER_ROLE = "missionsite_viewer"
# Only administrators have it: it allows granting every right, so seeing with those of another gives nothing more.
PERMISSION = "groups.grant_access"
STOP = "/view-as/stop/"
LOG_OUT = ("/logout/", "/admin/logout/", "/account/logout/")
# What belongs to the log-in of the member, not to the site they see.
CLOSED = (
    "/account/",
    "/me/password/",
    "/admin/password_change/",
    "/admin/common/apitoken/",
    "/login/",
    "/admin/login/",
)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class CannotViewAs(NotAllowed):
    """The site cannot be viewed as this member."""

    message = _("You cannot view the site as this member.")
    code = "cannot_view_as"


@dataclass(frozen=True)
class Viewing:
    """What the request runs as. actor: who is logged in."""

    actor: Any
    member: Any
    ends_at: datetime


@service
def start_viewing(*, actor: Any, member: Any, reason: str) -> Any:
    """Check that the actor may view the site as this member, and record it. Raises CannotViewAs."""
    check_may_view(actor, member)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce((SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = %s), false)",
            [VIEWER_ROLE],
        )
        (has_role,) = cursor.fetchone()
    if not has_role:
        raise CannotViewAs(
            gettext("The database has no role for viewing. An operator has to run roles.sql and manage.py migrate.")
        )
    record_security_event("viewing.started", actor=actor, member=member, reason=reason)
    return member


def check_may_view(actor: Any, member: Any) -> None:
    """Raise CannotViewAs unless the actor may view the site as this member now."""
    if not actor.is_active or not actor.has_perm(PERMISSION):
        raise CannotViewAs(gettext("Only administrators can view the site as another member."))
    if member.pk == actor.pk:
        raise CannotViewAs(gettext("You see the site as yourself already."))
    if getattr(member, "is_system", False):
        raise CannotViewAs(gettext("The system is no person, so there is nothing to view."))
    if not member.is_active:
        raise CannotViewAs(gettext("This member is deactivated and cannot log in, so there is nothing to view."))
    if member.is_superuser and not actor.is_superuser:
        raise CannotViewAs(gettext("Only a superuser can view the site as a superuser."))


def begin(request: HttpRequest, member: Any, *, page: str) -> HttpResponseRedirect:
    """View the site as this member from the next request on, first this page."""
    ends_at = timezone.now() + settings.VIEW_AS_LIFETIME
    request.session[VIEW_AS] = {
        "member": str(member.pk),
        "until": int(ends_at.timestamp()),
        "form": request.path_info,
        "page": page,
    }
    return HttpResponseRedirect(page)


def stop_viewing(request: HttpRequest, reason: str) -> None:
    """View the site as oneself again. reason: what ended it."""
    state = request.session.pop(VIEW_AS, None)
    if state:
        member = get_user_model()._default_manager.filter(pk=state["member"]).first()
        record_security_event("viewing.ended", actor=request.user, member=member, reason=reason)


def viewing_of(request: HttpRequest) -> Viewing | None:
    """Return whom the request views the site as; None for oneself."""
    return getattr(request, "view_as", None)


@contextmanager
def read_only() -> Iterator[None]:
    """Run the block in a transaction in which PostgreSQL rejects every write, as a role without the right to write."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Once a statement has run, no statement of the transaction can make it writable again.
            cursor.execute(
                "SELECT set_config('transaction_read_only', 'on', true), set_config('role', %s, true)", [VIEWER_ROLE]
            )
        try:
            yield
        finally:
            transaction.set_rollback(True)


class ViewAsMiddleware:
    """Answer as another member while the session views the site as them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        # The API knows tokens only. Without a session's cookie the session is not read.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or path.startswith("/api/"):
            return self.get_response(request)
        if VIEW_AS not in request.session or path == STOP:
            return self.get_response(request)
        if path in LOG_OUT:
            stop_viewing(request, "log-out")
            return self.get_response(request)
        viewing = self._viewing(request)
        if viewing is None:
            return self.get_response(request)
        state = request.session[VIEW_AS]
        if request.method == "POST" and path == state.get("form"):
            # A double click sent the form again.
            return HttpResponseRedirect(state["page"])
        return self._answer(request, viewing)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Note that the database has rejected a write. The page for it is made after the transaction has ended."""
        if viewing_of(request) and _is_rejected_write(exception):
            cast(SiteRequest, request).write_rejected = True
            return HttpResponse(status=HTTPStatus.FORBIDDEN)
        return None

    def _viewing(self, request: HttpRequest) -> Viewing | None:
        """Return whom the session views the site as; None when it has just ended."""
        state, actor = request.session[VIEW_AS], cast(Any, request.user)
        member = get_user_model()._default_manager.filter(pk=state["member"]).first()
        ends_at = datetime.fromtimestamp(state["until"], UTC)
        reason = ""
        if ends_at <= timezone.now():
            reason = "time"
        elif member is None or not actor.is_authenticated:
            reason = "rights"
        else:
            try:
                check_may_view(actor, member)
            except CannotViewAs:
                reason = "rights"
        if not reason:
            return Viewing(actor, member, ends_at)
        stop_viewing(request, reason)
        messages.info(request, gettext("Viewing the site as another member has ended. You see it as yourself again."))
        return None

    def _answer(self, request: HttpRequest, viewing: Viewing) -> HttpResponse:
        cast(SiteRequest, request).view_as = viewing
        request.user = viewing.member
        try:
            if request.method not in SAFE_METHODS or request.path_info.startswith(CLOSED):
                return _closed(request)
            with read_only():
                response = self.get_response(request)
            return _closed(request) if getattr(request, "write_rejected", False) else response
        finally:
            # What follows, such as the record of denied access, is about who is logged in.
            request.user = viewing.actor


def _closed(request: HttpRequest) -> HttpResponse:
    """The page for what cannot be done while viewing as another member."""
    return error_page(request, HTTPStatus.FORBIDDEN, template="403_view_as.html")


def _is_rejected_write(error: BaseException | None) -> bool:
    """Whether PostgreSQL has rejected a write in a read-only transaction, or one without the privilege."""
    while error is not None:
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction | psycopg.errors.InsufficientPrivilege):
            return True
        if isinstance(error, DatabaseError) and error.__cause__ is None:
            return False
        error = error.__cause__ or error.__context__
    return False
