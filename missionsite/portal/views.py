"""Registering, logging in and out, and one's own profile."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from engagement.models import Locale
from groups.errors import CodeRejected
from groups.models import CommunityMember, Member
from groups.services.directory import update_entry
from groups.services.registration import accept_invitation, open_invitation
from groups.services.verification import proof_word
from missionsite.common.errors import DomainError
from missionsite.common.passwords import TooManyAttempts, limited
from missionsite.portal.codes import count_registration, knows_code, remember_code
from missionsite.portal.forms import CodeForm, LoginForm, OwnPasswordForm, ProfileForm, RegistrationForm
from missionsite.portal.kept_password import forget_password, keep_password, kept_password
from missionsite.portal.language import LANGUAGES, language_of, remember
from missionsite.portal.page import not_counted, own_page, page, safe_next, show, too_many
from missionsite.portal.words import REMOVED, STATUS_MEANS, label


def first_page(request: HttpRequest) -> HttpResponse:
    """Members come to their profile, everyone else to the back office and its log-in."""
    member = request.user.is_authenticated and not request.user.is_staff
    return redirect("portal:me" if member else "admin:index")


# --- Registering ----------------------------------------------------------------------------------


@page
def join(request: HttpRequest) -> HttpResponse:
    """Type a code."""
    if request.user.is_authenticated:
        return redirect("portal:me")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return redirect("portal:register", code=form.cleaned_data["code"])
    return show(request, "join", {"form": form})


@sensitive_post_parameters("password")
@page
def register(request: HttpRequest, code: str) -> HttpResponse:
    """Register with a code.

    The order is what keeps codes from being guessed: a network with too many wrong codes is sent away unheard, and a
    code that opens nothing ends it before anything else that was sent is looked at. A code that was open in this
    browser is no guess: it passes whatever others in the network try.
    """
    if request.user.is_authenticated:
        # Also whoever has just registered and comes back to a code that is used now.
        return redirect("portal:me")
    known = knows_code(request, code)
    if not known and (rejected := too_many(request, "join", settings.JOIN_ATTEMPTS_PER_MINUTE)):
        return rejected
    try:
        invitation = open_invitation(code)
    except CodeRejected:
        return _code_rejected(request)
    if not known:
        not_counted(request, "join")
    kept = kept_password(request, invitation)
    if request.method == "POST":
        form = RegistrationForm(request.POST, password_kept=bool(kept))
        if form.is_valid():
            try:
                count_registration(code)
                entry = accept_invitation(
                    code=code,
                    **form.cleaned_data,
                    password_hash="" if form.cleaned_data["password"] else kept,
                    # They are written to as they read: the code of Django in the writing of the profile.
                    locale=next(value for value in Locale.values if value.lower() == language_of(request)),
                )
            except CodeRejected:
                return _code_rejected(request)
            except TooManyAttempts as error:
                form.add_error(None, error)
            except DomainError as error:
                form.reject(error)
            else:
                forget_password(request)
                login(request, entry.person)
                return redirect("portal:me")
        if form.cleaned_data.get("password"):
            kept = keep_password(request, invitation, form.cleaned_data["password"]) or kept
        form.say_password_is_kept(bool(kept))
    else:
        form = RegistrationForm(
            initial={"telegram_username": invitation.invited_telegram_username or ""}, password_kept=bool(kept)
        )
    response = limited(show(request, "register", {"form": form, "invitation": invitation}), form)
    remember_code(response, code)
    return response


def _code_rejected(request: HttpRequest) -> HttpResponse:
    """The one answer to every code that opens nothing."""
    home = reverse("portal:join")
    return show(request, "code_rejected", {"form": CodeForm(), "return_to": home}, status=CodeRejected.status)


# --- Logging in and out ---------------------------------------------------------------------------


@sensitive_post_parameters("password")
@page
def log_in(request: HttpRequest) -> HttpResponse:
    """Log in, and go on to where one wanted to."""
    wanted = safe_next(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(wanted)
    form = LoginForm(request)
    if request.method == "POST":
        form = LoginForm(request, data=request.POST)
        if form.is_valid():
            login(request, form.get_user())
            return HttpResponseRedirect(wanted)
    return limited(show(request, "login", {"form": form, "next": wanted}), form)


@page
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    messages.success(request, _("You are logged out."))
    return redirect("portal:login")


@sensitive_post_parameters()
@own_page
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; other sessions end."""
    form = OwnPasswordForm(request.user, request=request)
    if request.method == "POST":
        form = OwnPasswordForm(request.user, request.POST, request=request)
        if form.is_valid():
            update_session_auth_hash(request, form.save())
            messages.success(request, _("Your password is changed. Other devices have to log in again."))
            return redirect("portal:me")
    return limited(show(request, "password", {"form": form}), form)


@page
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Choose the language, and go back to where the choice was made."""
    response = HttpResponseRedirect(safe_next(request))
    if (code := request.POST.get("language")) in LANGUAGES:
        remember(response, code)
    return response


# --- One's own profile ----------------------------------------------------------------------------


def entry_of(person: Member) -> CommunityMember | None:
    """Someone's own entry in the directory, also one that was removed from it."""
    return CommunityMember.objects.select_related("invited_by").filter(person=person).first()


def standing(entry: CommunityMember | None) -> str:
    """What an entry is to whoever has it: its status, `removed`, or nothing where there is none."""
    if entry is None:
        return ""
    return REMOVED if entry.is_removed else entry.status


def may_prove(entry: CommunityMember) -> bool:
    """Whether there is a GitHub account someone has still to show is theirs."""
    return bool(entry.github_username) and not (entry.github_verified or entry.is_removed)


@own_page
@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """One's own entry."""
    entry = entry_of(request.user)
    if entry is None:
        return show(request, "no_entry")
    status = standing(entry)
    words = _("Removed") if status == REMOVED else label(entry.get_status_display())
    inviter = entry.invited_by
    context = {
        "here": "me",
        "entry": entry,
        "standing": status,
        "status": words,
        "status_means": STATUS_MEANS[status],
        "role": label(entry.get_primary_role_display()),
        "tier": label(entry.reputation_tier),
        "proof": proof_word(member_id=entry.member_id) if may_prove(entry) else "",
        "inviter": None if inviter is None or inviter.is_removed else inviter,
    }
    return show(request, "me", context)


@own_page
def edit(request: HttpRequest) -> HttpResponse:
    """Change what members change themselves."""
    entry = entry_of(request.user)
    if standing(entry) in ("", REMOVED):
        return redirect("portal:me")
    if request.method == "POST":
        form = ProfileForm(request.POST)
        if form.is_valid():
            try:
                update_entry(entry=entry, actor=request.user, own=True, **form.cleaned_data)
            except DomainError as error:
                form.reject(error)
            else:
                messages.success(request, _("Your profile is saved."))
                return redirect("portal:me")
    else:
        form = ProfileForm(initial={name: getattr(entry, name) or "" for name in ProfileForm.base_fields})
    return show(request, "edit", {"form": form})
