"""Text that others wrote, made fit to be shown: short, on one line, without characters that change what is around."""

import unicodedata
from collections.abc import Iterator
from typing import Final

# controls, marks of direction, halves of pairs, private and unknown characters, line ends
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def shortened(text: str, most: int) -> str:
    r"""Return *text* on one line in at most *most* characters.

    >>> shortened("card\n  gateway\x00 timeout", 16)
    'card gateway ti…'
    """
    spaced = " ".join(text[: 4 * most].split())
    shown = "".join(char for char in spaced if unicodedata.category(char) not in _HIDDEN)
    cut = len(shown) > most or len(text) > 4 * most
    return f"{shown[: most - 1]}…" if cut else shown


def fitting(text: str, columns: int) -> str:
    """Return *text* in at most *columns* columns; a wide character takes two, one that marks another takes none.

    >>> fitting("payments POST /charge", 12), fitting("支払い", 5), fitting("a", 0)
    ('payments PO…', '支払…', '')
    """
    if columns < 1:
        return ""
    shown = shortened(text, 4 * columns)
    if sum(width for _, width in _columns(shown)) <= columns:
        return shown
    taken, used = [], 1
    for char, width in _columns(shown):
        used += width
        if used > columns:
            break
        taken.append(char)
    return "".join([*taken, "…"])


def _columns(text: str) -> Iterator[tuple[str, int]]:
    for char in text:
        wide = unicodedata.east_asian_width(char) in {"W", "F"}
        yield char, 0 if unicodedata.combining(char) else 2 if wide else 1
