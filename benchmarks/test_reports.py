"""Compare reading and importing a test report of 100,000 tests with a plain pass and junitparser, in time and memory.

    python -m benchmarks.test_reports [--scale 1.0] [--rounds 3] [--only-read]

--scale 1.0 is 100,000 tests in 1,000 suites, one in twenty failed with a traceback, one in five with output. Each
method runs in a process of its own; its memory is the peak above that of the same process before. All methods have to
find the same totals. The plain pass is ElementTree's iterparse with the same fields, without limits, checks of totals
and cleaning: the goal is to read a report in at most 1.3 times its CPU time. Importing includes storing, the checks
of the database and the search for flaky tests. The elapsed time includes the database; the memory does not.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from benchmarks.database import log, prepare, stop, table

# The most CPU time of read_report, as a multiple of the plain pass.
GOAL = 1.3
TESTS = 100_000
SUITE = 100
METHODS = {
    "read_report": "read_report",
    "plain": "iterparse of ElementTree, the same fields",
    "import_report": "import_report, into the database",
    "totals": "junitparser, its totals",
    "names": "junitparser, name and result of each test",
    "results": "junitparser, the same results as read_report",
}


def write_report(path: Path, tests: int, *, seed: int = 1) -> dict[str, int]:
    """Write a report of generated tests. Returns its totals: passed, failed, skipped."""
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
        inside += "<system-out>" + "a line of output of the test\n" * 8 + "</system-out>"
    return (
        f'<testcase classname="tests.area_{number // SUITE}.TestThings" name="test_thing_{number}[{number % 7}]"'
        f' time="{chance.randrange(2_000) / 1_000:.3f}">{inside}</testcase>\n'
    )


# --- Methods, each in its own process ---------------------------------------------------------


def read_report_alone(path: Path) -> dict[str, int]:
    from django.conf import settings

    from missiondeck.reports import read_report

    if not settings.configured:
        settings.configure(USE_I18N=False)

    with path.open("rb") as file:
        summary = read_report(file).summary
    return {key: summary[key] for key in ("passed", "failed", "skipped")}


def plain(path: Path) -> dict[str, int]:
    """Read the fields that read_report stores, suite by suite, with the parser of the standard library."""
    from xml.etree.ElementTree import iterparse

    found = []
    for _event, suite in iterparse(path):  # noqa: S314 - the report was written here
        if suite.tag != "testsuite":
            continue
        for case in suite:
            result = {
                "name": case.get("name"),
                "status": "passed",
                "classname": case.get("classname"),
                "suite": suite.get("name"),
                "duration": float(case.get("time")),
            }
            for inside in case:
                if inside.tag == "failure":
                    result |= {"status": "failed", "error": inside.get("message"), "traceback": inside.text}
                elif inside.tag == "skipped":
                    result |= {"status": "skipped", "output": inside.get("message")}
                else:
                    result["output"] = inside.text
            found.append(result)
        suite.clear()
    return _of(found)


def import_report_whole(path: Path) -> dict[str, int]:
    """Import the report into a new mission, since a file is imported once per mission."""
    import django

    django.setup()
    from django.utils import timezone

    from groups.models import Member
    from missiondeck.services.missions import create_deck_mission
    from missiondeck.services.runs import import_report

    mission = create_deck_mission(
        actor=Member.objects.system(),
        title="Measured",
        client="No one",
        budget=1,
        deadline=timezone.now(),
        assigned_to="nobody@example.org",
    )
    with path.open("rb") as file:
        summary = import_report(mission=mission, file=file, actor=Member.objects.system()).run.summary
    return {key: summary[key] for key in ("passed", "failed", "skipped")}


def totals(path: Path) -> dict[str, int]:
    from junitparser import JUnitXml

    report = JUnitXml.fromfile(str(path))
    # Count the tests instead of using the totals of the suites.
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
            entries = case.result
            status = "passed"
            if any(isinstance(each, Failure) for each in entries):
                status = "failed"
            elif any(isinstance(each, Skipped) for each in entries):
                status = "skipped"
            result = {"name": case.name, "status": status}
            if whole:
                result |= {"classname": case.classname, "duration": case.time, "suite": suite.name}
                if status == "failed":
                    result |= {"error": entries[0].message, "traceback": entries[0].text}
                if case.system_out:
                    result["output"] = case.system_out
            found.append(result)
    return found


def _of(found: list[dict]) -> dict[str, int]:
    return {key: sum(each["status"] == key for each in found) for key in ("passed", "failed", "skipped")}


def _peak() -> float:
    """Return the peak memory of this process in MiB.

    ru_maxrss would start with the peak of the parent process. Source: getrusage(2), proc(5).
    """
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def run_method(method: str, path: Path) -> None:
    """Print CPU seconds, elapsed seconds, additional MiB, and the totals found."""
    run = {
        "read_report": read_report_alone,
        "plain": plain,
        "import_report": import_report_whole,
        "totals": totals,
        "names": names,
        "results": results,
    }[method]
    small = path.with_suffix(".small.xml")
    # Load the libraries first.
    run(small)
    before, begun, began = _peak(), time.process_time(), time.perf_counter()
    found = run(path)
    seconds, whole = time.process_time() - begun, time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "whole": whole, "mib": _peak() - before, "found": found}))


# --- Run --------------------------------------------------------------------------------------


def measure(method: str, path: Path, expected: dict[str, int]) -> dict:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "benchmarks.test_reports", "--method", method, "--report", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    figures = json.loads(done.stdout)
    if figures["found"] != expected:
        raise SystemExit(f"{method} found {figures['found']} instead of {expected}.")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: 100,000 tests")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only-read", action="store_true", help="without a database")
    parser.add_argument("--method", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--report", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.method:
        run_method(options.method, options.report)
        return
    tests = round(TESTS * options.scale)
    methods = [method for method in METHODS if not (options.only_read and method == "import_report")]
    if not options.only_read:
        # The processes below find it through the environment.
        prepare()
    figures = {method: [] for method in methods}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xml"
        log(f"Writing a report of {tests:,} tests")
        expected = write_report(path, tests)
        write_report(path.with_suffix(".small.xml"), 100)
        size = path.stat().st_size
        log(f"Reading it, {options.rounds} rounds")
        for _ in range(options.rounds):
            for method in methods:
                figures[method].append(measure(method, path, expected))
    medians = {
        method: tuple(statistics.median(each[key] for each in results) for key in ("seconds", "whole", "mib"))
        for method, results in figures.items()
    }
    seconds, _whole, mib = medians["read_report"]
    print(f"\n{tests:,} tests, a file of {size / 1e6:.1f} MB")
    table(
        [
            (
                METHODS[method],
                f"{cpu:.2f} s",
                f"{whole:.2f} s",
                f"{most:,.0f} MiB",
                f"{cpu / seconds:.2f}x",
                f"{most / mib:.2f}x",
            )
            for method, (cpu, whole, most) in medians.items()
        ],
        head=("method", "CPU time", "elapsed time", "memory", "CPU time/read_report", "memory/read_report"),
    )
    ratios = sorted(
        ours["seconds"] / theirs["seconds"]
        for ours, theirs in zip(figures["read_report"], figures["plain"], strict=True)
    )
    ratio = statistics.median(ratios)
    print(
        f"\nread_report takes {ratio:.2f} times the CPU time of the plain pass ({ratios[0]:.2f} to {ratios[-1]:.2f};"
        f" goal: at most {GOAL}): {'met' if ratio <= GOAL else 'MISSED'}. Load average {os.getloadavg()[0]:.1f}."
    )
    if not options.only_read:
        stop()


if __name__ == "__main__":
    main()
