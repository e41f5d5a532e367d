"""Lists: active filters, chosen columns, and views saved under a name."""

import csv
import io
import re

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from missionsite.models import SavedView
from missionsite.saved_views import MOST, TooManyViews, save_view
from tests.support.admin import client, client_of, staff
from tests.support.database import rejected_by
from tests.support.factories.fallback import MissionFactory
from tests.support.factories.groups import MemberFactory, MembershipFactory

pytestmark = pytest.mark.django_db
MEMBERS = "/admin/groups/member/"


def page(office, path: str) -> str:
    response = office.get(path)
    assert response.status_code == 200, (path, response.get("Location"))
    return response.content.decode()


def chips(text: str) -> list[tuple[str, str]]:
    """Return the active filters of a list: text and the address without it."""
    found = text.partition('class="list-filters"')[2].partition("</ul>")[0]
    return re.findall(r'<span dir="auto">([^<]+)</span><a href="([^"]*)"', found)


def columns(text: str) -> set[str]:
    body = text.partition('id="result_list"')[2].partition("</table>")[0]
    return set(re.findall(r'class="field-(\w+)', body))


def save(office, query: str, name: str = "Mine", path: str = MEMBERS, **fields):
    return office.post("/admin/views/save/", {"path": path, "query": query, "name": name, **fields})


# --- Filters and columns ------------------------------------------------------------------------


def test_active_filters_are_shown_and_removed():
    MemberFactory(display_name="Ana Ribeiro", trust_score=12)
    office = client("Community Manager")
    found = chips(page(office, f"{MEMBERS}?q=ana&is_active__exact=1&trust_score_from=10&trust_score_to="))
    assert [text for text, _ in found] == ["Search: ana", "Active: Yes", "Trust score: from 10"]
    assert found[1][1].replace("&amp;", "&") == "?q=ana&trust_score_from=10&trust_score_to="
    assert chips(page(office, MEMBERS)) == []


def test_active_filters_name_people_and_days():
    member = MemberFactory(display_name="Ana <b>")
    office = client("Engagement Operator")
    path = f"/admin/engagement/engagementmessage/?user__id__exact={member.pk}"
    days = "&scheduled_for_from=2020-03-01&scheduled_for_to=2030-01-02"
    text = [text for text, _ in chips(page(office, path + days))]
    assert text[0] == "Due: 1 Mar 2020 to 2 Jan 2030"
    assert text[1].startswith("Member: Ana &lt;b&gt;")
    assert chips(page(office, path + days[:30]))[0][0] == "Due: from 1 Mar 2020"


def test_columns_are_chosen_and_exported():
    MembershipFactory()
    office = client("Community Manager")
    default = columns(page(office, MEMBERS))
    assert "created_at" not in default
    assert "email_shown" in default
    moved = office.get(f"{MEMBERS}?_columns=&_columns=created_at&_columns=member_id&o=2")
    assert moved["Location"] == f"{MEMBERS}?_columns=created_at,member_id"
    # The name is the link to the member, so it is always shown.
    assert columns(page(office, moved["Location"])) == {"display_name", "member_id", "created_at"}
    assert columns(page(office, f"{MEMBERS}?_columns=password,nothing")) == default
    export = office.get(f"{MEMBERS}?_columns=created_at,member_id&_export=csv")
    rows = list(csv.reader(io.StringIO(b"".join(export).decode().lstrip("\ufeff"))))
    assert rows[0] == ["ID", "Name", "Stable ID", "Created at"]


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("Mission Manager", "/admin/groups/mission/"),
        ("Community Manager", "/admin/groups/communitymember/"),
        ("Engagement Operator", "/admin/engagement/engagementmessage/"),
        ("Delivery Lead", "/admin/missiondeck/deckmission/"),
    ],
)
def test_every_offered_column_can_be_shown(role, path, seeds):
    office = client(role)
    offered = set(re.findall(r'name="_columns" value="(\w+)"', page(office, path)))
    assert len(offered) > 3
    assert columns(page(office, f"{path}?_columns={','.join(offered)}")) == offered


