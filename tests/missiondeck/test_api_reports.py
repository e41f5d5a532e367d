"""Test reports by the API: imports, errors, and atomicity."""

import gzip
from io import BytesIO

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.test import Client

import missiondeck.api.run_imports
from missiondeck.models import TestRun
from missiondeck.services.runs import import_report
from missionsite.common.models import IdempotencyKey
from tests.missiondeck.api_helpers import UNKNOWN_ID, ApiUsers, at, create_users, post, rejected, upload
from tests.missiondeck.reports.helpers import packed
from tests.support.concurrency import crowd, without
from tests.support.factories.groups import StaffFactory
from tests.support.factories.missiondeck import DeckMissionFactory, RunFactory, junit_of, report_of
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db

PASSED = junit_of(("test_a", "passed"), ("test_b", "passed"))
FAILED = junit_of(("test_a", "passed"), ("test_b", "failed"))
LAUGHS = b"""<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><testsuite name="&b;"/>"""
NOT_PASSED = {
    "what": "test_run", "count": None, "items": None, "status": "failed", "run": None, "suite": None,
    "environment": None, "limit": None, "tests": None,
}  # fmt: skip
EDGE = "multipart/form-data; boundary=edge"


@pytest.fixture(autouse=True)
def no_rate(settings):
    settings.API_REQUESTS_PER_MINUTE = 0


@pytest.fixture
def cast() -> ApiUsers:
    return create_users()


@pytest.fixture
def job(cast) -> Client:
    """A client with an import-only token of the lead."""
    return cast.client("lead", "deck:import")


@pytest.fixture
def address(cast) -> str:
    return cast.at("/runs/import")


def part(body: str | bytes, *, name: str = "report", filename: str | None = "report.xml", more: str = "") -> bytes:
    """One part of a multipart body, without the closing boundary."""
    named = f'; filename="{filename}"' if filename is not None else ""
    head = f'--edge\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{more}\r\n'
    return head.encode() + (body if isinstance(body, bytes) else body.encode()) + b"\r\n"


