"""A finding as a picture: the difference as a dot, its interval as a whisker, the margin as a line. Pure."""

from html import escape

from api.models import Finding
from chaos.report import words

WIDTH, HEIGHT = 340, 84
_LINE, _TOP, _BOTTOM = 36, 16, 52
_PAD = 0.08


def interval_svg(item: Finding, *, said: str) -> str:
    """Return the picture of *item* as SVG, "" without an interval; *said* is what a reader who cannot see it is told.

    Each finding has a scale of its own, which holds no difference, the interval and the margin.
    """
    if item.difference is None or item.interval_low is None or item.interval_high is None:
        return ""
    low, high = item.interval_low, item.interval_high
    least, most = min(0.0, low, item.margin), max(0.0, high, item.margin)
    room = (most - least) * _PAD or 0.01

    def place(value: float) -> float:
        return (value - least + room) / (most - least + 2 * room) * WIDTH

    dot = place(item.difference)
    parts = [
        _line(place(0), _TOP, place(0), _BOTTOM, "zero"),
        _text(place(0), HEIGHT - 4, "no difference", "soft"),
        _line(place(item.margin), _TOP, place(item.margin), _BOTTOM, "margin"),
        _text(place(item.margin), 10, f"margin {words.points(item.margin)}", "margin-name"),
        _line(place(low), _LINE, place(high), _LINE, "whisker"),
        _line(place(low), _LINE - 5, place(low), _LINE + 5, "whisker"),
        _line(place(high), _LINE - 5, place(high), _LINE + 5, "whisker"),
        f'<circle class="dot {item.verdict}" cx="{dot:.1f}" cy="{_LINE}" r="5"/>',
        _text(dot, HEIGHT - 20, f"{words.points(item.difference)} ({_bounds(low, high)})", "value"),
    ]
    head = f'<svg class="interval" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(said)}">'
    return f"{head}{''.join(parts)}</svg>"


def _bounds(low: float, high: float) -> str:
    return f"{words.points(low).removesuffix(' pp')} to {words.points(high).removesuffix(' pp')}"


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, css: str) -> str:
    """Return a text that grows away from the nearer edge, so that it is not cut off."""
    anchor = "start" if x < WIDTH * 0.3 else "end" if x > WIDTH * 0.7 else "middle"
    at = max(x, 1.0) if anchor == "start" else min(x, WIDTH - 1.0)
    return f'<text class="{css}" x="{at:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