def test_export_keeps_filters_that_begin_with_p():
    kept, other = MissionFactory(title="Kept"), MissionFactory(title="Other")
    office = client_of(staff(is_superuser=True))
    text = page(office, f"/admin/fallback/mission/?project__id__exact={kept.project_id}")
    link = re.search(r'href="(\?[^"]*_export=csv[^"]*)"', text).group(1).replace("&amp;", "&")
    exported = b"".join(office.get(f"/admin/fallback/mission/{link}")).decode()
    assert "Kept" in exported
    assert "Other" not in exported, other


# --- Saved views --------------------------------------------------------------------------------


def test_view_is_saved_opened_and_deleted():
    office = client("Community Manager")
    answer = save(office, "?p=3&is_staff__exact=1&q=&_columns=member_id,created_at", "Staff")
    assert answer["Location"] == f"{MEMBERS}?_columns=member_id,created_at&is_staff__exact=1"
    text = page(office, answer["Location"])
    assert re.search(r'aria-current="page"[^>]*>Staff</a>', text)
    assert "Save view" not in text
    # The same name replaces the view.
    save(office, "is_staff__exact=0", "Staff")
    view = SavedView.objects.get()
    assert view.query == "is_staff__exact=0"
    # Of another member: neither shown nor deleted.
    other = client("Community Manager")
    assert ">Staff</a>" not in page(other, MEMBERS)
    other.post(f"/admin/views/{view.pk}/delete/", {})
    assert SavedView.objects.exists()
    assert office.post(f"/admin/views/{view.pk}/delete/", {"next": MEMBERS})["Location"] == MEMBERS
    assert not SavedView.objects.exists()


def test_view_is_shared_with_a_role():
    author, office = client("Community Manager"), client("Community Manager")
    role = Group.objects.get(name="Community Manager")
    save(author, "is_staff__exact=1", "Colleagues", role=role.pk)
    assert ">Colleagues</a>" in page(office, MEMBERS)
    assert ">Colleagues</a>" not in page(client("Mission Manager"), MEMBERS)
    # A role that the member has not.
    save(author, "is_staff__exact=1", "Theirs", role=Group.objects.get(name="Auditor").pk)
    assert not SavedView.objects.filter(name="Theirs").exists()


@pytest.mark.rule("ViewRejected")
@pytest.mark.parametrize(
    "path", ["", "/admin/", "/directory/", "//evil.example/admin/", "/admin/no/thing/", "/admin/missionsite/role/"]
)
def test_other_addresses_are_not_saved(path):
    office = client("Mission Manager")
    answer = office.post(
        "/admin/views/save/", {"path": path, "query": "a=1", "name": "x"}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 422
    assert not SavedView.objects.exists()


def test_number_of_views_is_limited():
    member = MemberFactory()
    for number in range(MOST):
        save_view(actor=member, path=MEMBERS, name=str(number), query="q=1")
    with pytest.raises(TooManyViews):
        save_view(actor=member, path=MEMBERS, name="one more", query="q=1")
    save_view(actor=member, path=MEMBERS, name="1", query="q=2")


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"path": "/directory/"}, "site_saved_views_path_form"),
        ({"query": ""}, "site_saved_views_query_form"),
        ({"name": "  "}, "site_saved_views_name_not_blank"),
        ({"name": "a\nb"}, "site_saved_views_name_one_line"),
        ({}, "site_saved_views_unique"),
    ],
)
def test_database_rejects_invalid_views(values, rule):
    member = MemberFactory()
    SavedView.objects.create(member=member, path=MEMBERS, name="Mine", query="q=1")
    new = {"path": MEMBERS, "name": "Mine", "query": "q=1"} | values
    with rejected_by(rule), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO site_saved_views (member_id, path, name, query) VALUES (%s, %s, %s, %s)",
            [member.pk, new["path"], new["name"], new["query"]],
        )


def test_invalid_views_show_an_error_on_the_list():
    office = client("Community Manager")
    for query, name, error in (
        ("", "Mine", "Filter, sort or choose columns"),
        ("q=a", " ", "Enter a name"),
        ("q=" + "é" * 600, "Mine", "too long"),
        ("q=a", "x" * 61, "too long"),
    ):
        answer = office.post(
            "/admin/views/save/", {"path": MEMBERS, "query": query, "name": name, "next": MEMBERS}, follow=True
        )
        assert error in answer.content.decode(), error
    assert not SavedView.objects.exists()