class TestImport:
    @pytest.mark.seed("001 reports by the API")
    def test_import_returns_the_run(self, cast, job, address):
        answer = upload(job, address, FAILED)
        assert answer.status_code == 201
        data = answer.json()
        run = TestRun.objects.get()
        assert (data["id"], data["status"], data["source"], data["name"]) == (str(run.pk), "failed", "junit", "pytest")
        assert (data["summary"]["passed"], data["summary"]["failed"], data["summary"]["total"]) == (1, 1, 2)
        assert (data["warnings"], data["flaky_tests"], data["mission"]) == ([], [], cast.mission.number)
        assert data["link"].endswith(f"/{cast.mission.pk}/workspace/?citizen=sofia&run={run.pk}")
        assert data["created_by"] == cast.people["lead"].member_id
        assert (run.mission_id, run.created_by_id) == (cast.mission.pk, cast.people["lead"].pk)

    def test_same_file_is_retry_under_any_name(self, job, address):
        first = upload(job, address, PASSED)
        again = upload(job, address, PASSED, name="other.xml")
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        assert TestRun.objects.count() == 1

    @pytest.mark.seed("001 all files of one request are one run")
    def test_several_files_become_one_run(self, job, address):
        shards = [SimpleUploadedFile(f"shard-{n}.xml", each) for n, each in enumerate((FAILED, PASSED))]
        answer = job.post(address, {"report": shards})
        data = answer.json()
        assert (answer.status_code, data["status"], data["summary"]["total"]) == (201, "failed", 4)
        again = job.post(address, {"report": [SimpleUploadedFile("b", PASSED), SimpleUploadedFile("a", FAILED)]})
        assert (again.status_code, again.json()["id"]) == (200, data["id"])

    @pytest.mark.seed("001 all files of one request are one run")
    def test_zip_archive_is_run_of_its_files(self, job, address):
        content = packed({"a/shard-1.xml": FAILED, "a/shard-2.xml": PASSED})
        data = upload(job, address, content, name="reports.zip").json()
        assert (data["status"], data["summary"]["total"], data["warnings"]) == ("failed", 4, [])
        again = job.post(address, {"report": [SimpleUploadedFile("b", PASSED), SimpleUploadedFile("a", FAILED)]})
        assert (again.status_code, again.json()["id"]) == (200, data["id"])

    def test_more_than_100_files_become_one_run(self, job, address):
        files = [SimpleUploadedFile(f"{n}.xml", junit_of((f"test_{n}", "passed"))) for n in range(150)]
        assert job.post(address, {"report": files}).json()["summary"]["total"] == 150

    def test_rejected_file_among_several_is_named(self, job, address):
        files = [SimpleUploadedFile("good.xml", PASSED), SimpleUploadedFile("bad.xml", b"hello")]
        document = rejected(job.post(address, {"report": files}), 422, "report_rejected", "/report")
        assert document["detail"].startswith("Report 2 of 2 (bad.xml): The file is neither XML nor JSON nor TAP.")
        assert not TestRun.objects.exists()

    def test_same_file_after_other_run_is_new_run(self, cast, job, address):
        answers = [upload(job, address, report) for report in (FAILED, PASSED, FAILED)]
        assert [answer.status_code for answer in answers] == [201, 201, 201]
        data = cast.client("lead").get(cast.at()).json()
        assert (data["last_run"]["status"], data["missing"][-1]) == ("failed", NOT_PASSED)

    def test_key_decides_between_retry_and_new_run(self, job, address):
        sent = [("build-1", 201), ("build-1", 201), ("build-2", 201), ("build-1", 201), (None, 200)]
        runs = []
        for key, status in sent:
            headers = {"Idempotency-Key": key} if key else {}
            answer = job.post(address, {"report": SimpleUploadedFile("r.xml", PASSED)}, headers=headers)
            assert answer.status_code == status, (key, answer.content)
            runs.append(answer.json()["id"])
        first, _, second, *_ = runs
        assert runs == [first, first, second, first, second]
        # The stored response expires after a day, the key of the run does not.
        IdempotencyKey.objects.all().delete()
        key = {"Idempotency-Key": "build-1"}
        again = job.post(address, {"report": SimpleUploadedFile("r.xml", PASSED)}, headers=key)
        assert (again.status_code, again.json()["id"]) == (200, first)
        assert TestRun.objects.count() == 2

    def test_other_report_under_used_key_is_rejected(self, job, address):
        key = {"Idempotency-Key": "build-1"}
        job.post(address, {"report": SimpleUploadedFile("r.xml", PASSED)}, headers=key)
        other = job.post(address, {"report": SimpleUploadedFile("r.xml", FAILED)}, headers=key)
        rejected(other, 422, "idempotency_key_reused")
        IdempotencyKey.objects.all().delete()
        rejected(job.post(address, {"report": SimpleUploadedFile("r.xml", FAILED)}, headers=key), 409, "run_key_taken")
        assert TestRun.objects.count() == 1

    @pytest.mark.parametrize("key", ["two words", "\u00fc", "k" * 256])
    def test_invalid_key_is_rejected(self, job, address, key):
        answer = job.post(address, {"report": SimpleUploadedFile("r.xml", PASSED)}, headers={"Idempotency-Key": key})
        assert answer.status_code == 422
        assert not TestRun.objects.exists()

    def test_report_with_control_characters_is_imported(self, job, address):
        report = (
            b'<testsuite><testcase name="a"><failure message="\x1b[31mred\x1b[0m \x07&#0;"/></testcase></testsuite>'
        )
        data = upload(job, address, report).json()
        assert (data["status"], len(data["warnings"])) == ("failed", 1)
        assert TestRun.objects.get().results[0]["error"] == "red \ufffd\ufffd"

    def test_same_file_is_new_run_of_other_mission(self, job, address):
        first, second = upload(job, address, PASSED), upload(job, at(DeckMissionFactory(), "/runs/import"), PASSED)
        assert (first.status_code, second.status_code) == (201, 201)

    def test_json_is_imported(self, job, address):
        data = upload(job, address, report_of(("test_it", "passed")), name="run.json").json()
        assert (data["status"], data["source"]) == ("passed", "json")

    def test_unknown_parts_are_in_warnings(self, job, address):
        odd = b'<testsuite name="s"><testcase name="a"/><strange/></testsuite>'
        data = upload(job, address, odd).json()
        assert any("strange" in warning for warning in data["warnings"])
        assert data["status"] == "passed"

    def test_flaky_test_is_listed(self, cast, job, address):
        for status in ("failed", "passed"):
            results = [{"name": "test_b", "classname": "tests", "status": status}]
            RunFactory(mission=cast.mission, status=status, results=results)
        data = upload(job, address, FAILED).json()
        assert (data["flaky_count"], [name.split()[-1] for name in data["flaky_tests"]]) == (1, ["test_b"])

    def test_logs_are_stored(self, cast, job, address):
        data = upload(job, address, PASSED, logs=b"all of it\nin two lines \xff").json()
        logs = cast.client("auditor").get(cast.at(f"/runs/{data['id']}/logs")).json()
        assert [line["text"] for line in logs["lines"]] == ["all of it", "in two lines \ufffd"]

    def test_file_names_and_extra_parts_are_ignored(self, job, address):
        body = part(PASSED, filename="../../\u202e<b>.exe") + part("x", name="other", filename=None) + b"--edge--\r\n"
        assert job.post(address, body, content_type=EDGE).status_code == 201

    @pytest.mark.parametrize(
        ("report", "words"),
        [
            (LAUGHS, "entit"),
            (b"<testsuite><testcase", "line"),
            (b"<html><body>502</body></html>", "html"),
            (b"hello", "neither XML nor JSON"),
            (gzip.compress(PASSED, mtime=0), "gzip"),
            (b"{", "JSON"),
            (b'{"results": "none"}', ""),
            (b'{"results": [{"name": "a", "status": "fine"}]}', ""),
            (b" ", "empty"),
            (b"\x00" * 100, ""),
        ],
    )
    def test_other_file_is_rejected_with_reason(self, job, address, report, words):
        document = rejected(upload(job, address, report), 422, "report_rejected", "/report")
        assert words.lower() in document["detail"].lower()
        assert not TestRun.objects.exists()

    def test_unknown_mission_answers_404(self, job):
        rejected(upload(job, "/api/deck/missions/9999999/runs/import", PASSED), 404, "not_found")

    def test_import_only_account_cannot_read(self, cast, address):
        robot = StaffFactory()
        robot.user_permissions.add(Permission.objects.get(codename="add_testrun"))
        program = api_client(robot)
        assert upload(program, address, PASSED).status_code == 201
        rejected(program.get(cast.at()), 404, "not_found")
        rejected(upload(program, at(cast.mission).replace(str(cast.mission.number), "999999") + "/runs/import", PASSED),
                404, "not_found")  # fmt: skip


