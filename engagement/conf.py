"""Settings of this app, read from the environment; `missionsite.settings` imports them all."""

from pathlib import Path

from django.core.management.utils import get_random_secret_key

from missionsite import embedded
from missionsite.environment import EMBEDDED, VAR_DIR, duration, env, secret, time_of_day

# --- Lifecycle ------------------------------------------------------------------------------------

# Inactivity before a goodbye, time to reply to it, and length of a snooze ("busy").
ENGAGEMENT_INACTIVE_AFTER = duration("ENGAGEMENT_INACTIVE_AFTER", "P14D")
# Inactivity before the next goodbye is doubled after each one without an answer, up to this.
ENGAGEMENT_INACTIVE_AT_MOST = duration("ENGAGEMENT_INACTIVE_AT_MOST", "P112D")
ENGAGEMENT_GOODBYE_EXPIRES_AFTER = duration("ENGAGEMENT_GOODBYE_EXPIRES_AFTER", "PT48H")
ENGAGEMENT_REMIND_AFTER = duration("ENGAGEMENT_REMIND_AFTER", "P14D")
# Inactivity after which the return of a dormant member counts as unprompted.
ENGAGEMENT_RETURN_AFTER = duration("ENGAGEMENT_RETURN_AFTER", "P3D")
# Onboarding steps of each tier.
ENGAGEMENT_TIERS = env.json(
    "ENGAGEMENT_TIERS",
    default={
        "1": ["introduce_yourself", "verify_github", "join_mission"],
        "2": ["complete_task", "invite_member"],
        "3": ["lead_mission", "mentor_member"],
    },
)

# --- Message queue --------------------------------------------------------------------------------

# Unsolicited messages: the most per member in any period of this length (0: no cap), and the quiet hours in the
# member's time zone (equal times: none).
ENGAGEMENT_FREQUENCY_CAP = env.int("ENGAGEMENT_FREQUENCY_CAP", default=3)
ENGAGEMENT_FREQUENCY_CAP_PERIOD = duration("ENGAGEMENT_FREQUENCY_CAP_PERIOD", "P7D")
ENGAGEMENT_QUIET_FROM = time_of_day("ENGAGEMENT_QUIET_FROM", "21:00")
ENGAGEMENT_QUIET_TO = time_of_day("ENGAGEMENT_QUIET_TO", "08:00")
# Local time at which unsolicited messages are sent, within an hour (empty: at any time outside of the quiet hours), and
# whether they wait on Saturdays and Sundays until Monday.
ENGAGEMENT_SEND_AT = time_of_day("ENGAGEMENT_SEND_AT", "") if env.str("ENGAGEMENT_SEND_AT", default="") else None
ENGAGEMENT_SKIP_WEEKENDS = env.bool("ENGAGEMENT_SKIP_WEEKENDS", default=False)
# Announcements: the usual number of messages per hour (0: all at once), and the number of recipients above which a
# second person must approve (0: never).
ENGAGEMENT_ANNOUNCEMENT_PER_HOUR = env.int("ENGAGEMENT_ANNOUNCEMENT_PER_HOUR", default=0)
ENGAGEMENT_APPROVAL_ABOVE = env.int("ENGAGEMENT_APPROVAL_ABOVE", default=0)
# Share of members, in percent, who get no steps of sequences: the measures compare the others with them.
ENGAGEMENT_CONTROL_GROUP_PERCENT = env.int("ENGAGEMENT_CONTROL_GROUP_PERCENT", default=0)
# Messages per claim, and duration of its lease.
ENGAGEMENT_BATCH = env.int("ENGAGEMENT_BATCH", default=100)
ENGAGEMENT_LEASE = duration("ENGAGEMENT_LEASE", "PT1M")
# Attempts per message, the pause after the first failed one (doubled after each further one), and its maximum.
ENGAGEMENT_ATTEMPTS = env.int("ENGAGEMENT_ATTEMPTS", default=3)
ENGAGEMENT_RETRY_AFTER = duration("ENGAGEMENT_RETRY_AFTER", "PT1M")
ENGAGEMENT_RETRY_AT_MOST = duration("ENGAGEMENT_RETRY_AT_MOST", "PT1H")

