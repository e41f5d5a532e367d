"""The audit in the back office: what it shows, finds and exports, and that its queries stay bounded."""

import csv
import io
import json

import pytest
from django.contrib.auth.models import Group as Role
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fallback.models import Flow, Mission, MissionFallbackConfig, MissionFallbackItem, MissionFallbackTemplate, Project
from groups.models import CommunityReturn
from groups.services.erasure import erase
from groups.services.members import update_member
from missionsite.common.audit.context import restored_audit_context, set_audit_context
from missionsite.common.audit.security import record_security_event
from missionsite.common.models import AuditEntry
from missionsite.models import Role as SiteRole
from missionsite.roles import change_role, create_role
from tests.engagement.owner_connection import owner
from tests.support.factories import fallback as factories
from tests.support.factories.groups import EntryFactory, InvitationFactory, MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db
PAGE = "/admin/common/auditentry/"


@pytest.fixture
def auditor(client):
    member = StaffFactory(display_name="Uma Auditor")
    member.groups.add(Role.objects.get(name="Auditor"))
    client.force_login(member)
    return member


def shown(client, query: str = "") -> list[AuditEntry]:
    answer = client.get(f"{PAGE}?{query}")
    assert answer.status_code == 200, answer
    return list(answer.context["cl"].result_list)


@pytest.fixture
def project():
    """A project that was renamed by Ana, and a member edited by Bea."""
    ana, bea = StaffFactory(display_name="Ana", email="ana@example.org"), StaffFactory(is_superuser=True)
    project = factories.ProjectFactory(name="Old")
    with transaction.atomic(), restored_audit_context():
        set_audit_context(ana)
        Project.objects.filter(pk=project.pk).update(name="New", privacy="organization")
    update_member(actor=bea, member=MemberFactory(display_name="Cy"), trust_score=4)
    record_security_event("session.failed", member=ana)
    return project


def test_filters_by_app_action_actor_object_outcome_and_day(auditor, client, project):
    def actions(query: str) -> set[str]:
        return {entry.action for entry in shown(client, query)}

    # The auditor has got a role.
    assert actions("app=groups") == {"member.changed", "row.added"}
    assert actions("action=session.failed") == {"session.failed"}
    assert actions("by=ANA@example.org&action=row.changed") == {"row.changed"}
    assert actions("by=nobody@example.org") == set()
    assert actions(f"object={project.pk}") == {"row.added", "row.changed"}
    assert actions("outcome=failed") == {"session.failed"}
    assert actions("occurred_at_to=2001-01-01") == set()
    assert "member.changed" in actions("occurred_at_from=2001-01-01")


def test_search_finds_object_actor_and_action(auditor, client, project):
    member = AuditEntry.objects.get(action="member.changed").object_id
    assert {entry.action for entry in shown(client, f"q={member.lower()}")} == {"member.changed"}
    assert {entry.action for entry in shown(client, "q=ana%40example.org")} >= {"row.changed"}
    assert {entry.action for entry in shown(client, "q=log-in+failed")} == {"session.failed"}
    assert shown(client, "q=nothing+like+this") == []


def test_object_without_a_page_is_named_without_a_link(auditor, client):
    member, _another, _third = (factories.ProjectMemberFactory() for _ in range(3))
    page = client.get(f"{PAGE}?app=fallback").content.decode()
    assert "Row added" in page
    assert str(member) in page


def test_page_of_entry_shows_who_where_before_and_after(auditor, client, project):
    entry = AuditEntry.objects.get(action="row.changed", object_type="fallback.project")
    page = client.get(f"{PAGE}{entry.pk}/change/").content.decode()
    for text in (
        "Row changed",
        "Ana",
        "New",
        'data-label="Before">Old</td><td data-label="After">New</td>',
        ">Organisation: everyone in it can view</td>",
        "Not sealed",
    ):
        assert text in page, text
    listed = client.get(PAGE).content.decode()
    assert "Name: Old → New" in listed
    assert "Trust score: 0 → 4" in listed


def test_person_referred_to_by_member_number_is_named(auditor, client):
    returning = EntryFactory(name="Zoraida Field")
    CommunityReturn.objects.create(invitation=InvitationFactory(), entry=returning)
    entry = AuditEntry.objects.get(action="row.added", object_type="groups.communityreturn")
    assert entry in shown(client, "app=groups")
    assert f">{returning}</td>" in client.get(f"{PAGE}{entry.pk}/change/").content.decode()


def test_erased_person_and_details_are_named_as_erased(auditor, client):
    entry = EntryFactory(person=MemberFactory(display_name="Kanarie"))
    update_member(actor=StaffFactory(is_superuser=True), member=entry.person, trust_score=2)
    record_security_event("session.started", actor=entry.person, member=entry.person)
    erase(actor=StaffFactory(), entry=entry)
    page = client.get(PAGE).content.decode()
    assert "Kanarie" not in page
    assert "Erased member" in page
    changed = AuditEntry.objects.get(action="member.changed")
    page = client.get(f"{PAGE}{changed.pk}/change/").content.decode()
    assert page.count(">Erased<") >= 1
    assert "Trust score" not in page


def test_export_is_what_the_filters_show(auditor, client, project):
    Project.objects.filter(pk=project.pk).update(name="=1+1")
    answer = client.get(f"{PAGE}export/?object={project.pk}")
    lines = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert [line["action"] for line in lines] == ["row.changed", "row.changed", "row.added"]
    assert json.loads(lines[1]["details"])["changed"]["name"] == ["Old", "New"]
    assert AuditEntry.objects.filter(action="data.exported", actor__member=auditor).exists()


