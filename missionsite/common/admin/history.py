"""The page with the changes of an object, and the page that reverts one of them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin as UnfoldModelAdmin

from missionsite.common.accounts.identity import prompt_for_identity, require_identity
from missionsite.common.annotations import StrOrPromise
from missionsite.common.audit.history import Change
from missionsite.common.errors import DomainError


class HistoryMixin(UnfoldModelAdmin):
    """A model admin whose objects may have a page named History."""

    # Whether there is one, and whether a change can be reverted there.
    has_history = False
    can_revert = True
    # Of the base class of all model admins.
    asks_identity: Any
    page_context: Any
    _wrapped: Any

    def get_urls(self) -> list:
        urls = super().get_urls()
        if not (self.has_history and self.can_revert):
            return urls
        name = f"{self.opts.app_label}_{self.opts.model_name}_revert"
        address = "<path:object_id>/history/<int:entry>/revert/"
        return [path(address, self._wrapped(self.revert_view, self.revert_view), name=name), *urls]

    def changes_of(self, obj: Any) -> list[Change]:
        """The changes of an object, newest first."""
        raise NotImplementedError

    def revert(self, request: HttpRequest, obj: Any, change: Change) -> None:
        """Revert one change. Raises DomainError."""
        raise NotImplementedError

    def may_revert(self, request: HttpRequest, obj: Any, changed: set[str]) -> bool:
        """Whether the current member may revert a change of these fields."""
        return self.has_change_permission(request, obj)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        """The changes of an object, field by field, with member and time."""
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_history:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        context = {
            **self.page_context(request, obj, active="history"),
            "title": str(obj),
            "subtitle": _("History"),
            "changes": [(change, self._revertible(request, obj, change)) for change in self.changes_of(obj)],
            "revert_name": f"admin:{self.opts.app_label}_{self.opts.model_name}_revert",
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "missionsite/history.html", context)

    def _revertible(self, request: HttpRequest, obj: Any, change: Change) -> bool:
        return bool(change.fields) and self.may_revert(request, obj, {field.name for field in change.fields})

    def revert_view(self, request: HttpRequest, object_id: str, entry: int) -> HttpResponse:
        """Revert one change after a confirmation."""
        obj = self.get_object(request, object_id)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_history", args=[obj.pk])
        change = next((change for change in self.changes_of(obj) if change.pgh_id == entry), None)
        if change is None:
            messages.error(request, _("This change is not in the history."))
            return HttpResponseRedirect(back)
        if not self.may_revert(request, obj, {field.name for field in change.fields}):
            raise PermissionDenied
        error_message: StrOrPromise = ""
        fields = [field.name for field in change.fields]
        asks = self.asks_identity(request, fields, adding=False)
        if asks and request.method != "POST" and (prompt := prompt_for_identity(request)):
            return prompt
        if request.method == "POST":
            try:
                if asks:
                    require_identity(request)
                self.revert(request, obj, change)
            except DomainError as error:
                error_message = error.message
            else:
                messages.success(request, _("{obj}: change reverted.").format(obj=obj))
                return HttpResponseRedirect(back)
        context = {
            **self.page_context(request, obj, active="history"),
            "title": str(obj),
            "subtitle": _("Revert change"),
            "change": change,
            "error": error_message,
            "back": back,
            "buttons": [],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "missionsite/revert.html", context)
