"""Registration, log-in and log-out, and the member's own profile."""

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from engagement.rules import Locale
from groups.errors import CodeRejected
from groups.models import CommunityMember, Member
from groups.rules import normalize_username
from groups.selectors.lookalikes import find_lookalikes
from groups.services.directory import update_entry
from groups.services.registration import accept_invitation, find_invitation
from groups.services.returns import COLLISIONS, find_old_person, request_return
from groups.services.verification import verification_code
from missionsite.common.accounts.addresses import is_address_unconfirmed
from missionsite.common.errors import DomainError
from missionsite.common.language import LANGUAGES, get_language, set_language_cookie
from missionsite.common.passwords import TooManyAttempts, limited
from missionsite.portal.codes import count_registration, has_seen_code, set_code_cookie
from missionsite.portal.forms import CodeForm, LoginForm, OwnPasswordForm, ProfileForm, RegistrationForm
from missionsite.portal.page import (
    current_member,
    member_page,
    page,
    rate_limit_response,
    render_page,
    safe_next,
    uncount,
)
from missionsite.portal.pending_password import clear_pending_password, get_pending_password, store_pending_password
from missionsite.portal.preferences import address_context, zone_context
from missionsite.portal.steps import steps_context
from missionsite.portal.texts import REMOVED, STATUS_DESCRIPTIONS, label


def home(request: HttpRequest) -> HttpResponse:
    """Redirect members to their profile, and everyone else to the back office."""
    member = request.user.is_authenticated and not request.user.is_staff
    return redirect("portal:me" if member else "admin:index")


# --- Registration ----------------------------------------------------------------------------------


@page
def join(request: HttpRequest) -> HttpResponse:
    """Enter an invitation code."""
    if request.user.is_authenticated:
        return redirect("portal:me")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return redirect("portal:register", code=form.cleaned_data["code"])
    return render_page(request, "join", {"form": form})


@sensitive_post_parameters("password")
@page
def register(request: HttpRequest, code: str) -> HttpResponse:
    """Register with a code.

    The order prevents guessing of codes: a network with too many wrong codes is rejected first, and an invalid code is
    rejected before the form is read. A code that was valid in this browser is not a guess, so it is not limited.
    """
    if request.user.is_authenticated:
        # Also after registering, when the code is used.
        return redirect("portal:me")
    known = has_seen_code(request, code)
    if not known and (rejected := rate_limit_response(request, "join", settings.JOIN_ATTEMPTS_PER_MINUTE)):
        return rejected
    try:
        invitation = find_invitation(code)
    except CodeRejected:
        return _code_rejected(request)
    if not known:
        uncount(request, "join")
    pending = get_pending_password(request, invitation)
    if request.method == "POST":
        form = RegistrationForm(request.POST, has_pending_password=bool(pending))
        if form.is_valid():
            try:
                count_registration(code, invitation)
                if not form.cleaned_data.pop("registers_anyway") and _is_perhaps_registered(form.cleaned_data):
                    raise PerhapsRegistered
                entry = accept_invitation(
                    code=code,
                    **_entered(form, request),
                    password=form.cleaned_data["password"],
                    password_hash="" if form.cleaned_data["password"] else pending,
                )
            except CodeRejected:
                return _code_rejected(request)
            except TooManyAttempts as error:
                form.add_error(None, error)
            except PerhapsRegistered:
                form.warn_of_duplicate()
            except DomainError as error:
                if error.code in COLLISIONS and request_return(code=code, **_entered(form, request)):
                    # The same page whatever was found.
                    clear_pending_password(request)
                    return render_page(request, "return_requested", {"again": request.path})
                form.add_service_error(error)
            else:
                clear_pending_password(request)
                member: Any = entry.person
                found = Login(user=member, redirect_url=reverse("portal:me"), email=member.email, signup=True)
                return perform_password_login(request, {"email": member.email}, found)
        if form.cleaned_data.get("password"):
            pending = store_pending_password(request, invitation, form.cleaned_data["password"]) or pending
        form.set_password_optional(bool(pending))
    else:
        form = RegistrationForm(
            initial={"telegram_username": invitation.invited_telegram_username or ""},
            has_pending_password=bool(pending),
        )
    response = limited(render_page(request, "register", {"form": form, "invitation": invitation}), form)
    set_code_cookie(response, code)
    return response


def _entered(form: RegistrationForm, request: HttpRequest) -> dict:
    """What was entered, without the password, and the profile's locale for Django's language code."""
    values = {name: value for name, value in form.cleaned_data.items() if name not in ("password", "registers_anyway")}
    return values | {"locale": next(value for value in Locale.values if value.lower() == get_language(request))}


class PerhapsRegistered(Exception):
    """Someone with the same user name or mailbox is in the directory."""