def test_page_is_for_auditors_and_administrators():
    for role, status in (("Auditor", 200), ("Administrator", 200), ("Community Manager", 403)):
        member, browser = StaffFactory(), Client()
        member.groups.add(Role.objects.get(name=role))
        browser.force_login(member)
        assert browser.get(PAGE).status_code == browser.get(f"{PAGE}export/").status_code == status, role


def test_number_of_queries_does_not_grow(auditor, client):
    """One query for each kind of object on the page, whatever the number of entries."""

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(PAGE).status_code == 200
        return len(captured)

    for number in range(3):
        update_member(actor=StaffFactory(is_superuser=True), member=MemberFactory(), trust_score=number + 1)
    factories.MissionFactory()
    few = queries()
    for number in range(10):
        update_member(actor=StaffFactory(is_superuser=True), member=MemberFactory(), trust_score=number + 1)
        factories.MissionFactory()
    assert queries() <= few + 1
    assert few < 30


# --- 100,000 entries --------------------------------------------------------------------------


@pytest.fixture
def many():
    """A transaction of the owner with 100,000 entries, analysed."""
    with owner() as session:
        session.execute("ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_stamp")
        session.execute("INSERT INTO audit_actors (token) SELECT md5(n::text)::uuid FROM generate_series(1, 200) n")
        session.execute(
            """INSERT INTO audit_entries (app, action, actor_token, object_type, object_id, occurred_at, origin_digest,
                content_digest, leaf)
            SELECT CASE WHEN n %% 1000 = 0 THEN 'engagement' ELSE 'groups' END,
                CASE WHEN n %% 1000 = 0 THEN 'phrase.changed' ELSE 'membership.created' END,
                md5((n %% 200)::text)::uuid, 'groups.member', 'FE-P-' || n %% 5000,
                now() - make_interval(mins => 100000 - n), '', '', ''
            FROM generate_series(1, 100000) n""".replace("%%", "%")
        )
        session.execute("ANALYZE audit_entries")
        yield session


def scanned(session, queryset) -> int:
    """The rows that the plan of a query reads, by EXPLAIN ANALYZE."""
    sql, parameters = queryset.query.sql_with_params()
    (plan,) = session.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters).fetchone()

    def rows(node: dict) -> float:
        own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        return node["Actual Loops"] * own + sum(rows(each) for each in node.get("Plans", []))

    return int(rows(plan[0]["Plan"]))


def test_each_filter_reads_few_of_100000_entries(many):
    entries = AuditEntry.objects.order_by("-occurred_at", "-pk")
    (day,) = many.execute("SELECT now() - interval '60 days'").fetchone()
    (token,) = many.execute("SELECT md5('7')::uuid").fetchone()
    for queryset in (
        entries,
        entries.filter(app="engagement"),
        entries.filter(action="phrase.changed"),
        entries.filter(actor=token),
        entries.filter(object_id="FE-P-7"),
        entries.filter(occurred_at__lt=day),
    ):
        read = scanned(many, queryset.values("pk", "occurred_at")[:50])
        assert read <= 1_000, (read, str(queryset.query))
    # The negative control: without the index of the app, most of the table is read.
    many.execute("DROP INDEX audit_entries_of_app, audit_entries_of_action")
    assert scanned(many, entries.filter(app="engagement").values("pk", "occurred_at")[:50]) > 10_000


# --- The history of one object ----------------------------------------------------------------


def test_objects_without_history_of_rows_have_it_from_the_audit(client):
    root = StaffFactory(is_superuser=True)
    client.force_login(root)
    item = factories.ItemFactory()
    changed = {
        Project: (item.project, {"name": "New"}),
        MissionFallbackConfig: (factories.ConfigFactory(project=item.project), {"backlog_threshold": 9}),
        MissionFallbackTemplate: (item.template, {"name": "New"}),
        MissionFallbackItem: (item, {"title": "New"}),
        Mission: (factories.MissionFactory(project=item.project), {"title": "New"}),
        Flow: (item.flow, {"name": "New"}),
    }
    for model, (instance, values) in changed.items():
        with transaction.atomic():
            set_audit_context(root)
            model.objects.filter(pk=instance.pk).update(**values)
        name = f"{model._meta.app_label}/{model._meta.model_name}"
        page = client.get(f"/admin/{name}/{instance.pk}/history/")
        assert page.status_code == 200, name
        newest, *_older = page.context["changes"]
        assert newest[0].actor == root
        assert [str(field.after) for field in newest[0].fields] == [str(value) for value in values.values()], name
        assert client.get(f"/admin/{name}/{instance.pk}/change/").content.decode().count(f"{instance.pk}/history/") >= 1


def test_history_of_role_shows_permissions(client):
    root = StaffFactory(is_superuser=True)
    client.force_login(root)
    role = create_role(actor=root, name="Nightwatch")
    change_role(actor=root, role=SiteRole.objects.get(pk=role.pk), name="Daywatch")
    changes = client.get(f"/admin/missionsite/role/{role.pk}/history/").context["changes"]
    assert [
        (change.label, [(field.before, field.after) for field in change.fields][:1]) for change, _may in changes
    ] == [
        ("update", [("Nightwatch", "Daywatch")]),
        ("insert", [("empty", "Nightwatch")]),
    ]
