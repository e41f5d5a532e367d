"""The output of a tool as it is stored: encodings, colours, progress bars."""

import time

import pytest

from missiondeck.reports.logs import decode_logs

SHOWN = "FAILED tests/test_a.py::test_x\nProgress 100%\ndone\n"
WRITTEN = (
    "\x1b[31mFAILED\x1b[0m tests/test_a.py::test_x\n"
    + "".join(f"\rProgress {share:3}%" for share in range(0, 101, 10))
    + "\ndone\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_colours_and_progress_are_read_in_any_encoding(encoding, line_end):
    assert decode_logs(WRITTEN.replace("\n", line_end).encode(encoding)) == SHOWN


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"", ""),
        (b"a\rb", "a\nb"),
        (b"a\r\n\rb\r\r\nc\r", "a\nb\nc"),
        (b"10%\r\n20%\r\n", "10%\n20%\n"),
        (b"a\x07\x00b", "a\ufffd\ufffdb"),
        (b"pr\xfcfen\n", "pr\ufffdfen\n"),
        ("naïve ✓".encode(), "naïve ✓"),
        (b"\x00" * 100, "\ufffd" * 100),
    ],
)
def test_other_output_is_kept(written, shown):
    assert decode_logs(written) == shown


def test_long_lines_take_linear_time():
    began = time.monotonic()
    decode_logs(b"x" * 5_000_000 + b"\r" + b"y" * 5_000_000 + b"\n" + b"\r." * 1_000_000)
    assert time.monotonic() - began < 5
