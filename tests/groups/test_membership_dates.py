"""Who was in when: pages, list, API and export as of a day; membership events as JSON lines, and their replay."""

import csv
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from groups.errors import ReplayRejected
from groups.models import Event, Group, Member, Membership
from groups.selectors.membership_dates import members_on
from groups.selectors.people import person_of_account
from groups.services.membership_events import export_membership_events, replay_membership_events
from groups.services.memberships import change_role, join_mission, leave_mission
from groups.services.merging import merge_people
from tests.support.admin import client, page_text
from tests.support.concurrency import owner_connection
from tests.support.database import rows, triggers_off
from tests.support.factories.groups import ColonyFactory, MemberFactory, MembershipFactory, MissionFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db
MARCH = datetime(2024, 3, 1, 9, tzinfo=UTC)
LIST = "/admin/groups/membership/"


def system() -> Member:
    return Member.objects.system()


@pytest.fixture
def garden():
    """A mission whose members came and went: Ana 1 to 10 March, Bia from 5 March, Caio from 10 March."""
    mission = MissionFactory(name="Garden")
    days = {"Ana": (0, 9), "Bia": (4, None), "Caio": (9, None)}
    for name, (start, end) in days.items():
        left = {} if end is None else {"left_at": MARCH + timedelta(days=end), "status": "left"}
        member = MemberFactory(display_name=name)
        MembershipFactory(member=member, group=mission, joined_at=MARCH + timedelta(days=start), **left)
    return mission


def names_on(mission, day: date) -> list[str]:
    found = members_on(Membership.objects.filter(group=mission), day)
    return sorted(found.values_list("member__display_name", flat=True))


def test_members_of_a_day_are_those_at_its_end(garden):
    assert names_on(garden, date(2024, 2, 29)) == []
    assert names_on(garden, date(2024, 3, 1)) == ["Ana"]
    assert names_on(garden, date(2024, 3, 9)) == ["Ana", "Bia"]
    assert names_on(garden, date(2024, 3, 10)) == ["Bia", "Caio"]


def test_day_ends_in_the_current_time_zone(garden):
    # 09:00 UTC is already 2 March in Kiritimati.
    with timezone.override("Pacific/Kiritimati"):
        rows("UPDATE memberships SET joined_at = joined_at + interval '2 hours' WHERE left_at IS NOT NULL")
        assert names_on(garden, date(2024, 3, 1)) == []
        assert names_on(garden, date(2024, 3, 2)) == ["Ana"]


def test_merged_person_is_listed_once():
    mission, ana, twin = MissionFactory(), MemberFactory(display_name="Ana"), MemberFactory(display_name="Ana twin")
    for member in (ana, twin):
        MembershipFactory(member=member, group=mission, joined_at=MARCH)
    assert names_on(mission, date(2024, 3, 1)) == ["Ana", "Ana twin"]
    merge_people(actor=system(), kept=person_of_account(ana), absorbed=person_of_account(twin))
    assert names_on(mission, date(2024, 3, 1)) == ["Ana"]


def test_pages_list_and_export_show_a_day(garden):
    office = client("Community Manager")
    page = reverse("admin:groups_mission_members", args=[garden.pk])
    text = page_text(office.get(page, {"on": "2024-03-09"}))
    assert "As it was at the end of 9 March 2024." in text
    assert "Ana" in text
    assert "Caio" not in text
    assert "None at the end of that day." in page_text(office.get(page, {"on": "2024-02-01"}))
    assert "Ana" not in page_text(office.get(page, {"on": "31/02/2024"}))
    ana = Member.objects.get(display_name="Ana")
    own = reverse("admin:groups_member_memberships", args=[ana.pk])
    assert "Garden" in page_text(office.get(own, {"on": "2024-03-09"}))
    assert "Garden" not in page_text(office.get(own, {"on": "2024-03-11"}))
    shown = office.get(LIST, {"on": "2024-03-10"}).context["cl"].result_list
    assert {row.member.display_name for row in shown} == {"Bia", "Caio"}
    answer = office.get(f"{LIST}export/", {"on": "2024-03-10"})
    table = list(csv.DictReader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))
    assert {row["name"] for row in table} == {"Bia", "Caio"}
    assert table[0]["mission_id"] == garden.stable_id
    assert client("Auditor").get(f"{LIST}export/").status_code == 403


