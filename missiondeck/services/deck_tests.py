"""Tests of a mission: their owner, and their quarantine."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from groups.models import Member
from missiondeck.errors import NotInQuarantine
from missiondeck.models import DeckMission, DeckTest
from missiondeck.rules import MAX_QUARANTINE
from missiondeck.selectors.deck_tests import is_quarantined
from missionsite.common.audit.events import audit
from missionsite.common.errors import violated
from missionsite.common.transactions import service


@service
def set_test_owner(*, actor: Member, mission: DeckMission, test: str, owner: Member | None) -> DeckTest:
    """State who repairs a test; None for no one."""
    entry = _locked(mission, test)
    if entry.owner != owner:
        entry.owner = owner
        entry.save(update_fields=["owner"])
        audit("deck_test.owner_changed", actor=actor, client_mission=mission.number, test=test, member=owner)
    return entry


@service
def quarantine_test(
    *, actor: Member, mission: DeckMission, test: str, reason: str, issue_url: str, until: datetime
) -> DeckTest:
    """Let failures of a test not close the gate until a time; replaces an earlier quarantine of it.

    Raises ConstraintViolated (quarantine_reason_missing, issue_url_invalid, quarantine_out_of_range).
    """
    now = timezone.now()
    if not reason.strip():
        raise violated("deck_tests_quarantine_has_reason", field="reason")
    if not now < until <= now + MAX_QUARANTINE:
        raise violated("deck_tests_quarantine_range", field="until")
    entry = _locked(mission, test)
    entry.quarantine_reason = reason.strip()
    entry.issue_url = issue_url.strip()
    entry.quarantined_at = now
    entry.quarantined_until = until
    entry.quarantined_by = actor
    entry.save(update_fields=_QUARANTINE)
    audit(
        "deck_test.quarantined",
        actor=actor,
        client_mission=mission.number,
        test=test,
        reason=entry.quarantine_reason,
        issue_url=entry.issue_url,
        quarantined_until=until.isoformat(),
    )
    return entry


@service
def lift_quarantine(*, actor: Member, mission: DeckMission, test: str) -> DeckTest:
    """Let failures of a test close the gate again. Raises NotInQuarantine."""
    entry = _locked(mission, test)
    if not is_quarantined(entry):
        raise NotInQuarantine
    entry.quarantine_reason, entry.issue_url = "", ""
    entry.quarantined_at = entry.quarantined_until = entry.quarantined_by = None
    entry.save(update_fields=_QUARANTINE)
    audit("deck_test.quarantine_lifted", actor=actor, client_mission=mission.number, test=test)
    return entry


_QUARANTINE = ["quarantine_reason", "issue_url", "quarantined_at", "quarantined_until", "quarantined_by"]


def _locked(mission: DeckMission, test: str) -> DeckTest:
    """The entry of a test, created if there is none. The lock on the mission serializes its completion."""
    DeckMission.objects.lock(mission.pk, no_key=True)
    found, _created = DeckTest.objects.select_for_update(of=("self",)).get_or_create(mission=mission, test=test)
    return found
