"""Numbers, times and names of a run as people read them: a unit on every number, a dash for no data. Pure."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

MISSING: Final = "\N{EN DASH}"
# controls, marks of direction, halves of pairs, private and unknown characters, line ends
# of the faults' attributes: by the end of the name, or where the format that they come from has none, by the name
_ENDS: Final = {"ms": "ms", "s": "s", "mb": "MB"}
_NAMES: Final = {"latency": "ms", "jitter": "ms", "timeout": "ms", "delay": "ms", "rate": "KB/s"}
_SHARES: Final = frozenset({"share", "load", "toxicity"})
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def shortened(text: object, most: int = 200) -> str:
    r"""Return *text* on one line in at most *most* characters, without those that change what is around them.

    >>> shortened("cache\n  is\x00 slow\u202e", 20), shortened("a" * 30, 5)
    ('cache is slow', 'aaaa…')
    """
    whole = str(text)
    spaced = " ".join(whole[: 4 * most].split())
    visible = "".join(char for char in spaced if unicodedata.category(char) not in _HIDDEN)
    shown = " ".join(visible.split())
    cut = len(shown) > most or len(whole) > 4 * most
    return f"{shown[: most - 1]}…" if cut else shown


def shortened_line(text: str, most: int) -> str:
    """Return one line of a document in at most *most* characters; its indent stays."""
    indent = text[: len(text) - len(text.lstrip())]
    return indent + shortened(text, most)


def count(value: float | None) -> str:
    """Return a number of events with thousands separators.

    >>> count(24010), count(39.6), count(0.04)
    ('24,010', '39.6', '<0.1')
    """
    if value is None:
        return MISSING
    if float(value).is_integer():
        return f"{value:,.0f}"
    return "<0.1" if 0 < value < 0.1 else f"{value:,.1f}"


def percent(ratio: float | None) -> str:
    """Return a ratio as per cent, never rounded down to 0 % or up to 100 %.

    >>> percent(0), percent(0.0004), percent(0.00001), percent(0.99999), percent(1)
    ('0 %', '0.04 %', '<0.01 %', '>99.99 %', '100 %')
    """
    if ratio is None:
        return MISSING
    if ratio in {0, 1}:
        return f"{ratio * 100:.0f} %"
    if 0 < ratio < 0.0001:
        return "<0.01 %"
    if 0.9999 < ratio < 1:
        return ">99.99 %"
    return f"{ratio * 100:,.2f} %"


def share(ratio: float | None) -> str:
    """Return a ratio that people chose, with the decimals that it needs.

    >>> share(0.95), share(0.999), share(0.3)
    ('95 %', '99.9 %', '30 %')
    """
    return MISSING if ratio is None else f"{round(ratio * 100, 6):.10g} %"


def points(difference: float | None) -> str:
    """Return a difference of two ratios in percentage points, with its sign, never rounded to none.

    >>> points(0.0407), points(-0.1), points(0), points(0.00001), points(-0.00001)
    ('+4.07 pp', '-10.00 pp', '0 pp', '+0.001 pp', '-0.001 pp')
    """
    if difference is None:
        return MISSING
    if difference == 0:
        return "0 pp"
    value = difference * 100
    return f"{value:+.2f} pp" if abs(value) >= 0.01 else f"{value:+.1g} pp"


def milliseconds(value: float | None) -> str:
    """Return a duration in the unit that suits its size.

    >>> milliseconds(0.4), milliseconds(38.42), milliseconds(413), milliseconds(2400)
    ('0.40 ms', '38.4 ms', '413 ms', '2.40 s')
    """
    if value is None:
        return MISSING
    if value < 9.995:
        return f"{value:.2f} ms"
    if value < 99.95:
        return f"{value:.1f} ms"
    return f"{value:.0f} ms" if value < 999.5 else f"{value / 1000:,.2f} s"


def seconds(value: float | None) -> str:
    """Return a length of time.

    >>> seconds(9), seconds(9.25), seconds(178)
    ('9 s', '9.2 s', '2 min 58 s')
    """
    if value is None:
        return MISSING
    if value < 60:
        return f"{value:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)


def moment(at: datetime | None) -> str:
    """Return date and time in UTC, to the second."""
    return MISSING if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def clock(at: datetime) -> str:
    """Return the time of day in UTC, to the second."""
    return f"{at.astimezone(UTC):%H:%M:%S}"


def fault(settings: Mapping[str, Any]) -> str:
    """Return a fault as "kind on target (name value, …)".

    >>> fault({"kind": "latency", "target": "orders-cache", "latency": 400})
    'latency on orders-cache (latency 400 ms)'
    """
    kind, target = settings.get("kind") or "fault", settings.get("target")
    rest = [_setting(name, value) for name, value in settings.items() if name not in {"kind", "target"} and value != ""]
    named = f"{kind} on {target}" if target else str(kind)
    return shortened(f"{named} ({', '.join(rest)})" if rest else named)


def _setting(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{name} {value}"
    if name in _SHARES:
        return f"{name} {share(value)}"
    stem, _, end = name.rpartition("_")
    if end in _ENDS:
        return f"{stem or 'size'} {value:,g} {_ENDS[end]}"
    return f"{name} {value:,g} {_NAMES.get(name, '')}".rstrip()
