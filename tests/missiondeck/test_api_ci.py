"""Imports from CI: the script of docs/ci-test-reports.md, uploads over the network, and memory."""

import http.client
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as site

from missiondeck.models import TestRun
from tests.common.test_live import web_server
from tests.missiondeck.api_helpers import ApiUsers, create_users
from tests.support.factories.missiondeck import RunFactory, junit_of
from tests.support.factories.tokens import make_token

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = Path(site.BASE_DIR) / "docs" / "ci-test-reports.md"
MEGABYTE = 1024 * 1024


@pytest.fixture
def cast() -> ApiUsers:
    return create_users()


@pytest.fixture
def token(cast) -> str:
    return make_token(cast.people["lead"], "deck:import")[1]


class TestScript:
    @pytest.fixture
    def send(self, cast, token, live_server, tmp_path):
        """Run the script on a report. Returns exit status, stdout and stderr."""
        if not (shutil.which("curl") and shutil.which("jq")):
            pytest.skip("the script needs curl and jq")
        (script,) = re.findall(r"```sh\n(#!/bin/sh.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        (tmp_path / "send-report").write_text(script)

        def run(report: bytes, **changed) -> tuple[int, str, str]:
            (tmp_path / "report.xml").write_bytes(report)
            environment = {
                "MISSIONSITE_URL": live_server.url,
                "MISSIONSITE_TOKEN": token,
                "MISSION": str(cast.mission.number),
            }
            done = subprocess.run(
                ["sh", "send-report", "report.xml"],
                cwd=tmp_path,
                env={"PATH": os.environ["PATH"], **environment, **changed},
                capture_output=True,
                text=True,
                timeout=60,
            )
            return done.returncode, done.stdout, done.stderr

        return run

    @pytest.mark.seed("001 the sample CI step, run as it is written")
    def test_passed_run_succeeds(self, cast, send):
        status, output, errors = send(junit_of(("test_a", "passed"), ("test_b", "skipped")))
        run = TestRun.objects.get()
        assert (status, errors) == (0, "")
        assert output.startswith("passed: 1 of 2 tests passed, http")
        assert str(run.pk) in output
        assert send(junit_of(("test_a", "passed"), ("test_b", "skipped"))) == (0, output, "")
        assert TestRun.objects.count() == 1

    @pytest.mark.seed("001 the sample CI step, run as it is written")
    def test_failed_run_fails_job_with_warnings(self, cast, send):
        for status in ("failed", "passed"):
            results = [{"name": "test_a", "classname": "tests", "status": status}]
            RunFactory(mission=cast.mission, status=status, results=results)
        report = junit_of(("test_a", "failed")).replace(b"</testsuite>", b"<strange/></testsuite>")
        status, output, _ = send(report)
        assert status == 1
        assert re.search(r"^warning: .*strange", output, re.MULTILINE)
        assert re.search(r"^flaky: .*test_a", output, re.MULTILINE)
        assert "failed: 0 of 1 tests passed" in output

    def test_rejected_report_fails_job(self, send):
        status, output, errors = send(b"<testsuite><testcase")
        assert (status, output) == (2, "")
        assert "The report was not imported (422)" in errors
        assert "not well-formed" in errors or "line" in errors

    def test_wrong_token_or_mission_fails_job(self, send):
        report = junit_of(("test_a", "passed"))
        assert "(401)" in send(report, MISSIONSITE_TOKEN="ms_wrong")[2]
        assert "(404)" in send(report, MISSION="999999")[2]
        assert not TestRun.objects.exists()


# --- Over the network -------------------------------------------------------------------------


def connect(url: str, *, timeout: float = 60) -> http.client.HTTPConnection:
    where = urlsplit(url)
    return http.client.HTTPConnection(where.hostname, where.port, timeout=timeout)


def test_declared_size_is_rejected_before_upload(cast, token, live_server):
    """Not a byte of the body is on its way, and the answer is there."""
    link = connect(live_server.url, timeout=60)
    link.putrequest("POST", cast.at("/runs/import"))
    for name, value in {
        "Authorization": f"Bearer {token}",
        "Content-Type": "multipart/form-data; boundary=edge",
        "Content-Length": str(10**12),
    }.items():
        link.putheader(name, value)
    link.endheaders()
    answer = link.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (413, "application/problem+json")
    link.close()


def test_interrupted_upload_stores_nothing(cast, token, live_server):
    where = urlsplit(live_server.url)
    body = b'--edge\r\nContent-Disposition: form-data; name="report"; filename="r.xml"\r\n\r\n' + junit_of(
        ("test_a", "passed")
    )
    head = (
        f"POST {cast.at('/runs/import')} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: {len(body) + 5_000_000}\r\n\r\n"
    )
    with socket.create_connection((where.hostname, where.port), timeout=60) as line:
        line.sendall(head.encode() + body)
        line.shutdown(socket.SHUT_WR)
        answer = line.recv(4096)
    assert re.match(rb"HTTP/1\.[01] 4(00|22) ", answer), answer[:100]
    assert not TestRun.objects.exists()


def memory_of(pid: int, name: str) -> int:
    """VmRSS, the current memory of a process, or VmHWM, the peak since `reset_peak`; in bytes."""
    return int(re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def reset_peak(pid: int) -> int:
    """Reset the peak; returns the current memory in bytes."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return memory_of(pid, "VmRSS")


def large_report(path: Path, *, megabytes: int) -> None:
    """A report with many small cases and large suite outputs that are cut when read."""
    with path.open("wb") as file:
        file.write(b"<testsuites>")
        for number in range(megabytes):
            file.write(f'<testsuite name="s{number}">'.encode())
            file.writelines(f'<testcase classname="c{number}" name="t{each}"/>'.encode() for each in range(100))
            file.write(b'<testcase classname="c" name="loud"><system-out>')
            for _ in range(MEGABYTE // 1024):
                file.write(b"a line that a test prints and no one reads, again and again\n" * 18)
            file.write(b"</system-out></testcase></testsuite>")
        file.write(b"</testsuites>")


def send_file(url: str, address: str, token: str, path: Path) -> int:
    """Upload a file in chunks; returns the status of the response."""
    head = b'--edge\r\nContent-Disposition: form-data; name="report"; filename="r.xml"\r\n\r\n'
    tail = b"\r\n--edge--\r\n"
    link = connect(url, timeout=300)
    link.putrequest("POST", address)
    for name, value in {
        "Authorization": f"Bearer {token}",
        "Content-Type": "multipart/form-data; boundary=edge",
        "Content-Length": str(len(head) + path.stat().st_size + len(tail)),
    }.items():
        link.putheader(name, value)
    link.endheaders()
    link.send(head)
    with path.open("rb") as file:
        while piece := file.read(65_536):
            link.send(piece)
    link.send(tail)
    answer = link.getresponse()
    answer.read()
    link.close()
    return answer.status


measured = pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="measures memory by /proc")


@measured
@pytest.mark.parametrize("in_memory", [False, True], ids=["to disk", "control: in memory"])
def test_upload_of_60_mb_uses_little_memory(cast, token, live_server, tmp_path, settings, in_memory):
    """The server is a thread of this process, so its memory is measured; with a negative control in memory."""
    if in_memory:
        settings.FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
        settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 200 * MEGABYTE
    report = tmp_path / "report.xml"
    large_report(report, megabytes=60)
    assert report.stat().st_size > 60 * MEGABYTE
    before = reset_peak(os.getpid())
    assert send_file(live_server.url, cast.at("/runs/import"), token, report) == 201
    grown = (memory_of(os.getpid(), "VmHWM") - before) / MEGABYTE
    assert TestRun.objects.get().summary["total"] == 60 * 101
    assert (grown > 60) if in_memory else (grown < 45), f"{grown:.0f} MB"


@measured
def test_upload_of_60_mb_uses_little_server_memory(cast, token, tmp_path):
    """The total memory of all processes of granian, as in production."""
    report = tmp_path / "report.xml"
    large_report(report, megabytes=60)
    small = tmp_path / "small.xml"
    small.write_bytes(junit_of(("test_a", "passed")))
    with web_server(tmp_path, DJANGO_SETTINGS_MODULE="tests.missiondeck.ci_settings") as (process, port):
        url, address = f"http://127.0.0.1:{port}", cast.at("/runs/import")
        # The first request loads shared modules.
        assert send_file(url, address, token, small) == 201
        before = {pid: reset_peak(pid) for pid in processes_of(process.pid)}
        assert send_file(url, address, token, report) == 201
        grown = sum(memory_of(pid, "VmHWM") - memory for pid, memory in before.items()) / MEGABYTE
    assert TestRun.objects.filter(summary__total=60 * 101).count() == 1
    assert grown < 45, f"{grown:.0f} MB"


def processes_of(session: int) -> list[int]:
    """The processes of a session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            # It ended in the meantime.
            continue
        if int(after_name[3]) == session:
            found.append(int(folder.name))
    return found