def test_api_lists_members_of_a_day_for_staff(garden):
    ours = api_client(system_staff(), "members:read")
    address = f"/api/missions/{garden.stable_id}/members"
    assert [row["display_name"] for row in ours.get(f"{address}?on=2024-03-09").json()["items"]] == ["Ana", "Bia"]
    assert ours.get(f"{address}?on=yesterday").status_code == 422
    bia = Member.objects.get(display_name="Bia")
    assert api_client(bia, "members:read").get(f"{address}?on=2024-03-09").status_code == 403


def system_staff() -> Member:
    from tests.support.admin import staff

    return staff("Mission Manager")


# --- Membership events ------------------------------------------------------------------------


def state() -> list[tuple]:
    return sorted(
        Membership.objects.values_list(
            "member__member_id", "group__stable_id", "role", "status", "joined_at", "left_at", "group__status"
        ),
        key=str,
    )


def empty() -> None:
    """Remove what a replay creates, as the owner; the system member stays."""
    # Events are append-only, also for the owner.
    with owner_connection() as session, triggers_off(session, "events"):
        session.execute("TRUNCATE groups CASCADE")


@pytest.mark.django_db(transaction=True)
def test_replayed_events_give_the_same_memberships(tmp_path):
    colony = ColonyFactory()
    missions = [MissionFactory(parent_group=colony), MissionFactory(parent_group=colony, min_trust_score=5)]
    members = [MemberFactory(trust_score=9) for _ in range(3)]
    for member in members:
        for mission in missions:
            made = join_mission(actor=system(), member=member, mission=mission, joined_at=MARCH)
    change_role(actor=system(), membership=made, role="Lead \\ of “all”")
    leave_mission(actor=system(), member=members[0], mission=missions[0])
    join_mission(actor=system(), member=members[0], mission=missions[0], role="Mentor")
    MembershipFactory(member=members[1], group=colony, joined_at=MARCH, left_at=MARCH, status="left")
    rows("UPDATE groups SET status = 'archived' WHERE id = %s", [missions[1].pk])
    before = state()
    file = tmp_path / "events.jsonl"
    call_command("export_membership_events", str(file))
    lines = file.read_text().splitlines()
    assert {json.loads(line)["type"] for line in lines} == {
        "group.created", "group.archived", "member.created", "membership.created", "membership.role_changed",
        "membership.ended",
    }  # fmt: skip
    assert str(members[0].pk) not in file.read_text()
    empty()
    call_command("replay_membership_events", str(file))
    assert state() == before
    assert next(iter(export_membership_events())) == lines[0]
    assert Event.objects.filter(type="membership.replayed").get().payload == {"lines": len(lines), "added": 8}
    with pytest.raises(CommandError, match="There are memberships already"):
        call_command("replay_membership_events", str(file))


def test_replay_creates_unknown_members_without_names():
    lines = [
        {"type": "group.created", "group": "FE-G-00777", "kind": "colony", "name": "New"},
        {"type": "member.created", "member": "FE-P-77777"},
        {
            "type": "membership.created", "at": "2024-03-01T09:00:00Z", "member": "FE-P-77777", "group": "FE-G-00777",
            "number": 1, "role": "Member",
        },
    ]  # fmt: skip
    assert replay_membership_events(actor=system(), lines=map(json.dumps, lines)) == 1
    made = Membership.objects.get()
    assert (made.member.member_id, made.member.display_name, made.joined_at) == ("FE-P-77777", "FE-P-77777", MARCH)
    assert Group.objects.get(stable_id="FE-G-00777").name == "New"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "Line 1: it is not JSON."),
        ("[]", "Line 1: its type is not known."),
        ('{"type": "membership.ended", "at": "2024-03-01T09:00:00Z"}', "Line 1: “member” is missing."),
        (
            '{"type": "membership.created", "at": "2024", "member": "FE-P-00001", "group": "FE-M-99999", "number": 1,'
            ' "role": "x"}',
            "Line 1: there is no group FE-M-99999.",
        ),
    ],
)
def test_replay_names_the_bad_line(line, message, tmp_path):
    with pytest.raises(ReplayRejected) as rejected:
        replay_membership_events(actor=system(), lines=[line])
    assert rejected.value.message == message
    (tmp_path / "bad.jsonl").write_text(line)
    with pytest.raises(CommandError, match="Line 1"):
        call_command("replay_membership_events", str(tmp_path / "bad.jsonl"))
    assert not Membership.objects.exists()
