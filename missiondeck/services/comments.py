"""Comments of the team on items of the definition of done."""

from __future__ import annotations

from groups.models import Member
from missiondeck.models import DodComment, DodItem
from missiondeck.services.notices import record_mentions
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def add_item_comment(*, actor: Member, item: DodItem, text: str) -> DodComment:
    """Add a comment to an item; who is mentioned in it gets a notice.

    Raises DodItem.DoesNotExist if the item was removed, ConstraintViolated (comment_missing, comment_too_long).
    """
    item = DodItem.objects.select_related("mission").get(pk=item.pk)
    made = DodComment.objects.create(item=item, author=actor, text=text.strip())
    audit("dod_comment.created", actor=actor, client_mission=item.mission.number, item=item.text)
    record_mentions(
        actor=actor, mission=item.mission, text=made.text, subject=str(made.pk), payload={"comments": str(item.pk)}
    )
    return DodComment.objects.select_related("author").get(pk=made.pk)
