"""Import of members from CSV and spreadsheets, and export of the filtered directory as CSV."""

import csv
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Case, F, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from groups.admin.base import current_member
from groups.models.directory import PrimaryRole
from groups.rules import NO_TELEGRAM
from groups.services.import_columns import CHOOSABLE
from groups.services.import_jobs import start_import
from groups.services.import_texts import ROLE_MISSING
from groups.services.import_undo import past_imports, undo_import
from groups.services.imports import ImportChoices, import_members
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.actions import form_page, render_page
from missionsite.common.admin.form_keys import FormInvalid, FormResult
from missionsite.common.csvfiles import ENCODINGS, HeadingUnknown, safe_cell
from missionsite.common.downloads import download, download_file, prompt_for_export
from missionsite.common.sheets import XLSX, write_xlsx

IMPORT = "groups.import_communitymember"
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
ERRORS_SHOWN = 200


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "CSV, XLSX, XLS or ODS with a heading. A person is found by member_id, email or telegram_id. Other columns:"
            " name (or first and last name), trust_score, telegram_username, primary_role, organization, country,"
            " github_username. An empty cell changes nothing; “(clear)” empties a field."
        ),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xls,.ods,text/csv"}),
    )
    encoding = forms.ChoiceField(
        required=False,
        label=_("Encoding"),
        choices=[("", _("Detect")), *ENCODINGS.items()],
        widget=UnfoldAdminSelectWidget(),
    )
    dry_run = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Check only"),
        help_text=_("Reports what the import would do, and writes nothing."),
        widget=UnfoldBooleanSwitchWidget(),
    )
    skip_bad = forms.BooleanField(
        required=False,
        label=_("Skip lines with errors"),
        help_text=_("Otherwise one error rejects the whole file."),
        widget=UnfoldBooleanSwitchWidget(),
    )

    background = forms.BooleanField(
        required=False,
        label=_("In the background"),
        help_text=_("For large files: shows the progress, and can be cancelled. Has no effect on a check."),
        widget=UnfoldBooleanSwitchWidget(),
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > settings.IMPORT_BYTES:
            limit = settings.IMPORT_BYTES // 1024 // 1024
            raise forms.ValidationError(gettext("The file is larger than %(limit)d MB. Split it.") % {"limit": limit})
        return file


def choices_of(request: HttpRequest) -> ImportChoices:
    """Return what the user chose for the columns and roles of the file, from the fields `column:` and `role:`."""

    def chosen(prefix: str, allowed: Collection[str]) -> dict[str, str]:
        fields = ((name.removeprefix(prefix), request.POST[name]) for name in request.POST if name.startswith(prefix))
        return {name: value for name, value in fields if value in allowed}

    return ImportChoices(
        encoding=request.POST.get("encoding", "") if request.POST.get("encoding") in ENCODINGS else "",
        columns=chosen("column:", ("", *CHOOSABLE)),
        roles=chosen("role:", PrimaryRole.values),
    )


def import_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    """Import a file of members, or show what an import would do, and its errors by line."""
    if not request.user.has_perm(IMPORT):
        raise PermissionDenied
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    choices = choices_of(request)
    report, back = None, reverse("admin:groups_communitymember_changelist")
    columns = list(choices.columns.items())

    def save() -> FormResult:
        nonlocal report, columns
        values = form.cleaned_data
        if values["background"] and not values["dry_run"]:
            job = start_import(
                actor=current_member(request),
                content=values["file"].read(),
                name=values["file"].name,
                choices=choices,
                skip_bad=values["skip_bad"],
            )
            return FormResult(reverse("admin:groups_peoplejob_change", args=[job.pk]), gettext("The import is queued."))
        try:
            report = import_members(
                file=values["file"],
                dry_run=values["dry_run"],
                skip_bad=values["skip_bad"],
                actor=current_member(request),
                errors_kept=ERRORS_SHOWN,
                choices=choices,
                name=values["file"].name,
            )
        except HeadingUnknown as unknown:
            columns = [(heading, choices.columns.get(heading, "")) for heading in unknown.header]
            raise
        columns = report.columns
        if not report.written:
            raise FormInvalid
        return FormResult(
            back,
            gettext("Imported: %(added)d added, %(updated)d updated.")
            % {"added": report.added, "updated": report.updated},
        )

    def context() -> dict:
        roles = [*choices.roles.items(), *((role, "") for role in (report.unknown_roles if report else ()))]
        if report and any(error.sentence == gettext(ROLE_MISSING) for error in report.errors):
            roles.append(("", ""))
        return {
            "submit": gettext("Import"),
            "back": back,
            "report": report,
            "errors_shown": ERRORS_SHOWN,
            "columns": [column for column in columns if column[0]],
            "choosable": CHOOSABLE,
            "roles": list(dict(roles).items()),
            "role_choices": PrimaryRole.choices,
            "past_imports": past_imports(),
        }

    title, template = gettext("Import members"), "groups/import.html"
    response = form_page(model_admin, request, form, save, title=title, template=template, context=context)
    if report is not None and report.written and (report.rejected or report.warnings):
        # The page lists the skipped lines and the warnings.
        return render_page(model_admin, request, template, title=title, form=form, **context())
    return response


class UndoForm(forms.Form):
    """Asks for confirmation."""


def undo_view(request: HttpRequest, changeset: UUID, *, model_admin: ModelAdmin) -> HttpResponse:
    """Undo an import after a confirmation, and show who was kept."""
    if not request.user.has_perm(IMPORT):
        raise PermissionDenied
    past = next((each for each in past_imports(limit=200) if each.changeset == changeset), None)
    if past is None:
        raise Http404
    form = UndoForm(request.POST) if request.method == "POST" else UndoForm()
    back = reverse("admin:groups_communitymember_import")

    def save() -> FormResult:
        report = undo_import(actor=current_member(request), changeset=changeset)
        message = gettext("Import undone: %(restored)d set back, %(removed)d removed.") % {
            "restored": report.restored,
            "removed": report.removed,
        }
        if report.kept:
            message += " " + gettext("Kept, because they were changed or active since: %(names)s.") % {
                "names": ", ".join(report.kept[:20]) + (" …" if report.kept_count > 20 else "")
            }
        return FormResult(back, message)

    help_text = gettext(
        "%(file)s: %(added)d added, %(updated)d updated. Changed values are set back. Added people are removed from the"
        " directory and their accounts deactivated; their e-mails and Telegram IDs can be imported again. People who"
        " were changed or active since stay as they are."
    ) % {"file": past.file or gettext("Import"), "added": past.added, "updated": past.updated}
    context = {"submit": gettext("Undo import"), "back": back, "help_text": help_text}
    return form_page(model_admin, request, form, save, title=gettext("Undo import"), context=lambda: context)


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
    return columns


def export_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponseBase:
    """Return the rows of the list with its search, filters and order, as CSV, or as XLSX with `format=xlsx`."""
    # People without Telegram have no Telegram ID.
    has_none = When(telegram_id__startswith=NO_TELEGRAM, then=Value(""))
    shown = {"telegram_id_shown": Case(has_none, default=F("telegram_id"))}
    return download_list(request, model_admin, export_columns(request), name="directory", annotations=shown)


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
