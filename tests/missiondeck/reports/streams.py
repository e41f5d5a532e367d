"""Generated files, and measurement of the memory that reading them takes."""

import io
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from missiondeck.reports import ReportRejected, read_report

MIB = 1024 * 1024


class Stream(io.RawIOBase):
    """A file whose bytes are generated when they are read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = b""
        self.given = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        pieces, length = [self._rest], len(self._rest)
        while length < size and (part := next(self._parts, b"")):
            pieces.append(part)
            length += len(part)
        data = b"".join(pieces)
        self._rest = data[size:]
        self.given += len(data[:size])
        return data[:size]


def repeated(start: str, middle: str, end: str, *, size: int) -> Iterator[bytes]:
    """`middle` repeated to about `size` bytes."""
    if start:
        yield start.encode()
    block = middle.encode() * max(1, 65_536 // len(middle))
    for _ in range(size // len(block)):
        yield block
    yield end.encode()


def numbered(start: str, middle: str, end: str, *, size: int) -> Iterator[bytes]:
    """`middle` repeated with {n} replaced by a counter."""
    yield start.encode()
    length = number = 0
    while length < size:
        part = "".join(middle.replace("{n}", str(n)) for n in range(number, number + 500)).encode()
        number += 500
        length += len(part)
        yield part
    yield end.encode()


# Files near the size limits, each with the megabytes of memory that reading it may take.
_CASES = "<testsuite name='s'>", "</testsuite>"
_GO = '{{"Action":"{}","Package":"p","Test":"t"{}}}\n'
HOSTILE = {
    "200 MB of tests": (lambda: repeated(_CASES[0], "<!-- x -->\n", _CASES[1], size=200 * MIB), 30),
    "one attribute of 90 MB": (lambda: repeated("<testsuite name='", "a", "'/>", size=90 * MIB), 60),
    "one comment of 90 MB": (lambda: repeated("<testsuite><!--", "a", "--></testsuite>", size=90 * MIB), 60),
    "one tag of 90 MB": (lambda: numbered("<testsuite ", "a{n}='' ", "/>", size=90 * MIB), 60),
    "one text of 90 MB": (
        lambda: repeated("<testsuite><testcase name='t'><failure>", "a", "</failure></testcase></testsuite>",
                         size=90 * MIB),
        30,
    ),
    "one log of 60 MB": (
        lambda: repeated("<testsuite><testcase name='t'/><system-out>", "log\n", "</system-out></testsuite>",
                         size=60 * MIB),
        160,
    ),
    "many names of elements": (lambda: numbered("<testsuite>", "<a{n}/>", "</testsuite>", size=90 * MIB), 60),
    "many names of attributes": (
        lambda: numbered("<testsuite>", "<properties a{n}=''/>", "</testsuite>", size=90 * MIB), 60,
    ),
    "long names of elements": (
        lambda: numbered("<testsuite>", f"<a{{n}}{'b' * 1_900}/>", "</testsuite>", size=90 * MIB), 60,
    ),
    "one line of TAP of 60 MB": (lambda: repeated("1..1\nok 1 ", "a", "\n", size=60 * MIB), 30),
    "many events of Go": (
        lambda: numbered(_GO.format("run", ""), _GO.format("output", ',"Output":"line {n}\\n"'), _GO.format("pass", ""),
                         size=10 * MIB),
        30,
    ),
    "many tests": (lambda: numbered(_CASES[0], "<testcase name='t{n}'/>", _CASES[1], size=90 * MIB), 100),
    "many long outputs": (
        lambda: repeated(_CASES[0], f"<testcase name='t'><system-out>{'x' * 30_000}</system-out></testcase>",
                         _CASES[1], size=60 * MIB),
        100,
    ),
    "many failures in one test": (
        lambda: repeated("<testsuite><testcase name='t'>", f"<failure message='{'m' * 1000}'>text</failure>",
                         "</testcase></testsuite>", size=60 * MIB),
        30,
    ),
    "many long suites": (
        lambda: repeated("<testsuites>", f"<testsuite name='{'n' * 9000}' tests='x' failures='1'/>", "</testsuites>",
                         size=60 * MIB),
        30,
    ),
    "long names": (
        lambda: repeated("<testsuite name='" + "s" * 900 + "'>", f"<testcase name='{'n' * 1500}' classname='c'/>",
                         "</testsuite>", size=90 * MIB),
        160,
    ),
    "deep": (lambda: repeated("", "<testsuite>", "", size=90 * MIB), 30),
    "JSON of 90 MB": (lambda: repeated('{"results": [', '{"name": "t", "status": "passed"},', "]}", size=90 * MIB), 60),
    "JSON of lists": (lambda: repeated('{"results": [', "[],", "[]]}", size=15 * MIB), 120),
    "JSON of deep lists": (lambda: repeated("", "[", "", size=15 * MIB), 120),
    "JSON of numbers": (lambda: repeated('{"results": [', "1.5,", "1]}", size=15 * MIB), 150),
    "JSON of lists in one value": (lambda: repeated('{"coverageMap": {"a": [', "[],", "[]]}}", size=15 * MIB), 120),
    "JSON of one text of 60 MB": (lambda: repeated('{"logs": "', "a", '"}', size=60 * MIB), 160),
    "JSON of many tests of 90 MB": (
        lambda: repeated('{"results": [', f'{{"name": "t", "status": "failed", "error": "{"e" * 2_000}"}},\n',
                         '{"name": "t", "status": "passed"}]}', size=90 * MIB),
        120,
    ),
    "JSON of one text": (
        lambda: repeated('[{"name": "t", "status": "failed", "error": "', "é", '"}]', size=15 * MIB), 160,
    ),
}  # fmt: skip

CONTROL = "whole file in memory"


def measure(name: str) -> dict:
    """Read a hostile file in a separate process. Returns the outcome, seconds, MiB above idle, and bytes read."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.missiondeck.reports.streams", name],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    return json.loads(answer.stdout)


def peak() -> float:
    """The peak memory of this process, in MiB.

    Prefers VmHWM, because ru_maxrss starts with the peak of the parent process.
    Source: getrusage(2), proc(5).
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _main(name: str) -> None:
    parts = HOSTILE[name][0] if name in HOSTILE else HOSTILE["one text of 90 MB"][0]
    # Load the interpreter and the libraries before measuring.
    read_report(io.BytesIO(b"<testsuite><testcase name='t'/></testsuite>"))
    before, begun = peak(), time.perf_counter()
    stream, rejected, results, warnings = Stream(parts()), "", 0, []
    # Negative control: the same file, read completely into memory.
    data = stream.read(1 << 30) if name == CONTROL else b""
    try:
        report = read_report(io.BytesIO(data) if data else stream)
        results, warnings = len(report.results), report.warning_texts
    except ReportRejected as error:
        rejected = error.message
    outcome = {
        "rejected": rejected,
        "results": results,
        "warnings": warnings,
        "given": stream.given,
        "seconds": round(time.perf_counter() - begun, 2),
        "mib": round(peak() - before),
    }
    sys.stdout.write(json.dumps(outcome))


if __name__ == "__main__":
    settings.configure(USE_I18N=False)
    _main(sys.argv[1])
