"""Run `bin/demo` with a folder of its own and check that missions are proposed when ready work runs low.

A reviewer logs in and listens to the events of the review page; all ready missions are moved to Doing on the board; the
worker makes a run within its minute; the proposals arrive as events; the reviewer accepts and discards them. Accepted
missions are in Todo, the templates remain, the report is a file. Prints PASS or FAIL for each check. Standard library
only.
"""

# ruff: noqa: S310, S603, T201 - it runs the demo, requests its pages, and prints results

import contextlib
import html
import http.cookiejar
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
REVIEWER = "fallback.reviewer@demo.example"
PROJECT = "01KZ8JDAM00SEEDPRJ00000001"  # Trust Builder of the seeds: enough is ready when the demo starts
REVIEW = "/admin/fallback/missionfallbackitem/review/"
BOARD = f"/admin/fallback/project/{PROJECT}/board/"
START_SECONDS = 300
# The worker checks every minute for projects that are due.
RUN_SECONDS = 150
# The project was checked when the demo started and would be due again after 15 minutes.
MAKE_DUE = """
from fallback.models import MissionFallbackConfig
print(MissionFallbackConfig.objects.filter(project="{project}").update(last_run_at=None))
"""


class CheckFailed(Exception):
    """A check failed; the message names it."""


def expect(condition: object, message: str) -> None:
    """Raise CheckFailed with a message unless the condition is true."""
    if not condition:
        raise CheckFailed(message)


def wait_for(condition: Callable[[], object], message: str, *, seconds: float):
    """Wait until the condition returns something true, and return that; raise CheckFailed after some seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        expect(time.monotonic() < deadline, f"{message} within {seconds} s")
        time.sleep(0.25)
    return found


class Demo:
    """A running `bin/demo` with its data in a scratch folder."""

    def __init__(self, var: Path) -> None:
        ignored = ("DATABASE_", "MISSIONSITE_", "DOCUMENTS_", "PYTHON", "VIRTUAL_ENV", "SECRET_KEY", "PG", "DJANGO_")
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(ignored)}
        self.environment["MISSIONSITE_VAR_DIR"] = str(var)
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [CHECKOUT / "bin" / "demo"],
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def text(self) -> str:
        return "\n".join(self.lines)

    def address(self) -> str:
        def printed() -> re.Match | None:
            expect(self.process.poll() is None, f"bin/demo ended:\n{self.text()}")
            return re.search(r"The site is at (\S+)", self.text())

        found = wait_for(printed, "bin/demo did not print the address of the site", seconds=START_SECONDS)
        return found[1].rstrip("/")

    def password(self, email: str) -> str:
        return dict(re.findall(r"(\S+@demo\.example)\s+(\S+)$", self.text(), re.MULTILINE))[email]

    def shell(self, script: str) -> str:
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", script]
        done = subprocess.run(
            command, cwd=CHECKOUT, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        expect(done.returncode == 0, done.stderr)
        return done.stdout.strip()

    def end(self) -> None:
        """Stop the demo like Ctrl-C; kill it and its processes when it does not end."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Browser:
    """An HTTP client with the session of a member."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.token = ""

    def get(self, path: str) -> str:
        with self.opener.open(self.address + path, timeout=30) as answer:
            page = answer.read().decode()
        if found := re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page):
            self.token = found[1]
        return page

    def post(self, path: str, fields: dict[str, str]) -> dict:
        """Return the JSON response, also for errors; an empty dict for a page."""
        body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": self.token}).encode()
        headers = {"Referer": self.address + path, "Accept": "application/json"}
        request = urllib.request.Request(self.address + path, body, headers)
        try:
            answer = self.opener.open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            is_json = "json" in answer.headers.get("Content-Type", "")
            return json.loads(answer.read()) if is_json else {}

    def log_in(self, email: str, password: str) -> None:
        self.get("/admin/login/")
        self.post("/admin/login/", {"username": email, "password": password, "next": "/admin/"})
        expect("Review proposals" in self.get(REVIEW), f"{email} cannot open the review page")

    def proposals(self) -> dict[str, str]:
        """Return the project's proposals on the review page: title by id."""
        return _titled(self.get(f"{REVIEW}?project={PROJECT}"), "fb-p-")

    def column(self, name: str) -> dict[str, str]:
        """Return the cards of a list of the board: title by id."""
        page = self.get(BOARD)
        start = page.index(f'id="fb-list-{name}"')
        return _titled(page[start : page.index("</ol>", start)], "fb-c-")

    def templates(self) -> list[str]:
        return list(_titled(self.get(BOARD), "fb-tpl-").values())


def _titled(part: str, prefix: str) -> dict[str, str]:
    found = re.findall(rf'id="{prefix}(\w+)"[^>]*? data-title="([^"]*)"', part)
    return {key: html.unescape(title) for key, title in found}


