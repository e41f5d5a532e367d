"""The API of client missions: list, details, changes, status and permissions."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from groups.models import Member
from missiondeck.models import DeckMission, DeckStatusChange
from missiondeck.services.missions import change_status
from tests.missiondeck.api_helpers import ApiUsers, at, create_users, patch, post, read_all_pages, rejected
from tests.support.factories.groups import MemberFactory
from tests.support.factories.missiondeck import DeckMissionFactory, DodItemFactory, RunFactory, junit_of, make_ready

pytestmark = pytest.mark.django_db

MISSIONS = "/api/deck/missions"
NEW = {
    "title": "Landing Page",
    "client": "Beta Inc",
    "budget": 450,
    "deadline": "2026-12-10T23:59:59Z",
    "assigned_to": "noor@example.org",
}


@pytest.fixture(autouse=True)
def no_rate(settings):
    settings.API_REQUESTS_PER_MINUTE = 0


@pytest.fixture
def cast() -> ApiUsers:
    return create_users()


@pytest.fixture
def lead(cast):
    return cast.client("lead")


class TestDetail:
    def test_mission_has_progress_last_run_and_missing(self, cast, lead):
        DodItemFactory(mission=cast.mission, done=True)
        DodItemFactory(mission=cast.mission, text="It sends")
        RunFactory(mission=cast.mission)
        run = RunFactory(mission=cast.mission, failed=True)
        shown = lead.get(cast.at()).json()
        fields = ("number", "title", "client", "budget", "currency", "status", "assigned_to", "assignee", "is_overdue")
        assert {name: shown[name] for name in fields} == {
            "number": cast.mission.number,
            "title": "Telegram Notifier",
            "client": "Acme Corp",
            "budget": 300,
            "currency": "USD",
            "status": "active",
            "assigned_to": "noor@example.org",
            "assignee": cast.people["deliverer"].member_id,
            "is_overdue": False,
        }
        assert shown["progress"] == {"done": 1, "total": 2}
        assert (shown["last_run"]["id"], shown["last_run"]["status"]) == (str(run.pk), "failed")
        assert [(each["what"], each["items"], each["status"]) for each in shown["missing"]] == [
            ("open_items", ["It sends"], None),
            ("test_run", None, "failed"),
        ]

    def test_empty_mission_is_shown(self, cast, lead):
        shown = lead.get(cast.at()).json()
        assert (shown["progress"], shown["last_run"]) == ({"done": 0, "total": 0}, None)
        assert [each["what"] for each in shown["missing"]] == ["no_items", "no_test_run"]

    @pytest.mark.parametrize("key", ["9999999", "0", "-1", "x", "%00", str(2**63), "9" * 30, "💥", "47.0"])
    def test_unknown_mission_answers_404(self, lead, key):
        answer = lead.get(f"{MISSIONS}/{key}")
        assert answer.status_code in (400, 404, 422)
        assert answer["Content-Type"] == "application/problem+json"


class TestList:
    def test_list_is_newest_first_and_paginated(self, cast, lead):
        numbers = [cast.mission.number, *(DeckMissionFactory().number for _ in range(6))]
        rows, pages = read_all_pages(lead, f"{MISSIONS}?limit=3")
        assert [row["number"] for row in rows] == sorted(numbers, reverse=True)
        assert pages == 3

    def test_filters_limit_the_list(self, cast, lead):
        late = DeckMissionFactory(client="Beta Inc", deadline=timezone.now() - timedelta(hours=1))
        done = make_ready(DeckMissionFactory(deadline=timezone.now() - timedelta(days=1)))
        change_status(mission=done, to="complete", actor=Member.objects.system())
        RunFactory(mission=late)
        RunFactory(mission=late, failed=True)
        mine = DeckMissionFactory(assigned_to=cast.people["lead"].email)
        RunFactory(mission=mine, running=True)
        everything = {cast.mission.number, late.number, done.number, mine.number}

        def found(query):
            return {row["number"] for row in read_all_pages(lead, f"{MISSIONS}?{query}")[0]}

        assert found("status=complete") == {done.number}
        assert found("client=BETA") == {late.number}
        assert found("client=%25") == set()
        assert found("assigned_to=me") == {mine.number}
        assert found("assigned_to=NOOR@example.org") == {cast.mission.number}
        assert found("overdue=true") == {late.number}
        assert found("overdue=false") == everything - {late.number}
        assert found("last_run=failed") == {late.number}
        assert found("last_run=passed") == {done.number}
        assert found("last_run=running") == {mine.number}
        assert found("last_run=none") == {cast.mission.number}
        assert found("status=active&overdue=true&last_run=failed") == {late.number}

    @pytest.mark.parametrize(
        "query", ["status=gone", "overdue=perhaps", "last_run=never", "limit=0", "limit=201", "cursor=made-up"]
    )
    def test_invalid_parameter_is_named(self, lead, query):
        document = lead.get(f"{MISSIONS}?{query}").json()
        assert document["status"] == 422
        assert document["errors"][0]["pointer"] == f"query/{query.partition('=')[0]}"

    def test_foreign_cursor_is_rejected(self, cast, lead):
        DeckMissionFactory.create_batch(2)
        cursor = lead.get(f"{MISSIONS}?limit=1").json()["next"].partition("cursor=")[2]
        rejected(lead.get(f"{MISSIONS}?status=active&cursor={cursor}"), 422, "cursor_rejected", "query/cursor")
        rejected(cast.client("auditor").get(f"{MISSIONS}?cursor={cursor}"), 422, "cursor_rejected", "query/cursor")

    def test_list_has_fixed_number_of_queries(self, cast, lead):
        def queries() -> int:
            with CaptureQueriesContext(connection) as counted:
                assert lead.get(MISSIONS).status_code == 200
            return len(counted)

        # The first request also updates the last use of the token.
        queries()
        few = queries()
        for mission in DeckMissionFactory.create_batch(8):
            DodItemFactory(mission=mission)
            RunFactory(mission=mission)
        assert queries() == few


class TestAdd:
    def test_new_mission_is_active_with_next_number(self, cast, lead):
        answer = post(lead, MISSIONS, **NEW, github_url="https://github.com/example/page")
        assert answer.status_code == 201
        made = answer.json()
        assert (made["number"], made["status"], made["currency"]) == (cast.mission.number + 1, "active", "USD")
        assert made["assignee"] == cast.people["deliverer"].member_id
        assert lead.get(f"{MISSIONS}/{made['number']}").json() == made

    def test_repeated_key_creates_one_mission(self, lead):
        first, again = (post(lead, MISSIONS, key="one", **NEW) for _ in range(2))
        assert first.json() == again.json()
        assert again["Idempotency-Replayed"] == "true"
        assert DeckMission.objects.filter(title="Landing Page").count() == 1

    @pytest.mark.parametrize(
        ("change", "code", "pointer"),
        [
            ({"title": "  "}, "input_rejected", "/title"),
            ({"title": "x" * 201}, "input_rejected", "/title"),
            ({"title": "a\x00b"}, "input_rejected", "/title"),
            ({"client": None}, "input_rejected", "/client"),
            ({"budget": 0}, "input_rejected", "/budget"),
            ({"budget": 2**31}, "input_rejected", "/budget"),
            ({"budget": 1.5}, "input_rejected", "/budget"),
            ({"currency": "usd"}, "input_rejected", "/currency"),
            ({"deadline": "2026-12-10T23:59:59"}, "input_rejected", "/deadline"),
            ({"deadline": "9999-12-31T23:59:59-12:00"}, "input_rejected", "/deadline"),
            ({"deadline": "0001-01-01T00:00:00+14:00"}, "input_rejected", "/deadline"),
            ({"assigned_to": "nobody"}, "input_rejected", "/assigned_to"),
            ({"assigned_to": "a@b@c"}, "input_rejected", "/assigned_to"),
            ({"github_url": "https://example.org/x"}, "repository_invalid", "/github_url"),
            ({"github_url": "javascript:alert(1)"}, "repository_invalid", "/github_url"),
            ({"status": "complete"}, "input_rejected", "/status"),
            ({"number": 1}, "input_rejected", "/number"),
        ],
    )
    def test_invalid_field_is_named(self, lead, change, code, pointer):
        rejected(post(lead, MISSIONS, **(NEW | change)), 422, code, pointer)
        assert not DeckMission.objects.filter(title="Landing Page").exists()


class TestChange:
    def test_patch_changes_only_given_fields(self, cast, lead):
        other = MemberFactory()
        changed = patch(lead, cast.at(), title=" Notifier ", budget=350, assigned_to=other.email).json()
        assert (changed["title"], changed["budget"], changed["client"]) == ("Notifier", 350, "Acme Corp")
        assert changed["assignee"] == other.member_id
        assert patch(lead, cast.at()).json() == changed == lead.get(cast.at()).json()

    def test_repository_can_be_removed(self, cast, lead):
        assert patch(lead, cast.at(), github_url="https://github.com/example/page").json()["github_url"]
        assert patch(lead, cast.at(), github_url="").json()["github_url"] == ""

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [({"title": " "}, "/title"), ({"budget": -1}, "/budget"), ({"status": "qa"}, "/status")],
    )
    def test_invalid_change_is_named(self, cast, lead, change, pointer):
        rejected(patch(lead, cast.at(), **change), 422, "input_rejected", pointer)


class TestStatus:
    def test_status_changes_are_recorded(self, cast, lead):
        make_ready(cast.mission)
        moved = post(lead, cast.at("/status"), to="complete").json()
        assert (moved["status"], moved["missing"], moved["override_reason"]) == ("complete", [], "")
        assert moved["completed_by"] == cast.people["lead"].member_id
        assert moved["completed_at"]
        last = DeckStatusChange.objects.filter(mission=cast.mission).first()
        assert (last.to_status, last.by_id) == ("complete", cast.people["lead"].pk)

    @pytest.mark.seed("001 missions, definition of done and chats by the API")
    def test_completing_unfinished_mission_lists_missing(self, cast, lead):
        DodItemFactory(mission=cast.mission, text="It sends")
        RunFactory(mission=cast.mission, failed=True)
        assert post(lead, cast.at("/status"), to="qa").status_code == 200
        document = rejected(post(lead, cast.at("/status"), to="complete"), 409, "not_done")
        assert document["missing"] == [
            {"what": "open_items", "count": 1, "items": ["It sends"]},
            {"what": "test_run", "status": "failed"},
        ]
        assert "1 item is open: It sends." in document["detail"]
        assert "The latest test run failed." in document["detail"]
        assert lead.get(cast.at()).json()["status"] == "qa"

    def test_rejection_does_not_use_up_key(self, cast, lead):
        make_ready(cast.mission)
        item = DodItemFactory(mission=cast.mission)
        rejected(post(lead, cast.at("/status"), key="now", to="complete"), 409, "not_done")
        item.delete()
        assert post(lead, cast.at("/status"), key="now", to="complete").json()["status"] == "complete"

    def test_override_needs_reason_and_is_recorded(self, cast, lead):
        assert post(lead, cast.at("/status"), to="qa").status_code == 200
        rejected(
            post(lead, cast.at("/status"), to="complete", override=True), 422, "override_reason_missing", "/reason"
        )
        done = post(lead, cast.at("/status"), to="complete", override=True, reason="Signed off as it is").json()
        assert (done["status"], done["override_reason"]) == ("complete", "Signed off as it is")
        change = DeckStatusChange.objects.filter(mission=cast.mission).first()
        assert (change.is_override, [each["what"] for each in change.missing]) == (True, ["no_items", "no_test_run"])

    def test_override_needs_permission(self, cast):
        lead = cast.people["lead"]
        lead.groups.clear()
        for name in ("view_deckmission", "change_deckmission_status"):
            lead.user_permissions.add(permission(name))
        client = cast.client("lead")
        assert post(client, cast.at("/status"), to="qa").status_code == 200
        rejected(post(client, cast.at("/status"), to="complete", override=True, reason="So"), 403, "not_allowed")

    def test_step_back_needs_reason(self, cast, lead):
        post(lead, cast.at("/status"), to="qa")
        rejected(post(lead, cast.at("/status"), to="active"), 422, "step_back_reason_missing", "/reason")
        assert post(lead, cast.at("/status"), to="active", reason="A bug").json()["status"] == "active"

    def test_skipping_a_status_is_rejected(self, cast, lead):
        rejected(post(lead, cast.at("/status"), to="complete"), 409, "status_change_rejected", "/to")

    @pytest.mark.parametrize("body", [{}, {"to": "gone"}, {"to": None}, {"to": "qa", "reason": "x" * 2001}])
    def test_invalid_status_change_is_rejected(self, cast, lead, body):
        assert post(lead, cast.at("/status"), **body).status_code == 422


READS = ["", "/dod", "/chats", "/chats/emma", "/runs", "/runs/latest", "/runs/{run}", "/runs/{run}/logs"]
WRITES = [
    ("patch", "", {"title": "Mine"}),
    ("post", "/status", {"to": "qa"}),
    ("post", "/dod", {"text": "More"}),
    ("patch", "/dod/{item}", {"completed": True}),
    ("delete", "/dod/{item}", None),
    ("post", "/chats/emma", {"sender": "user", "message": "Hi"}),
    ("post", "/runs", {"name": "pytest"}),
    ("post", "/runs/import", None),
    ("post", "/runs/{run}/finish", None),
    ("post", "/runs/{run}/give-up", {}),
]


class TestRights:
    @pytest.fixture
    def fill(self, cast):
        """The URL of a part of the mission, with real ids."""
        ids = {"item": DodItemFactory(mission=cast.mission).pk, "run": RunFactory(mission=cast.mission).pk}
        return lambda rest: cast.at(rest.format(**ids))

    @pytest.mark.parametrize("rest", READS)
    def test_only_staff_and_assignee_can_read(self, cast, fill, rest):
        for name in ("lead", "auditor", "deliverer"):
            assert cast.client(name).get(fill(rest)).status_code == 200, name
        for name in ("colleague", "stranger"):
            document = rejected(cast.client(name).get(fill(rest)), 404, "not_found")
            assert "you may not view it" in document["detail"]

    @pytest.mark.parametrize(("method", "rest", "body"), WRITES)
    def test_writing_needs_change_permission(self, cast, fill, method, rest, body):
        before = changeable(cast)
        for name, status in (("auditor", 403), ("deliverer", 403), ("colleague", 404), ("stranger", 404)):
            client = cast.client(name)
            send = getattr(client, method)
            if "import" in rest or "finish" in rest:
                answer = send(fill(rest), {"report": report_file()})
            else:
                answer = send(fill(rest), body, content_type="application/json")
            rejected(answer, status, {403: "not_allowed", 404: "not_found"}[status])
        assert changeable(cast) == before

    def test_list_contains_visible_missions(self, cast):
        other = DeckMissionFactory()
        assert len(read_all_pages(cast.client("auditor"), MISSIONS)[0]) == 2
        assert [row["number"] for row in read_all_pages(cast.client("deliverer"), MISSIONS)[0]] == [cast.mission.number]
        assert (
            read_all_pages(cast.client("stranger"), MISSIONS)[0]
            == read_all_pages(cast.client("colleague"), MISSIONS)[0]
            == []
        )
        rejected(cast.client("deliverer").get(at(other)), 404, "not_found")

    def test_adding_needs_permission(self, cast):
        for name in ("auditor", "deliverer", "colleague", "stranger"):
            rejected(post(cast.client(name), MISSIONS, **NEW), 403, "not_allowed")
        assert DeckMission.objects.count() == 1

    def test_reassigned_mission_is_hidden_from_former_assignee(self, cast, lead):
        deliverer = cast.client("deliverer")
        assert deliverer.get(cast.at()).status_code == 200
        patch(lead, cast.at(), assigned_to="someone@example.org")
        rejected(deliverer.get(cast.at()), 404, "not_found")

    def test_permission_needs_staff_flag(self, cast):
        stranger = cast.people["stranger"]
        stranger.user_permissions.add(permission("view_deckmission"), permission("add_testrun"))
        rejected(cast.client("stranger").get(cast.at()), 404, "not_found")
        rejected(cast.client("stranger").post(cast.at("/runs/import"), {"report": report_file()}), 404, "not_found")

    def test_ids_of_other_mission_answer_404(self, cast, lead):
        other = DeckMissionFactory()
        run, item = RunFactory(mission=other), DodItemFactory(mission=other)
        rejected(lead.get(cast.at(f"/runs/{run.pk}")), 404, "not_found")
        rejected(lead.get(cast.at(f"/runs/{run.pk}/logs")), 404, "not_found")
        rejected(patch(lead, cast.at(f"/dod/{item.pk}"), completed=True), 404, "not_found")
        rejected(lead.delete(cast.at(f"/dod/{item.pk}")), 404, "not_found")

    @pytest.mark.parametrize("rest", READS)
    def test_token_without_scope_cannot_read(self, cast, fill, rest):
        client = cast.client("lead", "deck:write", "deck:import")
        assert "deck:read" in rejected(client.get(fill(rest)), 403, "not_allowed")["detail"]

    @pytest.mark.parametrize(("method", "rest", "body"), WRITES)
    def test_token_without_scope_cannot_write(self, cast, fill, method, rest, body):
        is_import = rest.startswith("/runs")
        client = cast.client("lead", "deck:read", "deck:write" if is_import else "deck:import")
        answer = getattr(client, method)(fill(rest), body, content_type="application/json")
        wanted = "deck:import" if is_import else "deck:write"
        assert wanted in rejected(answer, 403, "not_allowed")["detail"]

    def test_request_without_token_answers_401(self, cast, client):
        rejected(client.get(cast.at()), 401, "token_rejected")
        rejected(client.post(cast.at("/runs/import"), {"report": report_file()}), 401, "token_rejected")


def permission(codename: str):
    return Permission.objects.get(codename=codename, content_type__app_label="missiondeck")


def report_file():
    return SimpleUploadedFile("report.xml", junit_of(("test_it", "passed")))


def changeable(cast: ApiUsers) -> list:
    """The data that a request could change."""
    mission = DeckMission.objects.get(pk=cast.mission.pk)
    return [
        (mission.title, mission.status),
        *mission.dod_items.values_list("pk", "text", "completed"),
        *mission.chat_messages.values_list("pk"),
        *mission.test_runs.values_list("pk", "status"),
    ]
