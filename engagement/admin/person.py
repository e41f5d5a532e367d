"""The pages of this app about one person: the lifecycle state and the profile."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from engagement.admin.base import STATE, VIEW_STATES
from engagement.admin.write import write_button
from engagement.models import EngagementMessage, UserEngagementState, UserProfile
from groups.models import Member
from missionsite.common.admin.formats import badge
from missionsite.common.admin.person import PersonPage, register_person, register_person_page


def _state(person: Member, request: HttpRequest) -> PersonPage | None:
    if not request.user.has_perm(VIEW_STATES):
        return None
    state = UserEngagementState.objects.filter(user=person.pk).first()
    if state is None:
        return None
    link = reverse("admin:engagement_userengagementstate_change", args=[state.pk])
    shown = badge(state.get_state_display(), STATE[state.state])
    return PersonPage(_("Lifecycle"), link, UserEngagementState, (shown,))


def _profile(person: Member, request: HttpRequest) -> PersonPage | None:
    if not request.user.has_perm("engagement.view_userprofile"):
        return None
    profile = UserProfile.objects.filter(pk=person.pk).first()
    if profile is None:
        return None
    link = reverse("admin:engagement_userprofile_change", args=[profile.pk])
    badges = (badge(gettext("Opted out"), "warning"),) if profile.reengagement_opt_out else ()
    return PersonPage(_("Profile"), link, UserProfile, badges)


def _write(person: Member, request: HttpRequest) -> PersonPage | None:
    found = write_button(request, person.pk)
    return PersonPage(found[0]["title"], found[0]["link"], EngagementMessage) if found else None


register_person(UserEngagementState, lambda state: state.user)
register_person(UserProfile, lambda profile: profile.user)
register_person_page(_state, order=30)
register_person_page(_profile, order=40)
register_person_page(_write, order=50)
