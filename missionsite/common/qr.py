"""QR codes as SVG, drawn on the server: an address with a code is sent to no other service."""

import qrcode
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

# White modules around the code, without which scanners do not find it. Source: ISO/IEC 18004, 5.3.8.
QUIET_ZONE = 4


def qr_svg(text: str, *, label: str) -> SafeString:
    """Return the SVG of a QR code, black on white also in dark mode. label: its text alternative."""
    code = qrcode.QRCode(border=QUIET_ZONE, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    path = "".join(
        f"M{start} {row}h{end - start}v1H{start}z" for row, line in enumerate(matrix) for start, end in _runs(line)
    )
    return format_html(
        '<svg class="qr" role="img" aria-label="{}" viewBox="0 0 {} {}" xmlns="http://www.w3.org/2000/svg"'
        ' shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{}v{}H0z"/><path fill="#000" d="{}"/></svg>',
        label,
        *[len(matrix)] * 4,
        mark_safe(path),  # noqa: S308 - digits and letters from above
    )


def _runs(line: list[bool]) -> list[tuple[int, int]]:
    """Return the start and end of each run of dark modules in a row."""
    runs, start = [], None
    for at, dark in enumerate([*line, False]):
        if dark and start is None:
            start = at
        elif not dark and start is not None:
            runs.append((start, at))
            start = None
    return runs
