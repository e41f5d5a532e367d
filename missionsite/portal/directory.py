"""The directory as active members see it: found by an index, page by page, without e-mails and Telegram IDs."""

import re
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from groups.models import CommunityMember
from groups.models.directory import CommunityStatus
from missionsite.portal.forms import FindForm
from missionsite.portal.page import own_page, show
from missionsite.portal.views import entry_of, standing
from missionsite.portal.words import CLOSED, label

PER_PAGE = 24
# What one search gathers at most; no one reads more.
FOUND_AT_MOST = 1_000
# Each has an index on lower(column) text_pattern_ops; name and organisation one on their words, too.
BEGINNINGS = ("name", "organization", "telegram_username", "github_username")
_NUMBER = re.compile(r"#?0*([1-9][0-9]{0,17})")


@dataclass(frozen=True)
class Row:
    """A member as others see them."""

    entry: CommunityMember
    role: str
    tier: str

    @classmethod
    def of(cls, entry: CommunityMember) -> "Row":
        return cls(entry, label(entry.get_primary_role_display()), label(entry.reputation_tier))

    @property
    def number(self) -> str:
        """The number without its #, as it stands in an address."""
        return self.entry.member_id[1:]


def found(rows: QuerySet, typed: str) -> list:
    """The keys of the rows a text means: the number it is, and names that begin with it or have its words."""
    typed = typed.strip().removeprefix("@")
    branches = [rows.alias(low=Lower(column)).filter(low__startswith=typed.lower()) for column in BEGINNINGS]
    if number := _NUMBER.fullmatch(typed):
        branches.append(rows.filter(member_id=f"#{number[1]}"))
    words = re.findall(r"\w+", typed)
    # One letter begins too many words to be worth reading.
    if words and max(map(len, words)) > 1:
        query = SearchQuery(" & ".join(f"'{word}':*" for word in words), config="simple", search_type="raw")
        vector = SearchVector("name", "organization", config="simple")
        branches.append(rows.alias(words=vector).filter(words=query))
    first, *others = (branch.order_by().values("pk")[:FOUND_AT_MOST] for branch in branches)
    return list(first.union(*others).values_list("pk", flat=True)[:FOUND_AT_MOST])


def page_after(rows: QuerySet, number: str) -> list[CommunityMember]:
    """The page after the member with this number, newest first, and one row more where another page follows."""
    if not _NUMBER.fullmatch(number):
        return list(rows[: PER_PAGE + 1])
    last = CommunityMember.objects.filter(member_id=f"#{number}").values("created_at", "pk").first()
    if last:
        # The first part alone is what an index starts from.
        rows = rows.filter(created_at__lte=last["created_at"])
        rows = rows.filter(Q(created_at__lt=last["created_at"]) | Q(pk__lt=last["pk"]))
    return list(rows[: PER_PAGE + 1])


def _closed(request: HttpRequest) -> HttpResponse | None:
    """The page that says why the directory is closed to someone; None for active members."""
    status = standing(entry_of(request.user))
    if status == CommunityStatus.ACTIVE:
        return None
    return show(request, "closed", {"why": CLOSED[status]}, status=403)


@own_page
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Search and browse."""
    if closed := _closed(request):
        return closed
    form = FindForm(request.GET)
    form.is_valid()
    asked = {name: value for name, value in form.cleaned_data.items() if value}
    rows = CommunityMember.objects.active()
    for name, column in (("role", "primary_role"), ("tier", "reputation_tier"), ("country", "country__iexact")):
        if name in asked:
            rows = rows.filter(**{column: asked[name]})
    if "q" in asked:
        rows = CommunityMember.objects.filter(pk__in=found(rows, asked["q"]))
    shown = page_after(rows.order_by(*CommunityMember._meta.ordering), request.GET.get("after", ""))
    more, shown = len(shown) > PER_PAGE, [Row.of(entry) for entry in shown[:PER_PAGE]]
    context = {
        "here": "directory",
        "form": form,
        "asked": asked,
        "filters": [form["role"], form["tier"], form["country"]],
        "filtered": asked.keys() - {"q"},
        "rows": shown,
        "first": urlencode(asked) if request.GET.get("after") else None,
        "next": urlencode({**asked, "after": shown[-1].number}) if more else "",
    }
    return show(request, "directory", context)


@own_page
@require_safe
def person(request: HttpRequest, number: int) -> HttpResponse:
    """One member."""
    if closed := _closed(request):
        return closed
    active = CommunityMember.objects.active()
    entry = active.select_related("invited_by").filter(member_id=f"#{number}").first()
    if entry is None:
        return show(request, "no_person", {"number": number}, status=404)
    inviter = entry.invited_by
    seen = inviter is not None and not inviter.is_removed and inviter.status == CommunityStatus.ACTIVE
    return show(request, "person", {"row": Row.of(entry), "inviter": Row.of(inviter) if seen else None})
