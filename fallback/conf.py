"""Settings of this app, read from the environment; `missionsite.settings` imports them all."""

from missionsite.environment import secret

# Secrets of GitHub's webhooks; two during a rotation. Without one, deliveries are rejected, and nothing is fetched.
FALLBACK_GITHUB_WEBHOOK_SECRETS = [
    each.strip() for each in secret("FALLBACK_GITHUB_WEBHOOK_SECRETS").split(",") if each.strip()
]
