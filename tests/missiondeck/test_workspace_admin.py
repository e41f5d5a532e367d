"""The workspace of a client mission: content, actions and permissions."""

from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from groups.models import Member
from missiondeck.models import ChatMessage, DeckMission, DeckStatusChange, DodItem, TestRun
from missiondeck.services.chats import add_message
from missiondeck.services.checklist import tick_item
from missiondeck.services.missions import change_status
from tests.missiondeck.workspace_helpers import (
    FAILING,
    PASSING,
    address,
    complete,
    create_message,
    import_report_file,
    make_item,
    make_mission,
)
from tests.support.admin import client, client_of, page_text, staff

pytestmark = pytest.mark.django_db
FRAGMENT = {"X-Fragment": "checklist"}


@pytest.fixture
def dora() -> Member:
    """A delivery lead."""
    return staff("Delivery Lead", display_name="Dora")


@pytest.fixture
def lead(dora) -> Client:
    return client_of(dora)


@pytest.fixture
def mission() -> DeckMission:
    return make_mission()


def who_may(*permissions: str) -> Client:
    """A staff member with the view permission and these permissions."""
    member = staff(display_name="Someone")
    wanted = ("view_deckmission", *permissions)
    member.user_permissions.add(*Permission.objects.filter(codename__in=wanted, content_type__app_label="missiondeck"))
    return client_of(member)


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
        (address(mission, "_import"), {"report": upload(PASSING)}, "add_testrun"),
        (address(mission, "_add"), new, "change_deckmission"),
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


def state() -> list:
    return [
        list(DeckMission.objects.order_by("pk").values_list("pk", "status")),
        list(DodItem.objects.order_by("pk").values_list("pk", "text", "category", "completed", "position")),
        ChatMessage.objects.count(),
        TestRun.objects.count(),
    ]


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


