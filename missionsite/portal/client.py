"""The page of a mission for its client, at a secret link without a log-in: progress, evidence, comments, signature.

Only this page and its report are reachable with the link. Nothing of it may be stored or indexed.
"""

from functools import partial
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from groups.models import Member
from missiondeck.models import FOR_READING, Category, ClientLink, DeckStatus, EvidenceKind, EvidenceState
from missiondeck.rules import CODE_MINUTES, COMMENT_LENGTH, LINK_REQUESTS_PER_MINUTE
from missiondeck.selectors.clients import facts_of, money
from missiondeck.services.client_links import add_client_comment, read_client_link, send_client_code, sign_delivery
from missiondeck.services.delivery_reports import delivery_report
from missionsite.common.errors import DomainError
from missionsite.common.rendering import render_markdown
from missionsite.portal.page import hide_referrer, page, rate_limit_response, render_page

CATEGORIES: dict[str, str | Promise] = {
    Category.FUNCTIONAL: gettext_lazy("Functions"),
    Category.NON_FUNCTIONAL: gettext_lazy("Quality"),
    Category.TESTS: gettext_lazy("Tests"),
}
STATUSES: dict[str, str | Promise] = {
    DeckStatus.ACTIVE: gettext_lazy("In progress"),
    DeckStatus.QA: gettext_lazy("Being checked"),
    DeckStatus.COMPLETE: gettext_lazy("Complete"),
}
KINDS: dict[str, str | Promise] = {
    EvidenceKind.TEST: gettext_lazy("Test"),
    EvidenceKind.SUITE: gettext_lazy("Test suite"),
    EvidenceKind.SIGN_OFF: gettext_lazy("Signed by"),
    EvidenceKind.PULL_REQUEST: gettext_lazy("Code change"),
    EvidenceKind.ADDRESS: gettext_lazy("Website that answers"),
    EvidenceKind.FILE: gettext_lazy("File"),
    EvidenceKind.LINK: gettext_lazy("Document"),
}
_WITH_LINK = (EvidenceKind.LINK, EvidenceKind.ADDRESS, EvidenceKind.PULL_REQUEST)
STATES: dict[str, str | Promise] = {
    EvidenceState.MET: gettext_lazy("confirmed"),
    EvidenceState.FAILED: gettext_lazy("failed"),
    EvidenceState.MISSING: gettext_lazy("not yet"),
    EvidenceState.PENDING: gettext_lazy("running"),
}


class CommentForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Your comment"),
        max_length=COMMENT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": gettext_lazy("Enter a comment.")},
    )


class SignForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Your name"), max_length=100, error_messages={"required": gettext_lazy("Enter your name.")}
    )
    code = forms.CharField(
        label=gettext_lazy("Code from the e-mail"),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": gettext_lazy("Enter the code from the e-mail.")},
    )


# Without a session, so a token against forged requests would protect nothing: the secret in the address authorizes.
@csrf_exempt
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@hide_referrer
@page
def client_page(request: HttpRequest, secret: str) -> HttpResponse:
    """Show the page; a POST adds a comment, sends a code, or signs, as `do` states."""
    link = _link(request, secret)
    if isinstance(link, HttpResponse):
        return link
    actor = Member.objects.system()
    comment, signature, note, sent = CommentForm(prefix="comment"), SignForm(prefix="sign"), "", False
    match request.POST.get("do"):
        case "comment":
            comment = CommentForm(request.POST, prefix="comment")
            if comment.is_valid() and _saved(comment, add_client_comment, actor=actor, link=link):
                return redirect(f"{reverse('client', args=[secret])}#comments")
        case "code":
            sent, note = _send_code(actor, link)
        case "sign" if link.may_sign:
            signature, sent = SignForm(request.POST, prefix="sign"), True
            if signature.is_valid() and _saved(signature, sign_delivery, actor=actor, link=link):
                return redirect(f"{reverse('client', args=[secret])}#signatures")
    context = {
        **shown(link),
        "link": link,
        "secret": secret,
        # Without links: a client sees no other page of this site.
        "comments": [
            {"created_at": each.created_at, "html": render_markdown(each.text)}
            for each in link.comments.order_by("created_at", "pk")
        ],
        "signatures": link.signatures.order_by("created_at", "pk"),
        "comment_form": comment,
        "sign_form": signature,
        "code_sent": sent,
        "note": note,
        "minutes": CODE_MINUTES,
        "return_to": reverse("client", args=[secret]),
        # For the title: an error in any of the forms.
        "form": signature if signature.errors else comment,
    }
    return _private(render_page(request, "client", context))


