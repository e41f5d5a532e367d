"""A test report with 100,000 tests: reading and taking it in beside junitparser alone, in time and memory.

    python -m benchmarks.test_reports [--scale 1.0] [--rounds 3] [--only-read]

--scale 1.0 is 100,000 tests in 1,000 suites, one in twenty failed with a traceback, one in five with what it printed.
Each way runs in a process of its own, and its memory is the peak above that of the same process before it begins.
Every way has to find the same totals. Taking in is all of it: read, stored, checked by the database and looked through
for flaky tests. What the database takes is in the whole time; its memory is not in that of the process.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from benchmarks.database import prepare, say, stop, table

TESTS = 100_000
SUITE = 100
WAYS = {
    "read_report": "read_report",
    "import_report": "import_report, into the database",
    "totals": "junitparser, its totals",
    "names": "junitparser, name and result of each test",
    "results": "junitparser, the same results as read_report",
}


def write_report(path: Path, tests: int, *, seed: int = 1) -> dict[str, int]:
    """Write a report of made-up tests. Returns its totals: passed, failed, skipped."""
    chance = random.Random(seed)
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    with path.open("w") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="nightly">\n')
        for start in range(0, tests, SUITE):
            cases = [_case(number, chance, totals) for number in range(start, min(start + SUITE, tests))]
            failures = sum("<failure" in case for case in cases)
            skipped = sum("<skipped" in case for case in cases)
            file.write(
                f'<testsuite name="tests.area_{start // SUITE}" tests="{len(cases)}" failures="{failures}" errors="0"'
                f' skipped="{skipped}">\n{"".join(cases)}</testsuite>\n'
            )
        file.write("</testsuites>\n")
    return totals


def _case(number: int, chance: random.Random, totals: dict[str, int]) -> str:
    kind = chance.random()
    inside = ""
    if kind < 0.05:
        totals["failed"] += 1
        lines = [f"  tests/area/test_{chance.randrange(900)}.py:{chance.randrange(400)}: in step" for _ in range(25)]
        message = f"AssertionError: assert {number} == {number + 1}"
        inside = f"<failure message={quoteattr(message)}>{escape(chr(10).join([*lines, message]))}</failure>"
    elif kind < 0.07:
        totals["skipped"] += 1
        inside = '<skipped message="needs a network"/>'
    else:
        totals["passed"] += 1
    if chance.random() < 0.2:
        inside += "<system-out>" + "a line of what the test printed\n" * 8 + "</system-out>"
    return (
        f'<testcase classname="tests.area_{number // SUITE}.TestThings" name="test_thing_{number}[{number % 7}]"'
        f' time="{chance.randrange(2_000) / 1_000:.3f}">{inside}</testcase>\n'
    )


# --- Ways, each in its own process ------------------------------------------------------------


def read_report_alone(path: Path) -> dict[str, int]:
    from missiondeck.reports import read_report

    with path.open("rb") as file:
        summary = read_report(file).summary
    return {key: summary[key] for key in ("passed", "failed", "skipped")}


def import_report_whole(path: Path) -> dict[str, int]:
    """Take the report in for a new mission: a file is one run of a mission."""
    import django

    django.setup()
    from django.utils import timezone

    from missiondeck.services.missions import create_mission
    from missiondeck.services.runs import import_report

    mission = create_mission(
        title="Measured", client="No one", budget=1, deadline=timezone.now(), assigned_to="nobody@example.org"
    )
    with path.open("rb") as file:
        summary = import_report(mission=mission, file=file, actor=None).run.summary
    return {key: summary[key] for key in ("passed", "failed", "skipped")}


def totals(path: Path) -> dict[str, int]:
    from junitparser import JUnitXml

    report = JUnitXml.fromfile(str(path))
    # Counted from the tests, not those the suites state.
    report.update_statistics()
    return {
        "passed": report.tests - report.failures - report.skipped,
        "failed": report.failures,
        "skipped": report.skipped,
    }


def names(path: Path) -> dict[str, int]:
    return _of(_junitparser_results(path, whole=False))


def results(path: Path) -> dict[str, int]:
    return _of(_junitparser_results(path, whole=True))


def _junitparser_results(path: Path, *, whole: bool) -> list[dict]:
    from junitparser import Failure, JUnitXml, Skipped

    found = []
    for suite in JUnitXml.fromfile(str(path)):
        for case in suite:
            said = case.result
            status = "passed"
            if any(isinstance(each, Failure) for each in said):
                status = "failed"
            elif any(isinstance(each, Skipped) for each in said):
                status = "skipped"
            result = {"name": case.name, "status": status}
            if whole:
                result |= {"classname": case.classname, "duration": case.time, "suite": suite.name}
                if status == "failed":
                    result |= {"error": said[0].message, "traceback": said[0].text}
                if case.system_out:
                    result["output"] = case.system_out
            found.append(result)
    return found


def _of(found: list[dict]) -> dict[str, int]:
    return {key: sum(each["status"] == key for each in found) for key in ("passed", "failed", "skipped")}


def _peak() -> float:
    """The most memory this process has had, in MiB.

    ru_maxrss would begin with the peak of the process it was started from. Source: getrusage(2), proc(5).
    """
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def run_way(way: str, path: Path) -> None:
    """Print CPU seconds, seconds by the clock, MiB above those before, and the totals found."""
    run = {
        "read_report": read_report_alone,
        "import_report": import_report_whole,
        "totals": totals,
        "names": names,
        "results": results,
    }[way]
    small = path.with_suffix(".small.xml")
    # Libraries are loaded and warm.
    run(small)
    before, begun, began = _peak(), time.process_time(), time.perf_counter()
    found = run(path)
    seconds, whole = time.process_time() - begun, time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "whole": whole, "mib": _peak() - before, "found": found}))


# --- All of them ------------------------------------------------------------------------------


def measure(way: str, path: Path, expected: dict[str, int]) -> dict:
    answer = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "benchmarks.test_reports", "--way", way, "--report", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(answer.stdout)
    if said["found"] != expected:
        raise SystemExit(f"{way} found {said['found']}, and not {expected}.")
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: 100,000 tests")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only-read", action="store_true", help="without a database")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--report", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        run_way(options.way, options.report)
        return
    tests = round(TESTS * options.scale)
    ways = [way for way in WAYS if not (options.only_read and way == "import_report")]
    if not options.only_read:
        # Its address is in the environment, for the processes below.
        prepare()
    figures = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xml"
        say(f"Writing a report of {tests:,} tests")
        expected = write_report(path, tests)
        write_report(path.with_suffix(".small.xml"), 100)
        size = path.stat().st_size
        say(f"Reading it, {options.rounds} rounds")
        for _ in range(options.rounds):
            for way in ways:
                figures[way].append(measure(way, path, expected))
    middle = {
        way: tuple(statistics.median(each[key] for each in said) for key in ("seconds", "whole", "mib"))
        for way, said in figures.items()
    }
    seconds, _whole, mib = middle["read_report"]
    print(f"\n{tests:,} tests, a file of {size / 1e6:.1f} MB")
    table(
        [
            (
                WAYS[way],
                f"{cpu:.2f} s",
                f"{whole:.2f} s",
                f"{most:,.0f} MiB",
                f"{cpu / seconds:.2f}x",
                f"{most / mib:.2f}x",
            )
            for way, (cpu, whole, most) in middle.items()
        ],
        head=("way", "CPU time", "whole time", "memory", "CPU time/read_report", "memory/read_report"),
    )
    if not options.only_read:
        stop()


if __name__ == "__main__":
    main()
