"""The actions on a directory entry."""

from collections.abc import Callable

from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from groups.errors import CheckPending
from groups.models import CommunityMember, Member
from groups.rules import ENTRY_MOVES
from groups.services import directory
from groups.services.erasure import erase
from groups.services.verification import request_github_check
from missionsite.common.admin import Action, ActionForm, OptionalReasonForm, ReasonForm
from missionsite.common.mentions import find_mentions

DECIDE = "groups.approve_communitymember"
VERIFY = "groups.verify_communitymember"
REMOVE = "groups.remove_communitymember"
ERASE = "groups.erase_communitymember"


class VerifyManuallyForm(ActionForm):
    how = forms.CharField(
        max_length=500,
        label=_("Evidence"),
        help_text=_("For example a call or a signed message. Stored in the event history."),
        widget=UnfoldAdminTextInputWidget(),
    )


class EraseForm(ActionForm):
    """Asks for the number as a confirmation, because erasing cannot be undone."""

    obj: CommunityMember | None
    number = forms.CharField(
        max_length=20,
        label=_("Member number"),
        help_text=_("Type the number shown above, such as #247."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    def clean_number(self) -> str:
        typed = self.cleaned_data["number"].strip()
        if self.obj is not None and typed != self.obj.member_id:
            raise forms.ValidationError(gettext("This is not the number of this member."))
        return typed


def _decide(service: Callable[..., object]) -> Callable[[CommunityMember, Member, dict], None]:
    def run(entry: CommunityMember, actor: Member, values: dict) -> None:
        service(entry=entry, actor=actor, reason=values["reason"])

    return run


def _verify(entry: CommunityMember, actor: Member, values: dict) -> None:
    if not request_github_check(actor=actor, entry=entry):
        raise CheckPending


def _verify_manually(entry: CommunityMember, actor: Member, values: dict) -> None:
    directory.verify_manually(entry=entry, actor=actor, how=values["how"])


def _erase(entry: CommunityMember, actor: Member, values: dict) -> None:
    erase(entry=entry, actor=actor)


def _mentions(request: HttpRequest, entry: CommunityMember) -> str:
    """Where the names and addresses of a person stand in texts that erasing does not change."""
    person = entry.person
    names = [entry.name, entry.telegram_username, entry.github_username]
    names += [person.display_name, person.email] if person else []
    found = find_mentions([name for name in names if name], may=request.user.has_perm)
    return render_to_string("groups/mentions.html", {"mentions": found})


def _can(move: str) -> Callable[[CommunityMember], bool]:
    return lambda entry: not entry.is_removed and entry.status in ENTRY_MOVES[move].sources


ACTIONS = (
    Action(
        name="approve",
        title=_("Approve"),
        success_message=_("approved"),
        run=_decide(directory.approve),
        permission=DECIDE,
        form=OptionalReasonForm,
        available=_can("approve"),
        help_text=_("The member becomes active: they see the directory and are shown in it."),
        icon="how_to_reg",
        bulk_title=_("Approve"),
    ),
    Action(
        name="suspend",
        title=_("Suspend"),
        success_message=_("suspended"),
        run=_decide(directory.suspend),
        permission=DECIDE,
        form=ReasonForm,
        available=_can("suspend"),
        help_text=_("Hidden from the directory until reinstated."),
        icon="pause_circle",
        bulk_title=_("Suspend"),
    ),
    Action(
        name="reinstate",
        title=_("Reinstate"),
        success_message=_("reinstated"),
        run=_decide(directory.reinstate),
        permission=DECIDE,
        form=OptionalReasonForm,
        available=_can("reinstate"),
        icon="play_circle",
        bulk_title=_("Reinstate"),
    ),
    Action(
        name="ban",
        title=_("Ban"),
        success_message=_("banned"),
        run=_decide(directory.ban),
        permission=DECIDE,
        form=ReasonForm,
        available=_can("ban"),
        help_text=_("A ban is final and cannot be undone."),
        icon="block",
        bulk_title=_("Ban"),
        danger=True,
    ),
    Action(
        name="verify",
        title=_("Verify on GitHub"),
        success_message=_("GitHub check queued"),
        run=_verify,
        permission=VERIFY,
        available=lambda entry: bool(entry.github_username) and not entry.is_removed,
        help_text=_(
            "A background job reads the public profile. If it contains the verification code, the account is"
            " verified and the reputation is calculated from its figures."
        ),
        icon="verified",
        bulk_title=_("Verify on GitHub"),
    ),
    Action(
        name="verify-manually",
        title=_("Verify manually"),
        success_message=_("verified"),
        run=_verify_manually,
        permission=VERIFY,
        form=VerifyManuallyForm,
        available=lambda entry: bool(entry.github_username) and not (entry.github_verified or entry.is_removed),
        icon="fact_check",
    ),
    Action(
        name="remove",
        title=_("Remove"),
        success_message=_("removed from the directory"),
        run=_decide(directory.remove_entry),
        permission=REMOVE,
        form=ReasonForm,
        available=lambda entry: not entry.is_removed,
        help_text=_("Hidden from every list. The entry is kept and can be restored."),
        icon="person_remove",
        bulk_title=_("Remove"),
    ),
    Action(
        name="restore",
        title=_("Restore"),
        success_message=_("restored to the directory"),
        run=_decide(directory.restore_entry),
        permission=REMOVE,
        form=OptionalReasonForm,
        available=lambda entry: entry.is_removed and not entry.erased_at,
        icon="restore",
        bulk_title=_("Restore"),
    ),
    Action(
        name="erase",
        title=_("Erase personal data"),
        success_message=_("personal data erased"),
        run=_erase,
        permission=ERASE,
        form=EraseForm,
        available=lambda entry: not entry.erased_at,
        help_text=_(
            "Overwrites the name, e-mail, user names and all other personal text, here and in the"
            " history. The number and the counts are kept. This cannot be undone."
        ),
        icon="delete_forever",
        details=_mentions,
        asks_identity=True,
        danger=True,
    ),
)
