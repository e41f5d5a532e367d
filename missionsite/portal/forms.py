"""The forms of the members' website. Service errors are shown at their field."""

import re
from typing import cast
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import Choices
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from engagement.channel_choice import ChannelsField, has_choice
from engagement.models import UserProfile
from engagement.rules import Destination, Locale, Topic
from engagement.services.profiles import knows_timezone
from groups.models import Member
from groups.models.directory import PrimaryRole, Tier
from missionsite.common.annotations import StrOrPromise
from missionsite.common.errors import DomainError
from missionsite.common.passwords import LimitedLogin, LimitedPasswordChange
from missionsite.portal.texts import error_message, label

# Invisible characters, and those that change the text direction.
_INVISIBLE = r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"
_ID_LENGTH = 20
# The zones that members are offered: no abbreviations and no old names without a region.
ZONES = sorted(zone for zone in available_timezones() if zone == "UTC" or ("/" in zone and not zone.startswith("Etc/")))
ZONES_BY_LOWER_CASE = {zone.lower(): zone for zone in ZONES}


def single_line_field(max_length: int, **options) -> forms.CharField:
    """A text field with a single line."""
    visible = RegexValidator(_INVISIBLE, _("This contains a character that cannot be seen."), inverse_match=True)
    return forms.CharField(max_length=max_length, validators=[visible], **options)


def choices(of: type[Choices], empty: StrOrPromise) -> list[tuple]:
    """The choices of a model in the visitor's language. empty: the label of the empty choice."""
    return [("", empty), *((value, label(text)) for value, text in of.choices)]


def choices_of(of: type[Choices]) -> list[tuple]:
    """The choices of a model in the visitor's language, without an empty one."""
    return [(value, label(str(text))) for value, text in of.choices]


class ServiceErrorsMixin(forms.Form):
    """A form that can show the errors of a service."""

    def add_service_error(self, error: DomainError) -> None:
        """Show an error at its field, or above the form if it has none."""
        self.add_error(error.field if error.field in self.fields else None, error_message(error))


