"""One page per person: the head on all pages about them, and the timeline across the apps."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.utils import timezone

from engagement.models import UserEngagementState, UserProfile
from engagement.rules import State
from fallback.services.assignments import assign_mission
from fallback.services.missions import create_mission
from groups.models import CommunityMember, Member
from groups.services.memberships import join_mission
from missiondeck.services.missions import change_status
from missionsite.common.admin import timeline
from missionsite.common.admin.timeline import sources_of
from missionsite.common.audit.security import record_security_event
from tests.missiondeck.helpers import mission as client_mission
from tests.support.admin import client, links, page_text
from tests.support.factories.engagement import MessageFactory, move_to
from tests.support.factories.fallback import ProjectFactory, ProjectMemberFactory
from tests.support.factories.groups import EntryFactory, MemberFactory, MissionFactory, ParticipationFactory
from tests.support.factories.missiondeck import DeckMissionFactory

pytestmark = pytest.mark.django_db


def address(person: Member) -> str:
    return f"/admin/groups/member/{person.pk}/timeline/"


def kinds(response) -> list[str]:
    return [source.name for source, _entry in response.context["entries"]]


@pytest.fixture
def ana() -> Member:
    """A member about whom every app knows something."""
    ana, system = MemberFactory(display_name="Ana"), Member.objects.system()
    entry = EntryFactory(person=ana, status="active")
    UserProfile.objects.get_or_create(user=ana)
    join_mission(actor=system, member=ana, mission=MissionFactory(name="Garden"))
    move_to(ana, State.GOODBYE_SENT)
    MessageFactory(user=ana)
    ParticipationFactory(member=entry)
    create_mission(actor=ana, project=ProjectFactory(name="Apollo"), title="Write the guide")
    change_status(mission=client_mission(), to="qa", actor=ana)
    record_security_event("session.started", member=ana)
    return ana


ALL = {"community", "lifecycle", "messages", "participation", "board", "client-missions", "access"}


@pytest.mark.parametrize(
    ("role", "hidden"),
    [
        ("Administrator", set()),
        ("Auditor", set()),
        ("Delivery Lead", {"access"}),
        ("Mission Manager", {"access"}),
        ("Community Manager", {"access", "board", "client-missions"}),
    ],
)
def test_timeline_has_what_the_role_may_see(ana, role, hidden):
    answer = client(role).get(address(ana))
    assert set(kinds(answer)) - {"work"} == ALL - hidden
    offered = {each["source"].name for each in answer.context["filters"]}
    assert offered == (ALL | {"work"}) - hidden
    instants = [entry.at for _source, entry in answer.context["entries"]]
    assert instants == sorted(instants, reverse=True)
    assert "Garden" in page_text(answer)


def test_filter_shows_chosen_kinds(ana):
    office = client("Community Manager")
    chosen = office.get(address(ana), {"kind": ["lifecycle", "messages"]})
    assert set(kinds(chosen)) == {"lifecycle", "messages"}
    # A kind that the role may not see is no filter, as is any other text.
    assert kinds(office.get(address(ana), {"kind": ["access", "x"]})) == kinds(office.get(address(ana)))


def test_pages_have_every_entry_once(ana, monkeypatch):
    now = timezone.now()
    for hours in (1, 1, 2, 3, 3, 3, 4, 5):
        ParticipationFactory(member=ana.community, occurred_at=now - timedelta(days=30, hours=hours))
    monkeypatch.setattr(timeline, "PER_PAGE", 4)
    office, seen, link = client("Community Manager"), [], "?kind=participation"
    while link:
        answer = office.get(address(ana) + link)
        seen += [entry.at for _source, entry in answer.context["entries"]]
        link = answer.context["older_link"]
    assert len(seen) == 9
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("before", ["", "x", "2026-13-45", "0001-01-01T00:00:00+00:00", "2026-01-01T00:00:00"])
def test_invalid_instant_shows_the_newest(ana, before):
    assert client("Auditor").get(f"{address(ana)}?before={before}").status_code == 200


def test_timeline_takes_fixed_number_of_queries(ana, django_assert_max_num_queries):
    office = client("Administrator")
    office.get(address(ana))
    with django_assert_max_num_queries(40) as few:
        office.get(address(ana))
    for _number in range(3):
        join_mission(actor=MemberFactory(), member=ana, mission=MissionFactory())
        create_mission(actor=ana, project=ProjectFactory(), title="Another")
        change_status(mission=client_mission(), to="qa", actor=ana)
        MessageFactory(user=ana)
    with django_assert_max_num_queries(40) as many:
        office.get(address(ana))
    assert len(many) == len(few)


def test_every_source_reads_an_index(ana, rf):
    """With a million rows of others a page reads those of one person only."""
    request = rf.get("/")
    request.user = Member(is_superuser=True, is_active=True)
    plans = {}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for source in sources_of(request):
            rows = source.rows(ana).order_by(f"-{source.instant}", "-pk")[:51]
            plans[source.name] = rows.explain()
    assert set(plans) == ALL | {"work"}
    assert {name: plan for name, plan in plans.items() if "Seq Scan" in plan} == {}
    for name, index in {
        "community": "events_of_member",
        "work": "events_by_actor",
        "board": "mission_events_by_actor",
        "client-missions": "deck_status_changes_by",
        "access": "security_events_of_member",
    }.items():
        assert index in plans[name]


def test_all_pages_about_a_person_have_one_head(ana):
    office = client("Administrator")
    state = UserEngagementState.objects.get(user=ana)
    links = {
        "Overview": f"/admin/groups/member/{ana.pk}/overview/",
        "Account": f"/admin/groups/member/{ana.pk}/change/",
        "Directory entry": f"/admin/groups/communitymember/{ana.community.pk}/change/",
        "Lifecycle": f"/admin/engagement/userengagementstate/{state.pk}/change/",
        "Profile": f"/admin/engagement/userprofile/{ana.pk}/change/",
    }
    shown = links | {"Write to member": f"/admin/engagement/userprofile/{ana.pk}/write/"}
    for title, link in {**links, "Account of a tab": address(ana)}.items():
        person = office.get(link).context["person"]
        assert {str(each["page"].title): each["page"].link for each in person["pages"]} == shown
        (current,) = (each["page"].title for each in person["pages"] if each["is_current"])
        assert title.startswith(str(current))
        text = " ".join(person["badges"])
        for badge in (ana.member_id, "Active", "Goodbye sent"):
            assert badge in text


def test_head_shows_only_what_the_role_may_see(ana):
    assert client("Auditor").get(address(ana)).context["person"]["pages"]
    system = Member.objects.system()
    assert client("Auditor").get(f"/admin/groups/member/{system.pk}/change/").context["person"] is None
    # An entry without an account is about no member.
    lone = EntryFactory(person=None)
    assert client("Auditor").get(f"/admin/groups/communitymember/{lone.pk}/change/").context["person"] is None


SECTIONS = (
    "Memberships",
    "Engagement",
    "Directory and invitations",
    "Participation in 90 days",
    "Tasks",
    "Work on boards",
    "Client missions",
    "Account and sessions",
)


def test_overview_has_one_section_of_each_subject(ana):
    project = ProjectFactory(name="Apollo")
    ProjectMemberFactory(project=project, member=ana, role="contributor")
    work = create_mission(actor=ana, project=project, title="Write the guide")
    assign_mission(actor=ana, mission=work, kind="work", member=ana)
    DeckMissionFactory(assigned_to=ana.email)
    EntryFactory(name="Guest", invited_by=ana.community)
    inviter = EntryFactory(name="Ida Inviter")
    CommunityMember.objects.filter(pk=ana.community.pk).update(invited_by=inviter)
    UserSession.objects.create(user=ana, session_key="k", ip="192.0.2.7", user_agent="Firefox of Ana", data={})
    answer = client("Administrator").get(f"/admin/groups/member/{ana.pk}/overview/")
    assert [str(each.title) for each in answer.context["sections"]] == list(SECTIONS)
    text = page_text(answer)
    for part in (
        "Garden",
        "Goodbye sent",
        "Ida Inviter",
        "Write the guide",
        "Firefox of Ana",
        "192.0.2.7",
        ana.email,
        f"/admin/groups/communitymember/{ana.community.pk}/tree/",
        f"/admin/engagement/userprofile/{ana.pk}/write/",
    ):
        assert part in text, part


def test_overview_has_only_what_the_role_may_see(ana):
    UserSession.objects.create(user=ana, session_key="k", ip="192.0.2.7", user_agent="Firefox of Ana", data={})
    answer = client("Community Manager").get(f"/admin/groups/member/{ana.pk}/overview/")
    titles = [str(each.title) for each in answer.context["sections"]]
    assert "Memberships" in titles
    assert not {"Account and sessions", "Work on boards", "Client missions"} & set(titles)
    assert "192.0.2.7" not in page_text(answer)


def test_the_four_lists_lead_to_the_overview(ana):
    office = client("Administrator")
    overview = f"/admin/groups/member/{ana.pk}/overview/"
    for path in (
        "/admin/groups/member/",
        "/admin/groups/communitymember/",
        "/admin/engagement/userengagementstate/",
        "/admin/engagement/userprofile/",
    ):
        addresses = [link for link in links(office.get(path)) if overview in office.get(link).content.decode()]
        assert addresses, path