class TestForm:
    """The multipart form around the report."""

    def test_missing_report_is_named(self, job, address):
        rejected(upload(job, address, None), 422, "input_rejected", "/report")
        rejected(upload(job, address, None, logs=b"only logs"), 422, "input_rejected", "/report")

    def test_report_as_text_field_is_rejected(self, job, address):
        body = part(PASSED, filename=None) + b"--edge--\r\n"
        rejected(job.post(address, body, content_type=EDGE), 422, "input_rejected", "/report")

    @pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/xml", ""])
    def test_other_content_type_is_rejected(self, job, address, kind):
        rejected(job.generic("POST", address, PASSED, content_type=kind), 422, "input_rejected", "/report")

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"garbage", "multipart/form-data"),
            (b"garbage", "multipart/form-data; boundary=" + "e" * 300),
            (b"garbage", "multipart/form-data; boundary=\xff"),
            (part("!!!", more="Content-Transfer-Encoding: base64\r\n"), EDGE),
            (b"".join(part("x", name=f"f{n}") for n in range(1_050)) + b"--edge--\r\n", EDGE),
            (b"".join(part("x", name=f"f{n}", filename=None) for n in range(2_100)) + b"--edge--\r\n", EDGE),
        ],
    )
    def test_broken_form_answers_400(self, job, address, body, kind):
        answer = job.generic("POST", address, body, content_type=kind)
        document = answer.json()
        assert (answer.status_code, document["status"]) == (400, 400), document
        assert len(document["detail"].split()) >= 4
        assert not TestRun.objects.exists()

    @pytest.mark.parametrize(
        "body", [b"", b"garbage", b"--edge--\r\n", part(PASSED)[:40], b"--edge\r\n\r\n\xff\x00", b"--edge\r\n" * 1000]
    )
    def test_unreadable_form_is_rejected(self, job, address, body):
        answer = job.generic("POST", address, body, content_type=EDGE)
        assert answer.status_code in (400, 422)
        assert answer["Content-Type"] == "application/problem+json"
        assert not TestRun.objects.exists()

    @pytest.mark.parametrize("left_out", [20, 3, 0])
    def test_truncated_form_has_no_file(self, job, address, left_out):
        """Also if only the end of the form is missing, because more could follow."""
        body = part(PASSED)[:-left_out] if left_out else part(PASSED)
        rejected(job.generic("POST", address, body, content_type=EDGE), 422, "input_rejected", "/report")
        assert not TestRun.objects.exists()

    def test_truncated_body_answers_400(self, cast):
        class Broken(BytesIO):
            def read(self, *args):
                raise OSError("the client is gone")

        sent = {"wsgi.input": Broken(), "CONTENT_LENGTH": "5000"}
        answer = cast.client("lead").generic("POST", cast.at("/status"), content_type="application/json", **sent)
        rejected(answer, 400, "bad_request")

    def test_huge_field_is_rejected(self, job, address):
        body = part("x" * 3_000_000, filename=None) + b"--edge--\r\n"
        rejected(job.post(address, body, content_type=EDGE), 413, "body_too_large")


