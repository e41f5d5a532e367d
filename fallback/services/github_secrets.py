"""The secret of an organisation's own webhook at GitHub. It is derived from SECRET_KEY and never stored."""

from __future__ import annotations

from django.conf import settings
from django.db.models import F
from django.utils.crypto import salted_hmac

from fallback.models import Organization
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


def webhook_secrets(organization: Organization) -> list[str]:
    """The secrets that sign deliveries for an organisation: the current one, and those of earlier SECRET_KEYs.

    Empty without a webhook.
    """
    if not organization.github_secret_version:
        return []
    value = f"{organization.pk}:{organization.github_secret_version}"
    return [
        salted_hmac("fallback.github_webhook", value, secret=each, algorithm="sha256").hexdigest()
        for each in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]


@service
def renew_webhook_secret(*, actor: Member, organization: Organization) -> str:
    """Give an organisation a new secret for its webhook, and return it. The previous one is no longer valid."""
    current = Organization.objects.lock(organization.pk, no_key=True)
    Organization.objects.filter(pk=current.pk).update(github_secret_version=F("github_secret_version") + 1)
    current.refresh_from_db()
    audit(
        "organization.webhook_secret_renewed",
        actor=actor,
        organization=current.pk,
        organization_name=current.name,
    )
    return webhook_secrets(current)[0]
