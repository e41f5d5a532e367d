"""The workspace of a client mission: permissions, odd parameters and the number of queries."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from groups.models import Member
from missiondeck.models import DeckMission, DodItem, TestRun
from missiondeck.services.chats import add_message
from missiondeck.services.checklist import tick_item
from missiondeck.services.evidence import add_evidence, sign_off
from missiondeck.services.missions import change_status
from tests.missiondeck.helpers import add_shop_template
from tests.missiondeck.workspace_helpers import (
    FAILING,
    PASSING,
    address,
    import_report_file,
    make_item,
    make_mission,
    state,
    who_may,
)
from tests.support.admin import client, client_of, page_text, staff

pytestmark = pytest.mark.django_db


def upload(report: bytes, name: str = "junit.xml") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, report)


def actions(mission: DeckMission) -> list[tuple[str, dict, str]]:
    """All actions: URL, valid form data, and the needed permission."""
    item = DodItem.objects.filter(mission=mission).first() or make_item(mission)
    new = {"text": "It ships", "category": "tests"}
    return [
        (address(mission, "_status"), {"to": "qa"}, "change_deckmission_status"),
        (
            address(mission, "_add_message"),
            {"citizen": "emma", "sender": "user", "message": "Hello"},
            "add_chatmessage",
        ),
        (address(mission, "_add_comment", item.pk), {"text": "The shop is missing"}, "add_dodcomment"),
        (address(mission, "_import"), {"report": upload(PASSING)}, "add_testrun"),
        (address(mission, "_add"), new, "change_deckmission"),
        (address(mission, "_template"), {"template": add_shop_template().pk}, "change_deckmission"),
        (address(mission, "_tick", item.pk), {"done": "1"}, "change_deckmission"),
        (address(mission, "_edit", item.pk), new, "change_deckmission"),
        (address(mission, "_position", item.pk), {"to": "down"}, "change_deckmission"),
        (address(mission, "_remove", item.pk), {}, "change_deckmission"),
    ]


def send(browser: Client, target: str, body: dict):
    """Send a form; its files are rewound first."""
    for value in body.values():
        if isinstance(value, SimpleUploadedFile):
            value.seek(0)
    return browser.post(target, body)


class TestPermissions:
    def test_page_needs_view_permission(self, mission):
        assert client().get(address(mission)).status_code == 403
        assert client("Community Manager").get(address(mission)).status_code == 403
        assert client("Auditor").get(address(mission)).status_code == 200
        assert Client().get(address(mission)).status_code == 302

    @pytest.mark.parametrize("key", [uuid4(), "x", "0", "%00", "../x", "9" * 400, "a/b"])
    def test_unknown_mission_answers_404(self, lead, key):
        assert lead.get(f"/admin/missiondeck/deckmission/{key}/workspace/").status_code in (400, 404)

    def test_each_action_needs_its_permission(self, mission):
        rights = {right for _, _, right in actions(mission)} | {"override_deckmission"}
        for target, body, right in actions(mission):
            before = state()
            for browser in (client("Auditor"), who_may(*(rights - {right}))):
                assert send(browser, target, body).status_code == 403, target
            assert state() == before
            assert send(who_may(right), target, body).status_code == 302, target

    def test_actions_need_view_permission(self, mission):
        member = staff(display_name="Someone")
        member.user_permissions.add(
            *Permission.objects.filter(content_type__app_label="missiondeck").exclude(codename="view_deckmission")
        )
        before = state()
        for target, body, _right in actions(mission):
            assert send(client_of(member), target, body).status_code == 403
        assert state()[2:] == before[2:]

    def test_actions_accept_only_post(self, lead, mission):
        for target, _body, _right in actions(mission):
            assert lead.get(target).status_code == 405
            assert lead.head(target).status_code == 405
            assert lead.put(target).status_code == 405
        assert lead.post(address(mission)).status_code == 405
        assert lead.head(address(mission)).status_code == 200

    def test_form_without_csrf_token_is_rejected(self, dora, mission):
        stranger = Client(enforce_csrf_checks=True)
        stranger.force_login(dora)
        todo = actions(mission)
        before = state()
        for target, body, _right in todo:
            assert send(stranger, target, body).status_code == 403
        assert state() == before

    def test_read_only_user_sees_no_forms(self, mission):
        make_item(mission)
        page = client("Auditor").get(address(mission), {"citizen": "sofia"}).content.decode()
        assert (
            'method="post"'
            not in page.replace('<form method="post" id="ws-ticks" data-fetch>', "").split("ws-title")[1]
        )
        assert "formaction" not in page
        assert "It pays" in page


class TestOddParameters:
    @pytest.mark.parametrize(
        "query",
        [
            "citizen=nobody",
            "citizen=",
            "before=x",
            "before=00000000-0000-0000-0000-000000000000",
            "run=x",
            "runs=-1",
            "runs=99",
            "page=0",
            "page=" + "9" * 400,
            "page=²",
            "status=gone",
            "q=%25%27%3C",
            "log=99999",
            "log=-1",
            "log=" + "9" * 60,
            "find=%25_%5C",
            "edit=x",
            "edit=00000000-0000-0000-0000-000000000000",
            "q=" + "z" * 5000,
        ],
    )
    def test_odd_parameters_are_handled(self, lead, mission, query):
        import_report_file(mission, FAILING, logs=b"one\ntwo\n")
        make_item(mission)
        assert lead.get(f"{address(mission)}?citizen=sofia&{query}").status_code == 200

    def test_unknown_run_is_reported(self, lead, mission):
        other = import_report_file(make_mission(title="Another"), FAILING)
        import_report_file(mission)
        page = page_text(lead.get(address(mission), {"citizen": "sofia", "run": other.pk}))
        assert "This test run does not exist. Showing the latest run." in page
        assert "KeyError" not in page


class TestQueries:
    @pytest.mark.parametrize("citizen", ["emma", "sofia"])
    def test_queries_do_not_grow_with_mission(self, lead, dora, django_assert_num_queries, mission, citizen):
        def fill(many: int):
            for number in range(many):
                tick_item(item=make_item(mission, f"Item {number}"), done=True, actor=staff())
                signed = make_item(mission, f"Signed item {number}")
                proof = add_evidence(actor=staff(), item=signed, kind="sign_off", value="Delivery Lead")
                sign_off(actor=dora, evidence=proof)
                for name in ("emma", "sofia"):
                    add_message(
                        actor=Member.objects.system(),
                        mission=mission,
                        citizen=name,
                        sender="user",
                        message=f"Hello {number}",
                    )
                import_report_file(
                    mission, FAILING + b"\n" * (TestRun.objects.count() + 1), logs=b"x\n" * 9, actor=staff()
                )
                change_status(mission=mission, to="qa", actor=staff())
                change_status(mission=mission, to="active", actor=staff(), reason="Again")

        # Session, member, permissions of user and roles; mission; latest run, missing, status changes;
        # evidence, roles that sign it, progress, items, their last changes by evidence; citizens, lengths of messages,
        # messages; templates, comments, costs.
        # For Sofia: runs, results, last page and one page of the logs; the gate.
        wanted = {"emma": 20, "sofia": 24}[citizen]
        fill(1)
        query = {"citizen": citizen, "log": 1}
        lead.get(address(mission), query)
        with django_assert_num_queries(wanted):
            lead.get(address(mission), query)
        fill(8)
        with django_assert_num_queries(wanted):
            lead.get(address(mission), query)
