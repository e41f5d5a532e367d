"""The errors of joining missions: policies, join requests, places and waiting lists."""

from django.utils.translation import gettext_lazy as _

from missionsite.common.errors import DomainError


class JoinByRequest(DomainError):
    message = _("Members join this mission by request. Send a request.")
    code = "join_by_request"


class JoinByInvitation(DomainError):
    message = _("Members join this mission by invitation. Ask its managers.")
    code = "join_by_invitation"


class RequestNotNeeded(DomainError):
    message = _("Everyone eligible can join this mission. Join it without a request.")
    code = "request_not_needed"


class MissionFull(DomainError):
    message = _("This mission is full: its places are taken, or offered to its waiting list.")
    code = "mission_full"
    constraint = "memberships_places"
    field = "group"


class PlacesFree(DomainError):
    message = _("This mission has free places. Join it without the waiting list.")
    code = "places_free"


class OfferMissing(DomainError):
    message = _("No place is offered to this member yet, or the offer has expired.")
    code = "offer_missing"


class JoinRequestForColony(DomainError):
    message = _("Only missions have join requests.")
    code = "join_request_for_colony"
    constraint = "join_requests_for_mission"
    field = "group"


class JoinRequestDecided(DomainError):
    """The request was decided, answered or withdrawn in the meantime."""

    message = _("This has been decided already. Reload the page.")
    code = "join_request_decided"
    constraint = "join_requests_decided_once"


class JoinRequestAnswerRejected(DomainError):
    message = _("Members answer invitations and withdraw requests. Staff decide requests and withdraw invitations.")
    code = "join_request_answer_rejected"
    status = 403
