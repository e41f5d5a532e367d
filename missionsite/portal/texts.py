"""Errors, labels and status texts in the visitor's language."""

from django.utils.translation import gettext, gettext_lazy, gettext_noop

from missionsite.common.errors import DomainError

# By error code: all errors that the forms of the portal can raise.
ERROR_MESSAGES = {
    "code_rejected": gettext_lazy("This invitation code is not valid. Ask the person who invited you for a new one."),
    "invitation_ended": gettext_lazy("The invitation was used or cancelled meanwhile. Ask for a new one."),
    "telegram_id_invalid": gettext_lazy("A Telegram ID is a number, such as 123456789."),
    "phone_invalid": gettext_lazy(
        "This is no phone number. Enter it with the country's prefix, such as +55 11 91234-5678."
    ),
    "telegram_id_missing": gettext_lazy("Enter your Telegram ID."),
    "name_missing": gettext_lazy("Enter your name."),
    "entry_removed": gettext_lazy("Your directory entry was removed and cannot be edited."),
    "entry_erased": gettext_lazy("The personal data of this entry was erased. It cannot be edited."),
    "value_rejected": gettext_lazy("A value contains characters that cannot be saved. Check your input."),
    "not_allowed": gettext_lazy("You do not have permission to do this."),
    "already_member": gettext_lazy("You are already a member of this mission."),
    "mission_archived": gettext_lazy("This mission is archived. No one can join it."),
    "trust_too_low": gettext_lazy("You do not have the points that this mission asks for yet."),
    "not_a_member": gettext_lazy("You are not a member of this mission. Join it first."),
    "join_by_request": gettext_lazy("This mission is joined by request. Send a request below."),
    "join_by_invitation": gettext_lazy("This mission is joined by invitation. Ask a community manager."),
    "request_not_needed": gettext_lazy("You can join this mission without a request."),
    "mission_full": gettext_lazy("This mission is full."),
    "places_free": gettext_lazy("This mission has free places. You can join it."),
    "offer_missing": gettext_lazy("No place is offered to you at the moment."),
    "join_request_open": gettext_lazy("You already have an open request or invitation for this mission."),
    "join_request_decided": gettext_lazy("This has been decided in the meantime. The result is shown below."),
    "join_request_answer_rejected": gettext_lazy("You can answer invitations and withdraw your requests."),
    "task_state_rejected": gettext_lazy("This task was changed in the meantime. Its present state is shown below."),
    "task_not_yours": gettext_lazy("Another member claimed this task. Choose another one."),
    "task_mission_archived": gettext_lazy("This mission is archived. Its tasks cannot be opened again."),
}
DEFAULT_ERROR_MESSAGE = gettext_lazy("This could not be saved. Check your input or contact a community manager.")


def error_message(error: DomainError) -> str:
    """The message of an error."""
    return str(ERROR_MESSAGES.get(error.code, DEFAULT_ERROR_MESSAGE))


def label(text: str) -> str:
    """The translated label of a choice (role, tier or status)."""
    return gettext(text) if text else ""


# The models define the labels of choices untranslated; here the translation tools find them.
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
# Those of the message settings.
PREFERENCE_LABELS = (
    gettext_noop("E-mail"),
    gettext_noop("Telegram"),
    gettext_noop("Telegram name"),
    gettext_noop("WhatsApp or phone"),
    gettext_noop("Another chat"),
    gettext_noop("English"),
    gettext_noop("Portuguese (Brazil)"),
    gettext_noop("Individual chat"),
    gettext_noop("Group chat"),
    gettext_noop("News of the community"),
    gettext_noop("Events and meetings"),
    gettext_noop("Missions and ways to take part"),
    gettext_noop("First steps and tips"),
    gettext_noop("Review of my week"),
)
# Explanation of each status for the member.
REMOVED = "removed"
STATUS_DESCRIPTIONS = {
    "not_member": gettext_lazy("You are not a member yet. Ask a community manager what is missing."),
    "pending": gettext_lazy(
        "A community manager is reviewing your registration. Until it is approved, you can only see this page."
    ),
    "active": gettext_lazy("You are a member. Other members can find you in the directory."),
    "suspended": gettext_lazy(
        "Your membership is suspended, and you are not shown in the directory. Contact a community manager for the"
        " reason."
    ),
    "banned": gettext_lazy("You are permanently banned from the community."),
    REMOVED: gettext_lazy("Your entry was removed from the directory. Contact a community manager for the reason."),
}
# Why a member cannot see the directory.
DIRECTORY_CLOSED = {
    "": gettext_lazy("The directory is for members. Your account has no directory entry."),
    "not_member": gettext_lazy("The directory is for active members. You are not a member yet."),
    "pending": gettext_lazy(
        "The directory is for active members. Your registration is waiting for a community manager to approve it."
    ),
    "suspended": gettext_lazy("The directory is for active members. Your membership is suspended."),
    "banned": gettext_lazy("The directory is for active members. You are banned from the community."),
    REMOVED: gettext_lazy("The directory is for active members. Your entry was removed from it."),
}
# Why a member cannot see the missions.
MISSIONS_CLOSED = {
    "not_member": gettext_lazy("Missions are for active members. You are not a member yet."),
    "pending": gettext_lazy(
        "Missions are for active members. Your registration is waiting for a community manager to approve it."
    ),
    "suspended": gettext_lazy("Missions are for active members. Your membership is suspended."),
    "banned": gettext_lazy("Missions are for active members. You are banned from the community."),
    REMOVED: gettext_lazy("Missions are for active members. Your entry was removed from the directory."),
}
# The steps of onboarding.
STEP_LABELS = {
    "introduce_yourself": gettext_lazy("Introduce yourself in the chat"),
    "verify_github": gettext_lazy("Verify your GitHub account"),
    "join_mission": gettext_lazy("Join a mission"),
    "complete_task": gettext_lazy("Finish a task of a mission"),
    "invite_member": gettext_lazy("Invite someone"),
    "lead_mission": gettext_lazy("Lead a mission"),
    "mentor_member": gettext_lazy("Mentor another member"),
}