class TestHead:
    def test_head_shows_mission_details(self, lead, dora):
        mission = make_mission(
            title="Telegram <Notifier>",
            assigned_to=dora.email,
            github_url="https://github.com/mind-protocol/mission-47",
        )
        page = page_text(lead.get(address(mission)))
        assert f"#{mission.number}" in page
        for text in ("Telegram <Notifier>", "for", "Acme", "USD 1,200", "10 days left", "UTC", "Active"):
            assert text in page
        assert f'href="/admin/groups/member/{dora.pk}/change/">Dora</a>' in page
        assert 'href="https://github.com/mind-protocol/mission-47"' in page
        assert f'href="/admin/missiondeck/deckmission/{mission.pk}/change/"' in page

    @pytest.mark.parametrize(
        ("away", "expected"),
        [
            (timedelta(days=2, hours=1), "2 days left"),
            (timedelta(days=1, hours=1), "1 day left"),
            (timedelta(hours=5, minutes=9), "5 hours left"),
            (timedelta(minutes=9), "less than an hour left"),
            (-timedelta(hours=3, minutes=9), "3 hours overdue"),
            (-timedelta(days=12, hours=1), "12 days overdue"),
        ],
    )
    def test_head_shows_time_left(self, lead, mission, away, expected):
        DeckMission.objects.filter(pk=mission.pk).update(deadline=timezone.now() + away)
        page = page_text(lead.get(address(mission)))
        assert expected in page
        assert ('<strong class="ws-late">' in page) == ("overdue" in expected)

    def test_times_use_time_zone_of_viewer(self, lead, mission):
        deadline = timezone.now().replace(year=2031, month=1, day=2, hour=1, minute=30)
        DeckMission.objects.filter(pk=mission.pk).update(deadline=deadline)
        assert "2 Jan 2031 01:30" in page_text(lead.get(address(mission)))
        with timezone.override("America/Sao_Paulo"):
            page = page_text(lead.get(address(mission)))
        assert "1 Jan 2031 22:30" in page
        assert "America/Sao_Paulo" in page

    def test_head_lists_what_is_missing(self, lead, mission):
        page = page_text(lead.get(address(mission)))
        assert "In progress: 10 days left" in page
        assert "The definition of done has no items." in page
        assert "There is no test run yet." in page
        make_item(mission)
        make_item(mission, "It ships", done=True)
        import_report_file(mission, FAILING)
        page = page_text(lead.get(address(mission)))
        assert "1 item is open." in page
        assert "The latest test run failed." in page
        assert "1 of 2 done" in page

    def test_ready_and_late_missions_are_marked(self, lead, mission):
        make_item(mission, done=True)
        import_report_file(mission)
        assert "Ready: 10 days left" in page_text(lead.get(address(mission)))
        DeckMission.objects.filter(pk=mission.pk).update(deadline=timezone.now() - timedelta(days=3, hours=1))
        page = page_text(lead.get(address(mission)))
        assert "Late: 3 days overdue" in page
        assert "ws-summary ws-bad" in page

    def test_complete_mission_names_member(self, lead, dora, mission):
        make_item(mission, done=True)
        import_report_file(mission)
        complete(mission, dora)
        page = page_text(lead.get(address(mission)))
        assert "All items were done and the latest test run had passed." in page
        assert "ws-summary ws-good" in page
        assert f'by <a class="row-link" href="/admin/groups/member/{dora.pk}/change/">Dora</a>' in page

    def test_override_shows_reason_and_missing(self, lead, dora, mission):
        make_item(mission, "It <ships>")
        complete(mission, dora, reason="They sign <today>")
        page = page_text(lead.get(address(mission)))
        assert "Complete with an override" in page
        assert "They sign <today>" in page
        assert "It <ships>" in page
        assert "There is no test run yet." in page
        assert "They sign <today>" not in lead.get(address(mission)).content.decode()

    def test_run_failed_after_completion_is_shown(self, lead, dora, mission):
        make_item(mission, done=True)
        import_report_file(mission)
        complete(mission, dora)
        TestRun.objects.bulk_create(
            [
                TestRun(
                    mission=mission,
                    status="failed",
                    results=[{"name": "a", "status": "failed"}],
                    created_at=timezone.now() + timedelta(minutes=1),
                )
            ]
        )
        page = page_text(lead.get(address(mission)))
        assert "Complete, but tests fail" in page
        assert "The latest test run failed after completion" in page


