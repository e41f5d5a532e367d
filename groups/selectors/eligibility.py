"""What a member still needs to join a mission."""

from dataclasses import dataclass

from groups.models import Group, Member
from groups.rules import JoinPolicy
from groups.selectors.places import free_places

TRUST_SCORE = "trust_score"
NOT_ARCHIVED = "not_archived"
BY_REQUEST = "by_request"
BY_INVITATION = "by_invitation"
PLACES = "places"


@dataclass(frozen=True)
class Condition:
    """A condition for joining. code: one of the constants above.

    required: points of the mission, or its maximum number of members. missing: points that the member lacks. free:
    places that a newcomer can take.
    """

    code: str
    is_met: bool
    required: int = 0
    missing: int = 0
    free: int = 0


def missing_points(member: Member, min_trust_score: int | None) -> int:
    """Return the trust score points that a member lacks for a threshold; 0 if none."""
    return max((min_trust_score or 0) - member.trust_score, 0)


def join_conditions(member: Member, mission: Group) -> list[Condition]:
    """Return the conditions for joining a mission, met or not. A mission without any has an empty list."""
    conditions = []
    if mission.is_archived:
        conditions.append(Condition(NOT_ARCHIVED, is_met=False))
    if mission.min_trust_score:
        missing = missing_points(member, mission.min_trust_score)
        conditions.append(Condition(TRUST_SCORE, not missing, mission.min_trust_score, missing))
    if mission.join_policy == JoinPolicy.REQUEST:
        conditions.append(Condition(BY_REQUEST, is_met=False))
    if mission.join_policy == JoinPolicy.INVITATION:
        conditions.append(Condition(BY_INVITATION, is_met=False))
    if mission.max_members is not None:
        free = free_places(mission) or 0
        conditions.append(Condition(PLACES, free > 0, mission.max_members, free=free))
    return conditions
