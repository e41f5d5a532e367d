"""The texts of errors and warnings of an import, by line."""

from django.utils.translation import gettext, gettext_noop

from groups.errors import EntryErased, EntryRemoved
from groups.models.directory import PrimaryRole
from groups.rules import MAX_TRUST_SCORE
from missionsite.common.constraints import ONE_LINE_ERROR
from missionsite.common.errors import DomainError, violated

ROLE_MISSING = gettext_noop("A new directory entry needs a role.")


def error_texts() -> dict[str, str]:
    """Return the messages of errors by line: those of the constraints and services, and of this import.

    %s: the wrong value, the number of the other member, the most characters, or the earlier line.
    """
    return {
        "email_missing": gettext("Enter an e-mail address or a Telegram ID."),
        "email_invalid": gettext("“%s” is not a valid e-mail address."),
        "email_taken": _with_value(_message(violated("members_email_unique"))),
        "email_twice": gettext("This e-mail is already on line %s."),
        "name_missing": _message(violated("community_members_name_not_empty")),
        "score_negative": _message(violated("members_trust_score_not_negative")),
        "score_too_large": gettext("The trust score must be at most %(most)d.") % {"most": MAX_TRUST_SCORE},
        "score_invalid": gettext("The trust score must be a whole number, not “%s”."),
        "member_unknown": gettext("There is no member “%s”."),
        "member_twice": gettext("This member is already on line %s."),
        "protected": gettext(
            "This member has rights in the back office. Only staff who can grant rights can change them."
        ),
        "no_entry": gettext("Without a Telegram ID there is no directory entry, so these are not imported: %s."),
        "score_without_account": gettext("Only members with an e-mail have a trust score."),
        "telegram_id_taken": _with_value(_message(violated("member_telegram_id_idx"))),
        "telegram_id_twice": gettext("This Telegram ID is already on line %s."),
        "role_missing": gettext(ROLE_MISSING),
        "role_unknown": gettext("There is no role “%(placeholder)s”. Valid roles are %(roles)s.")
        % {"placeholder": "%s", "roles": ", ".join(PrimaryRole.values)},
        "removed": _message(EntryRemoved()),
        "erased": _message(EntryErased()),
        "too_long": gettext("Enter at most %s characters."),
        "one_line": str(ONE_LINE_ERROR),
        "alike": gettext("Perhaps the same person as %s. To update that person, enter their number as member_id."),
    }


def _message(error: DomainError) -> str:
    return str(error.message)


def _with_value(message: str) -> str:
    return f"{message.removesuffix('.')}: %s."
