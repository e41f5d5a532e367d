"""What is recorded and mailed when someone logs in, logs out, or changes a factor or an address."""

from typing import Any

from allauth.account import signals as account
from allauth.account.adapter import get_adapter
from allauth.mfa import signals as factors
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth import signals as auth
from django.core.signing import BadSignature
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from missionsite.common.accounts.addresses import ensure_address
from missionsite.common.accounts.delays import forget_failures
from missionsite.common.accounts.factors import DUE, lacks_factor
from missionsite.common.accounts.sessions import begin_session, renew_session
from missionsite.common.audit.events import audit
from missionsite.common.audit.security import record_security_event

# The cookie of a browser in which a member has logged in before; it holds a few members.
DEVICE = f"{settings.COOKIE_PREFIX}device"
DEVICE_SECONDS = 365 * 24 * 3600
MOST_MEMBERS = 5


def connect() -> None:
    """Connect the receivers. Called when all apps are loaded."""
    auth.user_logged_in.connect(begin_session, dispatch_uid="accounts.begin")
    auth.user_login_failed.connect(log_in_failed, dispatch_uid="accounts.failed")
    auth.user_logged_out.connect(logged_out, dispatch_uid="accounts.out")
    account.authentication_step_completed.connect(identity_confirmed, dispatch_uid="accounts.confirmed_identity")
    account.user_logged_in.connect(logged_in, dispatch_uid="accounts.in")
    account.email_changed.connect(address_changed, dispatch_uid="accounts.address")
    account.email_confirmed.connect(address_confirmed, dispatch_uid="accounts.confirmed")
    factors.authenticator_added.connect(factor_added, dispatch_uid="accounts.factor_added")
    factors.authenticator_removed.connect(factor_removed, dispatch_uid="accounts.factor_removed")
    factors.authenticator_reset.connect(factor_reset, dispatch_uid="accounts.factor_reset")


def logged_in(sender: Any, request: HttpRequest, user: Any, response: HttpResponse, **kwargs: Any) -> None:
    """Record the log-in, note whether a second factor is due, and mail the member about a new device."""
    records = request.session.get("account_authentication_methods") or []
    methods = [record.get("type") or record.get("provider") or record["method"] for record in records]
    record_security_event("session.started", actor=user, member=user, method=", ".join(dict.fromkeys(methods)))
    ensure_address(user)
    forget_failures(request, user.get_username())
    if lacks_factor(user):
        request.session[DUE] = True
    members = _members_of_device(request)
    if str(user.pk) not in members:
        get_adapter().send_notification_mail("account/email/new_device", user)
    response.set_signed_cookie(
        DEVICE,
        ".".join([str(user.pk), *(each for each in members if each != str(user.pk))][:MOST_MEMBERS]),
        max_age=DEVICE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _members_of_device(request: HttpRequest) -> list[str]:
    try:
        return (request.get_signed_cookie(DEVICE, max_age=DEVICE_SECONDS) or "").split(".")
    except (KeyError, BadSignature):
        return []


def log_in_failed(sender: Any, credentials: dict, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Record a failed log-in, with the member if there is one; never what was typed, which may be a password."""
    typed = credentials.get("username") or credentials.get("email") or ""
    member = get_user_model()._default_manager.filter(email__iexact=typed.replace("\x00", "")).first()
    with transaction.atomic():
        record_security_event("session.failed", member=member)


def identity_confirmed(
    sender: Any, request: HttpRequest, user: Any, method: str, reauthenticated: bool = False, **kwargs: Any
) -> None:
    """Record a repeated proof of identity, and give the session a new key. A log-in is recorded as a whole."""
    if reauthenticated:
        renew_session(request)
        record_security_event("session.confirmed", actor=user, member=user, method=kwargs.get("type") or method)


def logged_out(sender: Any, user: Any, **kwargs: Any) -> None:
    if user is not None and user.pk:
        record_security_event("session.ended", actor=user, member=user)


def address_changed(sender: Any, user: Any, **kwargs: Any) -> None:
    audit("member.changed", actor=user, member=user, changed={"email": "changed"})


def address_confirmed(sender: Any, email_address: Any, **kwargs: Any) -> None:
    user = email_address.user
    record_security_event("address.confirmed", actor=user, member=user)


def factor_added(sender: Any, request: HttpRequest, user: Any, authenticator: Any, **kwargs: Any) -> None:
    record_security_event("factor.added", actor=user, member=user, factor=str(authenticator.type))
    if DUE in request.session and not lacks_factor(user):
        del request.session[DUE]


def factor_removed(sender: Any, request: HttpRequest, user: Any, authenticator: Any, **kwargs: Any) -> None:
    record_security_event("factor.removed", actor=user, member=user, factor=str(authenticator.type))
    if lacks_factor(user):
        request.session[DUE] = True


def factor_reset(sender: Any, user: Any, authenticator: Any, **kwargs: Any) -> None:
    record_security_event("factor.renewed", actor=user, member=user, factor=str(authenticator.type))


def follow_provider(sociallogin: Any) -> None:
    """Set name and e-mail of a member to those that the canonical provider gives, if it has verified the e-mail."""
    member = sociallogin.user
    given = sociallogin.account.extra_data
    claims = given.get("userinfo", given) if isinstance(given, dict) else {}
    changes = {}
    if (name := str(claims.get("name") or "").strip()) and name != member.display_name:
        changes["display_name"] = name[:255]
    email = str(claims.get("email") or "").strip()
    if email and claims.get("email_verified") is True and email.lower() != member.email.lower():
        changes["email"] = email
    if changes:
        _update(member, changes)


def _update(member: Any, changes: dict) -> None:
    from allauth.account.models import EmailAddress

    with transaction.atomic():
        for name, value in changes.items():
            setattr(member, name, value)
        member.save(update_fields=list(changes))
        if email := changes.get("email"):
            EmailAddress.objects.filter(user=member).delete()
            EmailAddress.objects.create(user=member, email=email, verified=True, primary=True)
        audit("member.changed", actor=member, member=member, changed=dict.fromkeys(changes, "changed"))
