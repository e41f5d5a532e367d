"""Actions on an object: a button on its page, and an entry in the action menu of its list.

An action has a page of its own with a form. It calls a service; the service's errors are shown on that page, with the
values that were entered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from missionsite.common.admin.form_keys import (
    ALREADY_SAVED,
    FormKeyMissing,
    FormKeyReused,
    FormResult,
    earlier_result,
    result_response,
    run_once,
    submit_form_once,
)
from missionsite.common.admin.forms import add_service_error
from missionsite.common.annotations import M, StrOrPromise
from missionsite.common.errors import DomainError

# Rows an action takes from a list; each is a transaction of its own.
MAX_BULK_ROWS = 200


class ActionForm(forms.Form):
    """The form of an action. obj: the object it is run on; None when it is run on several."""

    def __init__(self, data: Any = None, *, obj: Model | None = None, **kwargs: Any) -> None:
        self.obj = obj
        super().__init__(data, **kwargs)


class EmptyForm(ActionForm):
    """The form of an action that only needs confirmation."""


class ReasonForm(ActionForm):
    """The form of an action that needs a reason, which is stored in the event."""

    reason = forms.CharField(
        max_length=500,
        help_text=_("Stored in the event history."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


@dataclass(frozen=True)
class Action(Generic[M]):
    """An action on an object.

    name: its part of the URL. title: the button and the heading. success_message: what was done, as in "3 archived".
    run: calls the service with the object, the current member and the form's values; raises DomainError.
    available: whether the object is in a state that allows the action; without it the button is hidden.
    help_text: shown above the form. bulk_title: its entry in the list's action menu; empty for none.
    result_page: returns the response after the action, given the model admin, the request and the return value of
    `run`, for what may be shown only once. Without it the previous page is shown again.
    """

    name: str
    title: StrOrPromise
    success_message: StrOrPromise
    run: Callable[[M, Any, dict], object]
    permission: str
    form: type[ActionForm] = EmptyForm
    available: Callable[[M], bool] = lambda obj: True
    help_text: StrOrPromise = ""
    icon: str = ""
    bulk_title: StrOrPromise = ""
    danger: bool = False
    result_page: Callable[[Any, HttpRequest, Any], HttpResponse] | None = None

    def allowed(self, request: HttpRequest) -> bool:
        """Whether the current member may run the action at all."""
        return request.user.has_perm(self.permission)

    def allowed_on(self, request: HttpRequest, obj: M) -> bool:
        """Whether the current member may run the action on this object."""
        return self.allowed(request)


def back_link(request: HttpRequest, otherwise: str) -> str:
    """The `next` parameter if it is an address of this site, else the fallback."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if target and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return target
    return otherwise


def action_view(model_admin: Any, request: HttpRequest, action: Action, object_id: str) -> HttpResponse:
    """The page of an action on one object."""
    if request.method == "POST" and (result := earlier_result(request)):
        return result_response(request, result)
    obj = model_admin.get_object(request, object_id)
    if obj is None:
        return model_admin._get_obj_does_not_exist_redirect(request, model_admin.opts, object_id)
    if not (action.allowed_on(request, obj) and model_admin.has_view_permission(request, obj)):
        raise PermissionDenied
    if not model_admin.has_object_permission(request, obj):
        raise PermissionDenied
    opts = model_admin.opts
    back = back_link(request, reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[obj.pk]))
    form = action.form(request.POST if request.method == "POST" else None, obj=obj)

    def save() -> FormResult:
        returned = action.run(obj, request.user, form.cleaned_data)
        if action.result_page:
            return FormResult(back, page=action.result_page(model_admin, request, returned))
        return FormResult(back, f"{obj}: {action.success_message}.")

    if request.method == "POST" and (response := submit_form_once(request, form, save)):
        return response
    return _render(model_admin, request, action, form, [obj], back=back, original=obj)


def bulk_view(model_admin: Any, request: HttpRequest, queryset: QuerySet, action: Action) -> HttpResponse | None:
    """The page of an action on the rows selected in a list. Each row succeeds or fails by itself."""
    selected = list(queryset[: MAX_BULK_ROWS + 1])
    if len(selected) > MAX_BULK_ROWS:
        messages.error(request, _("Select at most {rows} rows.").format(rows=MAX_BULK_ROWS))
        return None
    protected = [obj for obj in selected if not model_admin.has_object_permission(request, obj)]
    forbidden = [obj for obj in selected if not action.allowed_on(request, obj)]
    back = request.get_full_path()
    applying = "apply" in request.POST
    form = action.form(request.POST if applying else None)
    if applying and form.is_valid():
        rejected: list[tuple[Model, StrOrPromise]] = []
        repeats = 0
        for obj in selected:
            if obj in protected:
                rejected.append((obj, _("Only an administrator can change members who have back-office rights.")))
                continue
            if obj in forbidden:
                rejected.append((obj, _("Your role does not allow this action here.")))
                continue
            try:
                save = partial(_run_on, obj, request, action, form)
                repeats += run_once(request, save, part=str(obj.pk)).is_repeat
            except (FormKeyMissing, FormKeyReused) as error:
                add_service_error(form, error)
                return _render(model_admin, request, action, form, selected, back=back)
            except DomainError as error:
                rejected.append((obj, error.message))
        count = len(selected) - len(rejected)
        if not rejected:
            if repeats == count:
                messages.info(request, ALREADY_SAVED)
            else:
                messages.success(request, f"{count} {action.success_message}.")
            return HttpResponseRedirect(back)
        summary = _("{count} {done}, {rejected} rejected.").format(
            count=count, done=action.success_message, rejected=len(rejected)
        )
        remaining = [obj for obj, _error in rejected]
        return _render(model_admin, request, action, form, remaining, back=back, rejected=rejected, summary=summary)
    return _render(model_admin, request, action, form, selected, back=back)


def _run_on(obj: Model, request: HttpRequest, action: Action, form: forms.Form) -> FormResult:
    action.run(obj, request.user, form.cleaned_data)
    return FormResult(request.get_full_path())


def _render(
    model_admin: Any,
    request: HttpRequest,
    action: Action,
    form: ActionForm,
    objects: list,
    *,
    back: str,
    original: Model | None = None,
    rejected: Sequence[tuple[Model, StrOrPromise]] = (),
    summary: str = "",
) -> HttpResponse:
    opts = model_admin.opts
    context = {
        **model_admin.admin_site.each_context(request),
        "title": action.title,
        "action": action,
        "form": form,
        "media": model_admin.media + form.media,
        "objects": objects,
        "rejected": rejected,
        "summary": summary,
        "original": original,
        "bulk": original is None,
        "plural": capfirst(opts.verbose_name_plural),
        "action_name": action.name.replace("-", "_"),
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
        "back": back,
        "next": back if original is not None else "",
        "opts": opts,
        "no_tabs": True,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "missionsite/action.html", context)
