"""Everything a back-office page does: there are three shapes, and each calls a service and shows its errors.

`Action`: a button on an object's page and an entry in the action menu of its list. It has a page of its own with a
form; errors are shown on that page, with the values that were entered.
`form_page`: a page with a form that belongs to no object, such as an import.
`post_action`: a button or form in a page of another kind, such as a board. Its view returns a FormResult; scripts get
JSON, others are redirected with a message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Generic

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextareaWidget

from missionsite.common.accounts.identity import prompt_for_identity, require_identity
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

if TYPE_CHECKING:
    from missionsite.common.admin.options import ModelAdmin

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
        label=_("Reason"),
        max_length=500,
        help_text=_("Stored in the event history."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


class OptionalReasonForm(ActionForm):
    """The form of an action that does no harm: a reason may be given, and is stored in the event."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        required=False,
        help_text=_("Optional. Stored in the event history."),
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
    details: returns what the page of one object says below the help text, as HTML.
    asks_identity: whether it needs a recent proof of identity, because it is harmful in a session that was left open.
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
    result_page: Callable[..., HttpResponse] | None = None
    details: Callable[[HttpRequest, M], str] | None = None
    asks_identity: bool = False

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


# --- Pages with a form --------------------------------------------------------------------------


def render_page(model_admin: ModelAdmin, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
    """Render a page of a model's admin that is no list and not of one object. form in the context: adds its media."""
    media = model_admin.media + context["form"].media if "form" in context else model_admin.media
    request.current_app = model_admin.admin_site.name
    frame = {"opts": model_admin.opts, "media": media, "no_tabs": True}
    return TemplateResponse(request, template, model_admin.admin_site.each_context(request) | frame | context)


def form_page(
    model_admin: ModelAdmin,
    request: HttpRequest,
    form: forms.Form,
    save: Callable[[], FormResult],
    *,
    title: StrOrPromise,
    template: str = "missionsite/form_page.html",
    context: Callable[[], dict] = dict,
    already_saved: StrOrPromise = ALREADY_SAVED,
) -> HttpResponse:
    """A page with a form. `save` runs once for a valid form; it may raise DomainError, or FormInvalid for no change.

    context: what the template needs besides the form, computed only when the page is shown.
    """
    if request.method == "POST" and (response := submit_form_once(request, form, save, already_saved=already_saved)):
        return response
    return render_page(model_admin, request, template, title=title, form=form, **context())


# --- Buttons and forms in other pages -----------------------------------------------------------


class InvalidForm(DomainError):
    """A submitted form is invalid; has the field and the message of its first error."""

    message = _("Correct the form and send it again.")
    code = "invalid_form"
    status = 422


class NotFound(DomainError):
    """What an action is about does not exist, or is not visible to the member."""

    message = _("Not found. Reload the page.")
    code = "not_found"
    status = 404


def valid_values(form: forms.BaseForm, *, with_label: bool = False) -> dict:
    """Return the values of a form. Raises InvalidForm. with_label: the message begins with the label of the field."""
    if form.is_valid():
        return form.cleaned_data
    field, errors = next(iter(form.errors.items()))
    message = str(errors[0])
    if with_label and field in form.fields:
        message = f"{form.fields[field].label or field.replace('_', ' ').capitalize()}: {message}"
    raise InvalidForm(message, field=field)


def wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def post_action(
    *,
    back: Callable[..., str] = lambda **parts: "/admin/",
    done: Callable[..., HttpResponse] | None = None,
    failed: Callable[..., HttpResponse] | None = None,
    once: bool = False,
) -> Callable[[Callable[..., FormResult]], Callable[..., HttpResponse]]:
    """Decorate a view that changes something: POST only. It returns a FormResult, or raises DomainError or Http404.

    back: returns the address to show after an error, given the parameters of the URL. done, failed: make the response
    instead, given the request, the result or error, and these parameters. once: the form has a key and takes effect
    once. The `next` parameter of the form replaces the address of the result and of `back`.
    """

    def decorate(view: Callable[..., FormResult]) -> Callable[..., HttpResponse]:
        @require_POST
        @wraps(view)
        def run(request: HttpRequest, **parts: Any) -> HttpResponse:
            save = partial(view, request, **parts)
            try:
                result = run_once(request, save) if once else save()
            except DomainError as error:
                return failed(request, error, **parts) if failed else _failed(request, error, back, parts)
            except Http404 as missing:
                if not wants_json(request):
                    raise
                return _failed(request, NotFound(str(missing)), back, parts)
            return done(request, result, **parts) if done else _done(request, result)

        return run

    return decorate


def _done(request: HttpRequest, result: FormResult) -> HttpResponse:
    message = ALREADY_SAVED if result.is_repeat else result.message
    if wants_json(request):
        return JsonResponse({"ok": True, "message": message, **result.facts})
    return result_response(request, result._replace(location=back_link(request, result.location)))


def _failed(request: HttpRequest, error: DomainError, back: Callable[..., str], parts: dict) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"ok": False, "message": error.message, "field": error.field}, status=error.status)
    messages.error(request, error.message)
    return HttpResponseRedirect(back_link(request, back(**parts)))


# --- Actions on objects -------------------------------------------------------------------------


def action_view(model_admin: ModelAdmin, request: HttpRequest, action: Action, object_id: str) -> HttpResponse:
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
    if action.asks_identity and request.method != "POST" and (prompt := prompt_for_identity(request)):
        return prompt
    opts = model_admin.opts
    back = back_link(request, reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[obj.pk]))
    form = action.form(request.POST if request.method == "POST" else None, obj=obj)

    def save() -> FormResult:
        if action.asks_identity:
            require_identity(request)
        returned = action.run(obj, request.user, form.cleaned_data)
        if action.result_page:
            page = action.result_page(model_admin, request, returned)
            return FormResult(page.get("Location", back), page=page)
        return FormResult(back, f"{obj}: {action.success_message}.")

    if request.method == "POST" and (response := submit_form_once(request, form, save)):
        return response
    return _render(model_admin, request, action, form, [obj], back=back, original=obj)


def bulk_view(model_admin: ModelAdmin, request: HttpRequest, queryset: QuerySet, action: Action) -> HttpResponse | None:
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
    if action.asks_identity:
        require_identity(request)
    action.run(obj, request.user, form.cleaned_data)
    return FormResult(request.get_full_path())


def _render(
    model_admin: ModelAdmin,
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
    return render_page(
        model_admin,
        request,
        "missionsite/action.html",
        title=action.title,
        action=action,
        form=form,
        objects=objects,
        rejected=rejected,
        summary=summary,
        original=original,
        details=action.details(request, original) if action.details and original is not None else "",
        bulk=original is None,
        plural=capfirst(model_admin.opts.verbose_name_plural),
        action_name=action.name.replace("-", "_"),
        action_checkbox_name=ACTION_CHECKBOX_NAME,
        back=back,
        next=back if original is not None else "",
    )
