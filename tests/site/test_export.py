"""Every list can be exported exactly as it is filtered, as CSV, XLSX and JSON."""

import csv
import io
import json
import time

import pytest
from django.contrib import admin
from python_calamine import CalamineWorkbook

from missionsite.common.accounts.sessions import BEGAN
from missionsite.common.admin import ModelAdmin
from missionsite.common.models import SecurityEvent
from tests.support.admin import client, client_of, staff
from tests.support.factories.groups import MemberFactory, MissionFactory, StaffFactory, TaskFactory

pytestmark = pytest.mark.django_db
MEMBERS = "/admin/groups/member/"


def body(response) -> str:
    return b"".join(response.streaming_content).decode("utf-8-sig")


def lines(response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body(response))))


def test_every_list_exports_the_rows_that_it_shows(seeds):
    office = client_of(StaffFactory(is_superuser=True))
    seen = 0
    for model, model_admin in admin.site._registry.items():
        if not isinstance(model_admin, ModelAdmin) or not model_admin.exports:
            continue
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        if (shown := office.get(address)).status_code != 200:
            continue
        heading, *rows = lines(office.get(f"{address}?_export=csv"))
        cl = shown.context["cl"]
        assert [row[0] for row in rows][: cl.list_per_page] == [str(obj.pk) for obj in cl.result_list], address
        assert len(rows) == cl.result_count, address
        assert len(heading) == 1 + len([name for name in cl.list_display if name != "action_checkbox"])
        assert not any("<" in cell and ">" in cell for row in rows for cell in row), address
        seen += bool(rows)
    assert seen > 18


def test_formats_have_the_filtered_rows_and_no_formula():
    MemberFactory(display_name="=1+1", trust_score=9040)
    MemberFactory(display_name="<b>Ana & Bea</b>", trust_score=9050)
    MemberFactory(display_name="Caio", trust_score=8999)
    office = client("Auditor")
    address = f"{MEMBERS}?trust_score_from=9000&_export="
    heading, *rows = lines(office.get(f"{address}csv"))
    assert heading[:3] == ["ID", "Name", "Stable ID"]
    assert sorted(row[1] for row in rows) == ["'=1+1", "<b>Ana & Bea</b>"]
    found = json.loads(body(office.get(f"{address}json")))
    assert sorted((row["Name"], row["Trust score"], row["Active"]) for row in found) == [
        ("<b>Ana & Bea</b>", "9050", "yes"),
        ("=1+1", "9040", "yes"),
    ]
    book = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(office.get(f"{address}xlsx").streaming_content)))
    assert sorted(row[1] for row in book.get_sheet_by_index(0).to_python()) == ["<b>Ana & Bea</b>", "=1+1", "Name"]
    assert json.loads(body(office.get(f"{MEMBERS}?q=nobody-has-this-name&_export=json"))) == []


def test_page_links_the_export_with_its_filters():
    mission = MissionFactory()
    TaskFactory(group=mission)
    office = client("Mission Manager")
    cl = office.get(f"/admin/groups/task/?state__exact=open&p=1&group__id__exact={mission.pk}").context["cl"]
    assert [name for name, _link in cl.export_links] == ["CSV", "XLSX", "JSON"]
    link = cl.export_links[0][1]
    assert "state__exact=open" in link
    assert "p=" not in link
    assert len(lines(office.get(f"/admin/groups/task/{link}"))) == 2


def test_export_needs_the_permission_of_the_list():
    assert client("").get(f"{MEMBERS}?_export=csv").status_code == 403
    assert client("Auditor").get(f"{MEMBERS}?_export=pdf").status_code == 302
    assert client("Auditor").get(f"{MEMBERS}?_export=csv&is_active__exact=x&nothing=1")["Location"] == f"{MEMBERS}?e=1"


def test_export_is_recorded_and_asks_for_identity():
    auditor = staff("Auditor")
    office = client_of(auditor)
    assert office.get(f"{MEMBERS}?_export=json").status_code == 200
    (event,) = SecurityEvent.objects.filter(type="data.exported", actor=auditor)
    assert event.payload["file"].startswith("members-")
    session = office.session
    session[BEGAN] = time.time() - 4_000
    session["account_authentication_methods"] = []
    session.save()
    answer = office.get(f"{MEMBERS}?is_active__exact=1&_export=csv")
    assert answer.status_code == 302
    assert "/account/" in answer["Location"]


def test_own_exports_are_the_only_ones_of_their_lists():
    office = client("Administrator")
    for address in (
        "/admin/groups/communitymember/",
        "/admin/missiondeck/deckmission/",
        "/admin/common/securityevent/",
        "/admin/common/auditentry/",
    ):
        assert office.get(address).context["cl"].export_links == []
        assert office.get(f"{address}?_export=csv").status_code == 302