@require_safe
@hide_referrer
@page
def client_report(request: HttpRequest, secret: str) -> HttpResponse:
    """The delivery report as one signed HTML file."""
    link = _link(request, secret)
    if isinstance(link, HttpResponse):
        return link
    content = delivery_report(mission=link.mission, hides=link)
    response = HttpResponse(content, content_type="text/html; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="delivery-{link.mission.number}.html"'
    return _private(response)


def _link(request: HttpRequest, secret: str) -> ClientLink | HttpResponse:
    """The link of a secret, or the error page: too many requests, or no such link."""
    if rejected := rate_limit_response(request, "client", LINK_REQUESTS_PER_MINUTE):
        return _private(rejected)
    if link := read_client_link(secret=secret):
        return link
    return _private(render_page(request, "client_gone", {"return_to": reverse("portal:join")}, status=404))


def _saved(form: forms.Form, save: Any, **values: Any) -> bool:
    try:
        save(**values, **form.cleaned_data)
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, _message(error))
        return False
    return True


def _send_code(actor: Member, link: ClientLink) -> tuple[bool, str]:
    try:
        send_client_code(actor=actor, link=link, message=partial(_code_message, link))
    except DomainError as error:
        return False, _message(error)
    return True, ""


def _code_message(link: ClientLink, code: str) -> tuple[str, str]:
    """Subject and text of the message with a code."""
    subject = _("Code to sign the delivery of %(mission)s") % {"mission": link.mission.title}
    text = _(
        "Your code is %(code)s. It is valid for %(minutes)s minutes.\n\n"
        "Enter it on the page of the delivery to sign it. If you did not ask for it, ignore this message."
    )
    return subject, text % {"code": code, "minutes": CODE_MINUTES}


def _message(error: DomainError) -> str:
    """The message of an error in the visitor's language; those of the services are collected for staff only."""
    return {
        "code_wrong": _("This code is wrong or no longer valid. Ask for a new one."),
        "too_many_codes": _("Too many codes were sent. Try again in an hour."),
        "too_many_comments": _("Too many comments. Try again in an hour."),
        "comment_missing": _("Enter a comment."),
        "name_missing": _("Enter your name."),
    }.get(error.code, str(error.message))


def _private(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex"
    return response


def shown(link: ClientLink) -> dict:
    """The facts of the mission in words of the visitor's language."""
    facts = facts_of(link.mission, link)
    groups: dict[str, list[dict]] = {}
    for item in facts["items"]:
        evidence = [
            {
                "kind": KINDS[each["kind"]],
                "value": each["by"] or each["value"],
                "href": each["value"] if each["kind"] in _WITH_LINK else "",
                "state": "" if each["kind"] in FOR_READING else STATES[each["state"]],
                "is_met": each["state"] == EvidenceState.MET,
            }
            for each in item.get("evidence", ())
        ]
        row = {"text": item["text"], "done": item["done"], "done_at": _at(item["done_at"]), "evidence": evidence}
        groups.setdefault(item["category"], []).append(row)
    run = facts.get("run")
    return {
        "facts": facts,
        "status": STATUSES[facts["status"]],
        "completed_at": _at(facts["completed_at"]),
        "deadline": _at(facts.get("deadline")),
        "budget": _spent(facts["budget"]) if "budget" in facts else "",
        "groups": [(CATEGORIES[category], rows) for category, rows in groups.items()],
        "shows_run": "run" in facts,
        "run": run and {**run, "at": _at(run["at"]), "commit": run["commit"][:10]},
    }


def _spent(budget: dict) -> str:
    """The use of the budget in the visitor's language."""
    spent = {each["currency"]: each["cents"] for each in budget["spent"]}
    values = {
        "used": money(budget["currency"], spent.pop(budget["currency"], 0)),
        "budget": money(budget["currency"], budget["cents"]),
        "percent": budget["percent"],
    }
    text = _("%(used)s of %(budget)s (%(percent)s%%)") % values
    return ", ".join([text, *(money(code, cents) for code, cents in spent.items())])


def _at(text: str | None) -> Any:
    return parse_datetime(text) if text else None