class TestStatusChanges:
    def test_page_offers_only_next_steps(self, lead, dora, mission):
        def steps():
            page = lead.get(address(mission)).content.decode()
            return {to for to in ("active", "qa", "complete") if f'name="to" value="{to}"' in page}

        assert steps() == {"qa"}
        change_status(mission=mission, to="qa", actor=dora)
        assert steps() == {"active", "complete"}
        complete(DeckMission.objects.get(), dora, reason="Today")
        assert steps() == {"qa"}

    def test_step_forward_records_member(self, lead, dora, mission):
        lead.post(address(mission, "_status"), {"to": "qa"})
        move = DeckStatusChange.objects.get()
        assert (move.from_status, move.to_status, move.by) == ("active", "qa", dora)
        page = page_text(lead.get(address(mission)))
        assert f"#{mission.number} Shop is in QA." in page
        assert "Status history (1)" in page

    def test_step_back_needs_reason(self, lead, dora, mission):
        change_status(mission=mission, to="qa", actor=dora)
        page = page_text(lead.post(address(mission, "_status"), {"to": "active", "reason": " "}))
        assert "Enter a reason to move the mission back." in page
        lead.post(address(mission, "_status"), {"to": "active", "reason": "They <changed> their mind"})
        assert DeckMission.objects.get().status == "active"
        assert "They <changed> their mind" in page_text(lead.get(address(mission)))

    @pytest.mark.parametrize("to", ["complete", "active", "gone", "", "\x00", "9" * 999])
    def test_invalid_status_is_rejected(self, lead, mission, to):
        page = lead.post(address(mission, "_status"), {"to": to})
        assert DeckMission.objects.get().status == "active"
        assert page.status_code in (200, 302)
        if to != "active":
            assert 'role="alert" id="ws-status-rejection"' in page.content.decode()

    def test_reason_is_kept_if_status_changed_meanwhile(self, lead, mission):
        page = page_text(lead.post(address(mission, "_status"), {"to": "complete", "reason": "They <changed> it"}))
        assert "changes one step at a time" in page
        assert "They <changed> it</blockquote>" in page
        assert "Complete anyway" not in page

    def test_rejected_completion_keeps_reason(self, lead, dora, mission):
        for number in range(25):
            make_item(mission, f"Promise <{number}>")
        change_status(mission=mission, to="qa", actor=dora)
        page = page_text(lead.post(address(mission, "_status"), {"to": "complete", "reason": "Nearly <there>"}))
        assert "This mission cannot be completed yet. Still missing:" in page
        assert "25 items are open:" in page
        assert "Promise <0>" in page
        assert "and 5 more" in page
        assert "There is no test run yet." in page
        assert ">Nearly <there></textarea>" in page
        assert "Complete anyway" in page
        assert DeckMission.objects.get().status == "qa"

    def test_override_needs_permission_and_reason(self, lead, dora, mission):
        make_item(mission)
        change_status(mission=mission, to="qa", actor=dora)
        mover = who_may("change_deckmission_status")
        page = page_text(mover.post(address(mission, "_status"), {"to": "complete"}))
        assert "1 item is open:" in page
        assert "Complete anyway" not in page
        body = {"to": "complete", "override": "1", "reason": "They sign today"}
        assert mover.post(address(mission, "_status"), body).status_code == 403
        page = page_text(lead.post(address(mission, "_status"), body | {"reason": "  "}))
        assert "Enter a reason to complete" in page
        assert DeckMission.objects.get().status == "qa"
        lead.post(address(mission, "_status"), body)
        done = DeckMission.objects.get()
        assert (done.status, done.completed_by, done.override_reason) == ("complete", dora, "They sign today")
        assert [each["what"] for each in DeckStatusChange.objects.first().missing] == ["open_items", "no_test_run"]


ON_ITEM = (("_tick", {"done": "1"}), ("_edit", {"text": "a", "category": "tests"}), ("_remove", {}))


