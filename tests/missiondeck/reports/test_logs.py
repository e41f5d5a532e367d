"""The output of a tool as it is stored: encodings, colours, progress bars."""

import time

import pytest

from missiondeck.reports.logs import Styles, decode_logs, without_colours

SHOWN = "FAILED tests/test_a.py::test_x\nProgress 100%\ndone\n"
WRITTEN = (
    "\x1b[31mFAILED\x1b[0m tests/test_a.py::test_x\n"
    + "".join(f"\rProgress {share:3}%" for share in range(0, 101, 10))
    + "\ndone\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_colours_and_progress_are_read_in_any_encoding(encoding, line_end):
    stored = decode_logs(WRITTEN.replace("\n", line_end).encode(encoding))
    assert stored == f"\x1b[31mFAILED\x1b[0m{SHOWN.removeprefix('FAILED')}"
    assert without_colours(stored) == SHOWN


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
        (b"\x1b[2K\x1b[1Aa\x1b]0;title\x07\x1bXb\n", "a\ufffdXb\n"),
        ("\ue000[31ma\x1b[m".encode(), "\ufffd[31ma\x1b[m"),
        (b"10%\r\x1b[K20%\n", "20%\n"),
        (b"\x00" * 100, "\ufffd" * 100),
    ],
)
def test_other_output_is_kept(written, shown):
    assert decode_logs(written) == shown


def test_long_lines_take_linear_time():
    began = time.monotonic()
    decode_logs(b"x" * 5_000_000 + b"\r" + b"y" * 5_000_000 + b"\n" + b"\r." * 1_000_000)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("plain", [("", "plain")]),
        ("\x1b[31mred\x1b[0m plain", [("red", "red"), ("", " plain")]),
        ("\x1b[1;32mgreen\x1b[22m thin\x1b[39m none", [("green bold", "green"), ("green", " thin"), ("", " none")]),
        ("\x1b[90mgrey\x1b[38;5;9mred\x1b[38;2;1;2;3mother\x1b[48;5;1mback", [
            ("grey", "grey"), ("red", "red"), ("", "other"), ("", "back"),
        ]),
        ("\x1b[38m\x1b[38;5m\x1b[38;5;99999m\x1b[;;ma", [("", "a")]),
        # A sequence that was cut at the border of two pages.
        ("a\x1b[3", [("", "a")]),
        ("", []),
    ],
)  # fmt: skip
def test_colours_are_parts_of_line(line, parts):
    assert list(Styles().parts(line)) == parts
    assert without_colours(line) == "".join(text for _names, text in parts)


def test_colour_continues_over_lines():
    styles = Styles()
    assert list(styles.parts("\x1b[31ma")) + list(styles.parts("b\x1b[0mc")) == [("red", "a"), ("red", "b"), ("", "c")]