class Events:
    """The server-sent events of the review page, read while the site runs."""

    def __init__(self, browser: Browser) -> None:
        self.answer = browser.opener.open(f"{browser.address}{REVIEW}events/", timeout=120)
        self.received: list[tuple[str, dict]] = []
        threading.Thread(target=self._read, daemon=True).start()
        wait_for(lambda: self.of("ready"), "the stream of events was not ready", seconds=30)

    def _read(self) -> None:
        event = ""
        with contextlib.suppress(OSError, ValueError):
            for raw in self.answer:
                name, _, value = raw.decode().rstrip("\n").partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    self.received.append((event, json.loads(value)))

    def of(self, name: str) -> list[dict]:
        return [data for event, data in list(self.received) if event == name]


def report(text: str) -> None:
    """Print the result of a passed check."""
    print(f"PASS  {text}", flush=True)


def prove(demo: Demo, var: Path) -> None:
    address = demo.address()
    browser = Browser(address)
    browser.log_in(REVIEWER, demo.password(REVIEWER))
    report(f"the demo runs at {address}; the reviewer is on the review page")

    for pk in browser.proposals():
        answer = browser.post(f"/admin/fallback/missionfallbackitem/{pk}/discard/", {"reason": "not_needed"})
        expect(answer.get("ok"), f"a proposal of the seeds is not discarded: {answer}")
    events = Events(browser)
    templates = browser.templates()
    todo = browser.column("todo")
    moved = 0
    for pk, title in todo.items():
        answer = browser.post(f"/admin/fallback/mission/{pk}/position/", {"list": "doing"})
        expect(answer.get("ok"), f"{title} does not move to Doing: {answer}")
        moved += 1
    expect(not browser.column("todo"), "Todo is not empty")
    demo.shell(MAKE_DUE.format(project=PROJECT))
    began = time.monotonic()
    report(f"{moved} missions moved to Doing: nothing is ready, {len(templates)} templates in the Fallback area")

    wait_for(lambda: browser.proposals(), "the worker proposed nothing", seconds=RUN_SECONDS)
    report(f"the worker made a run after {time.monotonic() - began:.0f} s")
    proposals = browser.proposals()
    wait_for(lambda: any(PROJECT in json.dumps(data) for data in events.of("change")), "no event came", seconds=30)
    report(f"{len(proposals)} proposals appeared, received as server-sent events: {', '.join(proposals.values())}")
    expect(len(proposals) >= 3, f"only {len(proposals)} proposals")

    accepted = list(proposals)[:2]
    for pk in accepted:
        answer = browser.post(f"/admin/fallback/missionfallbackitem/{pk}/accept/", {})
        expect(answer.get("ok"), f"not accepted: {answer}")
    answer = browser.post(f"/admin/fallback/missionfallbackitem/{accepted[1]}/undo/", {})
    expect(answer.get("ok"), f"not undone: {answer}")
    answer = browser.post(f"/admin/fallback/missionfallbackitem/{accepted[1]}/accept/", {})
    expect(answer.get("ok"), f"not accepted again: {answer}")
    for pk in proposals:
        if pk not in accepted:
            answer = browser.post(f"/admin/fallback/missionfallbackitem/{pk}/discard/", {"feedback": "Not this month"})
            expect(answer.get("ok"), f"not discarded: {answer}")
    expect(answer.get("run_completed"), f"the run is not completed by its last decision: {answer}")
    report(f"2 accepted, one of them undone and accepted again; {len(proposals) - 2} discarded; the run is complete")

    expect(
        sorted(browser.column("todo").values()) == sorted(proposals[pk] for pk in accepted),
        "Todo has other missions",
    )
    expect(sorted(browser.templates()) == sorted(templates), "the templates changed")
    report("Todo contains the two missions, the Fallback area every template")

    reports = [json.loads(path.read_text()) for path in (var / "documents").rglob("fallback/*.json")]
    (document,) = [each for each in reports if {item["itemId"] for item in each["items"]} == set(proposals)]
    counts = {key: document[key] for key in ("runId", "generated", "accepted", "discarded")}
    expect((document["accepted"], document["discarded"]) == (2, len(proposals) - 2), f"the report says {counts}")
    activity = browser.get(f"/admin/fallback/project/{PROJECT}/activity/")
    expect(
        "Fallback run completed" in activity
        and f"Accepted: 2 · Discarded: {len(proposals) - 2} · Generated: {len(proposals)}" in activity,
        "the activity lacks the summary",
    )
    report(f"the report is a file and the summary an event: {json.dumps(counts)}")

    expect("Traceback" not in demo.text(), demo.text())


def main() -> None:
    var = Path(tempfile.mkdtemp(prefix="prove-fallback-"))
    # PostgreSQL runs as another account when this one is root.
    var.chmod(0o755)
    demo = Demo(var)
    try:
        prove(demo, var)
    except CheckFailed as error:
        print(f"FAIL  {error}")
        sys.exit(1)
    finally:
        demo.end()
        shutil.rmtree(var, ignore_errors=True)
    print("All checks passed.")


if __name__ == "__main__":
    main()
