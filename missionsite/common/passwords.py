"""Setting passwords, and limits of password attempts, shared by all forms that ask for a password."""

import re
from itertools import chain
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from missionsite.common.accounts.delays import count_failure, delay_key, digest_of, uncount_failure
from missionsite.common.accounts.sessions import end_access
from missionsite.common.addresses import network_of
from missionsite.common.annotations import StrOrPromise
from missionsite.common.api.limits import count_request, uncount_request
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

# Wrong passwords per minute from one network: this many times the limit of one account.
ACCOUNTS_PER_NETWORK = 6
# Wrong passwords per minute for one account from all networks: this many times the limit of one network. Above it, each
# network has one attempt per minute, so that the correct password from another network still works.
NETWORKS_PER_ACCOUNT = 4


@service
def set_password(*, actor: Model, member: Any, password: str | None) -> Any:
    """Set the password of a member, and return the member; None disables the login by password.

    Raises ConstraintViolated for the system member.
    """
    member.set_password(password)
    member.save(update_fields=["password"])
    audit("member.password_set" if password else "member.password_removed", actor=actor, member=member)
    if actor.pk != member.pk:
        end_access(actor=actor, member=member, reason="password")
    return member


class OwnWordsValidator:
    """Rejects a password that consists mainly of the site's own words, which are the first guesses."""

    # What must be left of letters and digits without the own words.
    shortest_rest = 8
    words = ("missionsite", "mission", "community", "colony")

    def validate(self, password: str, user: Any = None) -> None:
        rest = "".join(each for each in password.lower() if each.isalnum())
        without = rest
        for word in self._words():
            without = without.replace(word, "")
        if without != rest and len(without) < self.shortest_rest:
            raise ValidationError(_("The password consists mainly of words of this site."), "own_words")

    def get_help_text(self) -> StrOrPromise:
        return _("Your password must not consist mainly of words of this site, such as its name.")

    def _words(self) -> list[str]:
        """The words of this site of at least four letters, the longest first."""
        names = " ".join((*self.words, settings.SITE_URL, settings.MFA_TOTP_ISSUER)).lower()
        return sorted({word for word in re.split(r"[^a-z0-9]+", names) if len(word) >= 4}, key=len, reverse=True)


class CommonPartsValidator(CommonPasswordValidator):
    """Rejects a password made of one or two leaked ones, whatever digits and signs are around and between them.

    Few leaked passwords are as long as a password must be here; most of those that are consist of shorter ones.
    """

    def validate(self, password: str, user: Any = None) -> None:
        text = re.sub(r"[\W_]+", "", password.lower())
        if any(map(self._is_common, (text.strip("0123456789"), re.sub(r"\d", "", text)))):
            raise ValidationError(_("The password consists of common passwords. Add something else."), "common_parts")

    def get_help_text(self) -> str:
        return str(_("Your password must not consist of commonly used passwords."))

    def _is_common(self, text: str) -> bool:
        # Longer than any two of them.
        if len(text) > 100:
            return False
        pairs = ((text[:cut], text[cut:]) for cut in range(1, len(text) + 1))
        return any(first in self.passwords and (not rest or rest in self.passwords) for first, rest in pairs)


class TooManyAttempts(ValidationError):
    """Too many password attempts within a minute. seconds: the time to wait."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        message = ngettext_lazy(
            "Too many attempts. Wait %(seconds)d second, then try again.",
            "Too many attempts. Wait %(seconds)d seconds, then try again.",
            "seconds",
        )
        super().__init__(message, "too_many_attempts", {"seconds": seconds})


class PasswordAttempt:
    """A password attempt: counted before the password is checked, and uncounted if it is correct.

    So wrong passwords are counted: for this account from this network, for all accounts from this network, and for this
    account from all networks; the first of them also for longer than a minute, with a growing delay. The account is
    counted as entered, whether it exists or not; only its digest is stored.
    """

    def __init__(self, request: HttpRequest, account: str) -> None:
        """Raises TooManyAttempts."""
        network, digest = network_of(request), digest_of(account)
        each = settings.LOGIN_ATTEMPTS_PER_MINUTE
        self._counted: list[str] = []
        self._delayed = ""
        below_account_limit = self._count(f"login::{digest}", each * NETWORKS_PER_ACCOUNT) is None
        own = each if below_account_limit else min(each, 1)
        wait = self._count(f"login:{network}:{digest}", own)
        wait = wait or self._count(f"login:{network}:", each * ACCOUNTS_PER_NETWORK)
        wait = wait or count_failure(delay_key(request, account), own)
        if wait:
            self.uncount()
            raise TooManyAttempts(wait)
        self._delayed = delay_key(request, account)

    def uncount(self) -> None:
        """Uncount the attempt: the password was correct, or it was not checked."""
        for caller in self._counted:
            uncount_request(caller)
        if self._delayed:
            uncount_failure(self._delayed)
        self._counted, self._delayed = [], ""

    def _count(self, caller: str, at_most: int) -> int | None:
        """Count the attempt. Returns the seconds to wait if it is over the limit, else None."""
        allowance = count_request(caller, at_most)
        if allowance is None:
            return None
        if not allowance.allowed:
            return allowance.retry_after
        self._counted.append(caller)
        return None


class LimitedLogin(AuthenticationForm):
    """A log-in form with limited attempts. Above the limit it shows how long to wait."""

    def clean(self) -> dict:
        request = cast(HttpRequest, self.request)
        account, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if account is None or not password:
            return super().clean()
        attempt = PasswordAttempt(request, account)
        cleaned = super().clean()
        attempt.uncount()
        return cleaned


class LimitedPasswordChange(PasswordChangeForm):
    """A password-change form with limited attempts at the old password."""

    def __init__(self, user: Any, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        attempt = PasswordAttempt(self.request, self.user.get_username())
        password = super().clean_old_password()
        attempt.uncount()
        return password

    def save(self, commit: bool = True) -> Any:
        """Set the password with the member as the actor."""
        return set_password(actor=self.user, member=self.user, password=self.cleaned_data["new_password1"])


def limited(response: HttpResponse, form: forms.Form) -> HttpResponse:
    """The response that shows a form, with status 429 and Retry-After if the form was over a limit."""
    errors = form.errors.as_data().values() if form.is_bound else ()
    for error in chain.from_iterable(errors):
        if isinstance(error, TooManyAttempts):
            response.status_code = 429
            response["Retry-After"] = str(error.seconds)
    return response
