from __future__ import annotations

import builtins
from typing import ClassVar

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from groups.rules import GroupStatus, GroupType, JoinPolicy
from missionsite.common.constraints import CheckConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet
from missionsite.common.search_words import SearchWords


class GroupQuerySet(QuerySet["Group"]):
    def missions(self) -> GroupQuerySet:
        """Missions only."""
        return self.filter(type=Group.Type.MISSION)

    def colonies(self) -> GroupQuerySet:
        """Colonies only."""
        return self.filter(type=Group.Type.COLONY)

    def active(self) -> GroupQuerySet:
        """Groups that are not archived."""
        return self.filter(status=Group.Status.ACTIVE)

    def with_counts(self) -> GroupQuerySet:
        """Annotate `member_count` and `open_task_count` from the counters."""
        return self.annotate(member_count=F("counts__member_count"), open_task_count=F("counts__open_task_count"))


class Group(models.Model):
    """A container of members: a colony at the root, or a mission in it."""

    Type = GroupType
    Status = GroupStatus
    JoinPolicy = JoinPolicy

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    stable_id = models.TextField(
        _("stable ID"),
        unique=True,
        db_default=None,  # type: ignore[arg-type]  # the stubs omit None
        editable=False,
        db_comment="Stable identifier that outlives this database: FE-G-00001 for a colony, FE-M-00001 for a mission.",
    )
    name = models.CharField(_("name"), max_length=255)
    type = models.TextField(_("type"), choices=GroupType, default=GroupType.MISSION, db_default=GroupType.MISSION)
    description = models.TextField(_("description"), blank=True, default="", db_default="")
    status = models.TextField(
        _("status"), choices=GroupStatus, default=GroupStatus.ACTIVE, db_default=GroupStatus.ACTIVE
    )
    parent_group = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="missions", verbose_name=_("colony")
    )
    min_trust_score = models.IntegerField(
        _("trust score to join"),
        null=True,
        blank=True,
        default=0,
        db_default=0,
        help_text=_("Points a member needs to join; with 0 every member can join."),
        db_comment="Trust score a member needs to join this mission. NULL for a colony: joining it has no threshold.",
    )
    join_policy = models.TextField(
        _("joining"),
        choices=JoinPolicy,
        default=JoinPolicy.OPEN,
        db_default=JoinPolicy.OPEN,
        help_text=_("Staff can add members to any mission."),
        db_comment="How members join: open, by a request that staff decide, or by an invitation.",
    )
    max_members = models.IntegerField(
        _("maximum number of members"),
        null=True,
        blank=True,
        help_text=_("Empty for no maximum. When the mission is full, members join its waiting list."),
        db_comment="Most members of a mission, with the places offered to its waiting list; NULL for any number.",
    )
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(_("updated at"), db_default=TransactionNow(), editable=False)

    objects = GroupQuerySet.as_manager()

    class Meta:
        db_table = "groups"
        db_table_comment = (
            "Every container of people: the colony at the root and the missions in it. Each has a stable ID."
        )
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=~Q(name__regex=r"^\s*$"),
                name="groups_name_not_empty",
                violation_error_message=_("Enter a name."),
                violation_error_code="name_empty",
                field="name",
            ),
            *one_line_checks("groups", "name"),
            choices_check("groups", "type", GroupType),
            choices_check("groups", "status", GroupStatus),
            choices_check("groups", "join_policy", JoinPolicy),
            CheckConstraint(
                condition=Q(max_members__gte=1) | Q(max_members__isnull=True),
                name="groups_max_members_positive",
                violation_error_message=_("The maximum number of members must be at least 1."),
                violation_error_code="max_members_too_small",
                field="max_members",
            ),
            CheckConstraint(
                condition=Q(type="mission") | Q(max_members__isnull=True),
                name="groups_colony_has_no_maximum",
                violation_error_message=_("Only missions have a maximum number of members."),
                violation_error_code="colony_has_no_maximum",
                field="max_members",
            ),
            CheckConstraint(
                condition=Q(type="mission") | Q(join_policy="open"),
                name="groups_colony_has_no_join_policy",
                violation_error_message=_("Only missions are joined by request or by invitation."),
                violation_error_code="colony_has_no_join_policy",
                field="join_policy",
            ),
            CheckConstraint(
                condition=Q(type="colony", parent_group__isnull=True) | Q(type="mission", parent_group__isnull=False),
                name="groups_parent_fits_type",
                violation_error_message=_("A mission must belong to a colony. A colony has no parent."),
                violation_error_code="parent_does_not_fit",
                field="parent_group",
            ),
            CheckConstraint(
                condition=Q(type="colony", stable_id__regex=r"^FE-G-([0-9]{5}|[1-9][0-9]{5,13})$")
                | Q(type="mission", stable_id__regex=r"^FE-M-([0-9]{5}|[1-9][0-9]{5,13})$"),
                name="groups_stable_id_fits_type",
                violation_error_message=_(
                    "A stable ID looks like FE-M-00001 for a mission and FE-G-00001 for a colony."
                ),
                violation_error_code="stable_id_does_not_fit",
            ),
            CheckConstraint(
                condition=Q(type="mission") | Q(min_trust_score__isnull=True),
                name="groups_colony_has_no_threshold",
                violation_error_message=_("A colony has no trust score to join."),
                violation_error_code="colony_has_no_threshold",
                field="min_trust_score",
            ),
            CheckConstraint(
                condition=Q(min_trust_score__gte=0) | Q(min_trust_score__isnull=True),
                name="groups_threshold_not_negative",
                violation_error_message=_("The trust score to join must be zero or more."),
                violation_error_code="threshold_negative",
                field="min_trust_score",
            ),
        ]
        indexes = [
            # get_active_missions reads its page in this order, so a LIMIT stops early.
            models.Index(
                F("min_trust_score"),
                F("name"),
                F("id"),
                name="idx_groups_active_missions",
                condition=Q(type="mission", status="active"),
            ),
            # The list, newest first.
            models.Index(F("created_at").desc(), F("id").desc(), name="groups_newest"),
            # Search by the beginning of a name, and by the beginning of any word of it.
            models.Index(OpClass(Lower("name"), "text_pattern_ops"), name="groups_name_prefix"),
            GinIndex(SearchWords("name"), name="groups_name_words"),
        ]
        permissions = [("archive_group", _("Can archive and restore missions and colonies"))]

    def __str__(self) -> str:
        return self.name

    def audit_links(self) -> dict:
        """Return the links of events about this row."""
        return {"group": self}

    @property
    def is_archived(self) -> bool:
        return self.status == self.Status.ARCHIVED

    @property
    def is_mission(self) -> bool:
        return self.type == self.Type.MISSION

    @property
    def admin_model(self) -> builtins.type[Group]:
        """The proxy model whose admin pages show this group."""
        return Mission if self.is_mission else Colony


_GroupManager = models.Manager.from_queryset(GroupQuerySet)


class MissionManager(_GroupManager):
    def get_queryset(self) -> GroupQuerySet:  # type: ignore[override]  # the stubs lose the queryset's type
        return GroupQuerySet(self.model, using=self._db).missions()


class ColonyManager(_GroupManager):
    def get_queryset(self) -> GroupQuerySet:  # type: ignore[override]  # the stubs lose the queryset's type
        return GroupQuerySet(self.model, using=self._db).colonies()


class Mission(Group):
    """A group that is a mission: the same rows, with its own pages and permissions."""

    objects: ClassVar[MissionManager] = MissionManager()

    class Meta:
        proxy = True
        verbose_name = _("mission")
        verbose_name_plural = _("missions")


class Colony(Group):
    """A group that is a colony: the same rows, with its own pages and permissions."""

    objects: ClassVar[ColonyManager] = ColonyManager()

    class Meta:
        proxy = True
        verbose_name = _("colony")
        verbose_name_plural = _("colonies")