class TestChecklist:
    def test_progress_is_shown_per_category_and_total(self, lead, mission):
        make_item(mission, done=True)
        make_item(mission, "It is fast", category="non-functional")
        page = page_text(lead.get(address(mission)))
        assert '<progress value="1" max="2" aria-label="Definition of done">50%</progress>' in page
        assert '<progress value="1" max="1" aria-label="Functional">100%</progress>' in page
        assert '<progress value="0" max="1" aria-label="Non-functional">0%</progress>' in page

    def test_tick_redirects_back(self, lead, dora, mission):
        item = make_item(mission)
        answer = lead.post(f"{address(mission, '_tick', item.pk)}?citizen=maya", {"done": "1"})
        assert answer["Location"] == f"{address(mission)}?citizen=maya#ws-checklist"
        item.refresh_from_db()
        assert (item.completed, item.completed_by) == (True, dora)
        lead.post(address(mission, "_tick", item.pk), {"done": "0"})
        item.refresh_from_db()
        assert (item.completed, item.completed_at) == (False, None)

    def test_tick_returns_fragment(self, lead, mission):
        item = make_item(mission)
        part = lead.post(address(mission, "_tick", item.pk), {"done": "1"}, headers=FRAGMENT)
        text = part.content.decode()
        assert part.status_code == 200
        assert "<html" not in text
        assert 'id="ws-head"' in text
        assert 'id="ws-checklist"' in text
        assert 'data-announce="1 of 1 done"' in text
        assert 'aria-checked="true"' in text

    def test_items_are_added_edited_moved_and_removed(self, lead, mission):
        for text in ("One", "Two"):
            lead.post(address(mission, "_add"), {"text": f" {text} ", "category": "tests"})
        one, two = DodItem.objects.all()
        assert (one.text, two.text) == ("One", "Two")
        lead.post(address(mission, "_position", two.pk), {"to": "up"})
        assert [item.text for item in DodItem.objects.all()] == ["Two", "One"]
        lead.post(address(mission, "_position", two.pk), {"to": "up"})
        lead.post(address(mission, "_position", two.pk), {"to": "down"})
        assert [item.text for item in DodItem.objects.all()] == ["One", "Two"]
        lead.post(address(mission, "_edit", one.pk), {"text": "First", "category": "functional"})
        one.refresh_from_db()
        assert (one.text, one.category) == ("First", "functional")
        lead.post(address(mission, "_remove", one.pk))
        assert DodItem.objects.get() == two

    def test_item_without_text_keeps_input(self, lead, mission):
        item = make_item(mission)
        page = page_text(lead.post(address(mission, "_add"), {"text": "  ", "category": "tests"}))
        assert "Enter the text of the item." in page
        assert '<option value="tests" selected>' in page
        long = "x" * 501
        page = page_text(lead.post(address(mission, "_edit", item.pk), {"text": long, "category": "tests"}))
        assert "at most 500 characters" in page
        assert f">{long}</textarea>" in page
        item.refresh_from_db()
        assert item.text == "It pays"

    def test_removed_or_foreign_item_is_reported(self, lead, mission):
        other = make_item(make_mission(title="Another"))
        before = state()
        for key in (other.pk, uuid4(), "x"):
            for name, body in (
                ("_tick", {"done": "1"}),
                ("_edit", {"text": "a", "category": "tests"}),
                ("_remove", {}),
            ):
                assert "This item was removed by another user" in page_text(
                    lead.post(address(mission, name, key), body)
                )
        assert state() == before

    @pytest.mark.parametrize("body", [{}, {"done": "maybe"}, {"done": "\x00"}])
    def test_tick_without_value_is_rejected(self, lead, mission, body):
        item = make_item(mission)
        assert "Choose whether the item is done." in page_text(lead.post(address(mission, "_tick", item.pk), body))
        item.refresh_from_db()
        assert not item.completed

    def test_complete_mission_has_locked_checklist(self, lead, dora, mission):
        item = make_item(mission)
        complete(mission, dora, reason="Today")
        page = page_text(lead.get(address(mission)))
        assert "its definition of done is locked" in page
        assert "formaction" not in page
        for name, body in ON_ITEM:
            rejected = page_text(lead.post(address(mission, name, item.pk), body))
            assert "Move the mission back to QA first." in rejected
        assert "Move the mission back to QA first." in page_text(
            lead.post(address(mission, "_add"), {"text": "New one", "category": "tests"})
        )
        assert DodItem.objects.get().completed is False