class CodeForm(ServiceErrorsMixin):
    """The form for an invitation code."""

    code = forms.CharField(
        label=_("Invitation code"),
        max_length=500,
        help_text=_("16 letters and digits, such as ABCD-EFGH-2345-6789."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )

    def clean_code(self) -> str:
        """The letters and digits of the entered code or link; never empty."""
        typed = self.cleaned_data["code"].rpartition("/join/")[2]
        # No code contains 0, so unreadable input gives the same page as any invalid code.
        return re.sub(r"[^0-9A-Za-z]", "", typed)[:64] or "0"


class ProfileForm(ServiceErrorsMixin):
    """The fields that members can edit themselves."""

    name = single_line_field(
        255,
        label=_("Name"),
        help_text=_("Shown to other members."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    primary_role = forms.ChoiceField(label=_("Role"), choices=lambda: choices(PrimaryRole, _("Choose one")))
    organization = single_line_field(
        255,
        label=_("Organisation"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    country = single_line_field(
        100, label=_("Country"), required=False, widget=forms.TextInput(attrs={"autocomplete": "country-name"})
    )
    phone = single_line_field(
        40,
        label=_("Phone"),
        required=False,
        help_text=_("For WhatsApp, with the country's prefix, such as +55 11 91234-5678. Not shown to other members."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )


class BrowserZone(forms.Field):
    """The time zone of the browser. Unknown time zones are ignored."""

    widget = forms.HiddenInput(attrs={"data-browser-zone": ""})

    def __init__(self) -> None:
        super().__init__(required=False)

    def clean(self, value: str | None) -> str:
        return value if value and knows_timezone(value) else ""


class ZoneField(forms.CharField):
    """A time zone, typed or chosen from the list of the browser's suggestions."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Time zone"),
            max_length=64,
            help_text=_("For example America/Sao_Paulo. Messages wait until the morning there."),
            widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"}),
        )

    def clean(self, value: str | None) -> str:
        zone = super().clean(value)
        found = ZONES_BY_LOWER_CASE.get(zone.replace(" ", "_").lower(), zone)
        if not knows_timezone(found):
            raise ValidationError(_("This time zone is not known. Choose one of the list."))
        return found


class TopicsForm(ServiceErrorsMixin):
    """Which messages a member wants, and where; also without a log-in, by the link of a message."""

    topics = forms.MultipleChoiceField(
        label=_("Topics"),
        choices=lambda: choices_of(Topic),
        required=False,
        help_text=_("Messages on other topics are not sent to you."),
        widget=forms.CheckboxSelectMultiple,
    )
    preferred_destination = forms.ChoiceField(label=_("Messages go to"), choices=lambda: choices_of(Destination))

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if has_choice():
            self.fields["channels"] = ChannelsField(label=label)
            self.order_fields(self.field_order)

    def changes(self) -> dict:
        """Return the fields of the profile."""
        values = self.cleaned_data
        muted = [topic for topic in Topic.values if topic not in values["topics"]]
        chosen = {"channels": values["channels"]} if "channels" in values else {}
        return {"muted_topics": muted, "preferred_destination": values["preferred_destination"], **chosen}

    @staticmethod
    def initial_of(profile: UserProfile) -> dict:
        """Return the values of a profile."""
        topics = [topic for topic in Topic.values if topic not in profile.muted_topics]
        return {
            "topics": topics,
            "preferred_destination": profile.preferred_destination,
            "channels": profile.channels,
        }

    field_order: tuple[str, ...] = ("topics", "channels", "preferred_destination")


class MessagesForm(TopicsForm):
    """The message preferences that members choose themselves."""

    timezone = ZoneField()
    locale = forms.ChoiceField(label=_("Language of messages"), choices=lambda: choices_of(Locale))
    wants_messages = forms.TypedChoiceField(
        label=_("Reviews, reminders and announcements"),
        choices=[("yes", _("Send them to me")), ("no", _("Do not send them"))],
        coerce=lambda value: value == "yes",
        help_text=_("You always receive replies to your own actions."),
    )

    def changes(self) -> dict:
        """Return the fields of the profile."""
        values = self.cleaned_data
        opted_out = {"reengagement_opt_out": not values["wants_messages"]}
        return super().changes() | {name: values[name] for name in ("timezone", "locale")} | opted_out

    @staticmethod
    def initial_of(profile: UserProfile) -> dict:
        """Return the values of a profile."""
        return TopicsForm.initial_of(profile) | {
            "timezone": profile.timezone,
            "locale": profile.locale,
            "wants_messages": "no" if profile.reengagement_opt_out else "yes",
        }

    field_order = ("timezone", "locale", "channels", "preferred_destination", "wants_messages", "topics")


class RegistrationForm(ProfileForm):
    """The registration form. has_pending_password: one was entered before, so the field may stay empty."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=255,
        help_text=_("You log in with this address. It is not shown to other members."),
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
            "A number, not your user name. To find it, send a message to @userinfobot in Telegram: it replies with "
            "your ID. It is not shown to other members."
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
        help_text=_("Your public contributions on GitHub count towards your reputation."),
        error_messages={"invalid": _("A GitHub name has up to 39 letters, digits and hyphens.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    # Filled in by a script.
    timezone = BrowserZone()
    # Shown after warn_of_duplicate().
    registers_anyway = forms.BooleanField(
        label=_("I have not registered before"), required=False, widget=forms.HiddenInput()
    )

    field_order = (
        "name",
        "email",
        "password",
        "telegram_id",
        "telegram_username",
        "primary_role",
        "organization",
        "country",
        "phone",
        "github_username",
    )

    def __init__(self, *args, has_pending_password: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["telegram_id"].required = settings.REGISTRATION_NEEDS_TELEGRAM
        self.set_password_optional(has_pending_password)
        if self.data.get("registers_anyway"):
            self.fields["registers_anyway"].widget = forms.CheckboxInput()

    def warn_of_duplicate(self) -> None:
        """Say that the person may have registered before, and let them register all the same."""
        self.fields["registers_anyway"].widget = forms.CheckboxInput()
        self.add_error(
            "registers_anyway",
            _(
                "Perhaps you have registered before. If so, log in, or ask for a new password by e-mail. If not, tick"
                " this box and register."
            ),
        )

    def set_password_optional(self, is_optional: bool) -> None:
        """Set whether the password may stay empty, with a help text."""
        self.fields["password"].required = not is_optional
        if is_optional:
            self["password"].help_text = _(
                "Your password is kept. Leave this field empty to use it, or enter another one."
            )

    def clean_telegram_id(self) -> str:
        """The ID without spaces and leading zeros, so that it is unique."""
        if not self.cleaned_data["telegram_id"]:
            return ""
        digits = self.cleaned_data["telegram_id"].replace(" ", "").lstrip("0")
        if not 0 < len(digits) <= _ID_LENGTH:
            raise ValidationError(self.fields["telegram_id"].error_messages["invalid"], "invalid")
        return digits

    def clean(self) -> dict:
        """Validate the password, also against the other fields."""
        super().clean()
        cleaned = self.cleaned_data
        if password := cleaned.get("password"):
            member = Member(email=cleaned.get("email", ""), display_name=cleaned.get("name", ""))
            try:
                validate_password(password, member)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class LoginForm(LimitedLogin):
    """The log-in form. It does not reveal whether the e-mail or the password is wrong."""

    error_messages = {
        "invalid_login": _("The e-mail or password is incorrect."),
        "inactive": _("The e-mail or password is incorrect."),
    }

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail")
        self.fields["username"].widget.attrs |= {"inputmode": "email", "autofocus": False}
        self.fields["password"].label = _("Password")
        cast(forms.CharField, self.fields["password"]).max_length = 256


class OwnPasswordForm(LimitedPasswordChange):
    """The password-change form."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs["autofocus"] = False


class DirectorySearchForm(forms.Form):
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
    sort = forms.ChoiceField(
        label=_("Order"), required=False, choices=lambda: [("", _("Newest first")), ("name", _("By name"))]
    )
