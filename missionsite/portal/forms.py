"""The forms members fill in. What the services reject is shown at the field it is about."""

import re

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from engagement.services.profiles import knows_timezone
from groups.models import Member
from groups.models.directory import PrimaryRole, Tier
from missionsite.common.errors import DomainError
from missionsite.common.passwords import LimitedLogin, LimitedPasswordChange
from missionsite.portal.words import label, rejection

# Characters no one sees, and those that turn the reading direction of what comes after them.
_UNSEEN = r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"
_ID_LENGTH = 20


def line(max_length: int, **options) -> forms.CharField:
    """A text of one line."""
    seen = RegexValidator(_UNSEEN, _("This contains a character that cannot be seen."), inverse_match=True)
    return forms.CharField(max_length=max_length, validators=[seen], **options)


def choices(of: type, first: str) -> list[tuple]:
    """The choices of a model in the visitor's language. first: what stands for none."""
    return [("", first), *((value, label(words)) for value, words in of.choices)]


class Rejectable(forms.Form):
    """A form that shows what a service rejected."""

    def reject(self, error: DomainError) -> None:
        """Show a rejection at its field, or above the form where it has none."""
        self.add_error(error.field if error.field in self.fields else None, rejection(error))


class CodeForm(Rejectable):
    """Type the code one was given."""

    code = forms.CharField(
        label=_("Invitation code"),
        max_length=500,
        help_text=_("16 letters and digits, such as ABCD-EFGH-2345-6789."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )

    def clean_code(self) -> str:
        """Letters and digits of what was typed, or of the link that was pasted; never empty."""
        typed = self.cleaned_data["code"].rpartition("/join/")[2]
        # 0 is in no code, so what holds nothing readable leads to the page every wrong code leads to.
        return re.sub(r"[^0-9A-Za-z]", "", typed)[:64] or "0"


class ProfileForm(Rejectable):
    """What members change themselves."""

    name = line(
        255,
        label=_("Name"),
        help_text=_("What other members call you."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    primary_role = forms.ChoiceField(label=_("Role"), choices=lambda: choices(PrimaryRole, _("Choose one")))
    organization = line(
        255,
        label=_("Organisation"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    country = line(
        100, label=_("Country"), required=False, widget=forms.TextInput(attrs={"autocomplete": "country-name"})
    )


class BrowserZone(forms.Field):
    """The time zone a browser says it is in; what is no zone a profile may have is ignored."""

    widget = forms.HiddenInput(attrs={"data-browser-zone": ""})

    def __init__(self) -> None:
        super().__init__(required=False)

    def clean(self, value: str | None) -> str:
        return value if value and knows_timezone(value) else ""


class RegistrationForm(ProfileForm):
    """Everything a registration asks for. password_kept: one was typed before, so none is needed."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=255,
        help_text=_("You log in with it. Other members do not see it."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=256,
        strip=False,
        help_text=lazy(password_validators_help_text_html, str)(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    telegram_id = forms.RegexField(
        r"^[0-9 ]+$",
        label=_("Telegram ID"),
        max_length=40,
        help_text=_(
            "A number, not your name there. To find it, write to the bot @userinfobot in Telegram: it answers with "
            "your ID. Other members do not see it."
        ),
        error_messages={"invalid": _("A Telegram ID is a number, such as 123456789.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    telegram_username = forms.RegexField(
        r"^@?[A-Za-z0-9_]{4,32}$",
        label=_("Telegram name"),
        max_length=33,
        required=False,
        help_text=_("Such as @ana_souza."),
        error_messages={"invalid": _("A Telegram name has 4 to 32 letters, digits and underscores.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    github_username = forms.RegexField(
        # Source: GitHub's own rule for new names; older ones may end in a hyphen.
        r"^@?[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$",
        label=_("GitHub name"),
        max_length=40,
        required=False,
        help_text=_("Your public work there earns reputation here."),
        error_messages={"invalid": _("A GitHub name has up to 39 letters, digits and hyphens.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    # What the visitor's browser says; a script fills it in.
    timezone = BrowserZone()

    field_order = (
        "name",
        "email",
        "password",
        "telegram_id",
        "telegram_username",
        "primary_role",
        "organization",
        "country",
        "github_username",
    )

    def __init__(self, *args, password_kept: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.say_password_is_kept(password_kept)

    def say_password_is_kept(self, kept: bool) -> None:
        """Say above the field whether it may stay empty."""
        self.fields["password"].required = not kept
        if kept:
            self["password"].help_text = _(
                "The password you typed is kept. Leave this empty to use it, or type another one."
            )

    def clean_telegram_id(self) -> str:
        """The digits alone, written one way: one person, one ID."""
        digits = self.cleaned_data["telegram_id"].replace(" ", "").lstrip("0")
        if not 0 < len(digits) <= _ID_LENGTH:
            raise ValidationError(self.fields["telegram_id"].error_messages["invalid"], "invalid")
        return digits

    def clean(self) -> dict:
        """A password that is not like the person's own data."""
        cleaned = super().clean()
        if password := cleaned.get("password"):
            person = Member(email=cleaned.get("email", ""), display_name=cleaned.get("name", ""))
            try:
                validate_password(password, person)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class LoginForm(LimitedLogin):
    """Log in with e-mail and password. What is wrong with them is never said."""

    error_messages = {
        "invalid_login": _("The e-mail or the password is not right."),
        "inactive": _("The e-mail or the password is not right."),
    }

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail")
        self.fields["username"].widget.attrs |= {"inputmode": "email", "autofocus": False}
        self.fields["password"].label = _("Password")
        self.fields["password"].max_length = 256


class OwnPasswordForm(LimitedPasswordChange):
    """Change one's own password."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs["autofocus"] = False


class FindForm(forms.Form):
    """Search and filters of the directory."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        help_text=_("Name, organisation, user name or number"),
        max_length=255,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(label=_("Role"), required=False, choices=lambda: choices(PrimaryRole, _("Every role")))
    tier = forms.ChoiceField(label=_("Tier"), required=False, choices=lambda: choices(Tier, _("Every tier")))
    country = forms.CharField(label=_("Country"), required=False, max_length=100)