# --- Transports -----------------------------------------------------------------------------------

# console, file, email or webhook.
ENGAGEMENT_TRANSPORT = env.str("ENGAGEMENT_TRANSPORT", default="file" if EMBEDDED else "console")
ENGAGEMENT_OUTBOX = Path(env.str("ENGAGEMENT_OUTBOX", default=str(VAR_DIR / "outbox")))
ENGAGEMENT_WEBHOOK_URL = env.str("ENGAGEMENT_WEBHOOK_URL", default="")
ENGAGEMENT_WEBHOOK_SECRET = secret("ENGAGEMENT_WEBHOOK_SECRET")
# Channels of the site, in the order for members who choose none: email, telegram, whatsapp, chat, each optionally with
# its transport, such as telegram=webhook. Empty: ENGAGEMENT_TRANSPORT sends all messages.
ENGAGEMENT_CHANNELS = {
    name.strip(): transport.strip() or ("email" if name.strip() == "email" else "webhook")
    for name, _, transport in (each.partition("=") for each in env.list("ENGAGEMENT_CHANNELS", default=[]))
}
# The gateway of a channel and its secret, if it is not that of ENGAGEMENT_WEBHOOK_URL.
ENGAGEMENT_GATEWAYS = {
    "telegram": (env.str("ENGAGEMENT_TELEGRAM_URL", default=""), secret("ENGAGEMENT_TELEGRAM_SECRET")),
    "whatsapp": (env.str("ENGAGEMENT_WHATSAPP_URL", default=""), secret("ENGAGEMENT_WHATSAPP_SECRET")),
    "chat": (env.str("ENGAGEMENT_CHAT_URL", default=""), secret("ENGAGEMENT_CHAT_SECRET")),
}
# Time limit of one message in seconds.
ENGAGEMENT_SEND_TIMEOUT = env.int("ENGAGEMENT_SEND_TIMEOUT", default=10)
# Consecutive soft bounces after which an address is suppressed.
ENGAGEMENT_SOFT_BOUNCES = env.int("ENGAGEMENT_SOFT_BOUNCES", default=3)
# Webhooks of e-mail providers: `user:password` of their basic authentication; two during a rotation. Without one,
# requests are rejected.
ENGAGEMENT_MAIL_EVENTS_SECRETS = [
    each.strip() for each in secret("ENGAGEMENT_MAIL_EVENTS_SECRETS").split(",") if each.strip()
]
# Where members send replies to e-mails. With it, e-mails have Reply-To and a mailto link to unsubscribe; the messages
# arrive by the webhook of a provider or in the mailbox below.
ENGAGEMENT_REPLY_TO = env.str("ENGAGEMENT_REPLY_TO", default="")
# Mailbox that is read every minute: imaps://user:password@server/folder, with @ in the user as %40.
ENGAGEMENT_MAILBOX = secret("ENGAGEMENT_MAILBOX")
# Consecutive failures that open the circuit, and the pause before a probe (doubled up to a maximum).
ENGAGEMENT_CIRCUIT_FAILURES = env.int("ENGAGEMENT_CIRCUIT_FAILURES", default=5)
ENGAGEMENT_CIRCUIT_PAUSE = duration("ENGAGEMENT_CIRCUIT_PAUSE", "PT10S")
ENGAGEMENT_CIRCUIT_PAUSE_AT_MOST = duration("ENGAGEMENT_CIRCUIT_PAUSE_AT_MOST", "PT5M")
# A recovering transport sends at most twice its previous rate; this is the lowest rate assumed, per minute.
ENGAGEMENT_RECOVERY_PER_MINUTE = env.int("ENGAGEMENT_RECOVERY_PER_MINUTE", default=60)
# Secrets of gateways for inbound messages and receipts; two during a rotation. Without one, requests are rejected.
ENGAGEMENT_INBOUND_SECRETS = [each.strip() for each in secret("ENGAGEMENT_INBOUND_SECRETS").split(",") if each.strip()]
if EMBEDDED and not ENGAGEMENT_INBOUND_SECRETS:
    ENGAGEMENT_INBOUND_SECRETS = [embedded.secret(VAR_DIR, "inbound_secret", get_random_secret_key)]
