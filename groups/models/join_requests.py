from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.rules import MAX_JOIN_REQUEST_TEXT, UNDECIDED, JoinRequestKind, JoinRequestStatus
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check
from missionsite.common.querysets import QuerySet


class JoinRequestQuerySet(QuerySet["JoinRequest"]):
    def undecided(self) -> JoinRequestQuerySet:
        """Those that wait for a decision, an answer or a place."""
        return self.filter(status__in=UNDECIDED)


class JoinRequest(models.Model):
    """A member's request to join a mission, an invitation by staff, or an entry of the waiting list of a full mission.

    Staff decide requests, members answer invitations. A place that becomes free is offered to the first of the waiting
    list, who accepts until `offered_until`.
    """

    Kind = JoinRequestKind
    Status = JoinRequestStatus

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    member = models.ForeignKey(
        "groups.Member", models.PROTECT, related_name="join_requests", db_index=False, verbose_name=_("member")
    )
    group = models.ForeignKey(
        "groups.Group", models.PROTECT, related_name="join_requests", db_index=False, verbose_name=_("mission")
    )
    kind = models.TextField(
        _("kind"), choices=JoinRequestKind, default=JoinRequestKind.REQUEST, db_default=JoinRequestKind.REQUEST
    )
    status = models.TextField(
        _("status"), choices=JoinRequestStatus, default=JoinRequestStatus.OPEN, db_default=JoinRequestStatus.OPEN
    )
    message = models.TextField(_("message"), blank=True, default="", db_default="")
    reason = models.TextField(_("reason"), blank=True, default="", db_default="")
    created_by = models.ForeignKey(
        "groups.Member", models.PROTECT, related_name="+", editable=False, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)
    queued_at = models.DateTimeField(_("on the waiting list since"), null=True, blank=True, editable=False)
    offered_until = models.DateTimeField(_("offered until"), null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True, editable=False)

    objects = JoinRequestQuerySet.as_manager()

    class Meta:
        db_table = "join_requests"
        db_table_comment = "Requests of members to join a mission, and invitations to join one; decided rows are kept."
        verbose_name = _("join request")
        verbose_name_plural = _("join requests")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            choices_check("join_requests", "kind", JoinRequestKind),
            choices_check("join_requests", "status", JoinRequestStatus),
            # A member may ask again after a decision, but has at most one open request per mission.
            UniqueConstraint(
                fields=["member", "group"],
                condition=Q(status__in=["open", "offered"]),
                name="join_requests_one_open",
                violation_error_message=_("This member has an open request or invitation for this mission already."),
                violation_error_code="join_request_open",
                field="member",
            ),
            CheckConstraint(
                condition=Q(status__in=["open", "offered"], decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(status__in=["open", "offered"]) & Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="join_requests_decided_fits",
                violation_error_message=_("An open request has no decision. A decided one has a time and a member."),
                violation_error_code="join_request_decision_does_not_fit",
            ),
            CheckConstraint(
                condition=Q(kind="waiting", queued_at__isnull=False)
                | (~Q(kind="waiting") & Q(queued_at__isnull=True, offered_until__isnull=True)),
                name="join_requests_queued_fits",
                violation_error_message=_("Only entries of a waiting list have its times."),
                violation_error_code="join_request_times_do_not_fit",
            ),
            CheckConstraint(
                condition=~Q(status__in=["offered", "expired"]) | Q(offered_until__isnull=False),
                name="join_requests_offer_has_end",
                violation_error_message=_("An offered place needs a time until which it is offered."),
                violation_error_code="join_request_offer_has_no_end",
            ),
            CheckConstraint(
                condition=~Q(kind="request", status="declined", reason__regex=r"^\s*$"),
                name="join_requests_declined_with_reason",
                violation_error_message=_("Give the member a reason."),
                violation_error_code="join_request_reason_missing",
                field="reason",
            ),
            CheckConstraint(
                condition=Q(LessThanOrEqual(Length("message"), MAX_JOIN_REQUEST_TEXT)),
                name="join_requests_message_length",
                violation_error_message=_("The message can have 500 characters."),
                violation_error_code="join_request_message_too_long",
                field="message",
            ),
            CheckConstraint(
                condition=Q(LessThanOrEqual(Length("reason"), MAX_JOIN_REQUEST_TEXT)),
                name="join_requests_reason_length",
                violation_error_message=_("The reason can have 500 characters."),
                violation_error_code="join_request_reason_too_long",
                field="reason",
            ),
        ]
        indexes = [
            # A member's requests; also serves the foreign key.
            models.Index(F("member"), F("created_at").desc(), F("id").desc(), name="join_requests_of_member"),
            # The requests of a mission by status, and the foreign key.
            models.Index(fields=["group", "status", "created_at"], name="join_requests_of_group"),
            # The waiting list of a mission in its order, and the offers that expire.
            models.Index(
                fields=["group", "queued_at", "id"],
                name="join_requests_waiting",
                condition=Q(status="open", kind="waiting"),
            ),
            models.Index(fields=["offered_until"], name="join_requests_offers", condition=Q(status="offered")),
            # The list, newest first, and by status.
            models.Index(F("created_at").desc(), F("id").desc(), name="join_requests_newest"),
            models.Index(F("status"), F("created_at").desc(), F("id").desc(), name="join_requests_by_status"),
        ]

    def __str__(self) -> str:
        return gettext("%(member)s for %(group)s") % {"member": self.member, "group": self.group}

    def audit_links(self) -> dict:
        """Return the links of events about this row."""
        return {"member": self.member, "group": self.group, "join_request": str(self.pk)}

    @property
    def is_open(self) -> bool:
        return self.status in UNDECIDED

    @property
    def is_offered(self) -> bool:
        return self.status == self.Status.OFFERED

    @property
    def is_waiting(self) -> bool:
        """Whether it is an entry of the waiting list, also one with an offer."""
        return self.kind == self.Kind.WAITING

    @property
    def is_in_line(self) -> bool:
        """Whether it is on the waiting list without an offer yet."""
        return self.is_waiting and self.status == self.Status.OPEN

    @property
    def is_invitation(self) -> bool:
        return self.kind == self.Kind.INVITATION
