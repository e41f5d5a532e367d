"""The link of people who return: it sets a password and gives the old entry back."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from groups.errors import ReturnLinkRejected
from groups.models import Member
from groups.services.returns import accept_by_link, find_return
from missionsite.common.errors import DomainError
from missionsite.portal.forms import ServiceErrorsMixin
from missionsite.portal.page import hide_referrer, page, rate_limit_response, render_page, uncount


class ReturnForm(ServiceErrorsMixin):
    """The password of a person who returns."""

    password = forms.CharField(
        label=gettext_lazy("New password"),
        max_length=256,
        strip=False,
        help_text=lazy(password_validators_help_text_html, str)(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args, member: Member, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.member = member

    def clean_password(self) -> str:
        validate_password(self.cleaned_data["password"], self.member)
        return self.cleaned_data["password"]


@sensitive_post_parameters("password")
@hide_referrer
@page
def take_back(request: HttpRequest, secret: str) -> HttpResponse:
    """Set a password and take the old entry back. Opening the page changes nothing: mail programs open links too."""
    if rejected := rate_limit_response(request, "return", settings.JOIN_ATTEMPTS_PER_MINUTE):
        return rejected
    try:
        case = find_return(secret)
    except ReturnLinkRejected:
        return render_page(request, "return_rejected", status=ReturnLinkRejected.status)
    uncount(request, "return")
    assert case.account
    form = ReturnForm(request.POST if request.method == "POST" else None, member=case.account)
    if form.is_valid():
        try:
            accept_by_link(secret=secret, password=form.cleaned_data["password"])
        except ReturnLinkRejected:
            return render_page(request, "return_rejected", status=ReturnLinkRejected.status)
        except DomainError as error:
            form.add_service_error(error)
        else:
            messages.success(request, _("Welcome back. Log in with your new password."))
            return redirect("portal:login")
    return render_page(request, "return", {"form": form, "member": case.account})
