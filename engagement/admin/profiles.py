"""Admin page of profiles: message preferences and onboarding progress."""

from typing import Any, cast
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultiple, UnfoldAdminSelectWidget

from engagement.admin.base import CHANGE_PROFILE, MemberSearch, ServiceHistory
from engagement.admin.write import WRITE
from engagement.channel_choice import ChannelsField, has_choice
from engagement.models import UserProfile
from engagement.rules import Topic
from engagement.services.onboarding import COMPLETED, complete_action
from engagement.services.profiles import EDITABLE, update_profile
from groups.models import Member
from missionsite.common.admin import Action, ActionForm, ServiceForm
from missionsite.common.admin.filters import NumberFilter
from missionsite.common.admin.formats import definition_list, format_datetime, link_to
from missionsite.common.admin.tabs import join_parts

STEP_LABELS = {
    "introduce_yourself": _("Introduce yourself"),
    "verify_github": _("Verify GitHub account"),
    "join_mission": _("Join a mission"),
    "complete_task": _("Complete a task"),
    "invite_member": _("Invite a member"),
    "lead_mission": _("Lead a mission"),
    "mentor_member": _("Mentor a member"),
}


def format_step(step: str) -> str:
    """The label of a step; made from its name, for a step that only the settings name."""
    return str(STEP_LABELS.get(step) or step.replace("_", " ").capitalize())


def format_tier(profile: UserProfile) -> str:
    last = max((int(tier) for tier in settings.ENGAGEMENT_TIERS), default=0)
    done = profile.onboarding_tier
    if done >= last:
        return str(_("All tiers completed"))
    return _("{count} of {all} tiers completed").format(count=done, all=last)


def format_tier_number(tier: str) -> str:
    return _("Tier {tier}").format(tier=tier)


def format_topics(topics: list[str]) -> str:
    return ", ".join(str(Topic(topic).label) for topic in topics) or str(_("none"))


def format_progress(profile: UserProfile) -> list[tuple[str, str]]:
    """Return each tier with its steps and their completion times."""
    lines = []
    for tier, steps in sorted(settings.ENGAGEMENT_TIERS.items()):
        done = profile.onboarding_tier_progress.get(tier)
        done = done if isinstance(done, dict) else {}
        steps_text = [
            f"{format_step(step)}: {_when(done[step]) if step in done else _('open')}"
            for step in (*steps, *(each for each in done if each not in steps and each != COMPLETED))
        ]
        head = format_tier_number(tier)
        if COMPLETED in done:
            head = _completed(head)
        lines.append((head, join_parts(steps_text)))
    return lines


def _completed(name: str) -> str:
    return _("{name} (completed)").format(name=name)


def _when(text: object) -> str:
    try:
        instant = parse_datetime(str(text))
    except ValueError:
        instant = None
    return format_datetime(instant) if instant and instant.tzinfo else str(text)


class ProfileForm(ServiceForm):
    class Meta:
        model = UserProfile
        fields = EDITABLE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "muted_topics" in self.fields:
            self.fields["muted_topics"] = forms.MultipleChoiceField(
                label=_("Unwanted topics"),
                choices=Topic.choices,
                required=False,
                help_text=self.fields["muted_topics"].help_text,
                widget=UnfoldAdminCheckboxSelectMultiple,
            )
        if "channels" in self.fields:
            self.fields["channels"] = ChannelsField(select=UnfoldAdminSelectWidget)
        if "timezone" in self.fields:
            zones = sorted(available_timezones() | {self.instance.timezone})
            help_text = self.fields["timezone"].help_text
            self.fields["timezone"] = forms.ChoiceField(
                label=_("Time zone"),
                choices=[(zone, zone) for zone in zones],
                help_text=help_text,
                widget=UnfoldAdminSelectWidget,
            )


