"""How often a password may be tried: one limit for every form that asks for one."""

from hashlib import sha256
from itertools import chain

from django import forms
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import ngettext_lazy

from missionsite.common.addresses import network_of
from missionsite.common.api.limits import count_request, uncount_request

# Wrong passwords of one network in a minute, for as many times as many accounts as one account allows.
ACCOUNTS_PER_NETWORK = 6
# Wrong passwords for one account in a minute, from as many times as many networks as one network is allowed, after
# which each network has a single attempt a minute. The right password from another network still works.
NETWORKS_PER_ACCOUNT = 4


class TooManyAttempts(ValidationError):
    """Too many attempts in a minute; carries the seconds to wait."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        message = ngettext_lazy(
            "Too many attempts. Wait %(seconds)d second, then try again.",
            "Too many attempts. Wait %(seconds)d seconds, then try again.",
            "seconds",
        )
        super().__init__(message, "too_many_attempts", {"seconds": seconds})


class PasswordAttempt:
    """An attempt at the password of an account: counted before the password is evaluated, taken back if it is right.

    Counted are wrong passwords: for this account from this network, for all accounts from it, and for this account
    from everywhere. The account is counted as it was typed, whether it exists or not, and only its digest is stored.
    """

    def __init__(self, request: HttpRequest, account: str) -> None:
        """Raises TooManyAttempts."""
        network = network_of(request)
        digest = sha256(account.strip().lower().encode("utf-8", "replace")).hexdigest()
        each = settings.LOGIN_ATTEMPTS_PER_MINUTE
        self._counted: list[str] = []
        is_calm = self._count(f"login::{digest}", each * NETWORKS_PER_ACCOUNT) is None
        wait = self._count(f"login:{network}:{digest}", each if is_calm else min(each, 1))
        wait = wait or self._count(f"login:{network}:", each * ACCOUNTS_PER_NETWORK)
        if wait:
            self.take_back()
            raise TooManyAttempts(wait)

    def take_back(self) -> None:
        """Uncount the attempt: the password was right, or it was not evaluated."""
        for caller in self._counted:
            uncount_request(caller)
        self._counted = []

    def _count(self, caller: str, at_most: int) -> int | None:
        """Count once; the seconds to wait where that is too many."""
        allowance = count_request(caller, at_most)
        if allowance is None:
            return None
        if not allowance.allowed:
            return allowance.retry_after
        self._counted.append(caller)
        return None


class LimitedLogin(AuthenticationForm):
    """A log-in form that evaluates a limited number of passwords; over the limit it shows how long to wait."""

    def clean(self) -> dict:
        account, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if account is None or not password:
            return super().clean()
        attempt = PasswordAttempt(self.request, account)
        cleaned = super().clean()
        attempt.take_back()
        return cleaned


class LimitedPasswordChange(PasswordChangeForm):
    """A form to change one's password that evaluates a limited number of old ones."""

    def __init__(self, user: AbstractBaseUser, *args, request: HttpRequest, **kwargs) -> None:
        super().__init__(user, *args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        attempt = PasswordAttempt(self.request, self.user.get_username())
        password = super().clean_old_password()
        attempt.take_back()
        return password


def limited(response: HttpResponse, form: forms.Form) -> HttpResponse:
    """The response that shows a form, with status 429 and Retry-After where the form was over a limit."""
    errors = form.errors.as_data().values() if form.is_bound else ()
    for error in chain.from_iterable(errors):
        if isinstance(error, TooManyAttempts):
            response.status_code = 429
            response["Retry-After"] = str(error.seconds)
    return response
