"""Settings of this app, read from the environment; `missionsite.settings` imports them all."""

from missionsite.environment import env, secret

# --- Directory ----------------------------------------------------------------------------------

INVITATION_DAYS = env.int("INVITATION_DAYS", default=3)
# Invitations per inviter in 24 hours: by members, and by staff with the permission to invite many.
INVITATIONS_PER_DAY = env.int("INVITATIONS_PER_DAY", default=20)
INVITATIONS_PER_DAY_BY_STAFF = env.int("INVITATIONS_PER_DAY_BY_STAFF", default=500)
# Whether a registration needs a Telegram ID.
REGISTRATION_NEEDS_TELEGRAM = env.bool("REGISTRATION_NEEDS_TELEGRAM", default=True)
# Whether the registration fee must be recorded before a member is approved.
REGISTRATION_FEE_REQUIRED = env.bool("REGISTRATION_FEE_REQUIRED", default=False)
# Wrong invitation codes per network and minute, and registrations per code and minute; 0 for no limit.
JOIN_ATTEMPTS_PER_MINUTE = env.int("JOIN_ATTEMPTS_PER_MINUTE", default=10)
# Points for participation by type; a voice minute counts as one VOICE. And the maximum per day.
PARTICIPATION_POINTS = {
    "MESSAGE": env.int("POINTS_PER_MESSAGE", default=1),
    "REACTION": env.int("POINTS_PER_REACTION", default=1),
    "VOICE": env.int("POINTS_PER_VOICE_MINUTE", default=1),
    "ACTION": env.int("POINTS_PER_ACTION", default=5),
    "JOIN": 0,
    "LEAVE": 0,
}
PARTICIPATION_POINTS_PER_DAY = env.int("PARTICIPATION_POINTS_PER_DAY", default=50)
# GitHub's REST API; a token raises its hourly limit. And the seconds for one verification.
GITHUB_API_URL = env("GITHUB_API_URL", default="https://api.github.com")
GITHUB_TOKEN = secret("GITHUB_TOKEN")
GITHUB_TIMEOUT = env.int("GITHUB_TIMEOUT", default=20)
# Maximum bytes of an import file of members.
IMPORT_BYTES = env.int("IMPORT_BYTES", default=50 * 1024 * 1024)
# Added and changed people above which a second person approves an import in the background; 0 for none.
IMPORT_APPROVAL_ABOVE = env.int("IMPORT_APPROVAL_ABOVE", default=0)

# Hours for which a place of a full mission is offered to the first of its waiting list.
WAITING_LIST_OFFER_HOURS = env.int("WAITING_LIST_OFFER_HOURS", default=48)

# --- Rolling back the mission schema ----------------------------------------------------------

# Rolling groups back to 0001 meets rows its primary key cannot hold (ended memberships). Off: the rollback stops
# and names them. On: they move to `memberships_backup`, from which migrating forward again restores them.
GROUPS_ROLLBACK_WITH_BACKUP = env.bool("GROUPS_ROLLBACK_WITH_BACKUP", default=False)
