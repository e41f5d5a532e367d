"""Live preview of a template while it is edited."""

from dataclasses import asdict, dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from engagement.errors import ParameterMissing, ParameterMiswritten
from engagement.rules import TRANSACTIONAL_TYPES, Locale
from engagement.services.rendering import UNSUBSCRIBE_FOOTER, fill, parameter_names, samples
from engagement.services.templates import check_parameters
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.actions import back_link
from missionsite.common.annotations import StrOrPromise

# Characters of a text that are previewed.
LONGEST = 20_000
MAY_SEE = ("engagement.view_messagetemplate", "engagement.add_announcement")


@dataclass(frozen=True)
class Preview:
    """A text with sample values. problem: why saving would fail, or a warning; empty if there is none."""

    subject: str
    body: str
    problem: str = ""


def preview(*, key: str, locale: str, subject: str, body: str) -> Preview:
    """Render a text with sample values; unknown parameters are left unchanged."""
    problem: StrOrPromise = ""
    try:
        check_parameters(key=key, subject=subject, body=body)
    except (ParameterMissing, ParameterMiswritten) as rejection:
        problem = rejection.message
    known = samples(key)
    unknown = {
        name: f"{{{{ {name} }}}}" for name in parameter_names(subject) | parameter_names(body) if name not in known
    }
    shown = fill(body, known | unknown)
    if body.strip() and key not in TRANSACTIONAL_TYPES and "unsubscribe_url" not in parameter_names(body):
        footer = UNSUBSCRIBE_FOOTER.get(locale, UNSUBSCRIBE_FOOTER[Locale.EN])
        shown = f"{shown}\n\n{footer.format(url=known['unsubscribe_url'])}"
    return Preview(" ".join(fill(subject, known | unknown).split()), shown, str(problem))


def preview_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    """Return the preview of the submitted text: JSON for the page's script, a page without JavaScript."""
    if not any(map(request.user.has_perm, MAY_SEE)):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponse(
            _("Send the text as a form."), status=405, headers={"Allow": "POST"}, content_type="text/plain"
        )
    given = {
        name: (request.POST.get(name) or request.GET.get(name) or "").replace("\x00", "")[:LONGEST]
        for name in ("key", "locale", "subject", "body")
    }
    shown = preview(**given)
    if "json" in request.headers.get("Accept", ""):
        return JsonResponse(asdict(shown), headers={"Cache-Control": "no-store"})
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Preview"),
        "opts": model_admin.opts,
        "previews": [
            {
                "title": dict(Locale.choices).get(given["locale"], _("Preview")),
                "locale": given["locale"],
                "preview": shown,
            }
        ],
        "back": back_link(request, ""),
        "no_tabs": True,
    }
    return TemplateResponse(request, "engagement/preview.html", context)
