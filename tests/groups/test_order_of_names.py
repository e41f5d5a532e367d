"""Names in the order in which people sort them, in lists and on the members' pages."""

import pytest
from django.db import connection
from django.test import Client

from groups.models import CommunityMember
from missionsite.common.search_words import NameSortKey
from tests.portal.helpers import entry
from tests.support.admin import client
from tests.support.database import row, rows

pytestmark = pytest.mark.django_db
# As a person writes a list, in several languages; each name once.
SORTED = [
    "Ada Lane",
    "Álvaro Reis",
    "ana souza",
    "Ángela",
    "Bia",
    "Çelik",
    "de Vries",
    "Érica",
    "Łukasz",
    "Müller",
    "O'Brien",
    "Obrien Zed",
    "Øystein",
    "Straße",
    "strasser",
    "van den Berg",
    "Zoë",
    "Ωmega",
    "Дмитрий",
    "李雷",
]


def test_names_sort_as_people_sort():
    for name in reversed(SORTED):
        entry(name=name)
    found = CommunityMember.objects.filter(name__in=SORTED).order_by(NameSortKey("name"))
    assert list(found.values_list("name", flat=True)) == SORTED
    # Negative control: by code point, the capital letters come first and the marked ones last.
    assert list(found.order_by("name").values_list("name", flat=True)) != SORTED


def test_decomposed_letters_sort_like_composed_ones():
    assert row("SELECT name_sort_key(%s) = name_sort_key(%s)", ["Érica", "E\u0301rica"]) == (True,)
    assert row("SELECT name_sort_key(NULL), name_sort_key(' - ')") == ("", "")


def test_lists_sort_by_name():
    for name in ("Zoë", "ana", "Álvaro"):
        entry(name=name)
    office = client("Administrator")
    for path, field in (("communitymember", "name"), ("member", "display_name")):
        for order, names in (("1", ["Álvaro", "ana", "Zoë"]), ("-1", ["Zoë", "ana", "Álvaro"])):
            shown = office.get(f"/admin/groups/{path}/?o={order}").context_data["cl"].result_list
            assert [name for name in (getattr(each, field) for each in shown) if name in names] == names


def test_list_by_name_uses_index():
    rows("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN SELECT * FROM members ORDER BY name_sort_key(display_name), id LIMIT 50")
        assert "members_by_name" in str(cursor.fetchall())


def test_directory_of_members_is_paged_by_name(monkeypatch):
    monkeypatch.setattr("missionsite.portal.directory.PER_PAGE", 2)
    names = ["Álvaro", "ana", "Ana", "Bia", "Zoë"]
    people = [entry(name=name) for name in reversed(names)]
    browser = Client()
    browser.force_login(people[0].person)
    shown, address = [], "/directory/?sort=name"
    while address:
        page = browser.get(address)
        shown += [each.entry.name for each in page.context["rows"]]
        address = f"/directory/?{page.context['next']}" if page.context["next"] else ""
    assert [name.lower() for name in shown] == [name.lower() for name in names]
    assert "Next page" in browser.get("/directory/?sort=name").content.decode()
    assert browser.get("/directory/?sort=age&after=x").status_code == 200