class TestChat:
    def test_tabs_are_links_in_workflow_order(self, lead, mission):
        add_message(actor=Member.objects.system(), mission=mission, citizen="inna", sender="user", message="Hello")
        page = lead.get(address(mission)).content.decode()
        order = [page.index(f'id="ws-tab-{name}"') for name in ("emma", "inna", "rafael", "sofia", "maya")]
        assert order == sorted(order)
        assert page.count('role="tab"') == 5
        # Without a citizen, the one with the latest message is open.
        assert page.count('aria-selected="true"') == 1
        assert page.split('id="ws-tab-inna"')[1].split(">")[0].count('aria-selected="true"') == 1
        assert "Chat with Inna" in page
        assert "No messages with Maya yet." in page_text(lead.get(address(mission), {"citizen": "maya"}))

    def test_messages_are_rendered_with_code(self, lead, mission):
        add_message(
            actor=Member.objects.system(),
            mission=mission,
            citizen="rafael",
            sender="citizen",
            message="**Done** <b>x</b>",
            code_blocks=[{"language": "python", "code": "def f(): pass"}],
        )
        page = lead.get(address(mission), {"citizen": "rafael"}).content.decode()
        assert "<strong>Done</strong> &lt;b&gt;x&lt;/b&gt;" in page
        assert '<span class="code-keyword">def</span>' in page
        assert "data-copy-code" in page

    def test_long_chat_is_paginated_from_latest(self, lead, mission):
        for number in range(70):
            create_message(mission, number, f"Message {number}.")
        seen, target = [], f"{address(mission)}?citizen=emma"
        while target:
            page = lead.get(target).content.decode()
            seen.append([number for number in range(70) if f"<p>Message {number}.</p>" in page])
            earlier = (
                page.split('rel="prev"')[0].rsplit('href="', 1)[1].split("#")[0] if "Earlier messages" in page else ""
            )
            target = earlier.replace("&amp;", "&")
        assert seen == [list(range(40, 70)), list(range(10, 40)), list(range(10))]

    def test_page_with_long_messages_is_shorter(self, lead, mission):
        for number in range(6):
            create_message(mission, number, f"Message {number}. {'word ' * 18_000}")
        page = lead.get(address(mission), {"citizen": "emma"}).content.decode()
        assert [number for number in range(6) if f"Message {number}." in page] == [3, 4, 5]
        assert "Earlier messages" in page

    def test_page_links_to_transcripts(self, lead, mission):
        assert "Transcript" not in lead.get(address(mission), {"citizen": "emma"}).content.decode()
        create_message(mission, 1, "Hello *there*")
        page = lead.get(address(mission), {"citizen": "emma"}).content.decode()
        for form in ("md", "json"):
            target = next(part for part in page.split('href="') if f"/transcript/{form}/" in part).split('"')[0]
            answer = lead.get(unescape(target))
            assert answer.status_code == 200
            assert "Hello *there*" in b"".join(answer.streaming_content).decode()

    def test_message_is_stored_unchanged(self, lead, mission):
        body = {
            "citizen": "sofia",
            "sender": "citizen",
            "message": "    indented\r\nnext",
            "language": "python",
            "code": "  x = 1\r\n",
        }
        answer = lead.post(address(mission, "_add_message"), body)
        assert answer["Location"] == f"{address(mission)}?citizen=sofia#ws-chat-end"
        message = ChatMessage.objects.get()
        assert (message.citizen, message.sender, message.message) == ("sofia", "citizen", "    indented\nnext")
        assert message.code_blocks == [{"language": "python", "code": "  x = 1\n"}]

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"message": " \r\n "}, "Enter a message."),
            ({"message": "x" * 100_001}, "at most 100,000 characters"),
            ({"message": "a\x00b"}, "Null characters are not allowed."),
            ({"language": "l" * 41}, "at most 40 characters"),
            ({"sender": "nobody"}, "nobody is not one of"),
            ({"citizen": "nobody"}, "nobody is not one of"),
        ],
    )
    def test_invalid_message_is_rejected_and_kept(self, lead, mission, changes, expected):
        body = {
            "citizen": "sofia",
            "sender": "citizen",
            "message": "Hello <you>",
            "language": "elvish",
            "code": "x <= 1",
        }
        page = page_text(lead.post(f"{address(mission, '_add_message')}?citizen=sofia", body | changes))
        assert expected in page
        assert "x <= 1</textarea>" in page
        if "message" not in changes:
            assert "Hello <you></textarea>" in page
        assert not ChatMessage.objects.exists()


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
        # progress, items; citizens, lengths of messages, messages; projects, for the sidebar. For Sofia: runs, results,
        # last page and one page of the logs.
        wanted = {"emma": 14, "sofia": 18}[citizen]
        fill(1)
        query = {"citizen": citizen, "log": 1}
        lead.get(address(mission), query)
        with django_assert_num_queries(wanted):
            lead.get(address(mission), query)
        fill(8)
        with django_assert_num_queries(wanted):
            lead.get(address(mission), query)
