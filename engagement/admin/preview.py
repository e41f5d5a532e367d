"""How the words of a template look when they are sent, while they are written."""

import re
from dataclasses import asdict, dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse

from engagement.errors import ParameterMissing
from engagement.models import ANSWERS, Locale
from engagement.services.rendering import WAY_OUT, fill, places, samples
from engagement.services.templates import check_places
from missionsite.common.admin.actions import back_link

# Of a text that is previewed; longer ones are cut.
LONGEST = 20_000
_ODD = re.compile(r"\{\{|\}\}")
MAY_SEE = ("engagement.view_messagetemplate", "engagement.add_announcement")


@dataclass(frozen=True)
class Preview:
    """A text with sample values. problem: why it would be rejected, or what looks wrong; empty where nothing does."""

    subject: str
    body: str
    problem: str = ""


def preview(*, key: str, locale: str, subject: str, body: str) -> Preview:
    """The words as a member would get them; parameters no one brings stay as they are written."""
    problem = ""
    try:
        check_places(key=key, subject=subject, body=body)
    except ParameterMissing as rejection:
        problem = rejection.message
    known = samples(key)
    unknown = {name: f"{{{{ {name} }}}}" for name in places(subject) | places(body) if name not in known}
    if not problem and any(_ODD.search(fill(text, dict.fromkeys(places(text), ""))) for text in (subject, body)):
        problem = "{{ or }} would be sent as it stands: a parameter looks like {{ name }}."
    shown = fill(body, known | unknown)
    if body.strip() and key not in ANSWERS and "unsubscribe_url" not in places(body):
        shown = f"{shown}\n\n{WAY_OUT.get(locale, WAY_OUT[Locale.EN]).format(url=known['unsubscribe_url'])}"
    return Preview(" ".join(fill(subject, known | unknown).split()), shown, problem)


def preview_view(request: HttpRequest, *, model_admin) -> HttpResponse:
    """Answers what is typed with its preview: JSON for the page's script, a page for who has none."""
    if not any(map(request.user.has_perm, MAY_SEE)):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponse(
            "Send what is typed as a form.", status=405, headers={"Allow": "POST"}, content_type="text/plain"
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
        "title": "Preview",
        "opts": model_admin.opts,
        "previews": [
            {
                "title": dict(Locale.choices).get(given["locale"], "As it is sent"),
                "locale": given["locale"],
                "preview": shown,
            }
        ],
        "back": back_link(request, ""),
        "no_tabs": True,
    }
    return TemplateResponse(request, "engagement/preview.html", context)
