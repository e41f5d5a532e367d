"""Workstations that a member sees, and their health."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.db.models.enums import TextChoices
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.models import OrganizationMembership, Workstation
from fallback.models.choices import WorkstationStatus
from fallback.selectors.rights import Right, Rights


class Health(TextChoices):
    """Whether the daemon of a workstation runs."""

    ONLINE = "online", _("Online")
    SILENT = "silent", _("No heartbeat")
    OFFLINE = "offline", _("Offline")


def visible_workstations(rights: Rights) -> QuerySet[Workstation]:
    """The workstations of the member's organisations, and of the organisations of their projects."""
    workstations = Workstation.objects.select_related("organization", "registered_by")
    if Right.VIEW in rights.in_every_project:
        return workstations
    own = OrganizationMembership.objects.filter(member=rights.member, member__is_active=True).values("organization")
    return workstations.filter(Q(organization__in=own) | Q(organization__in=rights.projects().values("organization")))


def health_of(workstation: Workstation, at: datetime) -> Health:
    """The health at a time: silent if it is online without a heartbeat for half the timeout."""
    if workstation.status == WorkstationStatus.OFFLINE or workstation.last_seen_at is None:
        return Health.OFFLINE
    return Health.SILENT if workstation.last_seen_at < at - rules.HEARTBEAT_TIMEOUT / 2 else Health.ONLINE
