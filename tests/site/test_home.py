"""The home page: what waits for a role and is done in place, numbers that open their lists, plots and health."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.utils import timezone

from engagement.models import EngagementMessage, UserEngagementState
from engagement.rules import State, Status
from fallback.models import MissionFallbackItem
from groups.models import CommunityMember, Member, Membership
from missiondeck.models import DeckMission, DeckStatus
from missionsite import figures
from missionsite.common.audit.events import audit
from missionsite.models import SiteFigure
from tests.missiondeck.helpers import mission_in_qa
from tests.support.admin import client, page_text
from tests.support.factories.engagement import MessageFactory, move_to
from tests.support.factories.fallback import ItemFactory
from tests.support.factories.groups import EntryFactory, JoinRequestFactory, MemberFactory, MembershipFactory

pytestmark = pytest.mark.django_db


def kinds(response) -> set[str]:
    return {str(need.kind) for need in response.context["needs"]}


def press(office, response, text: str):
    """Submit the form of the first button with a label that begins with a text, as a browser does."""
    page = response.content.decode()
    for form in re.findall(r'<form method="post" action="([^"]+)">(.*?)</form>', page, re.DOTALL):
        if f'aria-label="{text}' in form[1]:
            fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[1]))
            return office.post(form[0], {name: unescape(value) for name, value in fields.items()})
    raise AssertionError(f"There is no button {text}.")


@pytest.fixture
def waiting():
    """Something of every kind that waits."""
    EntryFactory(status="pending", name="Keiko")
    JoinRequestFactory()
    ItemFactory(title="Write the guide")
    MessageFactory(status=Status.FAILED, error_message="Out of service")
    DeckMission.objects.filter(pk=mission_in_qa().pk).update(deadline=timezone.now() + timedelta(days=3))


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("Administrator", {"Registration", "Join request", "Proposal", "Failed message", "Sign-off"}),
        ("Community Manager", {"Registration", "Join request"}),
        ("Engagement Operator", {"Failed message"}),
        ("Fallback Reviewer", {"Proposal"}),
        ("Delivery Lead", {"Sign-off"}),
        ("Mission Manager", {"Join request"}),
        ("Auditor", set()),
        ("", set()),
    ],
)
def test_role_sees_what_it_may_do(waiting, role, expected):
    assert kinds(client(role).get("/admin/")) == expected


def test_oldest_comes_first_with_name_and_age():
    for days in (1, 30, 3):
        entry = EntryFactory(status="pending", name=f"Waits {days}")
        CommunityMember.objects.filter(pk=entry.pk).update(created_at=timezone.now() - timedelta(days=days))
    needs = client("Community Manager").get("/admin/").context["needs"]
    assert [need.title for need in needs] == ["Waits 30", "Waits 3", "Waits 1"]
    assert needs[1].age_text == "3\xa0days"


@pytest.mark.parametrize(
    ("button", "is_done"),
    [
        ("Approve", lambda: CommunityMember.objects.get(name="Keiko").status == "active"),
        ("Accept", lambda: MissionFallbackItem.objects.get().status == "accepted"),
        ("Retry", lambda: EngagementMessage.objects.get().status == Status.PENDING),
        ("Complete", lambda: DeckMission.objects.get().status == DeckStatus.COMPLETE),
    ],
)
def test_button_does_it_in_place(waiting, button, is_done):
    office = client("Administrator")
    answer = press(office, office.get("/admin/"), button)
    assert answer.status_code == 302
    assert is_done()
    if button != "Complete":
        assert answer["Location"] == "/admin/"
    assert len(office.get("/admin/").context["needs"]) == 4


def test_card_opens_exactly_its_list(waiting):
    joined = MembershipFactory()
    # Later on the first of the days that count, and shortly before it.
    start = figures.start_of(timezone.localdate() - timedelta(days=7))
    for instant in (start, start - timedelta(seconds=1)):
        Membership.objects.filter(pk=MembershipFactory().pk).update(joined_at=instant)
    assert joined.is_active
    office = client("Administrator")
    cards = office.get("/admin/").context["cards"]
    counts = {str(card["title"]): (card["count"], office.get(card["link"])) for card in cards}
    assert counts["Joined in 7 days"][0] == "2"
    for title, (count, answer) in counts.items():
        if title != "Proposals to review":
            assert count == str(answer.context["cl"].page.pages.count), title


def test_week_in_table_opens_exactly_its_list():
    weeks = figures.weeks_until(timezone.localdate())
    for first, _last in weeks[-3:]:
        for instant in (figures.start_of(first), figures.start_of(first) - timedelta(seconds=1)):
            ended = MembershipFactory()
            Membership.objects.filter(pk=ended.pk).update(joined_at=instant, left_at=instant, status="left")
    office = client("Mission Manager")
    (plot,) = (plot for plot in office.get("/admin/").context["plots"] if plot.name == "joins")
    numbers = [cell for _label, cells in plot.rows for cell in cells]
    assert [text for text, _url in numbers[:8]] == ["1", "1", "2", "2", "2", "2", "1", "1"]
    for text, url in numbers[:8]:
        assert text == str(office.get(url).context["cl"].result_count)


def test_zero_is_dimmed_and_change_is_shown():
    today = timezone.localdate()
    SiteFigure.objects.create(name="failed_messages", day=today - timedelta(days=7), value=3)
    MessageFactory(status=Status.FAILED)
    answer = client("Engagement Operator").get("/admin/")
    cards = {str(card["title"]): card for card in answer.context["cards"]}
    assert cards["Failed messages"]["change"] == "\N{MINUS SIGN}2 on last week"
    assert not cards["Failed messages"]["is_zero"]
    assert cards["Members at risk"]["is_zero"]
    assert 'class="is-zero"' in answer.content.decode()


def test_states_of_past_days_come_from_transitions():
    now = timezone.now()
    quiet = move_to(MemberFactory(), State.GOODBYE_SENT)
    UserEngagementState.objects.filter(pk=quiet.pk).update(created_at=now - timedelta(days=60))
    with connection.cursor() as cursor:
        cursor.execute("SELECT created_at FROM engagement_state_transitions")
        assert cursor.fetchone()[0] >= now - timedelta(minutes=5)
    figures.refresh_figures()
    today = timezone.localdate()
    stored = figures.stored_figures(since=today - timedelta(days=40))
    active, sent = f"state_{State.ACTIVE}", f"state_{State.GOODBYE_SENT}"
    assert (stored.value(active, today), stored.value(sent, today)) == (0, 1)
    before = today - timedelta(days=30)
    assert (stored.value(active, before), stored.value(sent, before)) == (1, 0)


def test_refresh_replaces_today_and_keeps_older_days():
    figures.refresh_figures()
    today = timezone.localdate()
    old = SiteFigure.objects.filter(name="state_active", day=today - timedelta(days=9))
    assert old.update(value=77) == 1
    MessageFactory(status=Status.FAILED)
    figures.refresh_figures()
    assert SiteFigure.objects.get(name="failed_messages", day=today).value == 1
    assert old.get().value == 77


def test_home_without_figures_says_so():
    assert "not computed yet" in page_text(client("Auditor").get("/admin/"))
    figures.refresh_figures()
    assert "not computed yet" not in page_text(client("Auditor").get("/admin/"))


def test_health_is_for_those_who_can_act():
    assert client("Mission Manager").get("/admin/").context["health"] == []
    lines = client("Administrator").get("/admin/").context["health"]
    assert {line["name"]: line["is_well"] for line in lines} == {
        "Workers": False,
        "Jobs": True,
        "Failed jobs today": True,
        "Message queue": True,
        "Database": True,
    }
    late = timezone.now() - timedelta(minutes=150)
    MessageFactory(scheduled_for=late)
    (queue,) = (
        line
        for line in client("Engagement Operator").get("/admin/").context["health"]
        if line["link"].endswith("pending")
    )
    assert (queue["is_well"], queue["text"]) == (False, "The oldest due message waits 2\xa0hours")


def test_home_takes_fixed_number_of_queries(waiting, django_assert_max_num_queries):
    office = client("Administrator")
    office.get("/admin/")
    with django_assert_max_num_queries(60) as few:
        office.get("/admin/")
    for _number in range(4):
        EntryFactory(status="pending", invited_by=EntryFactory())
        ItemFactory()
        MessageFactory(status=Status.FAILED)
        mission_in_qa()
        MembershipFactory()
    with django_assert_max_num_queries(60) as many:
        office.get("/admin/")
    assert len(many) == len(few) <= 40


def test_joins_are_counted_by_index_up_to_a_limit():
    """With a million memberships the plot reads at most the limit of each week."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        params = {"starts": [timezone.now() - timedelta(days=7)], "ends": [timezone.now()], "most": 10_001}
        cursor.execute(f"EXPLAIN {figures.read_sql('missionsite/queries/joins_and_leaves')}", params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "memberships_newest" in plan
    assert "memberships_left" in plan
    assert plan.count("Limit") == 2
    assert "Seq Scan" not in plan


def test_latest_events_leave_out_notifications():
    """Many notifications follow from one event."""
    member = MemberFactory()
    audit("group.archived", actor=Member.objects.system(), member=member)
    for _number in range(9):
        audit("notification.created", actor=Member.objects.system(), member=member)
    page = page_text(client("Administrator").get("/admin/"))
    assert '<td data-label="What">Archived</td>' in page
    assert "Notification created" not in page