def _is_perhaps_registered(values: dict) -> bool:
    """Whether a user name or the mailbox is someone's. Names are left out: many people share one."""
    names = ("email", "telegram_username", "github_username")
    # An address or ID that is taken leads to the confirmation of a returning person.
    exact = any(find_old_person(email=values["email"], telegram_id=values["telegram_id"])[:2])
    alike = {name: normalize_username(values[name]) if name != "email" else values[name] for name in names}
    return not exact and bool(find_lookalikes(**alike))


def _code_rejected(request: HttpRequest) -> HttpResponse:
    """The same response for every invalid code."""
    home = reverse("portal:join")
    return render_page(request, "code_rejected", {"form": CodeForm(), "return_to": home}, status=CodeRejected.status)


# --- Log-in and log-out ---------------------------------------------------------------------------


@sensitive_post_parameters("password")
@page
def log_in(request: HttpRequest) -> HttpResponse:
    """Log in and redirect to `next`; both /login/ and /admin/login/.

    After the password comes the second factor, if the member has one.
    """
    is_office = request.path_info.startswith("/admin/")
    user: Any = request.user
    wanted = safe_next(request, "admin:index" if is_office else "portal:me")
    # A member without access to the back office is told so, instead of being sent there and back.
    if user.is_authenticated and (user.is_staff or not is_office):
        return HttpResponseRedirect(wanted)
    form = LoginForm(request)
    if request.method == "POST":
        form = LoginForm(request, data=request.POST)
        if form.is_valid():
            member: Any = form.get_user()
            if is_office and not member.is_staff:
                wanted = reverse("portal:me")
            found = Login(user=member, redirect_url=wanted, email=member.email)
            return perform_password_login(request, {"email": member.email}, found)
    context = {
        "form": form,
        "next": wanted,
        # Of the form that a passkey submits.
        "redirect_field": format_html('<input type="hidden" name="next" value="{}">', wanted),
        "no_access": is_office and user.is_authenticated,
    }
    return limited(render_page(request, "login", context), form)


@page
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """Log out."""
    logout(request)
    messages.success(request, _("You are logged out."))
    return redirect("portal:login")


@sensitive_post_parameters()
@member_page
def password(request: HttpRequest) -> HttpResponse:
    """Change the password; other sessions end."""
    form = OwnPasswordForm(request.user, request=request)
    if request.method == "POST":
        form = OwnPasswordForm(request.user, request.POST, request=request)
        if form.is_valid():
            update_session_auth_hash(request, form.save())
            messages.success(request, _("Your password was changed. Your other devices have been logged out."))
            return redirect("portal:me")
    return limited(render_page(request, "password", {"form": form}), form)


@page
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Set the language and return to the page."""
    response = HttpResponseRedirect(safe_next(request))
    if (code := request.POST.get("language")) in LANGUAGES:
        set_language_cookie(response, code)
    return response


# --- The member's own profile ----------------------------------------------------------------------------


def get_entry(member: Member) -> CommunityMember | None:
    """A member's own directory entry, also if it was removed."""
    return CommunityMember.objects.select_related("invited_by").filter(person=member).first()


def status_of(entry: CommunityMember | None) -> str:
    """The status of an entry: its own, `removed`, or empty without an entry."""
    if entry is None:
        return ""
    return REMOVED if entry.is_removed else entry.status


def can_verify_github(entry: CommunityMember) -> bool:
    """Whether the entry has a GitHub account that is not verified yet."""
    return bool(entry.github_username) and not (entry.github_verified or entry.is_removed)


@member_page
@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """The profile page."""
    entry = get_entry(current_member(request))
    if entry is None:
        return render_page(request, "no_entry")
    status = status_of(entry)
    status_label = _("Removed") if status == REMOVED else label(entry.get_status_display())
    inviter = entry.invited_by
    context = {
        "here": "me",
        **zone_context(current_member(request)),
        **steps_context(current_member(request)),
        **address_context(current_member(request)),
        "entry": entry,
        "status": status,
        "status_label": status_label,
        "status_description": STATUS_DESCRIPTIONS[status],
        "role": label(entry.get_primary_role_display()),
        "tier": label(entry.reputation_tier),
        "proof": verification_code(member_id=entry.member_id) if can_verify_github(entry) else "",
        "address_unconfirmed": is_address_unconfirmed(current_member(request)),
        "inviter": None if inviter is None or inviter.is_removed else inviter,
    }
    return render_page(request, "me", context)


@member_page
def edit(request: HttpRequest) -> HttpResponse:
    """Edit the profile."""
    entry = get_entry(current_member(request))
    if entry is None or entry.is_removed:
        return redirect("portal:me")
    if request.method == "POST":
        form = ProfileForm(request.POST)
        if form.is_valid():
            try:
                update_entry(entry=entry, actor=current_member(request), own=True, **form.cleaned_data)
            except DomainError as error:
                form.add_service_error(error)
            else:
                messages.success(request, _("Your profile was saved."))
                return redirect("portal:me")
    else:
        form = ProfileForm(initial={name: getattr(entry, name) or "" for name in ProfileForm.base_fields})
    return render_page(request, "edit", {"form": form})
