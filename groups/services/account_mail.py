"""E-mails about an account that exists: the link of a returning person, and the link to set a password."""

from collections.abc import Iterable

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from groups.models import Member
from groups.rules import RETURN_LINK_LASTS


def return_mail(account: Member, secret: str, language: str) -> EmailMessage:
    """Return the e-mail with the link that gives a person their old entry back."""
    with translation.override(language):
        return _mail(
            account,
            gettext("Your registration"),
            (
                gettext("Hello %(name)s,") % {"name": account.display_name},
                gettext(
                    "someone registered with your e-mail address or Telegram ID. You are known here already: open this"
                    " link to set a password and get your entry back."
                ),
                f"{settings.SITE_URL}{reverse('portal:return', args=[secret])}",
                gettext("The link works once, for %(days)d days. If it was not you, ignore this e-mail.")
                % {"days": RETURN_LINK_LASTS.days},
            ),
        )


def has_account_mail(account: Member, language: str) -> EmailMessage:
    """Return the e-mail to a member who can log in, after a registration with their e-mail or Telegram ID."""
    with translation.override(language):
        return _mail(
            account,
            gettext("You are registered already"),
            (
                gettext("Hello %(name)s,") % {"name": account.display_name},
                gettext(
                    "someone registered with your e-mail address or Telegram ID. You have an account already: log in,"
                    " or ask for a new password there."
                ),
                f"{settings.SITE_URL}{reverse('portal:login')}",
                gettext("If it was not you, ignore this e-mail. Nothing was changed."),
            ),
        )


def password_mail(account: Member, language: str) -> EmailMessage:
    """Return the e-mail with a link to set a password, which works once and until PASSWORD_RESET_TIMEOUT is over."""
    parts = {"uidb36": user_pk_to_url_str(account), "key": default_token_generator.make_token(account)}
    with translation.override(language):
        return _mail(
            account,
            gettext("Set your password"),
            (
                gettext("Hello %(name)s,") % {"name": account.display_name},
                gettext("there is an account for you. Set a password to log in:"),
                f"{settings.SITE_URL}{reverse('account_reset_password_from_key', kwargs=parts)}",
                gettext("The link works once, for %(days)d days. Your log-in is %(email)s.")
                % {"days": settings.PASSWORD_RESET_TIMEOUT // 86_400, "email": account.email},
            ),
        )


def _mail(account: Member, subject: str, paragraphs: Iterable[str]) -> EmailMessage:
    return EmailMessage(
        subject=subject,
        body="\n\n".join(paragraphs),
        to=[account.email],
        headers={"Auto-Submitted": "auto-generated"},
    )
