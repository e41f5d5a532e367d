"""Admin pages of sequences and their steps, with a preview of what a member would get, and when."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from engagement.models import MessageTemplate, Sequence, SequenceMember, SequenceStep
from engagement.rules import Locale, MessageType
from engagement.selectors.sequences import preview_of
from engagement.services.sequences import add_sequence, add_step, change_sequence, change_step
from groups.models import Member
from missionsite.common.admin import AutocompleteField, CustomTab, ModelAdmin, ServiceForm, Tab
from missionsite.common.admin.formats import badge, format_number, link_to, list_url
from missionsite.common.annotations import StrOrPromise

SEQUENCE_FIELDS = ("name", "start", "topic", "is_enabled")
STEP_FIELDS = ("sequence", "delay_days", "condition", "template_key", "is_enabled")
STEPS: Tab = Tab(
    name="steps",
    title=_("Steps"),
    rows=lambda sequence: SequenceStep.objects.filter(sequence=sequence),
    columns=(
        (_("Template"), lambda step, request: link_to(step, step.template_key)),
        (_("Days after the start"), lambda step, request: format_number(step.delay_days)),
        (_("Condition"), lambda step, request: step.get_condition_display()),
        (_("In use"), lambda step, request: _("yes") if step.is_enabled else _("no")),
    ),
    permission="engagement.view_sequencestep",
    empty=_("No steps yet. Add the first one."),
    list_link=lambda sequence: list_url(SequenceStep, sequence__id__exact=sequence.pk),
)


class PreviewForm(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["member"] = AutocompleteField(SequenceMember, "user", label=_("Member"))


def _preview(sequence: Sequence, request: HttpRequest) -> dict:
    form = PreviewForm(request.GET if "member" in request.GET else None)
    member = form.cleaned_data["member"] if form.is_bound and form.is_valid() else None
    lines = preview_of(sequence, member, at=timezone.now()) if member else []
    return {"form": form, "member_shown": link_to(member) if member else "", "lines": lines}


PREVIEW = CustomTab(
    name="preview",
    title=_("Preview for a member"),
    template="engagement/sequence_preview.html",
    context=_preview,
    permission="engagement.view_sequence",
)


@admin.register(Sequence)
class SequenceAdmin(ModelAdmin[Sequence]):
    """Sequences of messages; their steps are on a page of their own."""

    list_display = ("name", "start", "topic", "steps_shown", "members_shown", "state")
    list_display_links = ("name",)
    list_filter = (("is_enabled", BooleanRadioFilter), ("start", ChoicesDropdownFilter))
    sortable_by = ()
    ordering = ("name", "pk")
    empty_text = (_("No sequences yet"), _("A sequence sends messages some days after an event of a member."))
    add_label = _("Add sequence")
    fields = SEQUENCE_FIELDS
    tabs = (STEPS, PREVIEW)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sequence]:
        steps = SequenceStep.objects.filter(sequence=OuterRef("pk")).order_by().values("sequence")
        members = SequenceMember.objects.filter(sequence=OuterRef("pk"), ended_at=None).order_by().values("sequence")
        return (
            super()
            .get_queryset(request)
            .annotate(
                step_count=Coalesce(Subquery(steps.annotate(n=Count("pk", filter=Q(is_enabled=True))).values("n")), 0),
                member_count=Coalesce(Subquery(members.annotate(n=Count("pk")).values("n")), 0),
            )
        )

    def create(self, request: HttpRequest, values: dict) -> Sequence:
        return add_sequence(actor=cast(Member, request.user), **{name: values[name] for name in SEQUENCE_FIELDS})

    def update(self, request: HttpRequest, obj: Sequence, changes: dict) -> None:
        change_sequence(actor=cast(Member, request.user), sequence=obj, **changes)

    def extra_buttons(self, request: HttpRequest, obj: Sequence) -> list[dict]:
        if not request.user.has_perm("engagement.add_sequencestep"):
            return []
        link = f"{reverse('admin:engagement_sequencestep_add')}?sequence={obj.pk}"
        return [{"title": _("Add step"), "icon": "add", "link": link}]

    @display(description=_("Steps"))
    def steps_shown(self, sequence: Any) -> str:
        return format_number(sequence.step_count)

    @display(description=_("Members under way"))
    def members_shown(self, sequence: Any) -> str:
        return format_number(sequence.member_count)

    @display(description=_("State"))
    def state(self, sequence: Sequence) -> str:
        return badge(_("In use"), "success") if sequence.is_enabled else badge(_("Not in use"), "default")


class StepForm(ServiceForm):
    class Meta:
        model = SequenceStep
        fields = STEP_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "template_key" in self.fields:
            keys = MessageTemplate.objects.filter(announcement=None, locale=Locale.EN).values_list("key", flat=True)
            names = dict(MessageType.choices)
            usable = [key for key in keys.order_by("key") if key == MessageType.WELCOME or key not in names]
            self.fields["template_key"] = forms.ChoiceField(
                label=_("Template"),
                choices=[(key, names.get(key, key)) for key in usable],
                help_text=_("Templates of sequences have a key that begins with sequence_."),
                widget=UnfoldAdminSelectWidget,
            )


@admin.register(SequenceStep)
class SequenceStepAdmin(ModelAdmin[SequenceStep]):
    """Steps of all sequences."""

    form = StepForm
    list_display = ("template_key", "sequence_shown", "delay_days", "condition", "is_enabled")
    list_display_links = ("template_key",)
    list_select_related = ("sequence",)
    list_filter = (("sequence", AutocompleteSelectFilter), ("is_enabled", BooleanRadioFilter))
    sortable_by = ()
    ordering = ("sequence", "delay_days", "pk")
    empty_text = (_("No steps yet"), _("Add a step to a sequence."))
    add_label = _("Add step")
    fields = STEP_FIELDS

    def get_readonly_fields(self, request: HttpRequest, obj: SequenceStep | None = None) -> tuple[str, ...]:
        return ("sequence",) if obj else ()

    def create(self, request: HttpRequest, values: dict) -> SequenceStep:
        return add_step(actor=cast(Member, request.user), **{name: values[name] for name in STEP_FIELDS})

    def update(self, request: HttpRequest, obj: SequenceStep, changes: dict) -> None:
        change_step(actor=cast(Member, request.user), step=obj, **changes)

    @display(description=_("Sequence"))
    def sequence_shown(self, step: SequenceStep) -> StrOrPromise:
        return link_to(step.sequence)
