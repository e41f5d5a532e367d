from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from missionsite.common.constraints import CheckConstraint, UniqueConstraint, one_line_checks
from missionsite.common.querysets import QuerySet


class RelationshipType(models.TextChoices):
    INVITED = "INVITED", _("Invited")
    MENTORED = "MENTORED", _("Mentored")
    COLLABORATED = "COLLABORATED", _("Collaborated")
    REFERRED = "REFERRED", _("Referred")


class MemberRelationship(models.Model):
    """A relationship from entity a to entity b: `#247` invited `#301`.

    An entity ID is free text: a member's number, or an ID of another system. The database links the member whose number
    it is.
    """

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    entity_id_a = models.CharField(_("from"), max_length=255)
    entity_id_b = models.CharField(_("to"), max_length=255)
    relationship_type = models.CharField(_("kind"), max_length=50, choices=RelationshipType)
    content = models.JSONField(_("details"), default=dict, db_default={}, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)
    # Set by the trigger member_relationships_link.
    member_a = models.ForeignKey(
        "groups.CommunityMember",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="relationships_from",
        verbose_name=_("from member"),
    )
    member_b = models.ForeignKey(
        "groups.CommunityMember",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="relationships_to",
        verbose_name=_("to member"),
    )

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "member_relationships"
        verbose_name = _("relationship")
        verbose_name_plural = _("relationships")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("member_relationships", "entity_id_a", "entity_id_b"),
            CheckConstraint(
                condition=Q(relationship_type__in=RelationshipType.values), name="member_relationships_type_known"
            ),
            CheckConstraint(
                condition=~Q(entity_id_a=F("entity_id_b")),
                name="member_relationships_not_with_self",
                violation_error_message=_("A relationship needs two different sides."),
                violation_error_code="relationship_with_self",
            ),
            CheckConstraint(
                condition=~Q(entity_id_a__regex=r"^\s*$") & ~Q(entity_id_b__regex=r"^\s*$"),
                name="member_relationships_ids_not_empty",
                violation_error_message=_("Enter both sides."),
            ),
            UniqueConstraint(
                fields=["entity_id_a", "entity_id_b", "relationship_type"],
                name="member_relationships_once",
                violation_error_message=_("This relationship already exists."),
                violation_error_code="relationship_exists",
            ),
        ]
        indexes = [
            # The list, newest first.
            models.Index(F("created_at").desc(), F("id").desc(), name="relationships_newest"),
            models.Index(fields=["entity_id_a"], name="relationship_entity_a_idx"),
            models.Index(fields=["entity_id_b"], name="relationship_entity_b_idx"),
            models.Index(fields=["relationship_type"], name="relationship_type_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.entity_id_a} {self.get_relationship_type_display().lower()} {self.entity_id_b}"
