"""A trace as a picture that needs no script: one row a span, inline SVG, readable on a telephone.

Its colours are CSS variables of the page around it: --ink, --soft, --line, --bar, --bad, --mark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from alerts.evidence import TraceSpan
from alerts.safe_text import fitting
from alerts.trace_rows import choose_rows, in_order

WIDTH: Final = 350  # of the picture; a unit is about a pixel on a telephone
ROW: Final = 27
BAR_Y: Final = 17
BAR: Final = 6
INDENT: Final = 7
DEEPEST: Final = 8  # rows below are not moved further to the right
CHAR: Final = 6.1  # how wide a character of the label is drawn, about
DURATION: Final = 62  # room for the number on the right
ISOLATED: Final = "\u2068{}\u2069"  # a name from right to left turns nothing but itself


@dataclass(frozen=True, slots=True)
class _Scale:
    """The time that the whole width stands for, and how long labels may be."""

    first_ms: float
    length_ms: float
    name_length: int


def trace_svg(spans: Sequence[TraceSpan], *, total: int, most: int, name_length: int = 200) -> str:
    """Return the picture of *spans*, which are some of the trace's *total*; "" without spans.

    At most *most* rows; what is left out is said below. Errors have a cross and a hatched bar, the guilty span a frame
    and an arrow, so that nobody needs colours to tell them.
    """
    shown = choose_rows(spans, most=most)
    if not shown:
        return ""
    first = min(span.offset_ms for span in spans)
    length = max(max(span.offset_ms + span.duration_ms for span in spans) - first, 0.001)
    scale = _Scale(first, length, name_length)
    rows = [
        _row(span, min(depth, DEEPEST), number * ROW, scale) for number, (span, depth) in enumerate(in_order(shown))
    ]
    left_out = max(total, len(spans)) - len(shown)
    height = len(rows) * ROW + (ROW if left_out else 0)
    note = (
        f'<text x="0" y="{height - 8}" class="t-soft">{left_out:,} more spans are not drawn</text>' if left_out else ""
    )
    title = f"Trace of {max(total, len(spans)):,} spans, {milliseconds(length)}"
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        '<defs><pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="4" height="4" class="t-bad"/><path d="M0 0V4" class="t-cut"/></pattern></defs>'
        f"{''.join(rows)}{note}</svg>"
    )


def milliseconds(duration: float) -> str:
    """Return a duration with three digits.

    >>> milliseconds(0.0123), milliseconds(12.34), milliseconds(1234.5), milliseconds(754_321.0)
    ('0.0123 ms', '12.3 ms', '1.23 s', '12.6 min')
    """
    for limit, size, unit in ((1_000, 1, "ms"), (120_000, 1_000, "s"), (7_200_000, 60_000, "min")):
        if duration < limit:
            return f"{duration / size:.3g} {unit}"
    return f"{duration / 3_600_000:,.1f} h"


def _row(span: TraceSpan, depth: int, top: int, scale: _Scale) -> str:
    x = depth * INDENT
    marks = ("▶ " if span.guilty else "") + ("✕ " if span.error else "")
    room = min(int((WIDTH - DURATION - x) / CHAR) - len(marks), scale.name_length)
    label = marks + ISOLATED.format(escape(fitting(f"{span.service} {span.operation}", room)))
    start = (span.offset_ms - scale.first_ms) / scale.length_ms * (WIDTH - 2)
    width = max(min(span.duration_ms / scale.length_ms * WIDTH, WIDTH - start), 2.0)
    bold = ' class="t-b"' if span.guilty else ""
    state = "t-err" if span.error else "t-bar"
    frame = f'<rect x=".5" y="{top}.5" width="{WIDTH - 1}" height="{ROW - 2}" class="t-mark"/>' if span.guilty else ""
    return (
        f'{frame}<text x="{x + 3}" y="{top + 12}"{bold}>{label}</text>'
        f'<text x="{WIDTH - 3}" y="{top + 12}" class="t-n">{milliseconds(span.duration_ms)}</text>'
        f'<rect x="{start:.1f}" y="{top + BAR_Y}" width="{width:.1f}" height="{BAR}"'
        f' class="{state}"/>'
    )
