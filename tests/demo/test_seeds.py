"""The example data as a whole, on sites that are empty and on sites that are not."""

from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from engagement.models import Announcement, EngagementMessage, MessageTemplate, UserProfile
from groups.models import (
    CommunityInvitation,
    CommunityMember,
    Event,
    Group,
    Member,
    MemberParticipation,
    MemberRelationship,
    Membership,
    Task,
)
from missiondeck.models import DeckMission
from tests.support.factories.groups import ColonyFactory, MemberFactory, MissionFactory, TaskFactory

pytestmark = pytest.mark.django_db
OURS = ("groups", "fallback", "engagement", "missiondeck")


def load() -> None:
    call_command("loaddata", "seeds", verbosity=0)


def everything() -> dict[str, list]:
    """Every row of every table of the apps, the histories included."""
    found = {}
    with connection.cursor() as cursor:
        for app in OURS:
            for model in apps.get_app_config(app).get_models():
                table = model._meta.db_table
                cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1")
                found[table] = [row for (row,) in cursor.fetchall()]
    return found


def counts() -> dict[str, int]:
    return {
        model._meta.label: model._base_manager.count()
        for model in (CommunityMember, CommunityInvitation, MemberRelationship, MemberParticipation, Membership, Group,
                      Task, EngagementMessage, Announcement, DeckMission, Event)
    }  # fmt: skip


@pytest.fixture(scope="module")
def expected(django_db_setup, django_db_blocker) -> dict[str, int]:
    """The counts on an empty site."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        load()
        found = counts()
        transaction.set_rollback(True)
    return found


def superuser() -> Member:
    """The administrator of a new site, with the number the first member gets."""
    return Member.objects.create_superuser("root@example.org", "a long and odd one", member_id="FE-P-00001")


def test_loading_twice_writes_nothing_twice():
    load()
    before = everything()
    load()
    assert everything() == before


def test_load_after_createsuperuser_keeps_the_superuser(expected):
    root = superuser()
    before = Member.objects.filter(pk=root.pk).values().get()
    load()
    assert Member.objects.filter(pk=root.pk).values().get() == before
    assert authenticate(username="root@example.org", password="a long and odd one").is_superuser
    assert counts() == expected
    numbers = list(Member.objects.values_list("member_id", flat=True))
    assert len(set(numbers)) == len(numbers)
    again = everything()
    load()
    assert everything() == again


@pytest.mark.deletes("members")
def test_load_after_work_by_hand_gives_new_numbers_and_keeps_what_is_there(expected):
    """A colony, missions, a task, people, entries, a welcome message and a client mission were there first."""
    root = superuser()
    for turn in (1, 2, 3):
        person = MemberFactory(member_id=f"FE-P-0000{turn + 1}")
        fields = {"name": f"Hand {turn}", "primary_role": "developer", "telegram_id": f"9{turn}", "status": "active"}
        CommunityMember.objects.create(person=person, member_id=f"#{turn}", **fields)
    retired = "FE-P-00007"
    Member.objects.filter(pk=MemberFactory(member_id=retired).pk)._raw_delete("default")
    colony = ColonyFactory(stable_id="FE-G-00001")
    TaskFactory(group=MissionFactory(stable_id="FE-M-00002", parent_group=colony), stable_id="FE-T-00003")
    DeckMission.objects.create(
        number=47,
        title="By hand",
        client="C",
        budget=1,
        deadline=timezone.now() + timedelta(days=3),
        assigned_to="root@example.org",
    )
    message = EngagementMessage.objects.create(
        pk=1,
        user=root,
        message_type="welcome",
        message_key="welcome",
        destination="individual",
        scheduled_for=timezone.now(),
        idempotency_key="by hand",
    )
    kept = {
        model: list(model._base_manager.order_by("pk").values())
        for model in (Member, CommunityMember, Group, Task, DeckMission, Event, EngagementMessage, UserProfile)
    }
    before = counts()
    load()
    for model, rows in kept.items():
        now = list(
            model._base_manager.filter(pk__in=[row[model._meta.pk.attname] for row in rows]).order_by("pk").values()
        )
        for was, is_ in zip(rows, now, strict=True):
            # Counters follow what the examples add.
            assert {**was, "updated_at": None} == {**is_, "updated_at": None}
    assert {label: number - before[label] for label, number in counts().items()} == expected
    assert not Member.objects.filter(member_id=retired).exists()
    # What points to a number points to the new one.
    ana = CommunityMember.objects.get(name="Ana Ribeiro")
    bruno = CommunityMember.objects.get(name="Bruno Carvalho")
    assert (ana.member_id != "#1", ana.person.member_id != "FE-P-00001") == (True, True)
    assert Group.objects.get(name="Future's Edge").missions.count() == 3
    assert DeckMission.objects.filter(number=47).get().title == "By hand"
    assert (bruno.invited_by, bruno.person.email) == (ana, Member.objects.get(pk=bruno.person_id).email)
    invited = MemberRelationship.objects.get(relationship_type="INVITED", member_b=bruno)
    assert (invited.entity_id_a, invited.member_a) == (ana.member_id, ana)
    assert CommunityInvitation.objects.get(accepted_by=bruno).created_by == ana
    announcement = Announcement.objects.get()
    assert announcement.messages.count() == announcement.recipients
    assert MessageTemplate.objects.filter(announcement=announcement).count() == 2
    assert EngagementMessage.objects.get(pk=message.pk).idempotency_key == "by hand"
    again = everything()
    load()
    assert everything() == again


# --- Events ---------------------------------------------------------------------------------------


def test_events_of_examples_queue_nothing(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        load()
    assert EngagementMessage.objects.count() == 46


@pytest.mark.parametrize("days", [0, -400])
def test_home_of_a_fresh_site_shows_what_happened_lately(client, monkeypatch, days):
    """Whenever the examples are loaded: newest events, and members who joined in the last seven days."""
    today = datetime.now(UTC).date()
    for name, ago in (("groups", 0), ("engagement", 0)):
        monkeypatch.setattr(apps.get_app_config(name), "seeds_written_on", today - timedelta(days=days - ago))
    shift = timedelta(days=days)
    load()
    client.force_login(MemberFactory(is_staff=True, is_superuser=True))
    page = client.get("/admin/").context
    assert len(page["newest_rows"]) == 8
    newest = Event.objects.aggregate(at=Max("occurred_at"))["at"]
    assert newest - shift < datetime(2026, 11, 22, tzinfo=UTC)
    joined = Membership.objects.filter(joined_at__gte=datetime(2026, 11, 14, tzinfo=UTC) + shift)
    assert joined.count() == Event.objects.filter(
        type="membership.created", occurred_at__gte=datetime(2026, 11, 14, tzinfo=UTC) + shift
    ).count() == 2  # fmt: skip
