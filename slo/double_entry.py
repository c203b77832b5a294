"""Requests counted twice: by the service's own counter, and by the spans that arrived.

A counter is not sampled. Where it counts more than there are spans, spans were sampled away or lost, and an objective
over them speaks only of those that arrived.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from slo.confidence import StatisticError, wilson_interval

DoubleEntryVerdict = Literal["agrees", "sampled", "lost", "more spans"]

# Sampling keeps its share all the time, and loss comes and goes. To see which it is, minutes are joined to blocks in
# which enough spans are expected for their share to mean something.
_LEAST_SAMPLED_AWAY: Final = Fraction(2, 5)  # half is the mildest usual sampling; a steady small gap is a lost replica
_EXPECTED_SPANS: Final = 25
_FEWEST_BLOCKS: Final = 5
_STEADY_BLOCKS: Final = Fraction(9, 10)  # a deployment may disturb one in ten
_BLOCK_CONFIDENCE: Final = 0.999
_CLOCK_SLACK: Final = Fraction(1, 10)  # of a block's share: counter and spans cut their minutes at different places


@dataclass(frozen=True, slots=True)
class MinuteEntry:
    """One minute: requests by the counter, spans that arrived."""

    requests: int
    spans: int

    def __post_init__(self) -> None:
        if self.requests < 0 or self.spans < 0:
            raise StatisticError(f"{self.requests} requests and {self.spans} spans: counts are 0 or more")


@dataclass(frozen=True, slots=True)
class DoubleEntry:
    """What the two counts amount to.

    `gap` is the share of requests without a span, below 0 when there are more spans, None when no request was counted.
    `sampled_one_in` is requests a span where the verdict is "sampled". `text` says it in words.
    """

    verdict: DoubleEntryVerdict
    requests: int
    spans: int
    gap: float | None
    sampled_one_in: float | None
    text: str


def compare_entries(minutes: Sequence[MinuteEntry], *, tolerance: Decimal = Decimal("0.02")) -> DoubleEntry | None:
    """Return what the counts of the same minutes amount to; None when neither side counted anything.

    They agree up to *tolerance*. Missing spans are called sampled when two fifths or more are missing, the same share
    all along; anything else is called lost, also where there is too little to tell the two apart.

    Args:
        minutes: the counts, in the order of time.
        tolerance: a share of the requests.

    Raises:
        StatisticError: *tolerance* is negative.
    """
    if tolerance < 0:
        raise StatisticError(f"tolerance {tolerance} is negative; it is a share of the requests, such as 0.02")
    requests, spans = sum(minute.requests for minute in minutes), sum(minute.spans for minute in minutes)
    if not requests and not spans:
        return None
    gap = Fraction(requests - spans, requests) if requests else None
    if gap is None or gap < -tolerance:
        text = (
            f"{spans} spans for {requests} counted requests: either not every request is counted, "
            "or some make more than one such span"
        )
        return _entry("more spans", requests, spans, gap, text)
    if gap <= tolerance:
        return _entry("agrees", requests, spans, gap, f"{spans} spans for {requests} counted requests: they agree")
    missing = f"{spans} spans for {requests} counted requests, {float(100 * gap):.3g} % are missing: "
    steady = _steady(minutes, Fraction(spans, requests)) if spans and gap >= _LEAST_SAMPLED_AWAY else False
    if steady:
        return _entry("sampled", requests, spans, gap, f"{missing}sampled, about 1 in {requests / spans:.3g}")
    cause = "lost, or sampled: too few to tell" if steady is None else "lost on the way or never sent"
    return _entry("lost", requests, spans, gap, missing + cause)


def _entry(verdict: DoubleEntryVerdict, requests: int, spans: int, gap: Fraction | None, text: str) -> DoubleEntry:
    one_in = requests / spans if verdict == "sampled" else None
    return DoubleEntry(verdict, requests, spans, None if gap is None else float(gap), one_in, text)


def _steady(minutes: Sequence[MinuteEntry], share: Fraction) -> bool | None:
    """Whether the spans were *share* of the requests all along; None when there are too few to say."""
    blocks = list(_blocks(minutes, share))
    if len(blocks) < _FEWEST_BLOCKS:
        return None
    return sum(_keeps(block, share) for block in blocks) >= _STEADY_BLOCKS * len(blocks)


def _blocks(minutes: Sequence[MinuteEntry], share: Fraction) -> Iterator[MinuteEntry]:
    """Yield consecutive minutes as one, as soon as enough spans are expected of them; an incomplete rest is dropped."""
    requests = spans = 0
    for minute in minutes:
        requests, spans = requests + minute.requests, spans + minute.spans
        if requests * share >= _EXPECTED_SPANS:
            yield MinuteEntry(requests, spans)
            requests = spans = 0


def _keeps(block: MinuteEntry, share: Fraction) -> bool:
    if abs(block.spans - share * block.requests) <= _CLOCK_SLACK * share * block.requests:
        return True
    kept = min(block.spans, block.requests)
    interval = wilson_interval(kept / block.requests, block.requests, confidence=_BLOCK_CONFIDENCE)
    return interval.low <= share <= interval.high
