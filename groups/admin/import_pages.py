"""Pages of imports: the form with a check, the preview, the choices of columns, and undoing an import."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from groups.admin.base import current_member
from groups.models import PeopleJobKind
from groups.models.directory import PrimaryRole
from groups.services.import_columns import CHOOSABLE
from groups.services.import_files import ImportChoices, ImportReport
from groups.services.import_jobs import IMPORTS, start_import
from groups.services.import_texts import ROLE_MISSING
from groups.services.import_undo import MEMBERS, MEMBERSHIPS, past_imports, undo_import
from groups.services.membership_columns import MEMBERSHIP_COLUMNS
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.actions import form_page, render_page
from missionsite.common.admin.form_keys import FormInvalid, FormResult
from missionsite.common.annotations import StrOrPromise
from missionsite.common.csvfiles import ENCODINGS, HeadingUnknown

IMPORT = "groups.import_communitymember"
MANAGE = "groups.manage_memberships"
ERRORS_SHOWN = 200


@dataclass(frozen=True)
class ImportPage:
    """What differs between the imports. model: of the list the page belongs to. events: of imports and undoing."""

    kind: PeopleJobKind
    model: str
    permission: str
    title: StrOrPromise
    help_text: StrOrPromise
    undo_help: StrOrPromise
    columns: Sequence[str]
    events: tuple[str, str]

    def address(self, name: str, *args) -> str:
        return reverse(f"admin:groups_{self.model}_{name}", args=args)


MEMBERS_PAGE = ImportPage(
    kind=PeopleJobKind.IMPORT_MEMBERS,
    model="communitymember",
    permission=IMPORT,
    title=_("Import members"),
    help_text=_(
        "CSV, XLSX, XLS or ODS with a heading. A person is found by member_id, email or telegram_id. Other columns:"
        " name (or first and last name), trust_score, telegram_username, primary_role, organization, country,"
        " github_username. An empty cell changes nothing; “(clear)” empties a field."
    ),
    undo_help=_(
        "%(file)s: %(added)d added, %(updated)d updated. Changed values are set back. Added people are removed from the"
        " directory and their accounts deactivated; their e-mails and Telegram IDs can be imported again. People who"
        " were changed or active since stay as they are."
    ),
    columns=CHOOSABLE,
    events=MEMBERS,
)
MEMBERSHIPS_PAGE = ImportPage(
    kind=PeopleJobKind.IMPORT_MEMBERSHIPS,
    model="membership",
    permission=MANAGE,
    title=_("Import memberships"),
    help_text=_(
        "CSV, XLSX, XLS or ODS with a heading, in the format of the export. A membership is found by member_id or"
        " email, mission_id or mission, and number or joined_at. Other columns: role, role_until, status, left_at. A"
        " leaving date or the status “left” ends a membership. An empty cell changes nothing."
    ),
    undo_help=_(
        "%(file)s: %(added)d added, %(updated)d updated. Changed and ended memberships are set back. An added"
        " membership ends when it began, so that the member was in the mission at no time. Memberships that were"
        " changed since stay as they are."
    ),
    columns=MEMBERSHIP_COLUMNS,
    events=MEMBERSHIPS,
)


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
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

    def __init__(self, *args, page: ImportPage, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].help_text = page.help_text

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > settings.IMPORT_BYTES:
            limit = settings.IMPORT_BYTES // 1024 // 1024
            raise forms.ValidationError(gettext("The file is larger than %(limit)d MB. Split it.") % {"limit": limit})
        return file


def choices_of(request: HttpRequest, columns: Collection[str] = CHOOSABLE) -> ImportChoices:
    """Return what the user chose for the columns and roles of the file, from the fields `column:` and `role:`."""

    def chosen(prefix: str, allowed: Collection[str]) -> dict[str, str]:
        fields = ((name.removeprefix(prefix), request.POST[name]) for name in request.POST if name.startswith(prefix))
        return {name: value for name, value in fields if value in allowed}

    return ImportChoices(
        encoding=request.POST.get("encoding", "") if request.POST.get("encoding") in ENCODINGS else "",
        columns=chosen("column:", ("", *columns)),
        roles=chosen("role:", PrimaryRole.values),
    )


def import_view(request: HttpRequest, *, model_admin: ModelAdmin, page: ImportPage = MEMBERS_PAGE) -> HttpResponse:
    """Import a file, or show what an import would do, and its errors by line."""
    if not request.user.has_perm(page.permission):
        raise PermissionDenied
    form = ImportForm(request.POST, request.FILES, page=page) if request.method == "POST" else ImportForm(page=page)
    choices = choices_of(request, page.columns)
    run: Callable[..., ImportReport] = IMPORTS[page.kind]
    report: ImportReport | None = None
    back = page.address("changelist")
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
                kind=page.kind,
            )
            return FormResult(reverse("admin:groups_peoplejob_change", args=[job.pk]), gettext("The import is queued."))
        try:
            report = run(
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
            "choosable": page.columns,
            "roles": list(dict(roles).items()),
            "role_choices": PrimaryRole.choices,
            "past_imports": past_imports(kinds=[page.events]),
            "undo": f"admin:groups_{page.model}_undo_import",
        }

    title, template = str(page.title), "groups/import.html"
    response = form_page(model_admin, request, form, save, title=title, template=template, context=context)
    if report is not None and report.written and (report.rejected or report.warnings):
        # The page lists the skipped lines and the warnings.
        return render_page(model_admin, request, template, title=title, form=form, **context())
    return response


class UndoForm(forms.Form):
    """Asks for confirmation."""


def undo_view(
    request: HttpRequest, changeset: UUID, *, model_admin: ModelAdmin, page: ImportPage = MEMBERS_PAGE
) -> HttpResponse:
    """Undo an import after a confirmation, and show what was kept."""
    if not request.user.has_perm(page.permission):
        raise PermissionDenied
    past = next((each for each in past_imports(limit=200, kinds=[page.events]) if each.changeset == changeset), None)
    if past is None:
        raise Http404
    form = UndoForm(request.POST) if request.method == "POST" else UndoForm()
    back = page.address("import")

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

    help_text = str(page.undo_help) % {
        "file": past.file or gettext("Import"),
        "added": past.added,
        "updated": past.updated,
    }
    context = {"submit": gettext("Undo import"), "back": back, "help_text": help_text}
    return form_page(model_admin, request, form, save, title=gettext("Undo import"), context=lambda: context)
