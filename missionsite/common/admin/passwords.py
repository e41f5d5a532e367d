"""The password-change page of the back office, with limited attempts."""

from django.contrib import admin
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from unfold.forms import AdminOwnPasswordChangeForm

from missionsite.common.passwords import LimitedPasswordChange, limited


class StaffPasswordForm(LimitedPasswordChange, AdminOwnPasswordChangeForm):
    """The password-change form of the back office."""


class StaffPasswordView(PasswordChangeView):
    """The password-change page of the back office."""

    form_class = StaffPasswordForm

    def get_form_kwargs(self) -> dict:
        return super().get_form_kwargs() | {"request": self.request}

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        return limited(super().form_invalid(form), form)


def change_password(request: HttpRequest, extra_context: dict | None = None) -> HttpResponseBase:
    """The password-change page within the back office's layout."""
    request.current_app = admin.site.name
    return StaffPasswordView.as_view(
        success_url=reverse("admin:password_change_done"),
        extra_context={**admin.site.each_context(request), **(extra_context or {})},
    )(request)
