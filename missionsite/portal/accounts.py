"""The pages of allauth in the layout of this site, with the limit of attempts that all log-ins share."""

from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any, cast

from allauth.account import views as account
from allauth.account.internal.stagekit import unstash_login
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount import views as social
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.github import views as github
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.usersessions import views as sessions
from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, re_path, reverse
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from requests import RequestException

from missionsite.common.accounts.addresses import ensure_address
from missionsite.common.accounts.openid import CheckedAdapter
from missionsite.common.accounts.sessions import end_sessions
from missionsite.common.api.limits import count_request
from missionsite.common.audit.security import record_security_event
from missionsite.common.passwords import PasswordAttempt, TooManyAttempts
from missionsite.portal.page import HEADERS, member_page, page, render_page, safe_next

View = Callable[..., HttpResponse]
# The QR code of an authenticator app is an image in the address.
_WITH_QR_CODE = HEADERS["Content-Security-Policy"] + "; img-src 'self' data:"


def account_page(view: View, *, limits: bool = False, qr_code: bool = False) -> View:
    """Return a page of allauth as a page of this site.

    limits: a POST is an attempt at a secret: counted before it is looked at, and uncounted if it leads on.
    """

    @sensitive_post_parameters()
    @page
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not (limits and request.method == "POST"):
            return view(request, *args, **kwargs)
        account_name = _account_of(request)
        try:
            attempt = PasswordAttempt(request, account_name)
        except TooManyAttempts as error:
            record_security_event("session.limited", member=_member_of(request))
            response = render_page(request, "too_many_requests", {"seconds": error.seconds}, status=429)
            response["Retry-After"] = str(error.seconds)
            return response
        if (code := request.POST.get("code", "").strip()) and _is_repeated(account_name, code):
            # Answered as a wrong code: it was accepted, or tried, within this minute.
            form = request.POST.copy()
            form["code"] = "-"
            cast(Any, request).POST = form
        response = view(request, *args, **kwargs)
        if response.status_code == 302:
            attempt.uncount()
        return response

    if not qr_code:
        return wrapper

    def with_qr_code(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = wrapper(request, *args, **kwargs)
        response["Content-Security-Policy"] = _WITH_QR_CODE
        return response

    return with_qr_code


def _member_of(request: HttpRequest) -> Any:
    """Return who is logged in, or who has given a correct password and must give a code."""
    if request.user.is_authenticated:
        return request.user
    login = unstash_login(request, peek=True)
    return login.user if login else None


def _account_of(request: HttpRequest) -> str:
    member = _member_of(request)
    return member.get_username() if member else request.POST.get("email", "")


def _is_repeated(account_name: str, code: str) -> bool:
    """Whether this code of this account was tried before within a minute; counted for all processes together."""
    digest = sha256(f"{account_name.lower()}:{code}".encode()).hexdigest()
    allowance = count_request(f"code:{digest}", 1)
    return allowance is not None and not allowance.allowed


def sign_out_everywhere(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """The list of one's sessions; a POST ends all others and closes their live pages."""
    response = sessions.list_usersessions(request, **kwargs)
    if request.method == "POST" and request.user.is_authenticated:
        end_sessions(member=request.user, keep_session=request.session.session_key)
        record_security_event("access.ended", actor=request.user, member=request.user, reason="sessions")
    return response


def change_address(request: HttpRequest) -> HttpResponse:
    """Change one's address, which is replaced once the new one is confirmed."""
    # allauth would add it, as one that is not confirmed.
    if request.user.is_authenticated:
        ensure_address(request.user)
    return account.email(request)


def _with_github(view: View) -> View:
    """Return a page that exists only if sign-in with GitHub is set up."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "github" not in settings.SOCIALACCOUNT_PROVIDERS:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapper


def _openid(view: Any) -> View:
    """Return a page of the sign-in with OpenID Connect, with the checks of this site."""

    def wrapper(request: HttpRequest, provider_id: str) -> HttpResponse:
        adapter = CheckedAdapter(request, provider_id)
        try:
            return view.adapter_view(adapter)(request)
        except SocialApp.DoesNotExist as error:
            raise Http404 from error
        except (OAuth2Error, RequestException) as error:
            # The provider is away, or its metadata is not its own.
            return render_authentication_error(request, adapter.get_provider(), exception=error)

    return wrapper


def log_in_again(request: HttpRequest) -> HttpResponse:
    """Prove one's identity without a password or a factor: log out, and in again with another provider."""
    wanted = safe_next(request, "portal:me")
    if request.method == "POST" and request.user.is_authenticated:
        logout(request)
        return redirect(f"{reverse('portal:login')}?{urlencode({'next': wanted})}")
    return render_page(request, "log_in_again", {"next": wanted})


def change_password(request: HttpRequest) -> HttpResponse:
    """The site's own page."""
    return redirect("portal:password")


def _closed(request: HttpRequest) -> HttpResponse:
    """Accounts are made by invitation."""
    return redirect("portal:join")


def urls(log_in: View, log_out: View) -> list[URLPattern]:
    """Return the addresses below /account/ under the names that allauth uses. log_in, log_out: the site's own pages."""
    plain, limited = account_page, lambda view: account_page(view, limits=True)
    key = r"(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)"
    return [
        path("login/", log_in, name="account_login"),
        path("logout/", log_out, name="account_logout"),
        path("signup/", _closed, name="account_signup"),
        path("signup/social/", _closed, name="socialaccount_signup"),
        path("inactive/", plain(account.account_inactive), name="account_inactive"),
        path("reauthenticate/", limited(account.reauthenticate), name="account_reauthenticate"),
        path("log-in-again/", member_page(log_in_again), name="account_log_in_again"),
        path("email/", plain(change_address), name="account_email"),
        path("confirm-email/", plain(account.email_verification_sent), name="account_email_verification_sent"),
        re_path(r"^confirm-email/(?P<key>[-:\w]+)/$", plain(account.confirm_email), name="account_confirm_email"),
        path("password/change/", change_password, name="account_change_password"),
        path("password/set/", plain(account.password_set), name="account_set_password"),
        path("password/reset/", account_page(_reset), name="account_reset_password"),
        path("password/reset/done/", plain(account.password_reset_done), name="account_reset_password_done"),
        re_path(
            rf"^password/reset/key/{key}/$",
            plain(account.password_reset_from_key),
            name="account_reset_password_from_key",
        ),
        path(
            "password/reset/key/done/",
            plain(account.password_reset_from_key_done),
            name="account_reset_password_from_key_done",
        ),
        path("2fa/", plain(factors.index), name="mfa_index"),
        path("2fa/authenticate/", limited(factors.authenticate), name="mfa_authenticate"),
        path("2fa/reauthenticate/", limited(factors.reauthenticate), name="mfa_reauthenticate"),
        path("2fa/totp/activate/", account_page(totp.activate_totp, qr_code=True), name="mfa_activate_totp"),
        path("2fa/totp/deactivate/", plain(totp.deactivate_totp), name="mfa_deactivate_totp"),
        path("2fa/recovery-codes/", plain(recovery_codes.view_recovery_codes), name="mfa_view_recovery_codes"),
        path(
            "2fa/recovery-codes/generate/",
            plain(recovery_codes.generate_recovery_codes),
            name="mfa_generate_recovery_codes",
        ),
        path(
            "2fa/recovery-codes/download/",
            plain(recovery_codes.download_recovery_codes),
            name="mfa_download_recovery_codes",
        ),
        path("2fa/webauthn/", plain(webauthn.list_webauthn), name="mfa_list_webauthn"),
        path("2fa/webauthn/add/", plain(webauthn.add_webauthn), name="mfa_add_webauthn"),
        path("2fa/webauthn/login/", plain(webauthn.login_webauthn), name="mfa_login_webauthn"),
        path(
            "2fa/webauthn/reauthenticate/",
            limited(webauthn.reauthenticate_webauthn),
            name="mfa_reauthenticate_webauthn",
        ),
        path("2fa/webauthn/keys/<int:pk>/remove/", plain(webauthn.remove_webauthn), name="mfa_remove_webauthn"),
        path("2fa/webauthn/keys/<int:pk>/edit/", plain(webauthn.edit_webauthn), name="mfa_edit_webauthn"),
        path("sessions/", account_page(sign_out_everywhere), name="usersessions_list"),
        path("providers/", plain(social.connections), name="socialaccount_connections"),
        path("providers/cancelled/", plain(social.login_cancelled), name="socialaccount_login_cancelled"),
        path("providers/error/", plain(social.login_error), name="socialaccount_login_error"),
        path("github/login/", plain(_with_github(github.oauth2_login)), name="github_login"),
        path("github/login/callback/", plain(_with_github(github.oauth2_callback)), name="github_callback"),
        path("oidc/<provider_id>/login/", plain(_openid(OAuth2LoginView)), name="openid_connect_login"),
        path("oidc/<provider_id>/login/callback/", plain(_openid(OAuth2CallbackView)), name="openid_connect_callback"),
    ]


def _reset(request: HttpRequest) -> HttpResponse:
    """Ask for a link to set a password; each request counts, as it sends a mail."""
    if request.method == "POST":
        try:
            PasswordAttempt(request, f"reset:{request.POST.get('email', '')}")
        except TooManyAttempts as error:
            response = render_page(request, "too_many_requests", {"seconds": error.seconds}, status=429)
            response["Retry-After"] = str(error.seconds)
            return response
    return account.password_reset(request)
