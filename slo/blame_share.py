"""Shares of the budget that was spent, by service and operation."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from slo.blame import Charge

TOP: Final = 5


@dataclass(frozen=True, slots=True)
class Share:
    """Bad requests of one operation: `weight` of them, the part `share` of all.

    `others` is above 0 in the last share when it sums that many operations; service and operation are "" then.
    """

    service: str
    operation: str
    weight: int
    share: Fraction
    others: int = 0

    @property
    def label(self) -> str:
        return "other" if self.others else f"{self.service} {self.operation}".strip()


def shares(charges: Iterable[Charge], weights: Iterable[int], *, top: int = TOP) -> list[Share]:
    """Return the *top* operations by weight, and what is left as one share more; together they are exactly 1.

    *weights* says of each charge how many requests it stands for. Without any weight there are no shares.

    Raises:
        ValueError: not one weight a charge, or one below 0.

    >>> paid, sold = Charge("payments", "charge", "a", ""), Charge("checkout", "POST /pay", "b", "")
    >>> [(found.label, found.share) for found in shares([paid, sold], [3, 1])]
    [('payments charge', Fraction(3, 4)), ('checkout POST /pay', Fraction(1, 4))]
    """
    weighed: Counter[tuple[str, str]] = Counter()
    for charged, weight in zip(charges, weights, strict=True):
        if weight < 0:
            raise ValueError(f"weight {weight} of span {charged.span_id!r} is below 0; a request stands for 1 or more")
        weighed[charged.service, charged.operation] += weight
    ranked = sorted(((key, weight) for key, weight in weighed.items() if weight), key=lambda item: (-item[1], item[0]))
    total = weighed.total()
    found = [Share(*key, weight, Fraction(weight, total)) for key, weight in ranked[:top]]
    rest = [weight for _, weight in ranked[top:]]
    if rest:
        found.append(Share("", "", sum(rest), Fraction(sum(rest), total), others=len(rest)))
    return found


def apportion(parts: Sequence[Fraction], total: int) -> list[int]:
    """Return *total* in whole numbers, in the proportion of *parts* that sum to 1: by largest remainder.

    >>> apportion([Fraction(1, 3)] * 3, 100)
    [34, 33, 33]
    """
    floors = [int(part * total) for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda index: (floors[index] - parts[index] * total, index))
    for index in by_remainder[: total - sum(floors)]:
        floors[index] += 1
    return floors


def describe(found: Sequence[Share], *, charged: int | None = None, requests: int | None = None) -> str:
    """Return *found* for one line of a list, in percent that sum to 100; "" without shares.

    Where only *charged* of the bad *requests* were looked at, it says so.

    >>> paid, sold = Charge("payments", "charge", "a", ""), Charge("checkout", "POST /pay", "b", "")
    >>> describe(shares([paid, sold], [81, 19]))
    '81 % payments charge, 19 % checkout POST /pay'
    >>> describe(shares([paid], [1]), charged=2000, requests=90_000)
    '100 % payments charge (estimated from 2,000 of 90,000 bad requests)'
    """
    percents = apportion([each.share for each in found], 100) if found else []
    text = ", ".join(f"{percent or 'under 1'} % {each.label}" for percent, each in zip(percents, found, strict=True))
    if not found or charged is None or requests is None or charged >= requests:
        return text
    return f"{text} (estimated from {charged:,} of {requests:,} bad requests)"