class StepForm(ActionForm):
    step = forms.ChoiceField(label=_("Step"), widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any = None, *, obj: UserProfile | None = None, **kwargs: Any) -> None:
        super().__init__(data, obj=obj, **kwargs)
        progress = obj.onboarding_tier_progress if obj else {}
        cast(forms.ChoiceField, self.fields["step"]).choices = [
            (format_tier_number(tier), [(step, _step_label(progress.get(tier), step)) for step in steps])
            for tier, steps in sorted(settings.ENGAGEMENT_TIERS.items())
        ]


def _step_label(done: object, step: str) -> str:
    """Return the label of a step. done: the completed steps of its tier."""
    label = format_step(step)
    return _completed(label) if isinstance(done, dict) and step in done else label


def _complete(profile: UserProfile, actor: Member, values: dict) -> None:
    complete_action(actor=actor, member=profile.user, action=values["step"])


@admin.register(UserProfile)
class ProfileAdmin(ServiceHistory):
    """Profiles of members; every member has one."""

    form = ProfileForm
    search = MemberSearch()
    search_help_text = _("Name, e-mail or stable ID of a member")
    list_display = ("member", "preferred_destination", "opted_out", "locale", "timezone", "tier")
    list_display_links = None
    list_select_related = ("user",)
    list_filter = (
        ("reengagement_opt_out", BooleanRadioFilter),
        ("preferred_destination", ChoicesDropdownFilter),
        ("locale", ChoicesDropdownFilter),
        ("onboarding_tier", NumberFilter),
    )
    sortable_by = ()
    ordering = ("pk",)
    empty_text = (_("No profiles yet"), _("A profile is created with every member."))
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "member_shown",
                    ("preferred_destination", "reengagement_opt_out"),
                    ("locale", "timezone"),
                    "channels",
                    "muted_topics",
                )
            },
        ),
        (_("Addresses"), {"fields": (("individual_jid", "group_jid"),)}),
        (_("Onboarding"), {"fields": (("tier", "magic_moment_at"), "progress")}),
    )
    readonly_fields = ("member_shown", "tier", "progress", "magic_moment_at")
    about_title = _("Profile")
    revertible = frozenset(EDITABLE)
    object_actions = (
        WRITE,
        Action(
            name="complete-step",
            title=_("Complete step"),
            success_message=_("step completed"),
            run=_complete,
            permission=CHANGE_PROFILE,
            form=StepForm,
            help_text=_(
                "Marks an onboarding step as completed. The member receives a message when a tier is completed."
            ),
            icon="task_alt",
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without the channels on a site with one transport."""
        if has_choice():
            return self.fieldsets
        head = dict(
            self.fieldsets[0][1], fields=[each for each in self.fieldsets[0][1]["fields"] if each != "channels"]
        )
        return ((None, head), *self.fieldsets[1:])

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: a trigger creates the profile of every member."""
        return False

    def update(self, request: HttpRequest, obj: UserProfile, changes: dict) -> None:
        update_profile(actor=cast(Member, request.user), member=obj.user, **changes)

    def extra_buttons(self, request: HttpRequest, obj: UserProfile) -> list[dict]:
        if not request.user.has_perm("groups.view_member"):
            return []
        link = reverse("admin:groups_member_engagement", args=[obj.pk])
        return [{"title": _("Member"), "icon": "person", "link": link}]

    def describe(self, obj: UserProfile) -> str:
        return f"{obj.user.display_name} · {obj.user.member_id}"

    @display(description=_("Member"))
    def member(self, profile: UserProfile) -> str:
        return link_to(profile, str(profile.user))

    @display(description=_("Member"))
    def member_shown(self, profile: UserProfile) -> str:
        return link_to(profile.user)

    @display(description=_("Opted out"), boolean=True)
    def opted_out(self, profile: UserProfile) -> bool:
        return profile.reengagement_opt_out

    @display(description=_("Onboarding"))
    def tier(self, profile: UserProfile) -> str:
        return format_tier(profile)

    @display(description=_("Steps"))
    def progress(self, profile: UserProfile) -> str:
        return definition_list(format_progress(profile))
