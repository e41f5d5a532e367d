"""Export of filtered lists as CSV and XLSX."""

import csv
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, cast

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Case, F, QuerySet, Value, When
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from groups.models import CommunityMember
from groups.rules import NO_TELEGRAM, CustomFieldTarget
from groups.selectors.details import tag_names, value_columns
from missionsite.common.admin import ModelAdmin
from missionsite.common.csvfiles import safe_cell
from missionsite.common.downloads import download, download_file, prompt_for_export
from missionsite.common.sheets import XLSX, write_xlsx

EXPORT = "groups.export_communitymember"
COLUMNS = (
    "member_id",
    "name",
    "status",
    "primary_role",
    "organization",
    "country",
    "telegram_id",
    "telegram_username",
    "github_username",
    "github_verified",
    "reputation_score",
    "reputation_tier",
    "invited_by",
    "created_at",
    "last_active_at",
)
LOOKUPS = {"invited_by": "invited_by_id", "telegram_id": "telegram_id_shown"}
# Rows read from the database at a time.
CHUNK = 2_000


class _Echo:
    """A file whose write returns the line, so that csv.writer formats rows of a stream."""

    def write(self, line: str) -> str:
        return line


def rows_of_list(request: HttpRequest, *, model_admin: ModelAdmin) -> QuerySet:
    """Return all rows of the list with the search, filters and order of the request.

    Raises IncorrectLookupParameters for an invalid filter.
    """
    shown = model_admin.get_changelist_instance(request)
    return shown.get_queryset(request).order_by(*shown.get_ordering(request, shown.queryset))


def export_columns(request: HttpRequest) -> dict[str, str]:
    """Return the lookup of each column: with e-mail and trust score for those who may see accounts."""
    columns = {name: LOOKUPS.get(name, name) for name in COLUMNS}
    if request.user.has_perm("groups.view_member"):
        columns |= {"email": "person__email", "trust_score": "person__trust_score"}
    return columns | {"tags": "tag_names"}


def export_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponseBase:
    """Return the rows of the list with its search, filters and order, as CSV, or as XLSX with `format=xlsx`."""
    # People without Telegram have no Telegram ID.
    has_none = When(telegram_id__startswith=NO_TELEGRAM, then=Value(""))
    custom = value_columns(CustomFieldTarget.MEMBER, CommunityMember)
    shown = {"telegram_id_shown": Case(has_none, default=F("telegram_id")), "tag_names": tag_names(CommunityMember)}
    columns = export_columns(request) | {name: name for name in custom}
    return download_list(request, model_admin, columns, name="directory", annotations=shown | custom)


def download_list(
    request: HttpRequest,
    model_admin: ModelAdmin,
    columns: dict[str, str],
    *,
    name: str,
    annotations: Mapping[str, Any] = MappingProxyType({}),
) -> HttpResponseBase:
    """Return the rows of a list with its search, filters and order.

    columns: the lookup of each. name: of the file. annotations: expressions that the lookups name.
    """
    if not request.user.has_perm(EXPORT):
        raise PermissionDenied
    back = reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist")
    # The list would take it for a filter.
    query = request.GET.copy()
    form = query.pop("format", [""])[-1]
    request.GET = cast(Any, query)
    if prompt := prompt_for_export(request, back):
        return prompt
    try:
        rows = rows_of_list(request, model_admin=model_admin).annotate(**annotations)
    except IncorrectLookupParameters:
        return HttpResponseRedirect(f"{back}?e=1")

    def lines() -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield "\ufeff" + writer.writerow(columns)
        for row in rows.values_list(*columns.values()).iterator(chunk_size=CHUNK):
            yield writer.writerow([safe_cell(value) for value in row])

    def cells() -> Iterator[list[str]]:
        yield list(columns)
        for row in rows.values_list(*columns.values()).iterator(chunk_size=CHUNK):
            yield ["" if value is None else str(value) for value in row]

    today = timezone.localdate().isoformat()
    if form == "xlsx":
        return download_file(lambda: write_xlsx(cells()), name=f"{name}-{today}.xlsx", content_type=XLSX)
    return download(lines, name=f"{name}-{today}.csv", content_type="text/csv; charset=utf-8")
