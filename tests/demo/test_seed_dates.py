"""The example data as loaded: what their events say, and how old they are."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from groups.models import (
    CommunityInvitation,
    CommunityMember,
    Event,
    Group,
    Member,
    MemberRelationship,
    Membership,
    Task,
)
from missiondeck.models import DeckMission
from missionsite.figures import start_of
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db


def test_events_say_what_the_rows_say(seeds):
    happened = Event.objects.values_list("type", flat=True)
    people = Member.objects.exclude(member_id="FE-P-00000")
    expected = {
        "member.created": people.count(),
        "group.created": Group.objects.count(),
        "membership.created": Membership.objects.count(),
        "membership.ended": Membership.objects.filter(status="left").count(),
        "task.created": Task.objects.count(),
        "task.claimed": Task.objects.filter(state="claimed").count(),
        "task.done": Task.objects.filter(state="done").count(),
        "task.cancelled": Task.objects.filter(state="cancelled").count(),
        "invitation.created": CommunityInvitation.objects.count(),
        "invitation.accepted": CommunityInvitation.objects.filter(status="accepted").count(),
        "invitation.cancelled": CommunityInvitation.objects.filter(status="cancelled").count(),
        "relationship.created": MemberRelationship.objects.exclude(relationship_type="INVITED").count(),
        "directory.added": CommunityMember.objects.filter(invited_by=None).count(),
        "directory.approved": CommunityMember.objects.filter(status__in=["active", "suspended", "banned"]).count(),
        "directory.suspended": CommunityMember.objects.filter(status="suspended").count(),
        "directory.banned": CommunityMember.objects.filter(status="banned").count(),
        "directory.verified": CommunityMember.objects.filter(github_verified=True).count(),
        "announcement.made": 1,
    }
    assert {kind: list(happened).count(kind) for kind in set(happened)} == expected
    for event in Event.objects.filter(type="membership.created"):
        assert Membership.objects.filter(
            pk=event.payload["membership"], member=event.member, group=event.group, joined_at=event.occurred_at
        ).exists()


def test_events_lie_behind_and_are_in_the_order_they_were_written(seeds):
    assert not Event.objects.filter(occurred_at__gt=timezone.now()).exists()
    times = list(Event.objects.order_by("pk").values_list("occurred_at", flat=True))
    assert times[:-1] == sorted(times[:-1])


def test_home_agrees_with_the_events_today(seeds, client):
    client.force_login(MemberFactory(is_staff=True, is_superuser=True))
    cards = {card["title"]: card["count"] for card in client.get("/admin/").context["cards"]}
    week = Event.objects.filter(occurred_at__gte=start_of(timezone.localdate() - timedelta(days=7)))
    assert cards["Joined in 7 days"] == str(week.filter(type="membership.created").count()) == "2"
    assert "No events yet" not in client.get("/admin/groups/event/").content.decode()


def test_client_missions_are_due_around_the_day_they_are_loaded(seeds):
    now = timezone.now()
    late, next_ = DeckMission.objects.order_by("number")
    assert timedelta(0) < now - late.deadline <= timedelta(days=1)
    assert timedelta(0) < next_.deadline - now <= timedelta(days=2)
    assert late.deadline - late.created_at == timedelta(days=5, hours=14, minutes=59, seconds=59)
    assert not DeckMission.objects.filter(created_at__gt=F("deadline")).exists()


def test_tasks_are_due_around_the_day_they_are_loaded(seeds):
    today = datetime.now(UTC).date()
    dates = Task.objects.exclude(due_on=None).values_list("due_on", flat=True)
    assert min(dates) < today < max(dates) <= today + timedelta(days=30)