class TestSize:
    class Untouched(BytesIO):
        """A body that fails the test if it is read."""

        def read(self, *args):
            raise AssertionError("the body was read")

    @pytest.mark.parametrize("rest", ["/runs/import", f"/runs/{UNKNOWN_ID}/finish"])
    @pytest.mark.parametrize("length", [str(162 * 1024 * 1024), "9" * 30])
    def test_declared_size_over_limit_is_rejected_unread(self, cast, job, rest, length):
        sent = {"wsgi.input": self.Untouched(), "CONTENT_LENGTH": length}
        document = rejected(job.generic("POST", cast.at(rest), content_type=EDGE, **sent), 413, "body_too_large")
        assert "167,837,696 bytes" in document["detail"]

    @pytest.mark.parametrize("length", ["", "x", "-5", "0"])
    def test_invalid_content_length_is_handled(self, job, address, length):
        sent = {"wsgi.input": BytesIO(b""), "CONTENT_LENGTH": length}
        assert job.generic("POST", address, content_type=EDGE, **sent).status_code in (400, 422)

    def test_each_file_part_has_its_limit(self, job, address, settings):
        settings.DECK_REPORT_BYTES, settings.DECK_LOGS_BYTES = len(PASSED), 20
        assert upload(job, address, PASSED, logs=b"x" * 20).status_code == 201
        document = rejected(upload(job, address, PASSED + b"\n"), 413, "body_too_large", "/report")
        assert f"{len(PASSED) + 1:,} bytes" in document["detail"]
        rejected(upload(job, address, PASSED, logs=b"x" * 21), 413, "body_too_large", "/logs")
        files = {"report": [SimpleUploadedFile(f"{n}.xml", PASSED) for n in range(2)]}
        document = rejected(job.post(address, files), 413, "body_too_large", "/report")
        assert f"The 2 files report have {2 * len(PASSED):,} bytes" in document["detail"]

    def test_other_operations_reject_large_body(self, cast):
        lead = cast.client("lead")
        sent = {"wsgi.input": self.Untouched(), "CONTENT_LENGTH": "3000000"}
        for rest in ("/status", "/dod", "/chats/emma", "/runs"):
            answer = lead.generic("POST", cast.at(rest), content_type="application/json", **sent)
            rejected(answer, 413, "body_too_large")

    def test_large_report_is_buffered_on_disk(self, job, address, monkeypatch):
        seen = []

        def watched(*, file, **rest):
            seen.append(type(file))
            return import_report(file=file, **rest)

        monkeypatch.setattr(missiondeck.api.run_imports, "import_report", watched)
        upload(job, address, junit_of(("test_it", "passed"), output="x" * 3_000_000))
        assert seen == [TemporaryUploadedFile]


