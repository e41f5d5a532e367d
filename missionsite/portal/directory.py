"""The directory for active members: indexed search and pages, without e-mails and Telegram IDs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from groups.models import CommunityMember
from groups.rules import CommunityStatus, normalize_username
from groups.selectors.people import resolve_entry
from missionsite.common import replica
from missionsite.common.search_words import NameSortKey, SearchWords, words_query
from missionsite.portal.forms import DirectorySearchForm
from missionsite.portal.page import current_member, member_page, render_page
from missionsite.portal.texts import DIRECTORY_CLOSED, label
from missionsite.portal.views import get_entry, status_of

PER_PAGE = 24
# Most results of one search.
FOUND_AT_MOST = 1_000
# Each has an index on lower(column) text_pattern_ops; name and organisation also share a full-text index.
PREFIX_COLUMNS = ("name", "organization", "telegram_username", "github_username")
_NUMBER = re.compile(r"#?0*([1-9][0-9]{0,17})")


@dataclass(frozen=True)
class Row:
    """A member as shown to other members."""

    entry: CommunityMember
    role: str
    tier: str

    @classmethod
    def of(cls, entry: CommunityMember) -> "Row":
        return cls(entry, label(entry.get_primary_role_display()), label(entry.reputation_tier))

    @property
    def number(self) -> str:
        """The member number without #, as used in addresses."""
        return self.entry.member_id[1:]


def search(rows: QuerySet, term: str) -> list:
    """The keys of the rows with this number, or with names that begin with the term or contain its words."""
    term = normalize_username(term)
    branches = [rows.alias(low=Lower(column)).filter(low__startswith=term.lower()) for column in PREFIX_COLUMNS]
    if number := _NUMBER.fullmatch(term):
        branches.append(rows.filter(member_id=f"#{number[1]}"))
    # A prefix of one letter matches too many rows.
    if query := words_query(term):
        branches.append(rows.alias(words=SearchWords("name", "organization")).filter(words=query))
    first, *others = (branch.order_by().values("pk")[:FOUND_AT_MOST] for branch in branches)
    return list(first.union(*others).order_by().values_list("pk", flat=True)[:FOUND_AT_MOST])


def get_page(rows: QuerySet, number: str, *, by_name: bool = False) -> list[CommunityMember]:
    """The page after the member with this number, plus one row if there is a next page.

    by_name: as people sort names, otherwise the newest first.
    """
    if by_name:
        return _page_by_name(rows.alias(key=NameSortKey("name")).order_by("key", "pk"), number)
    rows = rows.order_by(*cast(Sequence[str], CommunityMember._meta.ordering))
    if not _NUMBER.fullmatch(number):
        return list(rows[: PER_PAGE + 1])
    last = CommunityMember.objects.filter(member_id=f"#{number}").values("created_at", "pk").first()
    if last:
        # Redundant, but lets the query start from an index.
        rows = rows.filter(created_at__lte=last["created_at"])
        rows = rows.filter(Q(created_at__lt=last["created_at"]) | Q(pk__lt=last["pk"]))
    return list(rows[: PER_PAGE + 1])


def _page_by_name(rows: QuerySet, number: str) -> list[CommunityMember]:
    last = CommunityMember.objects.annotate(key=NameSortKey("name")).filter(member_id=f"#{number}")
    if _NUMBER.fullmatch(number) and (after := last.values("key", "pk").first()):
        # Redundant, but lets the query start from an index.
        rows = rows.filter(key__gte=after["key"])
        rows = rows.filter(Q(key__gt=after["key"]) | Q(pk__gt=after["pk"]))
    return list(rows[: PER_PAGE + 1])


def _directory_closed(request: HttpRequest) -> HttpResponse | None:
    """The page with the reason why the member cannot see the directory; None for active members."""
    status = status_of(get_entry(current_member(request)))
    if status == CommunityStatus.ACTIVE:
        return None
    return render_page(request, "closed", {"title": _("Directory"), "reason": DIRECTORY_CLOSED[status]}, status=403)


@member_page
@require_safe
def member_list(request: HttpRequest) -> HttpResponse:
    """The directory with search and filters."""
    if closed := _directory_closed(request):
        return closed
    form = DirectorySearchForm(request.GET)
    form.is_valid()
    query = {name: value for name, value in form.cleaned_data.items() if value}
    rows = CommunityMember.objects.active()
    for name, column in (("role", "primary_role"), ("tier", "reputation_tier"), ("country", "country__iexact")):
        if name in query:
            rows = rows.filter(**{column: query[name]})
    by_name = "sort" in query

    def find() -> list[CommunityMember]:
        shown = CommunityMember.objects.filter(pk__in=search(rows, query["q"])) if "q" in query else rows
        return get_page(shown, request.GET.get("after", ""), by_name=by_name)

    found = replica.read(request, find)
    more, shown = len(found) > PER_PAGE, [Row.of(entry) for entry in found[:PER_PAGE]]
    context = {
        "here": "directory",
        "form": form,
        "query": query,
        "filters": [form["role"], form["tier"], form["country"], form["sort"]],
        "filtered": query.keys() - {"q"},
        "by_name": by_name,
        "rows": shown,
        "first": urlencode(query) if request.GET.get("after") else None,
        "next": urlencode({**query, "after": shown[-1].number}) if more else "",
    }
    return render_page(request, "directory", context)


@member_page
@require_safe
def member_detail(request: HttpRequest, number: int) -> HttpResponse:
    """The page of one member."""
    if closed := _directory_closed(request):
        return closed
    active = CommunityMember.objects.active()
    entry = active.select_related("invited_by").filter(member_id=f"#{number}").first()
    if entry is None:
        merged = CommunityMember.objects.exclude(merged_into=None).filter(member_id=f"#{number}").first()
        if merged and active.filter(pk=(kept := resolve_entry(merged)).pk).exists():
            return redirect("portal:member", number=int(kept.member_id[1:]))
        return render_page(request, "member_not_found", {"number": number}, status=404)
    inviter = entry.invited_by
    if inviter is not None and (inviter.is_removed or inviter.status != CommunityStatus.ACTIVE):
        inviter = None
    return render_page(request, "member", {"row": Row.of(entry), "inviter": Row.of(inviter) if inviter else None})
