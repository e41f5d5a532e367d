"""The forms of invitations."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from groups.models import CommunityInvitation
from groups.rules import MAX_INVITATION_DAYS, MAX_INVITATIONS, MAX_USES
from groups.services.recipients import Recipient, check_recipient, read_recipients
from missionsite.common.admin import ActionForm, AutocompleteField, ServiceForm

# A list of names is read into memory.
LIST_BYTES = 256 * 1024
# Errors of lines that a page shows.
ERRORS_SHOWN = 20


def days_field() -> forms.IntegerField:
    return forms.IntegerField(
        label=_("Valid for (days)"),
        min_value=1,
        max_value=MAX_INVITATION_DAYS,
        initial=settings.INVITATION_DAYS,
        widget=UnfoldAdminIntegerFieldWidget(),
    )


class InvitationForm(ServiceForm):
    days = days_field()
    max_uses = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_USES,
        initial=1,
        label=_("Number of people"),
        help_text=_("How many people can register with it, such as a class of 40. Each registration is listed."),
        widget=UnfoldAdminIntegerFieldWidget(),
    )

    def clean_max_uses(self) -> int:
        return self.cleaned_data["max_uses"] or 1

    class Meta:
        model = CommunityInvitation
        fields = ("created_by", "invited_name", "invited_email", "invited_telegram_username", "max_uses")


class InviteManyForm(forms.Form):
    """People, one per line, typed or in a file."""

    created_by = AutocompleteField(
        CommunityInvitation, "created_by", label=_("Invited by"), help_text=_("An active member of the directory.")
    )
    names = forms.CharField(
        required=False,
        max_length=LIST_BYTES,
        label=_("People"),
        help_text=_(
            "One person per line: a name, an e-mail, a Telegram name with or without @, or several of them separated by"
            " commas, semicolons or tabs. A column copied from a spreadsheet works."
        ),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
    )
    file = forms.FileField(
        required=False,
        label=_("Or a file"),
        help_text=_("Text or CSV in UTF-8, one person per line; a header row is skipped."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    days = days_field()
    send = forms.BooleanField(
        required=False,
        label=_("Send by e-mail"),
        help_text=_("Those with an e-mail get their address by mail. The others are in the list to hand out."),
        widget=UnfoldBooleanSwitchWidget(),
    )

    def clean_file(self) -> str:
        file = self.cleaned_data["file"]
        if file is None:
            return ""
        if file.size > LIST_BYTES:
            raise forms.ValidationError(
                gettext("The file is larger than %(limit)d KB. Split it.") % {"limit": LIST_BYTES // 1024}
            )
        try:
            return file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise forms.ValidationError(gettext("The file must be text in UTF-8.")) from error

    def clean(self) -> dict:
        values = super().clean() or {}
        if self.errors:
            return values
        people: dict[Recipient, None] = {}
        for field in ("names", "file"):
            found, errors = read_recipients(values.get(field) or "")
            for error in errors[:ERRORS_SHOWN]:
                self.add_error(field, str(error))
            if (more := len(errors) - ERRORS_SHOWN) > 0:
                self.add_error(
                    field,
                    ngettext("%(count)d more line has an error.", "%(count)d more lines have errors.", more)
                    % {"count": more},
                )
            people |= dict.fromkeys(found)
        if not self.errors:
            if not people:
                self.add_error("names", gettext("Enter at least one name, or choose a file."))
            elif len(people) > MAX_INVITATIONS:
                self.add_error(
                    "names",
                    gettext("Enter at most %(limit)d names, not %(count)d.")
                    % {"limit": MAX_INVITATIONS, "count": len(people)},
                )
        return values | {"people": list(people)}


class NewCodeForm(ActionForm):
    days = days_field()


class ChangeInvitationForm(ActionForm):
    """The recipient, the number of people and, if filled in, a new expiry."""

    obj: CommunityInvitation | None
    invited_name = forms.CharField(required=False, max_length=255, label=_("Name"), widget=UnfoldAdminTextInputWidget())
    invited_email = forms.EmailField(
        required=False, max_length=255, label=_("E-mail"), widget=UnfoldAdminEmailInputWidget()
    )
    invited_telegram_username = forms.CharField(
        required=False, max_length=33, label=_("Telegram name"), widget=UnfoldAdminTextInputWidget()
    )
    max_uses = forms.IntegerField(
        min_value=1, max_value=MAX_USES, label=_("Number of people"), widget=UnfoldAdminIntegerFieldWidget()
    )
    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_INVITATION_DAYS,
        label=_("Extend: valid for (days) from now"),
        help_text=_("Leave it empty to keep the expiry. An expired invitation works again."),
        widget=UnfoldAdminIntegerFieldWidget(),
    )

    def __init__(self, data=None, *, obj: CommunityInvitation | None = None, **kwargs) -> None:
        names = ("invited_name", "invited_email", "invited_telegram_username", "max_uses")
        initial = {name: getattr(obj, name) for name in names} if obj else None
        super().__init__(data, obj=obj, initial=initial, **kwargs)

    def clean_invited_telegram_username(self) -> str:
        name = self.cleaned_data["invited_telegram_username"].strip().removeprefix("@")
        if error := check_recipient(Recipient(telegram_username=name)):
            raise forms.ValidationError(error)
        return name


class SendForm(ActionForm):
    """The address an invitation is sent to."""

    obj: CommunityInvitation | None
    email = forms.EmailField(max_length=255, label=_("E-mail"), widget=UnfoldAdminEmailInputWidget())

    def __init__(self, data=None, *, obj: CommunityInvitation | None = None, **kwargs) -> None:
        initial = {"email": obj.invited_email} if obj else None
        super().__init__(data, obj=obj, initial=initial, **kwargs)
        # In a list, each invitation has an address of its own.
        if obj is None:
            del self.fields["email"]