class TestStartAndFinish:
    def test_started_run_is_finished_with_report(self, cast, job):
        begun = post(job, cast.at("/runs"), name="nightly")
        assert begun.status_code == 201
        data = begun.json()
        assert (data["status"], data["name"], data["summary"], data["finished_at"]) == (
            "running",
            "nightly",
            None,
            None,
        )
        finished = upload(job, cast.at(f"/runs/{data['id']}/finish"), FAILED, logs=b"the logs").json()
        assert (finished["id"], finished["status"], finished["name"]) == (data["id"], "failed", "nightly")
        assert finished["finished_at"]
        assert TestRun.objects.get().logs == "the logs"

    def test_finish_with_same_report_is_idempotent(self, cast, job):
        run = RunFactory(mission=cast.mission, running=True)
        first = upload(job, cast.at(f"/runs/{run.pk}/finish"), PASSED)
        again = upload(job, cast.at(f"/runs/{run.pk}/finish"), PASSED)
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.json() == first.json()

    def test_finished_run_rejects_other_report(self, cast, job):
        run = RunFactory(mission=cast.mission, running=True)
        upload(job, cast.at(f"/runs/{run.pk}/finish"), FAILED)
        rejected(upload(job, cast.at(f"/runs/{run.pk}/finish"), PASSED), 409, "run_finished")
        run.refresh_from_db()
        assert run.status == "failed"

    def test_report_of_earlier_run_can_finish_later_run(self, cast, job, address):
        upload(job, address, PASSED)
        run = RunFactory(mission=cast.mission, running=True)
        finished = upload(job, cast.at(f"/runs/{run.pk}/finish"), PASSED)
        assert (finished.status_code, finished.json()["id"], finished.json()["status"]) == (200, str(run.pk), "passed")

    def test_given_up_run_counts_as_failed(self, cast, job):
        run = RunFactory(mission=cast.mission, running=True)
        first, again = (post(job, cast.at(f"/runs/{run.pk}/give-up")) for _ in range(2))
        assert (first.status_code, first.json()["status"]) == (200, "failed")
        assert first.json()["warnings"] == ["Marked as failed: no report was received."]
        assert again.json() == first.json()
        rejected(upload(job, cast.at(f"/runs/{run.pk}/finish"), PASSED), 409, "run_finished")

    def test_finished_run_cannot_be_given_up(self, cast, job):
        run = RunFactory(mission=cast.mission, failed=True)
        rejected(post(job, cast.at(f"/runs/{run.pk}/give-up")), 409, "run_finished")
        rejected(post(job, cast.at(f"/runs/{UNKNOWN_ID}/give-up")), 404, "not_found")

    def test_giving_up_needs_import_permission(self, cast):
        run = RunFactory(mission=cast.mission, running=True)
        rejected(post(cast.client("auditor"), cast.at(f"/runs/{run.pk}/give-up")), 403, "not_allowed")
        rejected(post(cast.client("deliverer"), cast.at(f"/runs/{run.pk}/give-up")), 403, "not_allowed")
        rejected(post(cast.client("stranger"), cast.at(f"/runs/{run.pk}/give-up")), 404, "not_found")
        run.refresh_from_db()
        assert run.status == "running"

    def test_rejected_report_leaves_run_running(self, cast, job):
        run = RunFactory(mission=cast.mission, running=True)
        rejected(upload(job, cast.at(f"/runs/{run.pk}/finish"), LAUGHS), 422, "report_rejected", "/report")
        run.refresh_from_db()
        assert run.status == "running"

    def test_repeated_key_starts_one_run(self, cast, job):
        first, again = (post(job, cast.at("/runs"), key="build-7", name="nightly") for _ in range(2))
        assert first.json() == again.json()
        assert TestRun.objects.count() == 1

    @pytest.mark.parametrize("body", [{"name": "x" * 256}, {"name": None}, {"name": "a\x00"}, {"status": "passed"}])
    def test_invalid_start_is_rejected(self, cast, job, body):
        assert post(job, cast.at("/runs"), **body).status_code == 422
        assert not TestRun.objects.exists()

    def test_run_of_other_mission_answers_404(self, cast, job):
        run = RunFactory(running=True)
        rejected(upload(job, cast.at(f"/runs/{run.pk}/finish"), PASSED), 404, "not_found")
        rejected(upload(job, cast.at(f"/runs/{UNKNOWN_ID}/finish"), PASSED), 404, "not_found")


@pytest.mark.django_db(transaction=True)
class TestConcurrency:
    def many(self, cast, people, report: bytes) -> list[int]:
        """The responses of concurrent requests with the same report."""
        clients = [cast.client("lead", "deck:import") for _ in range(people.size)]
        address = cast.at("/runs/import")
        return people.run(lambda number: upload(clients[number], address, report).status_code)

    @pytest.mark.seed("001 reports by the API")
    def test_concurrent_same_file_is_one_run(self):
        cast = create_users()
        with crowd(8) as people:
            for turn in range(3):
                answers = self.many(cast, people, junit_of(*[(f"test_{turn}_{n}", "passed") for n in range(200)]))
                assert sorted(answers) == [200] * 7 + [201]
                assert TestRun.objects.count() == turn + 1

    @pytest.mark.long
    def test_negative_control_without_trigger_several_runs(self):
        """Negative control: checking for the file first is not enough."""
        cast = create_users()
        drop, restore = (f"ALTER TABLE test_runs {word} TRIGGER test_runs_admit" for word in ("DISABLE", "ENABLE"))
        with without(drop, restore), crowd(8) as people:
            counts = []
            for turn in range(20):
                answers = self.many(cast, people, junit_of(*[(f"test_{turn}_{n}", "passed") for n in range(200)]))
                counts.append(answers.count(201))
                if counts[-1] > 1:
                    break
        assert max(counts) > 1

    def test_concurrent_finish_happens_once(self):
        cast = create_users()
        run = RunFactory(mission=cast.mission, running=True)
        clients = [cast.client("lead", "deck:import") for _ in range(6)]
        address = cast.at(f"/runs/{run.pk}/finish")
        with crowd(6) as people:
            answers = people.run(lambda number: upload(clients[number], address, PASSED).status_code)
        assert answers == [200] * 6
        run.refresh_from_db()
        assert run.status == "passed"
