"""Jobs on many people with their progress, and links to set a password for a member or a filtered list."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from groups.admin.base import current_member
from groups.admin.directory_files import rows_of_list
from groups.admin.import_pages import IMPORT, MANAGE
from groups.models import Member, PeopleJob, PeopleJobKind, PeopleJobStatus
from groups.services.import_jobs import approve_job, report_name
from groups.services.passwords import queue_password_link
from groups.services.people_jobs import cancel_job, start_password_links, without_password
from missionsite.common import documents
from missionsite.common.admin import Action, ModelAdmin, ReadOnlyModelAdmin
from missionsite.common.admin.actions import form_page
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.admin.formats import badge, format_datetime, format_number, link_to
from missionsite.common.downloads import download, prompt_for_export

CHANGE = "groups.change_member"
APPROVE = "groups.approve_peoplejob"
STATUS: dict[str, str] = {
    PeopleJobStatus.TO_APPROVE: "warning",
    PeopleJobStatus.QUEUED: "info",
    PeopleJobStatus.RUNNING: "info",
    PeopleJobStatus.DONE: "success",
    PeopleJobStatus.FAILED: "danger",
    PeopleJobStatus.CANCELLED: "default",
}
RESULTS = {
    "added": _("added"),
    "updated": _("updated"),
    "unchanged": _("unchanged"),
    "rejected": _("with errors"),
    "sent": _("sent"),
    "skipped": _("left out: they have a password by now, or are deactivated"),
    "failed": _("not sent: the mail server did not take the e-mail"),
}


def _send_link(member: Member, actor: Member, values: dict) -> None:
    queue_password_link(actor=actor, member=member)


def _cancel(job: PeopleJob, actor: Member, values: dict) -> None:
    cancel_job(actor=actor, job=job)


def _import_permission(job: PeopleJob | None) -> str:
    return MANAGE if job and job.kind == PeopleJobKind.IMPORT_MEMBERSHIPS else IMPORT


def _approve(job: PeopleJob, actor: Member, values: dict) -> None:
    approve_job(actor=actor, job=job)


def password_link_action() -> Action[Member]:
    return Action(
        name="password-link",
        title=_("Send password link"),
        success_message=_("sent a link to set a password"),
        run=_send_link,
        permission=CHANGE,
        available=lambda member: member.is_active,
        help_text=_(
            "An e-mail with a link to set a password, which works once and for three days. Sending another one is"
            " possible at any time; setting a password ends all links."
        ),
        icon="forward_to_inbox",
    )


def password_links_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    """Mail links to those of a filtered list who have no password, as a job."""
    if not request.user.has_perm(CHANGE):
        raise PermissionDenied
    back = reverse("admin:groups_member_changelist")
    try:
        rows = rows_of_list(request, model_admin=model_admin)
    except IncorrectLookupParameters:
        return HttpResponseRedirect(f"{back}?e=1")
    members = Member.objects.filter(pk__in=rows.order_by().values("pk"))
    form = forms.Form(request.POST if request.method == "POST" else None)

    def save() -> FormResult:
        job = start_password_links(actor=current_member(request), members=members)
        return FormResult(
            reverse("admin:groups_peoplejob_change", args=[job.pk]),
            ngettext("%(count)d e-mail is queued.", "%(count)d e-mails are queued.", job.total) % {"count": job.total},
        )

    def context() -> dict:
        count = without_password(members).count()
        return {
            "submit": gettext("Send password links"),
            "back": f"{back}?{request.GET.urlencode()}",
            "help_text": ngettext(
                "%(count)d member of the list has no password and gets an e-mail with a link to set one.",
                "%(count)d members of the list have no password and get an e-mail with a link to set one.",
                count,
            )
            % {"count": count},
        }

    return form_page(model_admin, request, form, save, title=gettext("Send password links"), context=context)


def password_links_button(request: HttpRequest) -> list[dict]:
    if not request.user.has_perm(CHANGE):
        return []
    query, link = request.GET.urlencode(), reverse("admin:groups_member_password_links")
    return [
        {
            "title": gettext("Send password links"),
            "icon": "forward_to_inbox",
            "link": f"{link}?{query}" if query else link,
        }
    ]


@admin.register(PeopleJob)
class PeopleJobAdmin(ReadOnlyModelAdmin[PeopleJob]):
    """Jobs on many people: how far they are, and what they did."""

    class Media:
        js = ("common/progress.js",)

    list_display = ("started", "kind_shown", "state", "progress", "by", "ended")
    list_display_links = ("kind_shown",)
    list_select_related = ("started_by", "approved_by")
    list_filter = (("kind", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter))
    sortable_by = ()
    fields = (("kind_shown", "state"), "progress", "result", "note", ("by", "approver"), ("started", "ended"))
    readonly_fields = ("kind_shown", "state", "progress", "result", "note", "by", "approver", "started", "ended")
    empty_text = (_("No jobs yet"), _("Imports and links to set a password for many people are listed here."))
    object_actions: tuple[Action, ...] = (
        Action(
            name="approve",
            title=_("Approve"),
            success_message=_("approved"),
            run=_approve,
            permission=APPROVE,
            available=lambda job: job.status == PeopleJobStatus.TO_APPROVE,
            help_text=_("The file is imported. Whoever started it cannot approve it."),
            icon="how_to_reg",
        ),
        Action(
            name="cancel",
            title=_("Cancel"),
            success_message=_("cancelled"),
            run=_cancel,
            permission=CHANGE,
            available=lambda job: job.is_active,
            help_text=_("Who got an e-mail already keeps it. An import that is cancelled writes nothing."),
            icon="cancel",
            danger=True,
        ),
    )

    def get_urls(self) -> list:
        view = self._wrapped(self.report_view, self.report_view)
        return [path("<uuid:job>/report/", view, name="groups_peoplejob_report"), *super().get_urls()]

    def report_view(self, request: HttpRequest, job: UUID) -> HttpResponseBase:
        """The errors of an import as CSV."""
        found = PeopleJob.objects.filter(pk=job).first()
        if not request.user.has_perm(_import_permission(found)):
            raise PermissionDenied
        if found is None or not documents.exists(report_name(found)):
            raise Http404
        if prompt := prompt_for_export(request, reverse("admin:groups_peoplejob_change", args=[job])):
            return prompt
        text = documents.read(report_name(found), at_most=settings.IMPORT_BYTES).decode("utf-8")
        return download(lambda: [text], name=f"errors-{found.pk}.csv", content_type="text/csv; charset=utf-8")

    def extra_buttons(self, request: HttpRequest, obj: PeopleJob) -> list[dict]:
        if not (
            request.user.has_perm(_import_permission(obj)) and not obj.is_active and documents.exists(report_name(obj))
        ):
            return []
        link = reverse("admin:groups_peoplejob_report", args=[obj.pk])
        return [{"title": gettext("Errors as CSV"), "icon": "download", "link": link}]

    @display(description=_("Job"))
    def kind_shown(self, job: PeopleJob) -> str:
        return str(job)

    @display(description=_("Status"))
    def state(self, job: PeopleJob) -> str:
        text = gettext("Cancelling") if job.cancel_requested and job.is_active else job.get_status_display()
        return badge(text, STATUS[job.status])

    @display(description=_("Progress"))
    def progress(self, job: PeopleJob) -> str:
        numbers = gettext("%(done)s of %(total)s") % {
            "done": format_number(job.done),
            "total": format_number(job.total),
        }
        if not job.is_active:
            return numbers
        return format_html(
            '<progress max="100" value="{}" aria-label="{}" data-refresh></progress> {}',
            job.percent,
            gettext("Progress"),
            numbers,
        )

    @display(description=_("Result"))
    def result(self, job: PeopleJob) -> str:
        return ", ".join(f"{format_number(count)} {RESULTS.get(name, name)}" for name, count in job.results.items())

    @display(description=_("Message"))
    def note(self, job: PeopleJob) -> str:
        return job.message

    @display(description=_("Started by"))
    def by(self, job: PeopleJob) -> str:
        return link_to(job.started_by)

    @display(description=_("Approved by"))
    def approver(self, job: PeopleJob) -> str:
        return link_to(job.approved_by)

    @display(description=_("Started"))
    def started(self, job: PeopleJob) -> str:
        return format_datetime(job.created_at)

    @display(description=_("Ended"))
    def ended(self, job: PeopleJob) -> str:
        return format_datetime(job.ended_at)
