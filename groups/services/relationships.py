"""Relationships between members and other entities."""

from groups.models import Member, MemberRelationship
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def create_relationship(
    *, actor: Member, entity_id_a: str, entity_id_b: str, relationship_type: str, content: dict | None = None
) -> MemberRelationship:
    """Create a relationship, once. An entity ID that is a member's number is linked to that member.

    Raises the errors of the constraints.
    """
    made = MemberRelationship.objects.create(
        entity_id_a=entity_id_a.strip(),
        entity_id_b=entity_id_b.strip(),
        relationship_type=relationship_type,
        content=content or {},
    )
    made.refresh_from_db()
    person = made.member_a.person if made.member_a else None
    audit("relationship.created", actor=actor, member=person, kind=relationship_type, relationship=str(made.pk))
    return made
