"""Jobs: what staff do to an object through a service — a button on its page, an action in its list.

A job asks what it needs on a page of its own. A rejection is said there, with what was typed kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

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
from unfold.widgets import UnfoldAdminTextareaWidget

from missionsite.common.admin.forms import reject
from missionsite.common.admin.once import (
    ALREADY_SAVED,
    FormKeyMissing,
    FormKeyReused,
    Saved,
    earlier,
    once,
    redirect_to,
    submit_once,
)
from missionsite.common.errors import DomainError

# Rows a job takes at once from a list; each is a transaction of its own.
AT_ONCE = 200


class ActionForm(forms.Form):
    """What a job asks. obj: what it is done to; None where it is done to several."""

    def __init__(self, data=None, *, obj: Model | None = None, **kwargs) -> None:
        self.obj = obj
        super().__init__(data, **kwargs)


class EmptyForm(ActionForm):
    """Nothing but a confirmation."""


class ReasonForm(ActionForm):
    """The reason, which goes into the event."""

    reason = forms.CharField(
        max_length=500,
        help_text="Kept in the event, for whoever reads it later.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


@dataclass(frozen=True)
class Action:
    """One thing that can be done.

    name: its piece of the address. title: the button and the heading. done: what became of it, as in "3 seated".
    run: calls the service with the object, the member who acts and the form's values; raises DomainError.
    offered: whether the button makes sense for an object as it is. bulk: its line in a list's actions, or empty.
    result_page: makes the response after it, of the model admin, the request and what `run` returned, where something
    is shown once; without one, the page before is shown again.
    """

    name: str
    title: str
    done: str
    run: Callable[[Model, Model, dict], object]
    permission: str
    form: type[forms.Form] = EmptyForm
    offered: Callable[[Model], bool] = lambda obj: True
    says: str = ""
    icon: str = ""
    bulk: str = ""
    danger: bool = False
    result_page: Callable[[object, HttpRequest, object], HttpResponse] | None = None

    def allowed(self, request: HttpRequest) -> bool:
        """Whether this person may do it to anything at all."""
        return request.user.has_perm(self.permission)

    def allowed_on(self, request: HttpRequest, obj: Model) -> bool:
        """Whether this person may do it to this object."""
        return self.allowed(request)


def back_link(request: HttpRequest, otherwise: str) -> str:
    """Where `next` of the address points, if that is on this site."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if target and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return target
    return otherwise


def action_view(model_admin, request: HttpRequest, job: Action, object_id: str) -> HttpResponse:
    """The page of one job for one object."""
    if request.method == "POST" and (saved := earlier(request)):
        return redirect_to(request, saved)
    obj = model_admin.get_object(request, object_id)
    if obj is None:
        return model_admin._get_obj_does_not_exist_redirect(request, model_admin.opts, object_id)
    if not (job.allowed_on(request, obj) and model_admin.has_view_permission(request, obj)):
        raise PermissionDenied
    if not model_admin.may_touch(request, obj):
        raise PermissionDenied
    opts = model_admin.opts
    back = back_link(request, reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[obj.pk]))
    form = job.form(request.POST if request.method == "POST" else None, obj=obj)

    def act() -> Saved:
        result = job.run(obj, request.user, form.cleaned_data)
        if job.result_page:
            return Saved(back, page=job.result_page(model_admin, request, result))
        return Saved(back, f"{obj}: {job.done}.")

    if request.method == "POST" and (answer := submit_once(request, form, act)):
        return answer
    return _page(model_admin, request, job, form, [obj], back=back, original=obj)


def bulk_view(model_admin, request: HttpRequest, queryset: QuerySet, job: Action) -> HttpResponse | None:
    """The page of one job for the rows selected in a list; each row succeeds or is rejected by itself."""
    chosen = list(queryset[: AT_ONCE + 1])
    if len(chosen) > AT_ONCE:
        messages.error(request, f"Choose at most {AT_ONCE} at once.")
        return None
    untouchable = [obj for obj in chosen if not model_admin.may_touch(request, obj)]
    forbidden = [obj for obj in chosen if not job.allowed_on(request, obj)]
    back = request.get_full_path()
    applying = "apply" in request.POST
    form = job.form(request.POST if applying else None)
    if applying and form.is_valid():
        rejected, repeats = [], 0
        for obj in chosen:
            if obj in untouchable:
                rejected.append((obj, "Only an administrator changes people with rights."))
                continue
            if obj in forbidden:
                rejected.append((obj, "Your role here does not allow this."))
                continue
            try:
                repeats += once(request, partial(_act_on, obj, request, job, form), part=str(obj.pk)).is_repeat
            except (FormKeyMissing, FormKeyReused) as error:
                reject(form, error)
                return _page(model_admin, request, job, form, chosen, back=back)
            except DomainError as rejection:
                rejected.append((obj, rejection.message))
        done = len(chosen) - len(rejected)
        if not rejected:
            if repeats == done:
                messages.info(request, ALREADY_SAVED)
            else:
                messages.success(request, f"{done} {job.done}.")
            return HttpResponseRedirect(back)
        summary = f"{done} {job.done}, {len(rejected)} rejected."
        return _page(
            model_admin, request, job, form, [obj for obj, _ in rejected], back=back, rejected=rejected, summary=summary
        )
    return _page(model_admin, request, job, form, chosen, back=back)


def _act_on(obj: Model, request: HttpRequest, job: Action, form: forms.Form) -> Saved:
    job.run(obj, request.user, form.cleaned_data)
    return Saved(request.get_full_path())


def _page(model_admin, request, job, form, objects, *, back, original=None, rejected=(), summary="") -> HttpResponse:
    opts = model_admin.opts
    context = {
        **model_admin.admin_site.each_context(request),
        "title": job.title,
        "job": job,
        "form": form,
        "media": model_admin.media + form.media,
        "objects": objects,
        "rejected": rejected,
        "summary": summary,
        "original": original,
        "bulk": original is None,
        "plural": capfirst(opts.verbose_name_plural),
        "action_name": job.name.replace("-", "_"),
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
        "back": back,
        "next": back if original is not None else "",
        "opts": opts,
        "no_tabs": True,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "missionsite/job.html", context)
