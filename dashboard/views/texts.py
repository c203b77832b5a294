"""Text that others wrote, made fit to be shown: not too long, and without characters that turn round what is beside."""

import unicodedata
from collections.abc import Iterable

from dashboard.views.markup import Markup, tag

NAME = 160
MESSAGE = 600
# controls, marks of direction, halves of pairs, private and unknown characters, line ends
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def shortened(text: object, most: int = NAME) -> str:
    r"""Return *text* on one line in at most *most* characters.

    >>> shortened("cache\n  is\x00 slow\u202e"), shortened("a" * 30, 5)
    ('cache is slow', 'aaaa…')
    """
    whole = str(text)
    spaced = " ".join(whole[: 4 * most].split())
    visible = "".join(char for char in spaced if unicodedata.category(char) not in _HIDDEN)
    shown = " ".join(visible.split())
    cut = len(shown) > most or len(whole) > 4 * most
    return f"{shown[: most - 1]}…" if cut else shown


def name(text: object, most: int = NAME) -> Markup:
    """Return *text* so that one written from right to left does not turn round what stands beside it."""
    return tag("bdi", shortened(text, most))


def names(items: Iterable[object], most: int = 12) -> str:
    """Return a list of names; those beyond *most* are counted.

    >>> names(["a", "b", "c"], most=2), names([])
    ('a, b and 1 more', '')
    """
    found = [shortened(item, 60) for item in items]
    rest = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + rest
