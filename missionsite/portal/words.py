"""What the database and the services say, in the visitor's language."""

from django.utils.translation import gettext, gettext_lazy, gettext_noop

from missionsite.common.errors import DomainError

# By the code of a rejection; every one a form of this door can meet.
REJECTIONS = {
    "code_rejected": gettext_lazy("This invitation code is not valid. Ask the person who invited you for a new one."),
    "email_taken": gettext_lazy("There is an account with this e-mail already. If it is yours, log in instead."),
    "telegram_id_taken": gettext_lazy("Another member has this Telegram ID."),
    "telegram_id_missing": gettext_lazy("Give your Telegram ID."),
    "name_missing": gettext_lazy("Say what you are called."),
    "entry_removed": gettext_lazy("Your entry was removed from the directory; it cannot be edited."),
    "entry_erased": gettext_lazy("The personal data of this entry was erased; it stays as it is."),
    "value_rejected": gettext_lazy("Something typed here cannot be stored. Look at it again."),
    "not_allowed": gettext_lazy("You do not have the right to do this."),
}
ANYTHING_ELSE = gettext_lazy("This was rejected. Look at what you typed, or ask a community manager.")


def rejection(error: DomainError) -> str:
    """The sentence of a rejection."""
    return str(REJECTIONS.get(error.code, ANYTHING_ELSE))


def label(text: str) -> str:
    """A choice of a model (a role, a tier, a status) as the visitor reads it."""
    return gettext(text) if text else ""


# Labels of choices are written where the models are, without a translation; here they are found by its tools.
LABELS = (
    gettext_noop("Student"),
    gettext_noop("Developer"),
    gettext_noop("Designer"),
    gettext_noop("Researcher"),
    gettext_noop("Founder"),
    gettext_noop("Investor"),
    gettext_noop("Community manager"),
    gettext_noop("Content creator"),
    gettext_noop("Other"),
    gettext_noop("Novice"),
    gettext_noop("Contributor"),
    gettext_noop("Active Developer"),
    gettext_noop("Experienced"),
    gettext_noop("Expert"),
    gettext_noop("Not a member"),
    gettext_noop("Waiting for approval"),
    gettext_noop("Active"),
    gettext_noop("Suspended"),
    gettext_noop("Banned"),
)
# What a status means for whoever has it.
REMOVED = "removed"
STATUS_MEANS = {
    "not_member": gettext_lazy("You are not a member yet. Ask a community manager what is missing."),
    "pending": gettext_lazy("A community manager looks at your registration. Until then you see only this page."),
    "active": gettext_lazy("You are in: other members find you in the directory."),
    "suspended": gettext_lazy("You are out of the directory for a while. A community manager can tell you why."),
    "banned": gettext_lazy("You were put out of the community, and that is final."),
    REMOVED: gettext_lazy("Your entry was taken out of the directory. A community manager can tell you why."),
}
# Why someone does not see the directory.
CLOSED = {
    "": gettext_lazy("The directory is for members. This account has no entry in it."),
    "not_member": gettext_lazy("The directory is for active members. You are not a member yet."),
    "pending": gettext_lazy(
        "The directory is for active members. Your registration is waiting for a community manager to approve it."
    ),
    "suspended": gettext_lazy("The directory is for active members. Your membership is suspended."),
    "banned": gettext_lazy("The directory is for active members. You were put out of the community."),
    REMOVED: gettext_lazy("The directory is for active members. Your entry was removed from it."),
}
