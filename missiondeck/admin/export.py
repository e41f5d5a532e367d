"""Exports the list of client missions as CSV."""

import csv
from collections.abc import Iterator

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from groups.admin.directory_files import rows_of_list
from missiondeck.admin.base import VIEW_PERMISSION
from missionsite.common.admin import ModelAdmin
from missionsite.common.csvfiles import safe_cell
from missionsite.common.downloads import download, prompt_for_export

# Column headings, and the field of a mission in each column.
COLUMNS = (
    ("number", "number"),
    ("title", "title"),
    ("client", "client"),
    ("status", "status"),
    ("deadline", "deadline"),
    ("items_done", "dod_done"),
    ("items", "dod_total"),
    ("last_test_run", "last_run_status"),
    ("last_test_run_at", "last_run_at"),
    ("assigned_to", "assigned_to"),
    ("budget", "budget"),
    ("currency", "currency"),
    ("repository", "github_url"),
    ("completed_at", "completed_at"),
    ("completed_although", "override_reason"),
    ("created_at", "created_at"),
    ("id", "pk"),
)
# Rows read from the database at a time.
CHUNK = 2_000


class _Echo:
    """A file whose write() returns the text."""

    def write(self, line: str) -> str:
        return line


def export_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponseBase:
    """The rows of the list with the same search, filters and order. Instants are ISO 8601 in UTC."""
    if not request.user.has_perm(VIEW_PERMISSION):
        raise PermissionDenied
    back = reverse("admin:missiondeck_deckmission_changelist")
    if prompt := prompt_for_export(request, back):
        return prompt
    try:
        rows = rows_of_list(request, model_admin=model_admin)
    except IncorrectLookupParameters:
        return HttpResponseRedirect(f"{back}?e=1")

    def lines() -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield "\ufeff" + writer.writerow([heading for heading, _field in COLUMNS])
        for row in rows.values_list(*(field for _heading, field in COLUMNS)).iterator(chunk_size=CHUNK):
            yield writer.writerow([safe_cell(value) for value in row])

    today = timezone.localdate().isoformat()
    return download(lines, name=f"client-missions-{today}.csv", content_type="text/csv; charset=utf-8")
