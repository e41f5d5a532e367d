"""The API of test runs: list, results and logs."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from missiondeck.models import TestRun
from tests.missiondeck.api_helpers import UNKNOWN_ID, ApiUsers, at, create_users, read_all_pages, rejected
from tests.support.factories.missiondeck import DeckMissionFactory, RunFactory, junit_of, report_of, run_from

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_rate(settings):
    settings.API_REQUESTS_PER_MINUTE = 0


@pytest.fixture
def cast() -> ApiUsers:
    return create_users()


@pytest.fixture
def reader(cast):
    """A client of the auditor, who can only read."""
    return cast.client("auditor", "deck:read")


class TestList:
    def test_list_is_newest_first_and_paginated(self, cast, reader):
        runs = [RunFactory(mission=cast.mission) for _ in range(5)]
        RunFactory()
        rows, pages = read_all_pages(reader, cast.at("/runs?limit=2"))
        assert [row["id"] for row in rows] == [str(run.pk) for run in reversed(runs)]
        assert pages == 3

    def test_runs_with_same_time_are_each_listed_once(self, cast, reader):
        RunFactory.create_batch(5, mission=cast.mission, created_at="2026-01-01T00:00:00.123456Z")
        rows, _ = read_all_pages(reader, cast.at("/runs?limit=2"))
        assert len({row["id"] for row in rows}) == len(rows) == 5

    def test_status_filters_the_list(self, cast, reader):
        RunFactory(mission=cast.mission)
        failed = RunFactory(mission=cast.mission, failed=True)
        running = RunFactory(mission=cast.mission, running=True)
        assert [row["id"] for row in read_all_pages(reader, cast.at("/runs?status=failed"))[0]] == [str(failed.pk)]
        assert [row["id"] for row in read_all_pages(reader, cast.at("/runs?status=running"))[0]] == [str(running.pk)]
        rejected(reader.get(cast.at("/runs?status=gone")), 422, "input_rejected", "query/status")

    def test_list_does_not_load_results_and_logs(self, cast, reader):
        run_from(cast.mission, junit_of(("canary", "failed"), output="a canary in the logs"))
        with CaptureQueriesContext(connection) as counted:
            answer = reader.get(cast.at("/runs"))
        assert b"canary" not in answer.content
        assert not {"results", "logs", "warnings"} & set(answer.json()["items"][0])
        read = [query["sql"] for query in counted if '"test_runs"' in query["sql"]]
        assert read
        for sql in read:
            assert not any(f'"test_runs"."{name}"' in sql for name in ("results", "logs", "warnings"))

    def test_flaky_tests_are_counted(self, cast, reader):
        for number, status in enumerate(("failed", "passed", "failed")):
            RunFactory(mission=cast.mission, status=status, results=[{"name": "test_it", "status": status}],
                       name=str(number))  # fmt: skip
        assert [row["flaky_count"] for row in read_all_pages(reader, cast.at("/runs"))[0]] == [1, 0, 0]


class TestDetail:
    def test_results_are_worst_first(self, cast, reader):
        run = run_from(
            cast.mission,
            junit_of(("test_a", "passed"), ("test_b", "skipped"), ("test_c", "failed"), ("test_d", "error")),
            actor=cast.people["lead"],
        )
        data = reader.get(cast.at(f"/runs/{run.pk}")).json()
        assert (data["status"], data["source"], data["name"], data["mission"]) == (
            "failed",
            "junit",
            "pytest",
            cast.mission.number,
        )
        assert data["created_by"] == cast.people["lead"].member_id
        assert data["finished_at"]
        assert {name: data["summary"][name] for name in ("passed", "failed", "errors", "skipped", "total")} == {
            "passed": 1,
            "failed": 1,
            "errors": 1,
            "skipped": 1,
            "total": 4,
        }
        assert data["results"] | {"items": []} == {"items": [], "next": None, "total": 4}
        items = data["results"]["items"]
        assert [item["name"] for item in items] == ["test_d", "test_c", "test_b", "test_a"]
        assert (items[1]["error"], items[1]["traceback"], items[1]["classname"]) == ("1 != 2", "test.py:3", "tests")
        assert [item["is_flaky"] for item in items] == [False] * 4

    def test_latest_run_is_last_started(self, cast, reader):
        rejected(reader.get(cast.at("/runs/latest")), 404, "not_found")
        RunFactory(mission=cast.mission)
        last = RunFactory(mission=cast.mission, running=True)
        RunFactory()
        data = reader.get(cast.at("/runs/latest")).json()
        assert (data["id"], data["status"], data["finished_at"]) == (str(last.pk), "running", None)
        assert data["results"] == {"items": [], "next": None, "total": 0}

    def test_results_are_paginated_filtered_and_searched(self, cast, reader):
        results = [{"name": f"test_{number:03}", "status": "passed", "suite": "unit"} for number in range(119)]
        results.append({"name": "Tricky_100%", "status": "failed", "suite": "browser"})
        run = RunFactory(mission=cast.mission, status="failed", results=results)

        def page(query):
            return reader.get(cast.at(f"/runs/{run.pk}?{query}")).json()["results"]

        seen, at = [], cast.at(f"/runs/{run.pk}?limit=50")
        while at:
            shown = reader.get(at).json()["results"]
            seen += [item["name"] for item in shown["items"]]
            at = shown["next"]
            assert shown["total"] == 120
        assert seen == ["Tricky_100%", *(f"test_{number:03}" for number in range(119))]
        assert [item["name"] for item in page("status=failed")["items"]] == ["Tricky_100%"]
        assert page("status=error")["total"] == 0
        assert [item["name"] for item in page("search=TEST_01")["items"]] == [f"test_{n:03}" for n in range(10, 20)]
        assert [item["name"] for item in page("search=0%25")["items"]] == ["Tricky_100%"]
        assert page("search=browser")["total"] == 1
        assert page("search=_%25_")["total"] == 0

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=x",
            "cursor=x",
            "page=0",
            "page=x",
            f"page={2**63}",
            "status=gone",
            "search=",
            "search=%00",
            "search=" + "x" * 201,
        ],
    )
    def test_invalid_parameter_is_named(self, cast, reader, query):
        run = RunFactory(mission=cast.mission)
        rests = [] if query.startswith("page") else [f"/runs/{run.pk}", "/runs/latest"]
        if query.startswith(("page", "search")):
            rests.append(f"/runs/{run.pk}/logs")
        for rest in rests:
            document = reader.get(cast.at(f"{rest}?{query}")).json()
            assert document["status"] in (400, 422)
            if document["status"] == 422:
                assert document["errors"][0]["pointer"].startswith("query")

    @pytest.mark.parametrize("key", [UNKNOWN_ID, "x", "0", "%00", "💥", "Latest"])
    def test_unknown_run_answers_404(self, cast, reader, key):
        for rest in ("", "/logs"):
            answer = reader.get(cast.at(f"/runs/{key}{rest}"))
            assert answer.status_code in (400, 404, 422)
            assert answer["Content-Type"] == "application/problem+json"

    def test_hostile_texts_are_returned_as_json(self, cast, reader):
        name = "</script><script>alert(1)</script>"
        run = run_from(cast.mission, report_of((name, "failed")))
        answer = reader.get(cast.at(f"/runs/{run.pk}"))
        assert answer["Content-Type"].startswith("application/json")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer.json()["results"]["items"][0]["name"] == name

    def test_link_points_to_workspace(self, cast, reader, settings, client):
        settings.SITE_URL = "https://missions.example.org"
        RunFactory(mission=cast.mission)
        link = reader.get(cast.at("/runs/latest")).json()["link"]
        assert link.startswith("https://missions.example.org/admin/missiondeck/deckmission/")
        client.force_login(cast.people["auditor"])
        assert client.get(link.removeprefix("https://missions.example.org"), follow=True).status_code == 200


class TestLogs:
    @pytest.fixture
    def run(self, cast) -> TestRun:
        """A run with several pages of logs and a marker in line 7,000."""
        lines = [f"line {number:05} " + "x" * 30 for number in range(1, 10_001)]
        lines[6_999] = "here it BROKE 100%"
        return run_from(cast.mission, report_of(("test_it", "failed")), logs="\n".join(lines).encode())

    def test_log_pages_contain_every_line_once(self, cast, reader, run):
        first = reader.get(cast.at(f"/runs/{run.pk}/logs")).json()
        assert (first["page"], first["hits"]) == (1, None)
        assert first["pages"] > 3
        lines = []
        for number in range(1, first["pages"] + 1):
            answer = reader.get(cast.at(f"/runs/{run.pk}/logs?page={number}"))
            assert len(answer.content) < 300_000
            lines += answer.json()["lines"]
        assert [line["line"] for line in lines] == list(range(1, 10_001))
        assert lines[6_999] == {"line": 7_000, "text": "here it BROKE 100%"}

    def test_page_after_last_answers_404(self, cast, reader, run):
        rejected(reader.get(cast.at(f"/runs/{run.pk}/logs?page=99")), 404, "not_found")

    def test_search_returns_line_and_page(self, cast, reader, run):
        data = reader.get(cast.at(f"/runs/{run.pk}/logs?search=it%20broke")).json()
        (hit,) = data["hits"]
        assert (hit["line"], hit["text"], data["lines"]) == (7_000, "here it BROKE 100%", [])
        page = reader.get(cast.at(f"/runs/{run.pk}/logs?page={hit['page']}")).json()
        assert {"line": 7_000, "text": "here it BROKE 100%"} in page["lines"]
        assert len(reader.get(cast.at(f"/runs/{run.pk}/logs?search=line")).json()["hits"]) == 100
        assert reader.get(cast.at(f"/runs/{run.pk}/logs?search=nothing%20like%20it")).json()["hits"] == []

    def test_run_without_logs_has_no_pages(self, cast, reader):
        run = RunFactory(mission=cast.mission)
        data = reader.get(cast.at(f"/runs/{run.pk}/logs")).json()
        assert data == {"page": 1, "pages": 0, "lines": [], "hits": None}

    def test_logs_of_hidden_mission_answer_404(self, cast, run):
        other = DeckMissionFactory(assigned_to=cast.people["deliverer"].email)
        rejected(cast.client("stranger").get(cast.at(f"/runs/{run.pk}/logs")), 404, "not_found")
        rejected(cast.client("deliverer").get(at(other, f"/runs/{run.pk}/logs")), 404, "not_found")


def test_run_response_is_strict_json(cast, reader):
    """No NaN and no Infinity, because durations are finite."""
    run = run_from(cast.mission, report_of(("test_it", "passed")))
    body = reader.get(cast.at(f"/runs/{run.pk}")).content
    json.loads(body, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
